/*
 * mail.c - both ends of the mailbox, and finding a region from outside.  Floor: collect.
 *
 * The way to a launcher's region is the collector's descriptor of it, recognised by the inode that the
 * program's own mapping has: the program's environment may have been overwritten (setproctitle does).
 */
#include "analyzer/collect/mail.h"
#include "analyzer/collect/collector.h"
#include "analyzer/collect/process.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATIENCE_MS 5000
#define STEP_MS     50

/* The collector's working directory is that in which `run` was started. */
static void put_path(struct hl_mail *m, const char *path)
{
	char dir[PATH_MAX] = "";
	int n;

	if (path && *path != '/' && !getcwd(dir, sizeof(dir)))
		path = NULL;
	n = snprintf(m->trace, sizeof(m->trace), "%s%s%s", dir, *dir ? "/" : "", path ? path : "");
	if (n < 0 || (size_t)n >= sizeof(m->trace))
		m->trace[0] = 0;
}

void hl_mail_answer(struct hl_collector *c)
{
	struct hl_mail *m = &c->share->region->mail;
	char label[sizeof(m->label)];
	struct hl_out *out;

	/* acquire: pid and label (partner: post) */
	if (atomic_load_explicit(&m->state, memory_order_acquire) != HL_MAIL_POSTED)
		return;
	memcpy(label, m->label, sizeof(label));
	label[sizeof(label) - 1] = 0;
	hl_roster_scan(&c->roster, 1);
	out = hl_roster_process(&c->roster, (pid_t)m->pid);
	m->result = ESRCH;
	if (out && !out->gone) {
		m->stamp = hl_share_now(c->share);
		if (!m->collect_only)
			hl_out_mark(&c->outs, out, m->stamp, HL_MARK_COMMAND, label);
		m->result = out->writer ? 0 : EIO;
		put_path(m, out->path);
		/* who asked may read the trace at once */
		hl_drain_sealed(&c->drain);
		hl_drain_open(&c->drain);
	}
	/* release: result and stamp */
	atomic_store_explicit(&m->state, HL_MAIL_DONE, memory_order_release);
	hl_share_wake(&m->state, INT_MAX);
}

/* ---- finding ---- */

struct search {
	pid_t pid;
	uint64_t inode; /* of a memfd; 0 none */
	int file;       /* of a bare region; -1 none */
	char *path;     /* of file, PATH_MAX bytes */
};

static int is_candidate(void *ctx, const struct hl_map_line *m)
{
	struct search *s = ctx;
	uint64_t magic = 0;
	struct stat st;
	int fd;

	if (!strncmp(m->path, "/memfd:" HL_SHARE_NAME, strlen("/memfd:" HL_SHARE_NAME))) {
		s->inode = m->inode;
		return 1;
	}
	if (m->perms[3] != 's' || m->perms[1] != 'w' || m->path[0] != '/')
		return 0;
	if (snprintf(s->path, PATH_MAX, "/proc/%ld/root%s", (long)s->pid, m->path) >= PATH_MAX)
		return 0;
	/* O_NONBLOCK: a fifo or a device in its place must not hold us up */
	fd = open(s->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return 0;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_ino == m->inode &&
	    pread(fd, &magic, sizeof(magic), 0) == sizeof(magic) && magic == HL_REGION_MAGIC) {
		s->file = fd;
		return 1;
	}
	close(fd);
	return 0;
}

static int is_collector(pid_t pid)
{
	char name[64], text[32] = "";
	int fd, n;

	snprintf(name, sizeof(name), "/proc/%ld/comm", (long)pid);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = (int)read(fd, text, sizeof(text) - 1);
	close(fd);
	return n > 0 && !strncmp(text, "hl-collector\n", 13);
}

