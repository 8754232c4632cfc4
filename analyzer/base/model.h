/*
 * model.h - what an allocator and its program will do next: guesses about the fields of a claim's records.
 * Floor: base.  No allocation, no file; private to columns_pack.c and columns_unpack.c.
 *
 * Both ask the same questions in the same order and tell the model the same answers, so a guess never has
 * to be right, only the same on both sides; that is why all of it is in this one place.  Nothing here trusts
 * an address, a size or a stack: they are compared and hashed, never followed.
 *
 * Where the guesses come from:
 *   - glibc (malloc.c, tcache and fastbins) hands out the block of a size that was freed last; failing that
 *     often the one freed first (small bins); a fresh block lies behind the last fresh one;
 *   - blocks die in the order of their making (a list) or against it (a scope), or are the newest of all;
 *   - what allocated after these two places allocates again after them.
 */
#ifndef HL_BASE_MODEL_H
#define HL_BASE_MODEL_H

#include "heapledger/format.h"

/* How an address is said.  OLD: how many frees (of an alloc) or allocs (of a free) ago it was last seen in
 * the other state; HIT: index into the recorder's cache; FAR: difference to a guess. */
enum hl_alloc_how {
	HL_ALLOC_LAST,  /* the block of its class that was freed last */
	HL_ALLOC_FIRST, /* ... that was freed first */
	HL_ALLOC_STRAY, /* the last freed one of unknown class */
	HL_ALLOC_FRESH, /* behind the last fresh one */
	HL_ALLOC_OLD,
	HL_ALLOC_HIT,
	HL_ALLOC_FAR,
	HL_ALLOC_HOWS
};
enum hl_free_how {
	HL_FREE_NEWEST, /* the newest live block */
	HL_FREE_NEXT,   /* the one made after the last freed one */
	HL_FREE_BEFORE, /* the one made before it */
	HL_FREE_OLD,
	HL_FREE_HIT,
	HL_FREE_FAR,
	HL_FREE_HOWS
};
/* How a stack and a size are said. */
enum hl_site_how {
	HL_SITE_AFTER_TWO, /* what came after the last two sites */
	HL_SITE_AFTER_ONE, /* what came after the last one */
	HL_SITE_OLD,       /* how many allocs ago it was last seen */
	HL_SITE_NEW,       /* the stack of the last chain, with the entry and size its last frame had last */
	HL_SITE_NEW_SIZE,  /* the same, entry and size given */
	HL_SITE_STACK,     /* the stack given, with the size it had last */
	HL_SITE_STACK_SIZE,
	HL_SITE_HOWS
};

/* Lists: live blocks, free ones by class of size, free ones of unknown class. */
#define HL_LIST_LIVE  0u
#define HL_LIST_STRAY 103u
#define HL_LISTS      104u

/* A record of an event has two bytes at least, one of an alloc three. */
#define HL_MODEL_EVENTS (HL_SLOT_ROOM / 2 + 1)
#define HL_MODEL_ALLOCS (HL_SLOT_ROOM / 3 + 1)

/* An address of this claim.  Nodes below HL_LISTS are the lists' ends: prev the last, next the first. */
struct hl_model_node {
	uint64_t address;
	uint16_t prev, next; /* in its list; itself: in none */
	uint16_t chain;      /* next with this hash; 0 none */
	uint16_t order;      /* its last alloc or free among those */
	uint8_t list;        /* class of its last alloc */
	uint8_t slot;        /* hl_addr_slot */
	uint8_t state;       /* enum hl_model_state */
};
enum hl_model_state { HL_STATE_NONE, HL_STATE_LIVE, HL_STATE_FREE };

struct hl_model_site {
	uint64_t stack_entry, size;
	uint16_t chain, order;
	uint8_t slot;  /* hl_site_slot */
	uint8_t class; /* of size */
};

struct hl_model {
	/* the recorder's coding state */
	uint64_t previous; /* address */
	uint64_t addresses[256];
	uint16_t address_nodes[256]; /* 0: none yet */
	uint16_t sites[256];         /* site 0 is stack 0, size 0, as the recorder starts */
	/* stamps */
	uint32_t gap, usual_gap; /* events since the last one that advanced, and how many it took before */
	/* addresses */
	uint64_t fresh, last_free;
	uint64_t class_last[HL_LISTS];
	uint16_t before, next; /* neighbours in age of the last freed block */
	uint32_t nnodes, nallocs, nfrees;
	uint16_t node_heads[4096];
	/* sites */
	uint64_t node;                   /* last of the last CHAIN */
	uint64_t chain_node, chain_leaf; /* the same until an alloc has it, and its site number */
	uint64_t last_stack_entry;
	uint32_t nsites, nplaces;
	uint16_t one, both; /* the last site; the place in after_two of it and the one before */
	uint16_t site_heads[2048], after_one[1024], after_two[4096];
	uint16_t by_stack[1024], by_leaf[256];
	/* below: valid up to the counts above */
	uint16_t allocs[HL_MODEL_EVENTS], frees[HL_MODEL_EVENTS], places[HL_MODEL_EVENTS];
	struct hl_model_node nodes[HL_LISTS + HL_MODEL_EVENTS];
	struct hl_model_site site[1 + HL_MODEL_ALLOCS];
};

