/*
 * query.c - the options that several verbs share.  Floor: cli.
 */
#include "analyzer/cli/query.h"
#include "analyzer/cli/files.h"
#include "analyzer/cli/kinds.h"
#include <stdlib.h>
#include <string.h>

enum { RULES_BYTES_MAX = 1 << 20 };

void hl_query_init(struct hl_query *q, const struct hl_cli *cli)
{
	*q = (struct hl_query){.format = &hl_format_text, .heuristics = HL_HEURISTICS_ALL, .pager = 1};
	q->style.limit = 10;
	q->style.color = cli->color;
}

void hl_query_release(struct hl_query *q)
{
	hl_filter_release(&q->filter);
	hl_blame_free(q->blame);
	free(q->debug_dirs.word);
	free(q->path_maps.word);
}

void hl_words_add(struct hl_words *w, const char *word)
{
	w->word = hl_grow(w->word, &w->room, w->n + 2, sizeof(*w->word));
	w->word[w->n++] = word;
	w->word[w->n] = NULL;
}

static int parse_limit(struct hl_style *style, const char *arg, struct hl_diag *d)
{
	unsigned long v;
	int err = hl_parse_uint(arg + (*arg == '-'), "limit", 0, UINT32_MAX, &v, d);

	if (err)
		return err;
	style->has_frames = 1;
	style->frames = *arg == '-' ? -(int64_t)v : (int64_t)v;
	return 1;
}

static int parse_color(struct hl_style *style, const char *arg, struct hl_diag *d)
{
	if (!strcmp(arg, "always"))
		style->color = 1;
	else if (!strcmp(arg, "never"))
		style->color = 0;
	else if (strcmp(arg, "auto"))
		return hl_fail(d, HL_ERR_USAGE, "--color: '%s' is none of auto, always, never", arg);
	return 1;
}

static int parse_blame(struct hl_query *q, const char *file, struct hl_diag *d)
{
	char *rules = NULL;
	int err;

	hl_blame_free(q->blame);
	q->blame = NULL;
	if (file) {
		struct hl_diag why;
		uint8_t *bytes;
		size_t n;

		err = hl_read_file(file, RULES_BYTES_MAX, &bytes, &n, &why);
		if (err)
			return hl_fail(d, HL_ERR_USAGE, "--blame-rules: %.400s", why.text);
		rules = (char *)bytes; /* hl_read_file adds a NUL */
	}
	err = hl_blame_new(&q->blame, rules, file, d);
	free(rules);
	return err ? err : 1;
}

static int parse_format(struct hl_query *q, const char *arg, struct hl_diag *d)
{
	const struct hl_format *f = hl_format_find(arg);

	if (!f)
		return hl_fail(d, HL_ERR_USAGE, "--format: '%s' is none of text, json, csv", arg);
	q->format = f;
	return 1;
}

static int parse_realloc(struct hl_query *q, const char *arg, struct hl_diag *d)
{
	q->origin = !strcmp(arg, "origin");
	if (!q->origin && strcmp(arg, "latest"))
		return hl_fail(d, HL_ERR_USAGE, "--realloc: '%s' is none of latest, origin", arg);
	return 1;
}

static int parse_path_map(struct hl_query *q, const char *arg, struct hl_diag *d)
{
	if (!strchr(arg, '=') || *arg == '=')
		return hl_fail(d, HL_ERR_USAGE, "--path-map: '%s' is not OLD=NEW", arg);
	hl_words_add(&q->path_maps, arg);
	return 1;
}