/* Open the memfd of that inode through a descriptor of process pid; -1 not there, -2 not permitted. */
static int open_through(pid_t pid, uint64_t inode)
{
	char name[64], link[PATH_MAX];
	struct dirent *e;
	int fd = -1;
	DIR *d;

	snprintf(name, sizeof(name), "/proc/%ld/fd", (long)pid);
	d = opendir(name);
	if (!d)
		return errno == EACCES || errno == EPERM ? -2 : -1;
	while (fd < 0 && (e = readdir(d))) {
		struct stat st;
		ssize_t n = readlinkat(dirfd(d), e->d_name, link, sizeof(link) - 1);

		if (n <= 0)
			continue;
		link[n] = 0;
		if (strncmp(link, "/memfd:" HL_SHARE_NAME, strlen("/memfd:" HL_SHARE_NAME)) ||
		    fstatat(dirfd(d), e->d_name, &st, 0) < 0 || st.st_ino != inode)
			continue;
		fd = openat(dirfd(d), e->d_name, O_RDWR | O_CLOEXEC);
	}
	closedir(d);
	return fd;
}

static int open_memfd(uint64_t inode)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	int fd = -1;

	while (d && fd < 0 && (e = readdir(d))) {
		pid_t pid = (pid_t)atol(e->d_name);
		int r;

		if (pid <= 0 || !is_collector(pid))
			continue;
		r = open_through(pid, inode);
		if (r >= 0)
			fd = r;
	}
	if (d)
		closedir(d);
	return fd;
}

static int map_region(struct hl_found *f, int fd, pid_t pid, struct hl_diag *d)
{
	struct hl_region h;
	struct stat st;
	void *map;

	if (fstat(fd, &st) < 0 || pread(fd, &h, sizeof(h), 0) != (ssize_t)sizeof(h) ||
	    h.magic != HL_REGION_MAGIC || h.major != HL_FORMAT_MAJOR || h.slot_bytes != HL_SLOT_BYTES ||
	    h.stamp_shift > 63 || (h.backing != HL_BACKING_MEMFD && h.backing != HL_BACKING_FILE) ||
	    hl_region_bytes(h.backing, h.nslots) > (uint64_t)st.st_size)
		return hl_fail(d, HL_ERR_NOTFOUND,
			       "process %ld is traced by another version, or its region is damaged",
			       (long)pid);
	map = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (map == MAP_FAILED)
		return hl_fail(d, HL_ERR_NOTFOUND, "cannot map the region of process %ld: %s", (long)pid,
			       strerror(errno));
	f->region = map;
	f->bytes = (size_t)st.st_size;
	f->backing = h.backing;
	f->nslots = h.nslots;
	f->fd = fd;
	return HL_OK;
}

int hl_mail_find(struct hl_found *f, pid_t pid, struct hl_diag *d)
{
	struct search s = {.pid = pid, .file = -1, .path = f->path};
	int r = hl_process_each_map(pid, is_candidate, &s), fd, err;

	if (r < 0)
		return hl_fail(d, HL_ERR_NOTFOUND, "process %ld: %s", (long)pid,
			       errno == ENOENT || errno == ESRCH ? "no such process" : strerror(errno));
	if (r == 0 && hl_process_state(pid) == 0)
		return hl_fail(d, HL_ERR_NOTFOUND, "process %ld: no such process", (long)pid);
	if (r == 0)
		return hl_fail(d, HL_ERR_NOTFOUND, "process %ld is not traced", (long)pid);
	fd = s.file >= 0 ? s.file : open_memfd(s.inode);
	if (fd < 0)
		return hl_fail(d, HL_ERR_NOTFOUND,
			       "process %ld was traced, but its collector is gone or another user's",
			       (long)pid);
	err = map_region(f, fd, pid, d);
	if (err)
		close(fd);
	return err;
}

void hl_mail_release(struct hl_found *f)
{
	munmap(f->region, f->bytes);
	close(f->fd);
}

/* ---- asking ---- */

static int is_dead(uint32_t pid)
{
	return pid == 0 || pid > INT32_MAX || (kill((pid_t)pid, 0) < 0 && errno == ESRCH);
}

/* Become the client; 0 when somebody else is. */
static int claim(struct hl_mail *m)
{
	uint32_t state = HL_MAIL_IDLE, client, self = (uint32_t)getpid();

	if (atomic_compare_exchange_strong(&m->state, &state, HL_MAIL_CLAIMED)) {
		atomic_store(&m->client, self);
		return 1;
	}
	client = atomic_load(&m->client);
	/* a client that has just claimed and not yet signed would look dead: 0 is not taken over at once */
	if (state == HL_MAIL_POSTED || client == 0 || !is_dead(client))
		return 0;
	if (!atomic_compare_exchange_strong(&m->client, &client, self))
		return 0;
	atomic_store(&m->state, HL_MAIL_CLAIMED);
	return 1;
}

