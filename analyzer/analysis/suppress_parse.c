/*
 * suppress_parse.c - the two dialects of suppression files.  Floor: analysis.
 */
#include "analyzer/analysis/suppress_impl.h"
#include "analyzer/base/buf.h"
#include <stdlib.h>
#include <string.h>

enum dialect { UNDECIDED, LSAN, VALGRIND };

struct parser {
	struct hl_suppressions *s;
	struct hl_diag *d;
	const char *file, *at, *end;
	char *line; /* the current one, trimmed */
	size_t line_room;
	unsigned number;
	enum dialect dialect;
	/* of the next entry */
	uint64_t max_bytes, max_blocks;
	unsigned budget_line; /* 0: none */
};

static int fail(const struct parser *p, unsigned line, const char *what)
{
	return hl_fail(p->d, HL_ERR_FORMAT, "%s:%u: %s", p->file, line, what);
}

static int is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

/* "12", "64K"; 0 when it is no number.  *at: behind it. */
static int take_number(const char **at, uint64_t *n)
{
	static const char units[] = "KMG";
	const char *s = *at, *unit;

	*n = 0;
	if (*s < '0' || *s > '9')
		return 0;
	for (; *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(*n, 10u, n) || __builtin_add_overflow(*n, (uint64_t)(*s - '0'), n))
			return 0;
	unit = *s ? strchr(units, *s) : NULL;
	if (unit) {
		if (__builtin_mul_overflow(*n, 1ull << (10 * (unit - units + 1)), n))
			return 0;
		s++;
	}
	*at = s;
	return 1;
}

static int ends_word(char c)
{
	return !c || c == ',' || is_blank(c);
}

/* What is behind "# heapledger:". */
static int take_budget(struct parser *p, const char *s)
{
	uint64_t n;

	s += strspn(s, " \t");
	if (strncmp(s, "max=", 4))
		return fail(p, p->number, "after \"# heapledger:\" comes max=BYTES or max=N blocks");
	s += 4;
	do {
		const char *word;

		s += strspn(s, " \t,");
		if (!take_number(&s, &n))
			return fail(p, p->number, "max= wants a number, with K, M or G behind it at most");
		word = s + strspn(s, " \t");
		if (!strncmp(word, "blocks", 6) && ends_word(word[6])) {
			p->max_blocks = n;
			s = word + 6;
		} else if (!strncmp(word, "block", 5) && ends_word(word[5])) {
			p->max_blocks = n;
			s = word + 5;
		} else {
			p->max_bytes = n;
		}
		s += strspn(s, " \t");
	} while (*s == ',');
	p->budget_line = p->number;
	return *s ? fail(p, p->number, "max= wants N, N blocks, or both with a comma between") : HL_OK;
}

static int take_comment(struct parser *p)
{
	static const char ours[] = "heapledger:";
	const char *s = p->line;

	s += strspn(s, "# \t");
	return strncmp(s, ours, sizeof(ours) - 1) ? HL_OK : take_budget(p, s + sizeof(ours) - 1);
}

/* The next line that is neither blank nor a comment.  1, 0 at the end, or an error. */
static int next_line(struct parser *p)
{
	while (p->at < p->end) {
		const char *eol = memchr(p->at, '\n', (size_t)(p->end - p->at)), *from = p->at, *to;
		int err;

		to = eol ? eol : p->end;
		p->at = eol ? eol + 1 : p->end;
		p->number++;
		if (memchr(from, 0, (size_t)(to - from)))
			return fail(p, p->number, "a NUL byte: this is no text");
		while (from < to && is_blank(*from))
			from++;
		while (from < to && is_blank(to[-1]))
			to--;
		if (from == to)
			continue;
		p->line = hl_grow(p->line, &p->line_room, (size_t)(to - from) + 1, 1);
		memcpy(p->line, from, (size_t)(to - from));
		p->line[to - from] = '\0';
		if (*p->line != '#')
			return 1;
		err = take_comment(p);
		if (err)
			return err;
	}
	return 0;
}

static struct hl_supp *add_entry(struct parser *p)
{
	struct hl_suppressions *s = p->s;
	struct hl_supp *e;

