/*
 * facts.c - questions to the facts.  Floor: input.
 */
#include "analyzer/input/facts.h"
#include "analyzer/input/module_span.h"
#include <stdlib.h>

/* A real address has seen few modules; one that overlaps with more is a trace made to slow us down. */
#define TRIES_MAX 4096

static int by_start(const void *pa, const void *pb)
{
	const struct hl_module_span *a = pa, *b = pb;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return (a->module > b->module) - (a->module < b->module);
}

static uint64_t fill_max(struct hl_module_span *s, uint32_t low, uint32_t high)
{
	uint32_t mid = low + (high - low) / 2;
	uint64_t left, right;

	if (low == high)
		return 0;
	left = fill_max(s, low, mid);
	right = fill_max(s, mid + 1, high);
	s[mid].max_end = s[mid].end;
	if (s[mid].max_end < left)
		s[mid].max_end = left;
	if (s[mid].max_end < right)
		s[mid].max_end = right;
	return s[mid].max_end;
}

struct hl_module_span *hl_module_spans(const struct hl_module *modules, uint32_t n)
{
	struct hl_module_span *s;

	if (!n)
		return NULL;
	s = hl_xmalloc(n * sizeof(*s));
	for (uint32_t i = 0; i < n; i++)
		s[i] = (struct hl_module_span){modules[i].start, modules[i].end, 0, i};
	qsort(s, n, sizeof(*s), by_start);
	fill_max(s, 0, n);
	return s;
}

struct query {
	const struct hl_facts *f;
	uint64_t pc;
	uint32_t epoch, tries;
	const struct hl_module *best;
};

static void judge(struct query *q, const struct hl_module *m)
{
	if (q->pc < m->start || q->pc >= m->end || q->epoch < m->first_epoch || q->epoch > m->last_epoch)
		return;
	/* the newest that is there; of two, the inner one */
	if (!q->best || m->first_epoch > q->best->first_epoch ||
	    (m->first_epoch == q->best->first_epoch && m->start >= q->best->start))
		q->best = m;
}

static void search(struct query *q, uint32_t low, uint32_t high)
{
	while (low < high && q->tries < TRIES_MAX) {
		uint32_t mid = low + (high - low) / 2;
		const struct hl_module_span *s = &q->f->spans[mid];

		if (q->pc >= s->max_end)
			return;
		q->tries++;
		search(q, low, mid);
		if (q->pc < s->start)
			return;
		judge(q, &q->f->modules[s->module]);
		low = mid + 1;
	}
}

const struct hl_module *hl_facts_module(const struct hl_facts *f, uint64_t pc, uint32_t epoch)
{
	struct query q = {.f = f, .pc = pc, .epoch = epoch};

	if (f->spans)
		search(&q, 0, f->nmodules);
	else
		for (uint32_t i = 0; i < f->nmodules; i++)
			judge(&q, &f->modules[i]);
	return q.best;
}

const struct hl_thread *hl_facts_thread(const struct hl_facts *f, uint32_t serial)
{
	uint32_t low = 0, high = f->nthreads;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (f->threads[mid].serial < serial)
			low = mid + 1;
		else
			high = mid;
	}
	return low < f->nthreads && f->threads[low].serial == serial ? &f->threads[low] : NULL;
}

const char *hl_lost_name(enum hl_lost k)
{
	static const char *const names[HL_LOST_KINDS] = {
		[HL_LOST_FULL] = "events: no free slot within the wait",
		[HL_LOST_NESTED] = "events: more than two levels of signal nesting",
		[HL_LOST_STACK] = "stacks: no room to keep them, their events are there",
		[HL_LOST_THREAD] = "events: no memory for the state of a thread",
		[HL_LOST_EXITED] = "events: after a thread's end, the shared slot was busy",
		[HL_LOST_STARTUP] = "events: another thread was starting the library",
		[HL_LOST_CHILD] = "programs: a child could not be traced",
		[HL_LOST_OPTION] = "options: unknown names or values in HEAPLEDGER_OPTIONS",
		[HL_LOST_CHECK] = "stacks differ from those that libunwind found (unwind=check)",
		[HL_LOST_IMAGE] = "pointer images: begun and not ended",
		[HL_LOST_VERDICT] =
			"leak checks of the program's own: no verdict (is heapledger beside its library?)",
	};

	return (unsigned)k < HL_LOST_KINDS && names[k] ? names[k] : "of a kind this version does not know";
}
