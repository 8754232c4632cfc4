/*
 * facts_test.c - nodes, modules, threads and the process, of one file and of a line of forks.
 */
#include "heapledger/image.h"
#include "tests/unit/tracefile.h"

static struct encode enc;

START_TEST(nodes_come_back_with_their_callers_and_epochs)
{
	struct hl_writer *w = make_trace("t.hl", 1);
	const struct hl_facts *f;
	struct hl_trace *t;

	encode_start(&enc, 0);
	encode_node(&enc, 1, 0, 0x400100, 0);
	encode_alloc(&enc, 5, HL_ENTRY_MALLOC, 0x1000, 8, 1);
	encode_node(&enc, 2, 1, 0x7fff00000000, HL_NODE_EXACT);
	ENCODE_NUMBERS(&enc, HL_FACT_EPOCH, 3);
	encode_node(&enc, 5, 2, 0x400200, HL_NODE_GUESSED | HL_NODE_TRUNCATED);
	add_claim(w, &enc, 4, 0);
	/* a new claim starts the deltas and the epoch anew */
	encode_start(&enc, 10);
	encode_node(&enc, 4, 1, 0x400300, 0);
	add_claim(w, &enc, 4, 1);
	finish(w);
	t = open_trace("t.hl");
	f = hl_trace_facts(t);
	ck_assert_uint_eq(f->nnodes, 7); /* root, 1-5, the unknown one */
	ck_assert_uint_eq(f->nodes[0].known, 1);
	ck_assert_uint_eq(f->nodes[1].pc, 0x400100);
	ck_assert_uint_eq(f->nodes[1].parent, 0);
	ck_assert_uint_eq(f->nodes[1].epoch, 0);
	ck_assert_uint_eq(f->nodes[2].pc, 0x7fff00000000);
	ck_assert_uint_eq(f->nodes[2].parent, 1);
	ck_assert_uint_eq(f->nodes[2].flags, HL_NODE_EXACT);
	ck_assert_uint_eq(f->nodes[3].known, 0);
	ck_assert_uint_eq(f->nodes[4].pc, 0x400300);
	ck_assert_uint_eq(f->nodes[4].epoch, 0);
	ck_assert_uint_eq(f->nodes[5].epoch, 3);
	ck_assert_uint_eq(f->nodes[5].parent, 2);
	ck_assert_uint_eq(f->nodes[5].flags, HL_NODE_GUESSED | HL_NODE_TRUNCATED);
	ck_assert_uint_eq(f->nodes[6].known, 0);
	hl_trace_close(t);
}
END_TEST

START_TEST(node_deltas_go_on_over_a_block_without_facts)
{
	struct hl_writer *w = make_trace("t.hl", 1);
	struct encode part;
	struct hl_trace *t;
	size_t a, b;

	encode_start(&enc, 0);
	encode_node(&enc, 1, 0, 0x400100, 0);
	a = enc.n;
	encode_free(&enc, 1, 0x1000, 0);
	b = enc.n;
	encode_node(&enc, 2, 1, 0x400200, 0);
	part = enc;
	add_part(w, &part, 4, 0, 0, a);
	part.facts = 0;
	add_part(w, &part, 4, 0, a, b);
	part.facts = 1;
	add_part(w, &part, 4, 0, b, enc.n);
	finish(w);
	t = open_trace("t.hl");
	ck_assert_uint_eq(hl_trace_facts(t)->nodes[2].pc, 0x400200);
	hl_trace_close(t);
}
END_TEST

