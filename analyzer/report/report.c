/*
 * report.c - the formats there are.  Floor: report.
 */
#include "analyzer/report/report.h"
#include <string.h>

const struct hl_format *hl_format_find(const char *name)
{
	static const struct hl_format *const formats[] = {&hl_format_text, &hl_format_json, &hl_format_csv};

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (!strcmp(formats[i]->name, name))
			return formats[i];
	return NULL;
}
