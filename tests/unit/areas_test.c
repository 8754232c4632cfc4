/*
 * areas_test.c - which memory outside the blocks keeps what it points to.
 */
#include "analyzer/analysis/areas.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

#define PID 100u
#define MIB ((uint64_t)1 << 20)

static struct hl_module modules[] = {
	{.start = 0x400000, .end = 0x410000, .last_epoch = UINT32_MAX, .path = (char *)"/bin/app"},
	{.start = 0x7f0000000000,
	 .end = 0x7f0000200000,
	 .last_epoch = UINT32_MAX,
	 .path = (char *)"/lib/libc.so.6"},
	{.start = 0x7f0000400000,
	 .end = 0x7f0000440000,
	 .last_epoch = UINT32_MAX,
	 .path = (char *)"/lib/ld-linux-x86-64.so.2"},
	{.start = 0x7f0000500000,
	 .end = 0x7f0000540000,
	 .last_epoch = UINT32_MAX,
	 .path = (char *)"/lib/libjemalloc.so.2"},
	{.start = 0x500000, .end = 0x510000, .last_epoch = 3, .path = (char *)"/lib/gone.so"},
};
static struct hl_facts facts;
static struct hl_image_at image;
static struct hl_image_map maps[16];
static struct hl_image_thread threads[8];
static struct hl_mapping mappings[16];
static struct hl_thread ended[2];
static struct hl_areas areas;
static uint64_t blocks[4];
static size_t nblocks;

static void setup(void)
{
	facts = (struct hl_facts){.modules = modules, .nmodules = 5, .mappings = mappings, .threads = ended};
	facts.process.pid = PID;
	image = (struct hl_image_at){.stamp = 1000, .maps = maps, .threads = threads};
	nblocks = 0;
}

static void teardown(void)
{
	hl_areas_release(&areas);
}

static void map(uint64_t start, uint64_t end, uint32_t flags, const char *name)
{
	maps[image.nmaps++] = (struct hl_image_map){start, end, flags, (char *)name};
}

static void thread(uint32_t tid, uint64_t sp, uint64_t tp)
{
	threads[image.nthreads++] =
		(struct hl_image_thread){.tid = tid, .how = HL_IMAGE_PARKED, .sp = sp, .tp = tp};
}

static void mapping(uint64_t start, uint64_t end, uint32_t module, int mapped, uint64_t stamp)
{
	mappings[facts.nmappings++] = (struct hl_mapping){start, end, stamp, module, (uint8_t)mapped};
}

static int holds(void *ctx, uint64_t start, uint64_t end)
{
	(void)ctx;
	for (size_t i = 0; i < nblocks; i++)
		if (blocks[i] >= start && blocks[i] < end)
			return 1;
	return 0;
}

static void build(void)
{
	hl_areas_build(&areas, &image, &facts, holds, NULL);
	for (size_t i = 1; i < areas.n; i++)
		ck_assert_uint_ge(areas.area[i].start, areas.area[i - 1].end);
}

static const struct hl_area *at(uint64_t address)
{
	size_t hint = 0;
	const struct hl_area *p = hl_areas_at(&areas, address, &hint);

	/* from any hint the answer is the same */
	for (size_t i = 0; i <= areas.n; i++) {
		hint = i;
		ck_assert_ptr_eq(hl_areas_at(&areas, address, &hint), p);
	}
	return p;
}

static void is(uint64_t address, enum hl_area_kind kind)
{
	ck_assert_msg(at(address) != NULL, "nothing at %llx", (unsigned long long)address);
	ck_assert_int_eq(at(address)->kind, kind);
}

static void is_nothing(uint64_t address)
{
	ck_assert_msg(!at(address), "a area at %llx", (unsigned long long)address);
}

START_TEST(data_of_modules_counts_and_libcs_only_by_starts)
{
	map(0x408000, 0x40a000, HL_IMAGE_MAP_WRITE, "/bin/app");
	map(0x40a000, 0x418000, HL_IMAGE_MAP_WRITE, ""); /* .bss, and what is mapped behind it */
	map(0x508000, 0x509000, HL_IMAGE_MAP_WRITE, "");
	map(0x7f00001e0000, 0x7f00001f0000, HL_IMAGE_MAP_WRITE, "/lib/libc.so.6");
	map(0x7f00003f0000, 0x7f00003f8000, 0, "/lib/relro");
	blocks[nblocks++] = 0x508010;
	build();
	is(0x408000, HL_AREA_MODULE);
	is(0x40fff8, HL_AREA_MODULE);
	is_nothing(0x410000);
	ck_assert_int_eq(at(0x408000)->exact, 0);
	ck_assert_uint_eq(at(0x408000)->module, 0);
	ck_assert_int_eq(at(0x7f00001e0000)->exact, 1);
	/* unloaded: an allocator's memory now */
	is_nothing(0x508000);
	/* nobody can write there */
	is_nothing(0x7f00003f0000);
}
END_TEST

