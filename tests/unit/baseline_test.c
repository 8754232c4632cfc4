/*
 * baseline_test.c - the identity of a loss, the key file, new and grown and fixed.
 */
#include "analyzer/analysis/baseline_live.h"
#include "tests/unit/suppress_fixture.h"

static struct hl_names *names;
static struct hl_baseline b;
static struct hl_diag d;
static struct hl_buf out;

static void begin(void)
{
	names = hl_names_new();
	b = (struct hl_baseline){0};
	d = (struct hl_diag){0};
	out = (struct hl_buf){0};
}

static void end(void)
{
	hl_baseline_release(&b);
	hl_buf_release(&out);
	hl_names_free(names);
}

static int parse(const char *text)
{
	return hl_baseline_parse(&b, text, strlen(text), "keys", &d);
}

static uint64_t hash(const struct test_frame *f, size_t n)
{
	return hl_baseline_hash(names, make_traceback(names, f, n));
}

START_TEST(the_hash_is_fnv_of_the_names)
{
	begin();
	ck_assert_uint_eq(hl_baseline_hash(names, 0), 0xcbf29ce484222325ull);
	/* of "a\n" and "leak\nmain\n", computed by a program that gives the published value for "foobar" */
	ck_assert_uint_eq(hl_baseline_hash(names, make_chain(names, "a")), 0x089bdc07b544e7b2ull);
	ck_assert_uint_eq(hl_baseline_hash(names, make_chain(names, "leak < main")), 0xac9cc58971483229ull);
	end();
}
END_TEST

START_TEST(lines_paths_and_offsets_do_not_count)
{
	struct test_frame was[] = {{"f", "/home/a/x.c", 10, "/home/a/build/prog"},
				   {NULL, NULL, 0x1234, "/usr/lib/libx.so.1"},
				   {NULL, NULL, 0x1333, "/usr/lib/libx.so.1"},
				   {"g", NULL, 0, "/usr/lib/liby.so"},
				   {NULL, NULL, 0, NULL},
				   {"main", "/home/a/m.c", 3, "/home/a/build/prog"}};
	struct test_frame is[] = {{"f.constprop.0", "/ci/x.c", 99, "/ci/out/prog"},
				  {NULL, NULL, 0x99, "/opt/lib/libx.so.1"},
				  {"g [clone .isra.3]", "/y/y.c", 8, "/opt/lib/liby.so"},
				  {NULL, NULL, 0, NULL},
				  {"main.cold", "/ci/m.c", 4, "/ci/out/prog"}};
	struct test_frame other = was[0];

	begin();
	ck_assert_uint_eq(hash(was, 6), hash(is, 5));
	ck_assert_uint_ne(hash(was, 6), hash(was, 5));
	other.function = "f2";
	ck_assert_uint_ne(hash(was, 1), hash(&other, 1));
	/* no name is cut that only looks like it */
	ck_assert_uint_ne(hl_baseline_hash(names, make_chain(names, "f.part.x")),
			  hl_baseline_hash(names, make_chain(names, "f")));
	ck_assert_uint_ne(hl_baseline_hash(names, make_chain(names, "f.colder")),
			  hl_baseline_hash(names, make_chain(names, "f")));
	/* nor are two chains one because their names, put together, are */
	ck_assert_uint_ne(hl_baseline_hash(names, make_chain(names, "ab < c")),
			  hl_baseline_hash(names, make_chain(names, "a < bc")));
	ck_assert_uint_ne(hl_baseline_hash(names, make_chain(names, "a < b")),
			  hl_baseline_hash(names, make_chain(names, "b < a")));
	/* recursion counts, a run of unknown functions of one module does not */
	ck_assert_uint_ne(hl_baseline_hash(names, make_chain(names, "a < a")),
			  hl_baseline_hash(names, make_chain(names, "a")));
	end();
}
END_TEST

