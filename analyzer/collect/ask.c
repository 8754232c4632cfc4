/*
 * ask.c - choosing the thread that is asked, and waiting for what becomes of it.
 *
 * A signal that finds another handler than ours would disturb or end the program.  So: the library says by which signal it may
 * be asked and takes that back when the program takes the signal; the kernel says that the signal is caught; and the thread has
 * it not blocked and does not wait for signals, which would hand ours to the program.
 */
#include "analyzer/collect/ask.h"
#include "analyzer/collect/process.h"
#include "analyzer/collect/share.h"
#include "heapledger/image.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MS    5000  /* to stop the threads and to copy the process */
#define WRITE_MS     25000 /* the library gives up after 20 s */
#define STEP_MS      2
#define BUSY_MS      10000
#define BUSY_STEP_MS 50
#define THREADS      8 /* asked one after the other */

struct ask {
	struct hl_found *found;
	struct hl_image *entry;
	pid_t pid, tid; /* who was asked */
	int sig;
	int blind; /* threads of which may not be seen what they wait for */
};

static long read_file(const char *path, char *out, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, room - 1);
	int saved = errno;

	if (fd >= 0)
		close(fd);
	out[n < 0 ? 0 : n] = 0;
	errno = saved;
	return n;
}

/* What stands behind the name in /proc/PID/status. */
static const char *field(const char *text, const char *name)
{
	const char *p = strstr(text, name);

	return p ? p + strlen(name) : "";
}

/* As the process itself sees it. */
static uint32_t inner_pid(pid_t pid)
{
	char path[64], text[8192], *end;
	unsigned long last = (unsigned long)pid;
	const char *s;

	snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	if (read_file(path, text, sizeof(text)) <= 0)
		return (uint32_t)pid;
	for (s = field(text, "\nNSpid:"); *s && *s != '\n'; s = end) {
		unsigned long v = strtoul(s, &end, 10);

		if (end == s)
			break;
		last = v;
	}
	return (uint32_t)last;
}

/* 1: the thread would run our handler; 0: not; -1: what it waits for may not be seen. */
static int would_answer(const struct ask *a, pid_t tid)
{
	unsigned long long bit = 1ull << (a->sig - 1);
	char path[96], text[8192];
	char state;

	snprintf(path, sizeof(path), "/proc/%ld/task/%ld/status", (long)a->pid, (long)tid);
	if (read_file(path, text, sizeof(text)) <= 0)
		return 0;
	state = *field(text, "\nState:\t");
	if (state == 'Z' || state == 'X' || state == 'T' || state == 't' ||
	    strtoull(field(text, "\nSigBlk:\t"), NULL, 16) & bit ||
	    !(strtoull(field(text, "\nSigCgt:\t"), NULL, 16) & bit))
		return 0;
	snprintf(path, sizeof(path), "/proc/%ld/task/%ld/syscall", (long)a->pid, (long)tid);
	if (read_file(path, text, sizeof(text)) <= 0)
		return state == 'R' ? 1 : errno == EACCES || errno == EPERM ? -1 : 1;
	return strtol(text, NULL, 0) != SYS_rt_sigtimedwait || text[0] == 'r' || text[0] == '-';
}

static int send_to(const struct ask *a, pid_t tid)
{
	siginfo_t info = {0};

	info.si_code = SI_QUEUE;
	info.si_pid = getpid();
	info.si_uid = getuid();
	info.si_value.sival_ptr = (void *)(uintptr_t)hl_ask_nonce(a->found->region);
	return syscall(SYS_rt_tgsigqueueinfo, a->pid, tid, a->sig, &info) == 0;
}

static int state_of(const struct ask *a)
{
	return atomic_load_explicit(&a->entry->ask_state, memory_order_acquire);
}

/* While the state is `from`; the state. */
static int wait_while(const struct ask *a, int from, int patience_ms)
{
	for (int ms = 0; state_of(a) == from && ms < patience_ms; ms += STEP_MS) {
		if (hl_process_state(a->pid) == 0 || hl_process_state(a->pid) == 'Z')
			break;
		nanosleep(&(struct timespec){0, STEP_MS * 1000000}, NULL);
	}
	return state_of(a);
}

