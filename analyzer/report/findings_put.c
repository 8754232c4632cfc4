/*
 * findings_put.c - what is found as text, and where it is.  Floor: report.
 */
#include "analyzer/base/diag.h"
#include "analyzer/report/findings.h"
#include "analyzer/report/label.h"
#include "analyzer/report/sizes.h"
#include "analyzer/report/traceback.h"
#include "analyzer/report/uri.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void hl_put_amount(FILE *out, uint64_t bytes, uint64_t blocks)
{
	fprintf(out, "%" PRIu64 " byte%s in %" PRIu64 " block%s", bytes, bytes == 1 ? "" : "s", blocks,
		blocks == 1 ? "" : "s");
}

/* As in the files of suppressions. */
void hl_put_budget(FILE *out, const struct hl_supp_used *s)
{
	fputs("max=", out);
	if (s->max_bytes != HL_SUPP_NO_MAX)
		fprintf(out, "%" PRIu64, s->max_bytes);
	if (s->max_bytes != HL_SUPP_NO_MAX && s->max_blocks != HL_SUPP_NO_MAX)
		fputs(", ", out);
	if (s->max_blocks != HL_SUPP_NO_MAX)
		fprintf(out, "%" PRIu64 " blocks", s->max_blocks);
}

static void put_loss(FILE *out, const struct hl_losses *p, const struct hl_loss *l)
{
	fprintf(out, "%s: ", hl_rule_texts[hl_loss_rule(l)].title);
	hl_put_amount(out, l->bytes, l->blocks);
	if (l->indirect_blocks) {
		fputs(" (+ ", out);
		hl_put_amount(out, l->indirect_bytes, l->indirect_blocks);
		fputs(l->blocks == 1 ? " held by it)" : " held by them)", out);
	}
	fprintf(out, ", %s", hl_leak_kind_names[l->kind]);
	if (!p->baseline)
		return;
	fprintf(out, ", %s", hl_loss_state_names[l->state]);
	if (l->state == HL_LOSS_GROWN) {
		fputs(" from ", out);
		hl_put_amount(out, l->baseline_bytes, l->baseline_blocks);
	}
}

void hl_put_growth(FILE *out, const struct hl_growth *g)
{
	char from[HL_SIZE_TEXT], to[HL_SIZE_TEXT];

	fprintf(out, "grew in %" PRIu32 " of %" PRIu32 " snapshots, from %s to %s", g->times, g->times,
		hl_size_text(from, (double)g->from_bytes), hl_size_text(to, (double)g->to_bytes));
}

void hl_finding_put(FILE *out, const struct hl_finding *f)
{
	const struct hl_supp_used *s = f->supp;

	if (f->loss) {
		put_loss(out, f->process, f->loss);
		return;
	}
	fprintf(out, "%s: ", hl_rule_texts[f->rule].title);
	if (s) {
		hl_put_escaped(out, s->text, HL_ESCAPE_TERMINAL);
		fputs(" matched ", out);
		if (s->over) {
			hl_put_amount(out, s->bytes, s->blocks);
			fputs(", ", out);
			hl_put_budget(out, s);
		} else {
			fputs("nothing", out);
		}
	} else if (f->growth) {
		hl_put_growth(out, f->growth);
	} else if (f->limit) {
		fprintf(out, "%s: ", f->limit->name);
		hl_put_escaped(out, f->limit->text, HL_ESCAPE_TERMINAL);
	} else {
		hl_put_escaped(out, f->process->why_incomplete, HL_ESCAPE_TERMINAL);
	}
}

/* A frame without a line is placed in its module elsewhere, not in a file of sources. */
static struct hl_place place_of(const char *root, const struct hl_names *n, uint32_t tb)
{
	struct hl_place p = {0}, outside = {0};

	for (; tb; tb = hl_names_older(n, tb)) {
		const struct hl_name_frame *f = hl_names_frame_at(n, hl_names_newest(n, tb));
		const char *file = hl_names_string(n, f->file);

		if (f->kind != HL_NAME_LINE)
			continue;
		p.file = hl_path_below(root, file);
		if (p.file) {
			p.below = 1;
			p.line = f->line;
			p.frame = hl_names_newest(n, tb);
			free(outside.file);
			return p;
		}
		if (!outside.file)
			outside = (struct hl_place){hl_xstrdup(file), f->line, hl_names_newest(n, tb), 0};
	}
	return outside;
}

