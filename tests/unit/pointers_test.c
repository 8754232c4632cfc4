/*
 * pointers_test.c - pointer images: records made by hand come back, and damage is never taken for words.
 */
#include "analyzer/input/image_words.h"
#include "tests/unit/tracefile.h"
#include "heapledger/tracefile.h"
#include <string.h>

static struct encode enc;

/* ---- words, coded without the library's coder ---- */

struct coder {
	uint8_t bits[512], tokens[4096], nibbles[4096]; /* a nibble a byte */
	unsigned n;
	size_t ntokens, nnibbles;
	uint64_t slot, previous;
};

static void code_begin(struct coder *c)
{
	*c = (struct coder){.slot = (uint64_t)-8};
}

static void put_nibbles(struct coder *c, uint64_t v, unsigned n)
{
	for (; n--; v >>= 4)
		c->nibbles[c->nnibbles++] = v & 15;
}

static void put_number(struct coder *c, uint64_t v)
{
	for (; v >= 8; v >>= 3)
		put_nibbles(c, (v & 7) | 8, 1);
	put_nibbles(c, v, 1);
}

/* Each says its token itself. */
static void put_token(struct coder *c, uint64_t slot, unsigned how)
{
	uint64_t gap = (slot - c->slot) / 8 - 1;
	unsigned token = (gap < 15 ? (unsigned)gap : 15) | how;

	c->slot = slot;
	c->n++;
	c->tokens[c->ntokens++] = (uint8_t)token;
	c->tokens[c->ntokens++] = (uint8_t)(token >> 8);
	if (gap >= 15)
		put_number(c, gap);
}

static void code(struct coder *c, uint64_t slot, uint64_t value, unsigned base, int64_t b8, int64_t b24)
{
	uint64_t from = base == HL_WORD_SLOT ? slot : c->previous;
	uint64_t z = hl_zigzag((int64_t)((value >> 4) - (from >> 4)));
	unsigned odd = value % 16, width = 0;

	while (z >> (4 * width))
		width++;
	put_token(c, slot, base << 4 | (odd ? HL_WORD_ODD : 0) | width << 7);
	if (odd)
		put_nibbles(c, odd, 1);
	put_nibbles(c, z, width);
	if (odd == 8) {
		put_number(c, (uint64_t)(b8 + 1));
		put_number(c, (uint64_t)(b24 + 1));
	}
	c->previous = value;
}

static void code_cached(struct coder *c, uint64_t slot, uint64_t value)
{
	put_token(c, slot, HL_WORD_CACHED << 4);
	put_nibbles(c, hl_word_slot(value), 2);
}

static size_t payload_of(const struct coder *c, uint8_t *out)
{
	uint8_t *p = hl_put_uv(hl_put_uv(out, c->n), c->ntokens);

	memcpy(p, c->bits, (c->n + 7) / 8);
	p += (c->n + 7) / 8;
	memcpy(p, c->tokens, c->ntokens);
	p += c->ntokens;
	for (size_t i = 0; i < c->nnibbles; i += 2)
		*p++ = (uint8_t)(c->nibbles[i] | (i + 1 < c->nnibbles ? c->nibbles[i + 1] << 4 : 0));
	return (size_t)(p - out);
}

static void put_words(const struct coder *c)
{
	size_t at = encode_fact(&enc, HL_FACT_IMAGE_WORDS);

	enc.n += payload_of(c, enc.data + enc.n);
	encode_fact_end(&enc, at);
}

static void put_map(uint64_t start, uint64_t end, unsigned flags, const char *name)
{
	size_t at = encode_fact(&enc, HL_FACT_IMAGE_MAP);

	encode_uv(&enc, start);
	encode_uv(&enc, end);
	encode_uv(&enc, flags);
	encode_string(&enc, name, strlen(name));
	encode_fact_end(&enc, at);
}

static void put_begin(uint64_t number)
{
	ENCODE_NUMBERS(&enc, HL_FACT_IMAGE_BEGIN, number, 1001, HL_IMAGE_AT_EXIT);
	ENCODE_NUMBERS(&enc, HL_FACT_IMAGE_REGS, 1001, HL_IMAGE_EXITING, 0x7ff000, 0x7000, 0);
	ENCODE_NUMBERS(&enc, HL_FACT_IMAGE_REGS, 1002, HL_IMAGE_PARKED, 0x7fe000, 0x6000, 2, 0x1000, 0x1018);
}