START_TEST(a_file_is_sorted_and_readable)
{
	static const char text[] = "heapledger baseline 1\n"
				   "%016llx definite 30 3 f < main\n"
				   "%016llx reachable 7 1 f < main\n";
	struct test_frame odd = {"a\nb\\c\033", NULL, 0, "/p"}, blanks = {"  ", NULL, 0, "/p"};
	char want[300];
	uint32_t f, o;

	begin();
	hl_baseline_write(&b, &out);
	ck_assert_str_eq(hl_buf_string(&out), "heapledger baseline 1\n");
	out.len = 0;
	f = make_chain(names, "f < main");
	hl_baseline_add(&b, HL_LEAK_REACHABLE, f, 7, 1, names);
	hl_baseline_add(&b, HL_LEAK_DEFINITE, f, 10, 1, names);
	hl_baseline_add(&b, HL_LEAK_DEFINITE, f, 20, 2, names);
	hl_baseline_write(&b, &out);
	snprintf(want, sizeof(want), text, (unsigned long long)hl_baseline_hash(names, f),
		 (unsigned long long)hl_baseline_hash(names, f));
	ck_assert_str_eq(hl_buf_string(&out), want);
	out.len = 0;
	o = make_traceback(names, &odd, 1);
	hl_names_set_truncated(names, o);
	hl_baseline_release(&b);
	hl_baseline_add(&b, HL_LEAK_POSSIBLE, o, 1, 1, names);
	hl_baseline_add(&b, HL_LEAK_POSSIBLE, make_traceback(names, &blanks, 1), 1, 1, names);
	hl_baseline_add(&b, HL_LEAK_POSSIBLE, 0, 1, 1, names);
	hl_baseline_write(&b, &out);
	ck_assert_ptr_nonnull(strstr(hl_buf_string(&out), " possible 1 1 a\\x0ab\\x5cc\\x1b < ...\n"));
	ck_assert_ptr_nonnull(strstr(hl_buf_string(&out), " possible 1 1  \\x20\n"));
	ck_assert_ptr_nonnull(strstr(hl_buf_string(&out), "cbf29ce484222325 possible 1 1 ?\n"));
	end();
}
END_TEST

START_TEST(what_is_written_does_not_depend_on_order)
{
	struct hl_baseline again = {0};
	struct hl_buf second = {0};
	char chain[40];

	begin();
	for (int i = 0; i < 500; i++) {
		/* two tracebacks of one key each: f and its copy */
		snprintf(chain, sizeof(chain), "f%d%s < main", i / 2, i & 1 ? ".part.0" : "");
		hl_baseline_add(&b, HL_LEAK_DEFINITE, make_chain(names, chain), (uint64_t)i, 1, names);
	}
	for (int i = 499; i >= 0; i--) {
		snprintf(chain, sizeof(chain), "f%d%s < main", i / 2, i & 1 ? ".part.0" : "");
		hl_baseline_add(&again, HL_LEAK_DEFINITE, make_chain(names, chain), (uint64_t)i, 1, names);
	}
	ck_assert_uint_eq(b.n, 250);
	hl_baseline_write(&b, &out);
	hl_baseline_write(&again, &second);
	ck_assert_str_eq(hl_buf_string(&out), hl_buf_string(&second));
	/* read and written, it is the same; and everything is found after sorting */
	hl_baseline_release(&again);
	ck_assert_msg(!hl_baseline_parse(&again, (char *)out.data, out.len, "keys", &d), "%s", d.text);
	second.len = 0;
	hl_baseline_write(&again, &second);
	ck_assert_str_eq(hl_buf_string(&out), hl_buf_string(&second));
	for (int i = 0; i < 250; i++) {
		const struct hl_baseline_entry *e;

		snprintf(chain, sizeof(chain), "f%d < main", i);
		e = hl_baseline_find(&again, HL_LEAK_DEFINITE,
				     hl_baseline_hash(names, make_chain(names, chain)));
		ck_assert_ptr_nonnull(e);
		ck_assert_uint_eq(e->bytes, (uint64_t)i * 4 + 1);
		ck_assert_uint_eq(e->blocks, 2);
	}
	hl_baseline_release(&again);
	hl_buf_release(&second);
	end();
}
END_TEST

