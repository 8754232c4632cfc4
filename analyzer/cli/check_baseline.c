/*
 * check_baseline.c - the baseline of a check: a file of keys, or an extracted snapshot.  Floor: cli.
 */
#include "analyzer/analysis/baseline_live.h"
#include "analyzer/analysis/snapfile.h"
#include "analyzer/base/buf.h"
#include "analyzer/cli/check.h"
#include "analyzer/cli/files.h"
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX (64u << 20)

static int is_snapshot(const char *file)
{
	uint8_t magic[HL_SNAPFILE_MAGIC_BYTES];

	return hl_snapfile_is(magic, hl_peek_file(file, magic, sizeof(magic)));
}

static int read_snapshot(struct hl_check_job *j, struct hl_diag *d)
{
	struct hl_provenance provenance = {0};
	struct hl_stacks *stacks;
	struct hl_heap heap;
	uint8_t *bytes;
	size_t n;
	int err = hl_read_file(j->baseline, HL_SNAPFILE_BYTES_MAX, &bytes, &n, d);

	if (err)
		return err;
	stacks = hl_stacks_new(j->names, NULL, NULL);
	hl_heap_init(&heap, stacks);
	err = hl_snapfile_read(bytes, n, j->baseline, &provenance, &heap, d);
	if (!err && heap.sample_bytes)
		err = hl_fail(d, HL_ERR_USAGE,
			      "--baseline: %.300s is of a sample, which says what lived by estimate only",
			      j->baseline);
	if (!err)
		hl_baseline_add_live(&j->was, &heap);
	j->baseline_is_live = 1;
	free(bytes);
	hl_provenance_release(&provenance);
	hl_heap_release(&heap);
	hl_stacks_free(stacks);
	return err;
}

int hl_check_baseline_read(struct hl_check_job *j, struct hl_diag *d)
{
	size_t bytes_of_name = j->baseline ? strlen(j->baseline) : 0, n;
	uint8_t *bytes;
	int err;

	if (!j->baseline)
		return HL_OK;
	if (j->update_baseline) {
		if (is_snapshot(j->baseline) ||
		    (bytes_of_name > 4 && !strcmp(j->baseline + bytes_of_name - 4, ".hls")))
			return hl_fail(d, HL_ERR_USAGE,
				       "--update-baseline: %.300s is an extracted snapshot, which heapledger "
				       "extract writes; name another file",
				       j->baseline);
		return HL_OK;
	}
	if (is_snapshot(j->baseline))
		return read_snapshot(j, d);
	err = hl_read_file(j->baseline, FILE_BYTES_MAX, &bytes, &n, d);
	if (err)
		return err;
	err = hl_baseline_parse(&j->was, (const char *)bytes, n, j->baseline, d);
	free(bytes);
	return err;
}

static void compare(struct hl_check_job *j, struct hl_loss *l)
{
	const struct hl_baseline_entry *old;
	enum hl_baseline_state state =
		j->baseline_is_live ? hl_baseline_compare_live(&j->was, &j->now,
							       j->fail_kinds | 1u << l->kind, l->hash, &old)
				    : hl_baseline_compare(&j->was, &j->now, l->kind, l->hash, &old);

	l->state = (enum hl_loss_state)state;
	if (old) {
		l->baseline_bytes = old->bytes;
		l->baseline_blocks = old->blocks;
	}
}

void hl_check_baseline_settle(struct hl_check_job *j)
{
	for (size_t i = 0; i < j->n; i++)
		for (size_t k = 0; k < j->process[i].n; k++) {
			const struct hl_loss *l = &j->process[i].loss[k];

			if (!l->suppression)
				hl_baseline_add(&j->now, l->kind, l->traceback, l->bytes, l->blocks,
						j->names);
		}
	if (!j->baseline || j->update_baseline)
		return;
	for (size_t i = 0; i < j->n; i++) {
		j->process[i].baseline = 1;
		j->process[i].baseline_is_live = j->baseline_is_live;
		for (size_t k = 0; k < j->process[i].n; k++)
			compare(j, &j->process[i].loss[k]);
	}
	if (j->n && !j->baseline_is_live)
		j->process[0].fixed = hl_baseline_mark_fixed(
			&j->was, &j->now, j->fail_kinds | 1u << HL_LEAK_DEFINITE | 1u << HL_LEAK_POSSIBLE);
}

int hl_check_baseline_write(struct hl_check_job *j, struct hl_diag *d)
{
	struct hl_buf out = {0};
	int err;

	hl_baseline_write(&j->now, &out);
	err = hl_write_file(j->baseline, out.data, out.len, 1, d);
	hl_buf_release(&out);
	return err;
}
