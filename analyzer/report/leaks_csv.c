/*
 * leaks_csv.c - losses for spreadsheets, those that are suppressed too, and growth.  Floor: report.
 */
#include "analyzer/report/csv_put.h"
#include "analyzer/report/findings.h"
#include <inttypes.h>

static void put_row(FILE *out, const struct hl_losses *p, const struct hl_loss *l)
{
	fprintf(out, "%" PRIu32 ",", p->pid);
	hl_csv_text(out, p->program);
	fprintf(out, ",%s,%s,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%016" PRIx64,
		hl_rule_texts[hl_loss_rule(l)].id, hl_leak_kind_names[l->kind], l->bytes, l->blocks,
		l->indirect_bytes, l->indirect_blocks, l->hash);
	fprintf(out, ",%s,", p->baseline ? hl_loss_state_names[l->state] : "");
	if (l->suppression)
		hl_csv_text(out, p->used[l->suppression - 1].text);
	fprintf(out, ",%d,", l->fails != 0);
	if (p->baseline && l->state != HL_LOSS_NEW)
		fprintf(out, "%" PRIu64 ",%" PRIu64 ",", l->baseline_bytes, l->baseline_blocks);
	else
		fputs(",,", out);
	if (l->function)
		hl_csv_text(out, l->function);
	fputc(',', out);
	hl_csv_frames(out, p->names, l->traceback);
	fputc('\n', out);
}

static void put_growth(FILE *out, const struct hl_losses *p, const struct hl_growth *g)
{
	fprintf(out, "%" PRIu32 ",", p->pid);
	hl_csv_text(out, p->program);
	fprintf(out, ",%s,,%" PRIu64 ",%" PRIu64 ",0,0,%016" PRIx64 ",,,1,%" PRIu64 ",%" PRIu64 ",,",
		hl_rule_texts[HL_RULE_GROWTH].id, g->to_bytes, g->to_blocks, g->hash, g->from_bytes,
		g->from_blocks);
	hl_csv_frames(out, p->names, g->traceback);
	fputc('\n', out);
}

static void write_csv(FILE *out, const struct hl_check_style *style, const struct hl_check *check)
{
	struct hl_findings all;

	fputs("pid,program,loss,kind,bytes,blocks,indirect_bytes,indirect_blocks,hash,state,suppression,"
	      "fails,from_bytes,from_blocks,"
	      "allocated_by,traceback,truncated\n",
	      out);
	hl_findings_collect(&all, style, check, 1);
	for (size_t i = 0; i < all.n; i++)
		if (all.finding[i].loss)
			put_row(out, all.finding[i].process, all.finding[i].loss);
		else if (all.finding[i].growth)
			put_growth(out, all.finding[i].process, all.finding[i].growth);
	hl_findings_release(&all);
}

const struct hl_check_format hl_check_csv = {"csv", write_csv};
