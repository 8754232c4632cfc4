/*
 * fixture.c - allocates what tests/golden/fixture.py describes, from the same lines.
 *
 * The stacks must end where the fixture's do: each runs on a context whose first function has no
 * return address and no frame pointer (0 ends every unwinder), on a piece of the thread's own stack.  One block comes from
 * machine code outside every module, so nobody can name its frame.
 * Build: gcc -O0 -g.  Its name in a report is COMPILATION-DIRECTORY/a and so on.
 */
#define _GNU_SOURCE
#include "heapledger.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

static ucontext_t here;
static void *kept[16];
static int nkept;

static void leave(void)
{
	setcontext(&here);
}

static void enter(void (*outermost)(void))
{
	static ucontext_t there;
	char stack[65536] __attribute__((aligned(16)));

	getcontext(&there);
	there.uc_stack.ss_sp = stack;
	there.uc_stack.ss_size = sizeof(stack);
	makecontext(&there, outermost, 0);
#if defined(__x86_64__)
	*(uint64_t *)there.uc_mcontext.gregs[REG_RSP] = 0;
	there.uc_mcontext.gregs[REG_RBP] = 0;
#elif defined(__aarch64__)
	there.uc_mcontext.regs[30] = 0;
	there.uc_mcontext.regs[29] = 0;
#endif
	swapcontext(&here, &there);
}

static void keep_and_leave(void *p)
{
	kept[nkept++] = p;
	leave();
}

/* machine code that calls keep_and_leave(malloc(7)) */
static void (*make_unknown(void))(void)
{
	uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *const targets[2] = { (void *)malloc, (void *)keep_and_leave };
#if defined(__x86_64__)
	static const uint8_t text[] = {
		0x48, 0x83, 0xec, 8,			  /* sub $8,%rsp */
		0xbf, 7,    0,	  0, 0,			  /* mov $7,%edi */
		0x48, 0xb8, 0,	  0, 0, 0, 0, 0, 0, 0,	  /* mov $malloc,%rax */
		0xff, 0xd0,				  /* call *%rax */
		0x48, 0x89, 0xc7,			  /* mov %rax,%rdi */
		0x48, 0xb8, 0,	  0, 0, 0, 0, 0, 0, 0,	  /* mov $keep_and_leave,%rax */
		0xff, 0xd0				  /* call *%rax */
	};

	memcpy(code, text, sizeof(text));
	memcpy(code + 11, &targets[0], 8);
	memcpy(code + 26, &targets[1], 8);
#elif defined(__aarch64__)
	/* mov x0,#7; ldr x16,malloc; blr x16; ldr x16,keep_and_leave; blr x16; nop; the two addresses */
	static const uint32_t text[] = { 0xd28000e0, 0x580000b0, 0xd63f0200, 0x580000b0, 0xd63f0200, 0xd503201f };

	memcpy(code, text, sizeof(text));
	memcpy(code + sizeof(text), targets, sizeof(targets));
	__builtin___clear_cache((char *)code, (char *)code + 64);
#endif
	mprotect(code, 4096, PROT_READ | PROT_EXEC);
	return (void (*)(void))(uintptr_t)code;
}

static size_t size;
static void *(*newest)(void);

/* clang-format off */
#line 2 "a"
static void *a2(void) { return malloc(size) + 0; }
#line 5 "a"
static void *a5(void) { return malloc(size) + 0; }
#line 1 "b"
static void b1(void) { kept[nkept++] = malloc(size); leave(); }
#line 4 "b"
static void b4(void) { kept[nkept++] = newest(); leave(); }
#line 578 "c"
static void c578(void) { kept[nkept++] = malloc(size); leave(); }
#line 1 "rest"
/* clang-format on */

static void allocate(void (*outermost)(void), void *(*innermost)(void), size_t n)
{
	newest = innermost;
	size = n;
	enter(outermost);
}

static void snapshot(const char *label)
{
	if (heapledger_snapshot)
		heapledger_snapshot(label);
}

int main(void)
{
	for (int i = 0; i < 3; i++)
		allocate(b4, a2, 10);
	allocate(b4, a5, 2);
	allocate(b1, NULL, 66);
	enter(make_unknown());
	snapshot("first");
	free(kept[4]);
	free(kept[5]);
	allocate(b4, a5, 5000);
	allocate(c578, NULL, 400);
	snapshot("second");
	return 0;
}
