/*
 * trace_fuzz.c - libFuzzer target: any bytes as a trace.
 *
 * The first byte says how the rest becomes a file:
 *   0  as it is
 *   1  a trace file whose checksums are made right first, so that what they protect is reached
 *   2  a region file: its header, then (2 bytes length, slot) one after the other at their places
 * Then everything a verb could do is done with it, and what the headers promise is checked.
 */
#include "analyzer/base/crc32c.h"
#include "analyzer/input/image.h"
#include "analyzer/model/replay.h"
#include "heapledger/tracefile.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define REGION_HEADER 512u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(int ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "broken promise: %s\n", what);
		abort();
	}
}

static void put(int fd, const void *p, size_t n, uint64_t at)
{
	check(pwrite(fd, p, n, (off_t)at) == (ssize_t)n, "memory for the file");
}

/* Make the checksums of the file header and of each block right, as far as blocks follow each other. */
static void make_right(uint8_t *p, size_t n)
{
	struct hl_file_header h;
	struct hl_block_header b;
	size_t at;

	if (n < sizeof(h))
		return;
	memcpy(&h, p, sizeof(h));
	h.crc = hl_crc32c(0, &h, sizeof(h) - sizeof(h.crc));
	memcpy(p, &h, sizeof(h));
	for (at = h.header_bytes; at < n && n - at >= sizeof(b); at += sizeof(b) + b.stored_bytes) {
		memcpy(&b, p + at, sizeof(b));
		if (b.magic != HL_BLOCK_MAGIC || b.stored_bytes > n - at - sizeof(b))
			return;
		b.crc = 0;
		b.crc = hl_crc32c(hl_crc32c(0, &b, sizeof(b)), p + at + sizeof(b), b.stored_bytes);
		memcpy(p + at, &b, sizeof(b));
	}
}

static void make_trace_file(int fd, const uint8_t *data, size_t n)
{
	uint8_t *copy = malloc(n + 1);

	memcpy(copy, data, n);
	make_right(copy, n);
	put(fd, copy, n, 0);
	free(copy);
}

static void make_region_file(int fd, const uint8_t *data, size_t n)
{
	uint64_t at = hl_region_slots_off(HL_BACKING_FILE, 0);
	size_t head = n < REGION_HEADER ? n : REGION_HEADER;

	put(fd, data, head, 0);
	data += head;
	n -= head;
	check(ftruncate(fd, (off_t)(at + 64 * HL_SLOT_BYTES)) == 0, "room for slots");
	for (int i = 0; i < 64 && n >= 2; i++, at += HL_SLOT_BYTES) {
		size_t some = data[0] | (size_t)(data[1] & 0x7f) << 8;

		data += 2;
		n -= 2;
		if (some > n)
			some = n;
		put(fd, data, some, at);
		data += some;
		n -= some;
	}
}

static void check_facts(const struct hl_facts *f)
{
	check(f->nnodes >= 2, "a root and an unknown node");
	for (uint32_t i = 1; i < f->nnodes; i++)
		check(f->nodes[i].parent < i, "a node's caller has a lower id");
	for (uint32_t i = 0; i < f->nthreads; i++) {
		check(f->threads[i].name != NULL, "threads have names");
		check(hl_facts_thread(f, f->threads[i].serial) == &f->threads[i], "threads are found");
	}
	for (uint32_t i = 0; i < f->nmodules; i++) {
		const struct hl_module *m =
			hl_facts_module(f, f->modules[i].start, f->modules[i].first_epoch);

		check(m && m->start <= f->modules[i].start && m->end > f->modules[i].start,
		      "modules are found");
	}
	check(f->process.exe && f->process.cmdline && f->process.options, "the process has its strings");
}

static void check_events(struct hl_trace *t)
{
	struct hl_merge *m = hl_merge_new(t);
	uint32_t nnodes = hl_trace_facts(t)->nnodes;
	uint64_t last = 0;
	int inherited = 1;
	struct hl_event e;

	while (hl_merge_next(m, &e)) {
		if (e.inherited != inherited)
			last = 0;
		check(e.inherited <= inherited, "inherited events come first");
		check(e.stamp >= last, "events are sorted");
		check(e.type <= HL_EV_MARK && e.domain <= HL_DOMAIN_POOL && e.entry < HL_ENTRY_COUNT,
		      "events are of known kinds");
		check(e.type == HL_EV_FREE || e.stack < nnodes, "stacks are nodes");
		check((e.type == HL_EV_MARK) == (e.label != NULL), "marks have labels");
		inherited = e.inherited;
		last = e.stamp;
	}
	hl_merge_free(m);
}