START_TEST(an_absurd_node_id_takes_no_memory_and_is_told)
{
	struct hl_writer *w = make_trace("t.hl", 1);
	const struct hl_facts *f;
	struct hl_trace *t;
	struct hl_merge *m;
	struct hl_event e;

	encode_start(&enc, 0);
	encode_node(&enc, 1, 0, 0x400100, 0);
	encode_node(&enc, 1u << 28, 1, 0x400100, 0);
	encode_alloc(&enc, 5, HL_ENTRY_MALLOC, 0x1000, 8, 1u << 28);
	add_claim(w, &enc, 4, 0);
	finish(w);
	t = open_trace("t.hl");
	f = hl_trace_facts(t);
	ck_assert_uint_eq(f->nnodes, 3);
	ck_assert_ptr_nonnull(strstr(hl_trace_health(t)->first_problem, "268435456"));
	m = hl_merge_new(t);
	ck_assert_int_eq(hl_merge_next(m, &e), 1);
	ck_assert_uint_eq(e.stack, 2);
	ck_assert_uint_eq(f->nodes[e.stack].known, 0);
	hl_merge_free(m);
	hl_trace_close(t);
}
END_TEST

START_TEST(a_module_is_found_by_pc_in_the_epochs_in_which_it_was_mapped)
{
	struct hl_writer *w = make_trace("t.hl", 1);
	const struct hl_facts *f;
	const struct hl_module *m;
	struct hl_trace *t;

	encode_start(&enc, 0);
	ENCODE_NUMBERS(&enc, HL_FACT_UNLOAD, 2, 4); /* may come before what it unloads */
	encode_module(&enc, 3, 5, 0x2000, 0x2800, 0x2000, "/lib/second.so", "", 0);
	encode_module(&enc, 1, 0, 0x400000, 0x500000, 0, "/bin/prog", "\1\2\3", 3);
	encode_module(&enc, 2, 1, 0x1000, 0x3000, 0x1000, "/lib/first.so", "", 0);
	encode_module(&enc, 9, 1, 0x9000, 0x9000, 0, "/lib/empty.so", "", 0);
	add_claim(w, &enc, 4, 0);
	finish(w);
	t = open_trace("t.hl");
	f = hl_trace_facts(t);
	ck_assert_uint_eq(f->nmodules, 3);
	ck_assert_str_eq(f->modules[0].path, "/bin/prog");
	ck_assert_uint_eq(f->modules[0].build_id_bytes, 3);
	ck_assert_mem_eq(f->modules[0].build_id, "\1\2\3", 3);
	ck_assert_uint_eq(f->modules[0].last_epoch, UINT32_MAX);
	ck_assert_uint_eq(f->modules[1].last_epoch, 4);
	ck_assert_uint_eq(f->modules[2].bias, 0x2000);
	for (uint32_t epoch = 0; epoch < 7; epoch++)
		for (uint64_t pc = 0x800; pc <= 0x3000; pc += 0x100) {
			const char *path = NULL;

			if (epoch >= 1 && epoch <= 4 && pc >= 0x1000 && pc < 0x3000)
				path = "/lib/first.so";
			if (epoch >= 5 && pc >= 0x2000 && pc < 0x2800)
				path = "/lib/second.so";
			m = hl_facts_module(f, pc, epoch);
			if (path)
				ck_assert_str_eq(m ? m->path : "none", path);
			else
				ck_assert_ptr_null(m);
			ck_assert_str_eq(hl_facts_module(f, 0x4fffff, epoch)->path, "/bin/prog");
		}
	hl_trace_close(t);
}
END_TEST

START_TEST(module_search_agrees_with_looking_at_each_of_them)
{
	struct hl_writer *w = make_trace("t.hl", 1);
	struct hl_facts plain;
	struct hl_trace *t;
	uint64_t seed = 5;

	encode_start(&enc, 0);
	for (uint64_t id = 1; id < 300; id++) {
		uint64_t start = (seed = seed * 6364136223846793005ull + 1) >> 50;

		encode_module(&enc, id, id / 7, start, start + 1 + (seed >> 20) % 400, 0, "/lib/x.so", "", 0);
		if (id % 3 == 0)
			ENCODE_NUMBERS(&enc, HL_FACT_UNLOAD, id, id / 7 + seed % 9);
	}
	add_claim(w, &enc, 4, 0);
	finish(w);
	t = open_trace("t.hl");
	plain = *hl_trace_facts(t);
	ck_assert_uint_eq(plain.nmodules, 299);
	plain.spans = NULL;
	for (uint64_t pc = 0; pc < 17000; pc += 7)
		for (uint32_t epoch = 0; epoch < 50; epoch += 3)
			ck_assert_ptr_eq(hl_facts_module(hl_trace_facts(t), pc, epoch),
					 hl_facts_module(&plain, pc, epoch));
	hl_trace_close(t);
}
END_TEST

