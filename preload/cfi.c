/*
 * cfi.c - .eh_frame_hdr search, CIE and FDE, the row at a pc, expressions.
 *
 * Only the encodings that linkers write for .eh_frame_hdr are searched (pc-relative and data-relative
 * sdata4, sorted); whatever else is "not understood", and the caller falls back.
 */
#include "preload/cfi.h"
#include "preload/object.h"
#include "preload/sys.h"

struct cursor {
	const uint8_t *p, *end;
	uint8_t bad;
};

static uint64_t take(struct cursor *c, unsigned n)
{
	uint64_t v = 0;

	if ((uint64_t)(c->end - c->p) < n) {
		c->bad = 1;
		c->p = c->end;
		return 0;
	}
	for (unsigned i = 0; i < n; i++)
		v |= (uint64_t)c->p[i] << (8 * i);
	c->p += n;
	return v;
}

static uint64_t uleb(struct cursor *c)
{
	uint64_t v = 0;

	for (unsigned shift = 0; c->p < c->end; shift += 7) {
		uint8_t b = *c->p++;

		if (shift < 64)
			v |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			return v;
	}
	c->bad = 1;
	return 0;
}

static int64_t sleb(struct cursor *c)
{
	uint64_t v = 0;
	unsigned shift = 0;

	while (c->p < c->end) {
		uint8_t b = *c->p++;

		if (shift < 64)
			v |= (uint64_t)(b & 0x7f) << shift;
		shift += 7;
		if (!(b & 0x80)) {
			if (shift < 64 && b & 0x40)
				v |= ~0ull << shift;
			return (int64_t)v;
		}
	}
	c->bad = 1;
	return 0;
}

/* DW_EH_PE encodings (LSB): format in the low nibble, base in bits 4-6, 0x80 indirect. */
static uint64_t encoded(struct cursor *c, uint8_t enc)
{
	uint64_t at = (uint64_t)(uintptr_t)c->p, v;

	if (enc == 0xff)
		return 0;
	switch (enc & 0x0f) {
	case 0x00:
	case 0x04:
	case 0x0c:
		v = take(c, 8);
		break;
	case 0x01:
		v = uleb(c);
		break;
	case 0x09:
		v = (uint64_t)sleb(c);
		break;
	case 0x02:
		v = take(c, 2);
		break;
	case 0x0a:
		v = (uint64_t)(int64_t)(int16_t)take(c, 2);
		break;
	case 0x03:
		v = take(c, 4);
		break;
	case 0x0b:
		v = (uint64_t)(int64_t)(int32_t)take(c, 4);
		break;
	default:
		c->bad = 1;
		return 0;
	}
	switch (enc & 0x70) {
	case 0x00:
		break;
	case 0x10:
		v += at;
		break;
	default:
		c->bad = 1;
	}
	if (enc & 0x80)
		c->bad = 1; /* never for FDE addresses */
	return v;
}

/* The FDE whose function may hold pc, NULL none. */
static const uint8_t *search(const uint8_t *hdr, uint64_t pc)
{
	uint32_t n, low = 0, high;
	const int32_t *table;

	if (hdr[0] != 1 || hdr[1] != 0x1b || hdr[2] != 0x03 || hdr[3] != 0x3b)
		return NULL;
	n = *(const uint32_t *)(hdr + 8);
	table = (const int32_t *)(const void *)(hdr + 12);
	high = n;
	/* entries: function start and FDE, both relative to the header, sorted by start */
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if ((uint64_t)(uintptr_t)hdr + (uint64_t)(int64_t)table[2 * mid] <= pc)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? hdr + table[2 * (low - 1) + 1] : NULL;
}

