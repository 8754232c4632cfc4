/*
 * leaks_github.c - workflow commands, which GitHub shows at lines of a change.  Floor: report.
 *
 * GitHub takes ten annotations of a step and drops the rest, so errors come first, and all of them are in the summary, a
 * table in Markdown.
 * Source: GitHub's documentation, Workflow commands; actions/toolkit, packages/core, command.ts (escaping).
 */
#include "analyzer/analysis/utf8.h"
#include "analyzer/report/findings.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A summary above 1 MiB, with all that the step's other commands wrote to it, is refused as a whole. */
enum { ANNOTATIONS_MAX = 10, SUMMARY_BYTES_MAX = 512 << 10 };

/* Of a command's text; of its properties `:` and `,` too. */
static void put_data(FILE *out, const char *s, int property)
{
	for (; *s; s++) {
		if (*s == '%' || *s == '\r' || *s == '\n' || (property && (*s == ':' || *s == ',')))
			fprintf(out, "%%%02X", (unsigned)*s);
		else
			fputc(*s, out);
	}
}

static void put_command(FILE *out, const struct hl_check_style *style, const struct hl_finding *f)
{
	static const char *const commands[] = {
		[HL_LEVEL_ERROR] = "error", [HL_LEVEL_WARNING] = "warning", [HL_LEVEL_NOTE] = "notice"};
	struct hl_place p = hl_finding_place(style, f);
	char *text = hl_finding_text(f, &p),
	     *file = p.file ? hl_utf8_escape(p.file, HL_ESCAPE_TERMINAL) : NULL;

	fprintf(out, "::%s ", commands[f->level]);
	if (p.file) {
		fputs("file=", out);
		put_data(out, file ? file : p.file, 1);
		if (p.line)
			fprintf(out, ",line=%" PRIu32, p.line);
		fputs(",", out);
	}
	fprintf(out, "title=heapledger%%3A %s::", hl_rule_texts[f->rule].title);
	put_data(out, text, 0);
	fputs("\n", out);
	free(text);
	free(file);
	hl_place_release(&p);
}

/* Text of a table's cell: whatever Markdown or HTML could take for its own is a character reference. */
static void put_markdown(FILE *out, const char *s)
{
	for (; *s; s++) {
		int plain = (unsigned char)*s >= 0x80 || (*s >= '0' && *s <= '9') ||
			    (*s >= 'A' && *s <= 'Z') || (*s >= 'a' && *s <= 'z') || strchr(" ,/-", *s);

		if (plain)
			fputc(*s, out);
		else
			fprintf(out, "&#%u;", (unsigned char)*s);
	}
}

static char *row_text(const struct hl_check_style *style, const struct hl_finding *f)
{
	static const char *const levels[] = {
		[HL_LEVEL_ERROR] = "fails", [HL_LEVEL_WARNING] = "warning", [HL_LEVEL_NOTE] = "note"};
	struct hl_place p = hl_finding_place(style, f);
	char *text = hl_finding_text(f, &p), *row = NULL;
	size_t n = 0;
	FILE *memory = open_memstream(&row, &n);

	if (!memory)
		abort();
	fprintf(memory, "| %s | %" PRIu32 " | ", levels[f->level], f->process->pid);
	put_markdown(memory, text);
	fputs(" |\n", memory);
	fclose(memory);
	free(text);
	hl_place_release(&p);
	return row;
}

static void put_rows(FILE *out, const struct hl_check_style *style, const struct hl_findings *all)
{
	size_t rows = 0, bytes = 0;

	for (int level = HL_LEVEL_ERROR; level <= HL_LEVEL_NOTE; level++)
		for (size_t i = 0; i < all->n && bytes < SUMMARY_BYTES_MAX; i++) {
			char *row;

			if (all->finding[i].level != (enum hl_level)level)
				continue;
			row = row_text(style, &all->finding[i]);
			bytes += strlen(row);
			if (bytes < SUMMARY_BYTES_MAX) {
				fputs(row, out);
				rows++;
			}
			free(row);
		}
	if (rows < all->n)
		fprintf(out, "\n%zu more are not shown.\n", all->n - rows);
}

static void put_summary(FILE *out, const struct hl_check_style *style, const struct hl_check *check,
			const struct hl_findings *all)
{
	fputs("### heapledger", out);
	if (check->judged)
		fputs(check->status == 4 ? " check: no verdict"
		      : check->status    ? " check failed"
					 : " check passed",
		      out);
	fputs("\n\n", out);
	if (!all->n)
		return;
	fputs("| | process | |\n|---|---|---|\n", out);
	put_rows(out, style, all);
	fputs("\n", out);
}

static void write_github(FILE *out, const struct hl_check_style *style, const struct hl_check *check)
{
	struct hl_findings all;
	size_t n = 0;

	hl_findings_collect(&all, style, check, 0);
	for (int level = HL_LEVEL_ERROR; level <= HL_LEVEL_NOTE; level++)
		for (size_t i = 0; i < all.n && n < ANNOTATIONS_MAX; i++)
			if (all.finding[i].level == (enum hl_level)level) {
				put_command(out, style, &all.finding[i]);
				n++;
			}
	if (n < all.n)
		fprintf(out, "heapledger: %zu more, %s\n", all.n - n,
			style->summary ? "in the summary of this step"
				       : "not shown: the step has no summary");
	if (style->summary)
		put_summary(style->summary, style, check, &all);
	hl_findings_release(&all);
}

const struct hl_check_format hl_check_github = {"github", write_github};
