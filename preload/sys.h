/*
 * sys.h - the only way the library talks to the kernel: raw system calls that keep errno, are no
 * cancellation points and need no symbol; small string helpers that never allocate.  Floor 0.
 *
 * Every call returns the kernel's value: >= 0, or -errno.
 */
#ifndef HL_PRELOAD_SYS_H
#define HL_PRELOAD_SYS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#define HL_LIKELY(x)   __builtin_expect(!!(x), 1)
#define HL_UNLIKELY(x) __builtin_expect(!!(x), 0)

#if defined(__x86_64__)
static inline long hl_sys6(long n, long a, long b, long c, long d, long e, long f)
{
	long r;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;

	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return r;
}
#elif defined(__aarch64__)
static inline long hl_sys6(long n, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = n;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}
#else
#error "no raw system call for this CPU"
#endif

static inline long hl_sys4(long n, long a, long b, long c, long d)
{
	return hl_sys6(n, a, b, c, d, 0, 0);
}

/* NULL instead of MAP_FAILED. */
void *hl_sys_mmap(size_t bytes, int prot, int flags, int fd, uint64_t offset);
void *hl_sys_mremap(void *old, size_t old_bytes, size_t bytes, int flags);
int hl_sys_munmap(void *p, size_t bytes);
int hl_sys_madvise(void *p, size_t bytes, int advice);
int hl_sys_open(const char *path, int flags, int mode);
int hl_sys_close(int fd);
int hl_sys_ftruncate(int fd, uint64_t bytes);
int hl_sys_fallocate(int fd, uint64_t bytes);
/* 0 and *size, *dev, *ino of a regular file or memfd; -errno (-EINVAL: another kind). */
int hl_sys_fstat(int fd, uint64_t *size, uint64_t *dev, uint64_t *ino);
/* 1: a file system that takes new space for what is written to a page again. */
int hl_sys_copies_on_write(int fd);
/* 1: others may write to the directory and it is not sticky. */
int hl_sys_dir_is_open(const char *path);
/* NUL-terminated target, "" when unknown. */
void hl_sys_readlink(const char *path, char *out, size_t room);
long hl_sys_read_file(const char *path, char *out, size_t room);
void hl_sys_getcwd(char *out, size_t room);
uint32_t hl_sys_getpid(void);
uint32_t hl_sys_getppid(void);
uint32_t hl_sys_gettid(void);
int hl_sys_futex_wait(_Atomic uint32_t *w, uint32_t value, uint64_t ns);
void hl_sys_futex_wake(_Atomic uint32_t *w, int n);
void hl_sys_thread_name(char out[16]);
/* 0: nobody follows our advice: emulators (qemu-user 7.2) accept what no kernel knows, and ignore it. */
int hl_sys_advice_is_heeded(void);
/* 1: the aligned word that holds address can be read. */
int hl_sys_readable(uint64_t address);
/* 1: the calling thread runs on its alternate signal stack. */
int hl_sys_on_altstack(void);
int hl_sys_random(void *p, size_t n);
uint64_t hl_sys_fsize_limit(void); /* RLIMIT_FSIZE; UINT64_MAX: none */

/* ---- strings ---- */
size_t hl_strlen(const char *s);
int hl_streq(const char *a, const char *b);
/* Starts with; returns the rest or NULL. */
const char *hl_after(const char *s, const char *prefix);
/* Append s / v at *p within end, keep NUL-termination. */
char *hl_append(char *p, char *end, const char *s);
char *hl_append_uint(char *p, char *end, uint64_t v);
const char *hl_basename(const char *path);
/* Shell pattern with * ? only. */
int hl_glob(const char *pattern, const char *s);

#endif
