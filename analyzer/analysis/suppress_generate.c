/*
 * suppress_generate.c - entries for a loss, to be pasted into a file.  Floor: analysis.
 */
#include "analyzer/analysis/suppress_impl.h"
#include "analyzer/base/buf.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES_MAX 24

static void put(struct hl_buf *out, const char *s)
{
	hl_buf_append(out, s, strlen(s));
}

static int is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static int has_function(const struct hl_name_frame *f)
{
	return f->kind == HL_NAME_LINE || f->kind == HL_NAME_FUNCTION;
}

/* A name that linkers have as it is.  Both dialects cut blanks off the ends. */
static int is_plain(const char *s)
{
	size_t n = 0;

	while (is_word(s[n]) || (n && s[n] && strchr(".@", s[n])))
		n++;
	return n && !s[n];
}

/* Where what is opened at s is closed; its end when it is not. */
static const char *closing(const char *s)
{
	int depth = 0;

	for (; *s; s++) {
		depth += (*s == '(' || *s == '<' || *s == '[' || *s == '{');
		depth -= (*s == ')' || *s == '>' || *s == ']' || *s == '}');
		if (!depth)
			return s + 1;
	}
	return s;
}

/* The qualified name alone: "A*f" of "int A<int>::f(B) const".  0: there is no identifier in it.  The mangled name
 * spells a class once, so a constructor's is not repeated; of an operator nothing is spelled. */
static int put_identifiers(struct hl_buf *out, const char *s)
{
	size_t start = out->len, had = 0, had_bytes = 0;

	for (const char *p = s; *p;) {
		size_t n = 0;

		while (is_word(p[n]))
			n++;
		if (!n) {
			/* behind the name come the parameters; a return type before it ends in a blank */
			if (*p == '(' && strncmp(p, "(anonymous namespace)", 21) && out->len > start)
				break;
			if (*p == ' ')
				out->len = start, had_bytes = 0;
			p = *p == '(' || *p == '<' || *p == '[' || *p == '{' ? closing(p) : p + 1;
			continue;
		}
		if (n == 8 && !memcmp(p, "operator", n))
			break;
		if (!isdigit((unsigned char)*p) && (n != had_bytes || memcmp(out->data + had, p, n))) {
			put(out, "*");
			had = out->len;
			had_bytes = n;
			hl_buf_append(out, p, n);
		}
		p += n;
	}
	if (out->len == start)
		return 0;
	put(out, "*");
	return 1;
}

/* A path, where only what ends a line or is cut off its ends needs a stand-in. */
static void put_path(struct hl_buf *out, const char *s)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++) {
		int edge = i == 0 || i == n - 1;

		if (s[i] == '\n' || (edge && isspace((unsigned char)s[i])) || s[i] == '\\')
			put(out, "?");
		else
			hl_buf_append(out, s + i, 1);
	}
}

/* 1: the line says something. */
static int put_frame(struct hl_buf *out, const struct hl_name_frame *f, const struct hl_names *names)
{
	const char *function = hl_names_string(names, f->function);
	size_t mark = out->len;

	if (has_function(f)) {
		put(out, "   fun:");
		if (is_plain(function)) {
			put(out, function);
			put(out, "\n");
			return 1;
		}
		if (put_identifiers(out, function)) {
			put(out, "\n");
			return 1;
		}
		out->len = mark;
	}
	put(out, "   obj:");
	if (f->kind == HL_NAME_UNKNOWN || !*hl_names_string(names, f->module)) {
		put(out, "*\n");
		return 0;
	}
	put_path(out, hl_names_string(names, f->module));
	put(out, "\n");
	return 1;
}

static int put_nothing(struct hl_buf *out)
{
	put(out, "# no frame of this loss is known: an entry would hide all others like it\n");
	return 0;
}

