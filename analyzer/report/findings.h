/*
 * findings.h - what a check has to say, one by one: the losses, and all else that makes it fail or
 * deserves a note.  What formats for CI are made of, so that no two of them differ.  Floor: report.
 */
#ifndef HL_REPORT_FINDINGS_H
#define HL_REPORT_FINDINGS_H

#include "analyzer/report/leaks.h"
#include "analyzer/report/source.h"

enum hl_rule {
	HL_RULE_ROOT_LEAK,
	HL_RULE_ROOT_CYCLE,
	HL_RULE_INDIRECT,
	HL_RULE_POSSIBLE,
	HL_RULE_REACHABLE,
	HL_RULE_OVER_BUDGET, /* a suppression that matched more than it may */
	HL_RULE_STALE,       /* one that matched nothing */
	HL_RULE_GROWTH,
	HL_RULE_LIMIT,
	HL_RULE_INCOMPLETE,
	HL_RULES
};

struct hl_rule_text {
	const char *id, *title, *help; /* "root-leak", "ROOT LEAK", a sentence */
};
extern const struct hl_rule_text hl_rule_texts[HL_RULES];

/* So many members of a ring are shown, the first ones and the last: a list of a million nodes is one, too. */
#define HL_RING_SHOWN 20

enum hl_level { HL_LEVEL_ERROR, HL_LEVEL_WARNING, HL_LEVEL_NOTE };

struct hl_finding {
	enum hl_rule rule;
	enum hl_level level; /* ERROR: the check fails by it, or has no verdict */
	const struct hl_losses *process;
	const struct hl_loss *loss;      /* of the rules of losses, else NULL */
	const struct hl_supp_used *supp; /* of the rules of suppressions */
	const struct hl_growth *growth;  /* of HL_RULE_GROWTH */
	const struct hl_limit *limit;    /* of HL_RULE_LIMIT: one that is over */
	/* All equal findings, same rule and same hash, are told apart by their ordinal from 0, in the order below. */
	uint64_t hash;
	uint32_t ordinal;
};

struct hl_findings {
	struct hl_finding *finding; /* process by process, in each the losses first */
	size_t n, room;
};

/* Suppressed losses are left out unless asked for; their level is NOTE. */
void hl_findings_collect(struct hl_findings *all, const struct hl_check_style *style,
			 const struct hl_check *check, int with_suppressed);
void hl_findings_release(struct hl_findings *all);

/* Of what was allocated by a stack, losses and growth, its traceback; 0: not recorded, or there is none. */
uint32_t hl_finding_traceback(const struct hl_finding *f);

/* Where something is: of what has a stack the newest frame below style's source_root that has a line, else the newest
 * that has one; of a suppression its own line. */
struct hl_place {
	char *file;     /* relative to the root when `below`, else as it is; malloc'd; NULL: nowhere */
	uint32_t line;  /* 0: not known */
	uint32_t frame; /* of names (0 is one), when file is of a stack */
	int below;      /* 1: file is relative to the root, or was relative */
};
struct hl_place hl_finding_place(const struct hl_check_style *style, const struct hl_finding *f);
void hl_place_release(struct hl_place *p);

/* One line without its end: "ROOT LEAK: 48 bytes in 3 blocks, definite".  No name that a program chose is in
 * it for losses and growth. */
void hl_finding_put(FILE *out, const struct hl_finding *f);
/* ", allocated in FUNCTION (FILE:LINE)" or ", allocated at (MODULE+0xOFF)" of its place, for what has a stack; else nothing. */
void hl_finding_put_place(FILE *out, const struct hl_finding *f, const struct hl_place *p);
/* Both, malloc'd; without p the first only. */
char *hl_finding_text(const struct hl_finding *f, const struct hl_place *p);
/* The lines below it: the stack, the ring; for losses and growth. */
void hl_finding_put_stacks(FILE *out, const struct hl_style *style, const struct hl_finding *f,
			   struct hl_sources *sources);
/* "grew in 4 of 4 snapshots, from 1229 KiB to 5120 KiB" */
void hl_put_growth(FILE *out, const struct hl_growth *g);
/* "1 byte in 2 blocks" */
void hl_put_amount(FILE *out, uint64_t bytes, uint64_t blocks);
/* "max=4096, 2 blocks" */
void hl_put_budget(FILE *out, const struct hl_supp_used *s);
/* What a loss is: its rule. */
enum hl_rule hl_loss_rule(const struct hl_loss *l);

#endif
