/*
 * baseline.c - keys of losses, their file, and the comparison.  Floor: analysis.
 */
#include "analyzer/analysis/baseline.h"
#include "analyzer/base/buf.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHAIN_BYTES 400
#define HEADER      "heapledger baseline 1"

/* What stands for one frame. */
struct link {
	const char *name;
	size_t bytes;
	int is_module;
};

/* Is it ".part.0" and the like, at the end or before the next of its kind? */
static int is_clone(const char *s)
{
	static const char *const numbered[] = {".constprop.", ".isra.", ".part.", ".lto_priv.", ".llvm."};

	if (!strncmp(s, " [clone ", 8))
		return 1;
	if (!strncmp(s, ".cold", 5) && (!s[5] || s[5] == '.'))
		return 1;
	for (size_t i = 0; i < sizeof(numbered) / sizeof(numbered[0]); i++) {
		size_t n = strlen(numbered[i]);

		if (!strncmp(s, numbered[i], n) && s[n] >= '0' && s[n] <= '9')
			return 1;
	}
	return 0;
}

/* The length of a name without what compilers append to the copies that they make. */
static size_t without_clone(const char *s)
{
	for (size_t i = 1; s[0] && s[i]; i++)
		if ((s[i] == '.' || s[i] == ' ') && is_clone(s + i))
			return i;
	return strlen(s);
}

static struct link link_of(const struct hl_names *names, uint32_t traceback)
{
	const struct hl_name_frame *f = hl_names_frame_at(names, hl_names_newest(names, traceback));
	const char *s, *slash;

	if (f->kind == HL_NAME_LINE || f->kind == HL_NAME_FUNCTION) {
		s = hl_names_string(names, f->function);
		if (*s)
			return (struct link){s, without_clone(s), 0};
	}
	s = f->kind == HL_NAME_UNKNOWN ? "?" : hl_names_string(names, f->module);
	slash = strrchr(s, '/');
	s = slash ? slash + 1 : s;
	return (struct link){s, strlen(s), 1};
}

static int is_same_module(const struct link *a, const struct link *b)
{
	return a->is_module && b->is_module && a->bytes == b->bytes && !memcmp(a->name, b->name, a->bytes);
}

/* The next link of the chain at *t, which moves behind it.  0: there is none. */
static int next_link(const struct hl_names *names, uint32_t *t, struct link *l)
{
	if (!*t)
		return 0;
	*l = link_of(names, *t);
	*t = hl_names_older(names, *t);
	while (*t) {
		struct link older = link_of(names, *t);

		if (!is_same_module(l, &older))
			break;
		*t = hl_names_older(names, *t);
	}
	return 1;
}

static uint64_t fnv(uint64_t h, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		h = (h ^ (uint8_t)s[i]) * 0x100000001b3ull;
	return h;
}

uint64_t hl_baseline_hash(const struct hl_names *names, uint32_t traceback)
{
	uint64_t h = 0xcbf29ce484222325ull;
	struct link l;

	while (next_link(names, &traceback, &l))
		h = fnv(fnv(h, l.name, l.bytes), "\n", 1);
	return h;
}

static void put_escaped(struct hl_buf *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t c = (uint8_t)s[i];
		char hex[5];

		if (c >= ' ' && c != 0x7f && c != '\\') {
			hl_buf_append(out, &c, 1);
			continue;
		}
		snprintf(hex, sizeof(hex), "\\x%02x", c);
		hl_buf_append(out, hex, 4);
	}
}

static char *chain_of(const struct hl_names *names, uint32_t traceback)
{
	struct hl_buf out = {0};
	int cut = hl_names_truncated(names, traceback);
	struct link l;

	while (next_link(names, &traceback, &l)) {
		if (out.len > CHAIN_BYTES) {
			cut = 1;
			break;
		}
		if (out.len)
			hl_buf_append(&out, " < ", 3);
		put_escaped(&out, l.name, l.bytes);
	}
	if (!out.len)
		hl_buf_append(&out, "?", 1);
	if (cut)
		hl_buf_append(&out, " < ...", 6);
	/* editors cut blanks off the ends of lines */
	if (out.data[out.len - 1] == ' ') {
		out.len--;
		hl_buf_append(&out, "\\x20", 4);
	}
	return hl_buf_string(&out);
}

