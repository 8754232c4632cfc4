/*
 * config.c - reading the environment, without getenv: the caller may be inside a malloc.
 */
#include "preload/config.h"
#include <sys/utsname.h>

static uint64_t number(const char *s, const char *end)
{
	uint64_t v = 0;

	while (s < end && *s >= '0' && *s <= '9')
		v = v * 10 + (uint64_t)(*s++ - '0');
	if (s < end && (*s == 'k' || *s == 'K'))
		v <<= 10;
	else if (s < end && *s == 'M')
		v <<= 20;
	else if (s < end && *s == 'G')
		v <<= 30;
	return v;
}

static int is(const char *s, const char *end, const char *word)
{
	while (s < end && *word && *s == *word)
		s++, word++;
	return s == end && !*word;
}

static void option(const char *s, const char *end)
{
	struct hl_config *c = &hl_guest.config;
	const char *name_end = s, *value;

	while (name_end < end && *name_end != '=')
		name_end++;
	value = name_end < end ? name_end + 1 : end;
	if (is(s, name_end, "depth")) {
		uint64_t n = number(value, end);

		c->depth = n < 1 ? 1 : n > 65535 ? 65535 : (uint32_t)n;
	} else if (is(s, name_end, "mmap")) {
		c->mmap = !is(value, end, "0");
	} else if (is(s, name_end, "on-full")) {
		c->drop = (uint8_t)is(value, end, "drop");
	} else if (is(s, name_end, "max-disk")) {
		c->max_disk = number(value, end);
	} else if (is(s, name_end, "sample")) {
		c->sample = number(value, end);
	} else if (is(s, name_end, "unwind")) {
		c->unwind = is(value, end, "none")        ? HL_UNWIND_NONE
			    : is(value, end, "libunwind") ? HL_UNWIND_LIBUNWIND
			    : is(value, end, "check")     ? HL_UNWIND_CHECK
			    : is(value, end, "walk")      ? HL_UNWIND_WALK
							  : HL_UNWIND_CFI;
	} else if (is(s, name_end, "follow")) {
		c->follow_none = (uint8_t)is(value, end, "none");
		if (!c->follow_none && !is(value, end, "all")) {
			size_t n = 0;

			while (value < end && n + 1 < sizeof c->follow)
				c->follow[n++] = *value++;
			c->follow[n] = 0;
		}
	} else {
		c->unknown_options++;
	}
}

static void options(const char *s)
{
	hl_append(hl_guest.config.options, hl_guest.config.options + sizeof hl_guest.config.options, s);
	while (*s) {
		const char *end = s;

		while (*end && *end != ',')
			end++;
		if (end > s)
			option(s, end);
		s = *end ? end + 1 : end;
	}
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

void hl_config_read(char **envp)
{
	struct hl_guest *g = &hl_guest;
	char *end = g->output + sizeof g->output, *p = g->output;
	const char *v;

	g->config.depth = 64;
	g->config.max_disk = 4ull << 30;
	for (; envp && *envp; envp++) {
		if ((v = hl_after(*envp, "HEAPLEDGER_OPTIONS=")))
			options(v);
		else if ((v = hl_after(*envp, "HEAPLEDGER_REGION=")))
			hl_append(g->region_path, g->region_path + sizeof g->region_path, v);
		else if ((v = hl_after(*envp, "HEAPLEDGER_OUTPUT="))) {
			if (*v != '/' && *v) {
				hl_sys_getcwd(p, HL_PATH_MAX / 2);
				p = hl_append(p + hl_strlen(p), end, "/");
			}
			hl_append(p, end, v);
		} else if ((v = hl_after(*envp, "LD_PRELOAD=")))
			find_library(v);
	}
	g->config.room =
		g->config.depth > HL_ROOM_MIN || g->config.depth == 1 ? g->config.depth : HL_ROOM_MIN;
	hl_sys_readlink("/proc/self/exe", g->exe, sizeof g->exe);
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
