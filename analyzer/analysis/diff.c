/*
 * diff.c - tracemalloc's compare_to.  Floor: analysis.
 */
#include "analyzer/analysis/diff.h"
#include "analyzer/analysis/order.h"
#include "analyzer/model/sample.h"

static uint64_t key64(struct hl_key k)
{
	return (uint64_t)k.a << 32 | k.b;
}

static void set_errors(const struct hl_errors *old, const struct hl_errors *now, double *size, double *count)
{
	*size = hl_sample_error(old->size * old->size + now->size * now->size -
				2 * (old->shared_size + now->shared_size));
	*count = hl_sample_error(old->count * old->count + now->count * now->count -
				 2 * (old->shared_count + now->shared_count));
}

void hl_diff_rows(const struct hl_rows *old, const struct hl_rows *now, struct hl_diff *out)
{
	static const struct hl_errors none;
	struct hl_idmap map = {0};

	*out = (struct hl_diff){.by = now->by,
				.names = now->names,
				.no_tid = now->no_tid,
				.old_sum = old->sum,
				.new_sum = now->sum,
				.old_sum_error = old->sum_error,
				.new_sum_error = now->sum_error,
				.sampled = old->sample_bytes || now->sample_bytes};
	set_errors(&old->sum_error, &now->sum_error, &out->sum_size_error, &out->sum_count_error);
	out->row = hl_xcalloc(old->n + now->n + 1, sizeof(*out->row));
	for (size_t i = 0; i < now->n; i++) {
		const struct hl_row *r = &now->row[i];

		struct hl_diff_row *row = &out->row[out->n];

		hl_idmap_add(&map, key64(r->key), (uint32_t)out->n++);
		*row = (struct hl_diff_row){
			.key = r->key, .new_size = r->stat.size, .new_count = r->stat.count};
		set_errors(&none, &r->error, &row->size_error, &row->count_error);
	}
	for (size_t i = 0; i < old->n; i++) {
		const struct hl_row *r = &old->row[i];
		uint32_t id = hl_idmap_find(&map, key64(r->key));
		double size_error, count_error;

		/* rows of the new side are the first of out, in their order */
		set_errors(&r->error, id == HL_ID_NONE ? &none : &now->row[id].error, &size_error,
			   &count_error);
		if (id == HL_ID_NONE) {
			id = (uint32_t)out->n++;
			out->row[id].key = r->key;
		}
		out->row[id].size_error = size_error;
		out->row[id].count_error = count_error;
		out->row[id].old_size = r->stat.size;
		out->row[id].old_count = r->stat.count;
	}
	hl_idmap_release(&map);
	hl_diff_sort(out);
}
