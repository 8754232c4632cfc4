/*
 * graph_memcheck_test.c - kinds of random graphs against memcheck's, of the same blocks in the same process.
 *
 * Run with a seed, this program makes a graph of real blocks, prints what hl_graph says of it, and ends; valgrind
 * then prints what it says.  What is reachable and possible must be the same, byte for byte.  Of the
 * lost, memcheck may call more definite: a cycle it has begun with stays so when another block turns out to lead
 * to it.
 */
#include "analyzer/analysis/graph.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCKS 60
#define SEEDS  8
#define HIDE   0x5a5a5a5a5a5a5a5aull /* so that the table of blocks is no root */

struct heap {
	uint64_t seed, hidden[BLOCKS], size[BLOCKS];
	uint64_t roots[6];
};

static uint32_t pick(struct heap *h, uint32_t n)
{
	h->seed = h->seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(h->seed >> 33) % n;
}

static uint64_t *block(const struct heap *h, unsigned i)
{
	return (uint64_t *)(h->hidden[i] ^ HIDE);
}

static uint64_t pointer(struct heap *h)
{
	unsigned i = pick(h, BLOCKS);
	uint64_t start = (uint64_t)block(h, i);

	switch (pick(h, 8)) {
	case 0:
		return start + h->size[i];
	case 1:
	case 2:
		return start + pick(h, (uint32_t)h->size[i]);
	case 3:
		return 0;
	default:
		return start;
	}
}

static __attribute__((noinline)) void make_heap(struct heap *h)
{
	for (unsigned i = 0; i < BLOCKS; i++) {
		h->size[i] = 8 + pick(h, 8) * 8;
		h->hidden[i] = (uint64_t)calloc(1, h->size[i]) ^ HIDE;
	}
	for (unsigned i = 0; i < BLOCKS; i++)
		for (unsigned w = 0; w < h->size[i] / 8; w++)
			if (pick(h, 100) < 28)
				block(h, i)[w] = pointer(h);
	for (unsigned i = 0, n = 1 + pick(h, 5); i < n; i++)
		h->roots[i] = pointer(h);
}

struct found {
	unsigned long lost, lost_blocks, definite, possible, possible_blocks, reachable, reachable_blocks;
};

static __attribute__((noinline)) void judge(const struct heap *h)
{
	struct hl_graph *g = hl_graph_new(0);
	unsigned long bytes[HL_LEAK_KINDS] = {0}, blocks[HL_LEAK_KINDS] = {0};
	struct hl_diag d;
	size_t ngroups;

	for (unsigned i = 0; i < BLOCKS; i++)
		hl_graph_add_block(g, (uint64_t)block(h, i), h->size[i], i);
	if (hl_graph_sort(g, &d))
		exit(1);
	for (uint32_t b = 0; b < BLOCKS; b++) {
		unsigned i = hl_graph_block(g, b).user;

		for (unsigned w = 0; w < h->size[i] / 8; w++)
			hl_graph_add_word(g, (uint64_t)(block(h, i) + w), block(h, i)[w], -1, -1);
	}
	for (unsigned i = 0; i < 6; i++)
		hl_graph_add_root(g, h->roots[i], i, -1, -1);
	if (hl_graph_solve(g, &d))
		exit(1);
	for (uint32_t b = 0; b < BLOCKS; b++) {
		bytes[hl_graph_block(g, b).kind] += h->size[hl_graph_block(g, b).user];
		blocks[hl_graph_block(g, b).kind]++;
	}
	hl_graph_groups(g, &ngroups);
	dprintf(STDERR_FILENO, "graph: %lu %lu %zu %lu %lu %lu %lu\n",
		bytes[HL_LEAK_DEFINITE] + bytes[HL_LEAK_INDIRECT],
		blocks[HL_LEAK_DEFINITE] + blocks[HL_LEAK_INDIRECT], ngroups, bytes[HL_LEAK_POSSIBLE],
		blocks[HL_LEAK_POSSIBLE], bytes[HL_LEAK_REACHABLE], blocks[HL_LEAK_REACHABLE]);
	hl_graph_free(g);
}