static const struct hl_baseline_entry *old;

static enum hl_baseline_state state(const struct hl_baseline *now, enum hl_leak_kind kind, uint32_t traceback)
{
	return hl_baseline_compare(&b, now, kind, hl_baseline_hash(names, traceback), &old);
}

START_TEST(the_chain_that_is_shown_does_not_depend_on_order)
{
	struct test_frame f = {"f", "/a.c", 1, "/p"}, g = {"f", "/a.c", 2, "/p"};
	uint32_t whole, cut;

	begin();
	whole = make_traceback(names, &f, 1);
	cut = make_traceback(names, &g, 1);
	hl_names_set_truncated(names, cut);
	hl_baseline_add(&b, HL_LEAK_DEFINITE, cut, 1, 1, names);
	hl_baseline_add(&b, HL_LEAK_DEFINITE, whole, 1, 1, names);
	hl_baseline_add(&b, HL_LEAK_POSSIBLE, whole, 1, 1, names);
	hl_baseline_add(&b, HL_LEAK_POSSIBLE, cut, 1, 1, names);
	ck_assert_uint_eq(b.n, 2);
	ck_assert_str_eq(b.entry[0].chain, "f");
	ck_assert_str_eq(b.entry[1].chain, "f");
	end();
}
END_TEST

START_TEST(new_grown_known_and_fixed)
{
	struct hl_baseline now = {0};
	uint32_t same, bytes, blocks, less, fresh, gone, kept;

	begin();
	same = make_chain(names, "same");
	bytes = make_chain(names, "bytes");
	blocks = make_chain(names, "blocks");
	less = make_chain(names, "less");
	fresh = make_chain(names, "fresh");
	gone = make_chain(names, "gone");
	kept = make_chain(names, "kept");
	hl_baseline_add(&b, HL_LEAK_DEFINITE, same, 10, 2, names);
	hl_baseline_add(&b, HL_LEAK_DEFINITE, bytes, 10, 2, names);
	hl_baseline_add(&b, HL_LEAK_DEFINITE, blocks, 10, 2, names);
	hl_baseline_add(&b, HL_LEAK_DEFINITE, less, 10, 2, names);
	hl_baseline_add(&b, HL_LEAK_DEFINITE, gone, 10, 2, names);
	hl_baseline_add(&b, HL_LEAK_REACHABLE, kept, 10, 2, names);
	hl_baseline_write(&b, &out);
	hl_baseline_add(&now, HL_LEAK_DEFINITE, same, 4, 1, names);
	hl_baseline_add(&now, HL_LEAK_DEFINITE, same, 6, 1, names);
	hl_baseline_add(&now, HL_LEAK_DEFINITE, bytes, 11, 2, names);
	hl_baseline_add(&now, HL_LEAK_DEFINITE, blocks, 9, 3, names);
	hl_baseline_add(&now, HL_LEAK_DEFINITE, less, 9, 1, names);
	hl_baseline_add(&now, HL_LEAK_DEFINITE, fresh, 1, 1, names);
	/* another kind is another key */
	hl_baseline_add(&now, HL_LEAK_POSSIBLE, same, 1, 1, names);
	ck_assert_int_eq(state(&now, HL_LEAK_DEFINITE, same), HL_BASELINE_KNOWN);
	ck_assert_uint_eq(old->bytes, 10);
	ck_assert_uint_eq(old->blocks, 2);
	ck_assert_int_eq(state(&now, HL_LEAK_DEFINITE, bytes), HL_BASELINE_GROWN);
	ck_assert_int_eq(state(&now, HL_LEAK_DEFINITE, blocks), HL_BASELINE_GROWN);
	ck_assert_int_eq(state(&now, HL_LEAK_DEFINITE, less), HL_BASELINE_KNOWN);
	ck_assert_int_eq(state(&now, HL_LEAK_DEFINITE, fresh), HL_BASELINE_NEW);
	ck_assert_ptr_null(old);
	ck_assert_int_eq(state(&now, HL_LEAK_POSSIBLE, same), HL_BASELINE_NEW);
	ck_assert_uint_eq(hl_baseline_mark_fixed(&b, &now, 1u << HL_LEAK_DEFINITE), 1);
	for (size_t i = 0; i < b.n; i++)
		ck_assert_int_eq(b.entry[i].gone, !strcmp(b.entry[i].chain, "gone"));
	ck_assert_uint_eq(hl_baseline_mark_fixed(&b, &now, 15), 2);
	ck_assert_uint_eq(hl_baseline_mark_fixed(&b, &b, 15), 0);
	hl_baseline_release(&now);
	end();
}
END_TEST

