/*
 * columns_fuzz.c - libFuzzer target: any bytes as records to pack, and as columns to unpack.
 *
 * The first byte says which:
 *   0  records: what is packed must come back as it was
 *   1  two bytes length of the records, then what is stored of them
 *   2  the same, but the columns are not compressed: after the length, for each column two bytes length and
 *      its bytes, so that a mutation reaches the model
 * Facts alone must be those that are found among all records.
 */
#include "analyzer/base/columns.h"
#include "analyzer/input/decode.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct hl_packer *packer;
static struct hl_unpacker *unpacker;

static void check(int ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "broken promise: %s\n", what);
		abort();
	}
}

static size_t take_length(const uint8_t **data, size_t *n, size_t most)
{
	size_t length = *n > 1 ? (*data)[0] | (size_t)(*data)[1] << 8 : 0, used = *n > 1 ? 2 : *n;

	*data += used;
	*n -= used;
	return length < most ? length : most;
}

static void check_facts(const uint8_t *packed, size_t n, const uint8_t *records, size_t bytes)
{
	uint8_t *facts = malloc(bytes ? bytes : 1);
	struct hl_fact_reader all = {records, records + bytes}, few;
	struct hl_fact_record a, b;
	size_t got;

	check(hl_unpacker_facts(unpacker, packed, n, facts, bytes, &got), "facts of what can be unpacked");
	few = (struct hl_fact_reader){facts, facts + got};
	while (hl_decode_fact(&all, &a) > 0)
		check(hl_decode_fact(&few, &b) == 1 && a.kind == b.kind && a.end - a.at == b.end - b.at &&
			      !memcmp(a.at, b.at, (size_t)(a.end - a.at)),
		      "the same facts");
	free(facts);
}

static void try_unpack(const uint8_t *packed, size_t n, size_t bytes)
{
	uint8_t *records = malloc(bytes ? bytes : 1);
	size_t got;

	if (hl_unpacker_unpack(unpacker, packed, n, records, bytes))
		check_facts(packed, n, records, bytes);
	else if (hl_unpacker_facts(unpacker, packed, n, records, bytes, &got))
		check(got <= bytes, "facts fit");
	free(records);
}

static void try_pack(const uint8_t *records, size_t n)
{
	uint8_t *packed = malloc(HL_SLOT_ROOM), *again = malloc(n ? n : 1);
	size_t stored;

	if (n > HL_SLOT_ROOM)
		n = HL_SLOT_ROOM;
	stored = hl_packer_pack(packer, records, n, packed, HL_SLOT_ROOM);
	if (stored) {
		check(hl_unpacker_unpack(unpacker, packed, stored, again, n), "what was packed is unpacked");
		check(!memcmp(records, again, n), "to the byte");
		check_facts(packed, stored, again, n);
	}
	free(packed);
	free(again);
}

static void try_plain(const uint8_t *data, size_t n, size_t bytes)
{
	uint8_t *packed = malloc(n + HL_COLUMNS * 20), *p = packed;
	const uint8_t *from = data;
	size_t left = n;

	for (unsigned c = 0; c < HL_COLUMNS; c++) {
		size_t length = take_length(&from, &left, SIZE_MAX);

		length = length < left ? length : left;
		p = hl_put_uv(hl_put_uv(p, length), length);
		from += length;
		left -= length;
	}
	for (unsigned c = 0; c < HL_COLUMNS; c++) {
		size_t length = take_length(&data, &n, SIZE_MAX);

		length = length < n ? length : n;
		memcpy(p, data, length);
		p += length;
		data += length;
		n -= length;
	}
	try_unpack(packed, (size_t)(p - packed), bytes);
	free(packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint8_t kind;
	size_t bytes;

	if (n < 1 || n > 100000)
		return 0;
	if (!packer) {
		packer = hl_packer_new();
		unpacker = hl_unpacker_new();
	}
	kind = *data++;
	n--;
	if (kind == 0) {
		try_pack(data, n);
		return 0;
	}
	bytes = take_length(&data, &n, HL_SLOT_ROOM + 10);
	if (kind == 1)
		try_unpack(data, n, bytes);
	else
		try_plain(data, n, bytes);
	return 0;
}
