/*
 * sarif_put.c - messages, places and stacks in SARIF.  Floor: report.
 * Source: SARIF 2.1.0, 3.4 artifactLocation, 3.11 message, 3.28 location, 3.29 physicalLocation, 3.33 logicalLocation,
 * 3.44 stack.
 */
#include "analyzer/report/sarif_put.h"
#include "analyzer/analysis/utf8.h"
#include "analyzer/base/diag.h"
#include "analyzer/report/uri.h"
#include <stdlib.h>
#include <string.h>

void hl_sarif_message(yajl_gen g, const char *text)
{
	char *escaped = hl_utf8_escape(text, HL_ESCAPE_TERMINAL);
	const char *from = escaped ? escaped : text;
	char *doubled = hl_xmalloc(strlen(from) * 2 + 1), *o = doubled;

	for (; *from; from++) {
		if (*from == '{' || *from == '}')
			*o++ = *from;
		*o++ = *from;
	}
	*o = '\0';
	hl_json_string(g, "message");
	yajl_gen_map_open(g);
	hl_json_text(g, "text", doubled);
	yajl_gen_map_close(g);
	free(doubled);
	free(escaped);
}

/* An absolute URI has no base. */
void hl_sarif_physical(yajl_gen g, const char *file, uint32_t line, int below)
{
	char *uri = hl_path_uri(file);

	hl_json_string(g, "physicalLocation");
	yajl_gen_map_open(g);
	hl_json_string(g, "artifactLocation");
	yajl_gen_map_open(g);
	hl_json_text(g, "uri", uri);
	if (below)
		hl_json_text(g, "uriBaseId", HL_SARIF_ROOT);
	yajl_gen_map_close(g);
	if (line) {
		hl_json_string(g, "region");
		yajl_gen_map_open(g);
		hl_json_member(g, "startLine", line);
		yajl_gen_map_close(g);
	}
	yajl_gen_map_close(g);
	free(uri);
}

void hl_sarif_function(yajl_gen g, const char *function)
{
	hl_json_string(g, "logicalLocations");
	yajl_gen_array_open(g);
	yajl_gen_map_open(g);
	hl_json_text(g, "fullyQualifiedName", function);
	hl_json_text(g, "kind", "function");
	yajl_gen_map_close(g);
	yajl_gen_array_close(g);
}

void hl_sarif_frame(yajl_gen g, const struct hl_names *n, uint32_t frame, const char *root)
{
	const struct hl_name_frame *f = hl_names_frame_at(n, frame);
	const char *file = hl_names_string(n, f->kind == HL_NAME_LINE ? f->file : f->module);
	char *below = hl_path_below(root, file);

	if (f->kind != HL_NAME_UNKNOWN && (below || *file == '/'))
		hl_sarif_physical(g, below ? below : file, f->line, below != NULL);
	if (f->kind == HL_NAME_LINE || f->kind == HL_NAME_FUNCTION)
		hl_sarif_function(g, hl_names_string(n, f->function));
	free(below);
}

void hl_sarif_stacks(yajl_gen g, const struct hl_names *n, uint32_t tb, const char *root)
{
	if (!tb)
		return;
	hl_json_string(g, "stacks");
	yajl_gen_array_open(g);
	yajl_gen_map_open(g);
	if (hl_names_truncated(n, tb))
		hl_sarif_message(g, "older frames were not recorded");
	hl_json_string(g, "frames");
	yajl_gen_array_open(g);
	for (; tb; tb = hl_names_older(n, tb)) {
		uint32_t frame = hl_names_newest(n, tb);

		yajl_gen_map_open(g);
		hl_json_string(g, "location");
		yajl_gen_map_open(g);
		hl_sarif_frame(g, n, frame, root);
		yajl_gen_map_close(g);
		hl_json_text(g, "module", hl_names_string(n, hl_names_frame_at(n, frame)->module));
		yajl_gen_map_close(g);
	}
	yajl_gen_array_close(g);
	yajl_gen_map_close(g);
	yajl_gen_array_close(g);
}
