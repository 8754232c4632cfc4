/*
 * traceback.c - frames as text.  Floor: report.
 * Source: CPython 3.11 Lib/tracemalloc.py, Traceback.format.
 */
#include "analyzer/report/traceback.h"
#include "analyzer/base/diag.h"
#include "analyzer/report/label.h"
#include <inttypes.h>
#include <stdlib.h>

static void put_frame(FILE *out, const struct hl_names *n, uint32_t frame, struct hl_sources *sources)
{
	const struct hl_name_frame *f = hl_names_frame_at(n, frame);
	const char *file = hl_names_string(n, f->file);
	char *line = f->kind == HL_NAME_LINE ? hl_sources_line(sources, file, f->line) : NULL;

	fputs("  File \"", out);
	hl_put_escaped(out, file, HL_ESCAPE_TERMINAL);
	fprintf(out, "\", line %" PRIu32 "\n", f->line);
	if (line) {
		fputs("    ", out);
		hl_put_escaped(out, line, HL_ESCAPE_SOURCE);
		fputs("\n", out);
	}
	free(line);
}

/* Traceback.format with the meaning its documentation gives to limit: the newest N frames, the oldest -N
 * (its code leaves out the newest -N instead), none.  A cut stack is marked where its oldest frame is shown. */
void hl_put_traceback(FILE *out, const struct hl_style *style, const struct hl_names *n, uint32_t tb,
		      struct hl_sources *sources)
{
	uint32_t depth = hl_names_depth(n, tb), *frames = hl_xcalloc(depth, sizeof(*frames));
	uint32_t from = 0, to = depth, i = depth; /* 0: the oldest */
	int cut = hl_names_truncated(n, tb);

	for (uint32_t t = tb; t; t = hl_names_older(n, t))
		frames[--i] = hl_names_newest(n, t);
	if (style->has_frames && style->frames > 0 && style->frames < depth)
		from = depth - (uint32_t)style->frames;
	if (style->has_frames && style->frames <= 0 && -style->frames < depth)
		to = (uint32_t)-style->frames;
	if (cut && !from && to && !style->most_recent_first)
		fputs("  [older frames were not recorded]\n", out);
	for (i = from; i < to; i++)
		put_frame(out, n, frames[style->most_recent_first ? to - 1 - (i - from) : i], sources);
	if (cut && !from && to && style->most_recent_first)
		fputs("  [older frames were not recorded]\n", out);
	free(frames);
}
