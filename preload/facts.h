/*
 * facts.h - the records that say who this process and its threads are.  Floor 3.
 * As record.h: by the owner of t, inside a hook.
 */
#ifndef HL_PRELOAD_FACTS_H
#define HL_PRELOAD_FACTS_H

#include "heapledger/image.h"
#include "preload/thread.h"

void hl_facts_hello(struct hl_thread *t);
/* What of the parent's streams this child inherited; before hl_thread_forked.  Collected first, because the
 * record goes to a stream of the child. */
struct hl_cursor {
	uint32_t stream, claim, used;
};
uint32_t hl_facts_cursors(struct hl_cursor *out, uint32_t room);
void hl_facts_fork(struct hl_thread *t, const struct hl_cursor *c, uint32_t n, uint32_t next_serial);
/* Bare child: where the parent's trace is. */
void hl_facts_parent(struct hl_thread *t, const char *trace, const uint8_t uuid[16], uint32_t image_id);
void hl_facts_thread(struct hl_thread *t);
void hl_facts_thread_end(struct hl_thread *t);
void hl_facts_exec(struct hl_thread *t, const char *path);
/* See format.h; from is cut after 200 bytes. */
void hl_facts_unseen(struct hl_thread *t, enum hl_unseen why, const char *path, const char *from);
/* The program changed its maps: flags enum hl_range_flags; caller: return address of the hook; stamp: before a range
 * goes, after one comes. */
void hl_facts_range(struct hl_thread *t, uint64_t start, uint64_t end, uint32_t flags, uint64_t caller,
		    uint64_t stamp);
/* What the program says of leaks, as of now. */
void hl_facts_leak_note(struct hl_thread *t, enum hl_leak_note what, uint64_t address, uint64_t bytes);
/* In pieces as large as a record may be. */
void hl_facts_suppressions(struct hl_thread *t, const char *text);
uint64_t hl_facts_now(void);
void hl_facts_end(struct hl_thread *t, enum hl_end end, uint32_t status);

#endif
