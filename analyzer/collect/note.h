/*
 * note.h - records that the collector itself adds to a trace, on HL_STREAM_COLLECTOR, and a look
 * at records of others.  Floor: collect.
 *
 * A note is one whole claim: it begins with the coding state of a claim's start (format.h).
 */
#ifndef HL_COLLECT_NOTE_H
#define HL_COLLECT_NOTE_H

#include "heapledger/format.h"
#include <stddef.h>

#define HL_NOTE_ROOM 1024u

struct hl_note {
	uint64_t base_stamp;
	uint32_t bytes;
	uint32_t facts;
	uint8_t data[HL_NOTE_ROOM];
};

void hl_note_start(struct hl_note *n, uint64_t base_stamp);
/* Each appends one record; a string that does not fit is cut.  Stamps are absolute. */
void hl_note_parent(struct hl_note *n, const char *file, const uint8_t uuid[16], uint32_t image_id);
void hl_note_sync(struct hl_note *n, uint64_t stamp);
void hl_note_lost(struct hl_note *n, enum hl_lost kind, uint64_t count);
void hl_note_end(struct hl_note *n, enum hl_end end, uint64_t status, uint64_t stamp);
/* Only as the first event of a note; stamp >= base_stamp. */
void hl_note_mark(struct hl_note *n, uint64_t stamp, enum hl_mark reason, const char *label);

/* What stands at the beginning of a run of whole records: its leading facts are walked, up to the
 * first event.  Damaged facts count as an event: they are kept, and the reader tells. */
struct hl_glance {
	int event; /* there is one */
	int hello; /* HL_FACT_HELLO is among the facts before it */
};
struct hl_glance hl_note_glance(const uint8_t *data, size_t bytes);

#endif
