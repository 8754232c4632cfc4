/*
 * sample_test.c - estimates from samples against the truth of the complete trace.
 *
 * A random program is made once and recorded in full; then many samples are taken of it, as format.h says
 * the library takes them.  Over the samples the estimates must be right on average, and must scatter as much
 * as they say themselves.  A correct implementation fails such a check less than once in 10^6 seeds: means
 * are allowed six standard errors of the mean, and variances, whose own relative error is about
 * sqrt(2 / SAMPLES), eight of those.
 */
#include "analyzer/analysis/collect.h"
#include "analyzer/model/sample.h"
#include "tests/unit/tracefile.h"
#include <math.h>
#include <string.h>

#define RATE    1000u
#define THREADS 3u
#define PLACES  300u
#define STEPS   3000u
#define SITES   5u
#define SAMPLES 1000u

static uint64_t seed = 1;

static uint64_t draw(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1dull;
}

static uint64_t pick(uint64_t n)
{
	return (draw() >> 32) * n >> 32;
}

/* Sizes of a site, from well below the rate to well above it.  None is so small that it would be in a
 * handful of all samples only: then nothing could be said of their scatter. */
static uint64_t size_of(unsigned site)
{
	static const uint64_t least[SITES] = {40, 50, 500, 300, 100},
			      most[SITES] = {80, 300, 2000, 5000, 1000};

	if (site == 3 && pick(2))
		site = 0;
	return least[site] + pick(most[site] - least[site]);
}

enum what { ALLOC, FREE, REALLOC, MAP, UNMAP, MARK };

struct step {
	enum what what;
	unsigned thread, place, site;
	uint64_t size;
	int temporary;
};

static struct step steps[STEPS];

/* The program: blocks at places, which are addresses. */
static void make_program(void)
{
	struct {
		unsigned thread, id;
	} blocks[PLACES] = {{0, 0}};
	unsigned newest[THREADS] = {0}, id = 0;
	int mapped = 0;

	for (unsigned i = 0; i < STEPS; i++) {
		struct step *s = &steps[i];
		unsigned place = (unsigned)pick(PLACES), last = i ? steps[i - 1].place : 0;

		/* often the block of just now, so that some are temporary */
		if (i && steps[i - 1].what == ALLOC && !pick(3))
			place = last;
		*s = (struct step){.thread = (unsigned)pick(THREADS), .place = place};
		if (i == STEPS / 2) {
			s->what = MARK;
		} else if (!pick(100)) {
			s->what = mapped ? UNMAP : MAP;
			mapped = !mapped;
			if (mapped)
				newest[s->thread] = ++id;
		} else if (!blocks[place].id || !pick(6)) {
			s->what = blocks[place].id ? REALLOC : ALLOC;
			s->site = (unsigned)pick(SITES);
			s->size = size_of(s->site);
			blocks[place].id = newest[s->thread] = ++id;
			blocks[place].thread = s->thread;
		} else {
			s->what = FREE;
			if (pick(2))
				s->thread = blocks[place].thread;
			s->temporary =
				s->thread == blocks[place].thread && newest[s->thread] == blocks[place].id;
			/* what a complete trace calls temporary, whoever frees it */
			if (!s->temporary && newest[blocks[place].thread] == blocks[place].id) {
				s->thread = blocks[place].thread;
				s->temporary = 1;
			}
			blocks[place].id = 0;
		}
	}
}

static struct encode encs[THREADS];

static uint64_t address_of(unsigned place)
{
	return 0x10000 + place * 16;
}

static int sampled(uint64_t rate, uint64_t size)
{
	double x = (double)(size ? size : 1) / (double)rate;

	return !rate || (double)(draw() >> 11) * 0x1p-53 < 1 - exp(-x);
}

static void record_realloc(struct encode *e, uint64_t stamp, const struct step *s, int old, int now)
{
	if (old)
		encode_release(e, stamp, address_of(s->place));
	if (now)
		encode_alloc(e, stamp, HL_ENTRY_REALLOC, address_of(s->place), s->size, s->site + 1);
	else if (old)
		encode_drop(e, stamp);
}

