/*
 * image_threads.c - the other threads stand still.
 *
 * Each gets a signal whose handler notes its registers and waits.  Not signalled are those that would not run the handler: who
 * has the signal blocked, who takes signals by sigwait (it would get ours), who is dead.  A thread that does not
 * answer in time may still run the handler later, which then returns at once: so it stays installed unless all answered.
 */
#include "preload/arena.h"
#include "preload/image_shot.h"
#include "preload/vdso.h"
#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <ucontext.h>

#define WAIT_NS  20000000ull
#define EACH_NS  100000ull /* to look at one and to signal it */
#define RT_LAST  64
#define RT_FIRST 35  /* glibc uses those below for itself */
#define MORE     64u /* threads that begin meanwhile */
#define ROUNDS   3u
#define RED_ZONE 128u

/* As the kernel has it. */
struct action {
	void (*handler)(int, siginfo_t *, void *);
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};

struct park {
	_Atomic uint32_t go;      /* 1: run on */
	_Atomic uint32_t claimed; /* places taken */
	_Atomic uint32_t arrived; /* and filled in */
	uint64_t writer_tp;       /* who writes does not wait for itself */
	uint32_t room;
	uint32_t *tids; /* of the places; written last */
	struct hl_shot_thread *threads;
};

static struct park *_Atomic parking;

#if defined(__x86_64__)
#define SA_RESTORER_ 0x04000000ul
/* rt_sigreturn */
static __attribute__((naked)) void park_return(void)
{
	__asm__("mov $15, %eax\n\tsyscall");
}
#endif

static void note(struct hl_shot_thread *t, uint64_t v)
{
	if (t->n < HL_SHOT_REGS && hl_shot_may_point(v))
		t->words[t->n++] = v;
}

static void note_all(struct hl_shot_thread *t, const void *words, size_t bytes)
{
	const uint64_t *p = words;

	for (size_t i = 0; i < bytes / 8; i++)
		note(t, p[i]);
}

#if defined(__x86_64__)
/* arch/x86/include/uapi/asm/sigcontext.h: the general registers, and behind fpregs the area that XSAVE filled. */
static void note_context(struct hl_shot_thread *t, const ucontext_t *u)
{
	const uint32_t *fp = (const void *)u->uc_mcontext.fpregs;
	uint32_t bytes = 512;

	t->sp = (uint64_t)u->uc_mcontext.gregs[REG_RSP] - RED_ZONE;
	for (int i = 0; i < REG_RIP; i++)
		if (i != REG_RSP)
			note(t, (uint64_t)u->uc_mcontext.gregs[i]);
	if (!fp)
		return;
	/* sw_reserved: FP_XSTATE_MAGIC1, extended_size, xfeatures, xstate_size */
	if (fp[116] == 0x46505853u && fp[120] >= 512 && fp[120] < 65536)
		bytes = fp[120];
	/* vector registers first: xmm behind 160 bytes, the rest of the larger ones behind the header */
	note_all(t, (const uint8_t *)fp + 160, 256);
	if (bytes > 576)
		note_all(t, (const uint8_t *)fp + 576, bytes - 576);
}
#else
static void note_context(struct hl_shot_thread *t, const ucontext_t *u)
{
	t->sp = u->uc_mcontext.sp;
	note_all(t, u->uc_mcontext.regs, sizeof u->uc_mcontext.regs);
	note_all(t, u->uc_mcontext.__reserved, sizeof u->uc_mcontext.__reserved);
}
#endif

static void parked(int sig, siginfo_t *info, void *context)
{
	struct park *p = atomic_load_explicit(&parking, memory_order_acquire);
	struct hl_shot_thread *t;
	uint32_t i;

	(void)sig;
	if (!p || hl_cpu_thread_pointer() == p->writer_tp || info->si_code != SI_TKILL ||
	    atomic_load_explicit(&p->go, memory_order_acquire))
		return;
	i = atomic_fetch_add_explicit(&p->claimed, 1, memory_order_relaxed);
	if (i >= p->room)
		return;
	t = &p->threads[i];
	t->tid = hl_sys_gettid();
	t->how = HL_IMAGE_PARKED;
	t->tp = hl_cpu_thread_pointer();
	note_context(t, context);
	/* release: the registers (partner: answer_of) */
	__atomic_store_n(&p->tids[i], t->tid, __ATOMIC_RELEASE);
	atomic_fetch_add_explicit(&p->arrived, 1, memory_order_release);
	hl_sys_futex_wake(&p->arrived, 1);
	while (!atomic_load_explicit(&p->go, memory_order_acquire))
		hl_sys_futex_wait(&p->go, 0, 1000000000u);
}

