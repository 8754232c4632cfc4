/*
 * config.c - reading the environment, without getenv: the caller may be inside a malloc.
 */
#include "preload/config.h"
#include <sys/auxv.h>
#include <sys/utsname.h>

/* A number from low to high, with k, M or G; 0: it is none. */
static int number(const char *s, const char *end, uint64_t low, uint64_t high, uint64_t *out)
{
	uint64_t v = 0;
	unsigned shift = 0;

	if (s == end || *s < '0' || *s > '9')
		return 0;
	for (; s < end && *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *s - '0', &v))
			return 0;
	if (s < end)
		shift = *s == 'k' || *s == 'K' ? 10 : *s == 'M' ? 20 : *s == 'G' ? 30 : 0;
	if (shift)
		s++;
	if (s != end || v > UINT64_MAX >> shift || v << shift < low || v << shift > high)
		return 0;
	*out = v << shift;
	return 1;
}

static int is(const char *s, const char *end, const char *word)
{
	while (s < end && *word && *s == *word)
		s++, word++;
	return s == end && !*word;
}

/* Which of the n words it is; n: none of them. */
static unsigned which(const char *s, const char *end, const char (*words)[12], unsigned n)
{
	unsigned k = 0;

	while (k < n && !is(s, end, words[k]))
		k++;
	return k;
}

static int follow(struct hl_config *c, const char *value, const char *end)
{
	size_t n = 0;

	if (value == end || (size_t)(end - value) >= sizeof c->follow)
		return 0;
	c->follow_none = (uint8_t)is(value, end, "none");
	if (!c->follow_none && !is(value, end, "all"))
		while (value < end)
			c->follow[n++] = *value++;
	c->follow[n] = 0;
	return 1;
}

/* 1: done; 0: unknown name, or no value for it: all is as it was. */
static int option(const char *s, const char *end)
{
	/* text in the arrays, not pointers to it: those would be relocations */
	static const char no_yes[][12] = {"0", "1"}, images[][12] = {"0", "1", "gentle"},
			  full[][12] = {"wait", "drop"};
	static const char clocks[][12] = {"tsc", "raw"};
	static const char unwind[][12] = {[HL_UNWIND_CFI] = "cfi",
					  [HL_UNWIND_WALK] = "walk",
					  [HL_UNWIND_LIBUNWIND] = "libunwind",
					  [HL_UNWIND_CHECK] = "check",
					  [HL_UNWIND_NONE] = "none"};
	static const char one[] = "1";
	struct hl_config *c = &hl_guest.config;
	const char *name_end = s, *value, *value_end = end;
	uint64_t n;
	unsigned k;

	while (name_end < end && *name_end != '=')
		name_end++;
	value = name_end + 1;
	if (name_end == end) {
		value = one;
		value_end = one + 1;
	}
	if (is(s, name_end, "depth")) {
		if (!number(value, value_end, 1, 65535, &n))
			return 0;
		c->depth = (uint32_t)n;
		return 1;
	}
	if (is(s, name_end, "mmap")) {
		k = which(value, value_end, no_yes, 2);
		c->mmap = k < 2 ? (uint8_t)k : c->mmap;
		return k < 2;
	}
	if (is(s, name_end, "image")) {
		k = which(value, value_end, images, HL_IMAGES_GENTLE + 1);
		c->image = k <= HL_IMAGES_GENTLE ? (uint8_t)k : c->image;
		return k <= HL_IMAGES_GENTLE;
	}
	if (is(s, name_end, "clock")) {
		k = which(value, value_end, clocks, 2);
		c->raw_clock = k < 2 ? (uint8_t)k : c->raw_clock;
		return k < 2;
	}
	if (is(s, name_end, "free-stacks")) {
		k = which(value, value_end, no_yes, 2);
		c->free_stacks = k < 2 ? (uint8_t)k : c->free_stacks;
		return k < 2;
	}
	if (is(s, name_end, "on-full")) {
		k = which(value, value_end, full, 2);
		c->drop = k < 2 ? (uint8_t)k : c->drop;
		return k < 2;
	}
	if (is(s, name_end, "max-disk"))
		return number(value, value_end, 1, UINT64_MAX, &c->max_disk);
	if (is(s, name_end, "sample"))
		return number(value, value_end, 1, UINT64_MAX, &c->sample);
	if (is(s, name_end, "unwind")) {
		k = which(value, value_end, unwind, HL_UNWIND_NONE + 1);
		c->unwind = k <= HL_UNWIND_NONE ? (uint8_t)k : c->unwind;
		return k <= HL_UNWIND_NONE;
	}
	return is(s, name_end, "follow") && follow(c, value, value_end);
}

