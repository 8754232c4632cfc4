/*
 * leaksubject.c - the pointer image that a moment of a trace has.  Floor: cli.
 */
#include "analyzer/cli/leaksubject.h"
#include "analyzer/analysis/twoimages.h"
#include "analyzer/cli/notes.h"
#include <string.h>

/* The last image is that of the end; a mark that has one has its stamp. */
static const struct hl_image_at *choose(const struct hl_images *all, uint64_t until)
{
	if (until == UINT64_MAX)
		return all->n ? &all->image[all->n - 1] : NULL;
	for (size_t i = 0; i < all->n; i++)
		if (all->image[i].stamp == until)
			return &all->image[i];
	return NULL;
}

static const char *why_not(const struct hl_leak_subject *l)
{
	const struct hl_process *p = &hl_trace_facts(l->s.trace)->process;

	if (hl_trace_facts(l->s.trace)->sample_bytes)
		return "it is a sample: what is lost cannot be told from what was not recorded";
	if (l->s.until != UINT64_MAX)
		return "no pointer image was taken at that snapshot";
	if (p->end == HL_END_EXEC)
		return "the program was replaced by another one: no pointer image was taken";
	if (p->end == HL_END_EXIT || p->end == HL_END_FAST)
		return "no pointer image was taken at its end";
	return "the program was killed, ended by a system call of its own, or is not over: no pointer image "
	       "was taken at its end";
}

const char *hl_leak_subject_tier(const struct hl_leak_subject *l)
{
	const char *tier = l->image ? hl_image_tier(l->image) : NULL;

	/* a thread on another stack than its own: which nobody knows who has only the image */
	return tier && !strcmp(tier, "exact") && l->graph.areas.whole_stacks ? "conservative" : tier;
}

const char *hl_leak_subject_no_losses(const struct hl_leak_subject *l)
{
	return !l->image ? l->why_not
	       : l->one_image
		       ? "one image of a process that goes on does not tell what is lost: take another "
			 "(heapledger snapshot PID --image)"
		       : NULL;
}

int hl_leak_subject_answers(const struct hl_leak_subject *l, int of_losses)
{
	const char *why = of_losses ? hl_leak_subject_no_losses(l) : l->image ? NULL : l->why_not;

	if (!why)
		return 1;
	fprintf(stderr, "heapledger: %s: %s\n", l->s.path, why);
	hl_notes_warnings(&l->s);
	return 0;
}

/* Of a process that went on; what the program itself asks for it wants to know as of now. */
static int is_live(const struct hl_image_at *image)
{
	return image->flags & HL_IMAGE_FROZEN && !(image->flags & HL_IMAGE_VERDICT);
}

/* The image that an image is held against: the next one, by which what is freed meanwhile is not lost; else the one before. */
static const struct hl_image_at *other_image(const struct hl_images *all, const struct hl_image_at *image)
{
	size_t i = (size_t)(image - all->image);

	return i + 1 < all->n ? image + 1 : i ? image - 1 : NULL;
}

/* Only what is lost in both is lost. */
static int confirm(struct hl_leak_subject *l, const struct hl_lost_set *other, struct hl_diag *d)
{
	if (!is_live(l->image))
		return HL_OK;
	return hl_lost_set_confirm(other, &l->graph, d);
}

static int look_at_other(struct hl_leak_subject *l, struct hl_lost_set *lost, unsigned heuristics,
			 struct hl_diag *d)
{
	const struct hl_image_at *other;
	struct hl_heapgraph graph;
	int err;

	if (!l->image || !is_live(l->image))
		return HL_OK;
	other = other_image(&l->images, l->image);
	if (!other) {
		l->one_image = 1;
		return HL_OK;
	}
	err = hl_heapgraph_load(&graph, l->s.trace, other, heuristics, NULL, NULL, d);
	if (err)
		return err;
	hl_lost_set_take(lost, &graph);
	hl_heapgraph_release(&graph);
	return HL_OK;
}

static int load(struct hl_leak_subject *l, const struct hl_query *q, struct hl_growth_watch *growth,
		struct hl_diag *d)
{
	const struct hl_sink *sink = growth ? &hl_growth_sink : NULL;

	if (growth)
		hl_growth_watch_start(growth, l->s.stacks);
	if (l->image)
		return hl_heapgraph_load(&l->graph, l->s.trace, l->image, q->heuristics, sink, growth, d);
	if (!sink || hl_trace_facts(l->s.trace)->sample_bytes)
		return HL_OK;
	return hl_replay(l->s.trace, UINT64_MAX, sink, growth, NULL, d);
}

int hl_leak_subject_open(struct hl_leak_subject *l, const char *operand, const struct hl_query *q,
			 struct hl_growth_watch *growth, struct hl_names *names, struct hl_diag *d)
{
	struct hl_lost_set other = {0};
	int err;

	*l = (struct hl_leak_subject){0};
	err = hl_subject_open(&l->s, operand, q, names, d);
	if (!err && !l->s.trace)
		err = hl_fail(d, HL_ERR_USAGE, "%.300s: an extracted snapshot holds no single blocks",
			      operand);
	if (!err)
		err = hl_images_load(&l->images, l->s.trace, d);
	if (!err) {
		l->calls = (struct hl_calls){l->s.trace, names, l->s.stacks};
		if (!hl_trace_facts(l->s.trace)->sample_bytes)
			l->image = choose(&l->images, l->s.until);
		if (!l->image)
			l->why_not = why_not(l);
		err = look_at_other(l, &other, q->heuristics, d);
		if (!err)
			err = load(l, q, growth, d);
		if (!err && l->image && !l->one_image)
			err = confirm(l, &other, d);
	}
	hl_lost_set_release(&other);
	if (!err && l->image) {
		l->s.counts = l->graph.counts;
		l->s.ref.seconds = hl_subject_seconds(l->s.trace, l->image->stamp);
		l->s.totals = hl_subject_totals(&l->s);
	}
	if (err)
		hl_leak_subject_release(l);
	return err;
}

void hl_leak_subject_release(struct hl_leak_subject *l)
{
	if (l->image)
		hl_heapgraph_release(&l->graph);
	hl_images_release(&l->images);
	hl_subject_release(&l->s);
	*l = (struct hl_leak_subject){0};
}