	s->entry = hl_grow(s->entry, &s->room, s->n + 1, sizeof(*s->entry));
	e = &s->entry[s->n++];
	*e = (struct hl_supp){.text = hl_xstrdup(p->line),
			      .file = p->file,
			      .line = p->number,
			      .valgrind = p->dialect == VALGRIND,
			      .kinds = (1u << HL_LEAK_KINDS) - 1,
			      .first = (uint32_t)s->impl->nlines};
	return e;
}

/* The entry is complete: what comments said is its. */
static void close_entry(struct parser *p, struct hl_supp *e)
{
	e->n = (uint32_t)p->s->impl->nlines - e->first;
	e->max_bytes = p->max_bytes;
	e->max_blocks = p->max_blocks;
}

static void forget_budget(struct parser *p)
{
	p->max_bytes = p->max_blocks = UINT64_MAX;
	p->budget_line = 0;
}

static void add_line(struct parser *p, uint32_t pattern, uint32_t line)
{
	struct hl_supp_impl *impl = p->s->impl;

	impl->lines = hl_grow(impl->lines, &impl->lines_room, impl->nlines + 1, sizeof(*impl->lines));
	impl->lines[impl->nlines++] = (struct hl_supp_line){pattern, line};
}

static int take_leak(struct parser *p)
{
	struct hl_supp *e;

	if (*p->line == '{')
		return fail(p, p->number, "a block of valgrind's dialect in a file of LeakSanitizer's");
	if (strncmp(p->line, "leak:", 5))
		return fail(p, p->number, "a line of LeakSanitizer's dialect is leak:PATTERN");
	e = add_entry(p);
	add_line(p, hl_supp_pattern(p->s->impl, HL_SUPP_ANY, p->line + 5), 0);
	close_entry(p, e);
	forget_budget(p);
	return HL_OK;
}

/* "definite,possible", "all", "none" to bits. */
static int take_kinds(struct parser *p, const char *s, unsigned *kinds)
{
	static const char blanks[] = " \t";

	*kinds = 0;
	do {
		size_t n, i = 0;

		s += strspn(s, blanks);
		n = strcspn(s, ", \t");
		while (i < HL_LEAK_KINDS &&
		       (strlen(hl_leak_kind_names[i]) != n || memcmp(hl_leak_kind_names[i], s, n)))
			i++;
		if (i < HL_LEAK_KINDS)
			*kinds |= 1u << i;
		else if (n == 3 && !memcmp(s, "all", 3))
			*kinds |= (1u << HL_LEAK_KINDS) - 1;
		else if (n != 4 || memcmp(s, "none", 4))
			break;
		s += n;
		s += strspn(s, blanks);
		if (!*s)
			return HL_OK;
	} while (*s++ == ',');
	return fail(p, p->number, "leak kinds are definite, indirect, possible, reachable, all, none");
}

/* FILE:LINE; without a number there the line is any, as valgrind has it. */
static void take_source(struct parser *p, char *s)
{
	char *colon = strchr(s, ':');
	uint64_t line = 0;

	if (colon) {
		const char *digits = colon + 1;

		*colon = '\0';
		if (!take_number(&digits, &line) || line > UINT32_MAX)
			line = 0;
	}
	add_line(p, hl_supp_pattern(p->s->impl, HL_SUPP_SRC, s), (uint32_t)line);
}

static int take_frame(struct parser *p)
{
	struct hl_supp_impl *impl = p->s->impl;
	char *s = p->line;

	if (!strncmp(s, "fun:", 4))
		add_line(p, hl_supp_pattern(impl, HL_SUPP_FUN, s + 4), 0);
	else if (!strncmp(s, "obj:", 4))
		add_line(p, hl_supp_pattern(impl, HL_SUPP_OBJ, s + 4), 0);
	else if (!strncmp(s, "src:", 4))
		take_source(p, s + 4);
	else if (!strcmp(s, "..."))
		add_line(p, HL_ID_NONE, 0);
	else
		return fail(p, p->number, "a frame is fun:NAME, obj:PATH, src:FILE or ...");
	return HL_OK;
}

