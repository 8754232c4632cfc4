/*
 * cfi.h - call frame information of a return address: how to get from a frame to its caller.  Floor 2.
 *
 * Source: DWARF 5 section 6.4; LSB "Exception Frames" (.eh_frame, .eh_frame_hdr); registers: cpu.h.  Reads only the object's own read-only sections; no lock, no allocation, no libc call.
 */
#ifndef HL_PRELOAD_CFI_H
#define HL_PRELOAD_CFI_H

#include "preload/cpu.h"
#include <stdint.h>

enum hl_rule_kind {
	HL_RULE_SAME, /* unchanged (also: unspecified) */
	HL_RULE_UNDEFINED,
	HL_RULE_OFFSET,     /* saved at CFA + value */
	HL_RULE_VAL_OFFSET, /* is CFA + value */
	HL_RULE_REGISTER,   /* is in register value */
	HL_RULE_EXPR,       /* saved at the address of expression */
	HL_RULE_VAL_EXPR    /* is the value of expression */
};

struct hl_rule {
	uint8_t kind;
	int32_t value; /* offset, register, or: expression at base + value, see hl_cfi.expr_base */
};

struct hl_row {
	uint8_t cfa_is_expr;
	uint8_t cfa_reg;
	int32_t cfa_value; /* offset, or expression as in hl_rule */
	struct hl_rule reg[HL_REGS];
};

/* Scratch and result of one look-up: too big for a signal handler's stack, the caller brings it. */
struct hl_cfi {
	struct hl_row row;
	struct hl_row initial;
	struct hl_row saved[4];   /* remember_state */
	uint64_t next[HL_REGS];   /* of who steps by it */
	const uint8_t *expr_base; /* expressions start here + value, with their uleb length */
	uint8_t signal_frame, has_augmentation;
	/* of the CIE and FDE being read */
	uint64_t code_align;
	int64_t data_align;
	uint64_t func_start, func_end;
	const uint8_t *cie_insns, *cie_end, *fde_insns, *fde_end;
};

/* The row that holds at pc (an address inside the call instruction). 0, or -1: no CFI, or a form that is not
 * understood. */
int hl_cfi_find(struct hl_cfi *c, uint64_t pc);

/* Evaluate an expression on those of regs that `known` has a bit for, with initial stack value `push`; reads memory by read, which returns 0
 * when the address may not be read.  0 and *value, or -1: also when it needs an unknown register. */
int hl_cfi_eval(const struct hl_cfi *c, int32_t expr, const uint64_t regs[HL_REGS], uint64_t known,
		uint64_t push, int has_push, int (*read)(void *ctx, uint64_t address, uint64_t *value),
		void *ctx, uint64_t *value);

#endif
