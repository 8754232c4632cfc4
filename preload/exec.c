/*
 * exec.c - exec and posix_spawn: the new program is traced too, whatever environment it is given.
 *
 * What is added is LD_PRELOAD (in front of the program's own) and the HEAPLEDGER_ variables, and only when
 * they are not there.  A recorded exec is a tentative end: void when events follow.  In a vfork
 * child nothing is recorded: the memory and the trace are the parent's.
 */
#include "preload/arena.h"
#include "preload/enter.h"
#include "preload/facts.h"
#include "preload/lifecycle.h"
#include "preload/real.h"
#include <errno.h>
#include <stdarg.h>
#include <unistd.h>

enum { ADDED = 4 };

static const char *value_of(char *const envp[], const char *name)
{
	for (; *envp; envp++) {
		const char *v = hl_after(*envp, name);

		if (v)
			return v;
	}
	return NULL;
}

/* Where traces go is said, and means the same in every working directory. */
static int names_a_place(char *const envp[])
{
	const char *output = value_of(envp, "HEAPLEDGER_OUTPUT=");

	return value_of(envp, "HEAPLEDGER_REGION=") || (output && *output == '/');
}

static int is_separator(char c)
{
	return c == ':' || c == ' ';
}

/* Is one of the libraries of LD_PRELOAD ours? */
static int names_us(const char *v)
{
	while (*v) {
		const char *end = hl_after(v, hl_guest.library);

		if (end && (!*end || is_separator(*end)))
			return 1;
		while (*v && !is_separator(*v))
			v++;
		while (is_separator(*v))
			v++;
	}
	return 0;
}

static char *variable(char **room, char *end, const char *name, const char *value, const char *rest)
{
	char *start = *room, *p = hl_append(start, end, name);

	p = hl_append(p, end, value);
	if (rest && *rest) {
		p = hl_append(p, end, ":");
		p = hl_append(p, end, rest);
	}
	*room = p + 1;
	return start;
}

/* envp with what our library needs; envp itself when nothing is missing or cannot be had. */
static char *const *with_us(char *const envp[])
{
	struct hl_thread *t = hl_thread_peek();
	static char *const empty[] = {NULL};
	const char *theirs;
	size_t n = 0, bytes;
	char **out, *scratch, *p, *end;

	if (!envp)
		envp = empty;
	/* A forked child need not have recorded anything yet, so the state does not matter. */
	if (!hl_guest.region || !*hl_guest.library || hl_guest.config.follow_none ||
	    !hl_sys_readable((uintptr_t)envp))
		return envp;
	theirs = value_of(envp, "LD_PRELOAD=");
	if (theirs && names_us(theirs) && names_a_place(envp))
		return envp;
	while (envp[n])
		n++;
	bytes = (n + ADDED + 1) * sizeof *out + 3 * HL_PATH_MAX + 1024 + (theirs ? hl_strlen(theirs) : 0);
	/* Kept with the thread: a vfork child's memory is its parent's, and nobody returns from exec to
	 * give it back. */
	if (!t || t->scratch_bytes < bytes) {
		char *room = hl_arena_alloc(bytes + bytes / 2);

		if (!room)
			return envp;
		scratch = room;
		bytes += bytes / 2;
		if (t) {
			t->scratch = room;
			t->scratch_bytes = bytes;
		}
	} else {
		scratch = t->scratch;
		bytes = t->scratch_bytes;
	}
	out = (char **)(void *)scratch;
	p = scratch + (n + ADDED + 1) * sizeof *out;
	end = scratch + bytes;
	n = 0;
	for (; *envp; envp++)
		if (!hl_after(*envp, "LD_PRELOAD=") && !hl_after(*envp, "HEAPLEDGER_REGION=") &&
		    !hl_after(*envp, "HEAPLEDGER_OUTPUT=") && !hl_after(*envp, "HEAPLEDGER_OPTIONS="))
			out[n++] = *envp;
	out[n++] = theirs && names_us(theirs) ? variable(&p, end, "LD_PRELOAD=", theirs, NULL)
					      : variable(&p, end, "LD_PRELOAD=", hl_guest.library, theirs);
	if (*hl_guest.region_path)
		out[n++] = variable(&p, end, "HEAPLEDGER_REGION=", hl_guest.region_path, NULL);
	if (*hl_guest.output)
		out[n++] = variable(&p, end, "HEAPLEDGER_OUTPUT=", hl_guest.output, NULL);
	if (*hl_guest.config.options)
		out[n++] = variable(&p, end, "HEAPLEDGER_OPTIONS=", hl_guest.config.options, NULL);
	out[n] = NULL;
	return out;
}

static void leaving(const char *path)
{
	struct hl_thread *t;

	if (!hl_records(hl_state()) || hl_is_vfork_child() || !hl_sys_readable((uintptr_t)path))
		return; /* a bad pointer: EFAULT is the kernel's to say */
	t = hl_enter();
	if (!t)
		return;
	hl_facts_exec(t, path);
	hl_leave(t);
}

#define NEED(f)                                                                                              \
	if (!hl_real_ready() || !hl_real.f) {                                                                \
		errno = ENOSYS;                                                                              \
		return -1;                                                                                   \
	}

HL_EXPORT int execve(const char *path, char *const argv[], char *const envp[])
{
	NEED(execve)
	leaving(path);
	return hl_real.execve(path, argv, with_us(envp));
}

HL_EXPORT int execv(const char *path, char *const argv[])
{
	return execve(path, argv, environ);
}

HL_EXPORT int execvpe(const char *file, char *const argv[], char *const envp[])
{
	NEED(execvpe)
	leaving(file);
	return hl_real.execvpe(file, argv, with_us(envp));
}

HL_EXPORT int execvp(const char *file, char *const argv[])
{
	return execvpe(file, argv, environ);
}

HL_EXPORT int execveat(int dir, const char *path, char *const argv[], char *const envp[], int flags)
{
	NEED(execveat)
	leaving(path);
	return hl_real.execveat(dir, path, argv, with_us(envp), flags);
}

HL_EXPORT int fexecve(int fd, char *const argv[], char *const envp[])
{
	NEED(fexecve)
	leaving("(descriptor)");
	return hl_real.fexecve(fd, argv, with_us(envp));
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
	return hl_real.posix_spawn(pid, path, actions, attr, argv, with_us(envp));
}

HL_EXPORT int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
			   const posix_spawnattr_t *attr, char *const argv[], char *const envp[])
{
	if (!hl_real_ready() || !hl_real.posix_spawnp)
		return ENOSYS;
	return hl_real.posix_spawnp(pid, file, actions, attr, argv, with_us(envp));
}
