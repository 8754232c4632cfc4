/*
 * leaks_valgrind.c - losses as memcheck prints them, for CTest and for all else that reads its text.
 * Floor: report.
 *
 * CTest counts a line "==PID== ... bytes in N blocks are definitely lost in loss record I of N"; it takes possibly lost
 * and still reachable ones as potential leaks.  PID is all digits.
 * Source: valgrind 3.19; CMake, Source/CTest/cmCTestMemCheckHandler.cxx.
 */
#include "analyzer/report/findings.h"
#include "analyzer/report/label.h"
#include "analyzer/report/uri.h"
#include "analyzer/report/valgrind_put.h"
#include <inttypes.h>
#include <stdlib.h>

struct place {
	FILE *out;
	uint32_t pid;
};

static void put_frame(void *ctx, size_t i, const struct hl_vg_frame *f)
{
	const struct place *p = ctx;

	fprintf(p->out, "==%" PRIu32 "==    %s 0x%" PRIX64 ": ", p->pid, i ? "by" : "at", f->ip);
	hl_put_escaped(p->out, f->fn ? f->fn : "???", HL_ESCAPE_TERMINAL);
	if (f->file) {
		fputs(" (", p->out);
		hl_put_escaped(p->out, hl_path_base(f->file), HL_ESCAPE_TERMINAL);
		if (f->line)
			fprintf(p->out, ":%" PRIu32, f->line);
		fputs(")", p->out);
	} else if (f->obj) {
		fputs(" (in ", p->out);
		hl_put_escaped(p->out, f->obj, HL_ESCAPE_TERMINAL);
		fputs(")", p->out);
	}
	fputs("\n", p->out);
}

static void put_records(FILE *out, const struct hl_check_style *style, const struct hl_losses *p)
{
	struct place place = {out, p->pid};
	size_t n;
	struct hl_vg_record *r = hl_vg_records(p, &style->rows, &n);

	for (size_t i = 0; i < n; i++) {
		fprintf(out, "==%" PRIu32 "== ", p->pid);
		hl_vg_put_what(out, p, &r[i]);
		fputs("\n", out);
		hl_vg_frames(p, r[i].loss, style, put_frame, &place);
		fprintf(out, "==%" PRIu32 "== \n", p->pid);
	}
	free(r);
}

/* memcheck has no such thing: these lines are no records. */
static void put_growths(FILE *out, const struct hl_check_style *style, const struct hl_losses *p)
{
	struct place place = {out, p->pid};

	for (size_t i = 0; i < hl_report_rows(p->ngrowths, style->rows.limit); i++) {
		const struct hl_growth *g = &p->growth[i];

		fprintf(out, "==%" PRIu32 "== heapledger: growth: ", p->pid);
		hl_put_growth(out, g);
		fputs("\n", out);
		hl_vg_frames(p, &(struct hl_loss){.traceback = g->traceback, .addresses = g->addresses},
			     style, put_frame, &place);
		fprintf(out, "==%" PRIu32 "== \n", p->pid);
	}
}

static void put_heading(FILE *out, const struct hl_losses *p)
{
	uint32_t pid = p->pid;

	fprintf(out,
		"==%" PRIu32 "== heapledger %s, leaks as memcheck prints them\n==%" PRIu32 "== Command: ",
		pid, HL_VERSION, pid);
	hl_put_escaped(out, p->command_line, HL_ESCAPE_TERMINAL);
	fprintf(out,
		"\n==%" PRIu32 "== \n==%" PRIu32 "== \n==%" PRIu32 "== HEAP SUMMARY:\n==%" PRIu32
		"==     in use at exit: ",
		pid, pid, pid, pid);
	hl_vg_put_number(out, p->totals.size);
	fputs(" bytes in ", out);
	hl_vg_put_number(out, p->totals.count);
	fprintf(out, " blocks\n==%" PRIu32 "==   total heap usage: ", pid);
	hl_vg_put_number(out, p->totals.allocations);
	fputs(" allocs, ", out);
	hl_vg_put_number(out, p->totals.frees);
	fputs(" frees, ", out);
	hl_vg_put_number(out, p->totals.total);
	fprintf(out, " bytes allocated\n==%" PRIu32 "== \n", pid);
}

static void put_sum(FILE *out, uint32_t pid, const char *what, uint64_t bytes, uint64_t blocks)
{
	fprintf(out, "==%" PRIu32 "==    %s: ", pid, what);
	hl_vg_put_number(out, bytes);
	fputs(" bytes in ", out);
	hl_vg_put_number(out, blocks);
	fputs(" blocks\n", out);
}

static void put_sums(FILE *out, const struct hl_losses *p)
{
	size_t losses, suppressions;

	fprintf(out, "==%" PRIu32 "== LEAK SUMMARY:\n", p->pid);
	put_sum(out, p->pid, "definitely lost", p->bytes[HL_LEAK_DEFINITE], p->blocks[HL_LEAK_DEFINITE]);
	put_sum(out, p->pid, "indirectly lost", p->bytes[HL_LEAK_INDIRECT], p->blocks[HL_LEAK_INDIRECT]);
	put_sum(out, p->pid, "  possibly lost", p->bytes[HL_LEAK_POSSIBLE], p->blocks[HL_LEAK_POSSIBLE]);
	put_sum(out, p->pid, "still reachable", p->bytes[HL_LEAK_REACHABLE], p->blocks[HL_LEAK_REACHABLE]);
	put_sum(out, p->pid, "     suppressed", p->suppressed_bytes, p->suppressed_blocks);
	hl_vg_suppressed(p, &losses, &suppressions);
	fprintf(out,
		"==%" PRIu32 "== \n==%" PRIu32
		"== ERROR SUMMARY: %zu errors from %zu contexts (suppressed: %zu "
		"from %zu)\n",
		p->pid, p->pid, p->failing + p->ngrowths, p->failing + p->ngrowths, losses, suppressions);
}

static void write_valgrind(FILE *out, const struct hl_check_style *style, const struct hl_check *check)
{
	for (size_t i = 0; i < check->n; i++) {
		const struct hl_losses *p = &check->process[i];

		if (!style->quiet)
			put_heading(out, p);
		put_records(out, style, p);
		put_growths(out, style, p);
		/* silence would read as a clean run */
		if (p->incomplete) {
			fprintf(out, "==%" PRIu32 "== heapledger: incomplete: ", p->pid);
			hl_put_escaped(out, p->why_incomplete, HL_ESCAPE_TERMINAL);
			fprintf(out, "\n==%" PRIu32 "== \n", p->pid);
		}
		if (!style->quiet)
			put_sums(out, p);
	}
}

const struct hl_check_format hl_check_valgrind = {"valgrind", write_valgrind};