/* Behind the line with the tool, up to the `}`. */
static int take_frames(struct parser *p, struct hl_supp *e)
{
	static const char kinds[] = "match-leak-kinds:";
	int known = 0, first = 1, got;

	for (; (got = next_line(p)) > 0 && strcmp(p->line, "}"); first = 0) {
		int err = first && !strncmp(p->line, kinds, sizeof(kinds) - 1)
				  ? take_kinds(p, p->line + sizeof(kinds) - 1, &e->kinds)
				  : take_frame(p);

		if (err)
			return err;
		if (p->s->impl->nlines > e->first)
			known |= p->s->impl->lines[p->s->impl->nlines - 1].pattern != HL_ID_NONE;
	}
	if (got < 0)
		return got;
	if (!got)
		return fail(p, e->line, "the file ends before the } of this block");
	if (!known)
		return fail(p, e->line, "a block needs a frame that is not ...");
	return HL_OK;
}

/* "Memcheck,Other:Leak". */
static int is_leak_of_memcheck(const char *line, const char *colon)
{
	static const char tool[] = "Memcheck";
	size_t n = sizeof(tool) - 1;

	if (strcmp(colon + 1, "Leak"))
		return 0;
	for (const char *s = line; s < colon; s += strcspn(s, ",:") + 1)
		if (!strncmp(s, tool, n) && (s[n] == ',' || s + n == colon))
			return 1;
	return 0;
}

static int skip_block(struct parser *p, unsigned line)
{
	int got;

	do
		got = next_line(p);
	while (got > 0 && strcmp(p->line, "}"));
	p->s->skipped++;
	return got > 0 ? HL_OK : got ? got : fail(p, line, "the file ends before the } of this block");
}

static int take_block(struct parser *p)
{
	unsigned open = p->number;
	struct hl_supp *e;
	const char *colon;
	int got;

	if (!strncmp(p->line, "leak:", 5))
		return fail(p, p->number, "a line of LeakSanitizer's dialect in a file of valgrind's");
	if (strcmp(p->line, "{"))
		return fail(p, p->number, "a block begins with a line that is {");
	got = next_line(p);
	if (got < 0)
		return got;
	if (!got || !strcmp(p->line, "}"))
		return fail(p, p->number, "a block begins with its name");
	e = add_entry(p);
	got = next_line(p);
	if (got < 0)
		return got;
	colon = got ? strchr(p->line, ':') : NULL;
	if (!colon)
		return fail(p, got ? p->number : open, "behind the name of a block comes TOOL:KIND");
	if (is_leak_of_memcheck(p->line, colon)) {
		got = take_frames(p, e);
		close_entry(p, e);
	} else {
		free(e->text);
		p->s->n--;
		got = skip_block(p, open);
	}
	forget_budget(p);
	return got;
}

static int take_all(struct parser *p)
{
	int got;

	while ((got = next_line(p)) > 0) {
		int err;

		if (p->dialect == UNDECIDED)
			p->dialect = *p->line == '{' ? VALGRIND : LSAN;
		err = p->dialect == VALGRIND ? take_block(p) : take_leak(p);
		if (err)
			return err;
	}
	if (!got && p->budget_line)
		return fail(p, p->budget_line, "no entry follows this budget");
	return got;
}

int hl_suppressions_parse(struct hl_suppressions *s, const char *text, size_t n, const char *file,
			  struct hl_diag *d)
{
	struct parser p = {.s = s, .d = d, .at = text, .end = text + n};
	size_t entries = s->n, lines;
	uint64_t skipped = s->skipped;
	int err;

	if (!s->impl)
		s->impl = hl_xcalloc(1, sizeof(*s->impl));
	lines = s->impl->nlines;
	s->impl->files =
		hl_grow(s->impl->files, &s->impl->files_room, s->impl->nfiles + 1, sizeof(*s->impl->files));
	p.file = s->impl->files[s->impl->nfiles++] = hl_xstrdup(file);
	forget_budget(&p);
	err = take_all(&p);
	if (err) {
		while (s->n > entries)
			free(s->entry[--s->n].text);
		s->impl->nlines = lines;
		s->skipped = skipped;
	}
	free(p.line);
	hl_supp_forget(s->impl);
	return err;
}
