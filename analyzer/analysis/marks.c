/*
 * marks.c - the snapshots of a trace.  Floor: analysis.
 */
#include "analyzer/analysis/marks.h"
#include "analyzer/analysis/idset.h"
#include "analyzer/model/sample.h"
#include <stdlib.h>
#include <string.h>

static struct hl_snapshot *add(struct hl_snapshots *s, uint64_t stamp, enum hl_mark reason, const char *label)
{
	struct hl_snapshot *m;

	s->s = hl_grow(s->s, &s->room, s->n + 1, sizeof(*s->s));
	m = &s->s[s->n++];
	*m = (struct hl_snapshot){
		.number = s->n, .stamp = stamp, .reason = reason, .label = hl_xstrdup(label ? label : "")};
	return m;
}

void hl_snapshots_list(struct hl_trace *t, struct hl_snapshots *out)
{
	struct hl_merge *m = hl_merge_new(t);
	struct hl_event e;

	*out = (struct hl_snapshots){0};
	while (hl_merge_next(m, &e))
		if (e.type == HL_EV_MARK && !e.inherited)
			add(out, e.stamp, e.mark, e.label);
	hl_merge_free(m);
}

/* In units of sample.h. */
struct counter {
	struct hl_snapshots *out;
	uint64_t sample_bytes, bytes, blocks;
	double bytes_variance, blocks_variance;
};

static void born(void *ctx, struct hl_block *b)
{
	struct counter *c = ctx;
	struct hl_weight w = hl_weigh(c->sample_bytes, b->domain, b->size);

	c->bytes += w.bytes;
	c->blocks += w.blocks;
	c->bytes_variance += w.bytes_variance;
	c->blocks_variance += w.blocks_variance;
}

static void died(void *ctx, const struct hl_block *b, const struct hl_death *death)
{
	struct counter *c = ctx;
	struct hl_weight w = hl_weigh(c->sample_bytes, b->domain, b->size);

	(void)death;
	c->bytes -= w.bytes;
	c->blocks -= w.blocks;
	c->bytes_variance -= w.bytes_variance;
	c->blocks_variance -= w.blocks_variance;
	/* without blocks there is no error, whatever rounding has left */
	if (!c->blocks)
		c->bytes_variance = c->blocks_variance = 0;
}

static void moved(void *ctx, const struct hl_block *old, struct hl_block *now)
{
	died(ctx, old, NULL);
	born(ctx, now);
}

static void shrunk(void *ctx, const struct hl_block *b, uint64_t lost, uint64_t stamp)
{
	struct counter *c = ctx;

	(void)stamp;
	c->bytes -= hl_weigh(c->sample_bytes, b->domain, lost).bytes;
}

static void mark(void *ctx, uint64_t stamp, enum hl_mark reason, const char *label, uint32_t thread)
{
	struct counter *c = ctx;
	struct hl_snapshot *m = add(c->out, stamp, reason, label);

	(void)thread;
	m->live_bytes = hl_sample_bytes(c->sample_bytes, c->bytes);
	m->live_blocks = hl_sample_blocks(c->sample_bytes, c->blocks);
	m->live_bytes_error = hl_sample_error(c->bytes_variance);
	m->live_blocks_error = hl_sample_error(c->blocks_variance);
}

int hl_snapshots_replay(struct hl_trace *t, struct hl_snapshots *out, struct hl_replay_counts *counts,
			struct hl_diag *d)
{
	static const struct hl_sink sink = {
		.born = born, .died = died, .moved = moved, .shrunk = shrunk, .mark = mark};
	struct counter c = {.out = out, .sample_bytes = hl_trace_facts(t)->sample_bytes};
	struct hl_snapshot *end;
	int err;

	*out = (struct hl_snapshots){0};
	err = hl_replay(t, UINT64_MAX, &sink, &c, counts, d);
	if (err) {
		hl_snapshots_release(out);
		return err;
	}
	if (out->n && out->s[out->n - 1].reason == HL_MARK_END &&
	    out->s[out->n - 1].stamp >= counts->last_stamp)
		return HL_OK;
	end = add(out, counts->last_stamp, HL_MARK_END, "");
	end->number = 0;
	end->live_bytes = counts->live_bytes;
	end->live_blocks = counts->live_blocks;
	end->live_bytes_error = counts->live_bytes_error;
	end->live_blocks_error = counts->live_blocks_error;
	return HL_OK;
}

void hl_snapshots_release(struct hl_snapshots *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->s[i].label);
	free(s->s);
	*s = (struct hl_snapshots){0};
}

const char *hl_mark_name(enum hl_mark m)
{
	static const char *const names[] = {"unknown", "api",    "command", "interval",
					    "growth",  "signal", "end"};

	return m >= HL_MARK_API && m <= HL_MARK_END ? names[m] : names[0];
}

const struct hl_snapshot *hl_snapshots_find(const struct hl_snapshots *s, const char *name)
{
	if (*name && !name[strspn(name, "0123456789")]) {
		uint64_t number = strtoull(name, NULL, 10);

		if (number >= 1 && number <= s->n && s->s[number - 1].number == number)
			return &s->s[number - 1];
	}
	for (size_t i = s->n; i--;)
		if (*name && !strcmp(s->s[i].label, name))
			return &s->s[i];
	return NULL;
}

int hl_trace_is_empty(struct hl_trace *t)
{
	struct hl_merge *m = hl_merge_new(t);
	struct hl_event e;
	int empty = 1;

	while (empty && hl_merge_next(m, &e))
		empty = e.type == HL_EV_MARK;
	hl_merge_free(m);
	return empty;
}