static void put_end(uint64_t number, uint64_t nwords)
{
	put_map(0x1000, 0x9000, HL_IMAGE_MAP_WRITE | HL_IMAGE_MAP_SCANNED, "[heap]");
	put_map(0x700000, 0x800000, HL_IMAGE_MAP_WRITE, "");
	ENCODE_NUMBERS(&enc, HL_FACT_IMAGE_END, number, 555, nwords, 2, 2);
}

/* What words() was given. */
static struct hl_image_word got[64];
static size_t ngot;

static void keep(void *ctx, const struct hl_image_word *w)
{
	ck_assert_ptr_eq(ctx, got);
	ck_assert_uint_eq(w->slot % 8, 0);
	ck_assert(!ngot || ngot > 64 || w->slot > got[ngot - 1].slot);
	if (ngot < 64)
		got[ngot++] = *w;
}

static int words_of(struct hl_trace *t, const struct hl_image_at *im, struct hl_diag *d)
{
	*d = (struct hl_diag){0};
	ngot = 0;
	return hl_image_words(t, im, keep, got, d);
}

static void is_word(size_t i, uint64_t slot, uint64_t value, int64_t b8, int64_t b24)
{
	ck_assert_uint_eq(got[i].slot, slot);
	ck_assert_uint_eq(got[i].value, value);
	ck_assert_int_eq(got[i].before8, b8);
	ck_assert_int_eq(got[i].before24, b24);
}

/* Two claims, nine words. */
static void put_image(struct hl_writer *w, uint32_t number)
{
	struct coder c;

	encode_start(&enc, 500);
	put_begin(number);
	code_begin(&c);
	code(&c, 0x1000, 0x2010, HL_WORD_PREVIOUS, -1, -1);
	code(&c, 0x1008, 0x1000, HL_WORD_SLOT, -1, -1);
	code(&c, 0x1010, 0x3018, HL_WORD_SLOT, 7, 0xffffffff);
	code_cached(&c, 0x1050, 0x2010);
	code_cached(&c, 0x1058, 0x3018);
	code(&c, 0x2000, 0x1003, HL_WORD_PREVIOUS, -1, -1);
	put_words(&c);
	add_claim(w, &enc, HL_STREAM_IMAGE(number), 0);
	encode_start(&enc, 501);
	code_begin(&c);
	code(&c, 0x2008, 0x7fffffffeff0, HL_WORD_PREVIOUS, -1, -1);
	code(&c, 0x7fffffffeff8, 0x1028, HL_WORD_SLOT, -1, 0);
	code_cached(&c, 0x7ffffffff000, 0x7fffffffeff0);
	put_words(&c);
	put_end(number, 9);
	add_claim(w, &enc, HL_STREAM_IMAGE(number), 1);
}

static void load(struct hl_trace **t, struct hl_images *images, const char *name)
{
	struct hl_diag d = {0};

	*t = open_trace(name);
	ck_assert_int_eq(hl_images_load(images, *t, &d), HL_OK);
}

static void unload(struct hl_trace *t, struct hl_images *images)
{
	hl_images_release(images);
	hl_trace_close(t);
}

