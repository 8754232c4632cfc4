/*
 * start.c - coming to life: at the first call of a hook, at the latest in our constructor; again in a
 * forked child.
 *
 * One thread starts; others that come meanwhile use the real functions unrecorded (counted).  Nothing
 * here may fail loudly: what cannot be had makes the library inert.
 */
#include "preload/arena.h"
#include "preload/boot.h"
#include "preload/config.h"
#include "preload/enter.h"
#include "preload/facts.h"
#include "preload/image.h"
#include "preload/lifecycle.h"
#include "preload/modmap.h"
#include "preload/nodes.h"
#include "preload/object.h"
#include "preload/real.h"
#include "preload/record.h"
#include "preload/unwind.h"
#include "preload/vdso.h"
#include "preload/window.h"
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

_Alignas(HL_PAGE_MAX) struct hl_hot hl_hot;
struct hl_guest hl_guest;

extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

static void find_text(void)
{
	const ElfW(Phdr) *ph = (const void *)((const char *)&__ehdr_start + __ehdr_start.e_phoff);

	for (int i = 0; i < __ehdr_start.e_phnum; i++)
		if (ph[i].p_type == PT_LOAD && ph[i].p_flags & PF_X) {
			hl_guest.text_start = (uintptr_t)&__ehdr_start + ph[i].p_vaddr;
			hl_guest.text_end = hl_guest.text_start + ph[i].p_memsz;
		}
}

/* Take an entry of the image table; 0: none free, or this program is not to be traced. */
static int claim_image(int child)
{
	struct hl_region *r = hl_guest.region;
	struct hl_image *images = hl_region_images(r);
	const struct hl_config *c = &hl_guest.config;
	int first = atomic_load_explicit(&r->next_image, memory_order_relaxed) == 0;

	if (!child)
		atomic_fetch_add_explicit(&r->starts, 1, memory_order_relaxed);
	if (!first && (c->follow_none || (*c->follow && !hl_glob(c->follow, hl_basename(hl_guest.exe)))))
		return 0;
	for (uint32_t i = 0; i < HL_IMAGES_MAX; i++) {
		uint32_t none = 0, id;

		if (!atomic_compare_exchange_strong_explicit(&images[i].pid, &none, hl_guest.pid,
							     memory_order_acq_rel, memory_order_relaxed))
			continue;
		for (uint32_t k = 0; k < HL_LOST_KINDS; k++)
			atomic_store_explicit(&images[i].lost[k], 0, memory_order_relaxed);
		atomic_store_explicit(&images[i].waits, 0, memory_order_relaxed);
		atomic_store_explicit(&images[i].ended, 0, memory_order_relaxed);
		atomic_store_explicit(&images[i].ask_state, HL_ASK_NONE, memory_order_relaxed);
		/* of a forked child: its handler is its parent's */
		atomic_store_explicit(&images[i].ask_signal,
				      atomic_load_explicit(&hl_guest.ask_signal, memory_order_relaxed),
				      memory_order_relaxed);
		images[i].parent = hl_guest.parent_image;
		id = atomic_fetch_add_explicit(&r->next_image, 1, memory_order_relaxed) + 1;
		hl_guest.image = &images[i];
		hl_guest.image_entry = i;
		hl_guest.image_id = id;
		/* release: the entry is filled in (partner: collector) */
		atomic_store_explicit(&images[i].id, id, memory_order_release);
		return 1;
	}
	atomic_fetch_add_explicit(&r->refused_images, 1, memory_order_relaxed);
	return 0;
}

/* A directory that anybody may write to without the sticky bit: anybody could swap the trace. */
static int open_to_all(const char *path)
{
	char *dir = hl_arena_alloc(HL_PATH_MAX), *slash = dir;

	if (!dir)
		return 1;
	hl_append(dir, dir + HL_PATH_MAX, path);
	for (char *p = dir; *p; p++)
		if (*p == '/')
			slash = p;
	*slash = 0;
	return hl_sys_dir_is_open(*dir ? dir : "/");
}