START_TEST(threads_have_their_last_name_and_what_is_known_of_them)
{
	struct hl_writer *w = make_trace("t.hl", 1);
	const struct hl_thread *th;
	struct hl_trace *t;

	encode_start(&enc, 0);
	encode_name(&enc, 7, "late", 50);
	encode_name(&enc, 7, "early", 20);
	ENCODE_NUMBERS(&enc, HL_FACT_THREAD, 7, 4242, 0x1000, 0x2000, 10);
	ENCODE_NUMBERS(&enc, HL_FACT_THREAD_END, 7, 60);
	add_claim(w, &enc, HL_STREAM(7, 0), 0);
	encode_start(&enc, 0);
	encode_free(&enc, 1, 0x10, 0);
	add_claim(w, &enc, HL_STREAM(9, 1), 0);
	add_claim(w, &enc, HL_STREAM(0, 3), 0);
	add_claim(w, &enc, HL_STREAM_COLLECTOR, 0);
	finish(w);
	t = open_trace("t.hl");
	ck_assert_uint_eq(hl_trace_facts(t)->nthreads, 2);
	th = hl_facts_thread(hl_trace_facts(t), 7);
	ck_assert_str_eq(th->name, "late");
	ck_assert_uint_eq(th->tid, 4242);
	ck_assert_uint_eq(th->stack_low, 0x1000);
	ck_assert_uint_eq(th->start_stamp, 10);
	ck_assert_uint_eq(th->end_stamp, 60);
	/* its THREAD record was lost; its slots tell the tid */
	th = hl_facts_thread(hl_trace_facts(t), 9);
	ck_assert_str_eq(th->name, "");
	ck_assert_uint_eq(th->tid, 4009);
	ck_assert_ptr_null(hl_facts_thread(hl_trace_facts(t), 8));
	ck_assert_ptr_null(hl_facts_thread(hl_trace_facts(t), 0));
	hl_trace_close(t);
}
END_TEST

START_TEST(the_process_says_who_it_was_how_it_ended_and_what_it_lost)
{
	struct hl_writer *w = make_trace("t.hl", 1);
	const struct hl_process *p;
	struct hl_trace *t;

	encode_start(&enc, 0);
	encode_hello(&enc, 1, 77, 5, "/bin/prog", "prog\0a b\0", 9);
	ENCODE_NUMBERS(&enc, HL_FACT_END, HL_END_EXIT, 3, 900);
	ENCODE_NUMBERS(&enc, HL_FACT_LOST, HL_LOST_FULL, 12);
	ENCODE_NUMBERS(&enc, HL_FACT_LOST, 99, 12);
	ENCODE_NUMBERS(&enc, HL_FACT_SYNC, 700);
	ENCODE_NUMBERS(&enc, HL_FACT_SYNC, 600);
	add_claim(w, &enc, 4, 0);
	encode_start(&enc, 950);
	ENCODE_NUMBERS(&enc, HL_FACT_END, HL_END_GONE, 0, 950);
	add_claim(w, &enc, HL_STREAM_COLLECTOR, 0);
	finish(w);
	t = open_trace("t.hl");
	p = &hl_trace_facts(t)->process;
	ck_assert_int_eq(p->seen, 1);
	ck_assert_uint_eq(p->pid, 77);
	ck_assert_str_eq(p->exe, "/bin/prog");
	ck_assert_str_eq(p->cmdline, "prog a b");
	ck_assert_int_eq(p->end, HL_END_EXIT);
	ck_assert_uint_eq(p->end_status, 3);
	ck_assert_uint_eq(p->end_stamp, 900);
	ck_assert_ptr_null(p->exec_path);
	ck_assert_ptr_null(p->parent_file);
	ck_assert_uint_eq(hl_trace_facts(t)->lost[HL_LOST_FULL], 12);
	ck_assert_uint_eq(hl_trace_facts(t)->sync_stamp, 700);
	for (int k = 0; k < HL_LOST_KINDS; k++)
		ck_assert_ptr_nonnull(hl_lost_name((enum hl_lost)k));
	hl_trace_close(t);
}
END_TEST

