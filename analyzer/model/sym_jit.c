/*
 * sym_jit.c - reading a perf map.  Floor: model.
 */
#include "analyzer/model/sym_jit.h"
#include "analyzer/base/buf.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BYTES_MAX (256u << 20)
#define CODE_MAX  (16u << 20) /* no function is larger: bounds the search among those that overlap */
#define TRIES_MAX 4096u

struct function {
	uint64_t start, size;
	uint32_t name;  /* offset in text */
	uint32_t order; /* in the file */
};

struct hl_jitmap {
	char *text;
	struct function *at; /* by start, then order */
	size_t n, room;
	uint64_t largest;
};

static int by_start(const void *a, const void *b)
{
	const struct function *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

/* A hexadecimal number and the blank after it; NULL: there is none. */
static char *take_hex(char *s, uint64_t *v)
{
	char *end;

	if (*s == ' ' || *s == '-' || *s == '+')
		return NULL;
	*v = strtoull(s, &end, 16);
	return end > s && *end == ' ' ? end + 1 : NULL;
}

/* Lines that are none of the format are passed over: the last may be half written. */
static void parse(struct hl_jitmap *m)
{
	char *line = m->text, *next;
	uint32_t order = 0;

	for (; *line; line = next) {
		struct function f = {.order = order++};
		char *p, *end = strchrnul(line, '\n');

		next = *end ? end + 1 : end;
		*end = 0;
		if (!(p = take_hex(line, &f.start)) || !(p = take_hex(p, &f.size)) || !*p || !f.size ||
		    f.size > CODE_MAX)
			continue;
		f.name = (uint32_t)(p - m->text);
		if (f.size > m->largest)
			m->largest = f.size;
		m->at = hl_grow(m->at, &m->room, m->n + 1, sizeof(*m->at));
		m->at[m->n++] = f;
	}
	if (m->n)
		qsort(m->at, m->n, sizeof(*m->at), by_start);
}

static struct hl_jitmap *read_map(int fd, off_t size)
{
	struct hl_jitmap *m = hl_xcalloc(1, sizeof(*m));
	size_t n = 0, room = size < BYTES_MAX ? (size_t)size : BYTES_MAX;
	ssize_t got;

	m->text = hl_xmalloc(room + 1);
	while (n < room && (got = read(fd, m->text + n, room - n)) > 0)
		n += (size_t)got;
	m->text[n] = 0;
	/* a NUL ends what can be trusted */
	parse(m);
	return m;
}

static struct hl_jitmap *open_file(const char *path, int any, uint64_t started_ns, uid_t owner)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (any ? 0 : O_NOFOLLOW));
	struct hl_jitmap *m = NULL;
	struct stat st;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (any || ((st.st_uid == owner || st.st_uid == geteuid()) &&
		     (uint64_t)st.st_mtim.tv_sec >= started_ns / 1000000000u)))
		m = read_map(fd, st.st_size);
	close(fd);
	return m;
}

struct hl_jitmap *hl_jitmap_open(const struct hl_process *p, const char *path, const char *sysroot,
				 uid_t owner)
{
	const uint32_t pids[] = {p->pid, p->parent_pid};
	struct hl_jitmap *m = NULL;
	char name[4096];

	if (path)
		return open_file(path, 1, 0, owner);
	for (int i = 0; i < 2 && !m; i++) {
		if (!pids[i] || snprintf(name, sizeof(name), "%s/tmp/perf-%u.map", sysroot ? sysroot : "",
					 pids[i]) >= (int)sizeof(name))
			continue;
		m = open_file(name, 0, p->start_realtime_ns, owner);
	}
	return m;
}

void hl_jitmap_free(struct hl_jitmap *m)
{
	if (!m)
		return;
	free(m->text);
	free(m->at);
	free(m);
}

const char *hl_jitmap_find(const struct hl_jitmap *m, uint64_t pc)
{
	const struct function *best = NULL;
	size_t low = 0, high = m->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (m->at[mid].start <= pc)
			low = mid + 1;
		else
			high = mid;
	}
	/* code goes and other comes to its place: the newest that covers pc */
	for (unsigned tries = 0; low-- > 0 && tries < TRIES_MAX && pc - m->at[low].start < m->largest;
	     tries++) {
		const struct function *f = &m->at[low];

		if (pc - f->start < f->size && (!best || f->order > best->order))
			best = f;
	}
	return best ? m->text + best->name : NULL;
}