/* The program as it is recorded: in full (rate 0) or as a sample. */
static void record(const char *name, uint64_t rate)
{
	struct hl_writer *w = make_trace(name, 1);
	int known[PLACES] = {0};

	for (unsigned t = 0; t < THREADS; t++)
		encode_start(&encs[t], 0);
	if (rate)
		encode_sample(&encs[0], rate);
	for (unsigned site = 0; site <= SITES; site++)
		encode_node(&encs[0], site + 1, 0, 0x1000 + site, 0);
	for (unsigned i = 0; i < STEPS; i++) {
		const struct step *s = &steps[i];
		struct encode *e = &encs[s->thread];
		int old = known[s->place];

		switch (s->what) {
		case ALLOC:
			known[s->place] = sampled(rate, s->size);
			if (known[s->place])
				encode_alloc(e, i + 1, HL_ENTRY_MALLOC, address_of(s->place), s->size,
					     s->site + 1);
			break;
		case REALLOC:
			known[s->place] = sampled(rate, s->size);
			record_realloc(e, i + 1, s, old, known[s->place]);
			break;
		case FREE:
			known[s->place] = 0;
			if (old && rate && s->temporary)
				encode_op_free(e, i + 1, HL_DOMAIN_HEAP, HL_ENTRY_FREE | HL_ENTRY_TEMPORARY,
					       address_of(s->place));
			else if (old)
				encode_free(e, i + 1, address_of(s->place), 0);
			break;
		case MAP:
			encode_map(e, i + 1, 0x7f0000000000, 16384, SITES + 1);
			break;
		case UNMAP:
			encode_unmap(e, i + 1, 0x7f0000001000, 16384);
			break;
		case MARK:
			encode_mark(e, i + 1, HL_MARK_API, "middle");
			break;
		}
	}
	for (unsigned t = 0; t < THREADS; t++)
		add_claim(w, &encs[t], HL_STREAM(t + 1, 0), 0);
	finish(w);
}

/* ---- numbers of one trace ---- */

enum { SIZE, COUNT, TOTAL, ALLOCATIONS, TEMPORARY, FIELDS };
static const char *const field_names[] = {"size", "count", "total", "allocations", "temporary"};

/* By site (the last: the mapping's) and, behind them, of the whole. */
struct numbers {
	double value[SITES + 2][FIELDS], variance[SITES + 2][FIELDS];
	double shared[SITES + 2];
	uint64_t recorded;
};

static void take_sites(const struct hl_heap *h, struct numbers *n)
{
	double byte = h->sample_bytes ? 1 << HL_SAMPLE_BYTE_SHIFT : 1;
	double block = h->sample_bytes ? 1 << HL_SAMPLE_BLOCK_SHIFT : 1;

	for (uint32_t i = 0; i < h->nsites; i++) {
		const struct hl_site *s = &h->sites[i];
		unsigned at = s->stack - 1;

		ck_assert_uint_le(at, SITES);
		n->value[at][SIZE] += (double)s->stat.size / byte;
		n->value[at][COUNT] += (double)s->stat.count / block;
		n->value[at][TOTAL] += (double)s->stat.total / byte;
		n->value[at][ALLOCATIONS] += (double)s->stat.allocations / block;
		n->value[at][TEMPORARY] += (double)s->stat.temporary / block;
		if (!h->sample_bytes)
			continue;
		n->variance[at][SIZE] += h->variances[i].size;
		n->variance[at][COUNT] += h->variances[i].count;
		n->variance[at][TOTAL] += h->variances[i].total;
		n->variance[at][ALLOCATIONS] += h->variances[i].allocations;
		n->variance[at][TEMPORARY] += h->variances[i].temporary;
		n->shared[at] += h->variances[i].shared_size;
	}
}

static void take_whole(const struct hl_replay_counts *c, struct numbers *n)
{
	double *v = n->value[SITES + 1], *e = n->variance[SITES + 1];

	v[SIZE] = (double)c->live_bytes;
	v[COUNT] = (double)c->live_blocks;
	v[TOTAL] = (double)c->total_bytes;
	v[ALLOCATIONS] = (double)c->allocs;
	v[TEMPORARY] = (double)c->temporary;
	e[SIZE] = c->live_bytes_error * c->live_bytes_error;
	e[COUNT] = c->live_blocks_error * c->live_blocks_error;
	e[TOTAL] = c->total_bytes_error * c->total_bytes_error;
	e[ALLOCATIONS] = c->allocs_error * c->allocs_error;
	e[TEMPORARY] = c->temporary_error * c->temporary_error;
	n->recorded = c->recorded;
	ck_assert_uint_eq(c->live_blocks, c->inherited_blocks + c->allocs - c->frees);
	ck_assert_uint_eq(c->violations + c->unexplained_frees, 0);
	ck_assert_uint_ge(c->peak_bytes, c->live_bytes);
}

static struct numbers measure(const char *name, uint64_t until, uint64_t shared_until)
{
	struct hl_trace *t = open_trace(name);
	struct hl_names *names = hl_names_new();
	struct hl_stacks *stacks = hl_stacks_new(names, hl_trace_facts(t), NULL);
	struct hl_collect_options o = {.until = until, .shared_until = shared_until};
	struct hl_replay_counts c;
	struct numbers n = {0};
	struct hl_heap h;
	struct hl_diag d;