START_TEST(unseen_modules_are_told_with_where_their_malloc_is)
{
	struct hl_writer *w = make_trace("t.hl", 1);
	const struct hl_facts *f;
	struct hl_trace *t;

	encode_start(&enc, 0);
	encode_unseen(&enc, HL_UNSEEN_BINDING, "/a.so", "/libc.so");
	encode_unseen(&enc, HL_UNSEEN_NAMESPACE, "/b.so", "");
	/* no reason of ours, none, and a field too few */
	encode_unseen(&enc, 0, "/c.so", "");
	encode_unseen(&enc, HL_UNSEEN_NAMESPACE + 1, "/c.so", "");
	encode_unseen(&enc, HL_UNSEEN_BINDING, "/c.so", NULL);
	add_claim(w, &enc, 4, 0);
	finish(w);
	t = open_trace("t.hl");
	f = hl_trace_facts(t);
	ck_assert_uint_eq(f->nunseen, 2);
	ck_assert_int_eq(f->unseen[0].why, HL_UNSEEN_BINDING);
	ck_assert_str_eq(f->unseen[0].path, "/a.so");
	ck_assert_str_eq(f->unseen[0].from, "/libc.so");
	ck_assert_int_eq(f->unseen[1].why, HL_UNSEEN_NAMESPACE);
	ck_assert_str_eq(f->unseen[1].path, "/b.so");
	hl_trace_close(t);
}
END_TEST

START_TEST(mappings_come_in_order_of_time_with_the_module_that_asked_for_them)
{
	struct hl_writer *w = make_trace("t.hl", 1);
	const struct hl_facts *f;
	struct hl_trace *t;

	encode_start(&enc, 0);
	encode_module(&enc, 7, 0, 0x1000, 0x2000, 0, "/app", "", 0);
	ENCODE_NUMBERS(&enc, HL_FACT_RANGE, 0x10000, 0x14000, 7 + 1, HL_RANGE_MAPPED, 500);
	ENCODE_NUMBERS(&enc, HL_FACT_RANGE, 0x20000, 0x21000, 0, HL_RANGE_MAPPED, 400);
	ENCODE_NUMBERS(&enc, HL_FACT_RANGE, 0x10000, 0x11000, 99, 0, 500);
	/* no bytes, and a field too few */
	ENCODE_NUMBERS(&enc, HL_FACT_RANGE, 0x10000, 0x10000, 0, HL_RANGE_MAPPED, 1);
	ENCODE_NUMBERS(&enc, HL_FACT_RANGE, 0x10000, 0x11000, 0, HL_RANGE_MAPPED);
	add_claim(w, &enc, 4, 0);
	finish(w);
	t = open_trace("t.hl");
	f = hl_trace_facts(t);
	ck_assert_uint_eq(f->nmappings, 3);
	ck_assert_uint_eq(f->mappings[0].start, 0x20000);
	ck_assert_uint_eq(f->mappings[0].module, UINT32_MAX);
	/* unmapping first, at one tick */
	ck_assert_int_eq(f->mappings[1].mapped, 0);
	ck_assert_uint_eq(f->mappings[1].module, UINT32_MAX);
	ck_assert_uint_eq(f->mappings[2].end, 0x14000);
	ck_assert_str_eq(f->modules[f->mappings[2].module].path, "/app");
	hl_trace_close(t);
}
END_TEST

