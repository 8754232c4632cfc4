/*
 * process_tree.c - finding the traces of a run, and who started whom.  Floor: cli.
 */
#include "analyzer/cli/process_tree.h"
#include "analyzer/cli/files.h"
#include "heapledger/tracefile.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

/* More than anybody reads; each is opened. */
#define TRACES_MAX 10000u

struct image {
	char *path;
	char *program;
	uint32_t pid, ppid, id;
	uint64_t started;
	enum hl_end end;
	uint32_t status;
	struct image *parent;
	int placed;
};

struct images {
	struct image *image;
	size_t n, room;
};

static const char *const columns[] = {"pid", "parent", "program", "end", "status", "trace"};
#define NCOLUMNS (sizeof(columns) / sizeof(columns[0]))

const char *hl_end_name(enum hl_end end)
{
	switch (end) {
	case HL_END_EXIT:
		return "exit";
	case HL_END_FAST:
		return "fast exit";
	case HL_END_EXEC:
		return "exec";
	case HL_END_SIGNAL:
		return "signal";
	case HL_END_GONE:
		return "gone without a word";
	default:
		return "unknown";
	}
}

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void add(struct images *all, struct hl_trace *t)
{
	const struct hl_process *p = &hl_trace_facts(t)->process;

	all->image = hl_grow(all->image, &all->room, all->n + 1, sizeof(*all->image));
	all->image[all->n++] = (struct image){.path = hl_xstrdup(hl_trace_path(t)),
					      .program = hl_xstrdup(base_of(p->exe ? p->exe : "")),
					      .pid = p->pid,
					      .ppid = p->ppid,
					      .id = hl_trace_header(t)->image_id,
					      .started = p->start_realtime_ns,
					      .end = p->end,
					      .status = p->end_status};
}

/* Is it a finished or cut trace of that run?  A region file of a bare program has a run of its own. */
static int is_of_run(const char *path, const struct hl_file_header *of)
{
	struct hl_file_header h;

	return hl_peek_file(path, (uint8_t *)&h, sizeof(h)) == sizeof(h) && h.magic == of->magic &&
	       !memcmp(h.uuid, of->uuid, sizeof(h.uuid)) && h.image_id != of->image_id;
}

static char *join(const char *dir, size_t n, const char *name)
{
	char *s = hl_xmalloc(n + strlen(name) + 1);

	memcpy(s, dir, n);
	strcpy(s + n, name);
	return s;
}

static void add_others(struct images *all, struct hl_trace *t)
{
	const char *path = hl_trace_path(t), *base = base_of(path);
	struct hl_diag d = {0};
	char *dir = join(path, (size_t)(base - path), base == path ? "." : "");
	struct dirent *e;
	DIR *open = opendir(dir);

	while (open && all->n < TRACES_MAX && (e = readdir(open))) {
		char *other = join(path, (size_t)(base - path), e->d_name);
		struct hl_trace *o;

		if (is_of_run(other, hl_trace_header(t)) && !hl_trace_open(&o, other, &d)) {
			add(all, o);
			hl_trace_close(o);
		}
		free(other);
	}
	if (open)
		closedir(open);
	free(dir);
}

static int by_start(const void *a, const void *b)
{
	const struct image *x = a, *y = b;

	if (x->started != y->started)
		return x->started < y->started ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* The image before it in its process, else the newest one of its parent's. */
static void find_parent(struct images *all, size_t i)
{
	struct image *m = &all->image[i];

	for (size_t k = i; k-- && !m->parent;)
		if (all->image[k].pid == m->pid)
			m->parent = &all->image[k];
	for (size_t k = i; k-- && !m->parent;)
		if (all->image[k].pid == m->ppid)
			m->parent = &all->image[k];
}

static const char *own(struct hl_process_tree *tree, char *s)
{
	tree->strings = hl_grow(tree->strings, &tree->room, tree->nstrings + 1, sizeof(*tree->strings));
	return tree->strings[tree->nstrings++] = s;
}

static void put_row(struct hl_process_tree *tree, struct image *m, uint32_t indent)
{
	struct hl_cell *c = &tree->cells[tree->table.nrows * NCOLUMNS];

	tree->indent[tree->table.nrows++] = indent;
	c[0] = (struct hl_cell){.type = HL_CELL_NUMBER, .number = m->pid};
	c[1] = (struct hl_cell){.type = HL_CELL_NUMBER, .number = m->ppid};
	c[2] = (struct hl_cell){.type = HL_CELL_TEXT, .text = own(tree, m->program)};
	c[3] = (struct hl_cell){.type = HL_CELL_TEXT, .text = hl_end_name(m->end)};
	c[4] = m->end ? (struct hl_cell){.type = HL_CELL_NUMBER, .number = m->status}
		      : (struct hl_cell){.type = HL_CELL_NONE};
	c[5] = (struct hl_cell){.type = HL_CELL_TEXT, .text = own(tree, m->path)};
	m->placed = 1;
}

/* The children of parent, and theirs; without recursion, for a chain may be as long as the run. */
static void place(struct hl_process_tree *tree, struct images *all)
{
	struct image *at = NULL;
	uint32_t indent = 0;

	for (;;) {
		struct image *next = NULL;

		for (size_t i = 0; i < all->n && !next; i++)
			if (all->image[i].parent == at && !all->image[i].placed)
				next = &all->image[i];
		if (next) {
			put_row(tree, next, indent++);
			at = next;
		} else if (at) {
			at = at->parent;
			indent--;
		} else {
			return;
		}
	}
}

void hl_process_tree_read(struct hl_process_tree *tree, struct hl_trace *t)
{
	struct images all = {0};

	*tree = (struct hl_process_tree){0};
	add(&all, t);
	if (!hl_trace_health(t)->bare)
		add_others(&all, t);
	qsort(all.image, all.n, sizeof(*all.image), by_start);
	for (size_t i = 0; i < all.n; i++)
		find_parent(&all, i);
	tree->cells = hl_xcalloc(all.n * NCOLUMNS, sizeof(*tree->cells));
	tree->indent = hl_xcalloc(all.n, sizeof(*tree->indent));
	place(tree, &all);
	tree->table.name = "processes";
	tree->table.trace = hl_trace_path(t);
	tree->table.columns = columns;
	tree->table.ncolumns = NCOLUMNS;
	tree->table.cells = tree->cells;
	tree->table.indent = tree->indent;
	free(all.image);
}

void hl_process_tree_release(struct hl_process_tree *tree)
{
	for (size_t i = 0; i < tree->nstrings; i++)
		free(tree->strings[i]);
	free(tree->strings);
	free(tree->cells);
	free(tree->indent);
}
