/*
 * snapref.c - TRACE@SNAP on the command line.  Floor: cli.
 */
#include "analyzer/cli/snapref.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int hl_snapref_split(const char *operand, char **path, char **snap, struct hl_diag *d)
{
	const char *sep = strrchr(operand, '@');
	char *whole = hl_xstrdup(operand);

	*snap = NULL;
	*path = whole;
	if (!sep || !access(operand, F_OK))
		return HL_OK;
	whole[sep - operand] = '\0';
	if (access(whole, F_OK)) {
		whole[sep - operand] = '@';
		return HL_OK;
	}
	if (!sep[1]) {
		free(whole);
		*path = NULL;
		return hl_fail(d, HL_ERR_USAGE, "%s: no snapshot after the '@'", operand);
	}
	*snap = hl_xstrdup(sep + 1);
	return HL_OK;
}

static int find_peak(struct hl_trace *t, uint64_t *until, struct hl_diag *d)
{
	static const struct hl_sink none;
	struct hl_replay_counts counts;
	int err = hl_replay(t, UINT64_MAX, &none, NULL, &counts, d);

	if (!err)
		*until = counts.peak_stamp;
	return err;
}

int hl_snapref_resolve(struct hl_trace *t, const char *snap, uint64_t *until, struct hl_snapshot_ref *ref,
		       struct hl_diag *d)
{
	struct hl_snapshots all;
	const struct hl_snapshot *s;
	int err = HL_OK;

	ref->number = 0;
	if (!snap || !strcmp(snap, "end")) {
		*until = UINT64_MAX;
		ref->at = "end";
		ref->label = hl_xstrdup("");
		return HL_OK;
	}
	if (!strcmp(snap, "peak")) {
		err = find_peak(t, until, d);
		if (err)
			return err;
		ref->at = "peak";
		ref->label = hl_xstrdup("");
		return HL_OK;
	}
	hl_snapshots_list(t, &all);
	s = hl_snapshots_find(&all, snap);
	if (s) {
		*until = s->stamp;
		ref->at = "mark";
		ref->number = s->number;
		ref->label = hl_xstrdup(s->label);
	} else {
		err = hl_fail(d, HL_ERR_NOTFOUND,
			      "%s: no snapshot '%s' among its %zu; see heapledger snapshots",
			      hl_trace_path(t), snap, all.n);
	}
	hl_snapshots_release(&all);
	return err;
}