START_TEST(an_exec_counts_unless_an_event_came_after_it)
{
	for (int failed = 0; failed < 2; failed++) {
		const char *name = failed ? "failed.hl" : "done.hl";
		struct hl_writer *w = make_trace(name, 1);
		const struct hl_process *p;
		struct hl_trace *t;

		encode_start(&enc, 0);
		encode_exec(&enc, 50, "/bin/earlier");
		encode_exec(&enc, 100, "/bin/ls");
		encode_alloc(&enc, 90, HL_ENTRY_MALLOC, 0x10, 1, 0);
		add_claim(w, &enc, 4, 0);
		encode_start(&enc, 80);
		encode_alloc(&enc, failed ? 101 : 100, HL_ENTRY_MALLOC, 0x20, 1, 0);
		add_claim(w, &enc, 8, 0);
		encode_start(&enc, 500);
		encode_mark(&enc, 500, HL_MARK_END, ""); /* the collector's own mark is not the program's */
		add_claim(w, &enc, HL_STREAM_COLLECTOR, 0);
		finish(w);
		t = open_trace(name);
		p = &hl_trace_facts(t)->process;
		if (failed) {
			ck_assert_ptr_null(p->exec_path);
			ck_assert_int_eq(p->end, 0);
		} else {
			ck_assert_str_eq(p->exec_path, "/bin/ls");
			ck_assert_int_eq(p->end, HL_END_EXEC);
			ck_assert_uint_eq(p->end_stamp, 100);
		}
		hl_trace_close(t);
	}
}
END_TEST

START_TEST(facts_of_later_versions_are_skipped_unless_they_must_be_understood)
{
	struct hl_trace *t;

	for (int must = 0; must < 2; must++) {
		const char *name = must ? "must.hl" : "may.hl";
		struct hl_writer *w = make_trace(name, 1);
		struct hl_diag d = {0};

		encode_start(&enc, 0);
		ENCODE_NUMBERS(&enc, 30u | (must ? HL_TAG_MUST >> 2 : 0), 1, 2, 3);
		encode_node(&enc, 1, 0, 0x400100, 0);
		add_claim(w, &enc, 4, 0);
		finish(w);
		if (must) {
			ck_assert_int_eq(hl_trace_open(&t, in_dir(name), &d), HL_ERR_FORMAT);
			ck_assert_ptr_nonnull(strstr(d.text, "needs a newer heapledger"));
			ck_assert_ptr_nonnull(strstr(d.text, "offset 120"));
			continue;
		}
		t = open_trace(name);
		ck_assert_uint_eq(hl_trace_health(t)->unknown_facts, 1);
		ck_assert_uint_eq(hl_trace_facts(t)->nodes[1].known, 1);
		hl_trace_close(t);
	}
}
END_TEST

