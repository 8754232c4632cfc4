/*
 * json_misuse.c - wrong frees for programs.  Floor: report.
 */
#include "analyzer/report/formats.h"
#include "analyzer/report/json_put.h"

void hl_json_misuses(FILE *out, const struct hl_style *style, const struct hl_misuses *all)
{
	static const char *const totals[HL_MISUSE_KINDS] = {"double", "invalid", "mismatched"};
	yajl_gen g = hl_json_start(out);

	yajl_gen_map_open(g);
	hl_json_member(g, "schema", 1);
	hl_json_string(g, "totals");
	yajl_gen_map_open(g);
	hl_json_member(g, "rows", all->n);
	for (unsigned k = 0; k < HL_MISUSE_KINDS; k++)
		hl_json_member(g, totals[k], all->count[k]);
	hl_json_member(g, "lost_events", all->lost);
	yajl_gen_map_close(g);
	hl_json_string(g, "rows");
	yajl_gen_array_open(g);
	for (size_t i = 0; i < hl_report_rows(all->n, style->limit); i++) {
		const struct hl_misuse *m = &all->row[i];

		yajl_gen_map_open(g);
		hl_json_text(g, "kind", hl_misuse_names[m->kind]);
		hl_json_text(g, "trace", m->trace);
		hl_json_member(g, "count", m->count);
		hl_json_address(g, "address", m->address);
		hl_json_string(g, "offset");
		if (m->allocated.known)
			hl_json_number(g, m->address - m->block);
		else
			yajl_gen_null(g);
		hl_json_string(g, "size");
		if (m->allocated.known)
			hl_json_number(g, m->size);
		else
			yajl_gen_null(g);
		hl_json_call(g, all->names, "freed", &m->freed);
		hl_json_call(g, all->names, "freed_before", &m->freed_before);
		hl_json_call(g, all->names, "allocated", &m->allocated);
		yajl_gen_map_close(g);
	}
	yajl_gen_array_close(g);
	yajl_gen_map_close(g);
	yajl_gen_free(g);
}
