/*
 * tables_test.c - the library's tables that are read and written without a lock, under threads that want them at
 * once.  Linked with the library's own modules; what those need of the rest stands here.
 * tests/fault/data_races.sh builds it once more to have the order of every access checked.
 */
#include "preload/guest.h"
#include "preload/idtab.h"
#include "preload/modmap.h"
#include "preload/object.h"
#include "preload/rulecache.h"
#include "preload/sample.h"
#include <check.h>
#include <link.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define THREADS 4u
#ifdef __SANITIZE_THREAD__ /* twenty times slower */
#define SHARE 10u
#else
#define SHARE 1u
#endif

struct hl_hot hl_hot;
struct hl_guest hl_guest;
__thread struct hl_thread *hl_thread_current;

static uint64_t mix(uint64_t v)
{
	v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9ull;
	v = (v ^ v >> 27) * 0x94d049bb133111ebull;
	return v ^ v >> 31;
}

static pthread_barrier_t together;

static void in_threads(void *(*f)(void *))
{
	pthread_t t[THREADS];

	ck_assert_int_eq(pthread_barrier_init(&together, NULL, THREADS), 0);
	for (uint64_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, f, (void *)(uintptr_t)i), 0);
	for (unsigned i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(t[i], NULL), 0);
	pthread_barrier_destroy(&together);
}

/* ---- ids ---- */

#define KEYS   (100000u / SHARE)
#define ID_MAX (KEYS * 8)

static struct hl_idtab ids;
static uint32_t record[ID_MAX + 1]; /* by id: whose it is; as with a record, written before the key is put */
static _Atomic uint32_t wrong_ids;

static uint64_t hash_of(uint32_t key)
{
	return mix(key) | 1;
}

static uint32_t id_of(uint32_t key)
{
	uint32_t id = hl_idtab_find(&ids, hash_of(key));

	if (id) {
		if (id > ID_MAX || record[id] != key)
			atomic_fetch_add(&wrong_ids, 1);
		return id;
	}
	id = hl_idtab_take(&ids, 1);
	if (!id)
		return 0;
	record[id] = key;
	hl_idtab_put(&ids, hash_of(key), id);
	return id;
}

static void *ask_for_ids(void *arg)
{
	uint64_t thread = (uintptr_t)arg;

	pthread_barrier_wait(&together);
	/* near each other, so that several make the same key; then all of them from everywhere */
	for (uint32_t i = 0; i < KEYS; i++)
		id_of((i + (uint32_t)(mix(i * THREADS + thread) % 64)) % KEYS);
	for (uint32_t i = 0; i < KEYS; i++)
		id_of((uint32_t)(mix(i * THREADS + thread) % KEYS));
	return NULL;
}

START_TEST(a_key_has_its_own_id_while_tables_grow)
{
	uint32_t given, again = 0, placeless = 0;

	ck_assert_int_eq(hl_idtab_init(&ids, ID_MAX), 0);
	in_threads(ask_for_ids);
	ck_assert_uint_eq(wrong_ids, 0);
	ck_assert_uint_gt(ids.table->nbuckets, KEYS / HL_ID_BUCKET);
	given = ids.last;
	for (uint32_t key = 0; key < KEYS; key++) {
		again += !hl_idtab_find(&ids, hash_of(key));
		ck_assert_uint_ne(id_of(key), 0);
		placeless += !hl_idtab_find(&ids, hash_of(key));
	}
	ck_assert_uint_eq(wrong_ids, 0);
	/* A growth may lose what is put meanwhile, however long its thread is kept from the processor. */
	ck_assert_uint_lt(again, KEYS / 2);
	ck_assert_uint_lt(given, KEYS * 4);
	ck_assert_uint_eq(placeless, 0);
}
END_TEST

