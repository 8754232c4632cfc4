/*
 * verb_extract.c - heapledger extract: one moment of a trace as a small file of its own.  Floor: cli.
 */
#include "analyzer/cli/files.h"
#include "analyzer/cli/notes.h"
#include "analyzer/cli/subject.h"
#include "analyzer/cli/verbs.h"
#include <stdlib.h>
#include <string.h>

enum { OPT_FORCE = HL_Q_OWN, OPT_ALL };

static const struct hl_option options[] = {
	{'o', "output", "FILE", "write to FILE (required), for instance base.hls"},
	{OPT_FORCE, "force", NULL, "replace FILE when it exists"},
	{OPT_ALL, "all", NULL, "also sites with nothing live: totals need them"},
	{HL_Q_REALLOC, "realloc", "WHICH", "latest (default) or origin: whose stack a grown block has"},
	HL_SYMBOL_OPTIONS,
	{0}};

struct request {
	struct hl_query q;
	const char *output;
	int force, all;
};

static int parse(struct request *r, const struct hl_verb *v, int argc, char **argv, int *first,
		 struct hl_diag *d)
{
	struct hl_options o;
	const char *arg;
	int id, err = HL_OK;

	hl_options_start(&o, v, argc, argv);
	while ((id = hl_options_next(&o, &arg, d)) > 0) {
		if (err < 0)
			continue;
		if (id == 'o')
			r->output = arg;
		else if (id == OPT_FORCE)
			r->force = 1;
		else if (id == OPT_ALL)
			r->all = 1;
		else
			err = hl_query_option(&r->q, id, arg, d);
	}
	if (id < 0 || err < 0)
		return err < 0 ? err : id;
	*first = o.next;
	if (!r->output)
		return hl_fail(d, HL_ERR_USAGE, "extract: needs -o FILE");
	return hl_check_operands(v, argc, argv, o.next, 1, d);
}

static void describe(struct hl_subject *s, int all)
{
	const struct hl_process *p = &hl_trace_facts(s->trace)->process;

	s->provenance = (struct hl_provenance){.version = hl_xstrdup(HL_VERSION),
					       .trace = hl_xstrdup(s->path),
					       .exe = hl_xstrdup(p->exe ? p->exe : ""),
					       .cmdline = hl_xstrdup(p->cmdline ? p->cmdline : ""),
					       .at = hl_xstrdup(s->ref.at),
					       .label = hl_xstrdup(s->ref.label),
					       .image = hl_trace_header(s->trace)->image_id,
					       .pid = p->pid,
					       .number = s->ref.number,
					       .seconds = s->ref.seconds,
					       .complete = all,
					       .totals = s->totals};
	hl_subject_uuid(s, s->provenance.uuid);
}

/* A failure to write is no failure to read: it has its own status. */
static int save(const struct hl_subject *s, const struct request *r, struct hl_diag *d)
{
	uint8_t *bytes;
	size_t n;
	int err = hl_snapfile_write(&s->provenance, &s->heap, &bytes, &n, d);

	if (err)
		return err;
	err = hl_write_file(r->output, bytes, n, r->force, d);
	free(bytes);
	if (!err)
		return 0;
	hl_error(d->text);
	return 1;
}

static int extract(struct hl_cli *cli, const struct hl_verb *verb, int argc, char **argv, struct hl_diag *d)
{
	struct hl_names *names = hl_names_new();
	struct request r = {0};
	struct hl_subject s = {0};
	int first = 0, err;

	hl_query_init(&r.q, cli);
	err = parse(&r, verb, argc, argv, &first, d);
	if (!err)
		err = hl_subject_open(&s, argv[first], &r.q, names, d);
	if (!err && !s.trace)
		err = hl_fail(d, HL_ERR_USAGE, "%s: is an extracted snapshot already", s.path);
	if (!err)
		err = hl_subject_load(&s, &r.q, NULL, cli->progress, d);
	if (!err) {
		describe(&s, r.all);
		err = save(&s, &r, d);
	}
	if (err >= 0 && hl_notes_warnings(&s) && !err)
		err = 4;
	hl_subject_release(&s);
	hl_query_release(&r.q);
	hl_names_free(names);
	return err;
}

const struct hl_verb hl_verb_extract = {.name = "extract",
					.summary = "save one moment of a trace as a small file of its own",
					.operands = "TRACE[@SNAP]",
					.options = options,
					.main = extract};
