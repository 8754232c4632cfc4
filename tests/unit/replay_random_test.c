/*
 * replay_random_test.c - the replay of random programs against a model that knows the truth.
 *
 * The model is the program: arrays indexed by address, one step after the other in real order.  What it
 * records is stamped in that order, but for hand-offs of an address between two threads, some of which
 * are stamped the wrong way round.  The replay must find the model's heap, sums and peak all the same.
 */
#include "analyzer/model/replay.h"
#include "tests/unit/tracefile.h"

#define THREADS 6u
#define PLACES  200u
#define PAGES   300u
#define STEPS   4000u

static uint64_t seed = 1;

static uint64_t pick(uint64_t n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (seed >> 24) % n;
}

/* A block of the model; id 0: none. */
struct place {
	uint32_t id, thread, stack;
	uint64_t size;
};

struct thread {
	struct encode e;
	uint32_t claim;
	uint32_t newest; /* id of its newest block */
	int holds;       /* in a realloc */
	struct place held;
	unsigned held_at;
};

struct model {
	struct hl_writer *w;
	struct thread threads[THREADS];
	struct place heap[PLACES], pool[PLACES];
	uint32_t page_owner[PAGES];     /* id */
	struct place mapped[STEPS + 2]; /* by id; size: bytes still mapped */
	uint32_t next_id;
	uint64_t stamp;      /* now */
	uint64_t step_stamp; /* when the step began */
	uint64_t live, blocks;
	struct hl_replay_counts c;
};

static struct model m;

static uint64_t heap_address(unsigned i)
{
	return 0x10000 + i * 16;
}

static uint64_t page_address(unsigned i)
{
	return 0x7f0000000000 + i * 4096ull;
}

/* The encoder of thread t, with room for some records. */
static struct encode *encoder(unsigned t)
{
	struct thread *th = &m.threads[t];

	if (th->e.n + 100 > HL_SLOT_ROOM || (th->e.n && !pick(100))) {
		add_claim(m.w, &th->e, HL_STREAM(t + 1, 0), th->claim++);
		encode_start(&th->e, m.step_stamp);
	} else if (!th->e.n) {
		encode_start(&th->e, m.step_stamp);
	}
	return &th->e;
}

static void gain(uint64_t bytes)
{
	m.live += bytes;
	m.c.total_bytes += bytes;
	m.c.allocs++;
	if (m.live > m.c.peak_bytes) {
		m.c.peak_bytes = m.live;
		m.c.peak_stamp = m.stamp;
	}
}

static struct place give_birth(unsigned t, uint64_t size, uint32_t stack)
{
	struct place p = {++m.next_id, t, stack, size};

	m.threads[t].newest = p.id;
	m.blocks++;
	gain(size);
	return p;
}

static void die(struct place *p)
{
	m.c.temporary += m.threads[p->thread].newest == p->id;
	m.c.frees++;
	m.live -= p->size;
	m.blocks--;
	p->id = 0;
}

static void step_alloc_or_free(unsigned t)
{
	unsigned i = (unsigned)pick(PLACES), pool = !pick(4), entry = (unsigned)pick(HL_ENTRY_MMAP);
	struct place *p = pool ? &m.pool[i] : &m.heap[i];
	uint64_t size = pick(1000);
	struct encode *e = encoder(t);

	if (p->id) {
		if (pool)
			encode_op_free(e, m.stamp, HL_DOMAIN_POOL, HL_ENTRY_FREE, heap_address(i));
		else
			encode_free(e, m.stamp, heap_address(i), (int)pick(2));
		die(p);
		return;
	}
	if (entry == HL_ENTRY_REALLOC && m.threads[t].holds)
		entry = HL_ENTRY_MALLOC;
	if (pool)
		encode_op_alloc(e, m.stamp, HL_DOMAIN_POOL, HL_ENTRY_POOL, heap_address(i), size, i % 50);
	else
		encode_alloc(e, m.stamp, entry, heap_address(i), size, i % 50);
	*p = give_birth(t, size, i % 50);
}

