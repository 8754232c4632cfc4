/*
 * tracefile.h - the file that the collector writes, one for each program image.  Streams and their records: format.h.
 *
 *   struct hl_file_header
 *   blocks: struct hl_block_header + stored_bytes of payload, one after the other
 *   (a finished trace) a block of type INDEX, then struct hl_file_trailer
 * A trace without its trailer is scanned block by block; a block that fails its CRC is skipped
 * when its header is sound, else the scan goes on at the next HL_BLOCK_MAGIC.
 */
#ifndef HEAPLEDGER_TRACEFILE_H
#define HEAPLEDGER_TRACEFILE_H

#include <stdint.h>

#define HL_FILE_MAGIC    0x0a31454352544c48ull /* "HLTRCE1\n" */
#define HL_BLOCK_MAGIC   0x4b424c48u           /* "HLBK" */
#define HL_TRAILER_MAGIC 0x314c524154444e45ull /* "ENDTARL1" */

struct hl_file_header {
	uint64_t magic;
	uint16_t major, minor;
	uint32_t header_bytes; /* offset of the first block */
	uint8_t uuid[16];      /* of the region: equal for all traces of one run */
	uint32_t image_id;
	uint32_t pid;
	uint32_t clock;
	uint32_t stamp_shift;
	uint64_t ticks_per_s;
	uint64_t start_stamp; /* of the region */
	uint64_t start_realtime_ns;
	uint8_t reserved[44];
	uint32_t crc; /* CRC32C of the bytes before it */
};
_Static_assert(sizeof(struct hl_file_header) == 120, "no padding");

enum hl_block_type { HL_BLOCK_CHUNK = 1, HL_BLOCK_INDEX = 2 };
/* COLUMNS: fields of one meaning stand together, those that a model of the allocator guesses are left out;
 * a CHUNK with offset 0 only.  It restores the records to the byte. */
enum hl_codec { HL_CODEC_RAW = 0, HL_CODEC_ZSTD = 1, HL_CODEC_COLUMNS = 2 };

struct hl_block_header {
	uint32_t magic;
	uint8_t type; /* unknown types are skipped */
	uint8_t codec;
	uint16_t reserved;
	uint32_t stored_bytes;
	uint32_t raw_bytes; /* at most HL_SLOT_ROOM for CHUNK */
	uint32_t stream;
	uint32_t claim;
	uint32_t offset;     /* of the first raw byte within the claim */
	uint32_t facts;      /* 0: no FACT record in it */
	uint64_t base_stamp; /* of the claim */
	uint32_t tid;
	uint32_t crc; /* CRC32C of this header with crc = 0, then the payload as stored */
};
_Static_assert(sizeof(struct hl_block_header) == 48, "no padding");

/* Payload of INDEX: one per CHUNK block, in file order. */
struct hl_index_entry {
	uint64_t file_offset; /* of the block header */
	uint64_t base_stamp;
	uint32_t stream;
	uint32_t claim;
	uint32_t offset;
	uint32_t raw_bytes;
	uint32_t facts;
	uint32_t tid;
};
_Static_assert(sizeof(struct hl_index_entry) == 40, "no padding");

struct hl_file_trailer {
	uint64_t index_offset; /* of the INDEX block header */
	uint64_t file_bytes;   /* of the whole file, this included */
	uint64_t magic;
};

#endif
