/*
 * sym_names.c - demangle each name once, and know the allocators by name.
 *
 * The raw name decides what is an allocator: demangled, a class's own operator new or a function free()
 * in some namespace could pass for the real ones.
 * Floor: model.
 */
#include "analyzer/model/sym_names.h"
#include "analyzer/base/buf.h"
#include "analyzer/model/symbols.h"
#include <stdlib.h>
#include <string.h>

#define RAW_MAX 8192 /* bytes of a name that are kept */

/* Sources: malloc(3), posix_memalign(3); glibc malloc/malloc.c (2.36) for the __libc_ names. */
static const char *const family[] = {
	"malloc",
	"calloc",
	"realloc",
	"reallocarray",
	"free",
	"cfree",
	"memalign",
	"aligned_alloc",
	"posix_memalign",
	"valloc",
	"pvalloc",
	"free_sized",
	"free_aligned_sized",
};

/* Sources: jemalloc(3), gperftools src/gperftools/tcmalloc.h, mimalloc.h. */
static const char *const extras[] = {
	"mallocx",
	"rallocx",
	"xallocx",
	"dallocx",
	"sdallocx",
	"new",
	"new_n",
	"new_nothrow",
	"new_aligned",
	"new_aligned_nothrow",
	"newarray",
	"newarray_nothrow",
	"delete",
	"delete_nothrow",
	"delete_sized",
	"deletearray",
	"deletearray_nothrow",
	"deletearray_sized",
	"zalloc",
	"malloc_aligned",
	"zalloc_aligned",
	"calloc_aligned",
	"realloc_aligned",
	"mallocn",
	"reallocn",
	"reallocf",
	"free_size",
	"free_aligned",
	"free_size_aligned",
	"smallocn",
};

static int is_one_of(const char *const *list, size_t n, const char *s, size_t bytes)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(list[i]) == bytes && !memcmp(list[i], s, bytes))
			return 1;
	return 0;
}

static int skip(const char **s, const char *prefix)
{
	size_t n = strlen(prefix);

	if (strncmp(*s, prefix, n))
		return 0;
	*s += n;
	return 1;
}

int hl_sym_is_allocator(const char *raw, int prefixed)
{
	static const char *const operators[] = {"_Znw", "_Zna",         "_Zdl",
						"_Zda", "operator new", "operator delete"};
	static const char *const rust[] = {"__rust_", "__rdl_", "__rg_"};
	static const char *const rust_family[] = {"alloc", "alloc_zeroed", "dealloc", "realloc"};
	const char *s = raw;
	size_t n = strcspn(s, ".@"); /* malloc.part.0, malloc@@GLIBC_2.2.5 */

	for (size_t i = 0; i < sizeof(operators) / sizeof(*operators); i++)
		if (!strncmp(s, operators[i], strlen(operators[i])))
			return 1;
	for (size_t i = 0; i < sizeof(rust) / sizeof(*rust); i++)
		if (skip(&s, rust[i]))
			return is_one_of(rust_family, sizeof(rust_family) / sizeof(*rust_family), s,
					 strcspn(s, ".@"));
	skip(&s, "__GI_");
	if (!skip(&s, "__libc_"))
		skip(&s, "__");
	n -= (size_t)(s - raw);
	if (is_one_of(family, sizeof(family) / sizeof(*family), s, n))
		return 1;
	if (!prefixed || n < 4 || (strncmp(s, "je_", 3) && strncmp(s, "tc_", 3) && strncmp(s, "mi_", 3)))
		return 0;
	return is_one_of(family, sizeof(family) / sizeof(*family), s + 3, n - 3) ||
	       is_one_of(extras, sizeof(extras) / sizeof(*extras), s + 3, n - 3);
}

void hl_sym_names_init(struct hl_sym_names *s, struct hl_intern *intern, const char *module)
{
	static const char *const allocators[] = {"libjemalloc", "libtcmalloc", "libmimalloc"};

	*s = (struct hl_sym_names){.intern = intern};
	hl_map_init(&s->by_key);
	for (size_t i = 0; i < sizeof(allocators) / sizeof(*allocators); i++)
		if (!strncmp(module, allocators[i], strlen(allocators[i])))
			s->allocator_module = 1;
	s->ours = !strcmp(module, "libheapledger.so");
}

void hl_sym_names_release(struct hl_sym_names *s)
{
	hl_map_release(&s->by_key);
	free(s->names);
}

const struct hl_sym_name *hl_sym_names_known(const struct hl_sym_names *s, const void *key)
{
	uint32_t i = hl_map_get(&s->by_key, (uintptr_t)key);

	return i ? &s->names[i - 1] : NULL;
}

const struct hl_sym_name *hl_sym_names_add(struct hl_sym_names *s, const void *key, const char *raw)
{
	size_t n = strnlen(raw, RAW_MAX);
	const char *version = memchr(raw, '@', n);
	char *kept, *text;
	struct hl_sym_name *name;

	if (version && version > raw)
		n = (size_t)(version - raw);
	kept = hl_xmalloc(n + 1);
	memcpy(kept, raw, n);
	kept[n] = 0;
	text = hl_demangle(kept);
	s->names = hl_grow(s->names, &s->room, s->nnames + 1, sizeof(*s->names));
	name = &s->names[s->nnames];
	name->text = hl_intern_string(s->intern, text);
	name->allocator = s->ours || hl_sym_is_allocator(kept, s->allocator_module);
	if (key)
		hl_map_put(&s->by_key, (uintptr_t)key, (uint32_t)++s->nnames);
	free(text);
	free(kept);
	return name;
}
