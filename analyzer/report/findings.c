/*
 * findings.c - losses, and all else that a check has to say, as one list.  Floor: report.
 */
#include "analyzer/report/findings.h"
#include "analyzer/base/buf.h"
#include "analyzer/base/diag.h"
#include <stdlib.h>
#include <string.h>

const struct hl_rule_text hl_rule_texts[HL_RULES] = {
	[HL_RULE_ROOT_LEAK] = {"root-leak", "ROOT LEAK", "No pointer leads to these blocks any more."},
	[HL_RULE_ROOT_CYCLE] = {"root-cycle", "ROOT CYCLE",
				"These blocks point to one another and nothing else leads to them: "
				"reference counts never free them."},
	[HL_RULE_INDIRECT] = {"indirect-leak", "INDIRECT LEAK", "Only blocks that are lost lead to these."},
	[HL_RULE_POSSIBLE] = {"possible-leak", "POSSIBLE LEAK",
			      "Only pointers into the middle lead to these blocks."},
	[HL_RULE_REACHABLE] = {"reachable", "REACHABLE", "These blocks are live, and pointers lead to them."},
	[HL_RULE_OVER_BUDGET] = {"suppression-over-budget", "SUPPRESSION OVER BUDGET",
				 "A suppression matched more blocks than it may."},
	[HL_RULE_STALE] = {"stale-suppression", "STALE SUPPRESSION", "A suppression matched nothing."},
	[HL_RULE_GROWTH] = {"growth", "GROWTH",
			    "More of these blocks were live in every snapshot than in the one before."},
	[HL_RULE_LIMIT] = {"limit", "LIMIT EXCEEDED", "A bound that was set for the process is exceeded."},
	[HL_RULE_INCOMPLETE] = {"incomplete", "INCOMPLETE",
				"Too little was recorded to tell what the process lost."},
};

enum hl_rule hl_loss_rule(const struct hl_loss *l)
{
	static const enum hl_rule rules[HL_LEAK_KINDS] = {
		[HL_LEAK_DEFINITE] = HL_RULE_ROOT_LEAK,
		[HL_LEAK_INDIRECT] = HL_RULE_INDIRECT,
		[HL_LEAK_POSSIBLE] = HL_RULE_POSSIBLE,
		[HL_LEAK_REACHABLE] = HL_RULE_REACHABLE,
	};

	return l->kind == HL_LEAK_DEFINITE && l->cycle ? HL_RULE_ROOT_CYCLE : rules[l->kind];
}

uint32_t hl_finding_traceback(const struct hl_finding *f)
{
	return f->loss ? f->loss->traceback : f->growth ? f->growth->traceback : 0;
}

static void add(struct hl_findings *all, struct hl_finding f)
{
	all->finding = hl_grow(all->finding, &all->room, all->n + 1, sizeof(*all->finding));
	all->finding[all->n++] = f;
}

static uint64_t text_hash(const char *s)
{
	return hl_hash_bytes(s, strlen(s));
}

static void add_losses(struct hl_findings *all, const struct hl_losses *p, uint64_t limit, int judged,
		       int with_suppressed)
{
	uint64_t shown = 0;

	for (size_t i = 0; i < p->n && (!limit || shown < limit); i++) {
		const struct hl_loss *l = &p->loss[i];
		enum hl_level level = HL_LEVEL_WARNING;

		if (l->suppression && !with_suppressed)
			continue;
		shown++;
		if (judged && l->fails)
			level = HL_LEVEL_ERROR;
		else if (l->suppression || l->state == HL_LOSS_KNOWN || l->kind == HL_LEAK_REACHABLE)
			level = HL_LEVEL_NOTE;
		add(all, (struct hl_finding){.rule = hl_loss_rule(l),
					     .level = level,
					     .process = p,
					     .loss = l,
					     .hash = l->hash});
	}
}

static void add_process(struct hl_findings *all, const struct hl_losses *p, uint64_t limit, int judged,
			int with_suppressed)
{
	add_losses(all, p, limit, judged, with_suppressed);
	for (size_t i = 0; i < p->ngrowths && (!limit || i < limit); i++)
		add(all, (struct hl_finding){.rule = HL_RULE_GROWTH,
					     .level = judged ? HL_LEVEL_ERROR : HL_LEVEL_WARNING,
					     .process = p,
					     .growth = &p->growth[i],
					     .hash = p->growth[i].hash});
	for (size_t i = 0; i < p->nused; i++) {
		const struct hl_supp_used *s = &p->used[i];
		struct hl_finding f = {.rule = s->over ? HL_RULE_OVER_BUDGET : HL_RULE_STALE,
				       .level = !s->over ? HL_LEVEL_NOTE
						: judged ? HL_LEVEL_ERROR
							 : HL_LEVEL_WARNING,
				       .process = p,
				       .supp = s,
				       .hash = text_hash(s->text)};

		if (s->over || s->stale)
			add(all, f);
	}
	for (size_t i = 0; i < p->nlimits; i++)
		if (p->limit[i].over && !p->limit[i].is_told)
			add(all, (struct hl_finding){.rule = HL_RULE_LIMIT,
						     .level = judged ? HL_LEVEL_ERROR : HL_LEVEL_WARNING,
						     .process = p,
						     .limit = &p->limit[i],
						     .hash = text_hash(p->limit[i].name)});
	if (p->incomplete)
		add(all, (struct hl_finding){.rule = HL_RULE_INCOMPLETE,
					     .level = judged ? HL_LEVEL_ERROR : HL_LEVEL_WARNING,
					     .process = p,
					     .hash = text_hash(p->program)});
}

static int equal_ones_together(const void *x, const void *y)
{
	const struct hl_finding *a = *(struct hl_finding *const *)x, *b = *(struct hl_finding *const *)y;

	if (a->rule != b->rule)
		return a->rule < b->rule ? -1 : 1;
	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	return a < b ? -1 : a > b;
}

static void number(struct hl_findings *all)
{
	struct hl_finding **by = hl_xcalloc(all->n + 1, sizeof(struct hl_finding *));

	for (size_t i = 0; i < all->n; i++)
		by[i] = &all->finding[i];
	qsort(by, all->n, sizeof(*by), equal_ones_together);
	for (size_t i = 1; i < all->n; i++)
		if (by[i]->rule == by[i - 1]->rule && by[i]->hash == by[i - 1]->hash)
			by[i]->ordinal = by[i - 1]->ordinal + 1;
	free(by);
}

void hl_findings_collect(struct hl_findings *all, const struct hl_check_style *style,
			 const struct hl_check *check, int with_suppressed)
{
	*all = (struct hl_findings){0};
	for (size_t i = 0; i < check->n; i++)
		add_process(all, &check->process[i], style->rows.limit, check->judged, with_suppressed);
	number(all);
}

void hl_findings_release(struct hl_findings *all)
{
	free(all->finding);
	*all = (struct hl_findings){0};
}
