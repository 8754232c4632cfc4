/*
 * leaks_text.c - losses for people: a line each with its stack, then the sums.  Floor: report.
 */
#include "analyzer/report/findings.h"
#include "analyzer/report/label.h"
#include <inttypes.h>

#define BOLD  "\033[1m"
#define RED   "\033[31m"
#define PLAIN "\033[0m"

static void put_head(FILE *out, const struct hl_losses *p)
{
	fprintf(out, "process %" PRIu32 ": ", p->pid);
	hl_put_escaped(out, p->command_line, HL_ESCAPE_TERMINAL);
	fputs("\n", out);
}

/* From finding i on those of p; the first of the next process. */
static size_t put_losses(FILE *out, const struct hl_style *style, const struct hl_findings *all, size_t i,
			 const struct hl_losses *p, struct hl_sources *sources)
{
	for (; i < all->n && all->finding[i].process == p; i++) {
		const struct hl_finding *f = &all->finding[i];

		if (!f->loss && !f->growth)
			continue;
		fputs(!style->color ? "" : f->level == HL_LEVEL_ERROR ? BOLD RED : BOLD, out);
		hl_finding_put(out, f);
		fputs(style->color ? PLAIN "\n" : "\n", out);
		hl_finding_put_stacks(out, style, f, sources);
	}
	return i;
}

static void put_sum(FILE *out, const char *name, uint64_t bytes, uint64_t blocks)
{
	fprintf(out, "  %s: ", name);
	hl_put_amount(out, bytes, blocks);
	fputs("\n", out);
}

static void put_sums(FILE *out, const struct hl_losses *p)
{
	fputs("LEAK SUMMARY:\n", out);
	for (int k = 0; k < HL_LEAK_KINDS; k++)
		put_sum(out, hl_leak_kind_names[k], p->bytes[k], p->blocks[k]);
	put_sum(out, "suppressed", p->suppressed_bytes, p->suppressed_blocks);
	if (p->tier)
		fprintf(out, "  pointers: %s\n", p->tier);
	if (p->baseline && !p->baseline_is_live)
		fprintf(out, "  fixed since the baseline: %" PRIu64 "\n", p->fixed);
}

static void put_suppressions(FILE *out, const struct hl_losses *p)
{
	if (p->nused)
		fputs("SUPPRESSIONS:\n", out);
	for (size_t i = 0; i < p->nused; i++) {
		const struct hl_supp_used *s = &p->used[i];

		fputs("  ", out);
		hl_put_escaped(out, s->text, HL_ESCAPE_TERMINAL);
		fputs(" (", out);
		hl_put_escaped(out, s->where ? s->where : "of the program", HL_ESCAPE_TERMINAL);
		fputs("): ", out);
		if (s->stale)
			fputs("stale, it matched nothing", out);
		else
			hl_put_amount(out, s->bytes, s->blocks);
		if (s->max_bytes != HL_SUPP_NO_MAX || s->max_blocks != HL_SUPP_NO_MAX) {
			fputs(", ", out);
			hl_put_budget(out, s);
			fputs(s->over ? " exceeded" : "", out);
		}
		fputs("\n", out);
	}
}

static void put_limits(FILE *out, const struct hl_losses *p)
{
	if (p->nlimits)
		fputs("LIMITS:\n", out);
	for (size_t i = 0; i < p->nlimits; i++) {
		const struct hl_limit *l = &p->limit[i];

		fprintf(out, "  %s: %s, ", l->name, l->over ? "exceeded" : "kept");
		hl_put_escaped(out, l->text, HL_ESCAPE_TERMINAL);
		fputs("\n", out);
	}
}

static void put_verdict(FILE *out, const struct hl_style *style, const struct hl_check *c)
{
	uint64_t bytes = 0, blocks = 0;
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++) {
		bytes += c->process[i].failing_bytes;
		blocks += c->process[i].failing_blocks;
		n += c->process[i].failing;
	}
	fputs(!style->color ? "" : c->status ? BOLD RED : BOLD, out);
	fputs(c->status == 4 ? "CHECK INCOMPLETE: " : c->status ? "CHECK FAILED: " : "CHECK PASSED: ", out);
	if (n) {
		fprintf(out, "%zu loss%s against it, ", n, n == 1 ? " counts" : "es count");
		hl_put_amount(out, bytes, blocks);
	} else {
		fputs("no loss counts against it", out);
	}
	fputs(style->color ? PLAIN "\n" : "\n", out);
}

static void write_text(FILE *out, const struct hl_check_style *style, const struct hl_check *check)
{
	struct hl_sources *sources = hl_sources_new();
	struct hl_findings all;
	size_t at = 0;

	hl_findings_collect(&all, style, check, 0);
	for (size_t i = 0; i < check->n; i++) {
		const struct hl_losses *p = &check->process[i];

		if (check->n > 1)
			put_head(out, p);
		at = put_losses(out, &style->rows, &all, at, p, sources);
		put_sums(out, p);
		put_suppressions(out, p);
		put_limits(out, p);
		if (p->incomplete) {
			fputs("INCOMPLETE: ", out);
			hl_put_escaped(out, p->why_incomplete, HL_ESCAPE_TERMINAL);
			fputs("\n", out);
		}
	}
	if (check->judged)
		put_verdict(out, &style->rows, check);
	hl_findings_release(&all);
	hl_sources_free(sources);
}

const struct hl_check_format hl_check_text = {"text", write_text};
