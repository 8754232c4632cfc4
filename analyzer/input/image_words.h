/*
 * image_words.h - the coding of HL_FACT_IMAGE_WORDS.  Floor: input.
 */
#ifndef HL_INPUT_IMAGE_WORDS_H
#define HL_INPUT_IMAGE_WORDS_H

#include "analyzer/input/image.h"

struct hl_word_reader {
	void (*word)(void *ctx, const struct hl_image_word *w);
	void *ctx;
	uint64_t nwords; /* so far */
	uint64_t next;   /* no slot lies below it */
	uint64_t previous;
	struct hl_image_word cache[256];
};

/* One record's payload, all of its words.  0: malformed, *what says how; some words may have been given. */
int hl_words_decode(struct hl_word_reader *w, const uint8_t *payload, size_t n, const char **what);

#endif
