/*
 * verb_info.c - heapledger info: what a trace is, and how far it can be believed.  Floor: cli.
 */
#include "analyzer/analysis/marks.h"
#include "analyzer/analysis/misuse.h"
#include "analyzer/cli/notes.h"
#include "analyzer/cli/process_tree.h"
#include "analyzer/cli/subject.h"
#include "analyzer/input/image.h"
#include "analyzer/report/sizes.h"
#include "heapledger/tracefile.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct hl_option options[] = {HL_FORMAT_OPTION, {0}};

struct list {
	struct hl_field *field;
	size_t n, room;
};

static void put(struct list *l, const char *name, struct hl_cell value)
{
	l->field = hl_grow(l->field, &l->room, l->n + 1, sizeof(*l->field));
	l->field[l->n++] = (struct hl_field){name, value};
}

static void put_number(struct list *l, const char *name, uint64_t v)
{
	put(l, name, (struct hl_cell){.type = HL_CELL_NUMBER, .number = v});
}

static void put_size(struct list *l, const char *name, uint64_t v)
{
	put(l, name, (struct hl_cell){.type = HL_CELL_SIZE, .number = v});
}

/* The text must live as long as the list. */
static void put_text(struct list *l, const char *name, const char *s)
{
	put(l, name,
	    s && *s ? (struct hl_cell){.type = HL_CELL_TEXT, .text = s}
		    : (struct hl_cell){.type = HL_CELL_NONE});
}

static void put_seconds(struct list *l, const char *name, double v)
{
	put(l, name, (struct hl_cell){.type = HL_CELL_SECONDS, .real = v});
}

static void put_process(struct list *l, struct hl_trace *t, char started[32])
{
	const struct hl_process *p = &hl_trace_facts(t)->process;
	time_t seconds = (time_t)(p->start_realtime_ns / 1000000000u);
	struct tm tm;

	started[0] = '\0';
	if (p->seen && gmtime_r(&seconds, &tm))
		strftime(started, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
	put_text(l, "executable", p->exe);
	put_text(l, "command line", p->cmdline);
	put_number(l, "pid", p->pid);
	put_number(l, "parent pid", p->ppid);
	put_text(l, "started", started);
	put_text(l, "end", hl_end_name(p->end));
	if (p->end)
		put_number(l, "end status", p->end_status);
	put_text(l, "exec of", p->exec_path);
	if (p->parent_pid) {
		put_number(l, "forked from", p->parent_pid);
		put_text(l, "parent trace", p->parent_file);
	}
	put_number(l, "depth limit", p->depth);
	put_text(l, "options", p->options);
}

static void put_events(struct list *l, struct hl_trace *t, const struct hl_replay_counts *c)
{
	const struct hl_trace_health *h = hl_trace_health(t);

	put_seconds(l, "recorded time", hl_trace_seconds(t, c->first_stamp, c->last_stamp));
	put_number(l, "events", c->events);
	put_number(l, "allocations", c->allocs);
	put_number(l, "frees", c->frees);
	put_number(l, "reallocs", c->reallocs);
	put_number(l, "temporary", c->temporary);
	put_size(l, "total size", c->total_bytes);
	put_size(l, "peak size", c->peak_bytes);
	/* where nothing was ever allocated there is no such moment */
	put(l, "peak time",
	    c->peak_stamp
		    ? (struct hl_cell){.type = HL_CELL_SECONDS, .real = hl_subject_seconds(t, c->peak_stamp)}
		    : (struct hl_cell){.type = HL_CELL_NONE});
	put_size(l, "live size", c->live_bytes);
	put_number(l, "live blocks", c->live_blocks);
	put_number(l, "inherited blocks", c->inherited_blocks);
	put_size(l, "inherited size", c->inherited_bytes);
	put_number(l, "reallocs in flight", c->in_flight);
	if (c->events)
		put(l, "bytes per event",
		    (struct hl_cell){.type = HL_CELL_RATIO,
				     .real = (double)(h->bare ? h->disk_bytes : h->file_bytes) /
					     (double)c->events});
	put_number(l, "order repaired", c->repaired);
	put_number(l, "order violations", c->violations);
	put_number(l, "unexplained frees", c->unexplained_frees);
}

/* The first two add up to the unexplained frees. */
static void put_misuses(struct list *l, const uint64_t count[HL_MISUSE_KINDS])
{
	put_number(l, "double frees", count[HL_MISUSE_DOUBLE]);
	put_number(l, "invalid frees", count[HL_MISUSE_INVALID]);
	put_number(l, "mismatched frees", count[HL_MISUSE_MISMATCHED]);
}

/* The errors of the numbers before it, which are estimates then. */
static void put_sample(struct list *l, const struct hl_replay_counts *c)
{
	const struct {
		const char *name;
		double error;
		int blocks;
	} errors[] = {{"allocations error", c->allocs_error, 1},
		      {"temporary error", c->temporary_error, 1},
		      {"total size error", c->total_bytes_error, 0},
		      {"peak size error", c->peak_bytes_error, 0},
		      {"live size error", c->live_bytes_error, 0},
		      {"live blocks error", c->live_blocks_error, 1}};

	if (!c->sample_bytes) {
		put_text(l, "sample", NULL);
		return;
	}
	put_size(l, "sample", c->sample_bytes);
	put_number(l, "recorded blocks", c->recorded);
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].blocks)
			put(l, errors[i].name,
			    (struct hl_cell){.type = HL_CELL_RATIO,
					     .real = hl_error_blocks(errors[i].error)});
		else
			put_size(l, errors[i].name, hl_error_bytes(errors[i].error));
}

