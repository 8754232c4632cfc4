/*
 * ldcache.c - looking a library up in /etc/ld.so.cache.  Floor: collect.
 */
#include "analyzer/collect/ldcache.h"
#include "analyzer/base/diag.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OLD_MAGIC     "ld.so-1.7.0"
#define OLD_HEADER    16 /* magic, a byte of padding, the count */
#define OLD_ENTRY     12
#define NEW_MAGIC     "glibc-ld.so.cache1.1"
#define NEW_HEADER    48
#define NEW_ENTRY     24
#define CACHE_MAX     (64u << 20)
#define AT_COUNT      20 /* in the header */
#define AT_KEY        4  /* in an entry: the name, */
#define AT_VALUE      8  /* the path, */
#define AT_HWCAP      16 /* and what the processor must have */
#define ALIGN_UP(n)   (((n) + 7) & ~(size_t)7)
#define LENGTH(magic) (sizeof(magic) - 1)

static uint32_t get32(const struct hl_ldcache *c, size_t at)
{
	uint32_t v;

	memcpy(&v, c->data + at, sizeof(v));
	return v;
}

static int has_magic(const struct hl_ldcache *c, size_t at, const char *magic, size_t room)
{
	return at <= c->bytes && c->bytes - at >= room && !memcmp(c->data + at, magic, strlen(magic));
}

static void find_table(struct hl_ldcache *c)
{
	if (has_magic(c, 0, OLD_MAGIC, OLD_HEADER))
		c->base = ALIGN_UP(OLD_HEADER + (size_t)get32(c, OLD_HEADER - 4) * OLD_ENTRY);
	if (!has_magic(c, c->base, NEW_MAGIC, NEW_HEADER))
		return;
	c->entries = get32(c, c->base + AT_COUNT);
	if (c->entries > (c->bytes - c->base - NEW_HEADER) / NEW_ENTRY)
		c->entries = 0;
}

void hl_ldcache_open(struct hl_ldcache *c, const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	ssize_t n = 0;

	memset(c, 0, sizeof(*c));
	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && st.st_size <= CACHE_MAX) {
		c->data = hl_xmalloc((size_t)st.st_size);
		while (c->bytes < (size_t)st.st_size &&
		       (n = read(fd, c->data + c->bytes, (size_t)st.st_size - c->bytes)) > 0)
			c->bytes += (size_t)n;
		find_table(c);
	}
	close(fd);
}

/* "" where it does not end inside the file. */
static const char *string_at(const struct hl_ldcache *c, uint32_t offset)
{
	const uint8_t *s = c->data + c->base + offset;

	if (offset >= c->bytes - c->base || !memchr(s, 0, c->bytes - c->base - offset))
		return "";
	return (const char *)s;
}

const char *hl_ldcache_next(const struct hl_ldcache *c, const char *name, uint32_t *at)
{
	/* twice over the table: plain entries, then those for special processors */
	while (*at / 2 < c->entries) {
		uint32_t i = *at < c->entries ? *at : *at - c->entries;
		size_t e = c->base + NEW_HEADER + (size_t)i * NEW_ENTRY;
		int special = get32(c, e + AT_HWCAP) || get32(c, e + AT_HWCAP + 4);
		int wanted = special == (*at >= c->entries);

		++*at;
		if (wanted && !strcmp(string_at(c, get32(c, e + AT_KEY)), name))
			return string_at(c, get32(c, e + AT_VALUE));
	}
	return NULL;
}

void hl_ldcache_release(struct hl_ldcache *c)
{
	free(c->data);
	memset(c, 0, sizeof(*c));
}
