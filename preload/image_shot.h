/*
 * image_shot.h - the parts of an image that is being written.  Floor 3.  image*.c only; one thread at a time, in a hook.
 *
 * All memory is the arena's.  Functions that may fail set shot->failed and do nothing once it is set.
 */
#ifndef HL_PRELOAD_IMAGE_SHOT_H
#define HL_PRELOAD_IMAGE_SHOT_H

#include "heapledger/words.h"
#include "preload/image.h"
#include "preload/image_restart.h"
#include "preload/slots.h"
#include <signal.h>

#define HL_SHOT_REGS    96u
#define HL_SHOT_BOUNCE  65536u
#define HL_SHOT_ENTRIES 2048u /* of pagemap, read at once */

/* A piece of the address space that has one answer to all questions. */
struct hl_shot_map {
	uint64_t start, end;
	uint32_t flags;            /* enum hl_image_map_flags */
	uint8_t target;            /* a word may point here */
	uint8_t direct;            /* may be read as it is: anonymous, so no file can be cut under it */
	uint8_t present;           /* only pages that are there: others were never written */
	uint32_t name, name_bytes; /* in shot->text */
};

struct hl_shot_thread {
	uint32_t tid;
	uint32_t how; /* enum hl_image_how */
	uint64_t sp, tp;
	uint64_t alt, alt_bytes; /* its signal stack, 0: none */
	struct hl_call call;     /* that it was in before it got the signal */
	uint8_t shut;            /* all signals were blocked, as they are of a thread that begins */
	uint32_t n;
	uint64_t words[HL_SHOT_REGS]; /* those for which hl_shot_may_point holds */
};

/* Pages that a word may point to: by GiB, then a bit a page of 4 KiB. */
#define HL_FILTER_GRANULES (1u << 18)
struct hl_filter {
	uint64_t *bits[1024]; /* [0]: none; [1]: all */
	uint32_t n;
	uint16_t granule[HL_FILTER_GRANULES];
};

struct hl_shot {
	struct hl_thread writer; /* stands for the stream's owner */
	struct hl_stream *stream;
	uint32_t number, flags;
	int failed;
	uint64_t until_ns;
	char *text; /* /proc/thread-self/maps */
	size_t text_room;
	struct hl_shot_map *maps;
	uint32_t nmaps, maps_room;
	struct hl_filter *filter;
	struct hl_word_writer *words;
	uint64_t nwords;
	struct hl_shot_thread *threads; /* [0]: the one that writes */
	uint32_t *tids;                 /* of the threads */
	uint32_t nthreads, threads_room;
	uint32_t ntasks; /* that there were when room was made */
	int still;       /* every other thread is parked */
	int frozen;      /* this is the copy: nobody else runs in this memory */
	/* tid of who reads: of the process, whose first thread may have ended and has no memory any more, or of its copy */
	uint32_t reader;
	int signal;                     /* that parked them, 0 none */
	int signal_ours;                /* and it is so only for this image */
	int deep;                       /* 1: HL_SIGNAL_DEEP is ours as well, -1: it cannot be */
	uint32_t called;                /* threads that were signalled */
	uint64_t mask;                  /* the writing thread's, before */
	int masked;                     /* and it is to be set again */
	size_t text_bytes;              /* of text */
	const struct hl_shot_map *last; /* that hl_shot_map_of found */
	int pagemap;                    /* descriptor, -1 none */
	int mem;                        /* of /proc/self/mem, -1 not open */
	uint64_t bounce[HL_SHOT_BOUNCE / 8];
	uint64_t entries[HL_SHOT_ENTRIES];
};

/* Worth to be kept of a register, before the maps are known. */
static inline int hl_shot_may_point(uint64_t v)
{
	return v >= 65536 && v < 1ull << 47;
}

