/*
 * sys.c - raw system calls and tiny strings.  Floor 0: includes nothing of the library.
 */
#include "preload/sys.h"
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/magic.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>

#define PTR(p) ((long)(uintptr_t)(p))

void *hl_sys_mmap(size_t bytes, int prot, int flags, int fd, uint64_t offset)
{
	long r = hl_sys6(SYS_mmap, 0, (long)bytes, prot, flags, fd, (long)offset);

	return r < 0 && r > -4096 ? NULL : (void *)r;
}

void *hl_sys_mremap(void *old, size_t old_bytes, size_t bytes, int flags)
{
	long r = hl_sys4(SYS_mremap, PTR(old), (long)old_bytes, (long)bytes, flags);

	return r < 0 && r > -4096 ? NULL : (void *)r;
}

int hl_sys_munmap(void *p, size_t bytes)
{
	return (int)hl_sys4(SYS_munmap, PTR(p), (long)bytes, 0, 0);
}

int hl_sys_madvise(void *p, size_t bytes, int advice)
{
	return (int)hl_sys4(SYS_madvise, PTR(p), (long)bytes, advice, 0);
}

int hl_sys_advice_is_heeded(void)
{
	/* madvise(2): EINVAL for an advice that is not valid, also for no bytes at all */
	return hl_sys_madvise(NULL, 0, -1) != 0;
}

int hl_sys_open(const char *path, int flags, int mode)
{
	return (int)hl_sys4(SYS_openat, AT_FDCWD, PTR(path), flags, mode);
}

int hl_sys_close(int fd)
{
	return (int)hl_sys4(SYS_close, fd, 0, 0, 0);
}

int hl_sys_ftruncate(int fd, uint64_t bytes)
{
	return (int)hl_sys4(SYS_ftruncate, fd, (long)bytes, 0, 0);
}

int hl_sys_fallocate(int fd, uint64_t bytes)
{
	return (int)hl_sys4(SYS_fallocate, fd, 0, 0, (long)bytes);
}

static int stat_at(int fd, const char *path, int flags, struct stat *st)
{
	return (int)hl_sys4(SYS_newfstatat, fd, PTR(path), PTR(st), flags);
}

int hl_sys_fstat(int fd, uint64_t *size, uint64_t *dev, uint64_t *ino)
{
	struct stat st;
	int r = stat_at(fd, "", AT_EMPTY_PATH, &st);

	if (r < 0)
		return r;
	if (!S_ISREG(st.st_mode))
		return -22;
	*size = (uint64_t)st.st_size;
	*dev = st.st_dev;
	*ino = st.st_ino;
	return 0;
}

int hl_sys_copies_on_write(int fd)
{
	struct statfs st;

	return hl_sys4(SYS_fstatfs, fd, PTR(&st), 0, 0) == 0 && st.f_type == BTRFS_SUPER_MAGIC;
}

int hl_sys_dir_is_open(const char *path)
{
	struct stat st;

	return stat_at(AT_FDCWD, path, 0, &st) == 0 && st.st_mode & S_IWOTH && !(st.st_mode & S_ISVTX);
}

void hl_sys_readlink(const char *path, char *out, size_t room)
{
	long n = hl_sys4(SYS_readlinkat, AT_FDCWD, PTR(path), PTR(out), (long)room - 1);

	out[n < 0 ? 0 : n] = 0;
}

long hl_sys_read_file(const char *path, char *out, size_t room)
{
	int fd = hl_sys_open(path, O_RDONLY | O_CLOEXEC, 0);
	size_t n = 0;
	long r = 0;

	if (fd < 0)
		return fd;
	while (n < room && (r = hl_sys4(SYS_read, fd, PTR(out + n), (long)(room - n), 0)) > 0)
		n += (size_t)r;
	hl_sys_close(fd);
	return r < 0 ? r : (long)n;
}

