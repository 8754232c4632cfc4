/*
 * encode.h - records as the preloaded library writes them; for tests only.
 *
 * Follows format.h to the letter and shares no code with the decoder beyond it.  A record that would
 * not fit in the slot is a bug of the test: encode_room() tells before.
 */
#ifndef HL_TESTS_ENCODE_H
#define HL_TESTS_ENCODE_H

#include "heapledger/format.h"
#include <assert.h>
#include <stddef.h>
#include <string.h>

struct encode {
	uint8_t data[HL_SLOT_ROOM + 64];
	size_t n;
	uint32_t facts;
	uint64_t base_stamp, stamp, address;
	uint64_t addresses[256], site_keys[256], site_sizes[256];
	uint64_t node_id, site_id, site_pc;
};

static inline void encode_start(struct encode *e, uint64_t base_stamp)
{
	memset(e, 0, sizeof(*e));
	e->base_stamp = e->stamp = base_stamp;
}

/* 1: any one record without strings still fits. */
static inline int encode_room(const struct encode *e)
{
	return e->n + 64 <= HL_SLOT_ROOM;
}

static inline void encode_byte(struct encode *e, unsigned b)
{
	assert(e->n < HL_SLOT_ROOM);
	e->data[e->n++] = (uint8_t)b;
}

static inline void encode_uv(struct encode *e, uint64_t v)
{
	e->n = (size_t)(hl_put_uv(e->data + e->n, v) - e->data);
	assert(e->n <= HL_SLOT_ROOM);
}

static inline void encode_string(struct encode *e, const void *s, size_t n)
{
	encode_uv(e, n);
	assert(e->n + n <= HL_SLOT_ROOM);
	memcpy(e->data + e->n, s, n);
	e->n += n;
}

static inline uint64_t encode_delta(struct encode *e, uint64_t stamp)
{
	uint64_t delta = stamp - e->stamp;

	assert(stamp >= e->stamp);
	e->stamp = stamp;
	return delta;
}

/* Whether the address is in the cache, and if not whether a miss can express it. */
static inline int encode_hit(const struct encode *e, uint64_t address)
{
	return e->addresses[hl_addr_slot(address)] == address;
}

static inline int encode_near(const struct encode *e, uint64_t address)
{
	int64_t d = (int64_t)(address - e->address);

	return d % 16 == 0 || (d < (1ll << 61) && d > -(1ll << 61));
}

static inline void encode_address(struct encode *e, uint64_t address, int hit)
{
	int64_t d = (int64_t)(address - e->address);

	if (hit)
		encode_byte(e, hl_addr_slot(address));
	else if (d % 16 == 0)
		encode_uv(e, hl_zigzag(d / 16) << 1);
	else
		encode_uv(e, hl_zigzag(d) << 1 | 1);
	e->addresses[hl_addr_slot(address)] = address;
	e->address = address;
}

static inline void encode_op(struct encode *e, enum hl_op op, uint64_t stamp)
{
	encode_byte(e, (unsigned)op << 2 | HL_TAG_EVENT);
	encode_uv(e, encode_delta(e, stamp));
}

static inline void encode_op_alloc(struct encode *e, uint64_t stamp, unsigned domain, unsigned entry,
				   uint64_t address, uint64_t size, uint64_t stack)
{
	encode_op(e, HL_OP_ALLOC, stamp);
	encode_uv(e, domain);
	encode_uv(e, entry);
	encode_uv(e, address);
	encode_uv(e, size);
	encode_uv(e, stack);
}

static inline void encode_op_free(struct encode *e, uint64_t stamp, unsigned domain, unsigned entry,
				  uint64_t address)
{
	encode_op(e, HL_OP_FREE, stamp);
	encode_uv(e, domain);
	encode_uv(e, entry);
	encode_uv(e, address);
}

static inline void encode_call(struct encode *e, uint64_t stamp, uint64_t stack)
{
	encode_op(e, HL_OP_CALL, stamp);
	encode_uv(e, stack);
}