/* Tables of more than a million grow by half of their size, so they are fuller. */
START_TEST(every_key_of_a_large_table_is_found)
{
	static struct hl_idtab many;
	uint32_t keys = 5000000 / SHARE;

	ck_assert_int_eq(hl_idtab_init(&many, keys), 0);
	for (uint32_t key = 1; key <= keys; key++)
		hl_idtab_put(&many, hash_of(key), hl_idtab_take(&many, 1));
	for (uint32_t key = 1; key <= keys; key++)
		ck_assert_uint_eq(hl_idtab_find(&many, hash_of(key)), key);
	ck_assert_uint_eq(hl_idtab_find(&many, hash_of(0)), 0);
	ck_assert_uint_lt((uint64_t)many.table->nbuckets * sizeof(struct hl_id_bucket), 32ull * keys);
}
END_TEST

START_TEST(ids_end_where_they_were_told_to)
{
	static struct hl_idtab few;

	ck_assert_int_eq(hl_idtab_init(&few, 10), 0);
	ck_assert_uint_eq(hl_idtab_take(&few, 8), 1);
	ck_assert_uint_eq(hl_idtab_take(&few, 3), 0);
	ck_assert_uint_eq(hl_idtab_take(&few, 2), 9);
	ck_assert_uint_eq(hl_idtab_take(&few, 1), 0);
}
END_TEST

#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
/* A search, and what others do at one of its instructions. */
static struct hl_idtab tabs[400];
static unsigned step, step_of_others;
static struct hl_idtab *tab;
static uint64_t sought;

static void others(int sig)
{
	struct hl_id_table *old = tab->table;
	struct hl_id_bucket *b = hl_idtab_place(old, sought);

	(void)sig;
	if (++step != step_of_others)
		return;
	/* one makes the table grow; one that had taken the place before stores its id; one that still has
	 * the old table enters the key, and is not yet done */
	hl_idtab_put(tab, hash_of(1), 1000000);
	atomic_store(&b->id[0], 77);
	atomic_store(&b->key[0], sought);
}

#define STEPS(op)                                                                                            \
	__asm__ volatile("lea -128(%%rsp), %%rsp\n\tpushfq\n\t" op " (%%rsp)\n\tpopfq\n\tlea 128(%%rsp), "   \
			 "%%rsp"                                                                             \
			 :                                                                                   \
			 :                                                                                   \
			 : "memory", "cc")

START_TEST(a_key_that_is_sought_in_a_table_just_replaced_has_no_other_keys_id)
{
	struct sigaction sa = {.sa_handler = others};
	unsigned n;

	/* its place is not on the first page, which is kept */
	for (uint32_t key = 2; sought >> 63 == 0; key++)
		sought = hash_of(key);
	ck_assert_int_eq(sigaction(SIGTRAP, &sa, NULL), 0);
	step = step_of_others = 0;
	for (n = 0; n < 400 && step_of_others <= step; n++) {
		uint32_t id;

		tab = &tabs[n];
		ck_assert_int_eq(hl_idtab_init(tab, ID_MAX), 0);
		step = 0;
		step_of_others = n + 1;
		STEPS("orq $0x100,");
		id = hl_idtab_find(tab, sought);
		STEPS("andq $~0x100,");
		ck_assert_msg(id == 0, "others' %u, at instruction %u", id, n + 1);
	}
	ck_assert_uint_gt(n, 15);
	ck_assert_uint_lt(n, 400);
}
END_TEST
#endif

/* ---- rules ---- */

#define ADDRESSES 3000u
#define ROUNDS    (300u / SHARE)

static const struct hl_rule_table *first_table;
static _Atomic uint32_t stale_rules, wrong_rules;

/* The addresses of a module that goes, and those of the others. */
static uint64_t going(uint32_t i)
{
	return 0x100000 + i * 5ull;
}

static uint64_t staying(uint32_t i)
{
	return 0x7f0000000000 + i * 7ull;
}

static uint32_t rule_of(uint64_t address)
{
	return (uint32_t)(mix(address) & 0x7ff8);
}

