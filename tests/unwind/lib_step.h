/*
 * lib_step.h - the processor's trap flag, by functions whose CFI holds at every instruction.
 */
#ifndef HL_LIB_STEP_H
#define HL_LIB_STEP_H

void step_on(void), step_off(void);

#define STEP(name, change)                                                                                   \
	__asm__(".pushsection .text\n.local " #name "\n.type " #name ", @function\n" #name                   \
		":\n.cfi_startproc\n"                                                                        \
		"pushfq\n.cfi_adjust_cfa_offset 8\n" change ", (%rsp)\npopfq\n.cfi_adjust_cfa_offset -8\n"   \
		"ret\n.cfi_endproc\n.size " #name ", . - " #name "\n.popsection")

STEP(step_on, "orq $0x100");
STEP(step_off, "andq $~0x100");

#endif
