/*
 * collector.c - rounds, clocks and endings.  Floor: collect.
 *
 * Order within a round: sealed slots first, because programs may wait for them; then new images, so
 * that an exec ends its predecessor before the predecessor's slots are missed; then what is due.
 */
#include "analyzer/collect/collector.h"
#include "analyzer/collect/mail.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOOK_NS        1000000000u
#define POLL_MIN_NS    20000000u
#define NAP_NS         2000000u
#define GROWTH_NS      10000000u
#define ARRIVAL_ROUNDS 20
#define ARRIVAL_NS     2000000u
#define UNSEEN_LIMIT   512 /* judge them at once: the image table has HL_IMAGES_MAX entries */

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int hl_collector_new(struct hl_collector **out, struct hl_share *share, const struct hl_collector_options *o,
		     struct hl_diag *d)
{
	struct hl_collector *c = aligned_alloc(64, (sizeof(*c) + 63) / 64 * 64);
	uint64_t now = now_ns();
	int err;

	if (!c)
		return hl_fail(d, HL_ERR_NOMEM, "out of memory");
	memset(c, 0, sizeof(*c));
	c->share = share;
	c->options = *o;
	hl_outs_init(&c->outs, share, o->path, o->force, o->command);
	err = hl_roster_init(&c->roster, share, &c->outs, d);
	if (err) {
		free(c);
		return err;
	}
	hl_drain_init(&c->drain, share, &c->outs, &c->roster);
	c->poll_gap_ns = POLL_MIN_NS;
	c->next_look_ns = now + LOOK_NS;
	c->next_poll_ns = now + POLL_MIN_NS;
	c->next_mark_ns = o->every_s > 0 ? now + (uint64_t)(o->every_s * 1e9) : UINT64_MAX;
	c->next_growth_ns = o->growth_bytes ? now : UINT64_MAX;
	share->region->growth_on = o->growth_bytes != 0;
	share->region->collector_pid = (uint32_t)getpid();
	*out = c;
	return HL_OK;
}

static void note_end(struct hl_collector *c, struct hl_out *out, struct hl_note *n, int said)
{
	uint64_t now = n->base_stamp;

	if (out->gone == HL_OUT_EXEC)
		hl_note_end(n, HL_END_EXEC, 0, now);
	else if (said)
		return;
	else if (out->pid != c->options.command || !c->status_known)
		hl_note_end(n, HL_END_GONE, 0, now);
	else if (WIFSIGNALED(c->status))
		hl_note_end(n, HL_END_SIGNAL, (uint64_t)WTERMSIG(c->status), now);
	else
		hl_note_end(n, HL_END_GONE, (uint64_t)WEXITSTATUS(c->status), now);
}

uint32_t hl_collector_untraced(const struct hl_collector *c)
{
	const struct hl_region *r = c->share->region;
	uint32_t starts = atomic_load_explicit(&r->starts, memory_order_relaxed),
		 execs = atomic_load_explicit(&r->execs, memory_order_relaxed);

	/* the command is one of those that started; that none did is told otherwise */
	return starts && execs < INT32_MAX && execs + 1 > starts ? execs + 1 - starts : 0;
}

/* The command's last, once: who is on his way from exec to his first call of us while the command becomes another program
 * has time to arrive. */
static int tells_untraced(const struct hl_collector *c, const struct hl_out *out)
{
	return out->pid == c->options.command && hl_roster_process(&c->roster, out->pid) == out &&
	       !c->untraced_in;
}

