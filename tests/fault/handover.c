/*
 * handover.c - threads that come and go write records and intern stacks while a collector drains their slots: every record is
 * there once and in its order, every id stands for one stack.  data_races.sh builds it with ThreadSanitizer.
 *
 * The library's modules and the collector's drain.c as they are, at one mapping of the region, so that what one side wrote
 * and the other reads is one address.  What those need of the rest stands here.
 */
#include "analyzer/collect/drain.h"
#include "preload/modmap.h"
#include "preload/modrec.h"
#include "preload/nodes.h"
#include "preload/slots.h"
#include "preload/window.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SPAWNERS 4u
#define LIVES    40u   /* threads one after the other, of each spawner */
#define RECORDS  3000u /* of each thread */
#define DIGITS   7u    /* frames of a stack, each one of four */
#define PAD      150u
#define OURS     30u /* the fact that a record is: uv serial, uv number, uv node, uv hash, padding */

struct hl_hot hl_hot;
struct hl_guest hl_guest;

static struct hl_share share;
static struct hl_outs outs;
static struct hl_roster roster;
static struct hl_out image = {.id = 1};
static _Atomic int over;
static _Atomic uint32_t written, lost;

/* ---- what is not under test ---- */

struct hl_slot *hl_window_slot(uint32_t i)
{
	return hl_share_slot(&share, i);
}

void hl_window_part(uint32_t i)
{
	(void)i;
}

enum hl_interned hl_modrec_note(struct hl_thread *t, uint64_t pc)
{
	(void)t;
	(void)pc;
	return HL_INTERNED;
}

void hl_trail_init(struct hl_trail *trail)
{
	trail->n = 0;
}

struct hl_out *hl_roster_lookup(struct hl_roster *r, uint32_t entry, uint32_t id)
{
	(void)r;
	return entry == 0 && id == 1 ? &image : NULL;
}

void hl_out_note(struct hl_outs *o, struct hl_out *out, const struct hl_note *n)
{
	(void)o;
	(void)out;
	(void)n;
}

/* Only of images without a file, which are none here. */
struct hl_glance hl_note_glance(const uint8_t *data, size_t bytes)
{
	(void)data;
	(void)bytes;
	return (struct hl_glance){0, 0};
}

void hl_out_open(struct hl_outs *o, struct hl_out *out)
{
	(void)o;
	(void)out;
}

void hl_note_start(struct hl_note *n, uint64_t stamp)
{
	(void)n;
	(void)stamp;
}

void hl_note_sync(struct hl_note *n, uint64_t stamp)
{
	(void)n;
	(void)stamp;
}

void hl_pace_init(struct hl_pace *p)
{
	(void)p;
}

void hl_pace_release(struct hl_pace *p)
{
	(void)p;
}

void hl_pace_look(struct hl_pace *p, uint64_t now_ns)
{
	(void)p;
	(void)now_ns;
}

enum hl_hurry hl_pace_choose(struct hl_pace *p, uint32_t waiting, uint32_t nslots, uint64_t now_ns)
{
	(void)p;
	(void)waiting;
	(void)nslots;
	(void)now_ns;
	return HL_HURRY_NONE;
}

void hl_pace_charge(struct hl_pace *p, uint32_t bytes, uint64_t cpu_ns)
{
	(void)p;
	(void)bytes;
	(void)cpu_ns;
}

/* ---- what the collector took ---- */

static struct piece {
	uint32_t stream, claim, offset, bytes;
	uint8_t *data;
} * pieces;
static size_t npieces, room;

void hl_out_add(struct hl_outs *o, struct hl_out *out, const struct hl_chunk *c)
{
	(void)o;
	(void)out;
	if (npieces == room) {
		room = room ? room * 2 : 1024;
		pieces = realloc(pieces, room * sizeof *pieces);
	}
	pieces[npieces] = (struct piece){c->stream, c->claim, c->offset, c->bytes, malloc(c->bytes)};
	memcpy(pieces[npieces++].data, c->data, c->bytes);
}

static void *collect(void *arg)
{
	static struct hl_drain d;

	(void)arg;
	hl_drain_init(&d, &share, &outs, &roster);
	for (unsigned round = 0; !atomic_load(&over); round++) {
		hl_drain_sealed(&d);
		if (round % 16 == 0) {
			hl_drain_open(&d);
			hl_drain_live(&d);
			hl_drain_trim(&d);
		}
		usleep(200);
	}
	hl_drain_image(&d, &image);
	hl_drain_release(&d);
	return NULL;
}

/* ---- the program ---- */