START_TEST(an_image_comes_back_with_its_maps_threads_and_words)
{
	struct hl_writer *w = make_trace("t.hl", 1);
	struct hl_images images;
	struct hl_trace *t;
	struct hl_diag d;

	put_image(w, 2);
	put_image(w, 1);
	finish(w);
	load(&t, &images, "t.hl");
	ck_assert_uint_eq(images.n, 2);
	for (unsigned i = 0; i < 2; i++) {
		const struct hl_image_at *im = &images.image[i];

		ck_assert_uint_eq(im->number, i + 1);
		ck_assert_uint_eq(im->tid, 1001);
		ck_assert_uint_eq(im->flags, HL_IMAGE_AT_EXIT);
		ck_assert_uint_eq(im->stamp, 555);
		ck_assert_uint_eq(im->nwords, 9);
		ck_assert_uint_eq(im->nmaps, 2);
		ck_assert_uint_eq(im->maps[0].start, 0x1000);
		ck_assert_uint_eq(im->maps[0].end, 0x9000);
		ck_assert_uint_eq(im->maps[0].flags, 9);
		ck_assert_str_eq(im->maps[0].name, "[heap]");
		ck_assert_str_eq(im->maps[1].name, "");
		ck_assert_uint_eq(im->nthreads, 2);
		ck_assert_int_eq(im->threads[1].how, HL_IMAGE_PARKED);
		ck_assert_uint_eq(im->threads[1].sp, 0x7fe000);
		ck_assert_uint_eq(im->threads[1].nwords, 2);
		ck_assert_uint_eq(im->threads[1].words[1], 0x1018);
		ck_assert_str_eq(hl_image_tier(im), "exact");
		ck_assert_int_eq(words_of(t, im, &d), HL_OK);
		ck_assert_uint_eq(ngot, 9);
		is_word(0, 0x1000, 0x2010, -1, -1);
		is_word(1, 0x1008, 0x1000, -1, -1);
		is_word(2, 0x1010, 0x3018, 7, 0xffffffff);
		is_word(3, 0x1050, 0x2010, -1, -1);
		is_word(4, 0x1058, 0x3018, 7, 0xffffffff);
		is_word(5, 0x2000, 0x1003, -1, -1);
		is_word(6, 0x2008, 0x7fffffffeff0, -1, -1);
		is_word(7, 0x7fffffffeff8, 0x1028, -1, 0);
		is_word(8, 0x7ffffffff000, 0x7fffffffeff0, -1, -1);
	}
	unload(t, &images);
}
END_TEST

START_TEST(an_image_that_was_given_up_is_none)
{
	struct hl_writer *w = make_trace("t.hl", 1);
	struct hl_images images;
	struct hl_trace *t;

	encode_start(&enc, 500);
	put_begin(1);
	add_claim(w, &enc, HL_STREAM_IMAGE(1), 0);
	encode_start(&enc, 500);
	put_begin(2);
	put_map(0x1000, 0x2000, 0, "");
	ENCODE_NUMBERS(&enc, HL_FACT_IMAGE_END, 2, 555, 0, 2, 2); /* one of its maps is missing */
	add_claim(w, &enc, HL_STREAM_IMAGE(2), 0);
	encode_start(&enc, 500);
	put_begin(4);
	put_end(4, 0);
	add_claim(w, &enc, HL_STREAM_IMAGE(3), 0); /* of another number */
	encode_start(&enc, 500);
	put_end(5, 0);
	add_claim(w, &enc, HL_STREAM_IMAGE(5), 0); /* without a beginning */
	encode_start(&enc, 500);
	put_begin(6);
	put_map(0x3000, 0x4000, 0, "");
	put_end(6, 0); /* maps overlap */
	add_claim(w, &enc, HL_STREAM_IMAGE(6), 0);
	finish(w);
	load(&t, &images, "t.hl");
	ck_assert_uint_eq(images.n, 0);
	unload(t, &images);
}
END_TEST

START_TEST(words_that_are_not_all_there_are_told)
{
	struct hl_writer *w = make_trace("t.hl", 1);
	struct hl_images images;
	struct hl_trace *t;
	struct coder c;
	struct hl_diag d;

	code_begin(&c);
	code(&c, 0x1000, 0x2010, HL_WORD_PREVIOUS, -1, -1);
	for (uint32_t claim = 0; claim < 3; claim++) {
		encode_start(&enc, 500 + claim);
		if (claim == 0)
			put_begin(1);
		if (claim == 2)
			put_end(1, 1);
		if (claim != 1)
			add_claim(w, &enc, HL_STREAM_IMAGE(1), claim); /* the one with the word was lost */
	}
	encode_start(&enc, 500);
	put_begin(2);
	put_words(&c);
	put_end(2, 2); /* it says there are two */
	add_claim(w, &enc, HL_STREAM_IMAGE(2), 0);
	finish(w);
	load(&t, &images, "t.hl");
	ck_assert_uint_eq(images.n, 2);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(words_of(t, &images.image[i], &d), HL_ERR_FORMAT);
		ck_assert_ptr_null(strchr(d.text, '\n'));
	}
	unload(t, &images);
}
END_TEST

