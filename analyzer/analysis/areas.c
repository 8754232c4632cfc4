/*
 * areas.c - whose memory is whose.  Floor: analysis.
 */
#include "analyzer/analysis/areas.h"
#include "analyzer/base/buf.h"
#include <stdlib.h>
#include <string.h>

/* glibc's arenas other than the first begin at multiples of it (HEAP_MAX_SIZE of malloc/arena.c, 64-bit). */
#define ARENA_BYTES ((uint64_t)64 << 20)

#define PAGE_BYTES 4096u
/* struct pthread begins at the thread pointer and ends before that, rounded up (glibc: 2304 bytes; x86-64). */
#define CONTROL_BYTES (2 * PAGE_BYTES)

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int hl_module_is_libc(const struct hl_module *m)
{
	const char *name = base_name(m->path);

	return !strncmp(name, "libc.so", 7) || !strncmp(name, "libc-2.", 7);
}

int hl_module_is_loader(const struct hl_module *m)
{
	const char *name = base_name(m->path);

	return !strncmp(name, "ld-linux", 8) || !strncmp(name, "ld-2.", 5) || !strncmp(name, "ld.so", 5);
}

/* Memory that the program mapped for itself and still has: [start, end), apart and ascending. */
struct own {
	struct span {
		uint64_t start, end;
	} * span;
	size_t n, room;
};

static void own_put(struct own *o, size_t at, uint64_t start, uint64_t end)
{
	o->span = hl_grow(o->span, &o->room, o->n + 1, sizeof(*o->span));
	memmove(&o->span[at + 1], &o->span[at], (o->n - at) * sizeof(*o->span));
	o->span[at] = (struct span){start, end};
	o->n++;
}

/* The first span that ends above the address. */
static size_t own_at(const struct own *o, uint64_t address)
{
	size_t low = 0, high = o->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (o->span[mid].end <= address)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void own_cut(struct own *o, uint64_t start, uint64_t end)
{
	size_t first = own_at(o, start), i = first;
	struct span left = {0, 0}, right = {0, 0};

	while (i < o->n && o->span[i].start < end) {
		if (o->span[i].start < start)
			left = (struct span){o->span[i].start, start};
		if (o->span[i].end > end)
			right = (struct span){end, o->span[i].end};
		i++;
	}
	if (i > first)
		memmove(&o->span[first], &o->span[i], (o->n - i) * sizeof(*o->span));
	o->n -= i - first;
	if (right.end)
		own_put(o, first, right.start, right.end);
	if (left.end)
		own_put(o, first, left.start, left.end);
}

/* An allocator that is a library of its own maps memory as any other code does: what malloc's callers get is not
 * theirs.  Whose malloc it is nobody recorded: a module with that name. */
static int is_allocator(const struct hl_module *m)
{
	static const char *const names[] = {"libjemalloc", "libtcmalloc", "libmimalloc",
					    "libhoard",    "libsnmalloc", "librpmalloc"};
	const char *name = base_name(m->path);

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strncmp(name, names[i], strlen(names[i])))
			return 1;
	return hl_module_is_libc(m) || hl_module_is_loader(m);
}

static void replay(struct own *o, const struct hl_facts *f, uint64_t until)
{
	for (size_t i = 0; i < f->nmappings && f->mappings[i].stamp <= until; i++) {
		const struct hl_mapping *m = &f->mappings[i];

		own_cut(o, m->start, m->end);
		if (m->mapped && (m->module == UINT32_MAX || !is_allocator(&f->modules[m->module])))
			own_put(o, own_at(o, m->start), m->start, m->end);
	}
}

struct build {
	struct hl_areas *p;
	const struct hl_image_at *image;
	const struct hl_facts *facts;
	hl_holds_block *holds;
	void *ctx;
	struct own own;
};

