/*
 * leaks_valgrind_xml.c - losses in valgrind's XML, protocol 4, for all that reads memcheck's.  Floor: report.
 *
 * A document has one pid: the first process's; errors of others say theirs in an auxwhat.  The protocol has no kind of
 * error for growth: that is told in the preamble, a line each.
 * Source: valgrind 3.19, docs/internals/xml-output-protocol4.txt.
 */
#include "analyzer/report/findings.h"
#include "analyzer/report/uri.h"
#include "analyzer/report/valgrind_put.h"
#include "analyzer/report/xml_put.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void put_growth(FILE *out, const struct hl_check_style *style, const struct hl_losses *p,
		       const struct hl_growth *g)
{
	struct hl_finding f = {.rule = HL_RULE_GROWTH, .process = p, .growth = g};
	struct hl_place place = hl_finding_place(style, &f);
	char *text = hl_finding_text(&f, &place);

	fprintf(out, "  <line>Process %" PRIu32 ": ", p->pid);
	hl_xml_text(out, text);
	fputs("</line>\n", out);
	free(text);
	hl_place_release(&place);
}

static void put_preamble(FILE *out, const struct hl_check_style *style, const struct hl_check *check)
{
	fputs("<preamble>\n", out);
	hl_xml_element(out, 2, "line", "heapledger " HL_VERSION ", leaks in memcheck's format");
	for (size_t i = 0; i < check->n; i++) {
		const struct hl_losses *p = &check->process[i];

		fputs("  <line>Command: ", out);
		hl_xml_text(out, p->command_line);
		fputs("</line>\n", out);
		if (p->incomplete) {
			fprintf(out, "  <line>Incomplete, process %" PRIu32 ": ", p->pid);
			hl_xml_text(out, p->why_incomplete);
			fputs("</line>\n", out);
		}
		for (size_t k = 0; k < hl_report_rows(p->ngrowths, style->rows.limit); k++)
			put_growth(out, style, p, &p->growth[k]);
	}
	fputs("</preamble>\n\n", out);
}

/* The command line as arguments would have to be split; a reader only shows it. */
static void put_process(FILE *out, const struct hl_losses *p)
{
	fprintf(out, "<pid>%" PRIu32 "</pid>\n<ppid>%" PRIu32 "</ppid>\n<tool>memcheck</tool>\n\n<args>\n",
		p->pid, p->ppid);
	fputs("  <vargv>\n    <exe>heapledger</exe>\n  </vargv>\n  <argv>\n", out);
	hl_xml_element(out, 4, "exe", p->program);
	fputs("  </argv>\n</args>\n\n", out);
}

static void put_status(FILE *out, const char *state, double seconds)
{
	uint64_t ms = seconds > 0 ? (uint64_t)(seconds * 1000) : 0;

	fprintf(out, "<status>\n  <state>%s</state>\n", state);
	fprintf(out,
		"  <time>%02" PRIu64 ":%02" PRIu64 ":%02" PRIu64 ":%02" PRIu64 ".%03" PRIu64 " </time>\n",
		ms / 86400000, ms / 3600000 % 24, ms / 60000 % 60, ms / 1000 % 60, ms % 1000);
	fputs("</status>\n\n", out);
}

static void put_directory(FILE *out, const char *file)
{
	const char *base = hl_path_base(file);
	char *dir;

	if (base == file)
		return;
	dir = strndup(file, base - 1 > file ? (size_t)(base - 1 - file) : 1);
	if (!dir)
		abort();
	hl_xml_element(out, 6, "dir", dir);
	free(dir);
}

static void put_frame(void *ctx, size_t i, const struct hl_vg_frame *f)
{
	FILE *out = ctx;

	(void)i;
	fprintf(out, "    <frame>\n      <ip>0x%" PRIX64 "</ip>\n", f->ip);
	if (f->obj)
		hl_xml_element(out, 6, "obj", f->obj);
	if (f->fn)
		hl_xml_element(out, 6, "fn", f->fn);
	if (f->file) {
		put_directory(out, f->file);
		hl_xml_element(out, 6, "file", hl_path_base(f->file));
		if (f->line)
			fprintf(out, "      <line>%" PRIu32 "</line>\n", f->line);
	}
	fputs("    </frame>\n", out);
}

static void put_error(FILE *out, const struct hl_check_style *style, const struct hl_losses *p, int first,
		      const struct hl_vg_record *r, uint64_t unique)
{
	static const char *const kinds[HL_LEAK_KINDS] = {"Leak_DefinitelyLost", "Leak_IndirectlyLost",
							 "Leak_PossiblyLost", "Leak_StillReachable"};
	const struct hl_loss *l = r->loss;

	fprintf(out, "<error>\n  <unique>0x%" PRIx64 "</unique>\n  <tid>1</tid>\n  <kind>%s</kind>\n", unique,
		kinds[l->kind]);
	fputs("  <xwhat>\n    <text>", out);
	hl_vg_put_what(out, p, r);
	fprintf(out,
		"</text>\n    <leakedbytes>%" PRIu64 "</leakedbytes>\n    <leakedblocks>%" PRIu64
		"</leakedblocks>\n",
		l->bytes + l->indirect_bytes, l->blocks);
	fputs("  </xwhat>\n  <stack>\n", out);
	hl_vg_frames(p, l, style, put_frame, out);
	fputs("  </stack>\n", out);
	if (!first) {
		fprintf(out, "  <auxwhat>in process %" PRIu32 ": ", p->pid);
		hl_xml_text(out, p->command_line);
		fputs("</auxwhat>\n", out);
	}
	fputs("</error>\n\n", out);
}

static void put_suppressions(FILE *out, const struct hl_check *check)
{
	fputs("<suppcounts>\n", out);
	for (size_t i = 0; i < check->n; i++)
		for (size_t k = 0; k < check->process[i].nused; k++) {
			const struct hl_supp_used *s = &check->process[i].used[k];

			if (!s->blocks || s->over)
				continue;
			fprintf(out, "  <pair>\n    <count>%" PRIu64 "</count>\n", s->blocks);
			hl_xml_element(out, 4, "name", s->text);
			fputs("  </pair>\n", out);
		}
	fputs("</suppcounts>\n\n", out);
}

static void write_xml(FILE *out, const struct hl_check_style *style, const struct hl_check *check)
{
	uint64_t unique = 0;

	fputs("<?xml version=\"1.0\"?>\n\n<valgrindoutput>\n\n<protocolversion>4</protocolversion>\n"
	      "<protocoltool>memcheck</protocoltool>\n\n",
	      out);
	put_preamble(out, style, check);
	put_process(out, check->n ? &check->process[0] : &(struct hl_losses){.program = ""});
	put_status(out, "RUNNING", 0);
	put_status(out, "FINISHED", check->n ? check->process[0].seconds : 0);
	for (size_t i = 0; i < check->n; i++) {
		const struct hl_losses *p = &check->process[i];
		size_t n;
		struct hl_vg_record *r = hl_vg_records(p, &style->rows, &n);

		for (size_t k = 0; k < n; k++)
			put_error(out, style, p, i == 0, &r[k], unique++);
		free(r);
	}
	/* every error is there once */
	fputs("<errorcounts>\n", out);
	for (uint64_t u = 0; u < unique; u++)
		fprintf(out,
			"  <pair>\n    <count>1</count>\n    <unique>0x%" PRIx64 "</unique>\n  </pair>\n", u);
	fputs("</errorcounts>\n\n", out);
	put_suppressions(out, check);
	fputs("</valgrindoutput>\n", out);
}

const struct hl_check_format hl_check_valgrind_xml = {"valgrind-xml", write_xml};
