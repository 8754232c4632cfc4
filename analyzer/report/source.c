/*
 * source.c - lines of source files; each file is read once.  Floor: report.
 */
#include "analyzer/report/source.h"
#include "analyzer/analysis/idset.h"
#include "analyzer/base/diag.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct source {
	char *name;
	char *text;     /* NULL: not readable */
	size_t *starts; /* of lines, and one after the last */
	size_t nlines;
};

struct hl_sources {
	struct source *files;
	size_t n, room, bytes;
	struct hl_idset set;
};

enum { HELD_BYTES_MAX = 256 << 20 }; /* of all files together: then no more are read */

struct hl_sources *hl_sources_new(void)
{
	return hl_xcalloc(1, sizeof(struct hl_sources));
}

void hl_sources_free(struct hl_sources *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++) {
		free(s->files[i].name);
		free(s->files[i].text);
		free(s->files[i].starts);
	}
	free(s->files);
	hl_idset_release(&s->set);
	free(s);
}

/* O_NONBLOCK: a FIFO by that name must not hang us before fstat has seen it. */
static char *read_regular(const char *name, size_t *bytes)
{
	int fd = open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	char *text = NULL;
	size_t n = 0;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > (off_t)HL_SOURCE_BYTES_MAX)
		goto out;
	text = hl_xmalloc((size_t)st.st_size + 1);
	while (n < (size_t)st.st_size) {
		ssize_t got = read(fd, text + n, (size_t)st.st_size - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	text[n] = '\0';
	*bytes = n;
out:
	close(fd);
	return text;
}

static void split(struct source *f, size_t bytes)
{
	size_t room = 0;

	for (size_t i = 0; i < bytes;) {
		const char *end = memchr(f->text + i, '\n', bytes - i);

		f->starts = hl_grow(f->starts, &room, f->nlines + 2, sizeof(*f->starts));
		f->starts[f->nlines++] = i;
		i = end ? (size_t)(end - f->text) + 1 : bytes;
		f->starts[f->nlines] = i;
	}
}

static struct source *find(struct hl_sources *s, const char *name)
{
	uint64_t hash = hl_hash_bytes(name, strlen(name));
	struct source *f;
	size_t bytes = 0;
	uint32_t id;

	for (size_t pos = 0; (id = hl_idset_next(&s->set, hash, &pos)) != HL_ID_NONE;)
		if (!strcmp(s->files[id].name, name))
			return &s->files[id];
	s->files = hl_grow(s->files, &s->room, s->n + 1, sizeof(*s->files));
	hl_idset_add(&s->set, hash, (uint32_t)s->n);
	f = &s->files[s->n++];
	*f = (struct source){.name = hl_xstrdup(name)};
	if (s->bytes < HELD_BYTES_MAX)
		f->text = read_regular(name, &bytes);
	s->bytes += bytes;
	if (f->text)
		split(f, bytes);
	return f;
}

static int is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f);
}

char *hl_sources_line(struct hl_sources *s, const char *file, uint32_t line)
{
	const struct source *f;
	size_t from, to;
	char *copy;

	if (!line)
		return NULL;
	f = find(s, file);
	if (line > f->nlines)
		return NULL;
	from = f->starts[line - 1];
	to = f->starts[line];
	while (from < to && is_space(f->text[from]))
		from++;
	while (to > from && is_space(f->text[to - 1]))
		to--;
	if (from == to)
		return NULL;
	copy = hl_xmalloc(to - from + 1);
	memcpy(copy, f->text + from, to - from);
	copy[to - from] = '\0';
	return copy;
}
