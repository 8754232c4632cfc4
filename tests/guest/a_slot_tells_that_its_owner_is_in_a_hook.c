/*
 * Whoever reads live data calls complete what lies before the hooks that its slots tell of: a slot to which something is added tells of
 * one, at each instruction of ours in turn, also when it was opened in the middle of that hook; and outside all hooks
 * no slot does.
 * guest: flags -pthread
 * guest: options sample=16
 */
#include "guest.h"
#include "heapledger/format.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define MANY 4096u

#if defined(__x86_64__)
#define TRAP_FLAG(op)                                                                                        \
	__asm__ volatile("lea -128(%%rsp), %%rsp\n\tpushfq\n\t" op " (%%rsp)\n\tpopfq\n\tlea 128(%%rsp), "   \
			 "%%rsp"                                                                             \
			 :                                                                                   \
			 :                                                                                   \
			 : "memory", "cc")
#define STEP_ON  TRAP_FLAG("orq $0x100,")
#define STEP_OFF TRAP_FLAG("andq $~0x100,")
#else
#define STEP_ON
#define STEP_OFF
#endif

static const struct hl_region *region; /* NULL: untraced */
static unsigned long low, high;        /* our library's code */
static struct {
	uint32_t claim, used;
	uint64_t hook;
	int open;
} before[MANY];
static unsigned grown, firsts, untold;

static void find_region(void)
{
	const char *path = getenv("HEAPLEDGER_REGION");
	struct hl_region *head;
	int fd;

	if (!path || !*path)
		path = getenv("HEAPLEDGER_OUTPUT");
	if (!path || !*path || !getenv("HEAPLEDGER_TEST_TRACED"))
		return;
	fd = open(path, O_RDONLY);
	CHECK(fd >= 0);
	head = mmap(NULL, sizeof *head, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(head != MAP_FAILED);
	region = mmap(NULL, hl_region_slots_off(head->backing, head->nslots) + (uint64_t)MANY * HL_SLOT_BYTES,
		      PROT_READ, MAP_SHARED, fd, 0);
	CHECK(region != MAP_FAILED);
	close(fd);
}

static void find_code(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	char line[512], flags[8];

	CHECK(f);
	while (fgets(line, sizeof line, f))
		if (strstr(line, "/libheapledger.so") &&
		    sscanf(line, "%lx-%lx %7s", &low, &high, flags) == 3 && flags[2] == 'x')
			break;
		else
			low = high = 0;
	fclose(f);
}

/* The i-th slot, when it is ours and open. */
static const struct hl_slot *slot_of(uint32_t i)
{
	const struct hl_image *images = (const void *)((const char *)region + HL_REGION_IMAGES);
	const struct hl_slot *s =
		(const void *)((const char *)region + hl_region_slots_off(region->backing, region->nslots) +
			       (size_t)i * HL_SLOT_BYTES);

	return s->state == HL_SLOT_OPEN && images[s->image_entry].pid == (uint32_t)getpid() ? s : NULL;
}

static uint32_t slots(void)
{
	return region->bump < MANY ? region->bump : MANY;
}

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
#if defined(__x86_64__)
	const ucontext_t *c = context;
	unsigned long pc = (unsigned long)c->uc_mcontext.gregs[REG_RIP];

	if (pc - low < high - low)
		look(1);
#endif
	(void)sig;
	(void)info;
	(void)context;
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
	struct sigaction sa = {.sa_sigaction = trap, .sa_flags = SA_SIGINFO};
	pthread_t t;

	find_region();
	find_code();
	CHECK(sigaction(SIGTRAP, &sa, NULL) == 0);
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
