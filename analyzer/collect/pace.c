/*
 * pace.c - how crowded the machine is, and the account of the columns.  Floor: collect.
 */
#include "analyzer/collect/pace.h"
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define LOOK_NS 2000000u
#define TURN_NS 8000000u
/* Saved up or owed at most: how long a burst is remembered. */
#define CREDIT_MAX_NS 100000000
#define BYTE_PS       8000u
#define BYTE_PS_MAX   100000u
#define MUCH_WAITING  4u   /* one in so many slots */
#define SOME_WAITING  128u /* what the end of a program may have to wait for: 20 ms of columns */

void hl_pace_init(struct hl_pace *p)
{
	*p = (struct hl_pace){.fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC),
			      .cores = 1,
			      .turn = -1,
			      .credit_ns = CREDIT_MAX_NS / 16,
			      .byte_ps = BYTE_PS};
	if (sched_getaffinity(0, sizeof(p->all), &p->all) == 0)
		p->cores = (uint32_t)CPU_COUNT(&p->all);
	else if (sysconf(_SC_NPROCESSORS_ONLN) > 1)
		p->cores = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
}

void hl_pace_release(struct hl_pace *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

void hl_pace_found(struct hl_pace *p, uint32_t running)
{
	p->crowd = p->crowd - p->crowd / 4 + (running > p->cores ? 64 : 0);
}

void hl_pace_look(struct hl_pace *p, uint64_t now_ns)
{
	char text[128];
	unsigned running;
	ssize_t n;

	if (p->fd < 0 || now_ns < p->next_ns)
		return;
	p->next_ns = now_ns + LOOK_NS;
	n = pread(p->fd, text, sizeof(text) - 1, 0);
	if (n <= 0)
		return;
	text[n] = 0;
	if (sscanf(text, "%*s %*s %*s %u/", &running) == 1)
		hl_pace_found(p, running);
}

int hl_pace_aside(const struct hl_pace *p)
{
	return p->crowd > 128 && p->credit_ns <= 0;
}

static void fill(struct hl_pace *p, uint64_t now_ns)
{
	uint64_t passed, full = CREDIT_MAX_NS * 16ull / p->cores;

	/* a round is older than the slots that it took */
	passed = p->then_ns && now_ns > p->then_ns ? now_ns - p->then_ns : 0;
	p->then_ns += passed;
	if (!p->then_ns)
		p->then_ns = now_ns;
	p->credit_ns += (int64_t)((passed < full ? passed : full) * p->cores / 16);
	if (p->credit_ns > CREDIT_MAX_NS)
		p->credit_ns = CREDIT_MAX_NS;
}

void hl_pace_turn(struct hl_pace *p, uint64_t now_ns)
{
	cpu_set_t one;

	/* no slot may come that would ask */
	if (hl_pace_aside(p)) {
		hl_pace_look(p, now_ns);
		fill(p, now_ns);
	}
	if (!hl_pace_aside(p)) {
		if (p->turn >= 0)
			sched_setaffinity(0, sizeof(p->all), &p->all);
		p->turn = -1;
		return;
	}
	if ((p->turn >= 0 && now_ns < p->turn_ns) || CPU_COUNT(&p->all) < 2)
		return;
	do
		p->turn = (p->turn + 1) % CPU_SETSIZE;
	while (!CPU_ISSET(p->turn, &p->all));
	p->turn_ns = now_ns + TURN_NS;
	CPU_ZERO(&one);
	CPU_SET(p->turn, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

enum hl_hurry hl_pace_choose(struct hl_pace *p, uint32_t waiting, uint32_t nslots, uint64_t now_ns)
{
	fill(p, now_ns);
	if (hl_pace_aside(p))
		return HL_HURRY_ASIDE;
	if (waiting > nslots / MUCH_WAITING)
		return HL_HURRY_MUCH;
	return waiting > nslots / SOME_WAITING ? HL_HURRY_SOME : HL_HURRY_NONE;
}

void hl_pace_charge(struct hl_pace *p, uint32_t bytes, uint64_t cpu_ns)
{
	if (cpu_ns && bytes) {
		uint64_t ps = cpu_ns * 1000 / bytes;

		p->byte_ps = (uint32_t)((p->byte_ps * 7ull + (ps < BYTE_PS_MAX ? ps : BYTE_PS_MAX)) / 8);
	}
	p->credit_ns -= (int64_t)(bytes * (uint64_t)p->byte_ps / 1000);
	if (p->credit_ns < -CREDIT_MAX_NS)
		p->credit_ns = -CREDIT_MAX_NS;
}
