/*
 * image.h - the pointer images of a trace: what of the process's memory may have been a pointer at one moment, see
 * include/heapledger/image.h.  Floor: input.
 *
 * Everything is checked here: above, maps are sorted and disjoint, slots are aligned and ascend.  Addresses and values may be
 * any.  A forked child has none of its parent's.
 */
#ifndef HL_INPUT_IMAGE_H
#define HL_INPUT_IMAGE_H

#include "analyzer/input/trace.h"
#include "heapledger/image.h"

struct hl_image_map {
	uint64_t start, end;
	uint32_t flags; /* enum hl_image_map_flags */
	char *name;     /* as in /proc/self/maps; never NULL */
};

struct hl_image_thread {
	uint32_t tid;
	int how;                 /* enum hl_image_how */
	uint64_t sp, tp;         /* 0 unknown */
	uint64_t alt, alt_bytes; /* its signal stack; 0: none, or not known */
	uint64_t *words;         /* of its registers */
	size_t nwords;
};

struct hl_image_at {
	uint32_t number, tid, flags; /* enum hl_image_flags */
	uint64_t stamp;
	uint64_t nwords; /* that it says it has */
	uint64_t record_bytes, stored_bytes;
	struct hl_image_map *maps; /* sorted by start */
	size_t nmaps;
	struct hl_image_thread *threads;
	size_t nthreads;
	size_t stream; /* its place among the file's */
};

struct hl_image_word {
	uint64_t slot, value;
	int64_t before8,
		before24; /* of a value that is 8 more than a multiple of 16: the words there; -1: not recorded */
};

struct hl_images {
	struct hl_image_at *image;
	size_t n;
};

/* Those that are complete but for their words, in order of number; HL_OK also when there is none.  out: release it in any case.
 * What is damaged is told to the trace's health and left out. */
int hl_images_load(struct hl_images *out, struct hl_trace *t, struct hl_diag *d);
void hl_images_release(struct hl_images *images);

/* All words by ascending slot.  HL_ERR_FORMAT: a piece of them is damaged or missing; some words may have been given
 * already, and the image is not to be trusted. */
int hl_image_words(struct hl_trace *t, const struct hl_image_at *im,
		   void (*word)(void *ctx, const struct hl_image_word *w), void *ctx, struct hl_diag *d);

/* How far the image can be believed: "exact", "conservative" or "torn". */
const char *hl_image_tier(const struct hl_image_at *im);

#endif
