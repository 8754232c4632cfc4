/*
 * image_maps.c - /proc/thread-self/maps to the pieces that count, without what is the library's own.
 */
#include "preload/arena.h"
#include "preload/boot.h"
#include "preload/image_shot.h"
#include "preload/window.h"
#include <elf.h>
#include <fcntl.h>
#include <link.h>

#define TEXT_MIN   (256u * 1024)
#define TEXT_MAX   (64u * 1024 * 1024)
#define NAME_MAX_  4096u
#define SEALED_MAX (64ull << 20) /* of what cannot be read */
/* Programs that are not position independent lie below it, and their vtables among other constants. */
#define FIXED_END (1ull << 30)

struct line {
	uint64_t start, end, offset, inode;
	char perms[4];
	uint32_t name, name_bytes;
};

/* Ours: nothing there is the program's. */
struct holes {
	struct hl_shot_map *at; /* start and end only, sorted */
	uint32_t n, room;
};

extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

static uint64_t hex(const char **s, const char *end)
{
	uint64_t v = 0;

	for (; *s < end; (*s)++) {
		unsigned c = (unsigned char)**s, d = c - '0';

		if (d > 9)
			d = (c | 32) - 'a' + 10;
		if (d > 15 || (d > 9 && (c | 32) < 'a'))
			break;
		v = v << 4 | d;
	}
	return v;
}

static void skip(const char **s, const char *end, int blanks)
{
	while (*s < end && (**s == ' ') == blanks)
		(*s)++;
}

/* One line of proc(5): start-end perms offset dev inode name. */
static void parse(const struct hl_shot *x, const char *s, const char *end, struct line *l)
{
	*l = (struct line){.start = hex(&s, end)};
	s += s < end;
	l->end = hex(&s, end);
	s += s < end;
	for (unsigned i = 0; i < 4 && s < end; i++)
		l->perms[i] = *s++;
	s += s < end;
	l->offset = hex(&s, end);
	skip(&s, end, 1);
	skip(&s, end, 0);
	skip(&s, end, 1);
	while (s < end && *s >= '0' && *s <= '9')
		l->inode = l->inode * 10 + (uint64_t)(*s++ - '0');
	skip(&s, end, 1);
	l->name = (uint32_t)(s - x->text);
	l->name_bytes = (uint32_t)(end - s) < NAME_MAX_ ? (uint32_t)(end - s) : NAME_MAX_;
}

/* How many bytes; 0: not to be had. */
static size_t read_text(struct hl_shot *x)
{
	size_t room = x->text_room ? x->text_room : TEXT_MIN;
	long n;

	for (; room <= TEXT_MAX; room *= 2) {
		if (x->text_room < room && !(x->text = hl_arena_alloc(room))) {
			x->text_room = 0;
			return 0;
		}
		x->text_room = room;
		n = hl_sys_read_file("/proc/thread-self/maps", x->text, room);
		if (n <= 0)
			return 0;
		if ((size_t)n < room)
			return (size_t)n;
	}
	return 0;
}

static void add_hole(void *ctx, uintptr_t start, uintptr_t end)
{
	struct holes *h = ctx;
	uint32_t i = h->n;

	if (h->n == h->room)
		return; /* what is ours is scanned then: more than needed, not less */
	for (; i && h->at[i - 1].start > start; i--)
		h->at[i] = h->at[i - 1];
	h->at[i].start = start;
	h->at[i].end = end;
	h->n++;
}

static void count_hole(void *ctx, uintptr_t start, uintptr_t end)
{
	(void)start;
	(void)end;
	(*(uint32_t *)ctx)++;
}

