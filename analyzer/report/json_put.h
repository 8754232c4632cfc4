/*
 * json_put.h - what all JSON documents are made of.  Floor: report.
 */
#ifndef HL_REPORT_JSON_PUT_H
#define HL_REPORT_JSON_PUT_H

#include "analyzer/report/report.h"
#include <yajl/yajl_gen.h>

/* Printing to out, indented.  Ends with yajl_gen_free. */
yajl_gen hl_json_start(FILE *out);
/* A value.  Bytes that are not UTF-8 become \xNN. */
void hl_json_string(yajl_gen g, const char *s);
void hl_json_number(yajl_gen g, uint64_t v);
void hl_json_seconds(yajl_gen g, double s);
/* A name and a value. */
void hl_json_member(yajl_gen g, const char *name, uint64_t v);
void hl_json_text(yajl_gen g, const char *name, const char *s);
void hl_json_text_or_null(yajl_gen g, const char *name, const char *s);
void hl_json_flag(yajl_gen g, const char *name, int v);
/* "0x..": readers of JSON keep 53 bits of a number. */
void hl_json_address(yajl_gen g, const char *name, uint64_t address);
/* The members "truncated" and "traceback", newest first. */
void hl_json_frames(yajl_gen g, const struct hl_names *n, uint32_t tb);

#endif
