/*
 * ldcache.h - /etc/ld.so.cache, which tells the dynamic linker where libraries are.  Floor: collect.
 *
 * The format of glibc 2.2 and later: "glibc-ld.so.cache1.1", alone or behind the older table.  Source: glibc
 * sysdeps/generic/dl-cache.h.  Every offset is checked against the file; a damaged file has no entries.
 */
#ifndef HL_COLLECT_LDCACHE_H
#define HL_COLLECT_LDCACHE_H

#include <stddef.h>
#include <stdint.h>

struct hl_ldcache {
	uint8_t *data; /* NULL: no cache */
	size_t bytes;
	size_t base; /* of the table; the offsets of strings count from here */
	uint32_t entries;
};

void hl_ldcache_open(struct hl_ldcache *c, const char *file);
/* The next path of a library of this name; *at: 0 at first.  NULL: no more.  Those for every processor come
 * first: which of the others would be taken depends on the processor. */
const char *hl_ldcache_next(const struct hl_ldcache *c, const char *name, uint32_t *at);
void hl_ldcache_release(struct hl_ldcache *c);

#endif
