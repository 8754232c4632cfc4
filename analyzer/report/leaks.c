/*
 * leaks.c - the formats of losses there are.  Floor: report.
 */
#include "analyzer/report/leaks.h"
#include <string.h>

const struct hl_check_format *hl_check_format_find(const char *name)
{
	static const struct hl_check_format *const formats[] = {
		&hl_check_text,   &hl_check_json,     &hl_check_csv,
		&hl_check_sarif,  &hl_check_junit,    &hl_check_github,
		&hl_check_gitlab, &hl_check_valgrind, &hl_check_valgrind_xml};

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (!strcmp(formats[i]->name, name))
			return formats[i];
	return NULL;
}

const char *hl_check_format_list(void)
{
	return "text, json, csv, sarif, junit, github, gitlab, valgrind, valgrind-xml";
}
