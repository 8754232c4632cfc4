/*
 * image_threads.c - which threads there are, and what the kernel tells of them.
 *
 * Not signalled are those that would not run the handler: who has also glibc's own signal blocked, by a system call of its own, who
 * takes signals by such a call, who is stopped or dead.  Buffers are the shot's: who asks may be a signal handler with little stack.
 */
#include "preload/arena.h"
#include "preload/image_shot.h"
#include "preload/image_signal.h"
#include "preload/vdso.h"
#include <fcntl.h>
#include <time.h>

#define MORE     64u /* threads that begin meanwhile */
#define RED_ZONE 128u

static long read_of(uint32_t tid, const char *what, char *out, size_t room)
{
	char path[64], *end = path + sizeof path, *p = hl_append(path, end, "/proc/self/task/");
	long n;

	p = hl_append_uint(p, end, tid);
	p = hl_append(p, end, "/");
	hl_append(p, end, what);
	n = hl_sys_read_file(path, out, room - 1);
	out[n < 0 ? 0 : n] = 0;
	return n;
}

/* The number behind the name; base 16 when hexadecimal. */
static uint64_t number(const char *s, int hexadecimal)
{
	uint64_t v = 0;

	if (s[0] == '0' && s[1] == 'x') {
		hexadecimal = 1;
		s += 2;
	}
	for (;; s++) {
		unsigned c = (unsigned char)*s, d = c - '0';

		if (d > 9 && hexadecimal)
			d = (c | 32) - 'a' < 6u ? (c | 32) - 'a' + 10 : 16;
		if (d > 15 || (d > 9 && !hexadecimal))
			return v;
		v = v * (hexadecimal ? 16 : 10) + d;
	}
}

static const char *find(const char *text, const char *name)
{
	for (; *text; text++) {
		const char *after = hl_after(text, name);

		if (after)
			return after;
		while (*text && *text != '\n')
			text++;
		if (!*text)
			break;
	}
	return NULL;
}

/* /proc/self/task/T/syscall: "running", or "NUMBER ARGUMENTS... SP PC", or "-1 SP PC". */
void hl_shot_ask_kernel(struct hl_shot *x, struct hl_shot_thread *t)
{
	uint64_t v[16];
	uint32_t n = 0;
	char *text = (char *)x->bounce;
	const char *s = text;

	t->how = HL_IMAGE_UNKNOWN;
	if (read_of(t->tid, "syscall", text, 256) <= 0)
		return;
	if (*s != '-' && (*s < '0' || *s > '9'))
		return;
	while (*s && n < 16) {
		v[n++] = number(s, 0);
		while (*s && *s != ' ' && *s != '\n')
			s++;
		while (*s == ' ' || *s == '\n')
			s++;
	}
	if (n < 3)
		return;
	t->how = HL_IMAGE_ASKED;
	t->sp = v[n - 2] - RED_ZONE;
	for (uint32_t i = 1; i + 2 < n; i++)
		hl_shot_note(t, v[i]);
}

uint32_t hl_shot_place_of(const uint32_t *tids, uint32_t n, uint32_t tid)
{
	for (uint32_t i = 0; i < n; i++)
		if (__atomic_load_n(&tids[i], __ATOMIC_ACQUIRE) == tid)
			return i + 1;
	return 0;
}

/* /proc/self/task/T/syscall, while it is in one. */
static void note_call(struct hl_call *c, const char *text)
{
	c->known = *text >= '0' && *text <= '9';
	c->number = (uint32_t)number(text, 0);
	while (*text && *text != ' ')
		text++;
	c->first = *text ? number(text + 1, 0) : 0;
}

/* 1: it would get the signal by sigwait() and its kin, instead of our handler. */
static int waits_for(const struct hl_call *c, int sig)
{
	if (!c->known || c->number != SYS_rt_sigtimedwait)
		return 0;
	return !hl_sys_readable(c->first) || *(const uint64_t *)(uintptr_t)c->first >> (sig - 1) & 1;
}

/* By which signal the thread would run our handler; 0: by none. */
static int signal_for(struct hl_shot *x, uint64_t blocked, const struct hl_call *c)
{
	if (x->signal && !(blocked >> (x->signal - 1) & 1) && !waits_for(c, x->signal))
		return x->signal;
	if (blocked >> (HL_SIGNAL_DEEP - 1) & 1 || waits_for(c, HL_SIGNAL_DEEP))
		return 0;
	if (!x->deep)
		x->deep = hl_signal_install_deep() ? 1 : -1;
	return x->deep > 0 ? HL_SIGNAL_DEEP : 0;
}

