/*
 * valgrind_put.c - loss records, in memcheck's words.  Floor: report.
 */
#include "analyzer/report/valgrind_put.h"
#include "analyzer/base/diag.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static uint64_t size_of(const struct hl_loss *l)
{
	return l->bytes + l->indirect_bytes;
}

/* Of equal size in the order they came in, which are parts of one array. */
static int smaller_first(const void *x, const void *y)
{
	const struct hl_loss *a = ((const struct hl_vg_record *)x)->loss,
			     *b = ((const struct hl_vg_record *)y)->loss;

	if (size_of(a) != size_of(b))
		return size_of(a) < size_of(b) ? -1 : 1;
	return a < b ? -1 : a > b;
}

struct hl_vg_record *hl_vg_records(const struct hl_losses *p, const struct hl_style *style, size_t *n)
{
	struct hl_vg_record *r = hl_xcalloc(p->n + 1, sizeof(*r));
	size_t kept = 0, shown;

	for (size_t i = 0; i < p->n; i++)
		r[i].loss = &p->loss[i];
	qsort(r, p->n, sizeof(*r), smaller_first);
	for (size_t i = 0; i < p->n; i++) {
		r[i].number = i + 1;
		if (!r[i].loss->suppression)
			r[kept++] = r[i];
	}
	shown = hl_report_rows(kept, style->limit);
	memmove(r, r + (kept - shown), shown * sizeof(*r));
	*n = shown;
	return r;
}

void hl_vg_put_number(FILE *out, uint64_t v)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%" PRIu64, v);

	for (int i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0)
			fputc(',', out);
		fputc(text[i], out);
	}
}

void hl_vg_put_what(FILE *out, const struct hl_losses *p, const struct hl_vg_record *r)
{
	static const char *const lost[HL_LEAK_KINDS] = {
		"definitely lost",
		"indirectly lost",
		"possibly lost",
		"still reachable",
	};
	const struct hl_loss *l = r->loss;

	hl_vg_put_number(out, size_of(l));
	if (l->indirect_bytes) {
		fputs(" (", out);
		hl_vg_put_number(out, l->bytes);
		fputs(" direct, ", out);
		hl_vg_put_number(out, l->indirect_bytes);
		fputs(" indirect)", out);
	}
	fputs(" bytes in ", out);
	hl_vg_put_number(out, l->blocks);
	fprintf(out, " blocks are %s in loss record ", lost[l->kind]);
	hl_vg_put_number(out, r->number);
	fputs(" of ", out);
	hl_vg_put_number(out, p->n);
}

void hl_vg_suppressed(const struct hl_losses *p, size_t *losses, size_t *suppressions)
{
	*losses = *suppressions = 0;
	for (size_t i = 0; i < p->n; i++)
		*losses += p->loss[i].suppression != 0;
	for (size_t i = 0; i < p->nused; i++)
		*suppressions += p->used[i].blocks && !p->used[i].over;
}

static struct hl_vg_frame frame_of(const struct hl_names *n, uint32_t frame)
{
	const struct hl_name_frame *f = hl_names_frame_at(n, frame);
	struct hl_vg_frame v = {0};

	if (f->kind != HL_NAME_UNKNOWN)
		v.obj = hl_names_string(n, f->module);
	if (f->kind == HL_NAME_LINE || f->kind == HL_NAME_FUNCTION)
		v.fn = hl_names_string(n, f->function);
	if (f->kind == HL_NAME_LINE) {
		v.file = hl_names_string(n, f->file);
		v.line = f->line;
	}
	return v;
}

void hl_vg_frames(const struct hl_losses *p, const struct hl_loss *l, const struct hl_check_style *style,
		  void (*f)(void *ctx, size_t i, const struct hl_vg_frame *frame), void *ctx)
{
	size_t most =
		style->rows.has_frames && style->rows.frames > 0 ? (size_t)style->rows.frames : SIZE_MAX;
	struct hl_vg_frame frame = {.obj = style->library ? style->library : "libheapledger.so",
				    .fn = l->function};
	size_t i = 0, k = 0;

	if (l->function)
		f(ctx, i++, &frame);
	for (uint32_t t = l->traceback; t && i < most; t = hl_names_older(p->names, t), k++) {
		frame = frame_of(p->names, hl_names_newest(p->names, t));
		frame.ip = l->addresses ? l->addresses[k] : 0;
		f(ctx, i++, &frame);
	}
	if (!i) {
		frame = (struct hl_vg_frame){0};
		f(ctx, 0, &frame);
	}
}
