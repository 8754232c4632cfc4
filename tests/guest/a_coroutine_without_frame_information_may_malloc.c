/*
 * On a stack that is not the thread's own, code without CFI calls malloc while the frame pointer holds no frame, but a
 * number: following it is a read of nothing.
 */
#include "guest.h"
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

static ucontext_t main_context, coroutine;

#if defined(__x86_64__)
void *odd_malloc(void);
__asm__(".text\n"
	"odd_malloc:\n"
	"	push %rbp\n"
	"	movabs $0x7fffffffe000, %rbp\n" /* above every stack */
	"	mov $40, %edi\n"
	"	call malloc@PLT\n"
	"	pop %rbp\n"
	"	ret\n");
#elif defined(__aarch64__)
void *odd_malloc(void);
__asm__(".text\n"
	"odd_malloc:\n"
	"	stp x29, x30, [sp, #-16]!\n"
	"	mov x29, #0x7fffffffe000\n" /* above every stack */
	"	mov x0, #40\n"
	"	bl malloc\n"
	"	ldp x29, x30, [sp], #16\n"
	"	ret\n");
#else
static void *odd_malloc(void)
{
	return malloc(40);
}
#endif

static void body(void)
{
	CHECK(odd_malloc());
}

static void handler(int sig)
{
	(void)sig;
	CHECK(odd_malloc());
}

int main(void)
{
	size_t bytes = 65536;
	char *stack = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	stack_t alt = {.ss_size = bytes};
	struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_ONSTACK};

	CHECK(stack != MAP_FAILED);
	CHECK(getcontext(&coroutine) == 0);
	coroutine.uc_stack.ss_sp = stack;
	coroutine.uc_stack.ss_size = bytes;
	coroutine.uc_link = &main_context;
	makecontext(&coroutine, body, 0);
	CHECK(swapcontext(&main_context, &coroutine) == 0);

	alt.ss_sp = stack;
	CHECK(sigaltstack(&alt, NULL) == 0);
	CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
	raise(SIGUSR1);
	keep(malloc(41)); // live 1 x 41
	puts("done");
	return 0;
}
