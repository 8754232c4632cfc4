/*
 * roster.c - admitting images and noticing their end.  Floor: collect.
 *
 * Invariant: live[e] is an image whose table entry e still holds its pid; entries are written here
 * only in hl_roster_dismiss, when the process cannot run any more.
 */
#include "analyzer/collect/roster.h"
#include "analyzer/collect/process.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

int hl_roster_init(struct hl_roster *r, const struct hl_share *share, struct hl_outs *outs, struct hl_diag *d)
{
	memset(r, 0, sizeof(*r));
	r->share = share;
	r->outs = outs;
	r->began = share->began;
	r->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (r->epoll < 0)
		return hl_fail(d, HL_ERR_IO, "epoll: %s", strerror(errno));
	return HL_OK;
}

void hl_roster_release(struct hl_roster *r)
{
	for (unsigned i = 0; i < HL_IMAGES_MAX; i++)
		if (r->live[i] && r->live[i]->pidfd >= 0)
			close(r->live[i]->pidfd);
	close(r->epoll);
}

/* Does that process belong to this run?  One whose mappings may not be read does unless it is older:
 * whatever is traced here was started by the command. */
static int is_ours(const struct hl_roster *r, pid_t pid)
{
	switch (hl_process_maps(pid, r->share->inode)) {
	case HL_MAPS_YES:
		return 1;
	case HL_MAPS_UNKNOWN:
		return hl_process_started(pid) >= r->began;
	default:
		return 0;
	}
}

static void watch(struct hl_roster *r, struct hl_out *out)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.u32 = out->entry};

	out->pidfd = hl_process_open(out->pid);
	if (out->pidfd >= 0) {
		if (epoll_ctl(r->epoll, EPOLL_CTL_ADD, out->pidfd, &ev) == 0)
			return;
		close(out->pidfd);
		out->pidfd = -1;
	} else if (errno == ESRCH) {
		out->gone = HL_OUT_GONE;
	}
}

/* out->pid is right. */
static void found(struct hl_roster *r, struct hl_out *out)
{
	watch(r, out);
	if (!out->parent)
		hl_out_open(r->outs, out);
	for (unsigned i = 0; i < HL_IMAGES_MAX; i++)
		if (r->live[i] && r->live[i]->pid == out->pid && r->live[i]->id < out->id &&
		    !r->live[i]->gone)
			r->live[i]->gone = HL_OUT_EXEC;
}

static void match_inner(void *ctx, pid_t pid, uint32_t inner)
{
	struct hl_roster *r = ctx;

	for (unsigned i = 0; i < HL_IMAGES_MAX; i++) {
		struct hl_out *out = r->live[i];

		if (!out || !out->unseen || (uint32_t)out->pid != inner || !is_ours(r, pid))
			continue;
		out->unseen = 0;
		out->pid = pid;
		found(r, out);
		return;
	}
}

static void judge_unseen(struct hl_roster *r)
{
	if (!r->nunseen)
		return;
	hl_process_each_inner(match_inner, r);
	for (unsigned i = 0; i < HL_IMAGES_MAX; i++)
		if (r->live[i] && r->live[i]->unseen) {
			r->live[i]->unseen = 0;
			r->live[i]->gone = HL_OUT_GONE;
		}
	r->nunseen = 0;
}

/* The entry of an image that was not admitted yet; HL_IMAGES_MAX: none. */
static uint32_t entry_of(const struct hl_roster *r, uint32_t id)
{
	struct hl_image *images = hl_region_images(r->share->region);
	uint32_t i = 0;

	/* acquire: as in hl_roster_lookup */
	while (i < HL_IMAGES_MAX &&
	       (r->live[i] || atomic_load_explicit(&images[i].id, memory_order_acquire) != id))
		i++;
	return i;
}

static struct hl_out *admit(struct hl_roster *r, uint32_t entry, uint32_t id);

/* Entries are taken where one is free: what a process was before exec may stand behind what it is. */
static void admit_earlier(struct hl_roster *r, uint32_t pid, uint32_t id)
{
	struct hl_image *images = hl_region_images(r->share->region);

	for (uint32_t i = 0; i < HL_IMAGES_MAX; i++) {
		uint32_t other;

		if (r->live[i] || atomic_load_explicit(&images[i].pid, memory_order_relaxed) != pid)
			continue;
		/* acquire: as in hl_roster_lookup */
		other = atomic_load_explicit(&images[i].id, memory_order_acquire);
		/* ends: ids fall */
		if (other && other < id)
			admit(r, i, other);
	}
}

static struct hl_out *admit_one(struct hl_roster *r, uint32_t entry, uint32_t id)
{
	struct hl_image *e = &hl_region_images(r->share->region)[entry];
	uint32_t said = atomic_load_explicit(&e->pid, memory_order_relaxed);
	struct hl_out *out;

	admit_earlier(r, said, id);
	out = said <= INT32_MAX ? hl_outs_admit(r->outs, id, e->parent, (pid_t)said) : NULL;
	if (!out)
		return NULL;
	out->entry = entry;
	r->live[entry] = out;
	r->nlive++;
	/* the command itself is never in an inner namespace, and its end is told by its parent */
	if (out->pid == r->outs->command || is_ours(r, out->pid)) {
		found(r, out);
	} else {
		out->unseen = 1;
		r->nunseen++;
	}
	return out;
}

