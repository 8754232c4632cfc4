/*
 * sandbox.h - programs that restrict their own system calls.  Floor: collect.
 */
#ifndef HL_COLLECT_SANDBOX_H
#define HL_COLLECT_SANDBOX_H

/* The system calls of the library after its start, which a filter that kills must allow: those of any thread,
 * of a thread's or handler's first allocation, of a forked child's.  With --sample also getrandom. */
#define HL_SANDBOX_CALLS                                                                                     \
	"madvise mmap mremap munmap futex rt_sigprocmask clock_gettime; in a thread gettid prctl "           \
	"sigaltstack; "                                                                                      \
	"in a forked child getpid getppid openat read close"

struct hl_sandbox {
	const char *program; /* its base name */
	const char *part;    /* which of its processes */
	const char *tried;   /* the version that was run and traced without harm; NULL: none */
};

/* What is known of a program of this name; NULL: nothing. */
const struct hl_sandbox *hl_sandbox_known(const char *program);

#endif
