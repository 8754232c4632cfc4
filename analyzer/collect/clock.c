/*
 * clock.c - choosing and calibrating the clock of a run.  Floor: collect.
 */
#include "analyzer/collect/clock.h"
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#define LONG_ENOUGH_NS 100000000u /* bracketing errors of 100 ns are then 1 ppm */

/* Not clock_gettime, which a preloaded library may have replaced. */
uint64_t hl_stamp_clock(void)
{
	struct timespec t = {0, 0};

	syscall(SYS_clock_gettime, CLOCK_MONOTONIC_RAW, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The kernel watches the TSC against other clocks and leaves it when it drifts. */
static int kernel_trusts_tsc(void)
{
	char name[16] = "";
	int fd = open("/sys/devices/system/clocksource/clocksource0/current_clocksource",
		      O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	if (read(fd, name, sizeof(name) - 1) < 0)
		name[0] = 0;
	close(fd);
	return !strcmp(name, "tsc\n");
}

#if defined(__x86_64__)
static int cpu_has_invariant_tsc(void)
{
	unsigned a, b, c, d;

	return __get_cpuid(0x80000007, &a, &b, &c, &d) && d >> 8 & 1;
}

/* What the CPU or the hypervisor says; 0: nothing. */
static uint64_t told_hz(void)
{
	unsigned a, b, c, d;

	if (__get_cpuid(0x15, &a, &b, &c, &d) && a && b && c)
		return (uint64_t)c * b / a;
	__cpuid(1, a, b, c, d);
	if (!(c >> 31 & 1))
		return 0;
	__cpuid(0x40000000, a, b, c, d);
	if (a < 0x40000010 || a > 0x400000ff)
		return 0;
	__cpuid(0x40000010, a, b, c, d);
	return (uint64_t)a * 1000;
}
#else
static int cpu_has_invariant_tsc(void)
{
	return 0;
}

static uint64_t told_hz(void)
{
	return 0;
}
#endif

/* Counter and nanoseconds of one moment: the narrowest of a few brackets. */
static void read_pair(uint64_t *counter, uint64_t *ns)
{
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < 8; i++) {
		uint64_t before = hl_stamp_fenced(HL_CLOCK_TSC, 0);
		uint64_t t = hl_stamp_clock();
		uint64_t after = hl_stamp_fenced(HL_CLOCK_TSC, 0);

		if (after - before < best) {
			best = after - before;
			*counter = before + (after - before) / 2;
			*ns = t;
		}
	}
}

static uint64_t measured_hz(const struct hl_clock_setup *c, uint64_t *ns)
{
	uint64_t counter1 = 0, ns1 = 0;

	read_pair(&counter1, &ns1);
	*ns = ns1 - c->ns;
	return *ns ? (uint64_t)((double)(counter1 - c->counter) * 1e9 / (double)*ns) : 0;
}

uint32_t hl_clock_shift(uint64_t hz)
{
	uint32_t shift = 0;

	while (shift < 16 && hz >> shift > 125000000)
		shift++;
	return shift;
}

void hl_clock_choose(struct hl_clock_setup *c)
{
	/* the program waits for this; the rate is measured again when a file is opened (hl_clock_rate) */
	struct timespec pause = {0, 500000};
	uint64_t ns, hz, told;

	memset(c, 0, sizeof(*c));
	read_pair(&c->counter, &c->ns);
	if (cpu_has_invariant_tsc() && kernel_trusts_tsc()) {
		nanosleep(&pause, NULL);
		hz = measured_hz(c, &ns);
		told = told_hz();
		/* A guest may be told its host's rate: believed only when it is nearly what we see. */
		if (told && told / 1000 > (told > hz ? told - hz : hz - told))
			hz = told;
		if (hz >= 100000000) {
			c->clock = HL_CLOCK_TSC;
			c->shift = hl_clock_shift(hz);
			c->ticks_per_s = hz >> c->shift;
			return;
		}
	}
	c->clock = HL_CLOCK_MONOTONIC_RAW;
	c->shift = hl_clock_shift(1000000000);
	c->ticks_per_s = 1000000000u >> c->shift;
}

uint64_t hl_clock_rate(const struct hl_clock_setup *c)
{
	uint64_t ns, hz;

	if (c->clock != HL_CLOCK_TSC)
		return c->ticks_per_s;
	hz = measured_hz(c, &ns);
	return ns > LONG_ENOUGH_NS ? hz >> c->shift : c->ticks_per_s;
}