/* Not the number of a stack. */
#define HL_MODEL_NO_CHAIN UINT64_MAX

/* The start of a claim. */
void hl_model_start(struct hl_model *m);

/* ---- stamps ---- */

/* Whether the next event advances its stream's stamp: a recorder with one thread reads the clock at every
 * n-th event, another at each. */
static inline int hl_model_advances(const struct hl_model *m)
{
	return m->gap + 1 >= m->usual_gap;
}

static inline void hl_model_advance(struct hl_model *m, int advanced)
{
	m->gap++;
	if (advanced) {
		m->usual_gap = m->gap;
		m->gap = 0;
	}
}

/* ---- addresses ---- */

static inline uint32_t hl_model_hash(uint64_t v, unsigned bits)
{
	return (uint32_t)(v * 0x9e3779b97f4a7c15ull >> (64 - bits));
}

/* Bytes that glibc takes for a request: header, alignment, least chunk. */
static inline uint64_t hl_model_chunk(uint64_t size)
{
	uint64_t n = (size + 8 + 15) & ~15ull;

	return n < 32 ? 32 : n;
}

static inline uint8_t hl_model_class(uint64_t size)
{
	uint64_t n = hl_model_chunk(size);
	unsigned log, c;

	if (n <= 1024)
		return (uint8_t)(n / 16);
	log = 63 - (unsigned)__builtin_clzll(n);
	c = 65 + (log - 10) * 4 + (n >> (log - 2) & 3);
	return (uint8_t)(c < HL_LIST_STRAY ? c : HL_LIST_STRAY - 1);
}

/* Walks are bounded because the addresses may be chosen to collide; what is not found in so many steps
 * counts as new on both sides. */
#define HL_MODEL_WALK 24

/* 0: not seen yet. */
static inline uint16_t hl_model_find(const struct hl_model *m, uint64_t address)
{
	uint16_t i = m->node_heads[hl_model_hash(address >> 4, 12)];

	for (int n = 0; i && n < HL_MODEL_WALK; n++, i = m->nodes[i].chain)
		if (m->nodes[i].address == address)
			return i;
	return 0;
}

static inline uint16_t hl_model_node(struct hl_model *m, uint64_t address)
{
	uint16_t i = hl_model_find(m, address), *head;

	if (i)
		return i;
	head = &m->node_heads[hl_model_hash(address >> 4, 12)];
	i = (uint16_t)m->nnodes++;
	m->nodes[i] = (struct hl_model_node){.address = address,
					     .prev = i,
					     .next = i,
					     .chain = *head,
					     .list = HL_LIST_STRAY,
					     .slot = (uint8_t)hl_addr_slot(address)};
	*head = i;
	return i;
}

static inline void hl_model_unlink(struct hl_model *m, struct hl_model_node *n)
{
	m->nodes[n->prev].next = n->next;
	m->nodes[n->next].prev = n->prev;
}

static inline void hl_model_append(struct hl_model *m, unsigned list, uint16_t i)
{
	struct hl_model_node *n = &m->nodes[i];

	n->next = (uint16_t)list;
	n->prev = m->nodes[list].prev;
	m->nodes[n->prev].next = i;
	m->nodes[list].prev = i;
}

/* The block that this way of saying means; below HL_LISTS: there is none. */
static inline uint16_t hl_model_alloc_guess(const struct hl_model *m, unsigned class, enum hl_alloc_how how)
{
	const struct hl_model_node *list = &m->nodes[how == HL_ALLOC_STRAY ? HL_LIST_STRAY : class];

	return how == HL_ALLOC_FIRST ? list->next : list->prev;
}

static inline uint16_t hl_model_free_guess(const struct hl_model *m, enum hl_free_how how)
{
	uint16_t i = how == HL_FREE_NEXT ? m->next : m->before;

	i = how == HL_FREE_NEWEST ? m->nodes[HL_LIST_LIVE].prev : i;
	return m->nodes[i].state == HL_STATE_LIVE ? i : 0;
}

/* The block in the recorder's cache at this index. */
static inline uint16_t hl_model_hit(struct hl_model *m, unsigned slot)
{
	return m->address_nodes[slot] ? m->address_nodes[slot] : hl_model_node(m, m->addresses[slot]);
}

/* The recorder has coded the address of block i. */
static inline void hl_model_coded(struct hl_model *m, uint16_t i)
{
	const struct hl_model_node *n = &m->nodes[i];

	m->previous = n->address;
	m->addresses[n->slot] = n->address;
	m->address_nodes[n->slot] = i;
}