static uint32_t find(const struct hl_baseline *b, enum hl_leak_kind kind, uint64_t hash)
{
	uint32_t id;

	for (size_t pos = 0;
	     (id = hl_idset_next(&b->keys, hl_mix(hash + (uint64_t)kind), &pos)) != HL_ID_NONE;)
		if (b->entry[id].hash == hash && b->entry[id].kind == kind)
			break;
	return id;
}

static struct hl_baseline_entry *add(struct hl_baseline *b, enum hl_leak_kind kind, uint64_t hash,
				     char *chain)
{
	struct hl_baseline_entry *e;

	b->entry = hl_grow(b->entry, &b->room, b->n + 1, sizeof(*b->entry));
	hl_idset_add(&b->keys, hl_mix(hash + (uint64_t)kind), (uint32_t)b->n);
	e = &b->entry[b->n++];
	*e = (struct hl_baseline_entry){.hash = hash, .kind = kind, .chain = chain};
	return e;
}

void hl_baseline_add(struct hl_baseline *b, enum hl_leak_kind kind, uint32_t traceback, uint64_t bytes,
		     uint64_t blocks, const struct hl_names *names)
{
	uint64_t hash = hl_baseline_hash(names, traceback);
	uint32_t id = find(b, kind, hash);
	struct hl_baseline_entry *e =
		id == HL_ID_NONE ? add(b, kind, hash, chain_of(names, traceback)) : &b->entry[id];
	/* several tracebacks have one hash: which one's chain is shown must not depend on their order */
	char *chain = id == HL_ID_NONE ? NULL : chain_of(names, traceback);

	if (chain && strcmp(chain, e->chain) < 0) {
		free(e->chain);
		e->chain = chain;
		chain = NULL;
	}
	free(chain);
	e->bytes += bytes;
	e->blocks += blocks;
}

void hl_baseline_release(struct hl_baseline *b)
{
	for (size_t i = 0; i < b->n; i++)
		free(b->entry[i].chain);
	free(b->entry);
	hl_idset_release(&b->keys);
	*b = (struct hl_baseline){0};
}

static int compare_entries(const void *va, const void *vb)
{
	const struct hl_baseline_entry *a = va, *b = vb;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	return (int)a->kind - (int)b->kind;
}

void hl_baseline_write(struct hl_baseline *b, struct hl_buf *out)
{
	if (b->n)
		qsort(b->entry, b->n, sizeof(*b->entry), compare_entries);
	hl_idset_release(&b->keys);
	b->keys = (struct hl_idset){0};
	hl_buf_append(out, HEADER "\n", sizeof(HEADER));
	for (size_t i = 0; i < b->n; i++) {
		const struct hl_baseline_entry *e = &b->entry[i];
		char numbers[96];
		int n = snprintf(numbers, sizeof(numbers), "%016" PRIx64 " %s %" PRIu64 " %" PRIu64 " ",
				 e->hash, hl_leak_kind_names[e->kind], e->bytes, e->blocks);

		hl_idset_add(&b->keys, hl_mix(e->hash + (uint64_t)e->kind), (uint32_t)i);
		hl_buf_append(out, numbers, (size_t)n);
		hl_buf_append(out, e->chain, strlen(e->chain));
		hl_buf_append(out, "\n", 1);
	}
}

/* A number and the blank behind it.  0: there is none. */
static int take_number(const char **s, const char *end, unsigned base, uint64_t *n)
{
	const char *p = *s;

	for (*n = 0; p < end && *p != ' '; p++) {
		const char *digits = "0123456789abcdef", *at = *p ? strchr(digits, *p) : NULL;

		if (!at || (unsigned)(at - digits) >= base || __builtin_mul_overflow(*n, base, n) ||
		    __builtin_add_overflow(*n, (uint64_t)(at - digits), n))
			return 0;
	}
	if (p == *s || p == end)
		return 0;
	*s = p + 1;
	return 1;
}

static int take_kind(const char **s, const char *end, enum hl_leak_kind *kind)
{
	for (unsigned k = 0; k < HL_LEAK_KINDS; k++) {
		size_t n = strlen(hl_leak_kind_names[k]);

		if ((size_t)(end - *s) > n && !memcmp(*s, hl_leak_kind_names[k], n) && (*s)[n] == ' ') {
			*kind = (enum hl_leak_kind)k;
			*s += n + 1;
			return 1;
		}
	}
	return 0;
}