static inline void encode_alloc(struct encode *e, uint64_t stamp, unsigned entry, uint64_t address,
				uint64_t size, uint64_t stack)
{
	uint64_t key = stack << 3 | entry, delta;
	unsigned slot = hl_site_slot(key, size), tag = HL_TAG_ALLOC;
	int hit = encode_hit(e, address), site = e->site_keys[slot] == key && e->site_sizes[slot] == size;

	if (!hit && !encode_near(e, address)) {
		encode_op_alloc(e, stamp, HL_DOMAIN_HEAP, entry, address, size, stack);
		return;
	}
	delta = encode_delta(e, stamp);
	tag |= (hit ? HL_TAG_HIT : 0) | (site ? HL_TAG_SITE : 0);
	encode_byte(e, tag | (unsigned)(delta < HL_STAMP_MORE ? delta : HL_STAMP_MORE) << 4);
	if (delta >= HL_STAMP_MORE)
		encode_uv(e, delta - HL_STAMP_MORE);
	encode_address(e, address, hit);
	if (site) {
		encode_byte(e, slot);
		return;
	}
	encode_uv(e, key);
	encode_uv(e, size);
	e->site_keys[slot] = key;
	e->site_sizes[slot] = size;
}

static inline void encode_free(struct encode *e, uint64_t stamp, uint64_t address, int by_delete)
{
	int hit = encode_hit(e, address);
	unsigned tag = HL_TAG_FREE | (hit ? HL_TAG_HIT : 0) | (by_delete ? HL_TAG_DELETE : 0);
	uint64_t delta;

	if (!hit && !encode_near(e, address)) {
		encode_op_free(e, stamp, HL_DOMAIN_HEAP, by_delete ? HL_ENTRY_DELETE : HL_ENTRY_FREE,
			       address);
		return;
	}
	delta = encode_delta(e, stamp);
	encode_byte(e, tag | (unsigned)(delta < HL_STAMP_MORE ? delta : HL_STAMP_MORE) << 4);
	if (delta >= HL_STAMP_MORE)
		encode_uv(e, delta - HL_STAMP_MORE);
	encode_address(e, address, hit);
}

static inline void encode_release(struct encode *e, uint64_t stamp, uint64_t address)
{
	int hit = encode_hit(e, address);

	assert(hit || encode_near(e, address));
	encode_op(e, HL_OP_RELEASE, stamp);
	encode_byte(e, (unsigned)hit);
	encode_address(e, address, hit);
}

static inline void encode_restore(struct encode *e, uint64_t stamp)
{
	encode_op(e, HL_OP_RESTORE, stamp);
}

static inline void encode_drop(struct encode *e, uint64_t stamp)
{
	encode_op(e, HL_OP_DROP, stamp);
}

static inline void encode_map(struct encode *e, uint64_t stamp, uint64_t address, uint64_t bytes,
			      uint64_t stack)
{
	encode_op(e, HL_OP_MAP_RANGE, stamp);
	encode_uv(e, address);
	encode_uv(e, bytes);
	encode_uv(e, stack);
}

static inline void encode_unmap(struct encode *e, uint64_t stamp, uint64_t address, uint64_t bytes)
{
	encode_op(e, HL_OP_FREE_RANGE, stamp);
	encode_uv(e, address);
	encode_uv(e, bytes);
}

static inline void encode_mark(struct encode *e, uint64_t stamp, enum hl_mark reason, const char *label)
{
	encode_op(e, HL_OP_MARK, stamp);
	encode_uv(e, reason);
	encode_string(e, label, strlen(label));
}

/* ---- facts: start, fields, end ---- */

static inline size_t encode_fact(struct encode *e, unsigned kind)
{
	encode_byte(e, kind << 2 | HL_TAG_FACT);
	e->facts++;
	return e->n;
}

/* The payload began at `start`: put its length in front. */
static inline void encode_fact_end(struct encode *e, size_t start)
{
	uint8_t len[10];
	size_t n = e->n - start, m = (size_t)(hl_put_uv(len, n) - len);

	assert(e->n + m <= HL_SLOT_ROOM);
	memmove(e->data + start + m, e->data + start, n);
	memcpy(e->data + start, len, m);
	e->n += m;
}

static inline void encode_site(struct encode *e, uint64_t id, uint64_t pc, unsigned flags)
{
	size_t at = encode_fact(e, HL_FACT_SITE);

	encode_uv(e, id - e->site_id);
	encode_uv(e, hl_zigzag((int64_t)(pc - e->site_pc)));
	if (flags)
		encode_uv(e, flags);
	e->site_id = id;
	e->site_pc = pc;
	encode_fact_end(e, at);
}