/* Our own segments but for the pool of blocks from before the start, and the arena. */
static void find_holes(struct hl_shot *x, struct holes *h)
{
	const ElfW(Phdr) *ph = (const void *)((const char *)&__ehdr_start + __ehdr_start.e_phoff);
	uintptr_t start = (uintptr_t)&__ehdr_start, end = start, pool = (uintptr_t)hl_boot_pool;

	for (int i = 0; i < __ehdr_start.e_phnum; i++)
		if (ph[i].p_type == PT_LOAD && start + ph[i].p_vaddr + ph[i].p_memsz > end)
			end = start + ph[i].p_vaddr + ph[i].p_memsz;
	h->n = h->room = 0;
	hl_arena_each(count_hole, &h->room);
	h->room += 16; /* those that this one may make */
	h->at = hl_arena_alloc(h->room * sizeof *h->at);
	if (!h->at) {
		x->failed = 1;
		return;
	}
	hl_arena_each(add_hole, h);
	add_hole(h, start, pool);
	add_hole(h, pool + HL_BOOT_POOL_BYTES, (end + 4095) & ~(uintptr_t)4095);
}

static void mark_target(struct hl_shot *x, uint64_t start, uint64_t end)
{
	struct hl_filter *f = x->filter;

	end = end < 1ull << 48 ? end : 1ull << 48;
	while (start < end) {
		uint64_t next = ((start >> 30) + 1) << 30, stop = end < next ? end : next;
		uint16_t *g = &f->granule[start >> 30];

		if (start == next - (1ull << 30) && stop == next) {
			*g = 1;
			start = stop;
			continue;
		}
		if (!*g) {
			/* more GiB than that are taken for full */
			uint64_t *bits =
				f->n < sizeof f->bits / sizeof *f->bits ? hl_arena_alloc(4096 * 8) : NULL;

			*g = bits ? (uint16_t)f->n : 1;
			if (bits)
				f->bits[f->n++] = bits;
		}
		if (*g != 1)
			for (uint64_t p = start >> 12; p < (stop + 4095) >> 12; p++)
				f->bits[*g][p >> 6 & 4095] |= 1ull << (p & 63);
		start = stop;
	}
}

static void add(struct hl_shot *x, const struct hl_shot_map *m)
{
	if (x->nmaps == x->maps_room) {
		x->failed = 1;
		return;
	}
	x->maps[x->nmaps++] = *m;
	if (m->target)
		mark_target(x, m->start, m->end);
}

/* Without the holes, of which those before *h lie below. */
static void add_around(struct hl_shot *x, struct hl_shot_map m, const struct holes *holes, uint32_t *h)
{
	uint64_t end = m.end;

	while (*h < holes->n && holes->at[*h].end <= m.start)
		(*h)++;
	for (uint32_t i = *h; i < holes->n && holes->at[i].start < end; i++) {
		if (holes->at[i].start > m.start) {
			m.end = holes->at[i].start;
			add(x, &m);
		}
		if (holes->at[i].end > m.start)
			m.start = holes->at[i].end;
	}
	m.end = end;
	if (m.start < m.end)
		add(x, &m);
}

/* Constants that the loader made read-only after it relocated them: the file goes on behind them in a writable map, or memory
 * without a file follows. */
static int is_relro(const struct line *l, const struct line *next)
{
	if (!l->inode || l->perms[0] != 'r' || l->perms[1] == 'w' || l->perms[2] == 'x')
		return 0;
	if (l->end <= FIXED_END)
		return 1;
	if (next->start != l->end || next->perms[1] != 'w' || !l->offset)
		return 0;
	return next->inode == l->inode ? next->offset == l->offset + (l->end - l->start) : !next->inode;
}

/* Memory that somebody wrote and then protected: a block perhaps, or what holds one.  Not what is only reserved, much of it, nor the
 * kernel's own ([vdso]). */
static int is_sealed(const struct hl_shot *x, const struct line *l)
{
	const char *name = x->text + l->name;

	return !l->inode && l->perms[3] == 'p' && !(l->name_bytes > 1 && name[0] == '[' && name[1] == 'v') &&
	       (l->perms[0] == 'r' || l->end - l->start <= SEALED_MAX);
}

