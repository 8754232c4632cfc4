/*
 * json_call.c - a call as a member.  Floor: report.
 */
#include "analyzer/report/formats.h"
#include "analyzer/report/json_put.h"

void hl_json_call(yajl_gen g, const struct hl_names *n, const char *name, const struct hl_call *c)
{
	hl_json_string(g, name);
	if (!c->known) {
		yajl_gen_null(g);
		return;
	}
	yajl_gen_map_open(g);
	hl_json_text(g, "by", c->function);
	hl_json_string(g, "seconds");
	hl_json_seconds(g, c->seconds);
	hl_json_text(g, "thread", hl_names_string(n, c->thread));
	hl_json_member(g, "tid", c->tid);
	hl_json_string(g, "recorded"); /* whether the stack was */
	yajl_gen_bool(g, c->traceback != 0);
	hl_json_frames(g, n, c->traceback);
	yajl_gen_map_close(g);
}
