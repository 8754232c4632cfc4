/*
 * image_words.h - reading the coding of words.h.  Floor: input.
 */
#ifndef HL_INPUT_IMAGE_WORDS_H
#define HL_INPUT_IMAGE_WORDS_H

#include "analyzer/input/image.h"
#include "heapledger/words.h"

struct hl_word_reader {
	void (*word)(void *ctx, const struct hl_image_word *w);
	void *ctx;
	uint64_t nwords; /* so far */
	uint64_t next;   /* no slot lies below it */
	uint64_t previous;
	struct hl_image_word cache[256];
	uint16_t expected[HL_WORD_CONTEXTS];
	const uint8_t *nibble, *end; /* the next ones are of *nibble */
	int upper;                   /* its upper half */
};

/* One record's payload, all of its words.  0: malformed, *what says how; some words may have been given. */
int hl_words_decode(struct hl_word_reader *w, const uint8_t *payload, size_t n, const char **what);

#endif