/* n nodes from id on, each the parent of the next. */
static inline void encode_chain(struct encode *e, uint64_t id, uint64_t parent, size_t n,
				const uint64_t *sites)
{
	size_t at = encode_fact(e, HL_FACT_CHAIN);

	encode_uv(e, id - e->node_id);
	encode_uv(e, id - parent);
	for (size_t i = 0; i < n; i++)
		encode_uv(e, sites[i]);
	e->node_id = id + n - 1;
	encode_fact_end(e, at);
}

/* A node with a site of its own, which has the same id. */
static inline void encode_node(struct encode *e, uint64_t id, uint64_t parent, uint64_t pc, unsigned flags)
{
	encode_site(e, id, pc, flags);
	encode_chain(e, id, parent, 1, &id);
}

/* A fact that is n numbers. */
static inline void encode_numbers(struct encode *e, unsigned kind, size_t n, const uint64_t *v)
{
	size_t at = encode_fact(e, kind);

	for (size_t i = 0; i < n; i++)
		encode_uv(e, v[i]);
	encode_fact_end(e, at);
}
#define ENCODE_NUMBERS(e, kind, ...)                                                                         \
	encode_numbers(e, kind, sizeof((uint64_t[]){__VA_ARGS__}) / 8, (uint64_t[]){__VA_ARGS__})

/* That the trace is a sample. */
static inline void encode_sample(struct encode *e, uint64_t bytes)
{
	ENCODE_NUMBERS(e, HL_FACT_SAMPLE | HL_TAG_MUST >> 2, bytes);
}

static inline void encode_module(struct encode *e, uint64_t id, uint64_t epoch, uint64_t start, uint64_t end,
				 uint64_t bias, const char *path, const void *build_id, size_t build_id_bytes)
{
	size_t at = encode_fact(e, HL_FACT_MODULE);

	encode_uv(e, id);
	encode_uv(e, epoch);
	encode_uv(e, start);
	encode_uv(e, end);
	encode_uv(e, bias);
	encode_string(e, path, strlen(path));
	encode_string(e, build_id, build_id_bytes);
	encode_uv(e, 0);
	encode_fact_end(e, at);
}

static inline void encode_name(struct encode *e, uint64_t serial, const char *name, uint64_t stamp)
{
	size_t at = encode_fact(e, HL_FACT_NAME);

	encode_uv(e, serial);
	encode_string(e, name, strlen(name));
	encode_uv(e, stamp);
	encode_fact_end(e, at);
}

static inline void encode_hello(struct encode *e, uint64_t image, uint64_t pid, uint64_t stamp,
				const char *exe, const char *cmdline, size_t cmdline_bytes)
{
	size_t at = encode_fact(e, HL_FACT_HELLO);

	encode_uv(e, image);
	encode_uv(e, pid);
	encode_uv(e, 1);
	encode_uv(e, 1700000000000000000ull);
	encode_uv(e, stamp);
	encode_uv(e, 64);
	encode_string(e, exe, strlen(exe));
	encode_string(e, cmdline, cmdline_bytes);
	encode_string(e, "", 0);
	encode_uv(e, 0);
	encode_fact_end(e, at);
}

static inline void encode_parent(struct encode *e, const char *file, const uint8_t uuid[16], uint64_t image)
{
	size_t at = encode_fact(e, HL_FACT_PARENT);

	encode_string(e, file, strlen(file));
	encode_string(e, uuid, 16);
	encode_uv(e, image);
	encode_fact_end(e, at);
}

static inline void encode_unseen(struct encode *e, uint64_t why, const char *path, const char *from)
{
	size_t at = encode_fact(e, HL_FACT_UNSEEN);

	encode_uv(e, why);
	encode_string(e, path, strlen(path));
	if (from)
		encode_string(e, from, strlen(from));
	encode_fact_end(e, at);
}

static inline void encode_exec(struct encode *e, uint64_t stamp, const char *path)
{
	size_t at = encode_fact(e, HL_FACT_EXEC);

	encode_uv(e, stamp);
	encode_string(e, path, strlen(path));
	encode_fact_end(e, at);
}

#endif