/* Signal the thread, or learn of it what can be learnt.  1: it should answer. */
static int call_on(struct hl_shot *x, struct hl_shot_thread *t, uint64_t until)
{
	char *text = (char *)x->bounce;
	const char *state, *mask;
	uint64_t blocked;
	int sig;

	t->call.known = 0;
	t->shut = 0;
	if (hl_vdso_clock(CLOCK_MONOTONIC) >= until || read_of(t->tid, "status", text, 4096) <= 0)
		return 0;
	state = find(text, "State:\t");
	mask = find(text, "SigBlk:\t");
	if (state && (*state == 'Z' || *state == 'X')) {
		t->tid = 0;
		return 0;
	}
	if (!mask || !state || *state == 'T' || *state == 't' ||
	    (x->flags & HL_IMAGE_GENTLE && (*state == 'S' || *state == 'D')))
		return 0;
	blocked = number(mask, 1);
	if (read_of(t->tid, "syscall", text, 4096) > 0)
		note_call(&t->call, text);
	t->shut = blocked >> (HL_SIGNAL_DEEP - 1) & 1;
	sig = signal_for(x, blocked, &t->call);
	return sig && hl_sys4(SYS_tgkill, hl_guest.pid, t->tid, sig, 0) == 0;
}

/* Call f for every thread; 0: they cannot be listed. */
static int each_task(struct hl_shot *x, int (*f)(struct hl_shot *x, uint32_t tid, uint64_t until),
		     uint64_t until)
{
	uint8_t *buf = (uint8_t *)x->entries;
	long n;
	int fd = hl_sys_open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0), go_on = 1;

	if (fd < 0)
		return 0;
	while (go_on && (n = hl_sys4(SYS_getdents64, fd, (long)(uintptr_t)buf, sizeof x->entries, 0)) > 0)
		for (long at = 0; at < n && go_on;) {
			/* getdents64(2): inode 8, offset 8, length 2, type 1, name */
			const uint8_t *e = buf + at;
			uint32_t tid = (uint32_t)number((const char *)e + 19, 0);

			at += e[16] | e[17] << 8;
			if (tid)
				go_on = f(x, tid, until);
		}
	hl_sys_close(fd);
	return 1;
}

static int count(struct hl_shot *x, uint32_t tid, uint64_t until)
{
	(void)tid;
	(void)until;
	x->ntasks++;
	return 1;
}

/* A thread that is not in the list yet. */
static int enter(struct hl_shot *x, uint32_t tid, uint64_t until)
{
	struct hl_shot_thread *t = &x->threads[x->nthreads];

	if (x->nthreads == x->threads_room)
		return 0;
	if (hl_shot_place_of(x->tids, x->nthreads, tid))
		return 1;
	/* its words are copied one by one: an assignment of the whole may be a call of libc */
	t->tid = tid;
	t->how = HL_IMAGE_UNKNOWN;
	t->sp = t->tp = t->alt = t->alt_bytes = 0;
	t->n = 0;
	x->called += (uint32_t)call_on(x, t, until);
	if (!t->tid)
		return 1;
	x->tids[x->nthreads++] = tid;
	return 1;
}

int hl_shot_call_threads(struct hl_shot *x, uint64_t until)
{
	uint32_t before = x->nthreads;

	return each_task(x, enter, until) ? (int)(x->nthreads - before) : -1;
}

/* It has ended: the last one takes its place.  Of none more is known yet than this. */
static void drop(struct hl_shot *x, uint32_t i)
{
	struct hl_shot_thread *to = &x->threads[i], *last = &x->threads[--x->nthreads];

	to->tid = last->tid;
	to->shut = last->shut;
	to->call.known = last->call.known;
	to->call.number = last->call.number;
	to->call.first = last->call.first;
	x->tids[i] = x->tids[x->nthreads];
}

uint32_t hl_shot_call_again(struct hl_shot *x, uint64_t until)
{
	uint32_t shut = 0;

	for (uint32_t i = 1; i < x->nthreads;) {
		struct hl_shot_thread *t = &x->threads[i];

		if (t->shut)
			x->called += (uint32_t)call_on(x, t, until);
		if (!t->tid) {
			drop(x, i);
			continue;
		}
		shut += t->shut;
		i++;
	}
	return shut;
}

int hl_shot_count_threads(struct hl_shot *x)
{
	x->ntasks = 0;
	if (!each_task(x, count, 0))
		return 0;
	if (x->ntasks + MORE > x->threads_room) {
		/* what there was is not given back: twice as much each time */
		uint32_t room = 2 * x->ntasks + MORE;

		x->threads_room = 0;
		x->threads = hl_arena_alloc(room * sizeof *x->threads);
		x->tids = hl_arena_alloc(room * sizeof *x->tids);
		if (!x->threads || !x->tids)
			return 0;
		x->threads_room = room;
	}
	return hl_park_prepare(x->threads_room);
}