static char *copy_bytes(const char *s, size_t n)
{
	char *copy = hl_xmalloc(n + 1);

	memcpy(copy, s, n);
	copy[n] = '\0';
	return copy;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* 0: the line is no entry. */
static int take_line(struct hl_baseline *b, const char *s, const char *end)
{
	struct hl_baseline_entry *e;
	enum hl_leak_kind kind;
	uint64_t hash, bytes, blocks;
	const char *from = s;
	uint32_t id;

	if (!take_number(&s, end, 16, &hash) || s - from != 17 || !take_kind(&s, end, &kind) ||
	    !take_number(&s, end, 10, &bytes) || !take_number(&s, end, 10, &blocks) || s == end ||
	    memchr(s, 0, (size_t)(end - s)))
		return 0;
	id = find(b, kind, hash);
	e = id == HL_ID_NONE ? add(b, kind, hash, copy_bytes(s, (size_t)(end - s))) : &b->entry[id];
	e->bytes = larger(e->bytes, bytes);
	e->blocks = larger(e->blocks, blocks);
	return 1;
}

static int take_lines(struct hl_baseline *b, const char *text, const char *end, const char *file,
		      struct hl_diag *d)
{
	unsigned number = 0;
	int headed = 0;

	while (text < end) {
		const char *eol = memchr(text, '\n', (size_t)(end - text)), *to = eol ? eol : end, *s = text;

		text = eol ? eol + 1 : end;
		number++;
		while (to > s && (to[-1] == '\r' || to[-1] == ' ' || to[-1] == '\t'))
			to--;
		if (s == to || *s == '#')
			continue;
		if (!headed) {
			headed = (size_t)(to - s) == sizeof(HEADER) - 1 &&
				 !memcmp(s, HEADER, sizeof(HEADER) - 1);
			if (!headed)
				return hl_fail(d, HL_ERR_FORMAT, "%s:%u: a baseline begins with \"%s\"", file,
					       number, HEADER);
			continue;
		}
		if (!take_line(b, s, to))
			return hl_fail(d, HL_ERR_FORMAT, "%s:%u: this is not HASH KIND BYTES BLOCKS CHAIN",
				       file, number);
	}
	return headed ? HL_OK
		      : hl_fail(d, HL_ERR_FORMAT, "%s:1: a baseline begins with \"%s\"", file, HEADER);
}

int hl_baseline_parse(struct hl_baseline *b, const char *text, size_t n, const char *file, struct hl_diag *d)
{
	struct hl_baseline read = {0};
	int err = n ? take_lines(&read, text, text + n, file, d)
		    : hl_fail(d, HL_ERR_FORMAT, "%s:1: a baseline begins with \"%s\"", file, HEADER);

	for (size_t i = 0; !err && i < read.n; i++) {
		struct hl_baseline_entry *e = &read.entry[i], *old;
		uint32_t id = find(b, e->kind, e->hash);

		if (id == HL_ID_NONE) {
			old = add(b, e->kind, e->hash, e->chain);
			e->chain = NULL;
		} else {
			old = &b->entry[id];
		}
		old->bytes = larger(old->bytes, e->bytes);
		old->blocks = larger(old->blocks, e->blocks);
	}
	hl_baseline_release(&read);
	return err;
}

const struct hl_baseline_entry *hl_baseline_find(const struct hl_baseline *b, enum hl_leak_kind kind,
						 uint64_t hash)
{
	uint32_t id = find(b, kind, hash);

	return id == HL_ID_NONE ? NULL : &b->entry[id];
}

enum hl_baseline_state hl_baseline_compare(const struct hl_baseline *was, const struct hl_baseline *now,
					   enum hl_leak_kind kind, uint64_t hash,
					   const struct hl_baseline_entry **old)
{
	const struct hl_baseline_entry *e = hl_baseline_find(now, kind, hash);

	*old = hl_baseline_find(was, kind, hash);
	if (!*old)
		return HL_BASELINE_NEW;
	if (e && (e->bytes > (*old)->bytes || e->blocks > (*old)->blocks))
		return HL_BASELINE_GROWN;
	return HL_BASELINE_KNOWN;
}

size_t hl_baseline_mark_fixed(struct hl_baseline *was, const struct hl_baseline *now, unsigned kinds)
{
	size_t n = 0;

	for (size_t i = 0; i < was->n; i++) {
		struct hl_baseline_entry *e = &was->entry[i];

		e->gone = (kinds >> e->kind & 1) && find(now, e->kind, e->hash) == HL_ID_NONE;
		n += (size_t)e->gone;
	}
	return n;
}
