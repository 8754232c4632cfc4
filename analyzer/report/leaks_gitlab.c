/*
 * leaks_gitlab.c - GitLab's code quality report: a JSON array of issues.  Floor: report.
 *
 * GitLab shows an issue at a path of the repository and wants a line; a loss without one in any frame is told at
 * line 1 of its program.  What is suppressed is left out.
 * Source: GitLab's documentation, Code Quality, "Code Quality report format".
 */
#include "analyzer/report/findings.h"
#include "analyzer/report/json_put.h"
#include "analyzer/report/uri.h"
#include <inttypes.h>
#include <stdlib.h>

/* Fingerprints tell issues of two commits apart: the same for the same loss, none twice. */
static void put_fingerprint(yajl_gen g, const struct hl_finding *f)
{
	char text[96];

	snprintf(text, sizeof(text), "%016" PRIx64 "-%s-%" PRIu32, f->hash, hl_rule_texts[f->rule].id,
		 f->ordinal);
	hl_json_text(g, "fingerprint", text);
}

static void put_issue(yajl_gen g, const struct hl_check_style *style, const struct hl_finding *f)
{
	static const char *const severity[] = {
		[HL_LEVEL_ERROR] = "major", [HL_LEVEL_WARNING] = "minor", [HL_LEVEL_NOTE] = "info"};
	struct hl_place p = hl_finding_place(style, f);
	char *text = hl_finding_text(f, &p);
	char *program = p.file ? NULL : hl_path_below(style->source_root, f->process->program);

	yajl_gen_map_open(g);
	hl_json_text(g, "description", text);
	hl_json_text(g, "check_name", hl_rule_texts[f->rule].id);
	put_fingerprint(g, f);
	hl_json_text(g, "severity", severity[f->level]);
	hl_json_string(g, "location");
	yajl_gen_map_open(g);
	hl_json_text(g, "path", p.file ? p.file : program ? program : f->process->program);
	hl_json_string(g, "lines");
	yajl_gen_map_open(g);
	hl_json_member(g, "begin", p.line ? p.line : 1);
	yajl_gen_map_close(g);
	yajl_gen_map_close(g);
	yajl_gen_map_close(g);
	free(program);
	free(text);
	hl_place_release(&p);
}

static void write_gitlab(FILE *out, const struct hl_check_style *style, const struct hl_check *check)
{
	yajl_gen g = hl_json_start(out);
	struct hl_findings all;

	hl_findings_collect(&all, style, check, 0);
	yajl_gen_array_open(g);
	for (size_t i = 0; i < all.n; i++)
		put_issue(g, style, &all.finding[i]);
	yajl_gen_array_close(g);
	yajl_gen_free(g);
	hl_findings_release(&all);
}

const struct hl_check_format hl_check_gitlab = {"gitlab", write_gitlab};
