/*
 * json_refs.c - who points at a block, for programs.  Floor: report.
 */
#include "analyzer/report/formats.h"
#include "analyzer/report/json_put.h"

static const char *const hows[] = {[HL_POINT_START] = "start",
				   [HL_POINT_EXPLAINED] = "explained",
				   [HL_POINT_INTERIOR] = "interior",
				   [HL_POINT_AROUND] = "around"};

static void put_ref(yajl_gen g, const struct hl_names *n, const struct hl_ref *r)
{
	yajl_gen_map_open(g);
	hl_json_string(g, "root");
	if (r->root)
		hl_json_string(g, r->root);
	else
		yajl_gen_null(g);
	if (!r->root) {
		hl_json_address(g, "address", r->address);
		hl_json_member(g, "size", r->size);
		hl_json_member(g, "offset", r->offset);
		hl_json_frames(g, n, r->traceback);
	}
	hl_json_text(g, "how", hows[r->how]);
	yajl_gen_map_close(g);
}

static void put_list(yajl_gen g, const struct hl_names *n, const char *name, const struct hl_ref *r,
		     size_t count)
{
	hl_json_string(g, name);
	yajl_gen_array_open(g);
	for (size_t i = 0; i < count; i++)
		put_ref(g, n, &r[i]);
	yajl_gen_array_close(g);
}

void hl_json_refs(FILE *out, const struct hl_style *style, const struct hl_refs *r)
{
	yajl_gen g = hl_json_start(out);

	yajl_gen_map_open(g);
	hl_json_member(g, "schema", 1);
	hl_json_text(g, "trace", r->trace);
	hl_json_address(g, "asked", r->asked);
	if (!r->address) {
		hl_json_string(g, "address");
		yajl_gen_null(g);
		yajl_gen_map_close(g);
		yajl_gen_free(g);
		return;
	}
	hl_json_address(g, "address", r->address);
	hl_json_member(g, "size", r->size);
	hl_json_member(g, "retained", r->retained);
	hl_json_text(g, "kind", hl_leak_kind_names[r->kind]);
	hl_json_call(g, r->names, "allocated", &r->allocated);
	put_list(g, r->names, "path", r->path, r->npath);
	put_list(g, r->names, "pointed_at_by", r->from, hl_report_rows(r->nfrom, style->limit));
	put_list(g, r->names, "points_at", r->to, hl_report_rows(r->nto, style->limit));
	hl_json_member(g, "referrers", r->nfrom);
	hl_json_member(g, "referents", r->nto);
	yajl_gen_map_close(g);
	yajl_gen_free(g);
}
