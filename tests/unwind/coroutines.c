/*
 * Coroutines: two that alternate, many one after the other on one stack at one address, one inside another,
 * and one whose outermost return address changes while nothing else does.
 */
#include "edge.h"
#include <ucontext.h>

#define STACK (1 << 16)

static ucontext_t home, a, b;
static char stack_a[STACK], stack_b[STACK];

FRAME static void both(ucontext_t *me, ucontext_t *other, int n)
{
	for (int i = 0; i < n; i++) {
		TAKE(61); // 500 from both < even; 500 from both < deeper < odd
		swapcontext(me, other);
	}
}

FRAME static void even(void)
{
	both(&a, &b, 500);
	STAY;
}

FRAME static void deeper(int n)
{
	volatile char c[200];

	c[n] = 1;
	both(&b, &a, 500);
	c[0] = c[n];
}

FRAME static void odd(void)
{
	deeper(3);
	STAY;
}

static void start(ucontext_t *c, char *stack, void (*f)(void), ucontext_t *link)
{
	CHECK(getcontext(c) == 0);
	c->uc_stack.ss_sp = stack;
	c->uc_stack.ss_size = STACK;
	c->uc_link = link;
	makecontext(c, f, 0);
}

FRAME static void leaf(void)
{
	TAKE(62); // 100 from leaf < first; 100 from leaf < second; 100 from leaf < outer < main
}

FRAME static void first(void)
{
	volatile long x[3] = {1, 2, 3};

	leaf();
	x[0] = x[1];
}

FRAME static void second(void)
{
	volatile long x[3] = {1, 2, 3};

	leaf();
	x[1] = x[0];
}

FRAME static void inside(void)
{
leaf_of_inside:
	TAKE(63); // 100 from inside < outer_of_inside
	if (home.uc_link == &a)
		goto leaf_of_inside;
}

FRAME static void outer_of_inside(void)
{
	inside();
	STAY;
}

FRAME static void outer(void)
{
	leaf();
	STAY;
}

/* Calls f on a stack of its own, whose outermost word is `above`: there the walk ends or goes on. */
void call_on(void *stack_end, void (*f)(void), unsigned long above), bottom(void);
#if defined(__x86_64__)
__asm__(".pushsection .text.call_on, \"ax\"\n.type call_on, "
	"@function\ncall_on:\n.cfi_startproc\n.cfi_undefined %rip\n"
	"push %rbp\nmov %rsp, %rbp\nmov %rdi, %rsp\nmov %rdx, -8(%rsp)\nlea -16(%rsp), %rsp\n"
	"jmp call_on_it\n.cfi_endproc\n.size call_on, . - call_on\n"
	"call_on_back:\nmov %rbp, %rsp\npop %rbp\nret\n"
	".type call_on_it, @function\ncall_on_it:\n.cfi_startproc\n.cfi_def_cfa_offset 16\ncall *%rsi\njmp "
	"call_on_back\n"
	".cfi_endproc\n.size call_on_it, . - call_on_it\n"
	".type bottom, @function\nbottom:\n.cfi_startproc\n.cfi_undefined %rip\nnop\nnop\nhlt\n.cfi_endproc\n"
	".size bottom, . - bottom\n.popsection");
#else
__asm__(".pushsection .text.call_on, \"ax\"\n.globl call_on, bottom\n.type call_on, @function\n"
	"call_on:\n.cfi_startproc\n.cfi_undefined x30\n"
	"stp x29, x30, [sp, #-16]!\nmov x29, sp\nstr x2, [x0, #-8]\nsub x0, x0, #16\nmov sp, x0\n"
	"b call_on_it\n.cfi_endproc\n.size call_on, . - call_on\n"
	"call_on_back:\nmov sp, x29\nldp x29, x30, [sp], #16\nret\n"
	".type call_on_it, @function\ncall_on_it:\n.cfi_startproc\n.cfi_def_cfa_offset 16\n"
	".cfi_offset x30, -8\nblr x1\nb call_on_back\n.cfi_endproc\n.size call_on_it, . - call_on_it\n"
	".type bottom, @function\nbottom:\n.cfi_startproc\n.cfi_undefined x30\nnop\nnop\nbrk #0\n"
	".cfi_endproc\n.size bottom, . - bottom\n.popsection");
#endif

FRAME static void on_own_stack(void)
{
	TAKE(64); // 400 from on_own_stack < ?
}

int main(void)
{
	start(&b, stack_b, odd, &home);
	start(&a, stack_a, even, &home);
	CHECK(swapcontext(&home, &a) == 0);
	for (volatile int i = 0; i < 100; i++) {
		start(&a, stack_a, first, &home);
		CHECK(swapcontext(&home, &a) == 0);
		start(&a, stack_a, second, &home);
		CHECK(swapcontext(&home, &a) == 0);
		outer();
		start(&a, stack_a, outer_of_inside, &home);
		CHECK(swapcontext(&home, &a) == 0);
		for (int k = 0; k < 4; k++) /* nothing else is captured in between */
			call_on(stack_b + STACK - 64, on_own_stack, k % 2 ? (unsigned long)bottom + 1 : 0);
	}
	return 0;
}
