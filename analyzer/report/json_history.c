/*
 * json_history.c - what an address was part of, for programs.  Floor: report.
 */
#include "analyzer/report/formats.h"
#include "analyzer/report/json_put.h"

static void put_life(yajl_gen g, const struct hl_history *h, const struct hl_life *l)
{
	static const char *const domains[] = {
		[HL_DOMAIN_HEAP] = "heap", [HL_DOMAIN_MMAP] = "mmap", [HL_DOMAIN_POOL] = "pool"};

	yajl_gen_map_open(g);
	hl_json_text(g, "state", l->live ? "live" : "freed");
	hl_json_address(g, "address", l->address);
	hl_json_member(g, "offset", h->address - l->address);
	hl_json_member(g, "size", l->size);
	hl_json_member(g, "unmapped", l->unmapped);
	hl_json_text(g, "domain", domains[l->domain]);
	hl_json_string(g, "inherited");
	yajl_gen_bool(g, l->inherited);
	hl_json_call(g, h->names, "allocated", &l->allocated);
	hl_json_call(g, h->names, "ended", &l->ended);
	yajl_gen_map_close(g);
}

void hl_json_history(FILE *out, const struct hl_style *style, const struct hl_history *h)
{
	yajl_gen g = hl_json_start(out);

	yajl_gen_map_open(g);
	hl_json_member(g, "schema", 1);
	hl_json_text(g, "trace", h->trace);
	hl_json_address(g, "address", h->address);
	hl_json_member(g, "blocks", h->lives);
	hl_json_string(g, "rows");
	yajl_gen_array_open(g);
	for (size_t i = 0; i < hl_report_rows(h->n, style->limit); i++)
		put_life(g, h, &h->life[i]);
	yajl_gen_array_close(g);
	yajl_gen_map_close(g);
	yajl_gen_free(g);
}