/* Threads that are at work first: those need not be woken.  0: nobody was found. */
static int ask_threads(struct ask *a)
{
	char path[64];
	int asked = 0;

	snprintf(path, sizeof(path), "/proc/%ld/task", (long)a->pid);
	for (int pass = 0; pass < 2 && asked < THREADS; pass++) {
		DIR *d = opendir(path);
		struct dirent *e;

		while (d && asked < THREADS && (e = readdir(d))) {
			pid_t tid = (pid_t)atol(e->d_name);
			int r = tid > 0 ? would_answer(a, tid) : 0;

			a->blind += r < 0;
			if (r <= 0)
				continue;
			a->tid = tid;
			atomic_store_explicit(&a->entry->ask_state, HL_ASK_POSTED, memory_order_release);
			if (!send_to(a, tid))
				continue;
			asked++;
			/* only who answers that it may not record now leaves the question to another one */
			if (wait_while(a, HL_ASK_POSTED, ANSWER_MS) != HL_ASK_DENIED) {
				closedir(d);
				return 1;
			}
		}
		if (d)
			closedir(d);
	}
	return asked;
}

static int fails(const struct ask *a, int state, struct hl_diag *d)
{
	static const char *const why[] = {
		[HL_ASK_POSTED] = "it did not answer",
		[HL_ASK_WRITING] = "its image was not finished in time",
		[HL_ASK_BUSY] = "another image of it is being written",
		[HL_ASK_DENIED] = "none of its threads may record now",
		[HL_ASK_NO_LIST] = "it cannot list its threads and maps (no /proc, or no descriptor allowed)",
		[HL_ASK_NO_COPY] = "it could not be copied (memory or number of processes limited)",
		[HL_ASK_GIVEN_UP] = "the image was given up: it took too long, or there was no room for it",
	};
	const char *text = state > 0 && (size_t)state < sizeof(why) / sizeof(why[0]) ? why[state] : NULL;

	if (hl_process_state(a->pid) == 0 || hl_process_state(a->pid) == 'Z')
		text = "it has ended";
	return hl_fail(d, HL_ERR_NOTFOUND, "process %ld: no pointer image: %s", (long)a->pid,
		       text ? text : "it did not say why");
}

/* Ask once; HL_OK, and the state that came of it. */
static int ask_once(struct ask *a, int *state, struct hl_diag *d)
{
	if (!ask_threads(a))
		return hl_fail(
			d, HL_ERR_NOTFOUND,
			a->blind ? "process %ld: may not see what its threads wait for "
				   "(kernel.yama.ptrace_scope): ask as root, or let it call "
				   "heapledger_snapshot_image()"
				 : "process %ld: no thread of it takes the signal (all have it blocked, "
				   "wait for signals or are stopped)",
			(long)a->pid);
	*state = wait_while(a, HL_ASK_WRITING, WRITE_MS);
	return HL_OK;
}

static int take(struct ask *a, struct hl_diag *d)
{
	int state = HL_ASK_BUSY, err = HL_OK;

	a->sig = atomic_load_explicit(&a->entry->ask_signal, memory_order_acquire);
	if (!a->sig)
		return hl_fail(d, HL_ERR_NOTFOUND,
			       "process %ld cannot be asked for a pointer image: it was started without them "
			       "or as a sample, or has restricted itself, or uses the signal itself",
			       (long)a->pid);
	/* the image that it takes of itself is over in a while */
	for (int ms = 0; !err && state == HL_ASK_BUSY && ms < BUSY_MS; ms += BUSY_STEP_MS) {
		if (ms)
			nanosleep(&(struct timespec){0, BUSY_STEP_MS * 1000000}, NULL);
		err = ask_once(a, &state, d);
	}
	if (err)
		return err;
	/* its copy is over: now nobody has to be told of it later */
	if (state != HL_ASK_POSTED && would_answer(a, a->tid) > 0)
		send_to(a, a->tid);
	return state == HL_ASK_DONE ? HL_OK : fails(a, state, d);
}

int hl_ask_image(struct hl_found *f, pid_t pid, const char *label, uint64_t *stamp, struct hl_diag *d)
{
	struct ask a = {.found = f, .pid = pid};
	uint32_t entry, id;
	int err;

	if (f->backing == HL_BACKING_MEMFD && atomic_load(&f->region->closed))
		return hl_fail(d, HL_ERR_NOTFOUND, "process %ld was traced, but its collector has ended",
			       (long)pid);
	if (!hl_bare_find_entry(f, inner_pid(pid), &entry, &id))
		return hl_fail(d, HL_ERR_NOTFOUND, "process %ld is not traced (yet)", (long)pid);
	a.entry = &hl_region_images(f->region)[entry];
	err = hl_mail_claim(f->region, pid, label, d);
	if (err)
		return err;
	err = take(&a, d);
	atomic_store_explicit(&a.entry->ask_state, HL_ASK_NONE, memory_order_relaxed);
	*stamp = hl_stamp_fenced(f->region->clock, f->region->stamp_shift & 63);
	if (err || f->backing == HL_BACKING_FILE)
		hl_mail_let_go(f->region);
	else
		err = hl_mail_post(f->region, pid, 1, stamp, d);
	return err;
}
