/*
 * gateway.h - the library's system calls, counted, and one of them failed.  Included before every file of a
 * build of the library that only tests/fault/system_calls.py uses: the shipped one has nothing of it.
 *
 * A file named by HEAPLEDGER_FAULT, shared by all processes of a run, says which call fails and how.
 */
#ifndef HL_TESTS_FAULT_GATEWAY_H
#define HL_TESTS_FAULT_GATEWAY_H

#include "preload/sys.h"
#include <stdatomic.h>

#define HL_FAULT_LISTED 4096u

struct hl_fault {
	_Atomic uint32_t count;                    /* calls so far, of all processes */
	uint32_t at;                               /* the number of the call that fails, from 1; 0: none */
	int32_t error;                             /* positive */
	uint32_t failed;                           /* 1: it did */
	_Atomic uint16_t numbers[HL_FAULT_LISTED]; /* of the calls, in the order in which they were made */
};

long hl_fault_sys6(long n, long a, long b, long c, long d, long e, long f);

static inline long hl_fault_sys4(long n, long a, long b, long c, long d)
{
	return hl_fault_sys6(n, a, b, c, d, 0, 0);
}

#ifndef HL_FAULT_GATEWAY
#define hl_sys6 hl_fault_sys6
#define hl_sys4 hl_fault_sys4
#endif

#endif