static inline int hl_filter_has(const struct hl_filter *f, uint64_t v)
{
	uint16_t g = v >> 48 ? 0 : f->granule[v >> 30];

	return HL_UNLIKELY(g != 0) && f->bits[g][v >> 18 & 4095] >> (v >> 12 & 63) & 1;
}

/* ---- image_put.c: records ---- */
/* A fact of two parts, together at most HL_SLOT_ROOM - 32 bytes. */
void hl_shot_put(struct hl_shot *x, enum hl_fact kind, const void *a, size_t na, const void *b, size_t nb);
/* One of the words that x->words has: so many bytes of its bits, tokens and nibbles behind the numbers. */
void hl_shot_put_words(struct hl_shot *x, const uint8_t *numbers, size_t nnumbers, size_t nbits,
		       size_t ntokens, size_t nnibbles);
void hl_shot_put_threads(struct hl_shot *x);
void hl_shot_put_maps(struct hl_shot *x);

/* ---- image_maps.c ---- */
/* The list as the kernel has it, while the threads stand still; then, of it, the maps. */
void hl_shot_read_maps(struct hl_shot *x);
void hl_shot_take_maps(struct hl_shot *x);
const struct hl_shot_map *hl_shot_map_of(struct hl_shot *x, uint64_t address);

/* ---- image_stack.c: the thread that writes, before others are stopped ---- */
void hl_stack_setup(void);
/* 1: it lies in a library, not at its very edge. */
int hl_pc_is_librarys(uint64_t pc);
void hl_shot_own_stack(struct hl_shot *x, struct hl_thread *t);

/* ---- image_park.c ---- */
/* Room for n threads; 0: no memory. */
int hl_park_prepare(uint32_t n);
/* Of the interrupted thread, what its signal handler is told. */
void hl_shot_note_context(struct hl_shot_thread *t, const void *context);
void hl_shot_park(struct hl_shot *x);
/* Let them run on. */
void hl_shot_resume(struct hl_shot *x);

/* ---- image_threads.c ---- */
/* Room for all of them; 0: they cannot be listed, or there is no memory. */
int hl_shot_count_threads(struct hl_shot *x);
/* Enter the threads that are not known yet, and signal those that would answer; how many were new, -1: they cannot be listed.
 * until: on CLOCK_MONOTONIC. */
int hl_shot_call_threads(struct hl_shot *x, uint64_t until);
/* Of those that were shut; how many still are. */
uint32_t hl_shot_call_again(struct hl_shot *x, uint64_t until);
/* What the kernel tells of one that did not answer. */
void hl_shot_ask_kernel(struct hl_shot *x, struct hl_shot_thread *t);
static inline void hl_shot_note(struct hl_shot_thread *t, uint64_t v)
{
	if (t->n < HL_SHOT_REGS && hl_shot_may_point(v))
		t->words[t->n++] = v;
}
/* The kernel alone may know the memory of a signal stack. */
static inline void hl_shot_note_signal_stack(struct hl_shot_thread *t, const stack_t *s)
{
	if (s->ss_flags & SS_DISABLE)
		return;
	t->alt = (uint64_t)(uintptr_t)s->ss_sp;
	t->alt_bytes = s->ss_size;
	hl_shot_note(t, t->alt);
}
/* 1 + its index; 0: it is not among them. */
uint32_t hl_shot_place_of(const uint32_t *tids, uint32_t n, uint32_t tid);

/* ---- image_scan.c ---- */
/* n bytes from address, which may be in no map; how many could be read. */
size_t hl_shot_read(struct hl_shot *x, uint64_t address, void *out, size_t n);
void hl_shot_scan(struct hl_shot *x);
/* 1, and failed: it took too long. */
int hl_shot_is_late(struct hl_shot *x);

/* ---- image_words.c ---- */
/* The words [p, p + n) as they lie at address. */
void hl_words_scan(struct hl_shot *x, const uint64_t *p, size_t n, uint64_t address);
/* Record what is left. */
void hl_words_flush(struct hl_shot *x);

#endif