static void end_realloc(unsigned t)
{
	struct thread *th = &m.threads[t];
	struct encode *e = encoder(t);
	unsigned how = (unsigned)pick(4), to = (unsigned)pick(PLACES);

	th->holds = 0;
	if (how == 0 && !m.heap[th->held_at].id) {
		encode_restore(e, m.stamp);
		m.heap[th->held_at] = th->held;
	} else if (how == 1 || m.heap[to].id) {
		encode_drop(e, m.stamp);
		die(&th->held);
	} else {
		uint64_t size = pick(1000);

		encode_alloc(e, m.stamp, HL_ENTRY_REALLOC, heap_address(to), size, 7);
		m.live -= th->held.size;
		gain(size);
		m.c.frees++;
		m.c.reallocs++;
		m.heap[to] = (struct place){++m.next_id, t, 7, size};
		th->newest = m.next_id;
	}
}

static void step_realloc(unsigned t)
{
	struct thread *th = &m.threads[t];
	unsigned i = (unsigned)pick(PLACES);

	if (th->holds) {
		end_realloc(t);
	} else if (m.heap[i].id) {
		encode_release(encoder(t), m.stamp, heap_address(i));
		th->holds = 1;
		th->held = m.heap[i];
		th->held_at = i;
		m.heap[i].id = 0;
	}
}

/* Take the pages [from, to) from whoever has them. */
static void unmap_pages(unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++) {
		struct place *p = &m.mapped[m.page_owner[i]];

		if (!m.page_owner[i])
			continue;
		m.page_owner[i] = 0;
		if (p->size > 4096) {
			p->size -= 4096;
			m.live -= 4096;
		} else {
			die(p);
		}
	}
}

static void step_map(unsigned t)
{
	unsigned from = (unsigned)pick(PAGES), to = from + 1 + (unsigned)pick(pick(8) ? 10 : PAGES);
	struct place born;

	if (to > PAGES)
		to = PAGES;
	unmap_pages(from, to);
	if (pick(2)) {
		encode_unmap(encoder(t), m.stamp, page_address(from), (to - from) * 4096ull);
		return;
	}
	encode_map(encoder(t), m.stamp, page_address(from), (to - from) * 4096ull, 9);
	born = give_birth(t, (to - from) * 4096ull, 9);
	m.mapped[born.id] = born;
	for (unsigned i = from; i < to; i++)
		m.page_owner[i] = m.next_id;
}

/* Two threads use one address one right after the other; the stamps may be the wrong way round, or tie. */
static void step_hand_off(unsigned t)
{
	unsigned i = (unsigned)pick(PLACES), other = (t + 1 + (unsigned)pick(THREADS - 1)) % THREADS;
	uint64_t gap = pick(3) ? pick(2000) : 0, size = pick(500);
	int wrong = (int)pick(2);
	uint64_t first = m.stamp, second = m.stamp + gap;
	uint64_t t_stamp = wrong ? second : first, other_stamp = wrong ? first : second;

	if (gap == 0)
		wrong = 0; /* a tie: in which order it is read depends on the streams */
	m.c.repaired += (uint64_t)wrong;
	if (m.heap[i].id) { /* t frees, the other is given the address */
		encode_free(encoder(t), t_stamp, heap_address(i), 0);
		die(&m.heap[i]);
		encode_alloc(encoder(other), other_stamp, HL_ENTRY_NEW, heap_address(i), size, 3);
		m.stamp = other_stamp;
		m.heap[i] = give_birth(other, size, 3);
	} else { /* t allocates, the other frees */
		encode_alloc(encoder(t), t_stamp, HL_ENTRY_NEW, heap_address(i), size, 3);
		m.stamp = t_stamp;
		m.heap[i] = give_birth(t, size, 3);
		encode_free(encoder(other), other_stamp, heap_address(i), 0);
		die(&m.heap[i]);
	}
	m.stamp = second;
}

static void run_program(int with_hand_offs)
{
	struct hl_writer *w = make_trace("t.hl", 1);

	memset(&m, 0, sizeof(m));
	m.w = w;
	m.stamp = 1000;
	encode_start(&m.threads[0].e, 1000);
	for (uint64_t id = 1; id < 50; id++) /* the stacks that the steps use */
		encode_node(&m.threads[0].e, id, 0, id, 0);
	for (unsigned step = 0; step < STEPS; step++) {
		unsigned t = (unsigned)pick(THREADS);

		m.stamp += 1 + pick(30);
		m.step_stamp = m.stamp;
		switch (pick(with_hand_offs ? 8 : 6)) {
		default:
			step_alloc_or_free(t);
			break;
		case 3:
		case 4:
			step_realloc(t);
			break;
		case 5:
			step_map(t);
			break;
		case 6:
		case 7:
			step_hand_off(t);
			/* what is held longer than the window is no inversion any more */
			m.stamp += 2001;
			break;
		}
	}
	for (unsigned t = 0; t < THREADS; t++) {
		m.c.in_flight += (uint64_t)m.threads[t].holds;
		if (m.threads[t].e.n)
			add_claim(w, &m.threads[t].e, HL_STREAM(t + 1, 0), m.threads[t].claim);
	}
	finish(w);
}