static void put(struct build *b, struct hl_area area)
{
	struct hl_areas *p = b->p;

	if (area.start >= area.end)
		return;
	p->area = hl_grow(p->area, &p->room, p->n + 1, sizeof(*p->area));
	p->area[p->n++] = area;
}

static const struct hl_image_thread *thread_in(const struct build *b, const struct hl_image_map *m)
{
	const struct hl_image_thread *by_sp = NULL;

	for (size_t i = 0; i < b->image->nthreads; i++) {
		const struct hl_image_thread *t = &b->image->threads[i];

		/* a thread's control block lies at the upper end of its own stack; its stack pointer may be elsewhere */
		if (t->tp && t->tp - m->start < m->end - m->start)
			return t;
		if (t->sp && t->sp - m->start < m->end - m->start)
			by_sp = t;
	}
	return by_sp;
}

static const struct hl_module *module_of(const struct build *b, const struct hl_image_map *m, uint32_t *index)
{
	for (uint32_t i = 0; i < b->facts->nmodules; i++) {
		const struct hl_module *x = &b->facts->modules[i];

		if (x->last_epoch == UINT32_MAX && m->start < x->end && m->end > x->start) {
			*index = i;
			return x;
		}
	}
	return NULL;
}

/* What the kernel shows as one mapping may be a thread's stack and what lies behind it, an arena perhaps. */
static uint64_t stack_end(const struct hl_image_map *m, const struct hl_image_thread *t)
{
	uint64_t end = (t->tp + CONTROL_BYTES) & ~(uint64_t)(PAGE_BYTES - 1);

	return t->tp - m->start < m->end - m->start && t->tp > t->sp && end < m->end ? end : m->end;
}

static void put_stack(struct build *b, const struct hl_image_map *m, const struct hl_image_thread *t,
		      enum hl_area_kind kind)
{
	int here = t->sp && t->sp - m->start < m->end - m->start;

	/* a coroutine's or a handler's stack is in use: where this one ends is in memory, and not known */
	b->p->whole_stacks += !here && kind == HL_AREA_STACK;
	put(b, (struct hl_area){.start = here ? t->sp & ~(uint64_t)7 : m->start,
				.end = kind == HL_AREA_STACK ? stack_end(m, t) : m->end,
				.kind = kind,
				.tid = t->tid,
				.name = m->name});
}

/* The parts of the mapping that are the program's, by its own calls. */
static void put_own(struct build *b, const struct hl_image_map *m, enum hl_area_kind kind)
{
	for (size_t i = own_at(&b->own, m->start); i < b->own.n && b->own.span[i].start < m->end; i++) {
		const struct span *s = &b->own.span[i];

		put(b, (struct hl_area){.start = s->start > m->start ? s->start : m->start,
					.end = s->end < m->end ? s->end : m->end,
					.kind = kind,
					.name = m->name});
	}
}

static int has_own(const struct build *b, const struct hl_image_map *m)
{
	size_t i = own_at(&b->own, m->start);

	return i < b->own.n && b->own.span[i].start < m->end;
}

/* The thread pointer of a thread that is over and had its stack there, 0: none. */
static uint64_t ended_in(const struct build *b, const struct hl_image_map *m)
{
	for (uint32_t i = 0; i < b->facts->nthreads; i++) {
		const struct hl_thread *t = &b->facts->threads[i];

		if (t->tid != b->facts->process.pid && t->end_stamp && t->end_stamp <= b->image->stamp &&
		    t->stack_high && t->stack_high - m->start < m->end - m->start)
			return t->stack_high;
	}
	return 0;
}

/* Until somebody joins it a thread's result is in its control block. */
static void put_ended(struct build *b, const struct hl_image_map *m, uint64_t tp)
{
	uint64_t end = (tp + CONTROL_BYTES) & ~(uint64_t)(PAGE_BYTES - 1);

	put(b, (struct hl_area){.start = tp & ~(uint64_t)7,
				.end = end < m->end ? end : m->end,
				.kind = HL_AREA_STACK,
				.exact = 1,
				.name = m->name});
}

