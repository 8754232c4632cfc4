/*
 * layer_process.c - hello, fork, exec, end, losses, sampling.  Floor: input.
 *
 * Each function parses all its fields before it changes the layer.
 */
#include "analyzer/input/layer.h"
#include "analyzer/base/buf.h"
#include "heapledger/image.h"
#include <stdlib.h>
#include <string.h>

static char *copy(const uint8_t *s, size_t n)
{
	char *p = hl_xmalloc(n + 1);

	memcpy(p, s, n);
	p[n] = 0;
	return p;
}

int hl_layer_string(struct hl_fact_record *f, char **s)
{
	const uint8_t *p;
	size_t n;

	if (!hl_fact_string(f, &p, &n))
		return 0;
	free(*s);
	*s = copy(p, strnlen((const char *)p, n));
	return 1;
}

/* NUL between and after arguments to spaces. */
static char *join_arguments(const uint8_t *s, size_t n)
{
	char *p;

	while (n && !s[n - 1])
		n--;
	p = copy(s, n);
	for (size_t i = 0; i < n; i++)
		if (!p[i])
			p[i] = ' ';
	return p;
}

int hl_layer_take_hello(struct hl_layer *l, struct hl_fact_record *f)
{
	struct hl_process *p = &l->process;
	uint32_t image, pid, ppid, depth;
	uint64_t realtime, stamp;
	const uint8_t *cmdline;
	size_t n;

	if (!hl_fact_u32(f, &image) || !hl_fact_u32(f, &pid) || !hl_fact_u32(f, &ppid) ||
	    !hl_fact_uv(f, &realtime) || !hl_fact_uv(f, &stamp) || !hl_fact_u32(f, &depth) ||
	    !hl_layer_string(f, &p->exe) || !hl_fact_string(f, &cmdline, &n))
		return 0;
	free(p->cmdline);
	p->cmdline = join_arguments(cmdline, n);
	p->image_id = image;
	p->pid = pid;
	p->ppid = ppid;
	p->depth = depth;
	p->start_realtime_ns = realtime;
	p->start_stamp = stamp;
	p->seen = 1;
	return hl_layer_string(f, &p->options);
}

int hl_layer_take_fork(struct hl_layer *l, struct hl_fact_record *f)
{
	uint32_t image, pid, next;
	uint64_t n;

	if (!hl_fact_u32(f, &image) || !hl_fact_u32(f, &pid) || !hl_fact_u32(f, &next) || !hl_fact_uv(f, &n))
		return 0;
	l->forked = 1;
	l->process.parent_image = image;
	l->process.parent_pid = pid;
	l->inherited.next_serial = next;
	while (n--) {
		struct hl_limit one;

		if (!hl_fact_u32(f, &one.stream) || !hl_fact_u32(f, &one.claim) || !hl_fact_u32(f, &one.used))
			return 0;
		hl_limits_add(&l->inherited, &one);
	}
	return 1;
}

int hl_layer_take_parent(struct hl_layer *l, struct hl_fact_record *f)
{
	const uint8_t *uuid;
	size_t n;
	uint32_t image;

	if (!hl_layer_string(f, &l->parent_name) || !hl_fact_string(f, &uuid, &n) ||
	    n != sizeof(l->parent_uuid) || !hl_fact_u32(f, &image))
		return 0;
	memcpy(l->parent_uuid, uuid, n);
	l->parent_named_image = image;
	return 1;
}

int hl_layer_take_exec(struct hl_layer *l, struct hl_fact_record *f)
{
	uint64_t stamp;

	if (!hl_fact_uv(f, &stamp))
		return 0;
	if (l->process.exec_path && stamp < l->exec_stamp)
		return 1;
	l->exec_stamp = stamp;
	return hl_layer_string(f, &l->process.exec_path);
}

int hl_layer_take_end(struct hl_layer *l, struct hl_fact_record *f)
{
	struct hl_process *p = &l->process;
	uint32_t end, status;
	uint64_t stamp;

	if (!hl_fact_u32(f, &end) || !hl_fact_u32(f, &status) || !hl_fact_uv(f, &stamp) ||
	    end < HL_END_EXIT || end > HL_END_GONE)
		return 0;
	/* the last word counts, but "gone without a word" contradicts no other */
	if (p->end && p->end != HL_END_GONE && (end == HL_END_GONE || stamp < p->end_stamp))
		return 1;
	p->end = (enum hl_end)end;
	p->end_status = status;
	p->end_stamp = stamp;
	return 1;
}

