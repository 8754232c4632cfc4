/*
 * leaks_json.c - losses for programs: one document for all processes, suppressed losses too.  Floor: report.
 */
#include "analyzer/report/findings.h"
#include "analyzer/report/json_put.h"
#include <inttypes.h>

static void put_amount(yajl_gen g, const char *name, uint64_t bytes, uint64_t blocks)
{
	hl_json_string(g, name);
	yajl_gen_map_open(g);
	hl_json_member(g, "bytes", bytes);
	hl_json_member(g, "blocks", blocks);
	yajl_gen_map_close(g);
}

static void put_ring(yajl_gen g, const struct hl_names *n, const struct hl_loss *l)
{
	hl_json_string(
		g, "ring"); /* each one's pointer at offset leads to the next, the last one's to the first */
	yajl_gen_array_open(g);
	for (size_t i = 0; l->cycle && i < l->nring; i++) {
		yajl_gen_map_open(g);
		hl_json_member(g, "bytes", l->ring[i].bytes);
		hl_json_member(g, "offset", l->ring[i].offset);
		hl_json_frames(g, n, l->ring[i].traceback);
		yajl_gen_map_close(g);
	}
	yajl_gen_array_close(g);
}

static void put_loss(yajl_gen g, const struct hl_losses *p, const struct hl_loss *l)
{
	char hash[24];

	snprintf(hash, sizeof(hash), "%016" PRIx64, l->hash);
	yajl_gen_map_open(g);
	hl_json_text(g, "loss", hl_rule_texts[hl_loss_rule(l)].id);
	hl_json_text(g, "kind", hl_leak_kind_names[l->kind]);
	hl_json_flag(g, "cycle", l->cycle);
	hl_json_member(g, "bytes", l->bytes);
	hl_json_member(g, "blocks", l->blocks);
	hl_json_member(g, "indirect_bytes", l->indirect_bytes);
	hl_json_member(g, "indirect_blocks", l->indirect_blocks);
	hl_json_text(g, "hash", hash);
	hl_json_flag(g, "fails", l->fails);
	hl_json_text_or_null(g, "suppression", l->suppression ? p->used[l->suppression - 1].text : NULL);
	hl_json_text_or_null(g, "state", p->baseline ? hl_loss_state_names[l->state] : NULL);
	if (p->baseline)
		put_amount(g, "baseline", l->baseline_bytes, l->baseline_blocks);
	hl_json_text_or_null(g, "allocated_by", l->function);
	hl_json_address(g, "address", l->address);
	put_ring(g, p->names, l);
	hl_json_frames(g, p->names, l->traceback);
	yajl_gen_map_close(g);
}

static void put_max(yajl_gen g, const char *name, uint64_t max)
{
	hl_json_string(g, name);
	if (max == HL_SUPP_NO_MAX)
		yajl_gen_null(g);
	else
		hl_json_number(g, max);
}

static void put_suppressions(yajl_gen g, const struct hl_losses *p)
{
	hl_json_string(g, "suppressions");
	yajl_gen_array_open(g);
	for (size_t i = 0; i < p->nused; i++) {
		const struct hl_supp_used *s = &p->used[i];

		yajl_gen_map_open(g);
		hl_json_text(g, "text", s->text);
		hl_json_text_or_null(g, "where", s->where);
		hl_json_member(g, "bytes", s->bytes);
		hl_json_member(g, "blocks", s->blocks);
		put_max(g, "max_bytes", s->max_bytes);
		put_max(g, "max_blocks", s->max_blocks);
		hl_json_flag(g, "stale", s->stale);
		hl_json_flag(g, "over", s->over);
		yajl_gen_map_close(g);
	}
	yajl_gen_array_close(g);
}

