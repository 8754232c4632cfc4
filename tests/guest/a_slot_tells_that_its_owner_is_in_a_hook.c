/*
 * Whoever reads live data calls complete what lies before the hooks that its slots tell of: a slot to which something is added tells of
 * one, at each instruction of ours in turn, also when it was opened in the middle of that hook; and outside all hooks
 * no slot does.
 * guest: flags -pthread
 * guest: options sample=16
 */
#include "region.h"
#include "steps.h"
#include <pthread.h>

static struct {
	uint32_t claim, used;
	uint64_t hook;
	int open;
} before[MANY];
static unsigned grown, firsts, untold;

/* Compare with the look before. */
static void look(int judge)
{
	for (uint32_t i = 0; i < slots(); i++) {
		const struct hl_slot *s = slot_of(i);
		uint32_t used = s ? s->used : 0;
		uint64_t hook = s ? s->in_hook_since : 0;

		if (judge && s && before[i].open && s->claim == before[i].claim && used > before[i].used) {
			grown++;
			firsts += before[i].used == 0;
			untold += !before[i].hook || !hook;
		}
		before[i].open = s != NULL;
		before[i].claim = s ? s->claim : 0;
		before[i].used = used;
		before[i].hook = hook;
	}
}

static void trap(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	if (step_is_ours(context))
		look(1);
}

static uint32_t most_used(void)
{
	uint32_t most = 0;

	for (uint32_t i = 0; i < slots(); i++) {
		const struct hl_slot *s = slot_of(i);

		if (s && s->used > most)
			most = s->used;
	}
	return most;
}

static unsigned told(void)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < slots(); i++) {
		const struct hl_slot *s = slot_of(i);

		n += s && s->in_hook_since;
	}
	return n;
}

static void *once(void *unused)
{
	free(keep(malloc(50)));
	return unused;
}

int main(void)
{
	pthread_t t;

	find_region();
	steps_begin(trap);
	/* from now on the clock is read at each event */
	CHECK(pthread_create(&t, NULL, once, NULL) == 0 && pthread_join(t, NULL) == 0);
	for (int turn = 0; region && turn < 6; turn++) {
		uint32_t n = 0;

		while (most_used() < HL_SLOT_ROOM - 400 && n++ < 1000000)
			free(keep(malloc(100 + n % 1000)));
		CHECK(told() == 0);
		look(0);
		for (n = 0; most_used() >= HL_SLOT_ROOM - 400 && n < 1000; n++) {
			void *p;

			STEP_ON;
			p = keep(malloc(100 + n));
			free(p);
			STEP_OFF;
		}
		CHECK(told() == 0);
	}
	CHECK(pthread_create(&t, NULL, once, NULL) == 0 && pthread_join(t, NULL) == 0);
	CHECK(!region || told() == 0);
#if defined(__x86_64__)
	CHECK(!region || low == 0 || (grown > 20 && firsts > 4));
#endif
	if (untold)
		printf("%u of %u additions to a slot that told of no hook\n", untold, grown);
	puts("done");
	return 0;
}