void hl_sys_getcwd(char *out, size_t room)
{
	if (hl_sys4(SYS_getcwd, PTR(out), (long)room, 0, 0) <= 0)
		out[0] = 0;
}

uint32_t hl_sys_getpid(void)
{
	/* Only a seccomp filter denies it.  Who asks is a process's first thread, but for a library's that starts early. */
	long pid = hl_sys4(SYS_getpid, 0, 0, 0, 0);

	return pid > 0 ? (uint32_t)pid : hl_sys_gettid();
}

uint32_t hl_sys_getppid(void)
{
	long pid = hl_sys4(SYS_getppid, 0, 0, 0, 0);

	return pid < 0 ? 0 : (uint32_t)pid;
}

uint32_t hl_sys_gettid(void)
{
	long tid = hl_sys4(SYS_gettid, 0, 0, 0, 0);

	return tid < 0 ? 0 : (uint32_t)tid;
}

int hl_sys_futex_wait(_Atomic uint32_t *w, uint32_t value, uint64_t ns)
{
	struct timespec ts = {.tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u)};

	return (int)hl_sys4(SYS_futex, PTR(w), FUTEX_WAIT, value, PTR(&ts));
}

void hl_sys_futex_wake(_Atomic uint32_t *w, int n)
{
	hl_sys4(SYS_futex, PTR(w), FUTEX_WAKE, n, 0);
}

void hl_sys_thread_name(char out[16])
{
	out[0] = 0;
	hl_sys4(SYS_prctl, PR_GET_NAME, PTR(out), 0, 0);
	out[15] = 0;
}

int hl_sys_readable(uint64_t address)
{
	/* An invalid `how` is refused after the set was read (rt_sigprocmask(2): EFAULT before EINVAL); no
	 * set at all is no error, and whatever else is answered (by a seccomp filter) says nothing. */
	return address >= 8 && hl_sys4(SYS_rt_sigprocmask, -1, (long)(address & ~7ull), 0, 8) == -22;
}

int hl_sys_on_altstack(void)
{
	stack_t st;

	return hl_sys4(SYS_sigaltstack, 0, PTR(&st), 0, 0) == 0 && st.ss_flags & SS_ONSTACK;
}

int hl_sys_random(void *p, size_t n)
{
	return (int)hl_sys4(SYS_getrandom, PTR(p), (long)n, 0, 0);
}

uint64_t hl_sys_fsize_limit(void)
{
	struct rlimit lim;

	if (hl_sys4(SYS_prlimit64, 0, RLIMIT_FSIZE, 0, PTR(&lim)) < 0)
		return UINT64_MAX;
	return lim.rlim_cur == RLIM_INFINITY ? UINT64_MAX : lim.rlim_cur;
}

size_t hl_strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

int hl_streq(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

const char *hl_after(const char *s, const char *prefix)
{
	while (*prefix)
		if (*s++ != *prefix++)
			return NULL;
	return s;
}

char *hl_append(char *p, char *end, const char *s)
{
	while (*s && p + 1 < end)
		*p++ = *s++;
	*p = 0;
	return p;
}

char *hl_append_uint(char *p, char *end, uint64_t v)
{
	char digits[21];
	char *d = digits + sizeof digits;

	*--d = 0;
	do
		*--d = (char)('0' + v % 10);
	while (v /= 10);
	return hl_append(p, end, d);
}

const char *hl_basename(const char *path)
{
	const char *b = path;

	for (; *path; path++)
		if (*path == '/')
			b = path + 1;
	return b;
}

int hl_glob(const char *pattern, const char *s)
{
	const char *star = NULL, *retry = NULL;

	while (*s) {
		if (*pattern == '*') {
			star = pattern++;
			retry = s;
		} else if (*pattern == '?' || *pattern == *s) {
			pattern++;
			s++;
		} else if (star) {
			pattern = star + 1;
			s = ++retry;
		} else {
			return 0;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}
