/*
 * make_corpus.c - first inputs for trace_fuzz and columns_fuzz: make_corpus DIRECTORY COLUMNS-DIRECTORY
 *
 * Small files that have every kind of record, as trace files whole and unfinished and as region files.
 */
#include "analyzer/base/columns.h"
#include "analyzer/collect/writer.h"
#include "heapledger/words.h"
#include "heapledger/tracefile.h"
#include "tests/unit/encode.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct encode enc;

static void need(int ok, const char *what)
{
	if (!ok) {
		perror(what);
		exit(1);
	}
}

static void encode_facts(uint64_t sample)
{
	if (sample)
		encode_sample(&enc, sample);
	encode_hello(&enc, 1, 1001, 100, "/bin/prog", "prog\0-x", 8);
	ENCODE_NUMBERS(&enc, HL_FACT_FORK, 7, 900, 2, 1, 4, 0, 12);
	encode_parent(&enc, "parent.hl", (const uint8_t *)"0123456789abcdef", 7);
	encode_module(&enc, 1, 0, 0x400000, 0x500000, 0, "/bin/prog", "buildidbuildid", 14);
	ENCODE_NUMBERS(&enc, HL_FACT_UNLOAD, 1, 3);
	ENCODE_NUMBERS(&enc, HL_FACT_THREAD, 1, 1001, 0x7000, 0x9000, 100);
	encode_name(&enc, 1, "main", 100);
	ENCODE_NUMBERS(&enc, HL_FACT_THREAD_END, 1, 900);
	encode_node(&enc, 1, 0, 0x400100, 0);
	ENCODE_NUMBERS(&enc, HL_FACT_EPOCH, 1);
	encode_node(&enc, 2, 1, 0x400200, HL_NODE_EXACT);
	encode_exec(&enc, 800, "/bin/other");
	ENCODE_NUMBERS(&enc, HL_FACT_END, HL_END_EXIT, 0, 900);
	ENCODE_NUMBERS(&enc, HL_FACT_SYNC, 900);
	ENCODE_NUMBERS(&enc, HL_FACT_LOST, HL_LOST_FULL, 1);
	ENCODE_NUMBERS(&enc, 31, 1);
}

/* An image of three words: by the one before, by its slot with lengths, cached. */
static void encode_image(uint64_t number)
{
	/* 3 words, 6 bytes of tokens, no bit set: far by the one before, gap 0 and odd with lengths, cached */
	const uint8_t words[] = {3,
				 6,
				 0,
				 0x8f,
				 0x01,
				 0xc0,
				 0x01,
				 0x20,
				 0x00,
				 0x88,
				 0x18,
				 0x02,
				 0x84,
				 0x00,
				 0x92,
				 0x01,
				 (uint8_t)hl_word_slot(0x2010)};
	size_t at;

	ENCODE_NUMBERS(&enc, HL_FACT_IMAGE_BEGIN, number, 1001, 1);
	ENCODE_NUMBERS(&enc, HL_FACT_IMAGE_REGS, 1001, 1, 0x7000, 0x6000, 2, 0x1000, 0x2000);
	at = encode_fact(&enc, HL_FACT_IMAGE_WORDS);
	for (size_t i = 0; i < sizeof(words); i++)
		encode_byte(&enc, words[i]);
	encode_fact_end(&enc, at);
	at = encode_fact(&enc, HL_FACT_IMAGE_MAP);
	encode_uv(&enc, 0x1000);
	encode_uv(&enc, 0x9000);
	encode_uv(&enc, 9);
	encode_string(&enc, "[heap]", 6);
	encode_fact_end(&enc, at);
	ENCODE_NUMBERS(&enc, HL_FACT_IMAGE_END, number, 900, 3, 1, 1);
}