int hl_mail_claim(struct hl_region *r, pid_t pid, const char *label, struct hl_diag *d)
{
	struct hl_mail *m = &r->mail;

	for (int ms = 0; !claim(m); ms += STEP_MS) {
		if (ms >= PATIENCE_MS)
			return hl_fail(d, HL_ERR_NOTFOUND,
				       "another snapshot command is busy with process %ld", (long)pid);
		hl_share_sleep(&m->state, atomic_load(&m->state), STEP_MS * 1000000u);
	}
	m->pid = (uint32_t)pid;
	snprintf(m->label, sizeof(m->label), "%s", label);
	return HL_OK;
}

void hl_mail_let_go(struct hl_region *r)
{
	atomic_store(&r->mail.client, 0);
	atomic_store(&r->mail.state, HL_MAIL_IDLE);
	hl_share_wake(&r->mail.state, INT_MAX);
}

int hl_mail_post(struct hl_region *r, pid_t pid, int collect_only, uint64_t *stamp, struct hl_diag *d)
{
	struct hl_mail *m = &r->mail;
	uint32_t state = 0;
	int result;

	m->result = EINPROGRESS;
	m->collect_only = (uint32_t)collect_only;
	/* release: what was asked for (partner: hl_mail_answer) */
	atomic_store_explicit(&m->state, HL_MAIL_POSTED, memory_order_release);
	for (int ms = 0; ms < PATIENCE_MS; ms += STEP_MS) {
		hl_share_nudge(r);
		/* acquire: the result (partner: hl_mail_answer) */
		state = atomic_load_explicit(&m->state, memory_order_acquire);
		if (state != HL_MAIL_POSTED)
			break;
		hl_share_sleep(&m->state, HL_MAIL_POSTED, STEP_MS * 1000000u);
	}
	if (state != HL_MAIL_DONE) {
		state = HL_MAIL_POSTED;
		atomic_compare_exchange_strong(&m->state, &state, HL_MAIL_IDLE);
		return hl_fail(d, HL_ERR_NOTFOUND, "the collector of process %ld does not answer", (long)pid);
	}
	result = (int)m->result;
	*stamp = m->stamp;
	hl_mail_let_go(r);
	if (result == ESRCH)
		return hl_fail(d, HL_ERR_NOTFOUND, "process %ld is not traced (yet)", (long)pid);
	if (result)
		return hl_fail(d, HL_ERR_NOTFOUND, "the trace of process %ld cannot be written: %s",
			       (long)pid, strerror(result));
	return HL_OK;
}

int hl_mail_collect(struct hl_found *f, pid_t pid, struct hl_diag *d)
{
	uint64_t stamp;
	int err;

	if (f->backing == HL_BACKING_FILE)
		return HL_OK; /* the region is the trace */
	if (atomic_load(&f->region->closed))
		return hl_fail(d, HL_ERR_NOTFOUND, "process %ld was traced, but its collector has ended",
			       (long)pid);
	err = hl_mail_claim(f->region, pid, "", d);
	if (!err)
		err = hl_mail_post(f->region, pid, 1, &stamp, d);
	if (err)
		return err;
	snprintf(f->path, sizeof(f->path), "%.*s", (int)sizeof(f->region->mail.trace) - 1,
		 f->region->mail.trace);
	return *f->path
		       ? HL_OK
		       : hl_fail(d, HL_ERR_NOTFOUND, "process %ld: its trace has too long a name", (long)pid);
}

int hl_mail_snapshot(struct hl_found *f, pid_t pid, const char *label, uint64_t *stamp, struct hl_diag *d)
{
	int err;

	if (f->backing == HL_BACKING_FILE)
		return hl_bare_snapshot(f, pid, label, stamp, d);
	if (atomic_load(&f->region->closed))
		return hl_fail(d, HL_ERR_NOTFOUND, "process %ld was traced, but its collector has ended",
			       (long)pid);
	err = hl_mail_claim(f->region, pid, label, d);
	return err ? err : hl_mail_post(f->region, pid, 0, stamp, d);
}