START_TEST(a_child_knows_its_parents_facts_and_its_own_win)
{
	static const uint8_t uuid[16] = "the same for all";
	struct hl_writer *w = make_trace("parent.hl", 1);
	const struct hl_facts *f;
	struct hl_trace *t;
	size_t fork_at;

	encode_start(&enc, 0);
	encode_hello(&enc, 1, 1001, 0, "/bin/parent", "parent", 6);
	encode_module(&enc, 1, 0, 0x400000, 0x500000, 0, "/bin/prog", "", 0);
	encode_module(&enc, 2, 0, 0x600000, 0x700000, 0, "/lib/plugin.so", "", 0);
	encode_name(&enc, 1, "main", 1);
	encode_node(&enc, 1, 0, 0x400100, 0);
	encode_node(&enc, 2, 1, 0x400200, 0);
	encode_module(&enc, 4, 0, 0xc00000, 0xd00000, 0, "/lib/just_before.so", "", 0);
	fork_at = enc.n;
	/* after the fork: none of it is the child's */
	encode_node(&enc, 3, 1, 0x111111, 0);
	encode_node(&enc, 4, 3, 0x222222, 0);
	ENCODE_NUMBERS(&enc, HL_FACT_UNLOAD, 2, 0);
	encode_module(&enc, 3, 1, 0x800000, 0x900000, 0, "/lib/parent_only.so", "", 0);
	encode_name(&enc, 1, "renamed", 99);
	ENCODE_NUMBERS(&enc, HL_FACT_LOST, HL_LOST_FULL, 12);
	ENCODE_NUMBERS(&enc, HL_FACT_END, HL_END_EXIT, 1, 500);
	add_claim(w, &enc, 4, 0);
	finish(w);

	w = make_trace("child.hl", 2);
	encode_start(&enc, 100);
	encode_hello(&enc, 2, 1002, 100, "/bin/child", "child", 5);
	ENCODE_NUMBERS(&enc, HL_FACT_FORK, 1, 1001, 2, 1, 4, 0, fork_at);
	encode_parent(&enc, "parent.hl", uuid, 1);
	encode_node(&enc, 3, 2, 0x400300, 0);
	encode_module(&enc, 3, 1, 0xa00000, 0xb00000, 0, "/lib/child_only.so", "", 0);
	add_claim(w, &enc, 4, 0);
	finish(w);

	t = open_trace("child.hl");
	f = hl_trace_facts(t);
	ck_assert_str_eq(hl_trace_health(t)->first_problem, "");
	ck_assert_uint_eq(f->process.pid, 1002);
	ck_assert_uint_eq(f->process.parent_image, 1);
	ck_assert_uint_eq(f->process.parent_pid, 1001);
	ck_assert_str_eq(f->process.parent_file, in_dir("parent.hl"));
	ck_assert_int_eq(f->process.end, 0);
	ck_assert_uint_eq(f->lost[HL_LOST_FULL], 0);
	ck_assert_uint_eq(f->nodes[1].pc, 0x400100);
	ck_assert_uint_eq(f->nodes[2].pc, 0x400200);
	ck_assert_uint_eq(f->nodes[3].pc, 0x400300);
	ck_assert_uint_eq(f->nodes[3].parent, 2);
	ck_assert_uint_eq(f->nodes[4].pc, 0x222222); /* better than nothing, should it ever be used */
	ck_assert_str_eq(hl_facts_module(f, 0x600000, 1)->path, "/lib/plugin.so");
	ck_assert_str_eq(hl_facts_module(f, 0xc00000, 1)->path, "/lib/just_before.so");
	ck_assert_str_eq(hl_facts_module(f, 0xa00000, 1)->path, "/lib/child_only.so");
	ck_assert_ptr_null(hl_facts_module(f, 0x800000, 1));
	ck_assert_str_eq(hl_facts_thread(f, 1)->name, "main");
	hl_trace_close(t);
}
END_TEST

/* A file whose parent is named so; its problem to text.  The trace itself is always opened. */
static void open_orphan(const char *parent, uint64_t image, const char *uuid, char *text)
{
	struct hl_writer *w;
	struct hl_trace *t;

	remove(in_dir("orphan.hl"));
	w = make_trace("orphan.hl", 2);
	encode_start(&enc, 100);
	ENCODE_NUMBERS(&enc, HL_FACT_FORK, 1, 1001, 2, 0);
	if (parent)
		encode_parent(&enc, parent, (const uint8_t *)uuid, image);
	add_claim(w, &enc, 4, 0);
	finish(w);
	t = open_trace("orphan.hl");
	strcpy(text, hl_trace_health(t)->first_problem);
	ck_assert_ptr_null(hl_trace_facts(t)->process.parent_file);
	ck_assert_uint_eq(hl_trace_facts(t)->process.parent_image, 1);
	hl_trace_close(t);
	ck_assert_ptr_nonnull(strstr(text, "inherited"));
}