static void encode_events(uint64_t stamp)
{
	encode_alloc(&enc, ++stamp, HL_ENTRY_MALLOC, 0x1000, 10, 1);
	encode_alloc(&enc, ++stamp, HL_ENTRY_NEW, 0x1008, 10, 2);
	encode_free(&enc, ++stamp, 0x1000, 1);
	encode_alloc(&enc, stamp += 1000, HL_ENTRY_CALLOC, 0x1000, 10, 1);
	encode_release(&enc, ++stamp, 0x1000);
	encode_alloc(&enc, ++stamp, HL_ENTRY_REALLOC, 0x2000, 20, 1);
	encode_release(&enc, ++stamp, 0x2000);
	encode_restore(&enc, ++stamp);
	encode_release(&enc, ++stamp, 0x2000);
	encode_drop(&enc, ++stamp);
	encode_op_alloc(&enc, ++stamp, HL_DOMAIN_POOL, HL_ENTRY_POOL, 0x1000, 8, 1);
	encode_op_free(&enc, ++stamp, HL_DOMAIN_POOL, HL_ENTRY_FREE, 0x1000);
	encode_map(&enc, ++stamp, 0x7000, 0x5000, 1);
	encode_unmap(&enc, ++stamp, 0x8000, 0x1000);
	encode_mark(&enc, ++stamp, HL_MARK_API, "label");
	encode_free(&enc, ++stamp, 0x9999, 0);
	encode_alloc(&enc, ++stamp, HL_ENTRY_MALLOC, 0x3000, 0, 1);
	encode_op_free(&enc, ++stamp, HL_DOMAIN_HEAP, HL_ENTRY_FREE | HL_ENTRY_TEMPORARY, 0x3000);
}

/* The file at from, behind the byte that says what it is, to the corpus. */
static void add(const char *dir, const char *name, int kind, const char *from, size_t cut)
{
	char path[4096];
	FILE *in = fopen(from, "r"), *out;
	int c;
	long n;

	need(in != NULL, from);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	out = fopen(path, "w");
	need(out != NULL, path);
	fseek(in, 0, SEEK_END);
	n = ftell(in) - (long)cut;
	rewind(in);
	fputc(kind, out);
	while (n-- > 0 && (c = fgetc(in)) != EOF)
		fputc(c, out);
	need(!fclose(out), path);
	fclose(in);
}

static void make_traces(const char *dir, uint64_t sample)
{
	struct hl_file_header h = {
		.image_id = 1, .pid = 1001, .clock = HL_CLOCK_TSC, .ticks_per_s = 100000000};
	char path[4096];
	struct hl_writer *w;
	struct hl_diag d;

	snprintf(path, sizeof(path), "%s/tmp", dir);
	need(!hl_writer_open(&w, path, &h, 1, &d), path);
	/* stream 16 is long enough for columns */
	for (uint32_t stream = 4; stream < 20; stream += 4)
		for (uint32_t claim = 0; claim < 2; claim++) {
			struct hl_chunk c = {
				.stream = stream, .claim = claim, .tid = stream, .data = enc.data};

			encode_start(&enc, 100 + claim * 2000);
			if (claim == 0 && stream == 4)
				encode_facts(sample);
			c.base_stamp = enc.base_stamp;
			c.bytes = (uint32_t)enc.n;
			c.facts = enc.facts;
			if (c.bytes)
				need(!hl_writer_add(w, &c, &d), path);
			c.offset = c.bytes;
			c.facts = 0;
			encode_events(100 + claim * 2000 + stream);
			for (int i = 0; stream == 16 && i < 4; i++)
				encode_events(enc.stamp);
			c.data = enc.data + c.offset;
			c.bytes = (uint32_t)enc.n - c.offset;
			need(!hl_writer_add(w, &c, &d), path);
		}
	for (uint32_t number = 1; number < 3; number++) {
		struct hl_chunk c = {.stream = HL_STREAM_IMAGE(number), .tid = 1001, .data = enc.data};

		encode_start(&enc, 900);
		encode_image(number);
		c.base_stamp = enc.base_stamp;
		c.bytes = (uint32_t)enc.n;
		c.facts = enc.facts;
		need(!hl_writer_add(w, &c, &d), path);
	}
	need(!hl_writer_finish(w, &d), path);
	if (sample) {
		add(dir, sample == UINT64_MAX ? "sample_of_nothing" : "sample", 1, path, 0);
		unlink(path);
		return;
	}
	add(dir, "as_it_is", 0, path, 0);
	add(dir, "finished", 1, path, 0);
	add(dir, "unfinished", 1, path, sizeof(struct hl_file_trailer));
	unlink(path);
}

