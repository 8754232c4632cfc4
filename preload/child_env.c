/*
 * child_env.c - LD_PRELOAD and the HEAPLEDGER_ variables of a program that is about to be executed.
 */
#include "preload/child_env.h"
#include "preload/arena.h"
#include "preload/enter.h"
#include "preload/loadable.h"
#include "preload/thread.h"
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

/* known: a page that is. */
static int is_readable(const void *p, uint64_t *known)
{
	uint64_t page = (uintptr_t)p / 4096;

	if (page == *known)
		return 1;
	*known = page;
	return hl_sys_readable((uintptr_t)p);
}

/* Can all of it be looked at?  Else EFAULT is the kernel's to say. */
static int can_be_read(char *const envp[])
{
	uint64_t pointers = UINT64_MAX, strings = UINT64_MAX;

	for (;; envp++) {
		if (!is_readable(envp, &pointers))
			return 0;
		if (!*envp)
			return 1;
		if (!is_readable(*envp, &strings))
			return 0;
	}
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

/* LD_PRELOAD without our library; NULL: nothing is left. */
static char *without_us(char **room, char *end, const char *v)
{
	char *p = hl_append(*room, end, "LD_PRELOAD="), *start = *room, *first = p;

	while (*v) {
		const char *word = v, *ours = hl_after(v, hl_guest.library);

		while (*v && !is_separator(*v))
			v++;
		if (ours != v) {
			if (p > first)
				p = hl_append(p, end, ":");
			for (; word < v && p + 1 < end; word++)
				*p++ = *word;
			*p = 0;
		}
		while (is_separator(*v))
			v++;
	}
	*room = p + 1;
	return p > first ? start : NULL;
}

/* Kept with the thread: a vfork child's memory is its parent's, and nobody returns from exec to give it back. */
static char *scratch(size_t *bytes)
{
	struct hl_thread *t = hl_thread_peek();
	char *room;

	if (t && t->scratch_bytes >= *bytes) {
		*bytes = t->scratch_bytes;
		return t->scratch;
	}
	*bytes += *bytes / 2;
	room = hl_arena_alloc(*bytes);
	if (room && t) {
		t->scratch = room;
		t->scratch_bytes = *bytes;
	}
	return room;
}

static int is_ours(const char *variable)
{
	return hl_after(variable, "HEAPLEDGER_REGION=") || hl_after(variable, "HEAPLEDGER_OUTPUT=") ||
	       hl_after(variable, "HEAPLEDGER_OPTIONS=");
}

/* By its name; the program that a script names is not looked for. */
static int is_followed(const char *path)
{
	return !*hl_guest.config.follow || hl_glob(hl_guest.config.follow, hl_basename(path));
}

static size_t add_us(char **out, char *p, char *end, const char *theirs, int named)
{
	size_t n = 0;

	out[n++] = named ? variable(&p, end, "LD_PRELOAD=", theirs, NULL)
			 : variable(&p, end, "LD_PRELOAD=", hl_guest.library, theirs);
	if (*hl_guest.region_path)
		out[n++] = variable(&p, end, "HEAPLEDGER_REGION=", hl_guest.region_path, NULL);
	if (*hl_guest.output)
		out[n++] = variable(&p, end, "HEAPLEDGER_OUTPUT=", hl_guest.output, NULL);
	if (*hl_guest.config.options)
		out[n++] = variable(&p, end, "HEAPLEDGER_OPTIONS=", hl_guest.config.options, NULL);
	return n;
}

static char *const *environment(struct hl_child *c, char *const envp[], int dir, const char *path,
				int searched)
{
	static char *const empty[] = {NULL};
	const char *theirs, *search = NULL;
	size_t n = 0, bytes;
	char **out, *room, *p, *end;
	enum hl_loadable load;
	int named, follows, breaks;

	if (!envp)
		envp = empty;
	if (!*hl_guest.library)
		return envp;
	theirs = value_of(envp, "LD_PRELOAD=");
	named = theirs && names_us(theirs);
	/* A forked child need not have recorded anything yet, so the state does not matter. */
	follows = hl_guest.region && !hl_guest.config.follow_none;
	if (!named && !follows)
		return envp;
	while (envp[n])
		n++;
	bytes = (n + ADDED + 1) * sizeof *out + 3 * HL_PATH_MAX + 1024 + (theirs ? hl_strlen(theirs) : 0);
	room = scratch(&bytes);
	if (!room)
		return envp;
	out = (char **)(void *)room;
	p = room + (n + ADDED + 1) * sizeof *out;
	end = room + bytes;
	if (searched && environ)
		search = value_of(environ, "PATH=");
	load = HL_LOAD_TRIED;
	/* else EFAULT is the kernel's to say */
	if (hl_sys_readable((uintptr_t)path))
		load = hl_loadable(dir, path, searched ? search ? search : "/bin:/usr/bin" : NULL, p);
	if (load != HL_LOAD_TRIED && follows && is_followed(path) && hl_guest.image)
		c->lost = &hl_guest.image->lost[HL_LOST_CHILD];
	if (load != HL_LOAD_TRIED)
		c->announced = NULL;
	breaks = load == HL_LOAD_BREAKS;
	if (breaks ? !named : !follows || (named && names_a_place(envp)))
		return envp;
	n = 0;
	for (; *envp; envp++)
		if (!hl_after(*envp, "LD_PRELOAD=") && !(!breaks && is_ours(*envp)))
			out[n++] = *envp;
	if (!breaks)
		n += add_us(out + n, p, end, theirs, named);
	else if ((p = without_us(&p, end, theirs)))
		out[n++] = p;
	out[n] = NULL;
	return out;
}

/* The library in it will say that it started. */
static int tells(char *const envp[])
{
	const char *region;

	if (!hl_guest.region || !*hl_guest.region_path || hl_guest.config.follow_none || !envp)
		return 0;
	region = value_of(envp, "HEAPLEDGER_REGION=");
	return region && hl_streq(region, hl_guest.region_path);
}

struct hl_child hl_child_begin(char *const envp[], int dir, const char *path, int searched)
{
	struct hl_region *r = hl_guest.region;
	struct hl_child c = {.announced = r ? &r->execs : NULL};

	if (envp && !can_be_read(envp))
		return (struct hl_child){.envp = envp};
	c.envp = environment(&c, envp, dir, path, searched);
	if (c.announced && !tells(c.envp))
		c.announced = NULL;
	if (c.announced)
		atomic_fetch_add_explicit(c.announced, 1, memory_order_relaxed);
	if (c.lost)
		atomic_fetch_add_explicit(c.lost, 1, memory_order_relaxed);
	return c;
}

void hl_child_failed(const struct hl_child *c)
{
	if (c->announced)
		atomic_fetch_sub_explicit(c->announced, 1, memory_order_relaxed);
	if (c->lost)
		atomic_fetch_sub_explicit(c->lost, 1, memory_order_relaxed);
}
