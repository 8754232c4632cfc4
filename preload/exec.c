/*
 * exec.c - exec and posix_spawn: the new program is traced too, whatever environment it is given (child_env.h).
 *
 * A recorded exec is a tentative end: void when events follow.  In a vfork child nothing is recorded: the memory and
 * the trace are the parent's.
 */
#include "preload/child_env.h"
#include "preload/enter.h"
#include "preload/facts.h"
#include "preload/image.h"
#include "preload/lifecycle.h"
#include "preload/real.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

static void leaving(const char *path)
{
	struct hl_thread *t;

	if (!hl_records(hl_state()) || hl_is_vfork_child() || !hl_sys_readable((uintptr_t)path))
		return; /* a bad pointer: EFAULT is the kernel's to say */
	hl_image_abandon();
	t = hl_enter();
	if (!t)
		return;
	hl_facts_exec(t, path);
	hl_leave(t);
}

/* call, in which the environment is child.envp; its result, when it returns. */
#define STARTING(dir, path, searched, call)                                                                  \
	do {                                                                                                 \
		struct hl_child child = hl_child_begin(envp, dir, path, searched);                           \
		int r = call;                                                                                \
                                                                                                             \
		if (r)                                                                                       \
			hl_child_failed(&child);                                                             \
		return r;                                                                                    \
	} while (0)

#define NEED(f)                                                                                              \
	if (!hl_real_ready() || !hl_real.f) {                                                                \
		errno = ENOSYS;                                                                              \
		return -1;                                                                                   \
	}

HL_EXPORT int execve(const char *path, char *const argv[], char *const envp[])
{
	NEED(execve)
	leaving(path);
	STARTING(AT_FDCWD, path, 0, hl_real.execve(path, argv, child.envp));
}

HL_EXPORT int execv(const char *path, char *const argv[])
{
	return execve(path, argv, environ);
}

HL_EXPORT int execvpe(const char *file, char *const argv[], char *const envp[])
{
	NEED(execvpe)
	leaving(file);
	STARTING(AT_FDCWD, file, 1, hl_real.execvpe(file, argv, child.envp));
}

HL_EXPORT int execvp(const char *file, char *const argv[])
{
	return execvpe(file, argv, environ);
}

HL_EXPORT int execveat(int dir, const char *path, char *const argv[], char *const envp[], int flags)
{
	NEED(execveat)
	leaving(path);
	STARTING(dir, path, 0, hl_real.execveat(dir, path, argv, child.envp, flags));
}

HL_EXPORT int fexecve(int fd, char *const argv[], char *const envp[])
{
	NEED(fexecve)
	leaving("(descriptor)");
	STARTING(fd, "", 0, hl_real.fexecve(fd, argv, child.envp));
}

/* The variadic forms: arguments end with NULL, then, for execle, the environment. */
#define COLLECT(first)                                                                                       \
	va_list ap;                                                                                          \
	size_t n = 1;                                                                                        \
	va_start(ap, first);                                                                                 \
	while (va_arg(ap, char *))                                                                           \
		n++;                                                                                         \
	va_end(ap);                                                                                          \
	char **argv = __builtin_alloca((n + 1) * sizeof *argv);                                              \
	argv[0] = (char *)(uintptr_t)first;                                                                  \
	va_start(ap, first);                                                                                 \
	for (size_t i = 1; i <= n; i++)                                                                      \
		argv[i] = va_arg(ap, char *);

HL_EXPORT int execl(const char *path, const char *arg, ...)
{
	COLLECT(arg)
	va_end(ap);
	return execve(path, argv, environ);
}

HL_EXPORT int execlp(const char *file, const char *arg, ...)
{
	COLLECT(arg)
	va_end(ap);
	return execvpe(file, argv, environ);
}

HL_EXPORT int execle(const char *path, const char *arg, ...)
{
	COLLECT(arg)
	char *const *envp = va_arg(ap, char *const *);
	va_end(ap);
	return execve(path, argv, envp);
}

HL_EXPORT int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
			  const posix_spawnattr_t *attr, char *const argv[], char *const envp[])
{
	if (!hl_real_ready() || !hl_real.posix_spawn)
		return ENOSYS;
	STARTING(AT_FDCWD, path, 0, hl_real.posix_spawn(pid, path, actions, attr, argv, child.envp));
}

HL_EXPORT int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
			   const posix_spawnattr_t *attr, char *const argv[], char *const envp[])
{
	if (!hl_real_ready() || !hl_real.posix_spawnp)
		return ENOSYS;
	STARTING(AT_FDCWD, file, 1, hl_real.posix_spawnp(pid, file, actions, attr, argv, child.envp));
}