/* A block of the replay is one of the model: take it out there. */
static void check_block(void *ctx, const struct hl_block *b)
{
	struct place *p = NULL;
	unsigned *held = ctx;

	if (b->domain == HL_DOMAIN_MMAP) {
		for (uint32_t id = 1; id <= m.next_id && !p; id++)
			if (m.mapped[id].id && m.mapped[id].size == b->size &&
			    m.mapped[id].thread == b->thread - 1)
				p = &m.mapped[id];
	} else {
		uint64_t i = (b->address - heap_address(0)) / 16;

		ck_assert_uint_lt(i, PLACES);
		p = b->domain == HL_DOMAIN_POOL ? &m.pool[i] : &m.heap[i];
		if (!p->id || p->size != b->size || p->stack != b->stack || p->thread != b->thread - 1) {
			p = NULL; /* then some thread's realloc holds it */
			for (unsigned t = 0; t < THREADS && !p; t++)
				if (m.threads[t].holds && m.threads[t].held_at == i && m.threads[t].held.id &&
				    m.threads[t].held.size == b->size)
					p = &m.threads[t].held;
			ck_assert_ptr_nonnull(p);
			++*held;
		}
	}
	ck_assert_ptr_nonnull(p);
	ck_assert_uint_eq(p->stack, b->stack);
	p->id = 0;
}

static void compare(void)
{
	struct hl_trace *t = open_trace("t.hl");
	struct hl_replay_counts c;
	struct hl_diag d;
	unsigned held = 0;

	ck_assert_int_eq(hl_replay_live(t, UINT64_MAX, NULL, NULL, check_block, &held, &c, &d), HL_OK);
	ck_assert_uint_eq(held, m.c.in_flight);
	ck_assert_uint_eq(c.live_bytes, m.live);
	ck_assert_uint_eq(c.live_blocks, m.blocks);
	ck_assert_uint_eq(c.allocs, m.c.allocs);
	ck_assert_uint_eq(c.frees, m.c.frees);
	ck_assert_uint_eq(c.reallocs, m.c.reallocs);
	ck_assert_uint_eq(c.temporary, m.c.temporary);
	ck_assert_uint_eq(c.total_bytes, m.c.total_bytes);
	ck_assert_uint_eq(c.in_flight, m.c.in_flight);
	ck_assert_uint_eq(c.peak_bytes, m.c.peak_bytes);
	ck_assert_uint_eq(c.repaired, m.c.repaired);
	ck_assert_uint_eq(c.violations, 0);
	ck_assert_uint_eq(c.unexplained_frees, 0);
	/* a replay until the peak ends at the peak */
	if (!m.c.repaired) {
		ck_assert_uint_eq(c.peak_stamp, m.c.peak_stamp);
		hl_replay(t, c.peak_stamp, NULL, NULL, &c, &d);
		ck_assert_uint_eq(c.live_bytes, m.c.peak_bytes);
	}
	hl_trace_close(t);
	remove(in_dir("t.hl"));
}

START_TEST(a_well_ordered_program_is_rebuilt_exactly)
{
	for (uint64_t round = 0; round < 60; round++) {
		seed = round;
		run_program(0);
		compare();
	}
}
END_TEST

START_TEST(hand_offs_that_were_stamped_the_wrong_way_round_are_repaired)
{
	for (uint64_t round = 0; round < 60; round++) {
		seed = 1000 + round;
		run_program(1);
		ck_assert_uint_gt(m.c.repaired, 100);
		compare();
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("replay_random");
	TCase *t = tcase_create("replay_random");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, make_dir, remove_dir);
	tcase_add_test(t, a_well_ordered_program_is_rebuilt_exactly);
	tcase_add_test(t, hand_offs_that_were_stamped_the_wrong_way_round_are_repaired);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