/* No pointer of ours may be left on the stack that main's end leaves behind. */
static __attribute__((noinline)) void wipe_stack(void)
{
	volatile char bytes[1 << 16];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = 0;
}

static char program[] = "/tmp/hl_graph_XXXXXX";

/* This program without debug data: valgrind 3.19 dies of what clang 14 writes. */
static void copy_program(void)
{
	char self[4096], command[5000];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	int fd = mkstemp(program);

	if (length < 0 || fd < 0)
		exit(1);
	close(fd);
	self[length] = 0;
	snprintf(command, sizeof(command), "strip -g -o %s '%s'", program, self);
	if (system(command) != 0)
		exit(1);
}

/* "KEY: N,NNN bytes in N blocks" */
static void read_kind(const char *text, const char *key, unsigned long *bytes, unsigned long *blocks)
{
	const char *at = strstr(text, key);

	*bytes = *blocks = 0;
	ck_assert_ptr_nonnull(at);
	for (at += strlen(key); *at && strchr("0123456789,", *at); at++)
		if (*at != ',')
			*bytes = *bytes * 10 + (unsigned long)(*at - '0');
	ck_assert_int_eq(sscanf(at, " bytes in %lu", blocks), 1);
}

START_TEST(memcheck_finds_the_same_blocks_reachable_possible_and_lost)
{
	char command[512], text[1 << 16];
	unsigned long indirect, blocks;
	struct found ours, theirs;
	size_t n;
	FILE *f;

	snprintf(
		command, sizeof(command),
		"valgrind --leak-check=full --show-leak-kinds=none --leak-check-heuristics=none '%s' %d 2>&1",
		program, _i + 1);
	f = popen(command, "r");
	ck_assert_ptr_nonnull(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = 0;
	pclose(f);
	ck_assert_ptr_nonnull(strstr(text, "graph: "));
	ck_assert_int_eq(sscanf(strstr(text, "graph: "), "graph: %lu %lu %lu %lu %lu %lu %lu", &ours.lost,
				&ours.lost_blocks, &ours.definite, &ours.possible, &ours.possible_blocks,
				&ours.reachable, &ours.reachable_blocks),
			 7);
	read_kind(text, "definitely lost: ", &theirs.lost, &theirs.definite);
	read_kind(text, "indirectly lost: ", &indirect, &blocks);
	read_kind(text, "possibly lost: ", &theirs.possible, &theirs.possible_blocks);
	read_kind(text, "still reachable: ", &theirs.reachable, &theirs.reachable_blocks);
	ck_assert_uint_eq(ours.lost, theirs.lost + indirect);
	ck_assert_uint_eq(ours.lost_blocks, theirs.definite + blocks);
	ck_assert_uint_eq(ours.possible, theirs.possible);
	ck_assert_uint_eq(ours.possible_blocks, theirs.possible_blocks);
	ck_assert_uint_eq(ours.reachable, theirs.reachable);
	ck_assert_uint_eq(ours.reachable_blocks, theirs.reachable_blocks);
	ck_assert_uint_le(ours.definite, theirs.definite);
	ck_assert_uint_le(theirs.definite, ours.definite + 3);
}
END_TEST

int main(int argc, char **argv)
{
	static struct heap h;
	Suite *s;
	TCase *t;
	SRunner *r;
	int failed;

	if (argc > 1) {
		h.seed = strtoull(argv[1], NULL, 10) * 7919;
		make_heap(&h);
		judge(&h);
		wipe_stack();
		return 0;
	}
	if (system("valgrind --version >/dev/null 2>&1") != 0) {
		puts("SKIP: memcheck finds the same blocks: valgrind is not installed");
		return 0;
	}
#ifdef __SANITIZE_ADDRESS__
	puts("SKIP: memcheck finds the same blocks: this program is built with a sanitizer");
	return 0;
#endif
	copy_program();
	s = suite_create("graph against memcheck");
	t = tcase_create("graph against memcheck");
	r = srunner_create(s);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, memcheck_finds_the_same_blocks_reachable_possible_and_lost, 0, SEEDS);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	unlink(program);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