/* What the address of a FAR one is told as a difference to. */
static inline uint64_t hl_model_alloc_base(const struct hl_model *m, unsigned class)
{
	return m->class_last[class] ? m->class_last[class] : m->fresh;
}

static inline void hl_model_alloc(struct hl_model *m, uint16_t i, unsigned class, uint64_t size,
				  enum hl_alloc_how how)
{
	struct hl_model_node *n = &m->nodes[i];

	hl_model_unlink(m, n);
	hl_model_append(m, HL_LIST_LIVE, i);
	n->list = (uint8_t) class;
	n->state = HL_STATE_LIVE;
	n->order = (uint16_t)m->nallocs;
	m->allocs[m->nallocs++] = i;
	m->class_last[class] = n->address;
	if (how == HL_ALLOC_FRESH || how == HL_ALLOC_FAR)
		m->fresh = n->address + hl_model_chunk(size);
}

static inline void hl_model_free(struct hl_model *m, uint16_t i)
{
	struct hl_model_node *n = &m->nodes[i];

	int live = n->state == HL_STATE_LIVE;

	m->before = live ? n->prev : m->before;
	m->next = live ? n->next : m->next;
	hl_model_unlink(m, n);
	hl_model_append(m, n->list, i);
	n->state = HL_STATE_FREE;
	n->order = (uint16_t)m->nfrees;
	m->frees[m->nfrees++] = i;
	m->last_free = n->address;
}

/* ---- sites ---- */

static inline uint32_t hl_model_site_hash(uint64_t stack_entry, uint64_t size)
{
	return (uint32_t)((stack_entry * 0x9e3779b97f4a7c15ull + size * 0xd6e8feb86659fd93ull) >> 53);
}

/* 0: not seen yet, or site 0. */
static inline uint16_t hl_model_find_site(const struct hl_model *m, uint64_t stack_entry, uint64_t size)
{
	uint16_t i = m->site_heads[hl_model_site_hash(stack_entry, size)];

	for (int n = 0; i && n < HL_MODEL_WALK; n++, i = m->site[i].chain)
		if (m->site[i].stack_entry == stack_entry && m->site[i].size == size)
			return i;
	return 0;
}

static inline uint16_t hl_model_add_site(struct hl_model *m, uint64_t stack_entry, uint64_t size)
{
	uint16_t *head = &m->site_heads[hl_model_site_hash(stack_entry, size)];
	uint16_t i = (uint16_t)m->nsites++;

	m->site[i] = (struct hl_model_site){.stack_entry = stack_entry,
					    .size = size,
					    .chain = *head,
					    .slot = (uint8_t)hl_site_slot(stack_entry, size),
					    .class = hl_model_class(size)};
	*head = i;
	return i;
}

static inline uint16_t hl_model_after_one(const struct hl_model *m)
{
	return m->after_one[m->one & 1023];
}

static inline uint16_t hl_model_after_two(const struct hl_model *m)
{
	return m->after_two[m->both];
}

/* Whether the recorder's cache has this site. */
static inline int hl_model_has_site(const struct hl_model *m, uint16_t i)
{
	const struct hl_model_site *s = &m->site[i], *in = &m->site[m->sites[s->slot]];

	return in == s || (in->stack_entry == s->stack_entry && in->size == s->size);
}

/* The site whose size a stack had last; whose size and entry the last chain's last frame had last. */
static inline uint16_t *hl_model_by_stack(struct hl_model *m, uint64_t stack)
{
	return &m->by_stack[stack & 1023];
}

static inline uint16_t *hl_model_by_leaf(struct hl_model *m)
{
	return &m->by_leaf[m->chain_leaf & 255];
}

/* A CHAIN record of n sites, which are the varints from sites to end. */
static inline void hl_model_chain(struct hl_model *m, uint64_t id, uint64_t n, const uint8_t *sites,
				  const uint8_t *end)
{
	const uint8_t *last;

	m->node += id;
	m->chain_node = HL_MODEL_NO_CHAIN;
	if (!n)
		return;
	m->node += n - 1;
	m->chain_node = m->node;
	last = end - 1;
	while (last > sites && last[-1] & 0x80)
		last--;
	m->chain_leaf = 0;
	hl_get_uv(last, end, &m->chain_leaf);
}

/* The alloc's site is i. */
static inline void hl_model_place(struct hl_model *m, uint16_t i)
{
	struct hl_model_site *s = &m->site[i];

	if (s->stack_entry >> 3 == m->chain_node) {
		*hl_model_by_leaf(m) = i;
		m->chain_node = HL_MODEL_NO_CHAIN;
	}
	*hl_model_by_stack(m, s->stack_entry >> 3) = i;
	m->after_one[m->one & 1023] = i;
	m->after_two[m->both] = i;
	m->last_stack_entry = s->stack_entry;
	s->order = (uint16_t)m->nplaces;
	m->places[m->nplaces++] = i;
	m->both = (uint16_t)((i * 0x9e35u + m->one * 0x7537u) & 4095);
	m->one = i;
}

#endif
