/*
 * pace.c - how crowded the machine is, and the account of the columns.  Floor: collect.
 */
#include "analyzer/collect/pace.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LOOK_NS  2000000u
#define TURN_NS  8000000u
#define GUARD_NS 20000000u
#define LATE_MAX 3u
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
	const struct timespec pause = {0, 1000000};

	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
	/* it uses p */
	atomic_store(&p->closed, 1);
	while (atomic_load(&p->guarded))
		nanosleep(&pause, NULL);
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

static uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* A mask that has the core in it would leave it where it is. */
static void call_back(const struct hl_pace *p)
{
	cpu_set_t others = p->all;

	CPU_CLR(p->turn, &others);
	sched_setaffinity(p->tid, sizeof(others), &others);
}

/* Calls the collector back from a core where it does not come to run; leaves when nobody went for a second. */
static void *guard_main(void *ctx)
{
	const struct timespec pause = {0, GUARD_NS};
	struct hl_pace *p = ctx;

	for (unsigned idle = 0; idle < 1000000000u / GUARD_NS && !atomic_load(&p->closed); idle++) {
		uint64_t since;

		nanosleep(&pause, NULL);
		atomic_store(&p->calling, 1);
		since = atomic_load(&p->going_ns);
		if (since && clock_ns() - since > GUARD_NS)
			call_back(p);
		atomic_store(&p->calling, 0);
		if (atomic_exchange(&p->gone, 0))
			idle = 0;
	}
	atomic_store(&p->guarded, 0);
	return NULL;
}

static int guard(struct hl_pace *p)
{
	pthread_attr_t attr;
	pthread_t thread;
	int err;

	if (atomic_exchange(&p->guarded, 1))
		return 1;
	p->tid = (pid_t)syscall(SYS_gettid);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	err = pthread_create(&thread, &attr, guard_main, p);
	pthread_attr_destroy(&attr);
	if (err)
		atomic_store(&p->guarded, 0);
	return !err;
}

/* To core p->turn, and free again. */
static void go(struct hl_pace *p)
{
	uint64_t began = clock_ns();
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(p->turn, &one);
	atomic_store(&p->gone, 1);
	atomic_store(&p->going_ns, began);
	sched_setaffinity(0, sizeof(one), &one);
	atomic_store(&p->going_ns, 0);
	/* after the guard's last word, if it was about to say it */
	while (atomic_load(&p->calling))
		sched_yield();
	sched_setaffinity(0, sizeof(p->all), &p->all);
	p->late += clock_ns() - began > GUARD_NS;
}

void hl_pace_turn(struct hl_pace *p, uint64_t now_ns)
{
	/* no slot may come that would ask */
	if (hl_pace_aside(p)) {
		hl_pace_look(p, now_ns);
		fill(p, now_ns);
	}
	if (!hl_pace_aside(p)) {
		p->turn = -1;
		return;
	}
	if ((p->turn >= 0 && now_ns < p->turn_ns) || p->late >= LATE_MAX || CPU_COUNT(&p->all) < 2 ||
	    !guard(p))
		return;
	do
		p->turn = (p->turn + 1) % CPU_SETSIZE;
	while (!CPU_ISSET(p->turn, &p->all));
	p->turn_ns = now_ns + TURN_NS;
	go(p);
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