static int read_cie(struct hl_cfi *c, const uint8_t *cie, uint8_t *fde_enc)
{
	struct cursor k = {cie, cie + 4, 0};
	uint64_t length = take(&k, 4), ra, aug_bytes;
	const uint8_t *aug, *aug_data_end;
	uint8_t version;

	if (length == 0 || length >= 0xfffffff0)
		return -1;
	k.end = k.p + length;
	c->cie_end = k.end;
	if (take(&k, 4) != 0)
		return -1;
	version = (uint8_t)take(&k, 1);
	if (version != 1 && version != 3)
		return -1;
	aug = k.p;
	while (k.p < k.end && *k.p)
		k.p++;
	k.p++;
	c->code_align = uleb(&k);
	c->data_align = sleb(&k);
	ra = version == 1 ? take(&k, 1) : uleb(&k);
	if (k.bad || ra != HL_REG_RA)
		return -1;
	*fde_enc = 0;
	c->signal_frame = 0;
	c->has_augmentation = *aug == 'z';
	if (*aug == 0) {
		c->cie_insns = k.p;
		return 0;
	}
	if (*aug++ != 'z')
		return -1;
	aug_bytes = uleb(&k);
	if (k.bad || aug_bytes > (uint64_t)(k.end - k.p))
		return -1;
	aug_data_end = k.p + aug_bytes;
	for (; *aug; aug++) {
		uint8_t enc;

		switch (*aug) {
		case 'R':
			*fde_enc = (uint8_t)take(&k, 1);
			break;
		case 'P':
			enc = (uint8_t)take(&k, 1);
			encoded(&k, enc & 0x0f); /* skipped, only its size counts */
			break;
		case 'L':
			take(&k, 1);
			break;
		case 'S':
			c->signal_frame = 1;
			break;
		case 'B':
			break;
		default:
			return -1;
		}
	}
	if (k.bad)
		return -1;
	c->cie_insns = aug_data_end;
	return 0;
}

static int read_fde(struct hl_cfi *c, const uint8_t *fde, uint64_t pc)
{
	struct cursor k = {fde, fde + 4, 0};
	uint64_t length = take(&k, 4), cie_off, range, aug_bytes;
	const uint8_t *id;
	uint8_t enc;

	if (length == 0 || length >= 0xfffffff0)
		return -1;
	k.end = k.p + length;
	id = k.p;
	cie_off = take(&k, 4);
	if (cie_off == 0 || read_cie(c, id - cie_off, &enc) < 0)
		return -1;
	c->func_start = encoded(&k, enc);
	range = encoded(&k, enc & 0x0f);
	c->func_end = c->func_start + range;
	if (k.bad || pc - c->func_start >= range)
		return -1;
	if (c->has_augmentation) {
		aug_bytes = uleb(&k);
		if (k.bad || aug_bytes > (uint64_t)(k.end - k.p))
			return -1;
		k.p += aug_bytes;
	}
	c->fde_insns = k.p;
	c->fde_end = k.end;
	return 0;
}

static void set(struct hl_cfi *c, uint64_t reg, enum hl_rule_kind kind, int64_t value)
{
	if (reg < HL_REGS) {
		c->row.reg[reg].kind = (uint8_t)kind;
		c->row.reg[reg].value = (int32_t)value;
	}
}

static int32_t block(struct hl_cfi *c, struct cursor *k)
{
	int32_t at = (int32_t)(k->p - c->expr_base);
	uint64_t n = uleb(k);

	if (n > (uint64_t)(k->end - k->p)) {
		k->bad = 1;
		return 0;
	}
	k->p += n;
	return at;
}

static void set_block(struct hl_cfi *c, struct cursor *k, enum hl_rule_kind kind)
{
	uint64_t reg = uleb(k);

	set(c, reg, kind, block(c, k));
}

/* By words: a compiler makes an assignment of this size a call of memcpy. */
static void copy(struct hl_row *to, const struct hl_row *from)
{
	to->cfa_is_expr = from->cfa_is_expr;
	to->cfa_reg = from->cfa_reg;
	to->cfa_value = from->cfa_value;
	for (unsigned i = 0; i < HL_REGS; i++)
		to->reg[i] = from->reg[i];
}