/* ---- the library's coder against the reader ---- */

struct wanted {
	uint64_t slot, value, b8, b24;
};
static struct wanted wanted[HL_WORDS_MAX];

static void compare(void *ctx, const struct hl_image_word *w)
{
	size_t *i = ctx;
	const struct wanted *x = &wanted[(*i)++];

	ck_assert_uint_eq(w->slot, x->slot);
	ck_assert_uint_eq(w->value, x->value);
	if (w->value % 16 == 8) {
		ck_assert_int_eq(w->before8, (int64_t)x->b8 - 1);
		ck_assert_int_eq(w->before24, (int64_t)x->b24 - 1);
	}
}

static uint64_t any(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

static uint64_t any_value(uint64_t *x, uint64_t slot)
{
	switch (any(x) % 8) {
	case 0:
		return 0x7f0000000000 + any(x) % 50 * 32; /* comes again */
	case 1:
		return any(x) >> 17;
	case 2:
		return slot + 56;
	case 3:
		return 0x550000000008 + any(x) % 100000 * 16;
	default:
		return 0x550000000000 + any(x) % (1u << 26) * 16;
	}
}

/* Code n words; bytes of the payload. */
static size_t round_trip(uint64_t seed, uint32_t n)
{
	static struct hl_word_writer w;
	static struct hl_word_reader r;
	static uint8_t payload[1 << 20];
	size_t i = 0, nn;
	uint64_t slot = 0x1000;
	const char *what = NULL;
	uint8_t *p;

	hl_word_begin(&w);
	for (uint32_t k = 0; k < n && hl_word_bytes(&w) < 32000; k++) {
		slot += any(&seed) % 4    ? 8
			: any(&seed) % 64 ? 8 * (1 + any(&seed) % 30)
					  : (any(&seed) >> 20) & ~7ull;
		wanted[k] = (struct wanted){slot, any_value(&seed, slot), any(&seed) % 5, any(&seed) >> 32};
		if (k && wanted[k].value % 16 == 8)
			for (uint32_t b = k; b-- > 0;)
				if (wanted[b].value == wanted[k].value) { /* memory says the same each time */
					wanted[k].b8 = wanted[b].b8;
					wanted[k].b24 = wanted[b].b24;
					break;
				}
		if (hl_word_put(&w, slot, wanted[k].value)) {
			hl_word_put_number(&w, wanted[k].b8);
			hl_word_put_number(&w, wanted[k].b24);
		}
	}
	p = hl_put_uv(hl_put_uv(payload, w.n), (uint64_t)(w.token_at - w.tokens));
	memcpy(p, w.bits, (w.n + 7) / 8);
	p += (w.n + 7) / 8;
	memcpy(p, w.tokens, (size_t)(w.token_at - w.tokens));
	p += w.token_at - w.tokens;
	nn = hl_word_end(&w);
	memcpy(p, w.nibbles, nn);
	p += nn;
	r = (struct hl_word_reader){.word = compare, .ctx = &i};
	ck_assert_msg(hl_words_decode(&r, payload, (size_t)(p - payload), &what), "%s", what);
	ck_assert_uint_eq(i, w.n);
	ck_assert_uint_le((size_t)(p - payload), hl_word_bytes(&w) + 16);
	return (size_t)(p - payload);
}

START_TEST(what_the_library_codes_is_read_back)
{
	for (uint64_t seed = 1; seed < 40; seed++)
		round_trip(seed * 0x9e3779b97f4a7c15ull, seed < 20 ? (uint32_t)seed : 3000);
}
END_TEST

/* The coding of a trace that was written is the coding of one that is read. */
START_TEST(the_librarys_coding_stays_as_it_is)
{
	static struct hl_word_writer w;

	hl_word_begin(&w);
	ck_assert(!hl_word_put(&w, 0x1000, 0x2010));
	ck_assert(hl_word_put(&w, 0x1008, 0x3018));
	hl_word_put_number(&w, 9);
	hl_word_put_number(&w, 0);
	ck_assert(!hl_word_put(&w, 0x1010, 0x2010));
	ck_assert_uint_eq(w.n, 3);
	ck_assert_uint_eq(w.bits[0], 0);
	ck_assert_mem_eq(w.tokens, "\x8f\x01\xc0\x01\x20\x00", 6);
	ck_assert_uint_eq(hl_word_end(&w), 8);
	/* 512 as 0 0 0 1, 0x402; 8, 0x200, 9 as 1 1, 0; 0x1a */
	ck_assert_mem_eq(w.nibbles, "\x88\x18\x02\x84\x00\x92\x01\x1a", 8);
}
END_TEST

/* One record of words, given as bytes; its result. */
static int words_from(const char *name, const uint8_t *payload, size_t n, uint64_t nwords)
{
	struct hl_writer *w = make_trace(name, 1);
	struct hl_images images;
	struct hl_trace *t;
	struct hl_diag d;
	size_t at;
	int err;

	encode_start(&enc, 500);
	put_begin(1);
	at = encode_fact(&enc, HL_FACT_IMAGE_WORDS);
	memcpy(enc.data + enc.n, payload, n);
	enc.n += n;
	encode_fact_end(&enc, at);
	put_end(1, nwords);
	add_claim(w, &enc, HL_STREAM_IMAGE(1), 0);
	finish(w);
	load(&t, &images, name);
	ck_assert_uint_eq(images.n, 1);
	err = words_of(t, &images.image[0], &d);
	unload(t, &images);
	unlink(in_dir(name));
	return err;
}

START_TEST(words_that_are_cut_or_changed_are_told_or_still_in_order)
{
	uint8_t payload[128], changed[128];
	struct coder c;
	size_t n;

	code_begin(&c);
	code(&c, 0x1000, 0x2010, HL_WORD_PREVIOUS, -1, -1);
	code(&c, 0x1010, 0x3018, HL_WORD_SLOT, 7, 300);
	code_cached(&c, 0x1050, 0x2010);
	n = payload_of(&c, payload);
	ck_assert_int_eq(words_from("whole.hl", payload, n, 3), HL_OK);
	for (size_t cut = 0; cut < n; cut++)
		ck_assert_int_eq(words_from("cut.hl", payload, cut, 3), HL_ERR_FORMAT);
	payload[n] = 0;
	ck_assert_int_eq(words_from("more.hl", payload, n + 1, 3), HL_ERR_FORMAT);
	/* keep() looks at what comes of it */
	for (size_t bit = 0; bit < n * 8; bit++) {
		memcpy(changed, payload, n);
		changed[bit / 8] ^= (uint8_t)(1 << bit % 8);
		words_from("changed.hl", changed, n, 3);
	}
}
END_TEST

START_TEST(slots_never_go_back_or_out_of_the_address_space)
{
	static const uint64_t gaps[] = {UINT64_MAX >> 3, (UINT64_MAX >> 3) - 1, (UINT64_MAX >> 3) - 0x1000};
	uint8_t payload[128];
	struct coder c;

	for (size_t i = 0; i < sizeof(gaps) / sizeof(*gaps); i++) {
		code_begin(&c);
		code_cached(&c, 0x2000, 0x2010);
		c.slot = (uint64_t)-8;
		code_cached(&c, gaps[i] << 3, 0x2010);
		ck_assert_int_eq(words_from("far.hl", payload, payload_of(&c, payload), 2),
				 gaps[i] + 0x2008 / 8 < UINT64_MAX >> 3 ? HL_OK : HL_ERR_FORMAT);
	}
}
END_TEST

START_TEST(a_damaged_block_makes_its_image_no_image_and_spoils_no_event)
{
	struct hl_writer *w = make_trace("t.hl", 1);
	struct hl_images images;
	struct hl_trace *t;
	struct hl_event e;
	struct hl_merge *m;
	size_t n, at;
	uint8_t *p;

	encode_start(&enc, 0);
	encode_node(&enc, 1, 0, 0x400100, 0);
	encode_alloc(&enc, 5, HL_ENTRY_MALLOC, 0x1000, 8, 1);
	add_claim(w, &enc, HL_STREAM(1, 0), 0);
	at = (size_t)hl_writer_bytes(w);
	put_image(w, 1);
	finish(w);
	p = slurp(in_dir("t.hl"), &n);
	p[at + sizeof(struct hl_block_header) + 4] ^= 1;
	spill(in_dir("bad.hl"), p, n);
	free(p);
	load(&t, &images, "bad.hl");
	ck_assert_uint_eq(images.n, 0);
	ck_assert_uint_ge(hl_trace_health(t)->bad_blocks, 1);
	m = hl_merge_new(t);
	ck_assert_int_eq(hl_merge_next(m, &e), 1);
	ck_assert_uint_eq(e.address, 0x1000);
	ck_assert_int_eq(hl_merge_next(m, &e), 0);
	hl_merge_free(m);
	unload(t, &images);
}
END_TEST

START_TEST(an_image_is_no_thread_and_a_child_inherits_none)
{
	struct hl_writer *w = make_trace("parent.hl", 1);
	struct hl_images images;
	struct hl_trace *t;

	encode_start(&enc, 0);
	encode_node(&enc, 1, 0, 0x400100, 0);
	encode_alloc(&enc, 5, HL_ENTRY_MALLOC, 0x1000, 8, 1);
	ENCODE_NUMBERS(&enc, HL_FACT_RANGE, 0x9000, 0xa000, 2, 1, 40);
	ENCODE_NUMBERS(&enc, HL_FACT_RANGE, 0x7000, 0x8000, 2, 1, 30);
	add_claim(w, &enc, HL_STREAM(1, 0), 0);
	put_image(w, 1);
	put_image(w, 2);
	finish(w);
	w = make_trace("child.hl", 2);
	encode_start(&enc, 10);
	ENCODE_NUMBERS(&enc, HL_FACT_FORK, 1, 1001, 9, 0);
	encode_parent(&enc, "parent.hl", (const uint8_t *)"the same for all", 1);
	ENCODE_NUMBERS(&enc, HL_FACT_RANGE, 0x7000, 0x8000, 0, 0, 50);
	ENCODE_NUMBERS(&enc, HL_FACT_RANGE, 0x7000, 0x7000, 0, 0, 60); /* no range */
	add_claim(w, &enc, HL_STREAM(9, 0), 0);
	finish(w);
	load(&t, &images, "parent.hl");
	ck_assert_uint_eq(images.n, 2);
	ck_assert_uint_eq(hl_trace_facts(t)->nthreads, 1);
	ck_assert_uint_eq(hl_trace_facts(t)->nmappings, 2);
	ck_assert_uint_eq(hl_trace_facts(t)->mappings[0].start, 0x7000);
	ck_assert_uint_eq(hl_trace_facts(t)->mappings[1].module, UINT32_MAX);
	ck_assert_uint_eq(hl_trace_health(t)->unknown_facts, 0);
	unload(t, &images);
	load(&t, &images, "child.hl");
	ck_assert_uint_eq(images.n, 0);
	ck_assert_uint_eq(hl_trace_health(t)->missing_claims, 0);
	ck_assert_uint_eq(hl_trace_facts(t)->nmappings, 3);
	ck_assert_uint_eq(hl_trace_facts(t)->mappings[2].stamp, 50);
	ck_assert_uint_eq(hl_trace_facts(t)->mappings[2].mapped, 0);
	unload(t, &images);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pointers");
	TCase *t = tcase_create("pointers");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, make_dir, remove_dir);
	tcase_add_test(t, an_image_comes_back_with_its_maps_threads_and_words);
	tcase_add_test(t, an_image_that_was_given_up_is_none);
	tcase_add_test(t, words_that_are_not_all_there_are_told);
	tcase_add_test(t, words_that_are_cut_or_changed_are_told_or_still_in_order);
	tcase_add_test(t, what_the_library_codes_is_read_back);
	tcase_add_test(t, the_librarys_coding_stays_as_it_is);
	tcase_add_test(t, slots_never_go_back_or_out_of_the_address_space);
	tcase_add_test(t, a_damaged_block_makes_its_image_no_image_and_spoils_no_event);
	tcase_add_test(t, an_image_is_no_thread_and_a_child_inherits_none);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