static void put_map(struct build *b, const struct hl_image_map *m)
{
	const struct hl_image_thread *t;
	const struct hl_module *module;
	uint64_t ended;
	uint32_t index;

	if (!(m->flags & (HL_IMAGE_MAP_WRITE | HL_IMAGE_MAP_SEALED)) ||
	    (m->flags & HL_IMAGE_MAP_SEALED && !(m->flags & HL_IMAGE_MAP_SCANNED)))
		return;
	module = module_of(b, m, &index);
	if (module) {
		uint64_t start = m->start > module->start ? m->start : module->start,
			 end = m->end < module->end ? m->end : module->end;
		struct hl_image_map below = *m, above = *m;

		/* the kernel shows .bss and anonymous memory beside it as one: a thread's or the program's own, perhaps */
		below.end = start;
		above.start = end;
		if (below.start < below.end && (thread_in(b, &below) || has_own(b, &below)))
			put_map(b, &below);
		put(b, (struct hl_area){.start = start,
					.end = end,
					.kind = HL_AREA_MODULE,
					.exact = hl_module_is_libc(module),
					.module = index,
					.name = m->name});
		if (above.start < above.end && (thread_in(b, &above) || has_own(b, &above)))
			put_map(b, &above);
		return;
	}
	if (m->flags & HL_IMAGE_MAP_SHARED) {
		put(b, (struct hl_area){
			       .start = m->start, .end = m->end, .kind = HL_AREA_SHARED, .name = m->name});
		return;
	}
	if (!strcmp(m->name, "[heap]"))
		return;
	t = thread_in(b, m);
	if (t && (!strcmp(m->name, "[stack]") || t->tid != b->facts->process.pid)) {
		put_stack(b, m, t, HL_AREA_STACK);
	} else if (!strcmp(m->name, "[stack]")) {
		/* its thread runs on another one */
		b->p->whole_stacks++;
		put(b, (struct hl_area){.start = m->start,
					.end = m->end,
					.kind = HL_AREA_STACK,
					.tid = b->facts->process.pid,
					.name = m->name});
	} else if (t) {
		put_stack(b, m, t, HL_AREA_TLS);
	} else if (has_own(b, m)) {
		put_own(b, m, *m->name ? HL_AREA_FILE : HL_AREA_MAPPED);
	} else if ((ended = ended_in(b, m)) != 0) {
		put_ended(b, m, ended);
	} else if (!(m->start % ARENA_BYTES == 0 && !*m->name) && !b->holds(b->ctx, m->start, m->end)) {
		put(b, (struct hl_area){.start = m->start,
					.end = m->end,
					.kind = *m->name ? HL_AREA_FILE : HL_AREA_MAPPED,
					.name = m->name});
	}
}

void hl_areas_build(struct hl_areas *p, const struct hl_image_at *image, const struct hl_facts *facts,
		    hl_holds_block *holds, void *ctx)
{
	struct build b = {p, image, facts, holds, ctx, {0}};

	*p = (struct hl_areas){0};
	replay(&b.own, facts, image->stamp);
	for (size_t i = 0; i < image->nmaps; i++)
		put_map(&b, &image->maps[i]);
	free(b.own.span);
}

void hl_areas_release(struct hl_areas *p)
{
	free(p->area);
	*p = (struct hl_areas){0};
}

const struct hl_area *hl_areas_at(const struct hl_areas *p, uint64_t address, size_t *hint)
{
	size_t low = 0, high = p->n;

	if (*hint < p->n && p->area[*hint].start <= address) {
		if (address < p->area[*hint].end)
			return &p->area[*hint];
		low = *hint + 1;
		if (low == p->n || address < p->area[low].start)
			return NULL;
	}
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (p->area[mid].end <= address)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == p->n || p->area[low].start > address)
		return NULL;
	*hint = low;
	return &p->area[low];
}