int hl_suppressions_generate_valgrind(struct hl_buf *out, enum hl_leak_kind kind, unsigned entry,
				      uint32_t traceback, const struct hl_names *names)
{
	const char *const *allocator = hl_supp_entry_names(entry);
	size_t mark = out->len;
	int lines = 0, known = 0, to_main = 0, cut;

	put(out, "{\n   <name this suppression>\n   Memcheck:Leak\n   match-leak-kinds: ");
	put(out, hl_leak_kind_names[kind]);
	put(out, "\n");
	if (*allocator) {
		put(out, "   fun:");
		put(out, *allocator);
		/* of operator new any kind */
		put(out, strncmp(*allocator, "_Zn", 3) ? "\n" : "*\n");
		lines++;
	}
	for (uint32_t t = traceback; t && lines < FRAMES_MAX; t = hl_names_older(names, t), lines++) {
		const struct hl_name_frame *f = hl_names_frame_at(names, hl_names_newest(names, t));

		known |= put_frame(out, f, names);
		/* valgrind has no frames below it (--show-below-main=no) */
		if (has_function(f) && !strcmp(hl_names_string(names, f->function), "main")) {
			to_main = 1;
			break;
		}
	}
	cut = !to_main && lines < FRAMES_MAX && hl_names_truncated(names, traceback);
	put(out, cut ? "   ...\n}\n" : "}\n");
	if (known)
		return 1;
	out->len = mark;
	return put_nothing(out);
}

static int starts(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

/* Does the function hand out memory for others, so that its name says nothing of whose loss it is? */
static int is_wrapper(const char *function, const char *module)
{
	static const char *const modules[] = {"libc.so", "libc-",        "libc.musl", "ld-linux",
					      "ld-musl", "libstdc++.so", "libc++.so", "libm.so",
					      "libm-",   "libgcc_s.so",  "libdl.so",  "libpthread.so"};
	static const char *const prefixes[] = {"std::", "__gnu_cxx::", "operator new",
					       "void* std::", "void std::"};
	static const char *const names[] = {"malloc",         "calloc",      "realloc",     "reallocarray",
					    "memdup",         "strdup",      "strndup",     "asprintf",
					    "vasprintf",      "zalloc",      "memalign",    "malloc_n",
					    "nmalloc",        "nrealloc",    "malloc0",     "malloc0_n",
					    "try_malloc",     "try_malloc0", "try_realloc", "strdup_printf",
					    "strdup_vprintf", "strconcat",   "slice_alloc", "slice_alloc0"};
	const char *base = strrchr(module, '/');

	base = base ? base + 1 : module;
	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++)
		if (starts(base, modules[i]))
			return 1;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (starts(function, prefixes[i]))
			return 1;
	/* xmalloc, x_malloc, safe_malloc, g_malloc */
	function += starts(function, "x")       ? 1
		    : starts(function, "g_")    ? 2
		    : starts(function, "safe_") ? 5
						: 0;
	function += *function == '_';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(function, names[i]))
			return 1;
	return 0;
}

/* `$` would be the end, `^` the start, blanks at the end are cut off. */
static void put_lsan(struct hl_buf *out, const char *s)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++) {
		int odd = s[i] == '$' || s[i] == '\n' || (i == 0 && s[i] == '^') ||
			  (i == n - 1 && isspace((unsigned char)s[i]));

		if (odd)
			put(out, "*");
		else
			hl_buf_append(out, s + i, 1);
	}
}

int hl_suppressions_generate_lsan(struct hl_buf *out, uint32_t traceback, const struct hl_names *names)
{
	const struct hl_name_frame *newest = NULL, *best = NULL, *f;
	const char *s;

	for (uint32_t t = traceback; t && !best; t = hl_names_older(names, t)) {
		f = hl_names_frame_at(names, hl_names_newest(names, t));
		if (f->kind == HL_NAME_UNKNOWN ||
		    !*hl_names_string(names, has_function(f) ? f->function : f->module))
			continue;
		newest = newest ? newest : f;
		if (!is_wrapper(has_function(f) ? hl_names_string(names, f->function) : "",
				hl_names_string(names, f->module)))
			best = f;
	}
	best = best ? best : newest;
	if (!best)
		return put_nothing(out);
	s = hl_names_string(names, has_function(best) ? best->function : best->module);
	put(out, "leak:");
	if (has_function(best) && is_plain(s)) {
		put(out, "^");
		put(out, s);
		put(out, "$\n");
		return 1;
	}
	if (!has_function(best) && strrchr(s, '/') && strrchr(s, '/')[1])
		s = strrchr(s, '/') + 1;
	put_lsan(out, s);
	put(out, "\n");
	return 1;
}