static int filter_option(struct hl_query *q, int id, const char *arg, struct hl_diag *d)
{
	int err = HL_OK;

	switch (id) {
	case HL_Q_INCLUDE:
		hl_filter_add(&q->filter.include, arg, 1);
		break;
	case HL_Q_EXCLUDE:
		hl_filter_add(&q->filter.exclude, arg, 1);
		break;
	case HL_Q_ALL_FRAMES:
		q->filter.all_frames = 1;
		break;
	case HL_Q_THREAD:
		hl_filter_add(&q->filter.threads, arg, 0);
		break;
	case HL_Q_MODULE:
		hl_filter_add(&q->filter.modules, arg, 0);
		break;
	case HL_Q_DOMAIN:
		err = hl_filter_add_kind(&q->filter, arg, d);
		break;
	case HL_Q_MIN_SIZE:
		err = hl_parse_size(arg, "min-size", &q->min_size, d);
		break;
	case HL_Q_SINCE:
		q->since = arg;
		break;
	case HL_Q_BLAME:
		return q->blame ? 1 : parse_blame(q, NULL, d);
	case HL_Q_BLAME_RULES:
		return parse_blame(q, arg, d);
	case HL_Q_REALLOC:
		return parse_realloc(q, arg, d);
	default:
		return 0;
	}
	return err ? err : 1;
}

static int symbol_option(struct hl_query *q, int id, const char *arg, struct hl_diag *d)
{
	switch (id) {
	case HL_Q_DEBUG_DIR:
		hl_words_add(&q->debug_dirs, arg);
		return 1;
	case HL_Q_SYSROOT:
		q->sysroot = arg;
		return 1;
	case HL_Q_PATH_MAP:
		return parse_path_map(q, arg, d);
	case HL_Q_NO_INLINES:
		q->no_inlines = 1;
		return 1;
	case HL_Q_PERF_MAP:
		q->perf_map = arg;
		return 1;
	default:
		return 0;
	}
}

int hl_query_option(struct hl_query *q, int id, const char *arg, struct hl_diag *d)
{
	unsigned long v = 0;
	int err = HL_OK;

	switch (id) {
	case HL_Q_BY:
		err = hl_by_parse(arg, &q->grouping.by, d);
		break;
	case HL_Q_CUMULATIVE:
		q->grouping.cumulative = 1;
		break;
	case HL_Q_DEDUP:
		q->grouping.dedup = 1;
		break;
	case 'n':
		err = hl_parse_uint(arg, "number", 0, UINT64_MAX, &v, d);
		q->style.limit = v;
		break;
	case HL_Q_LIMIT:
		return parse_limit(&q->style, arg, d);
	case HL_Q_MOST_RECENT_FIRST:
		q->style.most_recent_first = 1;
		break;
	case HL_Q_FORMAT:
		return parse_format(q, arg, d);
	case HL_Q_SORT:
		err = hl_sort_parse(arg, &q->sort, d);
		break;
	case HL_Q_ERROR_STATUS:
		err = hl_parse_uint(arg, "error-exitcode", 0, 255, &q->error_status, d);
		break;
	case HL_Q_HEURISTICS:
		err = hl_heuristics_parse(arg, "heuristics", &q->heuristics, d);
		break;
	case HL_Q_COLOR:
		return parse_color(&q->style, arg, d);
	case HL_Q_NO_PAGER:
		q->pager = 0;
		break;
	default:
		err = filter_option(q, id, arg, d);
		return err ? err : symbol_option(q, id, arg, d);
	}
	return err ? err : 1;
}

int hl_check_operands(const struct hl_verb *v, int argc, char **argv, int first, int operands,
		      struct hl_diag *d)
{
	if (operands == HL_OPERANDS_MANY)
		operands = argc > first ? argc - first : 1;
	if (argc - first < operands)
		return hl_fail(d, HL_ERR_USAGE, "%s: needs %s; see heapledger %s --help", v->name,
			       v->operands, v->name);
	if (argc - first > operands)
		return hl_fail(d, HL_ERR_USAGE, "%s: one operand too many: '%.200s'", v->name,
			       argv[first + operands]);
	return HL_OK;
}

int hl_query_parse(struct hl_query *q, const struct hl_verb *v, int argc, char **argv, int operands,
		   int *first, struct hl_diag *d)
{
	struct hl_options o;
	const char *arg;
	int id, err = HL_OK;

	hl_options_start(&o, v, argc, argv);
	while ((id = hl_options_next(&o, &arg, d)) > 0)
		if (!err && (err = hl_query_option(q, id, arg, d)) > 0)
			err = HL_OK;
	if (err || id)
		return err ? err : id;
	*first = o.next;
	return hl_check_operands(v, argc, argv, o.next, operands, d);
}
