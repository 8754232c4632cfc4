/*
 * sarif_put.h - places in SARIF.  Floor: report.
 */
#ifndef HL_REPORT_SARIF_PUT_H
#define HL_REPORT_SARIF_PUT_H

#include "analyzer/report/json_put.h"

#define HL_SARIF_ROOT "SRCROOT"

/* The member "message"; braces, which would be placeholders, doubled. */
void hl_sarif_message(yajl_gen g, const char *text);
/* The member "physicalLocation".  below: file is relative to the root.  line 0: none. */
void hl_sarif_physical(yajl_gen g, const char *file, uint32_t line, int below);
/* The member "logicalLocations": one function. */
void hl_sarif_function(yajl_gen g, const char *function);
/* The members "physicalLocation", for want of a line that of the module, and "logicalLocations" of a frame, each where
 * it is known. */
void hl_sarif_frame(yajl_gen g, const struct hl_names *n, uint32_t frame, const char *root);
/* The member "stacks": one, newest frame first; nothing when it was not recorded. */
void hl_sarif_stacks(yajl_gen g, const struct hl_names *n, uint32_t tb, const char *root);

#endif
