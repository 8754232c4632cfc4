/*
 * check.h - the parts of `heapledger check`: what was asked for, each process, the verdict over all.  Floor: cli.
 */
#ifndef HL_CLI_CHECK_H
#define HL_CLI_CHECK_H

#include "analyzer/analysis/baseline.h"
#include "analyzer/analysis/suppress.h"
#include "analyzer/cli/leaksubject.h"
#include "analyzer/report/leaks.h"

#define HL_CHECK_STATUS     99
#define HL_CHECK_INCOMPLETE 4
#define HL_CHECK_NO_LIMIT   UINT64_MAX

enum hl_check_gen { HL_GEN_NONE, HL_GEN_LSAN, HL_GEN_VALGRIND };

struct hl_check_job {
	/* what was asked for */
	struct hl_query q;
	const struct hl_check_format *format;
	unsigned fail_kinds;                       /* 1 << enum hl_leak_kind each */
	unsigned show_kinds;                       /* these are listed, too */
	uint64_t max_leaked, max_peak, max_growth; /* bytes; HL_CHECK_NO_LIMIT */
	unsigned long pid;                         /* of a running process to judge; 0: none */
	unsigned long status;                      /* to end with when it fails */
	int inherited, update_baseline;
	enum hl_check_gen gen;
	struct hl_words suppressions; /* files */
	struct hl_words programs_own; /* texts of suppressions that were in a trace */
	const char *baseline;         /* file, NULL none */
	int baseline_is_live;         /* it is an extracted snapshot */
	const char *source_root, *output, *follow, *report;
	int quiet;
	/* what is found */
	uint32_t
		became; /* pid of the command, which was replaced by another program that is still to come; 0 */
	struct hl_names *names;
	struct hl_suppressions supp;
	struct hl_baseline was, now;
	struct hl_losses *process; /* strings are those of names */
	size_t n, room;
	struct hl_supp_used *used;
	char **where;            /* of used */
	struct hl_limit *limits; /* three a process at most */
	uint32_t snapshots;      /* of the process with the most of those that growth is judged by */
};

/* A copy that lives as long as j->names; s NULL: "". */
const char *hl_check_keep(struct hl_check_job *j, const char *s);
/* Read the files that were named.  HL_ERR_IO, HL_ERR_FORMAT, HL_ERR_USAGE: one cannot be a baseline. */
int hl_check_read(struct hl_check_job *j, struct hl_diag *d);
/* Find what one process lost.  first: its trace is the command's own, so that it must have an image. */
int hl_check_add(struct hl_check_job *j, const char *trace, int first, struct hl_diag *d);
/* When all processes are there, and their traces still are: a suppression over its budget, which only all of them together
 * can tell, hides nothing; where it did the losses are found again. */
int hl_check_settle(struct hl_check_job *j, struct hl_diag *d);
/* After that: what of it counts.  The status: 0, HL_CHECK_INCOMPLETE, or j->status. */
int hl_check_judge(struct hl_check_job *j);
/* Parts of read and of judge, and what --update-baseline asks for. */
int hl_check_baseline_read(struct hl_check_job *j, struct hl_diag *d);
void hl_check_baseline_settle(struct hl_check_job *j);
int hl_check_baseline_write(struct hl_check_job *j, struct hl_diag *d);
void hl_check_release(struct hl_check_job *j);

/* Run argv under `heapledger run` and add the traces of all its processes.  *status: of wait. */
int hl_check_command(struct hl_check_job *j, char **argv, int *status, struct hl_diag *d);

#endif