static uint64_t mix(uint64_t v)
{
	v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9ull;
	v = (v ^ v >> 27) * 0x94d049bb133111ebull;
	return v ^ v >> 31;
}

static void record(struct hl_thread *t, uint32_t number, uint32_t key)
{
	struct hl_stream *s = hl_thread_stream(t, t->level - 1);
	struct hl_frame f[DIGITS];
	uint64_t h = hl_stack_seed(1);
	uint32_t node = HL_STACK_NONE;
	uint8_t b[64], *p = b, *to;

	for (uint32_t k = 0; k < DIGITS; k++) {
		f[k].pc = 0x400000 + k * 64 + (key >> 2 * k & 3) * 16;
		f[k].hash = h = hl_stack_hash(h, f[k].pc);
		f[k].node = HL_STACK_NONE;
	}
	if (hl_nodes_intern(t, s, f, DIGITS, 1, &node) != HL_INTERNED)
		node = HL_STACK_NONE;
	p = hl_put_uv(hl_put_uv(hl_put_uv(hl_put_uv(p, t->serial), number), node), h);
	to = hl_slots_room(t, s, (uint32_t)(p - b) + PAD + 16);
	if (!to || node == HL_STACK_NONE) {
		atomic_fetch_add_explicit(&lost, 1, memory_order_relaxed);
		return;
	}
	*to++ = HL_TAG_FACT | OURS << 2;
	to = hl_put_uv(to, (uint64_t)(p - b) + PAD);
	memcpy(to, b, (size_t)(p - b));
	memset(to + (p - b), (int)number, PAD);
	hl_slots_count_fact(s);
	hl_slots_commit(s, to + (p - b) + PAD);
	atomic_fetch_add_explicit(&written, 1, memory_order_relaxed);
}

static void *live(void *arg)
{
	uint64_t seed = (uintptr_t)arg;
	struct hl_thread *t = hl_thread_self(), *b;

	for (uint32_t i = 0; i < RECORDS; i++) {
		t->level = 1;
		record(t, i, (uint32_t)mix(seed << 32 | i));
		t->level = 0;
	}
	/* as a thread that is past its end */
	b = hl_thread_borrow();
	if (b) {
		b->level = 1;
		record(b, 0, (uint32_t)mix(seed));
		b->level = 0;
		hl_thread_give_back(b);
	}
	return NULL;
}

static void *spawn(void *arg)
{
	for (uintptr_t i = 0; i < LIVES; i++) {
		pthread_t t;

		if (pthread_create(&t, NULL, live, (void *)((uintptr_t)arg * LIVES + i)) != 0)
			abort();
		pthread_join(t, NULL);
	}
	return NULL;
}

/* ---- the verdict ---- */

#define IDS (1u << 18)
static struct {
	uint64_t pc;
	uint32_t parent, site;
} sites[IDS], nodes[IDS];
static uint32_t next_number[SPAWNERS * LIVES + 2], read_back, wrong;

static void blame(const char *why, uint64_t a, uint64_t b)
{
	if (wrong++ < 5)
		printf("%s: %llu %llu\n", why, (unsigned long long)a, (unsigned long long)b);
}

static const uint8_t *get(const uint8_t *p, uint64_t *v)
{
	unsigned shift = 0;

	for (*v = 0;; shift += 7) {
		*v |= (uint64_t)(*p & 127) << shift;
		if (!(*p++ & 128))
			return p;
	}
}

static void read_chain(const uint8_t *p, const uint8_t *end, uint32_t *last)
{
	uint64_t v, parent, site;

	p = get(p, &v);
	*last += (uint32_t)v;
	p = get(p, &v);
	parent = *last - v;
	for (;;) {
		p = get(p, &site);
		if (*last >= IDS || nodes[*last].site)
			blame("a node has two records", *last, site);
		else
			nodes[*last] = (typeof(nodes[0])){0, (uint32_t)parent, (uint32_t)site};
		if (p >= end)
			return;
		parent = (*last)++;
	}
}

