/*
 * collector_io.c - preloaded into `heapledger run` alone: the n-th write to a regular file, truncation, opening for writing or
 * closing that one of its processes makes fails.  COLLECTOR_FAULT="n errno".
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static _Atomic int *calls; /* shared with the collector, which is forked */
static int at, error;

static __attribute__((constructor)) void setup(void)
{
	const char *s = getenv("COLLECTOR_FAULT");

	if (!s || sscanf(s, "%d %d", &at, &error) != 2)
		return;
	calls = mmap(NULL, sizeof *calls, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	/* not into the command */
	unsetenv("LD_PRELOAD");
	unsetenv("COLLECTOR_FAULT");
}

static __attribute__((destructor)) void count(void)
{
	const char *path = getenv("COLLECTOR_COUNT");
	FILE *f = path && calls ? fopen(path, "w") : NULL;

	if (f) {
		fprintf(f, "%d\n", atomic_load(calls));
		fclose(f);
	}
}

static int fails(void)
{
	if (!calls || atomic_fetch_add(calls, 1) + 1 != at)
		return 0;
	errno = error;
	return 1;
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t where)
{
	ssize_t (*real)(int, const void *, size_t, off_t) = dlsym(RTLD_NEXT, "pwrite");

	return fails() ? -1 : real(fd, p, n, where);
}

int ftruncate(int fd, off_t n)
{
	int (*real)(int, off_t) = dlsym(RTLD_NEXT, "ftruncate");

	return fails() ? -1 : real(fd, n);
}

int open(const char *path, int flags, ...)
{
	int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
	va_list ap;
	int mode;

	va_start(ap, flags);
	mode = flags & O_CREAT ? va_arg(ap, int) : 0;
	va_end(ap);
	return flags & O_CREAT && fails() ? -1 : real(path, flags, mode);
}

int close(int fd)
{
	int (*real)(int) = dlsym(RTLD_NEXT, "close");
	struct stat st;

	/* of files that were written: what a close loses */
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink &&
	    (fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY && fails()) {
		real(fd);
		errno = error;
		return -1;
	}
	return real(fd);
}
