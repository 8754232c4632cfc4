/*
 * object.c - asking the loader.
 */
#include "preload/object.h"
#include "preload/sys.h"
#include <dlfcn.h>
#include <elf.h>
#include <link.h>

static int (*find_object)(void *, struct dl_find_object *);

void hl_object_init(void)
{
	find_object = (int (*)(void *, struct dl_find_object *))dlsym(RTLD_DEFAULT, "_dl_find_object");
}

struct search {
	uint64_t address;
	struct hl_object *o;
	int found;
};

static int visit(struct dl_phdr_info *info, size_t size, void *p)
{
	struct search *s = p;
	struct hl_object o = {.start = UINT64_MAX, .bias = info->dlpi_addr, .name = info->dlpi_name};

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
		uint64_t low = info->dlpi_addr + (ph->p_vaddr & ~(ph->p_align ? ph->p_align - 1 : 0));

		if (ph->p_type == PT_DYNAMIC)
			o.map = o.dynamic = (const void *)(info->dlpi_addr + ph->p_vaddr);
		if (ph->p_type == PT_GNU_EH_FRAME)
			o.eh_frame_hdr = (const uint8_t *)(info->dlpi_addr + ph->p_vaddr);
		if (ph->p_type != PT_LOAD)
			continue;
		if (low < o.start)
			o.start = low;
		if (info->dlpi_addr + ph->p_vaddr + ph->p_memsz > o.end)
			o.end = info->dlpi_addr + ph->p_vaddr + ph->p_memsz;
	}
	if (s->address < o.start || s->address >= o.end)
		return 0;
	*s->o = o;
	s->found = 1;
	return 1;
}

int hl_object_bounds(uint64_t address, struct hl_object *o)
{
	struct dl_find_object d;

	if (HL_UNLIKELY(!find_object))
		return hl_object_find(address, o);
	if (find_object((void *)(uintptr_t)address, &d) != 0)
		return 0;
	o->start = (uint64_t)(uintptr_t)d.dlfo_map_start;
	o->end = (uint64_t)(uintptr_t)d.dlfo_map_end;
	o->map = d.dlfo_link_map;
	return 1;
}

int hl_object_find(uint64_t address, struct hl_object *o)
{
	struct search s = {address, o, 0};

	if (HL_LIKELY(find_object != NULL)) {
		struct dl_find_object d;

		if (find_object((void *)(uintptr_t)address, &d) != 0)
			return 0;
		o->start = (uint64_t)(uintptr_t)d.dlfo_map_start;
		o->end = (uint64_t)(uintptr_t)d.dlfo_map_end;
		o->map = d.dlfo_link_map;
		o->bias = d.dlfo_link_map->l_addr;
		o->dynamic = d.dlfo_link_map->l_ld;
		o->name = d.dlfo_link_map->l_name;
		o->eh_frame_hdr = d.dlfo_eh_frame;
		return 1;
	}
	dl_iterate_phdr(visit, &s);
	return s.found;
}