/* pass 0: ids; 1: ours, whose ids may be of any stream */
static void read_claim(const uint8_t *p, const uint8_t *end, int pass)
{
	uint32_t last_node = 0, last_site = 0;
	uint64_t last_pc = 0, bytes, v[4];

	while (p < end) {
		uint8_t tag = *p++;

		p = get(p, &bytes);
		if ((tag & 3) != HL_TAG_FACT) {
			p = get(p, &v[0]); /* whose the records are */
			continue;
		}
		if (tag >> 2 == HL_FACT_SITE && !pass) {
			const uint8_t *q = get(get(p, &v[0]), &v[1]);

			(void)q;
			last_site += (uint32_t)v[0];
			last_pc += v[1] >> 1 ^ -(v[1] & 1);
			if (last_site >= IDS || sites[last_site].pc)
				blame("a site has two records", last_site, 0);
			else
				sites[last_site].pc = last_pc;
		} else if (tag >> 2 == HL_FACT_CHAIN && !pass) {
			read_chain(p, p + bytes, &last_node);
		} else if (tag >> 2 == OURS && pass) {
			const uint8_t *q = p;
			uint64_t h = hl_stack_seed(1), pcs[DIGITS];
			uint32_t n = DIGITS, id;

			for (unsigned k = 0; k < 4; k++)
				q = get(q, &v[k]);
			for (id = v[2] < IDS ? (uint32_t)v[2] : 0; n && id; id = nodes[id].parent)
				pcs[--n] = sites[nodes[id].site].pc;
			for (uint32_t k = n; k < DIGITS; k++)
				h = hl_stack_hash(h, pcs[k]);
			if (id || n || h != v[3])
				blame("a node is not the stack it was given for", v[2], v[3]);
			if (v[0] && next_number[v[0]]++ != v[1])
				blame("a record out of order", v[0], v[1]);
			for (; q < p + bytes; q++)
				if (*q != (uint8_t)v[1]) {
					blame("a record with other bytes", v[0], v[1]);
					break;
				}
			read_back++;
		}
		p += bytes;
	}
	if (p != end)
		blame("a claim that ends inside a record", 0, 0);
}

static int by_place(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	if (x->stream != y->stream)
		return x->stream < y->stream ? -1 : 1;
	if (x->claim != y->claim)
		return x->claim < y->claim ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static void read_all(int pass)
{
	static uint8_t whole[HL_SLOT_ROOM];
	uint32_t n = 0;

	for (size_t i = 0; i < npieces; i++) {
		const struct piece *p = &pieces[i], *next = p + 1;

		if (p->offset != n || n + p->bytes > sizeof whole) {
			blame("a piece is missing or there twice", p->stream, p->claim);
			return;
		}
		memcpy(whole + n, p->data, p->bytes);
		n += p->bytes;
		if (i + 1 < npieces && next->stream == p->stream && next->claim == p->claim)
			continue;
		if (i + 1 < npieces && next->claim != (next->stream == p->stream ? p->claim + 1 : 0))
			blame("a claim is missing", next->stream, next->claim);
		read_claim(whole, whole + n, pass);
		n = 0;
	}
}

int main(void)
{
	pthread_t t[SPAWNERS], collector;
	struct hl_diag d;

	if (hl_share_make(&share, HL_SHARE_MIN_BYTES, &d) != HL_OK)
		return 1;
	roster.live[0] = &image;
	hl_guest.region = share.region;
	hl_guest.image = &hl_region_images(share.region)[0];
	hl_guest.image_id = 1;
	atomic_store(&hl_guest.image->id, 1);
	hl_guest.backing = HL_BACKING_MEMFD;
	hl_guest.nslots = share.nslots;
	hl_guest.reserve = share.nslots - share.nbuffer;
	hl_guest.clock = share.region->clock;
	hl_guest.shift = share.region->stamp_shift;
	hl_guest.page_bytes = (uint32_t)sysconf(_SC_PAGESIZE);
	hl_guest.config.room = 64;
	atomic_store(&hl_hot.state, HL_ACTIVE);
	if (hl_nodes_init() < 0)
		return 1;
	hl_thread_setup(NULL, NULL);
	pthread_create(&collector, NULL, collect, NULL);
	for (uintptr_t i = 0; i < SPAWNERS; i++)
		pthread_create(&t[i], NULL, spawn, (void *)i);
	for (unsigned i = 0; i < SPAWNERS; i++)
		pthread_join(t[i], NULL);
	atomic_store(&over, 1);
	pthread_join(collector, NULL);

	qsort(pieces, npieces, sizeof *pieces, by_place);
	read_all(0);
	read_all(1);
	printf("%u records in %zu pieces, %u slots, %u nodes, %u lost\n", written, npieces,
	       hl_share_used(&share), hl_node_ids.last, lost);
	if (read_back != written)
		blame("records are missing", read_back, written);
	if (written < SPAWNERS * LIVES * RECORDS * 9 / 10 || npieces < 3 * share.nbuffer)
		blame("too little happened", written, npieces);
	return wrong != 0;
}