static long action(int sig, const struct action *set, struct action *old)
{
	return hl_sys4(SYS_rt_sigaction, sig, (long)(uintptr_t)set, (long)(uintptr_t)old, 8);
}

/* A signal that the program does not use. */
static int find_signal(void)
{
	struct action old;

	for (int sig = RT_LAST; sig >= RT_FIRST; sig--)
		if (action(sig, NULL, &old) == 0 && old.handler == (void *)SIG_DFL)
			return sig;
	return 0;
}

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

/* Of /proc/self/task/T/syscall: "running", or "NUMBER ARGUMENTS... SP PC", or "-1 SP PC". */
static void ask(struct hl_shot_thread *t, const char *text)
{
	uint64_t v[16];
	uint32_t n = 0;
	const char *s = text;

	t->how = HL_IMAGE_UNKNOWN;
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
		note(t, v[i]);
}

/* 1 + its index; 0: it is not among them. */
static uint32_t place_of(const uint32_t *tids, uint32_t n, uint32_t tid)
{
	for (uint32_t i = 0; i < n; i++)
		if (__atomic_load_n(&tids[i], __ATOMIC_ACQUIRE) == tid)
			return i + 1;
	return 0;
}

/* Signal the thread, or learn of it what can be learnt.  1: it should answer. */
static int call_on(struct hl_shot_thread *t, int sig, uint64_t until)
{
	char text[4096];
	const char *state, *blocked;

	if (hl_vdso_clock(CLOCK_MONOTONIC) >= until || read_of(t->tid, "status", text, sizeof text) <= 0)
		return 0;
	state = find(text, "State:\t");
	blocked = find(text, "SigBlk:\t");
	if (state && (*state == 'Z' || *state == 'X')) {
		t->tid = 0;
		return 0;
	}
	if (!sig || !blocked || number(blocked, 1) >> (sig - 1) & 1)
		return 0;
	if (read_of(t->tid, "syscall", text, sizeof text) > 0 && *text != 'r' && *text != '-' &&
	    number(text, 0) == SYS_rt_sigtimedwait)
		return 0;
	return hl_sys4(SYS_tgkill, hl_guest.pid, t->tid, sig, 0) == 0;
}

/* Call f for every thread; 0: they cannot be listed. */
static int each_task(int (*f)(struct hl_shot *x, uint32_t tid, void *ctx), struct hl_shot *x, void *ctx)
{
	char buf[4096];
	long n;
	int fd = hl_sys_open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0), go_on = 1;

	if (fd < 0)
		return 0;
	while (go_on && (n = hl_sys4(SYS_getdents64, fd, (long)(uintptr_t)buf, sizeof buf, 0)) > 0)
		for (long at = 0; at < n && go_on;) {
			/* getdents64(2): inode 8, offset 8, length 2, type 1, name */
			const uint8_t *e = (const uint8_t *)buf + at;
			uint32_t tid = (uint32_t)number((const char *)e + 19, 0);

			at += e[16] | e[17] << 8;
			if (tid)
				go_on = f(x, tid, ctx);
		}
	hl_sys_close(fd);
	return 1;
}

static int count(struct hl_shot *x, uint32_t tid, void *ctx)
{
	(void)tid;
	(void)ctx;
	x->threads_room++;
	return 1;
}

struct round {
	uint64_t until;
	uint32_t known, called, found;
};

/* A thread that is not in the list yet. */
static int enter(struct hl_shot *x, uint32_t tid, void *ctx)
{
	struct round *r = ctx;
	struct hl_shot_thread *t = &x->threads[x->nthreads];

	if (x->nthreads == x->threads_room)
		return 0;
	if (place_of(x->tids, r->known, tid))
		return 1;
	/* its words are copied one by one: an assignment of the whole may be a call of libc */
	t->tid = tid;
	t->how = HL_IMAGE_UNKNOWN;
	t->sp = t->tp = 0;
	t->n = 0;
	r->called += (uint32_t)call_on(t, x->signal, r->until);
	if (!t->tid)
		return 1;
	x->tids[x->nthreads++] = tid;
	r->found++;
	return 1;
}