/* Its ancestors first: a trace names that of its parent when it is opened, and a slot of the child can
 * be taken before the table was searched for the parent. */
static struct hl_out *admit(struct hl_roster *r, uint32_t entry, uint32_t id)
{
	struct hl_image *images = hl_region_images(r->share->region);
	uint32_t line[HL_IMAGES_MAX], ids[HL_IMAGES_MAX], n = 0;

	/* ends: a parent's id is below its child's */
	do {
		uint32_t parent = images[entry].parent;

		line[n] = entry;
		ids[n++] = id;
		if (!parent || parent >= id || hl_outs_find(r->outs, parent))
			break;
		id = parent;
		entry = entry_of(r, id);
	} while (entry < HL_IMAGES_MAX && n < HL_IMAGES_MAX);
	while (n > 1) {
		n--;
		admit_one(r, line[n], ids[n]);
	}
	return admit_one(r, line[0], ids[0]);
}

struct hl_out *hl_roster_lookup(struct hl_roster *r, uint32_t entry, uint32_t id)
{
	struct hl_image *images = hl_region_images(r->share->region);

	if (entry >= HL_IMAGES_MAX || id == 0)
		return NULL;
	if (r->live[entry])
		return r->live[entry]->id == id ? r->live[entry] : NULL;
	/* acquire: the entry was filled in before its id (partner: the library's start) */
	if (atomic_load_explicit(&images[entry].id, memory_order_acquire) != id)
		return NULL;
	return admit(r, entry, id);
}

unsigned hl_roster_scan(struct hl_roster *r, int all)
{
	struct hl_image *images = hl_region_images(r->share->region);
	uint32_t newest = atomic_load_explicit(&r->share->region->next_image, memory_order_acquire);
	unsigned count = 0;

	if (newest == r->newest && !all)
		return 0;
	r->newest = newest;
	for (uint32_t i = 0; i < HL_IMAGES_MAX; i++) {
		uint32_t pid = atomic_load_explicit(&images[i].pid, memory_order_relaxed);
		uint32_t id, unborn = r->unborn[i];

		if (r->live[i] || !pid)
			continue;
		id = atomic_load_explicit(&images[i].id, memory_order_acquire);
		if (id) {
			count += hl_roster_lookup(r, i, id) != NULL;
			continue;
		}
		/* claimed and no id yet: the next call looks again; when its process died in between,
		 * two looks a second apart are enough to take the entry back */
		r->newest = newest - 1;
		if (!all)
			continue;
		r->unborn[i] = pid;
		if (pid == unborn && kill((pid_t)pid, 0) < 0 && errno == ESRCH) {
			r->unborn[i] = 0;
			atomic_compare_exchange_strong(&images[i].pid, &pid, 0);
		}
	}
	return count;
}

void hl_roster_poll(struct hl_roster *r, int all)
{
	struct epoll_event ev[64];
	int n;

	do {
		n = epoll_wait(r->epoll, ev, 64, 0);
		for (int i = 0; i < n; i++) {
			struct hl_out *out = ev[i].data.u32 < HL_IMAGES_MAX ? r->live[ev[i].data.u32] : NULL;

			if (!out)
				continue;
			if (!out->gone)
				out->gone = HL_OUT_GONE;
			epoll_ctl(r->epoll, EPOLL_CTL_DEL, out->pidfd, NULL);
		}
	} while (n == 64);
	if (!all)
		return;
	judge_unseen(r);
	for (unsigned i = 0; i < HL_IMAGES_MAX; i++) {
		struct hl_out *out = r->live[i];

		if (out && out->pidfd < 0 && !out->gone &&
		    ((kill(out->pid, 0) < 0 && errno == ESRCH) || !is_ours(r, out->pid)))
			out->gone = HL_OUT_GONE;
	}
}

struct hl_out *hl_roster_process(const struct hl_roster *r, pid_t pid)
{
	struct hl_out *best = NULL;

	for (unsigned i = 0; i < HL_IMAGES_MAX; i++)
		if (r->live[i] && r->live[i]->pid == pid && (!best || best->id < r->live[i]->id))
			best = r->live[i];
	return best;
}

void hl_roster_dismiss(struct hl_roster *r, struct hl_out *out)
{
	struct hl_image *e = &hl_region_images(r->share->region)[out->entry];

	if (out->pidfd >= 0)
		close(out->pidfd);
	out->pidfd = -1;
	r->live[out->entry] = NULL;
	r->nlive--;
	for (unsigned i = 0; i < HL_LOST_KINDS; i++)
		atomic_store_explicit(&e->lost[i], 0, memory_order_relaxed);
	atomic_store_explicit(&e->waits, 0, memory_order_relaxed);
	atomic_store_explicit(&e->ended, 0, memory_order_relaxed);
	atomic_store_explicit(&e->ask_signal, 0, memory_order_relaxed);
	e->parent = 0;
	atomic_store_explicit(&e->id, 0, memory_order_relaxed);
	/* release: a clean entry before it can be claimed (partner: the library's compare-and-swap) */
	atomic_store_explicit(&e->pid, 0, memory_order_release);
}
