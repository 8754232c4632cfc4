/*
 * guest.h - the one context of the library, and the flag every hook reads first.  Floor 1.
 *
 * hl_hot lies alone on a page (of whatever size) that the kernel wipes in a forked child (MADV_WIPEONFORK, Linux
 * 4.14): a child finds HL_INIT there and starts over by itself, whichever way it was forked.
 * A vfork child shares the page and so goes on as its parent, which is what it is.
 */
#ifndef HL_PRELOAD_GUEST_H
#define HL_PRELOAD_GUEST_H

#include "heapledger/region.h"
#include "preload/cpu.h"
#include "preload/sys.h"

#define HL_PATH_MAX 4096

enum hl_state {
	HL_INIT,     /* not started; or a forked child that did not look yet */
	HL_STARTING, /* one thread starts it */
	HL_ACTIVE,   /* every event is recorded */
	HL_SAMPLING, /* some are, see sample.h */
	HL_INERT     /* real functions are known, nothing is recorded */
};

struct hl_hot {
	_Atomic uint32_t state; /* enum hl_state */
	char pad[HL_PAGE_MAX - 4];
};
extern struct hl_hot hl_hot __attribute__((visibility("hidden")));

enum hl_unwind_method { HL_UNWIND_CFI, HL_UNWIND_WALK, HL_UNWIND_LIBUNWIND, HL_UNWIND_CHECK, HL_UNWIND_NONE };

/* Frames of a stack that are kept at least, when any are: a stack deeper than depth is recorded whole up to
 * here, because its outer frames are those of the stack before, while windows of it have none in common. */
#define HL_ROOM_MIN 256u

#define HL_IMAGES_GENTLE 2u

struct hl_config {
	uint32_t depth; /* frames of a stack that reports show */
	uint32_t room;  /* frames of a stack that can be recorded: 1, or depth and at least HL_ROOM_MIN */
	uint8_t mmap;   /* mmap family counts */
	uint8_t drop;   /* on-full=drop */
	uint8_t image;  /* pointer images; HL_IMAGES_GENTLE: threads that wait in the kernel are left alone */
	uint8_t growth; /* keep live_delta */
	uint8_t raw_clock;   /* 1: bare, stamps are of CLOCK_MONOTONIC_RAW even where the TSC is trusted */
	uint8_t free_stacks; /* 1: a free says where it was called */
	/* 1: an event takes more than its coding (growth, sample, stacks of frees); from the first __lsan_disable() on, too */
	_Atomic uint8_t special;
	uint8_t follow_none;
	uint8_t exitcode;  /* HEAPLEDGER_EXITCODE; 0: none */
	uint8_t unwind;    /* enum hl_unwind_method */
	uint64_t max_disk; /* bare: bytes of the file at most */
	uint64_t
		sample; /* bytes from one point of the sample to the next on average; 0: everything is recorded */
	char follow[256];  /* glob of program names, "" all */
	char options[512]; /* HEAPLEDGER_OPTIONS as found */
	uint32_t unknown_options;
};

/* Everything but hl_hot. Set while starting, then constant, but for what is _Atomic. */
struct hl_guest {
	/* hot */
	struct hl_region *region; /* NULL: none */
	struct hl_image *image;   /* this process's entry in the image table */
	uint32_t backing, nslots, reserve, clock, shift;
	uint32_t image_entry, image_id;
	_Atomic uint32_t epoch;         /* module generation, see modmap.h */
	uintptr_t text_start, text_end; /* our own code */
	const char *single_threaded;    /* libc's flag: 0 as soon as there was a second thread */
	struct hl_config config;
	uint64_t ticks_per_s;     /* bare: of the clock, once measured */
	uint64_t main_stack_high; /* end of the main thread's frames */
	uint32_t page_bytes;      /* of this kernel */
	/* process */
	uint32_t pid; /* of the process that started or forked last; a vfork child differs */
	uint32_t parent_image, parent_pid;
	_Atomic uint8_t ask_signal;     /* see image_signal.h; 0: none stands */
	uint8_t ever_started;           /* a HL_INIT state now means: forked child */
	uint8_t libc_alloc;             /* the next malloc is glibc's, which never calls malloc */
	_Atomic uint32_t new_is_malloc; /* 0 unknown, 1: operator new ends in malloc, 2: it does not */
	char exe[HL_PATH_MAX];          /* our program's path */
	char library[HL_PATH_MAX];      /* our own path, as LD_PRELOAD names it */
	char region_path[64];           /* value of HEAPLEDGER_REGION, "" bare */
	char output[HL_PATH_MAX];       /* bare: value of HEAPLEDGER_OUTPUT made absolute */
	char trace[HL_PATH_MAX];        /* bare: the file in use */
};
extern struct hl_guest hl_guest __attribute__((visibility("hidden")));

/* Count something lost; any thread. */
static inline void hl_lost(enum hl_lost what, uint64_t n)
{
	struct hl_image *im = hl_guest.image;

	if (im)
		atomic_fetch_add_explicit(&im->lost[what], n, memory_order_relaxed);
}

static inline uint32_t hl_state(void)
{
	/* acquire: what start wrote before a hook uses it (partner: lifecycle.c) */
	return atomic_load_explicit(&hl_hot.state, memory_order_acquire);
}

/* 1: our process is over, and what it had in the region may be others' by now: we are a child that shares its memory and outlived
 * it. */
static inline int hl_outlived(void)
{
	return HL_UNLIKELY(atomic_load_explicit(&hl_guest.image->id, memory_order_relaxed) !=
			   hl_guest.image_id);
}

static inline int hl_records(uint32_t state)
{
	return state == HL_ACTIVE || state == HL_SAMPLING;
}

/* 1 in a child made by vfork or clone(CLONE_VM): it shares our memory, but is another process. */
static inline int hl_is_vfork_child(void)
{
	return hl_sys_getpid() != hl_guest.pid;
}

#endif
