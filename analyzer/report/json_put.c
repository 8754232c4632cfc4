/*
 * json_put.c - members of JSON objects.  Floor: report.
 */
#include "analyzer/report/json_put.h"
#include "analyzer/analysis/utf8.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void write_out(void *ctx, const char *s, size_t n)
{
	fwrite(s, 1, n, ctx);
}

/* Only memory can fail here; then nothing is printed, and ferror of out is set by nobody: so abort. */
yajl_gen hl_json_start(FILE *out)
{
	yajl_gen g = yajl_gen_alloc(NULL);

	if (!g)
		abort();
	yajl_gen_config(g, yajl_gen_print_callback, write_out, out);
	yajl_gen_config(g, yajl_gen_beautify, 1);
	yajl_gen_config(g, yajl_gen_indent_string, " ");
	return g;
}

void hl_json_string(yajl_gen g, const char *s)
{
	char *clean = hl_utf8_escape(s, HL_ESCAPE_INVALID);

	yajl_gen_string(g, (const unsigned char *)(clean ? clean : s), strlen(clean ? clean : s));
	free(clean);
}

/* yajl's integers are long long; sizes are unsigned. */
void hl_json_number(yajl_gen g, uint64_t v)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%" PRIu64, v);

	yajl_gen_number(g, text, (size_t)n);
}

void hl_json_member(yajl_gen g, const char *name, uint64_t v)
{
	hl_json_string(g, name);
	hl_json_number(g, v);
}

void hl_json_text(yajl_gen g, const char *name, const char *s)
{
	hl_json_string(g, name);
	hl_json_string(g, s);
}

void hl_json_text_or_null(yajl_gen g, const char *name, const char *s)
{
	hl_json_string(g, name);
	if (s)
		hl_json_string(g, s);
	else
		yajl_gen_null(g);
}

void hl_json_flag(yajl_gen g, const char *name, int v)
{
	hl_json_string(g, name);
	yajl_gen_bool(g, v != 0);
}

void hl_json_address(yajl_gen g, const char *name, uint64_t address)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, address);
	hl_json_text(g, name, text);
}

void hl_json_seconds(yajl_gen g, double s)
{
	char text[48];
	int n = snprintf(text, sizeof(text), "%.6f", isfinite(s) ? s : 0.0);

	yajl_gen_number(g, text, (size_t)n);
}

void hl_json_frames(yajl_gen g, const struct hl_names *n, uint32_t tb)
{
	hl_json_string(g, "truncated");
	yajl_gen_bool(g, hl_names_truncated(n, tb));
	hl_json_string(g, "traceback"); /* newest first */
	yajl_gen_array_open(g);
	for (; tb; tb = hl_names_older(n, tb)) {
		const struct hl_name_frame *f = hl_names_frame_at(n, hl_names_newest(n, tb));

		yajl_gen_map_open(g);
		hl_json_text(g, "file", hl_names_string(n, f->file));
		hl_json_member(g, "line", f->line);
		hl_json_text(g, "function", hl_names_string(n, f->function));
		hl_json_text(g, "module", hl_names_string(n, f->module));
		yajl_gen_map_close(g);
	}
	yajl_gen_array_close(g);
}
