/*
 * text_refs.c - who points at a block, for people.  Floor: report.
 */
#include "analyzer/report/formats.h"
#include "analyzer/report/label.h"
#include "analyzer/report/sizes.h"
#include <inttypes.h>

/* " (inside)" where the pointer is not to the start. */
static const char *how_text(enum hl_point how)
{
	return how == HL_POINT_INTERIOR ? " (inside)" : how == HL_POINT_AROUND ? " (around)" : "";
}

static void put_ref(FILE *out, const struct hl_names *n, const struct hl_ref *r, int with_offset)
{
	char text[HL_SIZE_TEXT];

	if (r->root) {
		hl_put_escaped(out, r->root, HL_ESCAPE_TERMINAL);
		return;
	}
	if (r->traceback) {
		const struct hl_name_frame *f = hl_names_frame_at(n, hl_names_newest(n, r->traceback));

		hl_put_escaped(out, hl_names_string(n, f->file), HL_ESCAPE_TERMINAL);
		fprintf(out, ":%" PRIu32 ": ", f->line);
	}
	fprintf(out, "address=0x%" PRIx64 ", size=%s", r->address, hl_size_text(text, (double)r->size));
	if (with_offset)
		fprintf(out, ", offset=%" PRIu64, r->offset);
}

static void put_list(FILE *out, const struct hl_style *style, const struct hl_names *n, const char *what,
		     const struct hl_ref *r, size_t count)
{
	size_t shown = hl_report_rows(count, style->limit);

	if (!count)
		return;
	fprintf(out, "%s:\n", what);
	for (size_t i = 0; i < shown; i++) {
		fputs("  ", out);
		put_ref(out, n, &r[i], 1);
		fprintf(out, "%s\n", how_text(r[i].how));
	}
	if (shown < count)
		fprintf(out, "  ... %zu more (-n 0: all)\n", count - shown);
}

void hl_text_refs(FILE *out, const struct hl_style *style, const struct hl_refs *r)
{
	struct hl_sources *sources = hl_sources_new();
	char size[HL_SIZE_TEXT], held[HL_SIZE_TEXT];

	fprintf(out, "%s%s%s: address=0x%" PRIx64 ", size=%s", style->color ? "\033[1m" : "",
		hl_leak_kind_names[r->kind], style->color ? "\033[0m" : "", r->address,
		hl_size_text(size, (double)r->size));
	if (r->asked != r->address)
		fprintf(out, ", offset=%" PRIu64, r->asked - r->address);
	if (r->retained)
		fprintf(out, ", retained=%s", hl_size_text(held, (double)r->retained));
	fputs("\n", out);
	hl_text_call(out, style, r->names, "allocated", &r->allocated, sources);
	if (r->npath) {
		fputs("path from a root:\n", out);
		for (size_t i = 0; i < r->npath; i++) {
			fputs("  ", out);
			put_ref(out, r->names, &r->path[i], i + 1 < r->npath);
			fprintf(out, "%s%s\n", i + 1 < r->npath ? " ->" : "",
				i + 1 < r->npath ? how_text(r->path[i].how) : "");
		}
	}
	put_list(out, style, r->names, "pointed at by", r->from, r->nfrom);
	put_list(out, style, r->names, "points at", r->to, r->nto);
	hl_sources_free(sources);
}