START_TEST(files_are_read_with_care)
{
	static const char good[] = "# ours\r\nheapledger baseline 1\r\n\r\n"
				   "00000000000000ff definite 12 3 f < main\r\n"
				   "# a note\n"
				   "00000000000000fe possible 18446744073709551615 1 g h";
	static const struct {
		const char *text, *where;
	} bad[] = {
		{"", "keys:1:"},
		{"# only that\n", "keys:1:"},
		{"heapledger baseline 2\n", "keys:1:"},
		{"00000000000000ff definite 12 3 f\n", "keys:1:"},
		{"heapledger baseline 1\n<<<<<<< HEAD\n", "keys:2:"},
		{"heapledger baseline 1\n\nff definite 12 3 f\n", "keys:3:"},
		{"heapledger baseline 1\n00000000000000FF definite 12 3 f\n", "keys:2:"},
		{"heapledger baseline 1\n00000000000000ff definit 12 3 f\n", "keys:2:"},
		{"heapledger baseline 1\n00000000000000ff definite 1a 3 f\n", "keys:2:"},
		{"heapledger baseline 1\n00000000000000ff definite -1 3 f\n", "keys:2:"},
		{"heapledger baseline 1\n00000000000000ff definite 18446744073709551616 3 f\n", "keys:2:"},
		{"heapledger baseline 1\n00000000000000ff definite 12 3\n", "keys:2:"},
		{"heapledger baseline 1\n00000000000000ff definite 12\n", "keys:2:"},
		{"heapledger baseline 1\n00000000000000ff definite 12 3 f\n000000000000000000ff definite 12 "
		 "3 f\n",
		 "keys:3:"},
	};

	begin();
	ck_assert_msg(!parse(good), "%s", d.text);
	ck_assert_uint_eq(b.n, 2);
	ck_assert_uint_eq(hl_baseline_find(&b, HL_LEAK_DEFINITE, 255)->bytes, 12);
	ck_assert_str_eq(hl_baseline_find(&b, HL_LEAK_DEFINITE, 255)->chain, "f < main");
	ck_assert_uint_eq(hl_baseline_find(&b, HL_LEAK_POSSIBLE, 254)->bytes, UINT64_MAX);
	ck_assert_ptr_null(hl_baseline_find(&b, HL_LEAK_POSSIBLE, 255));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_msg(parse(bad[i].text) == HL_ERR_FORMAT, "%s", bad[i].text);
		ck_assert_msg(!strncmp(d.text, bad[i].where, strlen(bad[i].where)), "%s for %s", d.text,
			      bad[i].text);
		ck_assert_uint_eq(b.n, 2);
	}
	ck_assert_int_eq(hl_baseline_parse(&b, "heapledger baseline 1\n00000000000000ff definite 1 1 a\0b\n",
					   54, "keys", &d),
			 HL_ERR_FORMAT);
	end();
}
END_TEST

