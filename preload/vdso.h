/*
 * vdso.h - the kernel's clocks, read where no other preloaded library stands before them.  Floor 0.
 *
 * libfaketime and its kin replace clock_gettime: stamps would not be in order, and a wait on a clock that stands
 * still would not end.  Here the vDSO's function is called, which the kernel maps into each process, or the kernel itself.
 * Sources: vdso(7); Linux tools/testing/selftests/vDSO/parse_vdso.c for what the image has.
 */
#ifndef HL_PRELOAD_VDSO_H
#define HL_PRELOAD_VDSO_H

#include <stdint.h>

/* While starting; before it the kernel is called. */
void hl_vdso_init(void);
/* Nanoseconds of that clock. */
uint64_t hl_vdso_clock(int clock);

#endif
