/*
 * text_history.c - what an address was part of, for people: a line for each block, then the calls that made and ended
 * it.  Floor: report.
 */
#include "analyzer/report/formats.h"
#include "analyzer/report/sizes.h"
#include <inttypes.h>

void hl_text_history(FILE *out, const struct hl_style *style, const struct hl_history *h)
{
	struct hl_sources *sources = hl_sources_new();
	char text[HL_SIZE_TEXT];

	for (size_t i = 0; i < hl_report_rows(h->n, style->limit); i++) {
		const struct hl_life *l = &h->life[i];

		fprintf(out, "%s%s%s: address=0x%" PRIx64 ", size=%s", style->color ? "\033[1m" : "",
			l->live ? "live" : "freed", style->color ? "\033[0m" : "", l->address,
			hl_size_text(text, (double)l->size));
		if (h->address != l->address)
			fprintf(out, ", offset=%" PRIu64, h->address - l->address);
		if (l->unmapped)
			fprintf(out, ", unmapped=%s", hl_size_text(text, (double)l->unmapped));
		fputs("\n", out);
		hl_text_call(out, style, h->names, "freed", &l->ended, sources);
		hl_text_call(out, style, h->names, "allocated", &l->allocated, sources);
	}
	hl_sources_free(sources);
}