static int create_region(int child)
{
	int r = -17;

	for (int attempt = child; r == -17 && attempt < 1000; attempt++) {
		if (!hl_config_trace_name(hl_guest.trace, attempt) || open_to_all(hl_guest.trace))
			return 0;
		if (attempt == 1 && !child && hl_guest.config.follow_none)
			return 0; /* the first program has the plain name */
		if (attempt == 1 && !child && *hl_guest.config.follow &&
		    !hl_glob(hl_guest.config.follow, hl_basename(hl_guest.exe)))
			return 0;
		r = hl_window_create(hl_guest.trace, hl_guest.config.max_disk);
	}
	return r == 0;
}

static int have_region(int child)
{
	if (*hl_guest.region_path) {
		if (hl_guest.region)
			return 1; /* inherited through fork */
		return hl_window_attach(hl_guest.region_path) == 0;
	}
	return *hl_guest.output && create_region(child);
}

static void boot_block(void *ctx, void *p, size_t bytes, uint64_t caller)
{
	hl_record_alloc(ctx, (uint64_t)(uintptr_t)p, bytes, HL_ENTRY_MALLOC, caller);
}

static void set_state(enum hl_state s)
{
	/* release: everything start set (partner: hl_state) */
	atomic_store_explicit(&hl_hot.state, s, memory_order_release);
}

/* A child finds HL_INIT at its next hook; but where a signal handler forked inside a hook of ours, the record that is being
 * written would come into the parent's slot first. */
void hl_start_forked(void)
{
	struct hl_thread *t = hl_thread_peek();

	/* where the wiping was only said */
	if (!hl_sys_advice_is_heeded())
		set_state(HL_INIT);
	if (t && t->level && hl_state() == HL_INIT)
		hl_start_child();
}

static int children_start_over(void)
{
#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif
	if (hl_sys_madvise(&hl_hot, sizeof hl_hot, MADV_WIPEONFORK) < 0)
		return 0;
	/* A raw clone does not run it: its child is told by the page alone. */
	return pthread_atfork(NULL, NULL, hl_start_forked) == 0 || hl_sys_advice_is_heeded();
}

static int begin_recording(int child)
{
	if (!have_region(child) || hl_nodes_init() < 0)
		return 0;
	if (!claim_image(child))
		return 0;
	hl_guest.config.growth = hl_guest.region->growth_on != 0;
	if (hl_guest.config.growth || hl_guest.config.sample || hl_guest.config.free_stacks)
		atomic_store_explicit(&hl_guest.config.special, 1, memory_order_relaxed);
	hl_lost(HL_LOST_OPTION, hl_guest.config.unknown_options);
	return 1;
}

static void began(struct hl_thread *t)
{
	hl_image_reap();
	hl_enter_raise(t, t->level, hl_anchor_here());
	hl_facts_thread(t);
	hl_leave(t);
}

static void ends(struct hl_thread *t)
{
	hl_drop_levels(t);
	hl_enter_raise(t, t->level, hl_anchor_here());
	hl_facts_thread_end(t);
	hl_leave(t);
}

int hl_start(void)
{
	uint32_t init = HL_INIT;
	struct hl_thread *t;

	if (!atomic_compare_exchange_strong_explicit(&hl_hot.state, &init, HL_STARTING, memory_order_acq_rel,
						     memory_order_acquire))
		return init >= HL_ACTIVE;
	hl_guest.pid = hl_sys_getpid();
	hl_guest.page_bytes = (uint32_t)getauxval(AT_PAGESZ);
	hl_vdso_init();
	hl_real_resolve();
	hl_object_init();

	/* ld.so notes where the kernel put argc: above it lies no frame. */
	void **stack_end = dlsym(RTLD_DEFAULT, "__libc_stack_end");

	hl_guest.main_stack_high = (uint64_t)(uintptr_t)(stack_end ? *stack_end : NULL);
	/* glibc 2.32; without it the clock is read at every event */
	static const char many_threads;
	const char *flag = dlsym(RTLD_DEFAULT, "__libc_single_threaded");

	hl_guest.single_threaded = flag ? flag : &many_threads;
	hl_real_publish();
	hl_guest.ever_started = 1;
	find_text();
	if (!hl_real.malloc || !hl_real.free || getauxval(AT_SECURE)) {
		set_state(HL_INERT);
		return 1;
	}
	hl_config_read(environ);

	Dl_info owner, libc;

	hl_guest.libc_alloc = dladdr((void *)(uintptr_t)hl_real.malloc, &owner) &&
			      dladdr((void *)(uintptr_t)&getauxval, &libc) &&
			      owner.dli_fbase == libc.dli_fbase;
	if (hl_modmap_init() < 0 || (!*hl_guest.region_path && !*hl_guest.output) || !children_start_over() ||
	    !begin_recording(0)) {
		set_state(HL_INERT);
		return 1;
	}
	hl_thread_setup(began, ends);
	set_state(hl_guest.config.sample ? HL_SAMPLING : HL_ACTIVE);
	t = hl_thread_self();
	if (t) {
		hl_enter_raise(t, t->level, (struct hl_anchor){0}); /* no hook, so no stack to walk */
		hl_facts_hello(t);
		hl_boot_each(boot_block, t);
		hl_leave(t);
	}
	return 1;
}

