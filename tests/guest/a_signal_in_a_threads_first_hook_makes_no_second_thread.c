/*
 * A handler that allocates while its thread is made known to us, at each instruction of ours in turn: the thread is one, and all that
 * was made for it is handed on to the next one.
 * guest: flags -pthread
 */
#include "region.h"
#include "steps.h"
#include <pthread.h>

static unsigned fired;

static void trap(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	if (!step_is_due(context))
		return;
	fired = 1;
	free(keep(malloc(70)));
}

static void *once(void *unused)
{
	void *p;

	STEP_ON;
	p = keep(malloc(50));
	STEP_OFF;
	free(p);
	return unused;
}

int main(void)
{
	unsigned open_slots = 0, last = 0;

	find_region();
	steps_begin(trap);
	for (at = 1; at < last + 50; at += at < 400 ? 1 : 37) {
		pthread_t t;

		seen = fired = 0;
		CHECK(pthread_create(&t, NULL, once, NULL) == 0 && pthread_join(t, NULL) == 0);
		if (fired)
			last = at;
	}
#if defined(__x86_64__)
	CHECK(low == 0 || last > 300);
#endif
	for (uint32_t i = 0; region && i < slots(); i++)
		open_slots += slot_of(i) != NULL;
	/* Of the first thread, of one other and of its handlers; and while the states of threads that ended are off their list,
	 * for some instructions, a handler gets one more. */
	if (open_slots > 24)
		printf("%u slots are open\n", open_slots);
	puts("done");
	return 0;
}
