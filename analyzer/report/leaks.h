/*
 * leaks.h - losses in the format that was asked for: one vtable per format, one file each.  Floor: report.
 *
 * The text of names, wherever a person may read it, is terminal-safe; each format escapes what it must besides.
 * The limit of the style is kept by each of them, for each process.
 */
#ifndef HL_REPORT_LEAKS_H
#define HL_REPORT_LEAKS_H

#include "analyzer/analysis/leaks.h"
#include "analyzer/report/report.h"

struct hl_check_style {
	struct hl_style rows;
	/* Absolute path of the directory that paths are told relative to, for formats that are read beside a repository;
	 * NULL: none.  A loss is placed at its newest frame below it, if there is one. */
	const char *source_root;
	FILE *summary;       /* github: Markdown for $GITHUB_STEP_SUMMARY; NULL: there is none */
	const char *library; /* valgrind, valgrind-xml: the path of ours; NULL: "libheapledger.so" */
	int quiet;           /* valgrind: what is lost only, no heading and no summary */
};

struct hl_check_format {
	const char *name;
	void (*write)(FILE *out, const struct hl_check_style *style, const struct hl_check *check);
};
/* "text", "json", "csv", "sarif", "junit", "github", "gitlab", "valgrind", "valgrind-xml"; NULL.  Write errors stay in
 * the FILE for ferror.  valgrind-xml is one document: of several processes, all but the first are named at each
 * error of theirs; who wants a file for each, as valgrind does, writes checks of one process. */
const struct hl_check_format *hl_check_format_find(const char *name);
/* Their names, for messages: "text, json, ..." */
const char *hl_check_format_list(void);

extern const struct hl_check_format hl_check_text, hl_check_json, hl_check_csv, hl_check_sarif,
	hl_check_junit, hl_check_github, hl_check_gitlab, hl_check_valgrind, hl_check_valgrind_xml;

#endif
