/*
 * record.h - writing records into the calling thread's stream.  Floor 3.
 *
 * Every function is called by the owner of t, inside a hook (t->level > 0), and writes to the stream of
 * that level.  None blocks longer than the wait for a free slot, none allocates from the program, none changes
 * errno.  What cannot be written is counted.
 *
 * Of a sampled program (config.sample) only what is in the sample is written; the functions see to that
 * themselves.
 *
 * Order: hl_record_free and _release before the real call, hl_record_alloc and _realloc after it.
 */
#ifndef HL_PRELOAD_RECORD_H
#define HL_PRELOAD_RECORD_H

#include "preload/thread.h"
#include <stddef.h>

/* caller: return address of the hook, used where no stack can be captured. */
void hl_record_alloc(struct hl_thread *t, uint64_t address, uint64_t size, enum hl_entry entry,
		     uint64_t caller);
void hl_record_free(struct hl_thread *t, uint64_t address, enum hl_entry entry);
void hl_record_release(struct hl_thread *t, uint64_t address);
/* The open release ends: RESTORE or DROP. */
void hl_record_unrelease(struct hl_thread *t, enum hl_op op);
/* The domain POOL. */
void hl_record_pool_alloc(struct hl_thread *t, uint64_t address, uint64_t size, uint64_t caller);
void hl_record_pool_free(struct hl_thread *t, uint64_t address);
void hl_record_map(struct hl_thread *t, uint64_t address, uint64_t bytes, uint64_t caller);
void hl_record_unmap(struct hl_thread *t, uint64_t address, uint64_t bytes);
/* Its stamp; 0: it could not be recorded. */
uint64_t hl_record_mark(struct hl_thread *t, enum hl_mark reason, const char *label);

/* A fact whose payload is head, middle, tail one after the other, together at most HL_FACT_BYTES_MAX.
 * 1, or 0: no slot. */
#define HL_FACT_BYTES_MAX 24000u
int hl_record_fact3(struct hl_thread *t, enum hl_fact kind, const uint8_t *head, size_t nhead,
		    const char *middle, size_t nmiddle, const uint8_t *tail, size_t ntail);
static inline int hl_record_fact(struct hl_thread *t, enum hl_fact kind, const uint8_t *payload, size_t bytes)
{
	return hl_record_fact3(t, kind, payload, bytes, "", 0, payload, 0);
}
/* The thread's name, at most 15 bytes of it, unless it is the one recorded last. */
void hl_record_name(struct hl_thread *t, const char *name);
/* Seal the slots of t: it has no more to say. */
void hl_record_seal(struct hl_thread *t);

static inline uint8_t *hl_put_string(uint8_t *p, const char *s, size_t n)
{
	p = hl_put_uv(p, n);
	for (size_t i = 0; i < n; i++)
		*p++ = (uint8_t)s[i];
	return p;
}

#endif
