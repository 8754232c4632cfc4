/*
 * formats.h - the parts of formats that have files of their own.  Floor: report.
 */
#ifndef HL_REPORT_FORMATS_H
#define HL_REPORT_FORMATS_H

#include "analyzer/report/report.h"
#include "analyzer/report/source.h"
#include <yajl/yajl_gen.h>

void hl_text_misuses(FILE *out, const struct hl_style *style, const struct hl_misuses *all);
void hl_json_misuses(FILE *out, const struct hl_style *style, const struct hl_misuses *all);
void hl_text_history(FILE *out, const struct hl_style *style, const struct hl_history *h);
void hl_json_history(FILE *out, const struct hl_style *style, const struct hl_history *h);

void hl_text_refs(FILE *out, const struct hl_style *style, const struct hl_refs *r);
void hl_json_refs(FILE *out, const struct hl_style *style, const struct hl_refs *r);

/* " WHAT by FUNCTION at N s, thread NAME (TID):" and its stack; nothing when the call is not known. */
void hl_text_call(FILE *out, const struct hl_style *style, const struct hl_names *n, const char *what,
		  const struct hl_call *c, struct hl_sources *sources);
/* A member: the call, null when it is not known. */
void hl_json_call(yajl_gen g, const struct hl_names *n, const char *name, const struct hl_call *c);

#endif