static void *flush_and_grow(void *arg)
{
	uint64_t thread = (uintptr_t)arg;

	for (uint32_t round = 0; round < ROUNDS; round++) {
		pthread_barrier_wait(&together);
		if (thread == 0) {
			atomic_store(&hl_rules.table, first_table);
			hl_rules_flush();
			for (uint32_t i = 0; i < first_table->full - 20; i++)
				hl_rules_put(going(i), rule_of(going(i)));
		}
		pthread_barrier_wait(&together);
		if (thread == 0) {
			for (volatile uint32_t i = 0; i < round * 20 % 4000; i++)
				;
			hl_rules_flush();
		} else {
			for (uint32_t i = 0; i < ADDRESSES; i++) {
				uint64_t a = staying((uint32_t)(mix(i * THREADS + thread) % ADDRESSES)), word;

				word = hl_rules_find(a);
				if (word == HL_RULE_NONE)
					hl_rules_put(a, rule_of(a));
				else if ((word & 0xffff) != rule_of(a))
					atomic_fetch_add(&wrong_rules, 1);
			}
		}
		pthread_barrier_wait(&together);
		for (uint32_t i = 0; i < first_table->full; i++)
			if (hl_rules_find(going(i)) != HL_RULE_NONE)
				atomic_fetch_add(&stale_rules, 1);
	}
	return NULL;
}

START_TEST(what_was_flushed_does_not_come_back_from_a_table_that_grows)
{
	first_table = hl_rules.table;
	in_threads(flush_and_grow);
	ck_assert_uint_eq(wrong_rules, 0);
	ck_assert_uint_eq(stale_rules, 0);
	ck_assert_uint_gt(((const struct hl_rule_table *)hl_rules.table)->nwords, first_table->nwords);
}
END_TEST

START_TEST(rules_are_found_after_every_growth)
{
	for (uint32_t i = 0; i < 50000; i++)
		hl_rules_put(staying(i), rule_of(staying(i)));
	for (uint32_t i = 0; i < 50000; i++)
		ck_assert_uint_eq(hl_rules_find(staying(i)), staying(i) << 16 | rule_of(staying(i)));
}
END_TEST

/* ---- modules ---- */

static const void *const in_modules[THREADS] = {(const void *)in_threads, (const void *)getpid,
						(const void *)expm1, &_r_debug};
static _Atomic uint32_t noted;

static void *note_one(void *arg)
{
	uint64_t pc = (uint64_t)(uintptr_t)in_modules[(uintptr_t)arg];
	const struct hl_mod *gone;

	pthread_barrier_wait(&together);
	/* as the library does it */
	do
		atomic_fetch_add(&noted, hl_modmap_note(pc, &gone) != NULL);
	while ((pc = hl_modmap_left()));
	return NULL;
}

START_TEST(modules_that_are_asked_for_once_and_at_once_are_all_noted)
{
	(void)_i;
	hl_object_init();
	hl_modmap_init();
	in_threads(note_one);
	ck_assert_uint_eq(noted, THREADS);
}
END_TEST

static sigjmp_buf back;

static void jump(int sig)
{
	(void)sig;
	siglongjmp(back, 1);
}

START_TEST(a_thread_that_leaves_by_a_jump_while_it_enters_a_module_stops_nobody)
{
	uint64_t pc = (uint64_t)(uintptr_t)in_modules[2], other = (uint64_t)(uintptr_t)in_modules[1];
	const struct hl_mod *gone;
	struct hl_object o;

	hl_object_init();
	hl_modmap_init();
	ck_assert_int_eq(hl_object_find(pc, &o), 1);
	/* the module's header cannot be read: a signal while it is entered */
	ck_assert_int_eq(mprotect((void *)(uintptr_t)o.start, 4096, PROT_NONE), 0);
	signal(SIGSEGV, jump);
	if (sigsetjmp(back, 1) == 0) {
		hl_modmap_note(pc, &gone);
		ck_abort_msg("nothing happened");
	}
	signal(SIGSEGV, SIG_DFL);
	ck_assert_int_eq(mprotect((void *)(uintptr_t)o.start, 4096, PROT_READ), 0);
	ck_assert_ptr_null(hl_modmap_note(other, &gone));
	/* somebody else's end is not his */
	hl_modmap_abandon(hl_sys_gettid() + 1);
	ck_assert_ptr_null(hl_modmap_note(other, &gone));
	hl_modmap_abandon(hl_sys_gettid());
	ck_assert_ptr_nonnull(hl_modmap_note(other, &gone));
	ck_assert_ptr_nonnull(hl_modmap_note(pc, &gone));
}
END_TEST

