/*
 * leaksubject.h - TRACE[@SNAP] with its pointer image, solved: what leaks, refs and check ask questions about.
 * Floor: cli.
 */
#ifndef HL_CLI_LEAKSUBJECT_H
#define HL_CLI_LEAKSUBJECT_H

#include "analyzer/analysis/growth.h"
#include "analyzer/analysis/heapgraph.h"
#include "analyzer/analysis/leaks.h"
#include "analyzer/cli/subject.h"

struct hl_leak_subject {
	struct hl_subject s;
	struct hl_calls calls;
	struct hl_images images;
	const struct hl_image_at *image; /* the one that was asked for; NULL: there is none, see why_not */
	const char *why_not;             /* one sentence */
	int one_image;                   /* of a process that goes on, and there is none to hold it against */
	struct hl_heapgraph graph;       /* when there is an image */
};

/* Open and solve, with the query's heuristics.  growth, if not NULL, watches until the image, or else until the end, unless
 * the trace is a sample.  names is shared by all subjects of one question.  Without an image the subject is opened all the same, and HL_OK.
 * On failure l is released.  Errors as of hl_subject_open, hl_heapgraph_load. */
int hl_leak_subject_open(struct hl_leak_subject *l, const char *operand, const struct hl_query *q,
			 struct hl_growth_watch *growth, struct hl_names *names, struct hl_diag *d);
void hl_leak_subject_release(struct hl_leak_subject *l);
/* Why it cannot be told what is lost, in one sentence; NULL: it can. */
const char *hl_leak_subject_no_losses(const struct hl_leak_subject *l);
/* 1: there is an image, of_losses: that tells what is lost; 0: there is none, and why was printed. */
int hl_leak_subject_answers(const struct hl_leak_subject *l, int of_losses);
/* "exact", "conservative" or "torn": how far the image can be believed. */
const char *hl_leak_subject_tier(const struct hl_leak_subject *l);

#endif