START_TEST(a_merge_that_left_both_lines_is_read)
{
	static const char text[] = "heapledger baseline 1\n"
				   "00000000000000ff definite 12 9 f < main\n"
				   "00000000000000ff definite 20 3 f < main\n";

	begin();
	ck_assert_int_eq(parse(text), 0);
	ck_assert_uint_eq(b.n, 1);
	ck_assert_uint_eq(b.entry[0].bytes, 20);
	ck_assert_uint_eq(b.entry[0].blocks, 9);
	/* so are two files */
	ck_assert_int_eq(parse("heapledger baseline 1\n00000000000000ff definite 1 10 f < main\n"), 0);
	ck_assert_uint_eq(b.n, 1);
	ck_assert_uint_eq(b.entry[0].bytes, 20);
	ck_assert_uint_eq(b.entry[0].blocks, 10);
	end();
}
END_TEST

static void add_site(struct hl_heap *heap, uint32_t stack, uint32_t thread, enum hl_kind kind, uint64_t size,
		     uint64_t count)
{
	uint32_t site = hl_heap_site(heap, stack, thread, kind, NULL);

	heap->sites[site].stat.size = size;
	heap->sites[site].stat.count = count;
}

START_TEST(what_lived_is_known_up_to_as_many_bytes_whatever_kind_of_leak_it_is)
{
	struct hl_stacks *stacks;
	struct hl_baseline now = {0};
	struct hl_heap heap;
	const struct hl_baseline_entry *live;
	uint32_t f, g, mapped;

	begin();
	stacks = hl_stacks_new(names, NULL, NULL);
	hl_heap_init(&heap, stacks);
	f = make_chain(names, "f < main");
	g = make_chain(names, "g < main");
	mapped = make_chain(names, "mapped < main");
	add_site(&heap, f, 1, HL_KIND_MALLOC, 60, 1);
	add_site(&heap, f, 2, HL_KIND_NEW, 40, 1);
	add_site(&heap, g, 1, HL_KIND_MALLOC, 0, 0);
	add_site(&heap, mapped, 1, HL_KIND_MMAP, 40, 1);
	hl_baseline_add_live(&b, &heap);
	ck_assert_uint_eq(b.n, 1);
	hl_baseline_add(&now, HL_LEAK_DEFINITE, f, 70, 50, names);
	hl_baseline_add(&now, HL_LEAK_POSSIBLE, f, 31, 1, names);
	hl_baseline_add(&now, HL_LEAK_DEFINITE, g, 1, 1, names);
	ck_assert_int_eq(
		hl_baseline_compare_live(&b, &now, 1u << HL_LEAK_DEFINITE, hl_baseline_hash(names, f), &live),
		HL_BASELINE_KNOWN);
	ck_assert_uint_eq(live->bytes, 100);
	ck_assert_uint_eq(live->blocks, 2);
	ck_assert_int_eq(hl_baseline_compare_live(&b, &now, 1u << HL_LEAK_DEFINITE | 1u << HL_LEAK_POSSIBLE,
						  hl_baseline_hash(names, f), &live),
			 HL_BASELINE_GROWN);
	ck_assert_int_eq(
		hl_baseline_compare_live(&b, &now, 1u << HL_LEAK_DEFINITE, hl_baseline_hash(names, g), &live),
		HL_BASELINE_NEW);
	ck_assert_ptr_null(live);
	hl_baseline_release(&now);
	hl_heap_release(&heap);
	hl_stacks_free(stacks);
	end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("baseline");
	TCase *c = tcase_create("baseline");
	SRunner *r = srunner_create(suite);
	int failed;

	tcase_set_timeout(c, 30);
	tcase_add_test(c, the_hash_is_fnv_of_the_names);
	tcase_add_test(c, lines_paths_and_offsets_do_not_count);
	tcase_add_test(c, a_file_is_sorted_and_readable);
	tcase_add_test(c, what_is_written_does_not_depend_on_order);
	tcase_add_test(c, the_chain_that_is_shown_does_not_depend_on_order);
	tcase_add_test(c, new_grown_known_and_fixed);
	tcase_add_test(c, files_are_read_with_care);
	tcase_add_test(c, a_merge_that_left_both_lines_is_read);
	tcase_add_test(c, what_lived_is_known_up_to_as_many_bytes_whatever_kind_of_leak_it_is);
	suite_add_tcase(suite, c);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
