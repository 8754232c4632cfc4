/*
 * csv_put.c - cells.  Floor: report.
 */
#include "analyzer/report/csv_put.h"
#include "analyzer/analysis/utf8.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void hl_csv_text(FILE *out, const char *s)
{
	char *clean = hl_utf8_escape(s, HL_ESCAPE_TERMINAL);
	const char *t = clean ? clean : s;
	int formula = *s && strchr("=+-@\t\r", *s);

	if (!strpbrk(t, ",\"\r\n")) {
		fprintf(out, "%s%s", formula ? "'" : "", t);
		free(clean);
		return;
	}
	fputs(formula ? "\"'" : "\"", out);
	for (; *t; t++) {
		if (*t == '"')
			fputc('"', out);
		fputc(*t, out);
	}
	fputc('"', out);
	free(clean);
}

/* A cell's content is made in memory, since quoting depends on all of it. */
void hl_csv_traceback(FILE *out, const struct hl_names *n, uint32_t tb)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *f = open_memstream(&text, &bytes);

	if (!f)
		abort();
	for (uint32_t t = tb; t; t = hl_names_older(n, t)) {
		const struct hl_name_frame *g = hl_names_frame_at(n, hl_names_newest(n, t));

		fprintf(f, "%s%s:%" PRIu32, t == tb ? "" : ";", hl_names_string(n, g->file), g->line);
	}
	fclose(f);
	hl_csv_text(out, text);
	free(text);
}

void hl_csv_frames(FILE *out, const struct hl_names *n, uint32_t tb)
{
	hl_csv_traceback(out, n, tb);
	fprintf(out, ",%d", hl_names_truncated(n, tb));
}
