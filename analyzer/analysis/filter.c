/*
 * filter.c - the verdict of a filter on a site.  Floor: analysis.
 */
#include "analyzer/analysis/filter.h"
#include "analyzer/analysis/match.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void hl_filter_add(struct hl_patterns *p, const char *text, int with_line)
{
	const char *colon = with_line ? strrchr(text, ':') : NULL;
	struct hl_pattern *item;

	p->p = hl_grow(p->p, &p->room, p->n + 1, sizeof(*p->p));
	item = &p->p[p->n++];
	item->text = hl_xstrdup(text);
	item->line = -1;
	/* ten digits hold every line there is; more are part of a name */
	if (!colon || !colon[1] || strlen(colon + 1) > 10 || colon[1 + strspn(colon + 1, "0123456789")])
		return;
	item->line = strtoll(colon + 1, NULL, 10);
	item->text[colon - text] = '\0';
}

int hl_filter_add_kind(struct hl_filter *f, const char *name, struct hl_diag *d)
{
	for (unsigned k = 0; k < HL_KINDS; k++)
		if (!strcmp(name, hl_kind_name(k))) {
			f->kinds |= 1u << k;
			return HL_OK;
		}
	return hl_fail(d, HL_ERR_USAGE, "--domain: '%s' is none of malloc, new, mmap, pool", name);
}

static void patterns_release(struct hl_patterns *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->p[i].text);
	free(p->p);
}

void hl_filter_release(struct hl_filter *f)
{
	patterns_release(&f->include);
	patterns_release(&f->exclude);
	patterns_release(&f->threads);
	patterns_release(&f->modules);
	*f = (struct hl_filter){0};
}

int hl_filter_is_empty(const struct hl_filter *f)
{
	return !f->include.n && !f->exclude.n && !f->threads.n && !f->modules.n && !f->kinds;
}

static int file_matches(const struct hl_patterns *p, const struct hl_names *n, const struct hl_name_frame *f)
{
	for (size_t i = 0; i < p->n; i++)
		if ((p->p[i].line < 0 || p->p[i].line == f->line) &&
		    hl_match_file(p->p[i].text, hl_names_string(n, f->file)))
			return 1;
	return 0;
}

static int module_matches(const struct hl_patterns *p, const char *path)
{
	const char *slash = strrchr(path, '/');

	for (size_t i = 0; i < p->n; i++)
		if (hl_match(p->p[i].text, path) || (slash && hl_match(p->p[i].text, slash + 1)))
			return 1;
	return 0;
}

static int thread_matches(const struct hl_patterns *p, const char *name, uint32_t tid)
{
	char number[16];

	snprintf(number, sizeof(number), "%" PRIu32, tid);
	for (size_t i = 0; i < p->n; i++)
		if (!strcmp(p->p[i].text, number) || hl_match(p->p[i].text, name))
			return 1;
	return 0;
}

/* What the frames seen so far have matched. */
struct seen {
	int include, exclude, module;
};

static void look_at(const struct hl_filter *f, const struct hl_names *n, uint32_t frame, struct seen *s)
{
	const struct hl_name_frame *g = hl_names_frame_at(n, frame);

	s->include = s->include || file_matches(&f->include, n, g);
	s->exclude = s->exclude || file_matches(&f->exclude, n, g);
	s->module = s->module || module_matches(&f->modules, hl_names_string(n, g->module));
}

int hl_filter_passes(const struct hl_filter *f, struct hl_blame *blame, const struct hl_heap *h,
		     const struct hl_site *site)
{
	const struct hl_names *n = hl_stacks_names(h->stacks);
	const struct hl_heap_thread *t = &h->threads[site->thread];
	struct seen s = {0};
	struct hl_walk w;
	uint32_t frame;

	if (f->kinds && !(f->kinds >> site->kind & 1))
		return 0;
	if (f->threads.n && !thread_matches(&f->threads, hl_names_string(n, t->name), t->tid))
		return 0;
	if (!f->include.n && !f->exclude.n && !f->modules.n)
		return 1;
	if (!f->all_frames) {
		look_at(f, n, hl_blame_frame(blame, h->stacks, site->stack), &s);
	} else {
		hl_walk_start(&w, h->stacks, site->stack);
		while ((frame = hl_walk_next(&w)) != HL_ID_NONE)
			look_at(f, n, frame, &s);
	}
	return (!f->include.n || s.include) && (!f->exclude.n || !s.exclude) && (!f->modules.n || s.module);
}
