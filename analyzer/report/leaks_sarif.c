/*
 * leaks_sarif.c - SARIF 2.1.0: one run, a rule a kind, a result a finding.  Floor: report.
 *
 * A result's level is error when the check fails by it.  Suppressed losses are results that say so.  Messages of losses
 * hold no name of the program's: those are in locations, where nothing in them is markup.
 * Source: OASIS, SARIF 2.1.0, the sections below.
 */
#include "analyzer/base/diag.h"
#include "analyzer/report/findings.h"
#include "analyzer/report/sarif_put.h"
#include "analyzer/report/uri.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const levels[] = {
	[HL_LEVEL_ERROR] = "error", [HL_LEVEL_WARNING] = "warning", [HL_LEVEL_NOTE] = "note"};

static void put_text_object(yajl_gen g, const char *name, const char *text)
{
	hl_json_string(g, name);
	yajl_gen_map_open(g);
	hl_json_text(g, "text", text);
	yajl_gen_map_close(g);
}

/* 3.19, 3.49 */
static void put_tool(yajl_gen g)
{
	hl_json_string(g, "tool");
	yajl_gen_map_open(g);
	hl_json_string(g, "driver");
	yajl_gen_map_open(g);
	hl_json_text(g, "name", "heapledger");
	hl_json_text(g, "version", HL_VERSION);
	hl_json_string(g, "rules");
	yajl_gen_array_open(g);
	for (int r = 0; r < HL_RULES; r++) {
		yajl_gen_map_open(g);
		hl_json_text(g, "id", hl_rule_texts[r].id);
		put_text_object(g, "shortDescription", hl_rule_texts[r].help);
		yajl_gen_map_close(g);
	}
	yajl_gen_array_close(g);
	yajl_gen_map_close(g);
	yajl_gen_map_close(g);
}

/* 3.14.14: a base that is a directory ends in a slash. */
static void put_root(yajl_gen g, const char *root)
{
	char *uri, *slashed;

	if (!root || *root != '/')
		return;
	uri = hl_path_uri(root);
	if (asprintf(&slashed, "%s%s", uri, uri[strlen(uri) - 1] == '/' ? "" : "/") < 0)
		abort();
	hl_json_string(g, "originalUriBaseIds");
	yajl_gen_map_open(g);
	hl_json_string(g, HL_SARIF_ROOT);
	yajl_gen_map_open(g);
	hl_json_text(g, "uri", slashed);
	yajl_gen_map_close(g);
	yajl_gen_map_close(g);
	free(slashed);
	free(uri);
}

/* 3.20: what keeps the run from a verdict is told of it, too, not of its results alone. */
static void put_invocation(yajl_gen g, const struct hl_check *check)
{
	int complete = 1;

	for (size_t i = 0; i < check->n; i++)
		complete &= !check->process[i].incomplete;
	hl_json_string(g, "invocations");
	yajl_gen_array_open(g);
	yajl_gen_map_open(g);
	hl_json_flag(g, "executionSuccessful", complete);
	if (check->judged) {
		hl_json_string(g, "exitCode");
		yajl_gen_integer(g, check->status);
	}
	hl_json_string(g, "toolExecutionNotifications");
	yajl_gen_array_open(g);
	for (size_t i = 0; i < check->n; i++) {
		if (!check->process[i].incomplete)
			continue;
		yajl_gen_map_open(g);
		hl_json_text(g, "level", "error");
		hl_sarif_message(g, check->process[i].why_incomplete);
		yajl_gen_map_close(g);
	}
	yajl_gen_array_close(g);
	yajl_gen_map_close(g);
	yajl_gen_array_close(g);
}

/* 3.27.12: one location always, with a line always: GitHub wants both.  Where no frame has a line it is the newest
 * one's module, without a stack the program. */
static void put_locations(yajl_gen g, const struct hl_check_style *style, const struct hl_finding *f)
{
	struct hl_place p = hl_finding_place(style, f);
	const struct hl_names *n = f->process->names;
	uint32_t tb = hl_finding_traceback(f);
	const struct hl_name_frame *frame =
		tb ? hl_names_frame_at(n, p.file ? p.frame : hl_names_newest(n, tb)) : NULL;

	if (!p.file) {
		const char *file = frame && frame->kind != HL_NAME_UNKNOWN ? hl_names_string(n, frame->module)
									   : f->process->program;

		p.file = hl_path_below(style->source_root, file);
		p.below = p.file != NULL;
		if (!p.file)
			p.file = hl_xstrdup(file);
	}
	hl_json_string(g, "locations");
	yajl_gen_array_open(g);
	yajl_gen_map_open(g);
	hl_sarif_physical(g, p.file, p.line ? p.line : 1, p.below);
	if (frame && frame->kind <= HL_NAME_FUNCTION)
		hl_sarif_function(g, hl_names_string(n, frame->function));
	yajl_gen_map_close(g);
	yajl_gen_array_close(g);
	hl_place_release(&p);
}

