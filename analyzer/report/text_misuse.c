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

void hl_text_misuses(FILE *out, const struct hl_style *style, const struct hl_misuses *all)
{
	struct hl_sources *sources = hl_sources_new();

	for (size_t i = 0; i < hl_report_rows(all->n, style->limit); i++) {
		const struct hl_misuse *m = &all->row[i];

		fprintf(out, "%s%s%s: count=%" PRIu64, style->color ? "\033[1m" : "",
			hl_misuse_names[m->kind], style->color ? "\033[0m" : "", m->count);
		put_place(out, m);
		fputs("\n", out);
		hl_text_call(out, style, all->names, m->kind == HL_MISUSE_DOUBLE ? "freed again" : "freed",
			     &m->freed, sources);
		hl_text_call(out, style, all->names, "freed before", &m->freed_before, sources);
		hl_text_call(out, style, all->names, "allocated", &m->allocated, sources);
	}
	hl_sources_free(sources);
}
