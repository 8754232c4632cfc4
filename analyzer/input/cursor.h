/*
 * cursor.h - the events of one stream in order, across its pieces.  Floor: input.
 */
#ifndef HL_INPUT_CURSOR_H
#define HL_INPUT_CURSOR_H

#include "analyzer/input/decode.h"
#include "analyzer/input/limits.h"
#include "analyzer/input/source.h"

struct hl_cursor {
	struct hl_source *source;
	struct hl_loader *loader; /* shared with other cursors */
	size_t next, end;         /* pieces still to read: [next, end) */
	uint32_t claim, limit_claim, limit_used;
	int broken;      /* the rest of this claim cannot be decoded */
	uint32_t thread; /* serial in the stream's name: whose events they are unless they say */
	uint64_t stamp;  /* of the last event: later ones are not below it */
	uint8_t *data;
	size_t cap;
	struct hl_event event; /* the current one; label is inside data, not NUL-terminated */
	struct hl_decoder decoder;
};

/* Stream number i of the source, from its piece `first` on (that of an offset 0).  limits NULL: all.
 * loader stays the caller's. */
struct hl_cursor *hl_cursor_new(struct hl_source *s, struct hl_loader *l, size_t i, size_t first,
				const struct hl_limits *limits, uint32_t nnodes);
/* 1: c->event is the next one; 0: the end. */
int hl_cursor_next(struct hl_cursor *c);
void hl_cursor_free(struct hl_cursor *c);

#endif
