/*
 * modmap.c - an append-only table of modules and a hash from a map's start to its newest entry.
 *
 * Writers are serialised by a flag. Who finds it set waits a moment, for nobody else can ask in his place: only while a module
 * is on his own stack is it sure to stay. A handler that interrupted the winner leaves its pc to it. Who waited in
 * vain is content with a frame without a name; the next new site of that module asks again.
 */
#include "preload/modmap.h"
#include "preload/arena.h"
#include "preload/guest.h"
#include "preload/object.h"
#include "preload/thread.h"
#include <elf.h>
#include <link.h>
#include <sys/auxv.h>

#define MODS 65536u /* each reload of a plugin takes one */
#define HASH 16384u

/* Entering a module takes some ten microseconds, unless its writer has lost the processor. */
#define WAIT_NS 100000u
#define WAITS   200u

struct entry {
	struct hl_mod mod;
	const void *map;     /* struct link_map * */
	const void *dynamic; /* l_ld */
	uint32_t name_hash;
	_Atomic uint32_t live;
	_Atomic uint32_t told; /* its fact is recorded, or about to be */
};

static struct entry *_Atomic *mods; /* MODS pointers */
static _Atomic uint32_t nmods;
static _Atomic uint32_t *hash;   /* HASH: index + 1 of the newest entry at that start */
static _Atomic uint32_t busy;    /* tid of who enters a module, 0 none */
static _Atomic uint64_t left[8]; /* pcs of handlers that interrupted the winner */

static const ElfW(Phdr) * program; /* its program headers, as the kernel tells */
static uint32_t program_n;

int hl_modmap_init(void)
{
	program = (const void *)getauxval(AT_PHDR);
	program_n = program && getauxval(AT_PHENT) == sizeof *program ? (uint32_t)getauxval(AT_PHNUM) : 0;
	if (!mods)
		mods = hl_arena_alloc(MODS * sizeof *mods);
	if (!hash)
		hash = hl_arena_alloc(HASH * sizeof *hash);
	return mods && hash ? 0 : -12;
}

static uint32_t hash_name(const char *s)
{
	uint32_t h = 2166136261u;

	while (*s)
		h = (h ^ (uint8_t)*s++) * 16777619u;
	return h;
}

static _Atomic uint32_t *slot_of(uint64_t start)
{
	uint32_t i = (uint32_t)(start * 0x9e3779b97f4a7c15ull >> 50);

	for (uint32_t n = 0; n < HASH; n++, i = (i + 1) % HASH) {
		uint32_t e = atomic_load_explicit(&hash[i], memory_order_acquire);

		if (e == 0 || mods[e - 1]->mod.start == start)
			return &hash[i];
	}
	return NULL;
}

static int same(const struct entry *e, const struct hl_object *at)
{
	return e->mod.end == at->end && e->map == at->map && e->dynamic == at->dynamic &&
	       e->mod.bias == at->bias && e->name_hash == hash_name(at->name) &&
	       atomic_load_explicit(&e->live, memory_order_relaxed);
}

/* The program headers of a mapped module, and how many; 0: not known.  The file header is the start of its first
 * map (ld.so maps from file offset 0 when the first PT_LOAD starts there, which all linkers do).  Only the kernel leaves
 * holes between segments, of the program; the loader then knows each by itself, and the auxiliary vector tells. */
static uint32_t headers_of(const struct hl_mod *m, const struct hl_object *at, const ElfW(Phdr) * *ph)
{
	const ElfW(Ehdr) *eh = (const void *)(uintptr_t)m->start;

	if (m->end - m->start >= sizeof *eh && *(const uint32_t *)eh->e_ident == *(const uint32_t *)ELFMAG &&
	    eh->e_phentsize == sizeof **ph && eh->e_phoff <= 4096 &&
	    eh->e_phoff + (uint64_t)eh->e_phnum * sizeof **ph <= 4096) {
		*ph = (const void *)(uintptr_t)(m->start + eh->e_phoff);
		return eh->e_phnum;
	}
	*ph = program;
	/* of `ld.so PROGRAM` the vector has ld.so's */
	for (uint32_t i = 0; i < program_n; i++)
		if (program[i].p_type == PT_DYNAMIC &&
		    m->bias + program[i].p_vaddr == (uint64_t)(uintptr_t)at->dynamic)
			return program_n;
	return 0;
}