static void put_limits(yajl_gen g, const struct hl_losses *p)
{
	hl_json_string(g, "limits");
	yajl_gen_array_open(g);
	for (size_t i = 0; i < p->nlimits; i++) {
		yajl_gen_map_open(g);
		hl_json_text(g, "name", p->limit[i].name);
		hl_json_text(g, "text", p->limit[i].text);
		hl_json_member(g, "max", p->limit[i].max);
		hl_json_member(g, "value", p->limit[i].value);
		hl_json_flag(g, "over", p->limit[i].over);
		yajl_gen_map_close(g);
	}
	yajl_gen_array_close(g);
}

static void put_growth(yajl_gen g, const struct hl_losses *p, const struct hl_growth *w)
{
	char hash[24];

	snprintf(hash, sizeof(hash), "%016" PRIx64, w->hash);
	yajl_gen_map_open(g);
	hl_json_text(g, "hash", hash);
	hl_json_member(g, "grew", w->times);
	hl_json_member(g, "of", w->times);
	put_amount(g, "from", w->from_bytes, w->from_blocks);
	put_amount(g, "to", w->to_bytes, w->to_blocks);
	hl_json_frames(g, p->names, w->traceback);
	yajl_gen_map_close(g);
}

static void put_heading(yajl_gen g, const struct hl_losses *p)
{
	hl_json_member(g, "pid", p->pid);
	hl_json_text(g, "program", p->program);
	hl_json_text(g, "command_line", p->command_line);
	hl_json_text(g, "trace", p->trace);
	hl_json_string(g, "seconds");
	hl_json_seconds(g, p->seconds);
	hl_json_text_or_null(g, "pointers", p->tier);
	hl_json_flag(g, "incomplete", p->incomplete);
	hl_json_text_or_null(g, "why_incomplete", p->incomplete ? p->why_incomplete : NULL);
	hl_json_string(g, "totals");
	yajl_gen_map_open(g);
	for (int k = 0; k < HL_LEAK_KINDS; k++)
		put_amount(g, hl_leak_kind_names[k], p->bytes[k], p->blocks[k]);
	put_amount(g, "suppressed", p->suppressed_bytes, p->suppressed_blocks);
	put_amount(g, "failing", p->failing_bytes, p->failing_blocks);
	hl_json_member(g, "failing_losses", p->failing);
	hl_json_member(g, "lost_events", p->totals.lost);
	hl_json_string(g, "fixed");
	if (p->baseline && !p->baseline_is_live)
		hl_json_number(g, p->fixed);
	else
		yajl_gen_null(g);
	yajl_gen_map_close(g);
	put_suppressions(g, p);
	put_limits(g, p);
}

static void write_json(FILE *out, const struct hl_check_style *style, const struct hl_check *check)
{
	yajl_gen g = hl_json_start(out);
	struct hl_findings all;
	size_t at = 0, from = 0;

	hl_findings_collect(&all, style, check, 1);
	yajl_gen_map_open(g);
	hl_json_member(g, "schema", 1);
	hl_json_string(g, "status");
	if (check->judged)
		yajl_gen_integer(g, check->status);
	else
		yajl_gen_null(g);
	hl_json_string(g, "processes");
	yajl_gen_array_open(g);
	for (size_t i = 0; i < check->n; i++) {
		const struct hl_losses *p = &check->process[i];

		yajl_gen_map_open(g);
		put_heading(g, p);
		hl_json_string(g, "losses");
		yajl_gen_array_open(g);
		for (; at < all.n && all.finding[at].process == p; at++)
			if (all.finding[at].loss)
				put_loss(g, p, all.finding[at].loss);
		yajl_gen_array_close(g);
		hl_json_string(g, "growth");
		yajl_gen_array_open(g);
		for (; from < at; from++)
			if (all.finding[from].growth)
				put_growth(g, p, all.finding[from].growth);
		yajl_gen_array_close(g);
		yajl_gen_map_close(g);
	}
	yajl_gen_array_close(g);
	yajl_gen_map_close(g);
	yajl_gen_free(g);
	hl_findings_release(&all);
}

const struct hl_check_format hl_check_json = {"json", write_json};
