/*
 * mail.h - asking the collector of a running program for a snapshot, through the mailbox in the
 * region.  One request at a time; a dead client's is taken over.  Floor: collect.
 *
 *   IDLE -> CLAIMED (client, by compare-and-swap) -> POSTED (client) -> DONE (collector) -> IDLE (client)
 */
#ifndef HL_COLLECT_MAIL_H
#define HL_COLLECT_MAIL_H

#include "analyzer/base/diag.h"
#include "heapledger/region.h"
#include <limits.h>
#include <stddef.h>
#include <sys/types.h>

struct hl_collector;

/* Collector: answer what is posted; what was committed before the mark is in the trace with it. */
void hl_mail_answer(struct hl_collector *c);

/* A region of a running process, found from outside. */
struct hl_found {
	struct hl_region *region;
	size_t bytes;
	uint32_t backing, nslots; /* checked copies */
	int fd;
	char path[PATH_MAX]; /* of its trace: of a bare region, or after hl_mail_collect */
};
/* HL_ERR_NOTFOUND: no such process, not traced, collector gone, not permitted. */
int hl_mail_find(struct hl_found *f, pid_t pid, struct hl_diag *d);
void hl_mail_release(struct hl_found *f);

/* Take a snapshot of pid through f; the stamp of its mark.  With a collector it is asked and has 5 s;
 * a bare region gets the mark written into it.  HL_ERR_NOTFOUND with one line. */
int hl_mail_snapshot(struct hl_found *f, pid_t pid, const char *label, uint64_t *stamp, struct hl_diag *d);

/* What was recorded of pid so far is in its trace, f->path.  Errors as above. */
int hl_mail_collect(struct hl_found *f, pid_t pid, struct hl_diag *d);

/* The steps of it: become the client of the mailbox; let the collector do it, and let go of the mailbox; or let go at once. */
int hl_mail_claim(struct hl_region *r, pid_t pid, const char *label, struct hl_diag *d);
int hl_mail_post(struct hl_region *r, pid_t pid, int collect_only, uint64_t *stamp, struct hl_diag *d);
void hl_mail_let_go(struct hl_region *r);

/* bare.c: the same for a region without a collector. */
int hl_bare_snapshot(struct hl_found *f, pid_t pid, const char *label, uint64_t *stamp, struct hl_diag *d);

/* The entry of the process in the image table, and its id; 0: there is none. */
int hl_bare_find_entry(const struct hl_found *f, uint32_t pid, uint32_t *entry, uint32_t *id);

#endif