static void make_regions(const char *dir)
{
	struct hl_region r = {.magic = HL_REGION_MAGIC,
			      .major = HL_FORMAT_MAJOR,
			      .backing = HL_BACKING_FILE,
			      .nslots = 64,
			      .slot_bytes = HL_SLOT_BYTES,
			      .ticks_per_s = 100000000,
			      .bump = 3};
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/tmp", dir);
	f = fopen(path, "w");
	need(f != NULL, path);
	fwrite(&r, 1, 512, f);
	for (uint32_t i = 0; i < 3; i++) {
		struct hl_slot s = {.state = i == 2 ? HL_SLOT_OPEN : HL_SLOT_SEALED,
				    .image_id = 1,
				    .stream = 4 + 4 * i,
				    .tid = 1001,
				    .base_stamp = 100};
		size_t n;

		encode_start(&enc, 100);
		if (i == 0)
			encode_facts(0);
		encode_events(100 + i);
		s.used = (uint32_t)enc.n;
		s.facts = enc.facts;
		n = sizeof(s) + enc.n;
		fputc((int)(n & 0xff), f);
		fputc((int)(n >> 8), f);
		fwrite(&s, 1, sizeof(s), f);
		fwrite(enc.data, 1, enc.n, f);
	}
	need(!fclose(f), path);
	add(dir, "region", 2, path, 0);
	unlink(path);
}

static void put_input(const char *dir, const char *name, int kind, size_t length, const uint8_t *p, size_t n)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	need(f != NULL, path);
	fputc(kind, f);
	if (kind) {
		fputc((int)(length & 0xff), f);
		fputc((int)(length >> 8), f);
	}
	fwrite(p, 1, n, f);
	need(!fclose(f), path);
}

static void make_columns(const char *dir)
{
	static uint8_t packed[HL_SLOT_ROOM], plain[HL_SLOT_ROOM + 2 * HL_COLUMNS];
	struct hl_packer *p = hl_packer_new();
	const uint8_t *at = packed, *end;
	uint64_t raw[HL_COLUMNS], stored;
	uint8_t *out = plain;
	size_t n;

	encode_start(&enc, 100);
	encode_facts(0);
	encode_events(100);
	put_input(dir, "records", 0, 0, enc.data, enc.n);
	n = hl_packer_pack(p, enc.data, enc.n, packed, sizeof(packed));
	put_input(dir, "packed", 1, enc.n, packed, n);
	/* so short that some columns are plain: those that are not are left out, which a mutation may put right */
	end = packed + n;
	for (unsigned c = 0; c < HL_COLUMNS; c++) {
		at = hl_get_uv(at, end, &raw[c]);
		at = hl_get_uv(at, end, &stored);
		raw[c] = raw[c] == stored ? stored : stored | 1ull << 32;
	}
	for (unsigned c = 0; c < HL_COLUMNS; c++) {
		stored = raw[c] & 0xffff;
		n = raw[c] >> 32 ? 0 : stored;
		*out++ = (uint8_t)n;
		*out++ = (uint8_t)(n >> 8);
		memcpy(out, at, n);
		out += n;
		at += stored;
	}
	put_input(dir, "plain", 2, enc.n, plain, (size_t)(out - plain));
	hl_packer_free(p);
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: make_corpus DIRECTORY COLUMNS-DIRECTORY\n");
		return 2;
	}
	make_traces(argv[1], 0);
	make_traces(argv[1], 1000);
	make_traces(argv[1], UINT64_MAX);
	make_regions(argv[1]);
	make_columns(argv[2]);
	return 0;
}