int hl_layer_take_lost(struct hl_layer *l, struct hl_fact_record *f)
{
	uint64_t kind, count;

	if (!hl_fact_uv(f, &kind) || !hl_fact_uv(f, &count))
		return 0;
	if (kind < HL_LOST_KINDS && l->lost[kind] < count)
		l->lost[kind] = count;
	return 1;
}

int hl_layer_take_unseen(struct hl_layer *l, struct hl_fact_record *f)
{
	struct hl_unseen_module m = {0};
	uint32_t why;

	if (!hl_fact_u32(f, &why) || why < HL_UNSEEN_BINDING || why > HL_UNSEEN_NAMESPACE ||
	    !hl_layer_string(f, &m.path) || !hl_layer_string(f, &m.from)) {
		free(m.path);
		return 0;
	}
	m.why = (enum hl_unseen)why;
	l->unseen = hl_grow(l->unseen, &l->unseen_cap, l->nunseen + 1, sizeof(*l->unseen));
	l->unseen[l->nunseen++] = m;
	return 1;
}

int hl_layer_take_range(struct hl_layer *l, struct hl_fact_record *f)
{
	struct hl_mapping m;
	uint64_t flags;

	if (!hl_fact_uv(f, &m.start) || !hl_fact_uv(f, &m.end) || !hl_fact_u32(f, &m.module) ||
	    !hl_fact_uv(f, &flags) || !hl_fact_uv(f, &m.stamp) || m.start >= m.end)
		return 0;
	m.mapped = flags & HL_RANGE_MAPPED;
	l->mappings = hl_grow(l->mappings, &l->mappings_cap, l->nmappings + 1, sizeof(*l->mappings));
	l->mappings[l->nmappings++] = m;
	return 1;
}

int hl_layer_take_leak_note(struct hl_layer *l, struct hl_fact_record *f)
{
	struct hl_leak_note_at n;
	uint32_t what;

	if (!hl_fact_u32(f, &what) || !hl_fact_uv(f, &n.address) || !hl_fact_uv(f, &n.bytes) ||
	    !hl_fact_uv(f, &n.stamp) || n.address + n.bytes < n.address)
		return 0;
	n.what = (enum hl_leak_note)what;
	if (what == HL_LEAK_OFF)
		l->leaks_off = 1;
	/* what a later version says beside these changes nothing of what these say */
	if (what < HL_LEAK_KEEP || what > HL_LEAK_UNROOT)
		return 1;
	l->leak_notes =
		hl_grow(l->leak_notes, &l->leak_notes_cap, l->nleak_notes + 1, sizeof(*l->leak_notes));
	l->leak_notes[l->nleak_notes++] = n;
	return 1;
}

int hl_layer_take_suppressions(struct hl_layer *l, struct hl_fact_record *f)
{
	char *piece = NULL, *all;

	if (!hl_layer_string(f, &piece)) {
		free(piece);
		return 0;
	}
	all = hl_xmalloc((l->suppressions ? strlen(l->suppressions) : 0) + strlen(piece) + 1);
	strcpy(all, l->suppressions ? l->suppressions : "");
	strcat(all, piece);
	free(piece);
	free(l->suppressions);
	l->suppressions = all;
	return 1;
}

int hl_layer_take_sync(struct hl_layer *l, struct hl_fact_record *f)
{
	uint64_t stamp;

	if (!hl_fact_uv(f, &stamp))
		return 0;
	if (l->sync_stamp < stamp)
		l->sync_stamp = stamp;
	return 1;
}

int hl_layer_take_sample(struct hl_layer *l, struct hl_fact_record *f)
{
	uint64_t bytes;

	if (!hl_fact_uv(f, &bytes) || !bytes)
		return 0;
	if (!l->sample_bytes)
		l->sample_bytes = bytes;
	else if (l->sample_bytes != bytes)
		hl_source_problem(
			l->source, "%s: a sample of one in %llu bytes is also said to be one in %llu",
			l->source->path, (unsigned long long)l->sample_bytes, (unsigned long long)bytes);
	return 1;
}
