/*
 * text_misuse.c - wrong frees for people: a line each, then the calls that explain it.  Floor: report.
 */
#include "analyzer/report/formats.h"
#include "analyzer/report/label.h"
#include "analyzer/report/sizes.h"
#include "analyzer/report/traceback.h"
#include <inttypes.h>

static void put_place(FILE *out, const struct hl_misuse *m)
{
	char text[HL_SIZE_TEXT];
	uint64_t offset = m->address - m->block;

	fprintf(out, ", address=0x%" PRIx64, m->address);
	if (!m->allocated.known)
		return;
	fprintf(out, ", size=%s", hl_size_text(text, (double)m->size));
	if (offset)
		fprintf(out, ", offset=%" PRIu64, offset);
}

static void put_call(FILE *out, const struct hl_style *style, const struct hl_names *n, const char *what,
		     const struct hl_call *c, struct hl_sources *sources)
{
	if (!c->known)
		return;
	/* what a forked child inherited was before its time */
	if (c->seconds < 0)
		fprintf(out, " %s by %s before the fork", what, c->function);
	else
		fprintf(out, " %s by %s at %.3f s", what, c->function, c->seconds);
	if (c->tid) {
		fputs(", thread ", out);
		hl_put_escaped(out, hl_names_string(n, c->thread), HL_ESCAPE_TERMINAL);
		fprintf(out, " (%" PRIu32 ")", c->tid);
	}
	fputs(c->traceback ? ":\n" : ", its stack was not recorded\n", out);
	if (c->traceback)
		hl_put_traceback(out, style, n, c->traceback, sources);
}

void hl_text_misuses(FILE *out, const struct hl_style *style, const struct hl_misuses *all)
{
	struct hl_sources *sources = hl_sources_new();

	for (size_t i = 0; i < hl_report_rows(all->n, style->limit); i++) {
		const struct hl_misuse *m = &all->row[i];

		fprintf(out, "%s%s%s: count=%" PRIu64, style->color ? "\033[1m" : "",
			hl_misuse_names[m->kind], style->color ? "\033[0m" : "", m->count);
		put_place(out, m);
		fputs("\n", out);
		put_call(out, style, all->names, m->kind == HL_MISUSE_DOUBLE ? "freed again" : "freed",
			 &m->freed, sources);
		put_call(out, style, all->names, "freed before", &m->freed_before, sources);
		put_call(out, style, all->names, "allocated", &m->allocated, sources);
	}
	hl_sources_free(sources);
}