static int is_loaded(const ElfW(Phdr) * ph, uint32_t n, const ElfW(Phdr) * what)
{
	for (uint32_t i = 0; i < n; i++)
		if (ph[i].p_type == PT_LOAD && (ph[i].p_flags & PF_R) && what->p_vaddr >= ph[i].p_vaddr &&
		    what->p_vaddr + what->p_memsz <= ph[i].p_vaddr + ph[i].p_filesz)
			return 1;
	return 0;
}

/* From its PT_NOTE. */
static void read_build_id(struct hl_mod *m, const struct hl_object *where)
{
	const ElfW(Phdr) * ph;
	uint32_t n = headers_of(m, where, &ph);

	for (uint32_t i = 0; i < n; i++) {
		uint64_t at = m->bias + ph[i].p_vaddr, end = at + ph[i].p_memsz;

		if (ph[i].p_type != PT_NOTE || !is_loaded(ph, n, &ph[i]))
			continue;
		while (at + sizeof(ElfW(Nhdr)) <= end) {
			const ElfW(Nhdr) *nh = (const void *)(uintptr_t)at;
			const uint8_t *name = (const uint8_t *)(nh + 1);
			const uint8_t *desc = name + ((nh->n_namesz + 3) & ~3u);

			if ((uint64_t)(uintptr_t)desc + nh->n_descsz > end)
				break;
			if (nh->n_type == NT_GNU_BUILD_ID && nh->n_namesz == 4 && name[0] == 'G' &&
			    nh->n_descsz <= HL_BUILD_ID_MAX) {
				for (uint32_t k = 0; k < nh->n_descsz; k++)
					m->build_id[k] = desc[k];
				m->build_id_bytes = nh->n_descsz;
				return;
			}
			at = (uint64_t)(uintptr_t)desc + ((nh->n_descsz + 3) & ~3u);
		}
	}
}

/* Under `busy`: the stack of a signal handler has no room for a path. */
static char cwd[HL_PATH_MAX];

static const char *keep_path(const char *name)
{
	char *copy, *p, *end;

	if (!*name)
		return hl_guest.exe;
	cwd[0] = 0;
	if (*name != '/' && !hl_after(name, "linux-vdso"))
		hl_sys_getcwd(cwd, sizeof cwd);

	size_t room = hl_strlen(cwd) + hl_strlen(name) + 2;

	copy = hl_arena_alloc(room);
	if (!copy) {
		hl_lost(HL_LOST_STACK, 1);
		return "";
	}
	end = copy + room;
	p = hl_append(copy, end, cwd);
	if (*cwd)
		p = hl_append(p, end, "/");
	hl_append(p, end, name);
	return copy;
}

/* The entry for who is first to ask. */
static const struct hl_mod *tell(struct entry *e)
{
	if (HL_LIKELY(atomic_load_explicit(&e->told, memory_order_relaxed)) ||
	    atomic_exchange_explicit(&e->told, 1, memory_order_relaxed))
		return NULL;
	return &e->mod;
}

static void leave_to_winner(uint64_t pc)
{
	for (uint32_t k = 0; k < sizeof left / sizeof left[0]; k++) {
		uint64_t none = 0;

		if (atomic_compare_exchange_strong_explicit(&left[k], &none, pc, memory_order_seq_cst,
							    memory_order_seq_cst))
			return;
	}
}

/* 1: busy is ours. */
static int become_writer(uint64_t pc)
{
	uint32_t tid = hl_thread_tid(), who = 0;

	for (uint32_t k = 0; !atomic_compare_exchange_strong_explicit(&busy, &who, tid, memory_order_seq_cst,
								      memory_order_seq_cst);
	     k++, who = 0) {
		if (who == tid)
			leave_to_winner(pc);
		if (who == tid || k == WAITS)
			return 0;
		hl_sys_futex_wait(&busy, who, WAIT_NS);
	}
	return 1;
}

