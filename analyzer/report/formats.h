/*
 * formats.h - the parts of formats that have files of their own.  Floor: report.
 */
#ifndef HL_REPORT_FORMATS_H
#define HL_REPORT_FORMATS_H

#include "analyzer/report/report.h"

void hl_text_misuses(FILE *out, const struct hl_style *style, const struct hl_misuses *all);
void hl_json_misuses(FILE *out, const struct hl_style *style, const struct hl_misuses *all);

#endif
