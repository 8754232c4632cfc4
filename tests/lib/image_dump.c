/*
 * image_dump.c TRACE - the pointer images of a trace as text, for tests that hold them against what a program says of itself.
 *
 *   image NUMBER TID FLAGS TIER
 *   thread TID HOW SP TP WORDS...
 *   range START END FLAGS MODULE     the calls of mmap and its kin, in order
 *   map START END FLAGS NAME
 *   word SLOT VALUE BEFORE8 BEFORE24
 */
#include "analyzer/input/image.h"
#include <inttypes.h>
#include <stdio.h>

static void word(void *ctx, const struct hl_image_word *w)
{
	(void)ctx;
	printf("word %" PRIx64 " %" PRIx64 " %" PRId64 " %" PRId64 "\n", w->slot, w->value, w->before8,
	       w->before24);
}

static int dump(struct hl_trace *t, const struct hl_image_at *im, struct hl_diag *d)
{
	printf("image %u %u %u %s\n", im->number, im->tid, im->flags, hl_image_tier(im));
	for (size_t i = 0; i < im->nthreads; i++) {
		const struct hl_image_thread *th = &im->threads[i];

		printf("thread %u %d %" PRIx64 " %" PRIx64, th->tid, th->how, th->sp, th->tp);
		for (size_t k = 0; k < th->nwords; k++)
			printf(" %" PRIx64, th->words[k]);
		printf("\n");
	}
	for (size_t i = 0; i < im->nmaps; i++)
		printf("map %" PRIx64 " %" PRIx64 " %u %s\n", im->maps[i].start, im->maps[i].end,
		       im->maps[i].flags, im->maps[i].name);
	return hl_image_words(t, im, word, NULL, d);
}

static const char *caller(const struct hl_facts *f, uint32_t module)
{
	return module < f->nmodules ? f->modules[module].path : "?";
}

static void dump_ranges(const struct hl_facts *f)
{
	for (size_t i = 0; i < f->nmappings; i++)
		printf("range %" PRIx64 " %" PRIx64 " %u %s\n", f->mappings[i].start, f->mappings[i].end,
		       f->mappings[i].mapped, caller(f, f->mappings[i].module));
}

int main(int argc, char **argv)
{
	struct hl_images images;
	struct hl_trace *t;
	struct hl_diag d;
	int err = argc == 2 ? hl_trace_open(&t, argv[1], &d) : 1;

	if (err) {
		fprintf(stderr, "image_dump: %s\n", argc == 2 ? d.text : "no trace");
		return 1;
	}
	dump_ranges(hl_trace_facts(t));
	err = hl_images_load(&images, t, &d);
	for (size_t i = 0; i < images.n && !err; i++)
		err = dump(t, &images.image[i], &d);
	if (err)
		fprintf(stderr, "image_dump: %s\n", d.text);
	hl_images_release(&images);
	hl_trace_close(t);
	return err ? 1 : 0;
}
