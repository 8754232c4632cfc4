/*
 * capture.h - a call tree as a list of instructions, so that every pattern runs the same code.
 *
 * A function (make_capture.py writes them) reads instructions from w->at: below FUNCTIONS, call that one; OP_TAKE,
 * malloc(48) and free; OP_RETURN, return.  The list alone decides which stacks the captures see.
 */
#include <stdint.h>
#include <stdlib.h>

#define FUNCTIONS 208
#define OP_TAKE   0xfffe
#define OP_RETURN 0xffff

struct walk;
typedef void function(struct walk *);

/* One thread's. */
struct walk {
	const uint16_t *at;
	function *const *call; /* [FUNCTIONS] */
	unsigned long salt[5];
};

/* What is kept must be in the frame on both sides of the calls: it gives the function its saved registers and
 * its size. */
#define KEEP_VALUE(x)  __asm__ volatile("" : "+r"(x))
#define KEEP_MEMORY(p) __asm__ volatile("" : : "r"(p) : "memory")

static inline __attribute__((always_inline)) void take(struct walk *w)
{
	char *p = malloc(48);

	/* a program writes what it allocates */
	*p = (char)w->salt[0];
	KEEP_MEMORY(p);
	free(p);
}

/* NULL-terminated. */
extern function *const main_functions[], *const a_functions[], *const b_functions[];
