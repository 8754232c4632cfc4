/*
 * diff.c - tracemalloc's compare_to.  Floor: analysis.
 */
#include "analyzer/analysis/diff.h"
#include "analyzer/analysis/order.h"

static uint64_t key64(struct hl_key k)
{
	return (uint64_t)k.a << 32 | k.b;
}

void hl_diff_rows(const struct hl_rows *old, const struct hl_rows *now, struct hl_diff *out)
{
	struct hl_idmap map = {0};

	*out = (struct hl_diff){.by = now->by,
				.names = now->names,
				.no_tid = now->no_tid,
				.old_sum = old->sum,
				.new_sum = now->sum};
	out->row = hl_xcalloc(old->n + now->n + 1, sizeof(*out->row));
	for (size_t i = 0; i < now->n; i++) {
		const struct hl_row *r = &now->row[i];

		hl_idmap_add(&map, key64(r->key), (uint32_t)out->n);
		out->row[out->n++] = (struct hl_diff_row){
			.key = r->key, .new_size = r->stat.size, .new_count = r->stat.count};
	}
	for (size_t i = 0; i < old->n; i++) {
		const struct hl_row *r = &old->row[i];
		uint32_t id = hl_idmap_find(&map, key64(r->key));

		if (id == HL_ID_NONE) {
			id = (uint32_t)out->n++;
			out->row[id].key = r->key;
		}
		out->row[id].old_size = r->stat.size;
		out->row[id].old_count = r->stat.count;
	}
	hl_idmap_release(&map);
	hl_diff_sort(out);
}