static void put_losses(struct list *l, const struct hl_facts *f)
{
	/* in the order of enum hl_lost */
	static const char *const names[] = {"lost full",     "lost nested",    "lost stacks",
					    "lost thread",   "lost exited",    "lost at startup",
					    "lost programs", "unknown options"};
	uint64_t other = 0;

	_Static_assert(sizeof(names) / sizeof(names[0]) == HL_LOST_OPTION + 1,
		       "a name for each kind of loss");
	for (unsigned k = 0; k < HL_LOST_KINDS; k++)
		if (k <= HL_LOST_OPTION)
			put_number(l, names[k], f->lost[k]);
		else if (k != HL_LOST_CHECK && k != HL_LOST_IMAGE && k != HL_LOST_VERDICT)
			other += f->lost[k];
	put_number(l, "lost otherwise", other);
	put_number(l, "unseen libraries", f->nunseen);
	put_number(l, "unwind differences", f->lost[HL_LOST_CHECK]);
}

static void put_health(struct list *l, struct hl_trace *t)
{
	const struct hl_trace_health *h = hl_trace_health(t);

	put_text(l, "kind", h->bare ? "region written without a launcher" : "trace file");
	put_text(l, "finished", h->bare ? NULL : h->finished ? "yes" : "no");
	put_size(l, "file size", h->file_bytes);
	if (h->bare)
		put_size(l, "disk size", h->disk_bytes);
	put_number(l, "chunks", h->chunks);
	put_size(l, "record size", h->raw_bytes);
	put_number(l, "damaged blocks", h->bad_blocks);
	put(l, "first damage at",
	    h->bad_blocks ? (struct hl_cell){.type = HL_CELL_NUMBER, .number = h->bad_offset}
			  : (struct hl_cell){.type = HL_CELL_NONE});
	put(l, "cut at",
	    h->cut_offset ? (struct hl_cell){.type = HL_CELL_NUMBER, .number = h->cut_offset}
			  : (struct hl_cell){.type = HL_CELL_NONE});
	put_number(l, "missing pieces", h->missing_claims);
	put_size(l, "unverified size", h->unverified_bytes);
	put_number(l, "unknown records", h->unknown_facts);
	put_text(l, "first problem", h->first_problem);
}

#define IMAGES_SHOWN 8u

