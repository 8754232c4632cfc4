/*
 * process.c - reading /proc.  Floor: collect.
 */
#include "analyzer/collect/process.h"
#include "analyzer/collect/share.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int hl_process_each_map(pid_t pid, int (*visit)(void *ctx, const struct hl_map_line *line), void *ctx)
{
	char name[64], *line = NULL;
	size_t room = 0;
	ssize_t n;
	int r = 0;
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%ld/maps", (long)pid);
	f = fopen(name, "re");
	if (!f)
		return -1;
	while (!r && (n = getline(&line, &room, f)) > 0) {
		struct hl_map_line m;
		int path = 0;

		if (line[n - 1] == '\n')
			line[n - 1] = 0;
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %*s %" SCNu64 " %n", &m.start,
			   &m.end, m.perms, &m.offset, &m.inode, &path) < 5 ||
		    !path)
			continue;
		m.path = line + path;
		r = visit(ctx, &m);
	}
	if (!r && ferror(f))
		r = -1;
	free(line);
	fclose(f);
	return r;
}

static int is_region(void *ctx, const struct hl_map_line *m)
{
	const uint64_t *inode = ctx;

	return m->inode == *inode &&
	       !strncmp(m->path, "/memfd:" HL_SHARE_NAME, strlen("/memfd:" HL_SHARE_NAME));
}

enum hl_maps_answer hl_process_maps(pid_t pid, uint64_t inode)
{
	int r = hl_process_each_map(pid, is_region, &inode);

	if (r < 0)
		return errno == ENOENT || errno == ESRCH ? HL_MAPS_NO : HL_MAPS_UNKNOWN;
	return r ? HL_MAPS_YES : HL_MAPS_NO;
}

/* The innermost pid of a process that lives in a namespace below ours; 0: it does not. */
static uint32_t inner_pid(pid_t pid)
{
	char name[64], line[512];
	unsigned long inner = 0, v;
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%ld/status", (long)pid);
	f = fopen(name, "re");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f)) {
		int at = 6, used, count = 0;

		if (strncmp(line, "NSpid:", 6))
			continue;
		while (sscanf(line + at, "%lu%n", &v, &used) == 1) {
			inner = v;
			at += used;
			count++;
		}
		if (count < 2)
			inner = 0;
		break;
	}
	fclose(f);
	return (uint32_t)inner;
}

void hl_process_each_inner(void (*visit)(void *ctx, pid_t pid, uint32_t inner), void *ctx)
{
	DIR *d = opendir("/proc");
	struct dirent *e;

	while (d && (e = readdir(d))) {
		pid_t pid = (pid_t)atol(e->d_name);
		uint32_t inner = pid > 0 ? inner_pid(pid) : 0;

		if (inner)
			visit(ctx, pid, inner);
	}
	if (d)
		closedir(d);
}

int hl_process_open(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

int hl_process_reap(pid_t child, int ms)
{
	struct pollfd p = {.fd = hl_process_open(child), .events = POLLIN};
	int ended = waitpid(child, NULL, WNOHANG) != 0;

	if (!ended) {
		/* without a descriptor (none left, an old kernel) this only waits */
		poll(&p, 1, p.fd < 0 ? ms / 10 : ms);
		ended = waitpid(child, NULL, WNOHANG) != 0;
	}
	if (p.fd >= 0)
		close(p.fd);
	return ended;
}

/* The fields of /proc/PID/stat after the name, from the state on; 0: no such process.  The name in its
 * parentheses may hold anything, also parentheses. */
static int read_stat(pid_t pid, char *fields, size_t room)
{
	char name[64], text[1024], *end;
	ssize_t n;
	int fd;

	snprintf(name, sizeof(name), "/proc/%ld/stat", (long)pid);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return 0;
	text[n] = 0;
	end = strrchr(text, ')');
	if (!end || end[1] != ' ')
		return 0;
	snprintf(fields, room, "%s", end + 2);
	return 1;
}

char hl_process_state(pid_t pid)
{
	char fields[1024];

	return read_stat(pid, fields, sizeof(fields)) ? fields[0] : 0;
}

uint64_t hl_process_started(pid_t pid)
{
	char fields[1024], *p = fields;

	if (!read_stat(pid, fields, sizeof(fields)))
		return 0;
	/* state is field 3, starttime 22 */
	for (int i = 3; i < 22 && p; i++) {
		p = strchr(p, ' ');
		p = p ? p + 1 : NULL;
	}
	return p ? strtoull(p, NULL, 10) : 0;
}

uint64_t hl_process_clock(void)
{
	uint64_t hz = (uint64_t)sysconf(_SC_CLK_TCK);
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * hz + (uint64_t)t.tv_nsec * hz / 1000000000u;
}