/* The image cannot run any more: its slots, its losses, its end. */
static void finish(struct hl_collector *c, struct hl_out *out)
{
	struct hl_image *e = &hl_region_images(c->share->region)[out->entry];
	struct hl_note n;
	int lost = 0, tells = tells_untraced(c, out);

	if (tells) {
		c->untraced_in = out;
		c->untraced_told = hl_collector_untraced(c);
	}
	hl_drain_image(&c->drain, out);
	hl_note_start(&n, hl_share_now(c->share));
	for (unsigned i = 0; i < HL_LOST_KINDS; i++) {
		uint64_t count = atomic_load_explicit(&e->lost[i], memory_order_acquire);

		if (tells && i == HL_LOST_CHILD)
			count += atomic_load_explicit(&c->share->region->refused_images,
						      memory_order_relaxed) +
				 c->untraced_told;
		if (count)
			hl_note_lost(&n, i, count);
		lost |= count != 0;
	}
	note_end(c, out, &n, atomic_load_explicit(&e->ended, memory_order_acquire) != 0);
	if (!out->path && (lost || !out->parent))
		hl_out_open(&c->outs, out);
	if (n.bytes)
		hl_out_note(&c->outs, out, &n);
	hl_out_finish(&c->outs, out);
	hl_roster_dismiss(&c->roster, out);
}

static void finish_gone(struct hl_collector *c)
{
	for (unsigned i = 0; i < HL_IMAGES_MAX; i++) {
		struct hl_out *out = c->roster.live[i];

		if (!out || !out->gone)
			continue;
		/* how the command ended is known in a moment */
		if (out->pid == c->options.command && !c->ended && out->gone == HL_OUT_GONE)
			continue;
		finish(c, out);
	}
}

static void mark_all(struct hl_collector *c)
{
	uint64_t stamp = hl_share_now(c->share);

	for (unsigned i = 0; i < HL_IMAGES_MAX; i++) {
		struct hl_out *out = c->roster.live[i];

		if (out && out->path && !out->gone)
			hl_out_mark(&c->outs, out, stamp, HL_MARK_INTERVAL, "");
	}
}

static void mark_grown(struct hl_collector *c)
{
	hl_drain_live(&c->drain);
	for (unsigned i = 0; i < HL_IMAGES_MAX; i++) {
		struct hl_out *out = c->roster.live[i];
		/* sums of what a traced process wrote: they may wrap, never trap */
		uint64_t live, grown;

		if (!out)
			continue;
		live = (uint64_t)out->live_closed + (uint64_t)out->live_open;
		grown = live - (uint64_t)out->live_marked;
		if (grown > INT64_MAX || grown < c->options.growth_bytes)
			continue;
		hl_out_mark(&c->outs, out, hl_share_now(c->share), HL_MARK_GROWTH, "");
		out->live_marked = (int64_t)live;
	}
}

/* Every slot was claimed at some time and none is free now. */
static int slots_are_short(const struct hl_collector *c)
{
	return hl_share_used(c->share) >= c->share->nbuffer &&
	       (uint32_t)atomic_load_explicit(&c->share->region->free_head, memory_order_relaxed) == 0;
}

static void look_at_processes(struct hl_collector *c, uint64_t now, int fresh, int all)
{
	int due = now >= c->next_poll_ns;

	if (fresh || slots_are_short(c)) {
		c->poll_gap_ns = POLL_MIN_NS;
		if (c->next_poll_ns > now + POLL_MIN_NS)
			c->next_poll_ns = now + POLL_MIN_NS;
	}
	if (!due && !all)
		return;
	hl_roster_poll(&c->roster, all || c->roster.nunseen > UNSEEN_LIMIT);
	c->next_poll_ns = now + c->poll_gap_ns;
	c->poll_gap_ns = c->poll_gap_ns > LOOK_NS / 2 ? LOOK_NS : c->poll_gap_ns * 2;
}

