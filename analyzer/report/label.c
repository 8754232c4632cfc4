/*
 * label.c - what a row is called.  Floor: report.
 */
#include "analyzer/report/label.h"
#include <inttypes.h>
#include <stdlib.h>

void hl_put_escaped(FILE *out, const char *s, enum hl_escape what)
{
	char *clean = hl_utf8_escape(s, what);

	fputs(clean ? clean : s, out);
	free(clean);
}

static void put_name(FILE *out, const struct hl_names *n, uint32_t id)
{
	hl_put_escaped(out, hl_names_string(n, id), HL_ESCAPE_TERMINAL);
}

uint32_t hl_oldest_frame(const struct hl_names *n, uint32_t traceback)
{
	while (hl_names_older(n, traceback))
		traceback = hl_names_older(n, traceback);
	return hl_names_newest(n, traceback);
}

void hl_put_label(FILE *out, const struct hl_names *n, enum hl_by by, int no_tid, struct hl_key key)
{
	const struct hl_name_frame *f;

	switch (by) {
	case HL_BY_TRACEBACK:
		f = hl_names_frame_at(n, hl_oldest_frame(n, key.a));
		put_name(out, n, f->file);
		fprintf(out, ":%" PRIu32, f->line);
		break;
	case HL_BY_FUNCTION:
		put_name(out, n, key.a);
		fputs(" (", out);
		put_name(out, n, key.b);
		fputs(")", out);
		break;
	case HL_BY_OBJECT:
		put_name(out, n, key.a);
		break;
	case HL_BY_THREAD:
		put_name(out, n, key.a);
		if (!no_tid)
			fprintf(out, " (%" PRIu32 ")", key.b);
		break;
	default:
		put_name(out, n, key.a);
		fprintf(out, ":%" PRIu32, key.b);
	}
}