/* ---- the sample ---- */

#define PLACES 4096u
#define BLOCKS (100000u / SHARE)

/* A block at a place: made by one thread, ended by any. */
static struct block {
	_Atomic uint32_t state; /* 0 free, 1 somebody is at it, 2 live */
	uint64_t size;
	int sampled;
} blocks[PLACES];
static _Atomic uint32_t taken, dropped, wrong_ends;

static uint64_t key_of(uint64_t place)
{
	/* two of three are of a pool, inside the block of the third */
	return (0x555500000000 + place / 3 * 32) | (place % 3 ? HL_SAMPLE_POOL | (place % 3 - 1) * 8 : 0);
}

static void *make_and_end(void *arg)
{
	struct hl_thread t = {.serial = (uint32_t)(uintptr_t)arg + 1, .entry_hint = HL_ENTRY_COUNT};

	hl_sample_begin(&t);
	pthread_barrier_wait(&together);
	for (uint32_t i = 0; i < BLOCKS; i++) {
		uint64_t r = mix((uint64_t)t.serial << 32 | i), place = r % PLACES, size;
		struct block *b = &blocks[place];
		uint32_t state = atomic_load_explicit(&b->state, memory_order_relaxed);
		int temporary;

		if (state == 1 || !atomic_compare_exchange_strong_explicit(
					  &b->state, &state, 1, memory_order_acquire, memory_order_relaxed))
			continue;
		if (state == 0) {
			b->size = r >> 40 & 255;
			b->sampled = hl_sample_take(&t, key_of(place), b->size);
			atomic_fetch_add_explicit(&taken, (uint32_t)b->sampled, memory_order_relaxed);
			atomic_store_explicit(&b->state, 2, memory_order_release);
			continue;
		}
		if (hl_sample_drop(&t, key_of(place), &size, &temporary)) {
			if (!b->sampled || size != b->size)
				atomic_fetch_add(&wrong_ends, 1);
			atomic_fetch_add_explicit(&dropped, 1, memory_order_relaxed);
			/* a realloc that failed */
			if (r >> 62 == 0) {
				hl_sample_undrop(&t, key_of(place), size);
				atomic_fetch_sub_explicit(&dropped, 1, memory_order_relaxed);
				atomic_store_explicit(&b->state, 2, memory_order_release);
				continue;
			}
		} else if (b->sampled) {
			atomic_fetch_add(&wrong_ends, 1);
		}
		atomic_store_explicit(&b->state, 0, memory_order_release);
	}
	return NULL;
}

START_TEST(each_sampled_block_ends_once_whoever_ends_it)
{
	struct hl_thread t = {.serial = THREADS + 1, .entry_hint = HL_ENTRY_COUNT};
	uint64_t size;
	int temporary;

	hl_guest.config.sample = 128;
	in_threads(make_and_end);
	ck_assert_uint_eq(wrong_ends, 0);
	ck_assert_uint_gt(taken, BLOCKS / 10);
	for (uint64_t place = 0; place < PLACES; place++)
		if (blocks[place].state == 2) {
			ck_assert_int_eq(hl_sample_drop(&t, key_of(place), &size, &temporary),
					 blocks[place].sampled);
			dropped += (uint32_t)blocks[place].sampled;
		}
	ck_assert_uint_eq(taken, dropped);
	for (uint64_t place = 0; place < PLACES; place++)
		ck_assert_int_eq(hl_sample_drop(&t, key_of(place), &size, &temporary), 0);
	for (uint32_t i = 0; i < 1u << HL_FILTER_BITS; i++)
		ck_assert_uint_eq(hl_filter[i], 0);
}
END_TEST

START_TEST(a_block_that_ended_unseen_leaves_no_second_key)
{
	struct hl_thread t = {.serial = 1, .entry_hint = HL_ENTRY_COUNT};
	uint64_t size;
	int temporary;

	hl_guest.config.sample = 1;
	hl_sample_begin(&t);
	ck_assert_int_eq(hl_sample_take(&t, 0x1000, 1000), 1);
	ck_assert_int_eq(hl_sample_take(&t, 0x1000, 2000), 1);
	ck_assert_int_eq(hl_sample_drop(&t, 0x1000, &size, &temporary), 1);
	ck_assert_uint_eq(size, 2000);
	ck_assert_int_eq(hl_sample_drop(&t, 0x1000, &size, &temporary), 0);
	ck_assert_int_eq(hl_filter_maybe(0x1000), 0);
}
END_TEST