/* What a parent lost up to now is missing in its child's books too, which begin as a copy of its own. */
static void inherit_losses(const struct hl_image *parents)
{
	static const uint8_t kinds[] = {HL_LOST_FULL,   HL_LOST_NESTED, HL_LOST_STACK,
					HL_LOST_THREAD, HL_LOST_EXITED, HL_LOST_STARTUP};

	for (unsigned i = 0; i < sizeof kinds; i++)
		hl_lost(kinds[i], atomic_load_explicit(&parents->lost[kinds[i]], memory_order_relaxed));
}

/* Everything of ours was copied from the parent, with the other threads' states as they were. */
void hl_start_child(void)
{
	static struct hl_cursor *cursors; /* kept: a child of a child finds it big enough */
	static uint32_t room;
	uint32_t init = HL_INIT, n, next, parent_image, parent_pid;
	struct hl_image *parents;
	char *parent_trace = NULL;
	uint8_t uuid[16];
	struct hl_thread *t;

	if (!atomic_compare_exchange_strong_explicit(&hl_hot.state, &init, HL_STARTING, memory_order_acq_rel,
						     memory_order_acquire))
		return;
	if (!hl_guest.region || !hl_guest.image || hl_guest.config.follow_none) {
		/* also of a child that is not followed: it may be inside a record of its parent's */
		hl_thread_forked();
		set_state(HL_INERT);
		return;
	}
	parent_image = hl_guest.image_id;
	parent_pid = hl_guest.pid;
	hl_guest.parent_image = parent_image;
	hl_guest.parent_pid = parent_pid;
	hl_guest.pid = hl_sys_getpid();
	next = hl_thread_next_serial();
	n = hl_facts_cursors(cursors, room);
	if (n > room) {
		room = n + 64;
		cursors = hl_arena_alloc(room * sizeof *cursors);
		n = cursors ? hl_facts_cursors(cursors, room) : 0;
	}
	hl_thread_forked();
	hl_unwind_forked();
	hl_image_forked();
	hl_nodes_abandon(0);
	if (hl_guest.backing == HL_BACKING_FILE && (parent_trace = hl_arena_alloc(HL_PATH_MAX)))
		hl_append(parent_trace, parent_trace + HL_PATH_MAX, hl_guest.trace);
	for (unsigned i = 0; i < sizeof uuid; i++)
		uuid[i] = hl_guest.region->uuid[i];
	parents = hl_guest.image; /* stays mapped */
	if (hl_guest.backing == HL_BACKING_FILE) {
		hl_window_detach();
		if (!begin_recording(1)) {
			atomic_fetch_add_explicit(&parents->lost[HL_LOST_CHILD], 1, memory_order_relaxed);
			set_state(HL_INERT);
			return;
		}
	} else if (!begin_recording(1)) {
		set_state(HL_INERT);
		return;
	}
	inherit_losses(parents);
	set_state(hl_guest.config.sample ? HL_SAMPLING : HL_ACTIVE);
	t = hl_thread_self();
	if (!t)
		return;

	uint32_t level = t->level;

	/* A handler may have forked inside one of our hooks: write at the next level then. */
	hl_enter_raise(t, level < HL_LEVELS ? level : HL_LEVELS - 1, hl_anchor_here());
	hl_facts_hello(t);
	hl_facts_fork(t, cursors, n, next);
	if (parent_trace)
		hl_facts_parent(t, parent_trace, uuid, parent_image);
	hl_facts_thread(t);
	hl_leave(t);
	t->level = level;
}

static __attribute__((constructor)) void constructor(void)
{
	hl_start();
	if (!hl_records(hl_state()))
		return;
	hl_lifecycle_setup();
	hl_unwind_init();
}
