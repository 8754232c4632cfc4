/*
 * map_test.c - the map and the pool against plain arrays.
 */
#include "analyzer/base/map.h"
#include "analyzer/base/pool.h"
#include <check.h>
#include <stdlib.h>

#define KEYS 5000

static uint64_t seed = 1;

static uint32_t pick(uint32_t n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(seed >> 33) % n;
}

START_TEST(a_map_agrees_with_an_array_after_any_mix_of_puts_and_removals)
{
	static uint32_t model[KEYS];
	struct hl_map m;
	size_t live = 0;

	hl_map_init(&m);
	for (int round = 0; round < 400000; round++) {
		uint32_t k = pick(KEYS), v = pick(1000000) + 1;
		uint64_t key = (uint64_t)k * 16; /* as addresses are, 0 among them */

		switch (pick(3)) {
		case 0:
			live += !model[k];
			hl_map_put(&m, key, v);
			model[k] = v;
			break;
		case 1:
			ck_assert_uint_eq(hl_map_remove(&m, key), model[k]);
			live -= model[k] != 0;
			model[k] = 0;
			break;
		case 2:
			ck_assert_uint_eq(hl_map_get(&m, key), model[k]);
			break;
		}
	}
	ck_assert_uint_eq(m.count, live);
	for (uint32_t k = 0; k < KEYS; k++)
		ck_assert_uint_eq(hl_map_get(&m, (uint64_t)k * 16), model[k]);
	hl_map_release(&m);
}
END_TEST

START_TEST(a_removal_keeps_every_other_key_of_a_crowded_table_reachable)
{
	/* sixteen entries, twelve keys: runs of neighbours form for any seed and wrap around */
	for (int round = 0; round < 2000; round++) {
		struct hl_map m;
		uint64_t keys[12];

		hl_map_init(&m);
		for (uint32_t i = 0; i < 12; i++) {
			keys[i] = (uint64_t)pick(1u << 30) << 12 | i;
			hl_map_put(&m, keys[i], i + 1);
		}
		ck_assert_uint_eq(m.mask, 15);
		for (uint32_t gone = 0; gone < 12; gone++) {
			ck_assert_uint_eq(hl_map_remove(&m, keys[gone]), gone + 1);
			for (uint32_t i = 0; i < 12; i++)
				ck_assert_uint_eq(hl_map_get(&m, keys[i]), i <= gone ? 0 : i + 1);
		}
		hl_map_release(&m);
	}
}
END_TEST

START_TEST(a_slot_is_found_again_and_a_cleared_map_is_empty)
{
	struct hl_map m;
	uint32_t *at;

	hl_map_init(&m);
	at = hl_map_slot(&m, 42);
	ck_assert_uint_eq(*at, 0);
	*at = 7;
	ck_assert_uint_eq(*hl_map_slot(&m, 42), 7);
	ck_assert_uint_eq(m.count, 1);
	hl_map_clear(&m);
	ck_assert_uint_eq(hl_map_get(&m, 42), 0);
	ck_assert_uint_eq(m.count, 0);
	hl_map_release(&m);
}
END_TEST

START_TEST(pool_indices_are_unique_while_they_live_and_are_used_again)
{
	struct hl_pool p;
	static uint8_t live[4096];
	uint32_t held[1000], n = 0;

	hl_pool_init(&p, 24);
	for (int round = 0; round < 100000; round++) {
		if (n < 1000 && (n == 0 || pick(2))) {
			uint32_t i = hl_pool_take(&p);

			ck_assert_uint_gt(i, 0);
			ck_assert_uint_lt(i, 4096);
			ck_assert_uint_eq(live[i], 0);
			live[i] = 1;
			*(uint64_t *)((char *)hl_pool_at(&p, i) + 8) = i;
			held[n++] = i;
		} else {
			uint32_t k = pick(n), i = held[k];

			ck_assert_uint_eq(*(uint64_t *)((char *)hl_pool_at(&p, i) + 8), i);
			live[i] = 0;
			hl_pool_give(&p, i);
			held[k] = held[--n];
		}
	}
	ck_assert_uint_le(p.len, 1001);
	hl_pool_release(&p);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("map");
	TCase *t = tcase_create("map");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_map_agrees_with_an_array_after_any_mix_of_puts_and_removals);
	tcase_add_test(t, a_removal_keeps_every_other_key_of_a_crowded_table_reachable);
	tcase_add_test(t, a_slot_is_found_again_and_a_cleared_map_is_empty);
	tcase_add_test(t, pool_indices_are_unique_while_they_live_and_are_used_again);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