START_TEST(a_parent_that_is_not_the_one_named_is_told_and_not_used)
{
	char text[256];

	finish(make_trace("parent.hl", 1));
	spill(in_dir("junk"), "junk", 4);
	open_orphan("gone.hl", 1, "the same for all", text);
	ck_assert_ptr_nonnull(strstr(text, "No such file"));
	open_orphan("parent.hl", 1, "another run, eh?", text);
	ck_assert_ptr_nonnull(strstr(text, "another run"));
	open_orphan("parent.hl", 3, "the same for all", text);
	ck_assert_ptr_nonnull(strstr(text, "another program"));
	open_orphan("junk", 1, "the same for all", text);
	ck_assert_ptr_nonnull(strstr(text, "not a trace"));
	open_orphan("orphan.hl", 2, "the same for all", text);
	ck_assert_ptr_nonnull(strstr(text, "its own ancestor"));
	open_orphan(NULL, 0, NULL, text);
	ck_assert_ptr_nonnull(strstr(text, "not named"));
	/* never outside of the trace's own directory */
	open_orphan("../parent.hl", 1, "the same for all", text);
	ck_assert_ptr_nonnull(strstr(text, "not named"));
	open_orphan("..", 1, "the same for all", text);
	ck_assert_ptr_nonnull(strstr(text, "not named"));
}
END_TEST

START_TEST(a_line_of_ancestors_is_followed_up_to_its_limit)
{
	struct hl_trace *t;

	for (uint32_t i = 0; i < 70; i++) {
		char name[32], parent[32];
		struct hl_writer *w;

		snprintf(name, sizeof(name), "%u.hl", i);
		snprintf(parent, sizeof(parent), "%u.hl", i - 1);
		w = make_trace(name, i + 1);
		encode_start(&enc, 100 * i);
		if (i) {
			ENCODE_NUMBERS(&enc, HL_FACT_FORK, i, 1000, 2, 0);
			encode_parent(&enc, parent, (const uint8_t *)"the same for all", i);
		}
		encode_node(&enc, i + 1, i, 0x1000 + i, 0);
		add_claim(w, &enc, 4, 0);
		finish(w);
	}
	t = open_trace("64.hl");
	ck_assert_str_eq(hl_trace_health(t)->first_problem, "");
	for (uint32_t i = 0; i < 65; i++)
		ck_assert_uint_eq(hl_trace_facts(t)->nodes[i + 1].pc, 0x1000 + i);
	hl_trace_close(t);
	t = open_trace("69.hl");
	ck_assert_ptr_nonnull(strstr(hl_trace_health(t)->first_problem, "too many ancestors"));
	ck_assert_uint_eq(hl_trace_facts(t)->nodes[70].known, 1);
	ck_assert_uint_eq(hl_trace_facts(t)->nodes[6].known, 1);
	ck_assert_uint_eq(hl_trace_facts(t)->nodes[5].known, 0);
	hl_trace_close(t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("facts");
	TCase *t = tcase_create("facts");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, make_dir, remove_dir);
	tcase_add_test(t, nodes_come_back_with_their_callers_and_epochs);
	tcase_add_test(t, node_deltas_go_on_over_a_block_without_facts);
	tcase_add_test(t, an_absurd_node_id_takes_no_memory_and_is_told);
	tcase_add_test(t, a_module_is_found_by_pc_in_the_epochs_in_which_it_was_mapped);
	tcase_add_test(t, module_search_agrees_with_looking_at_each_of_them);
	tcase_add_test(t, threads_have_their_last_name_and_what_is_known_of_them);
	tcase_add_test(t, the_process_says_who_it_was_how_it_ended_and_what_it_lost);
	tcase_add_test(t, mappings_come_in_order_of_time_with_the_module_that_asked_for_them);
	tcase_add_test(t, unseen_modules_are_told_with_where_their_malloc_is);
	tcase_add_test(t, an_exec_counts_unless_an_event_came_after_it);
	tcase_add_test(t, facts_of_later_versions_are_skipped_unless_they_must_be_understood);
	tcase_add_test(t, a_child_knows_its_parents_facts_and_its_own_win);
	tcase_add_test(t, a_parent_that_is_not_the_one_named_is_told_and_not_used);
	tcase_add_test(t, a_line_of_ancestors_is_followed_up_to_its_limit);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