START_TEST(a_stack_counts_from_its_stack_pointer_up)
{
	map(0x7e0000000000, 0x7e0000800000, HL_IMAGE_MAP_WRITE, "");
	map(0x7ffff0000000, 0x7ffff0021000, HL_IMAGE_MAP_WRITE, "[stack]");
	thread(PID, 0x7ffff0020004, 0x7f0000300740);
	thread(101, 0x7e00007fe000, 0x7e00007ff6c0);
	build();
	is_nothing(0x7ffff001fff8);
	is(0x7ffff0020000, HL_AREA_STACK);
	ck_assert_uint_eq(at(0x7ffff0020000)->tid, PID);
	is_nothing(0x7e00007fdff8);
	is(0x7e00007fe000, HL_AREA_STACK);
	is(0x7e00007ffff8, HL_AREA_STACK);
	ck_assert_uint_eq(at(0x7e00007fe000)->tid, 101);
	ck_assert_int_eq(areas.whole_stacks, 0);
}
END_TEST

START_TEST(all_of_a_stack_counts_when_its_thread_runs_on_another)
{
	map(0x7e0000000000, 0x7e0000800000, HL_IMAGE_MAP_WRITE, "");
	map(0x7e0001000000, 0x7e0001010000, HL_IMAGE_MAP_WRITE, ""); /* a coroutine's */
	map(0x7ffff0000000, 0x7ffff0021000, HL_IMAGE_MAP_WRITE, "[stack]");
	thread(PID, 0x555500, 0x7f0000300740); /* in a block */
	thread(101, 0x7e0001008000, 0x7e00007ff6c0);
	build();
	is(0x7ffff0000000, HL_AREA_STACK);
	is(0x7e0000000000, HL_AREA_STACK);
	is_nothing(0x7e0001007ff8);
	is(0x7e0001008000, HL_AREA_STACK);
	ck_assert_int_eq(areas.whole_stacks, 2);
}
END_TEST

START_TEST(what_is_mapped_behind_a_threads_stack_is_not_it)
{
	map(0x7e0000000000, 0x7e0002000000, HL_IMAGE_MAP_WRITE, "");
	thread(101, 0x7e00007fe000, 0x7e00007ff6c0);
	build();
	is(0x7e00007ff6c0, HL_AREA_STACK);
	is_nothing(0x7e0000802000);
}
END_TEST

START_TEST(the_stack_of_an_ended_thread_does_not_count_but_its_result_does)
{
	map(0x7e0000000000, 0x7e0000800000, HL_IMAGE_MAP_WRITE, "");
	map(0x7e0001000000, 0x7e0001800000, HL_IMAGE_MAP_WRITE, "");
	ended[0] =
		(struct hl_thread){.serial = 1, .tid = 101, .stack_high = 0x7e00007ff6c0, .end_stamp = 900};
	/* its stack was handed on */
	ended[1] =
		(struct hl_thread){.serial = 2, .tid = 102, .stack_high = 0x7e00017ff6c0, .end_stamp = 800};
	facts.nthreads = 2;
	thread(103, 0x7e00017fe000, 0x7e00017ff6c0);
	build();
	is_nothing(0x7e00007fe000);
	is_nothing(0x7e00007ff6b8);
	is(0x7e00007ff6c0, HL_AREA_STACK);
	ck_assert_int_eq(at(0x7e00007ff6c0)->exact, 1);
	is(0x7e00017fe000, HL_AREA_STACK);
	ck_assert_int_eq(at(0x7e00017fe000)->exact, 0);
}
END_TEST

START_TEST(the_first_threads_tls_counts_whole)
{
	map(0x7f0000300000, 0x7f0000308000, HL_IMAGE_MAP_WRITE, "");
	map(0x7ffff0000000, 0x7ffff0021000, HL_IMAGE_MAP_WRITE, "[stack]");
	thread(PID, 0x7ffff0020000, 0x7f0000300740);
	blocks[nblocks++] = 0x7f0000302010; /* a large one, which the kernel shows as one with it */
	build();
	is(0x7f0000300000, HL_AREA_TLS);
	is(0x7f0000307ff8, HL_AREA_TLS);
}
END_TEST

START_TEST(memory_that_the_kernel_shows_as_one_with_a_modules_is_judged_by_itself)
{
	map(0x7effffff0000, 0x7f0000210000, HL_IMAGE_MAP_WRITE, "");
	thread(PID, 0x7ffff0020000, 0x7f0000208740);
	blocks[nblocks++] = 0x7effffff8000;
	build();
	is_nothing(0x7effffff0000);
	is(0x7f0000000000, HL_AREA_MODULE);
	is(0x7f00001ffff8, HL_AREA_MODULE);
	is(0x7f0000200000, HL_AREA_TLS);
	is(0x7f000020fff8, HL_AREA_TLS);
}
END_TEST