/* Run instructions until the location passes pc. */
static int run(struct hl_cfi *c, const uint8_t *insns, const uint8_t *end, uint64_t pc)
{
	struct cursor k = {insns, end, 0};
	uint64_t loc = c->func_start, reg;
	unsigned depth = 0;

	while (k.p < k.end && loc <= pc) {
		uint8_t op = *k.p++;

		switch (op >> 6) {
		case 1: /* advance_loc */
			loc += (op & 0x3f) * c->code_align;
			continue;
		case 2: /* offset */
			set(c, op & 0x3f, HL_RULE_OFFSET, (int64_t)uleb(&k) * c->data_align);
			continue;
		case 3: /* restore */
			if ((op & 0x3f) < HL_REGS)
				c->row.reg[op & 0x3f] = c->initial.reg[op & 0x3f];
			continue;
		}
		switch (op) {
		case 0x00: /* nop */
			break;
		case 0x01: /* set_loc: not in .eh_frame of any compiler */
			return -1;
		case 0x02:
			loc += take(&k, 1) * c->code_align;
			break;
		case 0x03:
			loc += take(&k, 2) * c->code_align;
			break;
		case 0x04:
			loc += take(&k, 4) * c->code_align;
			break;
		case 0x05: /* offset_extended */
			reg = uleb(&k);
			set(c, reg, HL_RULE_OFFSET, (int64_t)uleb(&k) * c->data_align);
			break;
		case 0x06: /* restore_extended */
			reg = uleb(&k);
			if (reg < HL_REGS)
				c->row.reg[reg] = c->initial.reg[reg];
			break;
		case 0x07:
			set(c, uleb(&k), HL_RULE_UNDEFINED, 0);
			break;
		case 0x08:
			set(c, uleb(&k), HL_RULE_SAME, 0);
			break;
		case 0x09: /* register */
			reg = uleb(&k);
			set(c, reg, HL_RULE_REGISTER, (int64_t)uleb(&k));
			break;
		case 0x0a: /* remember_state */
			if (depth == sizeof c->saved / sizeof c->saved[0])
				return -1;
			copy(&c->saved[depth++], &c->row);
			break;
		case 0x0b: /* restore_state */
			if (depth == 0)
				return -1;
			copy(&c->row, &c->saved[--depth]);
			break;
		case 0x0c: /* def_cfa */
			c->row.cfa_reg = (uint8_t)uleb(&k);
			c->row.cfa_value = (int32_t)uleb(&k);
			c->row.cfa_is_expr = 0;
			break;
		case 0x0d:
			c->row.cfa_reg = (uint8_t)uleb(&k);
			c->row.cfa_is_expr = 0;
			break;
		case 0x0e:
			c->row.cfa_value = (int32_t)uleb(&k);
			break;
		case 0x0f: /* def_cfa_expression */
			c->row.cfa_value = block(c, &k);
			c->row.cfa_is_expr = 1;
			break;
		case 0x10:
			set_block(c, &k, HL_RULE_EXPR);
			break;
		case 0x11: /* offset_extended_sf */
			reg = uleb(&k);
			set(c, reg, HL_RULE_OFFSET, sleb(&k) * c->data_align);
			break;
		case 0x12: /* def_cfa_sf */
			c->row.cfa_reg = (uint8_t)uleb(&k);
			c->row.cfa_value = (int32_t)(sleb(&k) * c->data_align);
			c->row.cfa_is_expr = 0;
			break;
		case 0x13: /* def_cfa_offset_sf */
			c->row.cfa_value = (int32_t)(sleb(&k) * c->data_align);
			break;
		case 0x14:
			reg = uleb(&k);
			set(c, reg, HL_RULE_VAL_OFFSET, (int64_t)uleb(&k) * c->data_align);
			break;
		case 0x15:
			reg = uleb(&k);
			set(c, reg, HL_RULE_VAL_OFFSET, sleb(&k) * c->data_align);
			break;
		case 0x16:
			set_block(c, &k, HL_RULE_VAL_EXPR);
			break;
		case 0x2e: /* GNU_args_size */
			uleb(&k);
			break;
		default:
			if (!hl_cpu_cfa_ignored(op))
				return -1;
		}
	}
	return k.bad ? -1 : 0;
}

int hl_cfi_find(struct hl_cfi *c, uint64_t pc)
{
	struct hl_object o;
	const uint8_t *fde;

	if (!hl_object_find(pc, &o) || !o.eh_frame_hdr)
		return -1;
	fde = search(o.eh_frame_hdr, pc);
	if (!fde || read_fde(c, fde, pc) < 0)
		return -1;
	c->expr_base = o.eh_frame_hdr;
	for (unsigned i = 0; i < HL_REGS; i++)
		c->row.reg[i] = (struct hl_rule){HL_RULE_SAME, 0};
	c->row.cfa_is_expr = 0;
	c->row.cfa_reg = HL_REG_SP;
	c->row.cfa_value = 0;
	if (run(c, c->cie_insns, c->cie_end, UINT64_MAX) < 0)
		return -1;
	copy(&c->initial, &c->row);
	return run(c, c->fde_insns, c->fde_end, pc);
}
