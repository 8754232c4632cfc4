/*
 * repair.h - events that came in the wrong order on one address, remembered for a short while.
 * Floor: model.
 *
 * Stamps of one thread are in its program's order: only the other half of another thread's making can
 * have been stamped the wrong way round.  At equal stamps any order is possible.
 */
#ifndef HL_MODEL_REPAIR_H
#define HL_MODEL_REPAIR_H

#include "analyzer/base/map.h"
#include "analyzer/model/book.h"

enum hl_odd {
	HL_ODD_ALLOC,   /* of a live address: a free of the old block may follow */
	HL_ODD_FREE,    /* of a dead address: its alloc may follow, or the end of a realloc that failed */
	HL_ODD_RELEASE, /* the same, by a realloc */
	HL_ODD_SETTLED
};

struct hl_oddity {
	struct hl_bad_free bad; /* what the event says; of an ALLOC its stack and entry, too */
	uint32_t stream;
	uint8_t kind; /* enum hl_odd */
};

struct hl_repair {
	struct hl_oddity *ring; /* in order of arrival: [head, tail) */
	uint64_t head, tail;
	size_t cap;           /* a power of two */
	struct hl_map at[2];  /* of heap, of pool: address to its place in the ring + 1 */
	uint64_t window;      /* ticks */
	struct hl_book *book; /* where what is found is counted, and whose sink is told */
};

void hl_repair_init(struct hl_repair *r, uint64_t window, struct hl_book *book);
void hl_repair_release(struct hl_repair *r);
void hl_repair_note(struct hl_repair *r, enum hl_odd kind, const struct hl_event *e);
/* The oddity on e's address whose other half e is, settled and counted now; 0: none.  Expire first. */
int hl_repair_match(struct hl_repair *r, const struct hl_event *e, struct hl_oddity *found);
/* Count those whose other half did not come in time; now UINT64_MAX: all. */
void hl_repair_expire_some(struct hl_repair *r, uint64_t now);

static inline int hl_repair_any(const struct hl_repair *r)
{
	return r->head != r->tail;
}

static inline void hl_repair_expire(struct hl_repair *r, uint64_t now)
{
	if (hl_repair_any(r))
		hl_repair_expire_some(r, now);
}

#endif