struct sum {
	uint64_t blocks, bytes;
};

static void born(void *ctx, struct hl_block *b)
{
	struct sum *s = ctx;

	s->blocks++;
	s->bytes += b->size;
}

static void died(void *ctx, const struct hl_block *b, const struct hl_death *death)
{
	struct sum *s = ctx;

	(void)death;
	s->blocks--;
	s->bytes -= b->size;
}

static void moved(void *ctx, const struct hl_block *old, struct hl_block *now)
{
	struct sum *s = ctx;

	s->bytes += now->size - old->size;
}

static void shrunk(void *ctx, const struct hl_block *b, uint64_t lost, uint64_t stamp)
{
	struct sum *s = ctx;

	(void)b;
	(void)stamp;
	s->bytes -= lost;
}

static void live(void *ctx, const struct hl_block *b)
{
	died(ctx, b, NULL);
}

static void check_replay(struct hl_trace *t)
{
	static const struct hl_sink sink = {.born = born, .died = died, .moved = moved, .shrunk = shrunk};
	struct hl_replay_counts c;
	struct hl_diag d;
	struct sum s = {0};

	check(hl_replay_live(t, UINT64_MAX, &sink, &s, live, &s, &c, &d) == HL_OK, "a replay succeeds");
	check(s.blocks == 0 && s.bytes == 0, "what is told adds up to what lives");
	check(c.live_blocks == c.inherited_blocks + c.allocs - c.frees, "counts add up");
	check(c.live_bytes_error >= 0 && c.peak_bytes_error >= 0 && c.total_bytes_error < 1e300,
	      "errors are numbers");
	check(c.sample_bytes || c.total_bytes_error == 0, "a complete trace has no errors");
	hl_replay(t, c.peak_stamp, NULL, NULL, &c, &d);
}

static void check_word(void *ctx, const struct hl_image_word *w)
{
	uint64_t *next = ctx;

	check(w->slot % 8 == 0 && w->slot >= *next, "words are aligned and ascend");
	check(w->before8 >= -1 && w->before8 < 1ll << 32 && w->before24 >= -1 && w->before24 < 1ll << 32,
	      "lengths are short");
	check(w->value % 16 == 8 || (w->before8 == -1 && w->before24 == -1), "others have none");
	*next = w->slot + 8;
}

static void check_images(struct hl_trace *t)
{
	struct hl_images images;
	struct hl_diag d = {0};

	check(hl_images_load(&images, t, &d) == HL_OK, "images are loaded or left out");
	for (size_t i = 0; i < images.n; i++) {
		const struct hl_image_at *im = &images.image[i];
		uint64_t next = 0;

		for (size_t k = 0; k < im->nmaps; k++) {
			check(im->maps[k].start >= next && im->maps[k].end > im->maps[k].start,
			      "maps are sorted");
			check(im->maps[k].name != NULL, "maps have names");
			next = im->maps[k].end;
		}
		next = 0;
		if (hl_image_words(t, im, check_word, &next, &d))
			check(*d.text && !strchr(d.text, '\n'), "an error is one line");
	}
	hl_images_release(&images);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char path[64];
	struct hl_trace *t;
	struct hl_diag d = {0};
	int fd;

	if (n < 1 || n > 100000)
		return 0;
	fd = memfd_create("trace", MFD_CLOEXEC);
	check(fd >= 0, "a file");
	switch (data[0]) {
	case 1:
		make_trace_file(fd, data + 1, n - 1);
		break;
	case 2:
		make_region_file(fd, data + 1, n - 1);
		break;
	default:
		put(fd, data + 1, n - 1, 0);
		break;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (hl_trace_open(&t, path, &d)) {
		check(d.err < 0 && *d.text && !strchr(d.text, '\n'), "an error is one line");
	} else {
		check_facts(hl_trace_facts(t));
		check_events(t);
		check_images(t);
		check_replay(t);
		check(strlen(hl_trace_health(t)->first_problem) < 256, "health is a line");
		hl_trace_close(t);
	}
	close(fd);
	return 0;
}