static void options(const char *s)
{
	hl_append(hl_guest.config.options, hl_guest.config.options + sizeof hl_guest.config.options, s);
	while (*s) {
		const char *end = s;

		while (*end && *end != ',')
			end++;
		if (end > s && !option(s, end))
			hl_guest.config.unknown_options++;
		s = *end ? end + 1 : end;
	}
}

static void exitcode(const char *s)
{
	uint64_t n;

	if (number(s, s + hl_strlen(s), 1, 255, &n))
		hl_guest.config.exitcode = (uint8_t)n;
	else if (*s)
		hl_guest.config.unknown_options++;
}

/* The token of LD_PRELOAD that is us. */
static void find_library(const char *s)
{
	while (*s) {
		const char *end = s;
		char *out = hl_guest.library;

		while (*end && *end != ':' && *end != ' ')
			end++;
		if ((size_t)(end - s) < sizeof hl_guest.library) {
			for (const char *q = s; q < end; q++)
				*out++ = *q;
			*out = 0;
			if (hl_streq(hl_basename(hl_guest.library), "libheapledger.so"))
				return;
		}
		hl_guest.library[0] = 0;
		s = *end ? end + 1 : end;
	}
}

/* Without /proc, in a chroot: what the kernel was asked to start. */
static void find_executable(void)
{
	char *exe = hl_guest.exe, *end = exe + sizeof hl_guest.exe;
	const char *started = (const char *)(uintptr_t)getauxval(AT_EXECFN);

	hl_sys_readlink("/proc/self/exe", exe, sizeof hl_guest.exe);
	if (*exe || !started)
		return;
	if (*started != '/') {
		hl_sys_getcwd(exe, sizeof hl_guest.exe);
		exe = hl_append(exe + hl_strlen(exe), end, "/");
	}
	hl_append(exe, end, started);
}

void hl_config_read(char **envp)
{
	struct hl_guest *g = &hl_guest;
	char *end = g->output + sizeof g->output, *p = g->output;
	const char *v;

	g->config.depth = 64;
	g->config.image = 1;
	g->config.max_disk = 4ull << 30;
	for (; envp && *envp; envp++) {
		if ((v = hl_after(*envp, "HEAPLEDGER_OPTIONS=")))
			options(v);
		else if ((v = hl_after(*envp, "HEAPLEDGER_EXITCODE=")))
			exitcode(v);
		else if ((v = hl_after(*envp, "HEAPLEDGER_REGION=")))
			hl_append(g->region_path, g->region_path + sizeof g->region_path, v);
		else if ((v = hl_after(*envp, "HEAPLEDGER_OUTPUT="))) {
			if (*v != '/' && *v) {
				hl_sys_getcwd(p, HL_PATH_MAX / 2);
				/* not known, or outside the root: nobody would look for the trace in "/" */
				if (*p != '/') {
					*p = 0;
					continue;
				}
				p = hl_append(p + hl_strlen(p), end, "/");
			}
			hl_append(p, end, v);
		} else if ((v = hl_after(*envp, "LD_PRELOAD=")))
			find_library(v);
	}
	g->config.room =
		g->config.depth > HL_ROOM_MIN || g->config.depth == 1 ? g->config.depth : HL_ROOM_MIN;
	find_executable();
}

int hl_config_trace_name(char out[HL_PATH_MAX], int attempt)
{
	char *p = out, *end = out + HL_PATH_MAX;
	int has_pid = 0;

	*p = 0;
	for (const char *s = hl_guest.output; *s; s++) {
		char one[2] = {*s, 0};

		if (*s != '%' || !s[1]) {
			p = hl_append(p, end, one);
			continue;
		}
		switch (*++s) {
		case 'p':
			p = hl_append_uint(p, end, hl_guest.pid);
			has_pid = 1;
			break;
		case 'n':
			p = hl_append(p, end, hl_basename(hl_guest.exe));
			break;
		case 'h': {
			struct utsname u;

			if (hl_sys4(SYS_uname, (long)(uintptr_t)&u, 0, 0, 0) == 0)
				p = hl_append(p, end, u.nodename);
			break;
		}
		default:
			one[0] = *s;
			p = hl_append(p, end, one);
		}
	}
	if (attempt > 0 && !has_pid) {
		p = hl_append(p, end, ".");
		p = hl_append_uint(p, end, hl_guest.pid);
	}
	if (attempt > 1 || (attempt == 1 && has_pid)) {
		p = hl_append(p, end, ".");
		p = hl_append_uint(p, end, (uint64_t)attempt + (has_pid ? 1 : 0));
	}
	return p + 1 < end;
}
