/*
 * run_report.h - what `run` says on stderr: the collector's messages while the command runs, the
 * summary at its end.  Floor: cli.
 */
#ifndef HL_CLI_RUN_REPORT_H
#define HL_CLI_RUN_REPORT_H

#include "analyzer/collect/control.h"

struct hl_run_trace {
	char *path;
	uint32_t pid, flags; /* HL_TRACE_* */
	uint64_t refused;    /* bytes of records that could not be written */
};

struct hl_run_report {
	struct hl_run_trace traces[HL_TRACES_TOLD];
	unsigned ntraces;  /* told here */
	uint32_t total;    /* there are */
	uint32_t flags;    /* HL_RUN_* */
	uint32_t untraced; /* programs, but for those that these traces count */
	uint64_t orphaned; /* bytes of records that belong to no trace */
	int complete;      /* the collector reported */
};

/* A message of the collector: kept, or printed at once when it is a warning. */
void hl_run_report_take(struct hl_run_report *r, const struct hl_message *m);
/* One line per trace, the totals of the main one, the next command to type. */
void hl_run_report_print(const struct hl_run_report *r);
void hl_run_report_release(struct hl_run_report *r);

#endif
