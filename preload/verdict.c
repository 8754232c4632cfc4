/*
 * verdict.c - the analyzer as a child of a copy of the process.
 *
 * The copy is there because a child that executes a program tells its parent of its end (the kernel resets the exit signal at
 * exec): the program, or another thread of it, would see a child it never started.
 */
#include "preload/verdict.h"
#include "preload/arena.h"
#include "preload/enter.h"
#include "preload/facts.h"
#include "preload/image.h"
#include "preload/image_copy.h"
#include <dlfcn.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define LEAKS 99 /* status of `heapledger check` */

/* What the program may define: LeakSanitizer's interface (sanitizer/lsan_interface.h). */
extern const char *__lsan_default_suppressions(void) __attribute__((weak));
extern int __lsan_is_turned_off(void) __attribute__((weak));

static char directory[HL_PATH_MAX]; /* of the library; "" not known */

static void find_directory(void)
{
	Dl_info self;
	char *end = directory + sizeof directory, *p = directory, *slash = NULL;

	if (!dladdr(&hl_guest, &self) || !self.dli_fname)
		return;
	if (*self.dli_fname != '/') {
		hl_sys_getcwd(directory, HL_PATH_MAX / 2);
		p = hl_append(p + hl_strlen(p), end, "/");
	}
	hl_append(p, end, self.dli_fname);
	for (p = directory; *p; p++)
		if (*p == '/')
			slash = p;
	if (slash)
		*slash = 0;
	else
		*directory = 0;
}

static void take_suppressions(void)
{
	const char *text = __lsan_default_suppressions ? __lsan_default_suppressions() : NULL;
	struct hl_thread *t;

	if (!text || !*text || !(t = hl_enter()))
		return;
	hl_facts_suppressions(t, text);
	hl_leave(t);
}

void hl_verdict_before_exit(void)
{
	struct hl_thread *t;

	if (!__lsan_is_turned_off || !hl_records(hl_state()) || !__lsan_is_turned_off() || !(t = hl_enter()))
		return;
	hl_facts_leak_note(t, HL_LEAK_OFF, 0, 0);
	hl_leave(t);
}

void hl_verdict_setup(void)
{
	if (!hl_records(hl_state()) || !hl_guest.config.image)
		return;
	find_directory();
	take_suppressions();
}

/* The program's, without what would have the analyzer traced. */
static char **environment(void)
{
	char **envp, **to;
	size_t n = 1;

	for (char **e = environ; e && *e; e++)
		n++;
	envp = to = hl_arena_alloc(n * sizeof *envp);
	for (char **e = environ; envp && e && *e; e++)
		if (!hl_after(*e, "LD_PRELOAD=") && !hl_after(*e, "HEAPLEDGER_REGION=") &&
		    !hl_after(*e, "HEAPLEDGER_OUTPUT=") && !hl_after(*e, "HEAPLEDGER_OPTIONS="))
			*to++ = *e;
	return envp;
}

static __attribute__((noreturn)) void execute(void)
{
	static const char places[][24] = {"/heapledger", "/../../bin/heapledger"};
	char *path = hl_arena_alloc(HL_PATH_MAX), *pid = hl_arena_alloc(32), **envp = environment();
	/* LeakSanitizer says nothing either when nothing is lost */
	char *argv[] = {path, "check", "-q", hl_guest.trace, NULL, NULL};

	if (!path || !pid || !envp)
		hl_copy_end(127);
	if (hl_guest.backing != HL_BACKING_FILE) {
		hl_append_uint(pid, pid + 32, hl_guest.pid);
		argv[3] = "--process";
		argv[4] = pid;
	}
	hl_sys4(SYS_dup3, 2, 1, 0, 0);
	for (unsigned i = 0; i < sizeof places / sizeof *places; i++) {
		hl_append(hl_append(path, path + HL_PATH_MAX, directory), path + HL_PATH_MAX, places[i]);
		hl_sys4(SYS_execve, (long)(uintptr_t)path, (long)(uintptr_t)argv, (long)(uintptr_t)envp, 0);
	}
	hl_copy_end(127);
}

/* In the copy. */
static int judge(void)
{
	int how = 0;
	long pid = hl_sys6(SYS_clone, SIGCHLD, 0, 0, 0, 0, 0), r;

	if (pid == 0)
		execute();
	if (pid < 0)
		return 127;
	do
		r = hl_sys4(SYS_wait4, pid, (long)(uintptr_t)&how, 0, 0);
	while (r == -4);
	return r == pid && WIFEXITED(how) ? WEXITSTATUS(how) : 127;
}

static int verdict(int status)
{
	if (status == LEAKS || status == 0)
		return status != 0;
	hl_lost(HL_LOST_VERDICT, 1);
	return -1;
}

int hl_verdict_now(void)
{
	struct hl_image_request r = {
		.label = "", .reason = HL_MARK_API, .flags = HL_IMAGE_VERDICT, .then = judge};
	struct hl_thread *t;
	int status = -1;

	if (!hl_real_ready() || !hl_records(hl_state()) || (__lsan_is_turned_off && __lsan_is_turned_off()))
		return -1;
	t = hl_enter();
	if (!t)
		return verdict(-1);
	if (hl_image_live(t, &r, &status) != HL_ASK_DONE)
		status = -1;
	hl_leave(t);
	return verdict(status);
}

int hl_verdict_at_exit(void)
{
	int status = -1;
	long pid;

	if (!hl_guest.config.exitcode || hl_guest.backing != HL_BACKING_FILE || !hl_records(hl_state()) ||
	    hl_is_vfork_child() || (__lsan_is_turned_off && __lsan_is_turned_off()))
		return -1;
	pid = hl_copy_start(3);
	if (pid == 0)
		hl_copy_end(judge());
	if (pid > 0)
		hl_copy_reap(1, &status);
	return verdict(status) > 0 ? (int)hl_guest.config.exitcode : -1;
}