static void take(struct hl_shot *x, const struct line *l, const struct line *next, const struct holes *holes,
		 uint32_t *h)
{
	struct hl_shot_map m = {
		.start = l->start, .end = l->end, .name = l->name, .name_bytes = l->name_bytes};

	if (l->perms[1] != 'w') {
		m.target = 1;
		if (is_sealed(x, l)) {
			m.flags = HL_IMAGE_MAP_SEALED;
			if (l->perms[0] == 'r')
				m.flags |= HL_IMAGE_MAP_SCANNED;
			m.direct = l->perms[0] == 'r';
			m.present = 1;
			add_around(x, m, holes, h);
		} else if (is_relro(l, next)) {
			add_around(x, m, holes, h);
		}
		return;
	}
	m.flags = HL_IMAGE_MAP_WRITE;
	if (l->perms[2] == 'x')
		m.flags |= HL_IMAGE_MAP_EXEC;
	if (l->perms[3] == 's') {
		if (hl_window_holds(l->start))
			return;
		m.flags |= HL_IMAGE_MAP_SHARED;
	} else {
		m.target = 1;
		m.direct = l->inode == 0 && l->perms[0] == 'r';
	}
	/* what of a module's data was never touched is as the file has it, and may be a pointer to other data */
	m.present = l->inode == 0 || l->perms[3] == 's' || l->end - l->start > 64u << 20;
	if (l->perms[0] == 'r')
		m.flags |= HL_IMAGE_MAP_SCANNED;
	add_around(x, m, holes, h);
}

static void each_line(struct hl_shot *x, size_t n, const struct holes *holes)
{
	const char *s = x->text, *end = x->text + n;
	struct line line = {0}, next;
	uint64_t below = 0;
	uint32_t h = 0;

	while (s < end && !x->failed) {
		const char *stop = s;

		while (stop < end && *stop != '\n')
			stop++;
		parse(x, s, stop, &next);
		s = stop + 1;
		/* a file of /proc is read by pieces: a thread that runs on may change what comes next */
		if (next.start < below || next.end <= next.start)
			continue;
		below = next.end;
		if (line.end)
			take(x, &line, &next, holes, &h);
		line = next;
	}
	next = (struct line){0};
	if (line.end)
		take(x, &line, &next, holes, &h);
}

void hl_shot_read_maps(struct hl_shot *x)
{
	if (x->failed)
		return;
	x->text_bytes = read_text(x);
	x->failed = !x->text_bytes;
}

void hl_shot_take_maps(struct hl_shot *x)
{
	struct holes holes;
	uint32_t lines = 0;
	uint64_t *full;

	if (x->failed)
		return;
	x->filter = hl_arena_alloc(sizeof *x->filter);
	full = hl_arena_alloc(4096 * 8);
	/* after the list: what the arena maps from here on is in no line */
	find_holes(x, &holes);
	if (x->failed || !x->filter || !full) {
		x->failed = 1;
		return;
	}
	for (size_t i = 0; i < x->text_bytes; i++)
		lines += x->text[i] == '\n';
	for (uint32_t i = 0; i < 4096; i++)
		full[i] = UINT64_MAX;
	x->filter->bits[1] = full;
	x->filter->n = 2;
	x->maps_room = lines + holes.room + 64;
	x->maps = hl_arena_alloc(x->maps_room * sizeof *x->maps);
	if (!x->maps) {
		x->failed = 1;
		return;
	}
	each_line(x, x->text_bytes, &holes);
}

const struct hl_shot_map *hl_shot_map_of(struct hl_shot *x, uint64_t address)
{
	uint32_t low = 0, high = x->nmaps;

	if (x->last && address >= x->last->start && address < x->last->end)
		return x->last;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (x->maps[mid].end <= address)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == x->nmaps || x->maps[low].start > address)
		return NULL;
	return x->last = &x->maps[low];
}
