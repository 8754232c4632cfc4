/*
 * out.h - one program image and the trace file it gets.  Floor: collect.
 *
 * Which image gets a file: a program (an image that was not forked from a traced one) at once; a forked
 * copy from its first own event on, or when something was lost in it, or when a trace that was forked
 * from it is written, because that one cannot be read without it.  Until then its records are held in
 * memory: they are facts only, a few hundred bytes.  What is held never goes away, because a child may
 * show up long after its parent ended.
 *
 * Names: the first image of the command writes FILE; every other one FILE.PID; a later file of the same
 * pid FILE.PID.2 and so on.  A name that is taken by an old file is skipped unless `force`.
 *
 * One thread.  A file that cannot be written never stops anything: the bytes are counted.
 */
#ifndef HL_COLLECT_OUT_H
#define HL_COLLECT_OUT_H

#include "analyzer/collect/note.h"
#include "analyzer/collect/share.h"
#include "analyzer/collect/writer.h"
#include <sys/types.h>

enum hl_out_gone {
	HL_OUT_ALIVE,
	HL_OUT_GONE, /* the process is gone */
	HL_OUT_EXEC  /* another program runs in the process */
};

struct hl_out {
	uint32_t id;     /* image id */
	uint32_t parent; /* image id it was forked from; 0 */
	pid_t pid;       /* as this process sees it, once it was found; until then as it said */
	uint32_t entry;  /* in the image table, while it is live */
	int pidfd;       /* -1: none */
	int unseen;      /* no process of that pid maps the region: not judged yet */
	enum hl_out_gone gone;
	int hello;      /* a HELLO record came */
	int dirty;      /* records came since the last SYNC */
	int done;       /* ended: nothing more is added */
	uint32_t notes; /* claims of HL_STREAM_COLLECTOR so far */
	struct hl_writer *writer;
	char *path; /* NULL: no file (yet) */
	uint8_t *held;
	size_t held_bytes, held_room;
	uint64_t refused_bytes;                      /* of records that could not be written */
	int64_t live_closed, live_open, live_marked; /* bytes, for --snapshot-growth */
	uint64_t sync;                               /* stamp below which its events are in the file */
};

struct hl_outs {
	const struct hl_share *share;
	const char *path; /* FILE */
	int force;
	pid_t command; /* whose first image writes FILE */
	struct hl_out *main_out;
	struct hl_out **all; /* every image ever, sorted by id */
	uint32_t n, room;
	size_t held_bytes;
	uint64_t orphan_bytes;  /* records of no known image */
	struct hl_diag warning; /* the first failure; err 0: none */
	int warned;             /* it was told */
	/* Open an image's trace if an event of it waits to be collected; NULL: none can. */
	void (*settle)(void *ctx, struct hl_out *out);
	void *settle_ctx;
};

void hl_outs_init(struct hl_outs *o, const struct hl_share *share, const char *path, int force,
		  pid_t command);
void hl_outs_release(struct hl_outs *o);
struct hl_out *hl_outs_find(const struct hl_outs *o, uint32_t id);
/* NULL: the id is known already, or there are too many. */
struct hl_out *hl_outs_admit(struct hl_outs *o, uint32_t id, uint32_t parent, pid_t pid);

/* Add records.  c->data is copied or written before the return. */
void hl_out_add(struct hl_outs *o, struct hl_out *out, const struct hl_chunk *c);
void hl_out_note(struct hl_outs *o, struct hl_out *out, const struct hl_note *n);
/* An event of the collector: gives the image a file. */
void hl_out_mark(struct hl_outs *o, struct hl_out *out, uint64_t stamp, enum hl_mark reason,
		 const char *label);
/* Give it a file, and first its ancestors. */
void hl_out_open(struct hl_outs *o, struct hl_out *out);
/* Finish the file.  What was held stays, for children. */
void hl_out_finish(struct hl_outs *o, struct hl_out *out);

#endif