const struct hl_mod *hl_modmap_note(uint64_t pc, const struct hl_mod **gone)
{
	struct entry *e = NULL, *old = NULL;
	_Atomic uint32_t *slot;
	struct hl_object at;
	uint32_t i;

	*gone = NULL;
	if (!mods || !hash || !hl_object_find(pc, &at))
		return NULL;
	slot = slot_of(at.start);
	if (!slot)
		return NULL;
	i = atomic_load_explicit(slot, memory_order_acquire);
	if (i && same(mods[i - 1], &at))
		return tell(mods[i - 1]);
	if (!become_writer(pc))
		return NULL;
	slot = slot_of(at.start);
	i = slot ? atomic_load_explicit(slot, memory_order_acquire) : 0;
	if (!slot || (i && same(mods[i - 1], &at)))
		goto out;

	uint32_t n = atomic_load_explicit(&nmods, memory_order_relaxed);

	if (n == MODS || !(e = hl_arena_alloc(sizeof *e))) {
		hl_lost(HL_LOST_STACK,
			1); /* a frame without a name, unless the next new site there has better luck */
		goto out;
	}
	if (i) {
		old = mods[i - 1];
		if (atomic_exchange_explicit(&old->live, 0, memory_order_relaxed)) {
			*gone = &old->mod;
			atomic_fetch_add_explicit(&hl_guest.epoch, 1, memory_order_acq_rel);
		}
	}
	e->mod.start = at.start;
	e->mod.end = at.end;
	e->mod.bias = at.bias;
	e->mod.id = n + 1;
	e->mod.first_epoch = atomic_load_explicit(&hl_guest.epoch, memory_order_relaxed);
	e->mod.path = keep_path(at.name);
	e->map = at.map;
	e->dynamic = at.dynamic;
	e->name_hash = hash_name(at.name);
	read_build_id(&e->mod, &at);
	atomic_store_explicit(&e->live, 1, memory_order_relaxed);
	atomic_store_explicit(&e->told, 1, memory_order_relaxed);
	mods[n] = e;
	atomic_store_explicit(&nmods, n + 1, memory_order_release);
	/* release: the entry before its index (partner: slot_of) */
	atomic_store_explicit(slot, n + 1, memory_order_release);
out:
	/* seq_cst: partner in hl_modmap_left */
	atomic_store_explicit(&busy, 0, memory_order_seq_cst);
	return e ? &e->mod : NULL;
}

uint32_t hl_modmap_id(uint64_t pc)
{
	_Atomic uint32_t *slot;
	struct hl_object at;
	uint32_t i;

	if (!mods || !hash || !hl_object_bounds(pc, &at) || !(slot = slot_of(at.start)))
		return 0;
	i = atomic_load_explicit(slot, memory_order_acquire);
	return i && mods[i - 1]->map == at.map && mods[i - 1]->mod.end == at.end ? mods[i - 1]->mod.id : 0;
}

uint64_t hl_modmap_left(void)
{
	/* seq_cst: who left a pc sees that nobody is at work, or whoever is sees the pc afterwards */
	if (atomic_load_explicit(&busy, memory_order_seq_cst))
		return 0;
	for (uint32_t k = 0; k < sizeof left / sizeof left[0]; k++)
		if (HL_UNLIKELY(atomic_load_explicit(&left[k], memory_order_seq_cst))) {
			uint64_t pc = atomic_exchange_explicit(&left[k], 0, memory_order_seq_cst);

			if (pc)
				return pc;
		}
	return 0;
}

void hl_modmap_unnote(const struct hl_mod *m)
{
	atomic_store_explicit(&mods[m->id - 1]->told, 0, memory_order_relaxed);
}

void hl_modmap_abandon(uint32_t tid)
{
	if (!tid || atomic_load_explicit(&busy, memory_order_relaxed) == tid)
		atomic_store_explicit(&busy, 0, memory_order_seq_cst);
}

const struct hl_mod *hl_modmap_swept(uint32_t *cursor)
{
	uint32_t n = atomic_load_explicit(&nmods, memory_order_acquire);

	while (*cursor < n) {
		struct entry *e = mods[(*cursor)++];
		struct hl_object at;

		if (!atomic_load_explicit(&e->live, memory_order_relaxed))
			continue;
		/* no more of it: another thread may be unloading it.  Whoever calls it sees whether it is the same. */
		if (hl_object_bounds(e->mod.start + 1, &at) && at.start == e->mod.start &&
		    at.end == e->mod.end && at.map == e->map)
			continue;
		if (!atomic_exchange_explicit(&e->live, 0, memory_order_relaxed))
			continue;
		atomic_fetch_add_explicit(&hl_guest.epoch, 1, memory_order_acq_rel);
		return &e->mod;
	}
	return NULL;
}
