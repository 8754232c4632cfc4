/*
 * modrec.c - MODULE and UNLOAD records.
 */
#include "preload/modrec.h"
#include "preload/modmap.h"
#include "preload/record.h"
#include "preload/unwind.h"

static int put_module(struct hl_thread *t, const struct hl_mod *m)
{
	uint8_t head[72], tail[HL_BUILD_ID_MAX + 4], *p = head, *q = tail;
	size_t n = hl_strlen(m->path);

	if (n >= HL_PATH_MAX)
		n = HL_PATH_MAX - 1;
	p = hl_put_uv(p, m->id);
	p = hl_put_uv(p, m->first_epoch);
	p = hl_put_uv(p, m->start);
	p = hl_put_uv(p, m->end);
	p = hl_put_uv(p, m->bias);
	p = hl_put_uv(p, n);
	q = hl_put_string(q, (const char *)m->build_id, m->build_id_bytes);
	q = hl_put_uv(q, 0);
	return hl_record_fact3(t, HL_FACT_MODULE, head, (size_t)(p - head), m->path, n, tail,
			       (size_t)(q - tail));
}

static int put_unload(struct hl_thread *t, const struct hl_mod *m)
{
	uint8_t buf[24], *p = hl_put_uv(buf, m->id);

	p = hl_put_uv(p, atomic_load_explicit(&hl_guest.epoch, memory_order_relaxed) - 1);
	return hl_record_fact(t, HL_FACT_UNLOAD, buf, (size_t)(p - buf));
}

void hl_modrec_unloads(struct hl_thread *t)
{
	const struct hl_mod *m;
	uint32_t cursor = 0;

	while ((m = hl_modmap_swept(&cursor))) {
		hl_unwind_flush();
		put_unload(t, m);
	}
}

static enum hl_interned note(struct hl_thread *t, uint64_t pc)
{
	const struct hl_mod *gone = NULL, *m = hl_modmap_note(pc, &gone);

	if (gone)
		put_unload(t, gone);
	if (m && !put_module(t, m)) {
		/* no slot: a site would be without its module for good */
		hl_modmap_unnote(m);
		if (!gone)
			return HL_INTERN_FAILED;
	}
	if (gone) {
		hl_unwind_flush();
		return HL_INTERN_MOVED;
	}
	return HL_INTERNED;
}

enum hl_interned hl_modrec_note(struct hl_thread *t, uint64_t pc)
{
	enum hl_interned r = note(t, pc);

	while (HL_UNLIKELY((pc = hl_modmap_left())))
		if (note(t, pc) == HL_INTERN_MOVED)
			r = HL_INTERN_MOVED;
	return r;
}