START_TEST(an_allocators_memory_does_not_count_and_the_programs_does)
{
	map(0x1000000, 0x1021000, HL_IMAGE_MAP_WRITE, "[heap]");
	map(0x7e0004000000, 0x7e0004021000, HL_IMAGE_MAP_WRITE, "");        /* an empty arena */
	map(0x7e0009000000, 0x7e0009021000, HL_IMAGE_MAP_WRITE, "");        /* nobody's, with a block */
	map(0x7e000a000000 + 4096, 0x7e000a021000, HL_IMAGE_MAP_WRITE, ""); /* nobody's */
	map(0x7e000b000000, 0x7e000b040000, HL_IMAGE_MAP_WRITE, "");        /* partly the program's */
	map(0x7e000d000000, 0x7e000d200000, HL_IMAGE_MAP_WRITE, "");        /* jemalloc's */
	map(0x7e000e000000, 0x7e000e001000, HL_IMAGE_MAP_WRITE | HL_IMAGE_MAP_SHARED, "/dev/shm/x");
	map(0x7e000f000000, 0x7e000f001000, HL_IMAGE_MAP_WRITE, "/tmp/file");
	blocks[nblocks++] = 0x7e0009000010;
	blocks[nblocks++] = 0x7e000b000010;
	blocks[nblocks++] = 0x7e000d000010;
	mapping(0x7e000b010000, 0x7e000b040000, 0, 1, 10);
	mapping(0x7e000b020000, 0x7e000b021000, 0, 0, 20);
	mapping(0x7e000d000000, 0x7e000d200000, 3, 1, 30);
	/* after the image */
	mapping(0x7e000b010000, 0x7e000b040000, 0, 0, 2000);
	build();
	is_nothing(0x1000000);
	is_nothing(0x7e0004000000);
	is_nothing(0x7e0009000000);
	is(0x7e000a001000, HL_AREA_MAPPED);
	is_nothing(0x7e000b00fff8);
	is(0x7e000b010000, HL_AREA_MAPPED);
	is(0x7e000b01fff8, HL_AREA_MAPPED);
	is_nothing(0x7e000b020000);
	is(0x7e000b021000, HL_AREA_MAPPED);
	is_nothing(0x7e000d000000);
	is(0x7e000e000000, HL_AREA_SHARED);
	is(0x7e000f000000, HL_AREA_FILE);
}
END_TEST

START_TEST(mappings_that_overlap_leave_what_a_byte_by_byte_replay_leaves)
{
	/* pages 0..63 of a mapping that holds blocks: what the program mapped, in its pieces */
	for (unsigned seed = 0; seed < 300; seed++) {
		uint8_t mine[64] = {0};

		teardown();
		setup();
		srand(seed);
		image.nmaps = 0;
		map(0x7e0000001000, 0x7e0000041000, HL_IMAGE_MAP_WRITE, "");
		blocks[nblocks++] = 0x7e0000001000;
		for (unsigned i = 0; i < 15; i++) {
			unsigned from = (unsigned)rand() % 64, to = from + 1 + (unsigned)rand() % (64 - from);
			unsigned module = (unsigned)rand() % 2, mapped = (unsigned)rand() % 3 != 0;

			mapping(0x7e0000001000 + from * 4096ull, 0x7e0000001000 + to * 4096ull, module,
				(int)mapped, i);
			for (unsigned k = from; k < to; k++)
				mine[k] = mapped && module == 0;
		}
		build();
		for (unsigned k = 0; k < 64; k++)
			ck_assert_msg(!!at(0x7e0000001000 + k * 4096ull) == mine[k], "seed %u, page %u", seed,
				      k);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("areas");
	TCase *t = tcase_create("areas");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, data_of_modules_counts_and_libcs_only_by_starts);
	tcase_add_test(t, a_stack_counts_from_its_stack_pointer_up);
	tcase_add_test(t, all_of_a_stack_counts_when_its_thread_runs_on_another);
	tcase_add_test(t, what_is_mapped_behind_a_threads_stack_is_not_it);
	tcase_add_test(t, the_stack_of_an_ended_thread_does_not_count_but_its_result_does);
	tcase_add_test(t, the_first_threads_tls_counts_whole);
	tcase_add_test(t, memory_that_the_kernel_shows_as_one_with_a_modules_is_judged_by_itself);
	tcase_add_test(t, an_allocators_memory_does_not_count_and_the_programs_does);
	tcase_add_test(t, mappings_that_overlap_leave_what_a_byte_by_byte_replay_leaves);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