static void wait_for(struct park *p, uint32_t called)
{
	uint64_t until = hl_vdso_clock(CLOCK_MONOTONIC) + WAIT_NS;

	for (;;) {
		uint32_t seen = atomic_load_explicit(&p->arrived, memory_order_acquire);
		uint64_t now = hl_vdso_clock(CLOCK_MONOTONIC);

		if (seen >= called || now >= until)
			return;
		hl_sys_futex_wait(&p->arrived, seen, until - now);
	}
}

static void take_answer(struct hl_shot_thread *to, const struct hl_shot_thread *from)
{
	to->how = from->how;
	to->sp = from->sp;
	to->tp = from->tp;
	to->n = from->n;
	for (uint32_t k = 0; k < from->n; k++)
		to->words[k] = from->words[k];
}

static void collect(struct hl_shot *x, const struct park *p)
{
	uint32_t n = atomic_load_explicit(&p->claimed, memory_order_acquire);
	char text[512];

	if (n > p->room)
		n = p->room;
	x->still = x->nthreads < x->threads_room;
	for (uint32_t i = 1; i < x->nthreads; i++) {
		uint32_t place = place_of(p->tids, n, x->tids[i]);

		if (place) {
			take_answer(&x->threads[i], &p->threads[place - 1]);
			continue;
		}
		x->still = 0;
		if (read_of(x->tids[i], "syscall", text, sizeof text) > 0)
			ask(&x->threads[i], text);
	}
}

int hl_shot_count_threads(struct hl_shot *x)
{
	struct park *p = hl_arena_alloc(sizeof *p);

	x->threads_room = 0;
	if (!p || !each_task(count, x, NULL))
		return 0;
	x->threads_room += MORE;
	x->threads = hl_arena_alloc(x->threads_room * sizeof *x->threads);
	x->tids = hl_arena_alloc(x->threads_room * sizeof *x->tids);
	p->threads = hl_arena_alloc(x->threads_room * sizeof *p->threads);
	p->tids = hl_arena_alloc(x->threads_room * sizeof *p->tids);
	p->room = x->threads_room;
	p->writer_tp = hl_cpu_thread_pointer();
	x->park = p;
	return x->threads && x->tids && p->threads && p->tids;
}

void hl_shot_park(struct hl_shot *x)
{
	struct action ours = {
		.handler = parked, .flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK, .mask = UINT64_MAX};
	struct round r = {.until = hl_vdso_clock(CLOCK_MONOTONIC) + WAIT_NS + x->threads_room * EACH_NS};
	uint64_t all = UINT64_MAX;

	/* a handler of this thread might wait for one that stands still, or never come back here */
	x->masked = hl_sys4(SYS_rt_sigprocmask, SIG_SETMASK, (long)(uintptr_t)&all, (long)(uintptr_t)&x->mask,
			    8) == 0;
	x->tids[0] = x->threads[0].tid;
	/* release: what it points to (partner: parked) */
	atomic_store_explicit(&parking, x->park, memory_order_release);
#if defined(__x86_64__)
	ours.flags |= SA_RESTORER_;
	ours.restorer = park_return;
#endif
	x->signal = find_signal();
	if (x->signal && action(x->signal, &ours, NULL) < 0)
		x->signal = 0;
	for (uint32_t round = 0; round < ROUNDS; round++) {
		r.known = x->nthreads;
		r.found = 0;
		if (!each_task(enter, x, &r))
			x->failed = 1;
		if (!r.found)
			break;
		wait_for(x->park, r.called);
	}
	x->called = r.called;
	collect(x, x->park);
}

void hl_shot_resume(struct hl_shot *x)
{
	struct action none = {.handler = (void *)SIG_DFL};
	struct park *p = x->park;

	if (!p)
		return;
	atomic_store_explicit(&parking, NULL, memory_order_release);
	atomic_store_explicit(&p->go, 1, memory_order_release);
	hl_sys_futex_wake(&p->go, INT32_MAX);
	if (x->signal && atomic_load_explicit(&p->arrived, memory_order_acquire) >= x->called)
		action(x->signal, &none, NULL);
	if (x->masked)
		hl_sys4(SYS_rt_sigprocmask, SIG_SETMASK, (long)(uintptr_t)&x->mask, 0, 8);
}