/* 3.27.22: the members of the ring, in their order. */
static void put_ring(yajl_gen g, const struct hl_names *n, const struct hl_loss *l, const char *root)
{
	if (!l->cycle || !l->nring)
		return;
	hl_json_string(g, "relatedLocations");
	yajl_gen_array_open(g);
	for (size_t i = 0; i < l->nring; i++) {
		const struct hl_ring_member *m = &l->ring[i];
		char text[128];

		if (i == HL_RING_SHOWN - 1)
			i = l->nring - 1; /* it is at the most */
		snprintf(text, sizeof(text), "%zu of the ring: %" PRIu64 " bytes, +%" PRIu64 " leads to %zu",
			 i + 1, m->bytes, m->offset, i + 1 < l->nring ? i + 2 : 1);
		yajl_gen_map_open(g);
		hl_json_member(g, "id", i + 1);
		hl_sarif_message(g, text);
		if (m->traceback)
			hl_sarif_frame(g, n, hl_names_newest(n, m->traceback), root);
		yajl_gen_map_close(g);
	}
	yajl_gen_array_close(g);
}

/* 3.27.16, 3.27.23, 3.27.24 */
static void put_identity(yajl_gen g, const struct hl_finding *f, int baseline)
{
	static const char *const states[HL_LOSS_STATES] = {"new", "updated", "unchanged"};
	const struct hl_losses *p = f->process;
	char text[64];

	snprintf(text, sizeof(text), "%016" PRIx64 "-%" PRIu32, f->hash, f->ordinal);
	hl_json_string(g, "partialFingerprints");
	yajl_gen_map_open(g);
	hl_json_text(g, "heapledger/v1", text);
	yajl_gen_map_close(g);
	if (baseline) /* all results of a run have it or none */
		hl_json_text(g, "baselineState", f->loss ? states[f->loss->state] : "new");
	hl_json_string(g, "suppressions");
	yajl_gen_array_open(g);
	if (f->loss && f->loss->suppression) {
		yajl_gen_map_open(g);
		hl_json_text(g, "kind", "external");
		hl_json_text(g, "justification", p->used[f->loss->suppression - 1].text);
		yajl_gen_map_close(g);
	}
	yajl_gen_array_close(g);
}

static void put_properties(yajl_gen g, const struct hl_finding *f)
{
	const struct hl_loss *l = f->loss;

	hl_json_string(g, "properties");
	yajl_gen_map_open(g);
	hl_json_member(g, "pid", f->process->pid);
	hl_json_text(g, "program", f->process->program);
	if (l) {
		hl_json_member(g, "bytes", l->bytes);
		hl_json_member(g, "blocks", l->blocks);
		hl_json_member(g, "indirectBytes", l->indirect_bytes);
		hl_json_member(g, "indirectBlocks", l->indirect_blocks);
	}
	if (f->growth) {
		hl_json_member(g, "bytes", f->growth->to_bytes);
		hl_json_member(g, "blocks", f->growth->to_blocks);
		hl_json_member(g, "fromBytes", f->growth->from_bytes);
		hl_json_member(g, "fromBlocks", f->growth->from_blocks);
	}
	yajl_gen_map_close(g);
}

static void put_result(yajl_gen g, const struct hl_check_style *style, const struct hl_finding *f,
		       int baseline)
{
	char *text = hl_finding_text(f, NULL);

	yajl_gen_map_open(g);
	hl_json_text(g, "ruleId", hl_rule_texts[f->rule].id);
	hl_json_member(g, "ruleIndex", f->rule);
	hl_json_text(g, "level", levels[f->level]);
	hl_sarif_message(g, text);
	put_locations(g, style, f);
	if (f->loss || f->growth)
		hl_sarif_stacks(g, f->process->names, hl_finding_traceback(f), style->source_root);
	if (f->loss)
		put_ring(g, f->process->names, f->loss, style->source_root);
	put_identity(g, f, baseline);
	put_properties(g, f);
	yajl_gen_map_close(g);
	free(text);
}

static void write_sarif(FILE *out, const struct hl_check_style *style, const struct hl_check *check)
{
	yajl_gen g = hl_json_start(out);
	struct hl_findings all;
	int baseline = 0;

	for (size_t i = 0; i < check->n; i++)
		baseline |= check->process[i].baseline;
	hl_findings_collect(&all, style, check, 1);
	yajl_gen_map_open(g);
	hl_json_text(g, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
	hl_json_text(g, "version", "2.1.0");
	hl_json_string(g, "runs");
	yajl_gen_array_open(g);
	yajl_gen_map_open(g);
	put_tool(g);
	put_invocation(g, check);
	put_root(g, style->source_root);
	hl_json_string(g, "results");
	yajl_gen_array_open(g);
	for (size_t i = 0; i < all.n; i++)
		put_result(g, style, &all.finding[i], baseline);
	yajl_gen_array_close(g);
	yajl_gen_map_close(g);
	yajl_gen_array_close(g);
	yajl_gen_map_close(g);
	yajl_gen_free(g);
	hl_findings_release(&all);
}

const struct hl_check_format hl_check_sarif = {"sarif", write_sarif};