START_TEST(only_the_newest_block_is_temporary)
{
	struct hl_thread t = {.serial = 1, .entry_hint = HL_ENTRY_COUNT};
	uint64_t size;
	int temporary;

	hl_guest.config.sample = 1;
	hl_sample_begin(&t);
	for (uint64_t i = 0; i < 1000; i++) {
		ck_assert_int_eq(hl_sample_take(&t, 0x1000, 1000), 1);
		ck_assert_int_eq(hl_sample_take(&t, 0x2000, 1000), 1);
		ck_assert_int_eq(hl_sample_drop(&t, 0x1000, &size, &temporary), 1);
		ck_assert_int_eq(temporary, 0);
		ck_assert_int_eq(hl_sample_drop(&t, 0x2000, &size, &temporary), 1);
		ck_assert_int_eq(temporary, 1);
	}
}
END_TEST

START_TEST(a_block_is_sampled_as_often_as_its_size_says)
{
	static const struct {
		uint64_t rate, size;
	} cases[] = {{1, 0},    {1, 1},     {1, 2},         {100, 1},
		     {100, 69}, {100, 500}, {524288, 4096}, {1ull << 40, 1ull << 39}};
	const unsigned tries = 200000 / SHARE;

	for (unsigned c = 0; c < sizeof cases / sizeof cases[0]; c++) {
		double s = cases[c].size ? (double)cases[c].size : 1;
		double p = -expm1(-s / (double)cases[c].rate), sigma = sqrt(tries * p * (1 - p));
		struct hl_thread t = {.serial = 1, .entry_hint = HL_ENTRY_COUNT};
		unsigned hits = 0;
		uint64_t size;
		int temporary;

		hl_guest.config.sample = cases[c].rate;
		hl_sample_begin(&t);
		for (unsigned i = 0; i < tries; i++) {
			/* as malloc does it */
			if (hl_sample_skips(cases[c].size) || !hl_sample_take(&t, 0x1000, cases[c].size))
				continue;
			hits++;
			ck_assert_int_eq(hl_sample_drop(&t, 0x1000, &size, &temporary), 1);
		}
		/* fails by chance once in 10^8 runs */
		ck_assert_msg(fabs(hits - tries * p) <= 6 * sigma + 1e-6,
			      "rate %llu, size %llu: %u of %u, not %g", (unsigned long long)cases[c].rate,
			      (unsigned long long)cases[c].size, hits, tries, tries * p);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tables");
	TCase *t = tcase_create("tables");
	SRunner *r = srunner_create(s);
	int failed;

	hl_guest.page_bytes = 4096;
	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_key_has_its_own_id_while_tables_grow);
	tcase_add_test(t, ids_end_where_they_were_told_to);
	tcase_add_test(t, every_key_of_a_large_table_is_found);
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
	tcase_add_test(t, a_key_that_is_sought_in_a_table_just_replaced_has_no_other_keys_id);
#endif
	tcase_add_test(t, what_was_flushed_does_not_come_back_from_a_table_that_grows);
	tcase_add_test(t, rules_are_found_after_every_growth);
	tcase_add_loop_test(t, modules_that_are_asked_for_once_and_at_once_are_all_noted, 0,
			    getenv("CK_FORK") ? 1 : 200); /* each in a process of its own */
	if (!getenv("CK_FORK"))
		tcase_add_test(t, a_thread_that_leaves_by_a_jump_while_it_enters_a_module_stops_nobody);
	tcase_add_test(t, each_sampled_block_ends_once_whoever_ends_it);
	tcase_add_test(t, a_block_that_ended_unseen_leaves_no_second_key);
	tcase_add_test(t, only_the_newest_block_is_temporary);
	tcase_add_test(t, a_block_is_sampled_as_often_as_its_size_says);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