void hl_collector_round(struct hl_collector *c, int all)
{
	struct hl_region *r = c->share->region;
	uint64_t now = now_ns();
	int look = now >= c->next_look_ns;
	unsigned fresh;

	/* acquire: what was announced by a ++ before it is seen below */
	c->ticket = atomic_load_explicit(&r->seal_futex, memory_order_seq_cst);
	atomic_fetch_add_explicit(&r->heartbeat, 1, memory_order_relaxed);
	if (look) {
		all = 1;
		c->next_look_ns = now + LOOK_NS;
	}
	hl_drain_sealed(&c->drain);
	hl_pace_turn(&c->drain.pace, now);
	fresh = hl_roster_scan(&c->roster, all);
	look_at_processes(c, now, fresh != 0, all);
	finish_gone(c);
	if (all)
		hl_drain_open(&c->drain);
	if (look)
		hl_drain_trim(&c->drain);
	hl_mail_answer(c);
	if (now >= c->next_mark_ns) {
		mark_all(c);
		c->next_mark_ns += (uint64_t)(c->options.every_s * 1e9);
		if (c->next_mark_ns < now)
			c->next_mark_ns = now + (uint64_t)(c->options.every_s * 1e9);
	}
	if (now >= c->next_growth_ns) {
		mark_grown(c);
		c->next_growth_ns = now + GROWTH_NS;
	}
}

void hl_collector_sleep(struct hl_collector *c)
{
	struct hl_region *r = c->share->region;
	uint64_t now = now_ns(), next = c->next_look_ns;

	if (next > c->next_poll_ns)
		next = c->next_poll_ns;
	if (next > c->next_mark_ns)
		next = c->next_mark_ns;
	if (next > c->next_growth_ns)
		next = c->next_growth_ns;
	if (next <= now)
		return;
	/* Slots are sealed faster than it is good to wake for.  A nudge that came since the ticket was drawn waits. */
	if (hl_pace_aside(&c->drain.pace)) {
		hl_share_sleep(&r->seal_futex, atomic_load_explicit(&r->seal_futex, memory_order_relaxed),
			       next - now < NAP_NS ? next - now : NAP_NS);
		return;
	}
	/* A seal after the ticket was drawn changed the futex word, so the wait ends at once; a seal after
	 * this store sees it and wakes (partner: hl_slot_seal). */
	atomic_store_explicit(&r->collector_waits, 1, memory_order_seq_cst);
	hl_share_sleep(&r->seal_futex, c->ticket, next - now);
	atomic_store_explicit(&r->collector_waits, 0, memory_order_relaxed);
}

void hl_collector_command_ended(struct hl_collector *c, int status, int known)
{
	hl_drain_sealed(&c->drain);
	hl_roster_scan(&c->roster, 1);
	c->ended = 1;
	c->status = status;
	c->status_known = known;
	for (unsigned i = 0; known && i < HL_IMAGES_MAX; i++) {
		struct hl_out *out = c->roster.live[i];

		if (out && out->pid == c->options.command && !out->gone)
			out->gone = HL_OUT_GONE;
	}
	/* who is on its way from exec to its first call of us arrives within moments */
	for (int i = 0; i < ARRIVAL_ROUNDS && hl_collector_untraced(c); i++)
		nanosleep(&(struct timespec){0, ARRIVAL_NS}, NULL);
	hl_collector_round(c, 1);
	/* its pid is free for others now */
	if (known)
		c->options.command = 0;
}

unsigned hl_collector_live(const struct hl_collector *c)
{
	unsigned n = 0;

	for (unsigned i = 0; i < HL_IMAGES_MAX; i++)
		n += c->roster.live[i] && !c->roster.live[i]->gone;
	return n;
}

void hl_collector_close(struct hl_collector *c)
{
	struct hl_region *r = c->share->region;

	c->ended = 1;
	/* first: whoever still runs stops writing, then what it wrote is taken */
	atomic_store_explicit(&r->closed, 1, memory_order_seq_cst);
	hl_share_wake(&r->free_futex, INT_MAX);
	hl_drain_sealed(&c->drain);
	hl_roster_scan(&c->roster, 1);
	for (unsigned i = 0; i < HL_IMAGES_MAX; i++)
		if (c->roster.live[i])
			finish(c, c->roster.live[i]);
	hl_roster_release(&c->roster);
	hl_drain_release(&c->drain);
	hl_outs_release(&c->outs);
	free(c);
}