struct image_text {
	char name[24], text[160];
};

static void put_images(struct list *l, struct hl_trace *t, const struct hl_images *images,
		       struct image_text text[IMAGES_SHOWN])
{
	put_number(l, "images", images->n);
	put_number(l, "images given up", hl_trace_facts(t)->lost[HL_LOST_IMAGE]);
	put_number(l, "checks without verdict", hl_trace_facts(t)->lost[HL_LOST_VERDICT]);
	for (size_t i = 0; i < images->n && i < IMAGES_SHOWN; i++) {
		const struct hl_image_at *im = &images->image[i];

		snprintf(text[i].name, sizeof(text[i].name), "image %u", im->number);
		snprintf(text[i].text, sizeof(text[i].text),
			 "at %.3f s, %zu threads, %" PRIu64 " words, %.2f bytes per word, %s",
			 hl_subject_seconds(t, im->stamp), im->nthreads, im->nwords,
			 im->nwords ? (double)im->stored_bytes / (double)im->nwords : 0.0, hl_image_tier(im));
		put_text(l, text[i].name, text[i].text);
	}
}

static void put_facts(struct list *l, const struct hl_facts *f)
{
	put_number(l, "modules", f->nmodules);
	put_number(l, "stack nodes", f->nnodes ? f->nnodes - 1 : 0);
	put_number(l, "threads", f->nthreads);
}

static void put_header(struct list *l, struct hl_trace *t, char text[64])
{
	const struct hl_file_header *h = hl_trace_header(t);
	int n = snprintf(text, 64, "%u.%u", h->major, h->minor);

	put_text(l, "trace", hl_trace_path(t));
	put_text(l, "format", text);
	for (unsigned i = 0; i < 16; i++)
		snprintf(text + n + 1 + 2 * i, 3, "%02x", h->uuid[i]);
	put_text(l, "run", text + n + 1);
	put_number(l, "image", h->image_id);
}

static int print(const struct hl_query *q, const char *path, struct hl_diag *d)
{
	uint64_t misuses[HL_MISUSE_KINDS];
	struct hl_replay_counts counts;
	struct hl_process_tree tree;
	struct hl_trace *t;
	struct list l = {0};
	struct image_text image_text[IMAGES_SHOWN];
	struct hl_images images = {0};
	char header[64], started[32];
	int err = hl_trace_open(&t, path, d);

	if (err)
		return err;
	err = hl_misuses_count(t, misuses, &counts, d);
	if (err)
		goto out;
	err = hl_images_load(&images, t, d);
	if (err)
		goto out;
	put_header(&l, t, header);
	put_process(&l, t, started);
	put_events(&l, t, &counts);
	put_misuses(&l, misuses);
	put_sample(&l, &counts);
	put_losses(&l, hl_trace_facts(t));
	put_facts(&l, hl_trace_facts(t));
	put_images(&l, t, &images, image_text);
	put_health(&l, t);
	hl_process_tree_read(&tree, t);
	q->format->fields(stdout, &q->style, &(struct hl_fields){l.field, l.n, &tree.table});
	hl_process_tree_release(&tree);
	fflush(stdout);
	hl_notes_trace(t, &counts);
	if (hl_trace_is_empty(t)) {
		fprintf(stderr, "error: nothing was recorded\n");
		err = 4;
	}
out:
	hl_images_release(&images);
	free(l.field);
	hl_trace_close(t);
	return err;
}

static int info(struct hl_cli *cli, const struct hl_verb *verb, int argc, char **argv, struct hl_diag *d)
{
	struct hl_query q;
	int first = 0, err;

	hl_query_init(&q, cli);
	err = hl_query_parse(&q, verb, argc, argv, 1, &first, d);
	if (!err)
		err = print(&q, argv[first], d);
	hl_query_release(&q);
	return err;
}

const struct hl_verb hl_verb_info = {.name = "info",
				     .summary = "show what a trace is and how far it can be believed",
				     .operands = "TRACE",
				     .options = options,
				     .main = info};