	hl_heap_init(&h, stacks);
	ck_assert_int_eq(hl_collect(t, &o, &h, &c, &d), HL_OK);
	take_sites(&h, &n);
	take_whole(&c, &n);
	hl_heap_release(&h);
	hl_stacks_free(stacks);
	hl_names_free(names);
	hl_trace_close(t);
	return n;
}

/* ---- many samples ---- */

struct moments {
	double sum, squares, variance;
};

static void add(struct moments *m, double v, double variance)
{
	m->sum += v;
	m->squares += v * v;
	m->variance += variance;
}

static void check(const struct moments *m, double truth, const char *what, unsigned site)
{
	double mean = m->sum / SAMPLES, predicted = m->variance / SAMPLES;
	double seen = (m->squares - m->sum * mean) / (SAMPLES - 1), tolerance = 8 * sqrt(2.0 / SAMPLES);

	ck_assert_msg(fabs(mean - truth) <= 6 * sqrt(predicted / SAMPLES) + 1e-4 * truth,
		      "site %u: %s is %g on average, is %g +- %g", site, what, mean, truth,
		      sqrt(predicted / SAMPLES));
	ck_assert_msg(predicted == 0
			      ? seen <= 1e-6
			      : seen / predicted > 1 / (1 + tolerance) && seen / predicted < 1 + tolerance,
		      "site %u: %s varies by %g, said %g", site, what, sqrt(seen), sqrt(predicted));
}

START_TEST(estimates_are_right_on_average_and_scatter_as_they_say)
{
	static struct moments m[SITES + 2][FIELDS];
	struct numbers truth;

	make_program();
	record("full.hl", 0);
	truth = measure("full.hl", UINT64_MAX, 0);
	for (unsigned f = 0; f < FIELDS; f++)
		for (unsigned site = 0; site < SITES; site++) {
			ck_assert(truth.value[site][f] > 0);
			ck_assert(truth.variance[site][f] == 0);
		}
	for (unsigned i = 0; i < SAMPLES; i++) {
		struct numbers n;

		record("sample.hl", RATE);
		n = measure("sample.hl", UINT64_MAX, 0);
		ck_assert_uint_lt(n.recorded, truth.recorded);
		for (unsigned site = 0; site < SITES + 2; site++)
			for (unsigned f = 0; f < FIELDS; f++)
				add(&m[site][f], n.value[site][f], n.variance[site][f]);
		remove(in_dir("sample.hl"));
	}
	/* of mappings nothing is left out, and a sample calls none of them temporary */
	truth.value[SITES + 1][TEMPORARY] -= truth.value[SITES][TEMPORARY];
	truth.value[SITES][TEMPORARY] = 0;
	for (unsigned site = 0; site < SITES + 2; site++)
		for (unsigned f = 0; f < FIELDS; f++)
			check(&m[site][f], truth.value[site][f], field_names[f], site);
}
END_TEST

START_TEST(the_error_of_a_difference_leaves_out_what_lives_at_both_moments)
{
	static struct moments m[SITES + 2];
	const uint64_t middle = STEPS / 2 + 1, later = middle + STEPS / 20;
	struct numbers truth_old, truth_new;
	double independent = 0, told = 0;

	make_program();
	record("full.hl", 0);
	truth_old = measure("full.hl", middle, 0);
	truth_new = measure("full.hl", later, 0);
	for (unsigned i = 0; i < SAMPLES; i++) {
		struct numbers old, now;

		record("sample.hl", RATE);
		old = measure("sample.hl", middle, 0);
		now = measure("sample.hl", later, middle);
		for (unsigned site = 0; site < SITES; site++) {
			double sum = old.variance[site][SIZE] + now.variance[site][SIZE];

			add(&m[site], now.value[site][SIZE] - old.value[site][SIZE],
			    sum - 2 * now.shared[site]);
			independent += sum;
			told += sum - 2 * now.shared[site];
		}
		remove(in_dir("sample.hl"));
	}
	for (unsigned site = 0; site < SITES; site++)
		check(&m[site], truth_new.value[site][SIZE] - truth_old.value[site][SIZE], "difference",
		      site);
	/* or the test would pass without it */
	ck_assert(told < independent / 2);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sample");
	TCase *t = tcase_create("sample");
	SRunner *r = srunner_create(s);
	int failed;

	if (getenv("HL_SEED"))
		seed = strtoull(getenv("HL_SEED"), NULL, 10) * 2 + 1;
	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, make_dir, remove_dir);
	tcase_add_test(t, estimates_are_right_on_average_and_scatter_as_they_say);
	tcase_add_test(t, the_error_of_a_difference_leaves_out_what_lives_at_both_moments);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
