/*
 * query.h - the options that several verbs share, as tables and as what they say.  Floor: cli.
 */
#ifndef HL_CLI_QUERY_H
#define HL_CLI_QUERY_H

#include "analyzer/analysis/order.h"
#include "analyzer/analysis/view.h"
#include "analyzer/cli/cli.h"
#include "analyzer/report/report.h"

enum {
	HL_Q_BY = 256,
	HL_Q_CUMULATIVE,
	HL_Q_DEDUP,
	HL_Q_LIMIT,
	HL_Q_MOST_RECENT_FIRST,
	HL_Q_INCLUDE,
	HL_Q_EXCLUDE,
	HL_Q_ALL_FRAMES,
	HL_Q_THREAD,
	HL_Q_MODULE,
	HL_Q_DOMAIN,
	HL_Q_MIN_SIZE,
	HL_Q_SINCE,
	HL_Q_BLAME,
	HL_Q_BLAME_RULES,
	HL_Q_REALLOC,
	HL_Q_DEBUG_DIR,
	HL_Q_SYSROOT,
	HL_Q_PATH_MAP,
	HL_Q_NO_INLINES,
	HL_Q_PERF_MAP,
	HL_Q_SORT,
	HL_Q_ERROR_STATUS,
	HL_Q_HEURISTICS,
	HL_Q_FORMAT,
	HL_Q_COLOR,
	HL_Q_NO_PAGER,
	HL_Q_OWN /* a verb's own ids start here */
};

/* clang-format off */
#define HL_GROUP_OPTIONS                                                                                           \
	{ HL_Q_BY, "by", "KEY", "lineno (default), filename, function, traceback, object or thread" },             \
	{ HL_Q_CUMULATIVE, "cumulative", NULL, "each frame of a stack counts, not only the newest" },              \
	{ HL_Q_DEDUP, "dedup", NULL, "with --cumulative: a row counts a block once" },                             \
	{ 'n', "number", "N", "show N rows (default 10; 0: all)" },                                                \
	{ HL_Q_LIMIT, "limit", "N", "tracebacks: the N newest frames, -N: the N oldest" },                         \
	{ HL_Q_MOST_RECENT_FIRST, "most-recent-first", NULL, "tracebacks: newest frame first" }
#define HL_FILTER_OPTIONS                                                                                          \
	{ HL_Q_INCLUDE, "include", "PATTERN[:LINE]", "only blocks whose newest frame matches; repeatable" },       \
	{ HL_Q_EXCLUDE, "exclude", "PATTERN[:LINE]", "no blocks whose newest frame matches; repeatable" },         \
	{ HL_Q_ALL_FRAMES, "all-frames", NULL, "filters look at every frame of the stack" },                       \
	{ HL_Q_THREAD, "thread", "NAME|TID", "only blocks that this thread allocated; repeatable" },               \
	{ HL_Q_MODULE, "module", "PATTERN", "only blocks allocated in this executable or library" },               \
	{ HL_Q_DOMAIN, "domain", "KIND", "only malloc, new, mmap or pool blocks; repeatable" },                    \
	{ HL_Q_MIN_SIZE, "min-size", "SIZE", "only blocks of at least SIZE bytes" },                               \
	{ HL_Q_SINCE, "since", "SNAP", "only blocks allocated after that snapshot" },                              \
	{ HL_Q_BLAME, "blame", NULL, "take the newest frame that is not a wrapper's or a library's" },             \
	{ HL_Q_BLAME_RULES, "blame-rules", "FILE", "--blame with the rules in FILE" },                             \
	{ HL_Q_REALLOC, "realloc", "WHICH", "latest (default) or origin: whose stack a grown block has" }
#define HL_STACK_OPTIONS                                                                                           \
	{ HL_Q_LIMIT, "limit", "N", "of each stack the N newest frames, -N: the N oldest" },                       \
	{ HL_Q_MOST_RECENT_FIRST, "most-recent-first", NULL, "newest frame first" }
#define HL_SYMBOL_OPTIONS                                                                                          \
	{ HL_Q_DEBUG_DIR, "debug-dir", "DIR", "look for debug files in DIR first; repeatable" },                   \
	{ HL_Q_SYSROOT, "sysroot", "DIR", "look for modules and debug files below DIR" },                          \
	{ HL_Q_PATH_MAP, "path-map", "OLD=NEW", "source paths that begin with OLD begin with NEW; repeatable" },   \
	{ HL_Q_NO_INLINES, "no-inlines", NULL, "leave out inlined calls" },                                        \
	{ HL_Q_PERF_MAP, "perf-map", "FILE", "names of code made at run time (default /tmp/perf-PID.map)" }
#define HL_HEURISTIC_OPTION                                                                                        \
	{ HL_Q_HEURISTICS, "heuristics", "LIST",                                                                   \
	  "of stdstring, length64, newarray, multipleinheritance, or none (default all)" }
#define HL_FORMAT_OPTION                                                                                           \
	{ HL_Q_FORMAT, "format", "FORMAT", "text (default), json or csv" }
#define HL_TERMINAL_OPTIONS                                                                                        \
	{ HL_Q_COLOR, "color", "WHEN", "auto (default), always or never" },                                        \
	{ HL_Q_NO_PAGER, "no-pager", NULL, "do not page long text on a terminal" }
/* clang-format on */

/* NULL-terminated list of arguments. */
struct hl_words {
	const char **word;
	size_t n, room;
};

/* Of an argument, which is not copied.  word is to be freed. */
void hl_words_add(struct hl_words *w, const char *arg);

struct hl_query {
	struct hl_grouping grouping;
	enum hl_sort sort;
	struct hl_filter filter;
	struct hl_blame *blame; /* NULL: not asked */
	unsigned long long min_size;
	const char *since; /* NULL */
	int origin;
	struct hl_words debug_dirs, path_maps;
	const char *sysroot, *perf_map;
	int no_inlines;
	int variables; /* of a verb that names them */
	const struct hl_format *format;
	struct hl_style style;
	unsigned heuristics;        /* a sum of enum hl_heuristic: which pointers to middles are explained */
	unsigned long error_status; /* to end with when there is something to complain of */
	int pager;                  /* allowed */
};

void hl_query_init(struct hl_query *q, const struct hl_cli *cli);
void hl_query_release(struct hl_query *q);
/* 1: the option was one of these; 0: it is the verb's own; or an error. */
int hl_query_option(struct hl_query *q, int id, const char *arg, struct hl_diag *d);
#define HL_OPERANDS_MANY (-1) /* one at least */
/* All options of a verb that has no others; *first: index of the first operand.  HL_ERR_USAGE, also when
 * there are not `operands` operands. */
int hl_query_parse(struct hl_query *q, const struct hl_verb *v, int argc, char **argv, int operands,
		   int *first, struct hl_diag *d);
int hl_check_operands(const struct hl_verb *v, int argc, char **argv, int first, int operands,
		      struct hl_diag *d);

#endif
