/*
 * leaks_junit.c - a check as JUnit's XML: a suite a process, a case a loss that counts, or one that passes.
 * Floor: report.
 *
 * Only elements and attributes that all readers know: Jenkins refuses file and line on a case.  What does not fail is
 * told in system-out.  Of a list that is not judged nothing fails.
 * Source: Jenkins' xunit plugin, junit-10.xsd.
 */
#include "analyzer/report/findings.h"
#include "analyzer/report/uri.h"
#include "analyzer/report/xml_put.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The whole of a finding, for people. */
static char *whole(const struct hl_check_style *style, const struct hl_finding *f, struct hl_sources *sources)
{
	struct hl_style plain = style->rows;
	char *text = NULL;
	size_t n = 0;
	FILE *memory = open_memstream(&text, &n);

	if (!memory)
		abort();
	plain.color = 0;
	hl_finding_put(memory, f);
	fputs("\n", memory);
	hl_finding_put_stacks(memory, &plain, f, sources);
	fclose(memory);
	return text;
}

/* The same for the same loss in every run, none twice in a document: servers follow a case by its name. */
static void put_name(FILE *out, const struct hl_check_style *style, const struct hl_finding *f)
{
	struct hl_place p = hl_finding_place(style, f);
	const struct hl_names *n = f->process->names;

	fputs(hl_rule_texts[f->rule].id, out);
	if (p.file && hl_finding_traceback(f)) {
		fputs(" in ", out);
		hl_xml_text(out, hl_names_string(n, hl_names_frame_at(n, p.frame)->function));
		fputs(", ", out);
		hl_xml_text(out, p.file);
	}
	fprintf(out, " [%016" PRIx64, f->hash);
	if (f->ordinal)
		fprintf(out, "-%" PRIu32, f->ordinal);
	fputs("]", out);
	hl_place_release(&p);
}

/* "prog", the second process of that name "prog#2": pids differ from run to run. */
static void put_program(FILE *out, const struct hl_check *check, const struct hl_losses *p)
{
	const char *name = hl_path_base(p->program);
	size_t before = 0;

	for (const struct hl_losses *q = check->process; q < p; q++)
		before += !strcmp(hl_path_base(q->program), name);
	hl_xml_text(out, name);
	if (before)
		fprintf(out, "#%zu", before + 1);
}

static void open_case(FILE *out, const struct hl_check *check, const struct hl_losses *p)
{
	fputs("    <testcase classname=\"", out);
	put_program(out, check, p);
	fputs("\" name=\"", out);
}

static void put_case(FILE *out, const struct hl_check_style *style, const struct hl_check *check,
		     const struct hl_finding *f, struct hl_sources *sources)
{
	const char *kind = f->rule == HL_RULE_INCOMPLETE ? "error" : "failure";
	char *text = whole(style, f, sources), *line = hl_finding_text(f, NULL);

	open_case(out, check, f->process);
	put_name(out, style, f);
	fprintf(out, "\">\n      <%s type=\"%s\" message=\"", kind, hl_rule_texts[f->rule].id);
	hl_xml_lines(out, line);
	fputs("\">", out);
	hl_xml_lines(out, text);
	fprintf(out, "</%s>\n    </testcase>\n", kind);
	free(line);
	free(text);
}

static void put_suite(FILE *out, const struct hl_check_style *style, const struct hl_check *check,
		      const struct hl_losses *p, const struct hl_finding *f, size_t n,
		      struct hl_sources *sources)
{
	size_t failures = 0, errors = 0, others = 0;

	for (size_t i = 0; i < n; i++) {
		int error = f[i].level == HL_LEVEL_ERROR;

		errors += error && f[i].rule == HL_RULE_INCOMPLETE;
		failures += error && f[i].rule != HL_RULE_INCOMPLETE;
		others += !error;
	}
	fputs("  <testsuite name=\"heapledger check ", out);
	put_program(out, check, p);
	fprintf(out, "\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"0\" time=\"%.3f\">\n",
		failures + errors ? failures + errors : 1, failures, errors, p->seconds);
	for (size_t i = 0; i < n; i++)
		if (f[i].level == HL_LEVEL_ERROR)
			put_case(out, style, check, &f[i], sources);
	if (!failures && !errors) {
		open_case(out, check, p);
		fputs("no leaks\"/>\n", out);
	}
	if (others) {
		fputs("    <system-out>", out);
		for (size_t i = 0; i < n; i++) {
			char *text;

			if (f[i].level == HL_LEVEL_ERROR)
				continue;
			text = whole(style, &f[i], sources);
			hl_xml_lines(out, text);
			free(text);
		}
		fputs("</system-out>\n", out);
	}
	fputs("  </testsuite>\n", out);
}

static void write_junit(FILE *out, const struct hl_check_style *style, const struct hl_check *check)
{
	struct hl_sources *sources = hl_sources_new();
	struct hl_findings all;
	size_t from = 0, to = 0;

	hl_findings_collect(&all, style, check, 0);
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n", out);
	for (size_t i = 0; i < check->n; i++, from = to) {
		const struct hl_losses *p = &check->process[i];

		while (to < all.n && all.finding[to].process == p)
			to++;
		put_suite(out, style, check, p, all.finding ? all.finding + from : NULL, to - from, sources);
	}
	fputs("</testsuites>\n", out);
	hl_findings_release(&all);
	hl_sources_free(sources);
}

const struct hl_check_format hl_check_junit = {"junit", write_junit};
