/*
 * Nothing that an rbp or wrong CFI leads to is touched unasked, on the thread's stack and on another.
 *
 * unwind: alone libunwind follows the wrong CFI to the address 0 and faults
 */
#include "edge.h"
#include <ucontext.h>

#define ASM(name, body)                                                                                      \
	void name(void (*f)(void));                                                                          \
	__asm__(".pushsection .text\n.type " #name ", @function\n" #name ":\n" body "\n"                     \
		".size " #name ", . - " #name "\n.popsection")

ASM(frameless, "sub $8, %rsp\ncall *%rdi\nadd $8, %rsp\nret");
/* rbp is no address at all, one of nothing, of zeros on the stack, of the stack but no frame */
ASM(rbp_is_0, "push %rbp\nxor %ebp, %ebp\ncall *%rdi\npop %rbp\nret");
ASM(rbp_is_odd, "push %rbp\nlea 1(%rsp), %rbp\ncall *%rdi\npop %rbp\nret");
ASM(rbp_is_nowhere, "push %rbp\nmovabs $0x7ffffffff000, %rbp\ncall *%rdi\npop %rbp\nret");
ASM(rbp_is_zeros, "push %rbp\npush $0\npush $0\nmov %rsp, %rbp\ncall *%rdi\nadd $16, %rsp\npop %rbp\nret");
/* the CFA is what lies at the address 0, in CFI that is wrong */
ASM(cfa_is_at_0, ".cfi_startproc\npush %rbp\n.cfi_escape 0x0f, 3, 0x76, 0x78, 6\nmov $8, %ebp\ncall *%rdi\n"
		 "pop %rbp\nret\n.cfi_endproc");
static ucontext_t home, other;

FRAME static void guess_taker(void)
{
	TAKE(52); // 1200 from guess_taker < ? < ...
}

FRAME static void wrong(void)
{
	frameless(guess_taker);
	rbp_is_0(guess_taker);
	rbp_is_odd(guess_taker);
	rbp_is_nowhere(guess_taker);
	rbp_is_zeros(guess_taker);
	cfa_is_at_0(guess_taker);
}

int main(void)
{
	static char stack[1 << 16];

	for (volatile int i = 0; i < 100; i++) {
		wrong();
		getcontext(&other);
		other.uc_stack.ss_sp = stack;
		other.uc_stack.ss_size = sizeof stack;
		other.uc_link = &home;
		makecontext(&other, wrong, 0);
		swapcontext(&home, &other);
	}
	return 0;
}