static struct hl_place place_of_text(const char *root, const char *where)
{
	struct hl_place p = {0};
	const char *colon = where ? strrchr(where, ':') : NULL;
	char *file;

	if (!colon)
		return p;
	file = hl_xstrdup(where);
	file[colon - where] = '\0';
	p.line = (uint32_t)strtoul(colon + 1, NULL, 10);
	p.file = hl_path_below(root, file);
	p.below = p.file != NULL;
	if (p.below)
		free(file);
	else
		p.file = file;
	return p;
}

struct hl_place hl_finding_place(const struct hl_check_style *style, const struct hl_finding *f)
{
	if (hl_finding_traceback(f))
		return place_of(style->source_root, f->process->names, hl_finding_traceback(f));
	if (f->supp)
		return place_of_text(style->source_root, f->supp->where);
	return (struct hl_place){0};
}

void hl_place_release(struct hl_place *p)
{
	free(p->file);
	*p = (struct hl_place){0};
}

/* Without a line in any frame, the newest frame says where it is. */
void hl_finding_put_place(FILE *out, const struct hl_finding *f, const struct hl_place *p)
{
	const struct hl_names *n = f->process->names;
	const struct hl_name_frame *frame;

	if (!hl_finding_traceback(f))
		return;
	frame = hl_names_frame_at(n, p->file ? p->frame : hl_names_newest(n, hl_finding_traceback(f)));
	if (frame->kind == HL_NAME_LINE || frame->kind == HL_NAME_FUNCTION) {
		fputs(", allocated in ", out);
		hl_put_escaped(out, hl_names_string(n, frame->function), HL_ESCAPE_TERMINAL);
		fputs(" (", out);
	} else {
		fputs(", allocated at (", out);
	}
	hl_put_escaped(out, p->file ? p->file : hl_names_string(n, frame->file), HL_ESCAPE_TERMINAL);
	if (frame->line)
		fprintf(out, ":%" PRIu32, frame->line);
	fputs(")", out);
}

char *hl_finding_text(const struct hl_finding *f, const struct hl_place *p)
{
	char *text = NULL;
	size_t n = 0;
	FILE *memory = open_memstream(&text, &n);

	if (!memory)
		abort();
	hl_finding_put(memory, f);
	if (p)
		hl_finding_put_place(memory, f, p);
	fclose(memory);
	return text;
}

static void put_member(FILE *out, const struct hl_names *n, const struct hl_ring_member *m)
{
	const struct hl_name_frame *f =
		m->traceback ? hl_names_frame_at(n, hl_names_newest(n, m->traceback)) : NULL;

	fputs("    ", out);
	if (f) {
		hl_put_escaped(out, hl_names_string(n, f->file), HL_ESCAPE_TERMINAL);
		fprintf(out, ":%" PRIu32, f->line);
	} else {
		fputs("stack not recorded", out);
	}
	fprintf(out, ", %" PRIu64 " byte%s, +%" PRIu64 " -> ", m->bytes, m->bytes == 1 ? "" : "s", m->offset);
}

static void put_ring(FILE *out, const struct hl_names *n, const struct hl_loss *l)
{
	fprintf(out, "  ring of %zu block%s:\n", l->nring, l->nring == 1 ? "" : "s");
	for (size_t i = 0; i < l->nring; i++) {
		if (i == HL_RING_SHOWN - 1 && l->nring > HL_RING_SHOWN) {
			fprintf(out, "    ... %zu more ...\n", l->nring - HL_RING_SHOWN);
			i = l->nring - 1;
		}
		put_member(out, n, &l->ring[i]);
		fputs(i + 1 < l->nring ? "the next\n" : l->nring == 1 ? "itself\n" : "the first\n", out);
	}
}

void hl_finding_put_stacks(FILE *out, const struct hl_style *style, const struct hl_finding *f,
			   struct hl_sources *sources)
{
	const struct hl_names *n = f->process->names;
	uint32_t traceback = hl_finding_traceback(f);

	if (!f->loss && !f->growth)
		return;
	if (traceback)
		hl_put_traceback(out, style, n, traceback, sources);
	else
		fputs("  [its stack was not recorded]\n", out);
	if (f->loss && f->loss->cycle && f->loss->nring)
		put_ring(out, n, f->loss);
}
