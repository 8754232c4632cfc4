/*
 * image_signal.c - installing the handler, and whom it serves.
 */
#include "preload/image_signal.h"
#include "heapledger/image.h"
#include "preload/guest.h"
#include "preload/image_restart.h"
#include <signal.h>

/* glibc uses those below for itself.  Programs that use any take the first or the last ones. */
#define RT_FIRST 35
#define RT_FROM  58
#define RT_LAST  64

/* As the kernel has it. */
struct action {
	void (*handler)(int, siginfo_t *, void *);
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};

static void (*on_request)(const void *context);
static struct action deep; /* of HL_SIGNAL_DEEP, before ours */

#if defined(__x86_64__)
#define SA_RESTORER_ 0x04000000ul
/* rt_sigreturn */
static __attribute__((naked)) void come_back(void)
{
	/* as unwinders and debuggers know it */
	__asm__("mov $15, %rax\n\tsyscall");
}
#endif

static long action(int sig, const struct action *set, struct action *old)
{
	return hl_sys4(SYS_rt_sigaction, sig, (long)(uintptr_t)set, (long)(uintptr_t)old, 8);
}

static void handler(int sig, siginfo_t *info, void *context)
{
	static const struct hl_call unknown;
	struct action none = {.handler = (void *)SIG_DFL};

	if (info->si_code == SI_TKILL && (uint32_t)info->si_pid == hl_guest.pid) {
		hl_park_here(context);
		if (sig == HL_SIGNAL_DEEP && deep.handler != (void *)SIG_DFL &&
		    deep.handler != (void *)SIG_IGN)
			deep.handler(sig, info, context);
	} else if (info->si_code == SI_QUEUE && hl_guest.region &&
		   (uint64_t)(uintptr_t)info->si_value.sival_ptr == hl_ask_nonce(hl_guest.region)) {
		if (on_request)
			on_request(context);
		hl_call_restart(context, &unknown);
	} else {
		/* as if nobody stood here: pending until we return */
		action(sig, &none, NULL);
		hl_sys4(SYS_tgkill, hl_sys_getpid(), hl_sys_gettid(), sig, 0);
	}
}

static int install(int sig)
{
	struct action ours = {
		.handler = handler, .flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK, .mask = UINT64_MAX};

#if defined(__x86_64__)
	ours.flags |= SA_RESTORER_;
	ours.restorer = come_back;
#endif
	return action(sig, &ours, NULL) == 0 ? sig : 0;
}

int hl_signal_install(void)
{
	struct action old;

	for (int i = 0; i <= RT_LAST - RT_FIRST; i++) {
		int sig = RT_FROM - i >= RT_FIRST ? RT_FROM - i : RT_LAST - (i - (RT_FROM - RT_FIRST) - 1);

		if (action(sig, NULL, &old) == 0 && old.handler == (void *)SIG_DFL)
			return install(sig);
	}
	return 0;
}

void hl_signal_uninstall(int sig)
{
	struct action none = {.handler = (void *)SIG_DFL};

	action(sig, &none, NULL);
}

int hl_signal_install_deep(void)
{
	struct action old;

	if (action(HL_SIGNAL_DEEP, NULL, &old) < 0)
		return 0;
	/* ours may have been left standing */
	if (old.handler != handler) {
		deep.handler = old.handler;
		deep.flags = old.flags;
		deep.restorer = old.restorer;
		deep.mask = old.mask;
	}
	return install(HL_SIGNAL_DEEP) != 0;
}

void hl_signal_uninstall_deep(void)
{
	action(HL_SIGNAL_DEEP, &deep, NULL);
}

int hl_signal_standing(void)
{
	int sig = atomic_load_explicit(&hl_guest.ask_signal, memory_order_relaxed);
	struct action old;

	if (!sig)
		return 0;
	if (action(sig, NULL, &old) == 0 && old.handler == handler)
		return sig;
	hl_signal_withdraw();
	return 0;
}

void hl_signal_setup(void (*request)(const void *context))
{
	int sig;

	on_request = request;
	sig = hl_signal_install();
	atomic_store_explicit(&hl_guest.ask_signal, (uint8_t)sig, memory_order_relaxed);
	if (hl_guest.image)
		atomic_store_explicit(&hl_guest.image->ask_signal, (uint8_t)sig, memory_order_release);
}

void hl_signal_withdraw(void)
{
	atomic_store_explicit(&hl_guest.ask_signal, 0, memory_order_relaxed);
	if (hl_guest.image)
		atomic_store_explicit(&hl_guest.image->ask_signal, 0, memory_order_relaxed);
}
