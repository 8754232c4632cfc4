/*
 * thread.h - what the library keeps per thread, and how a hook gets it.  Floor 2.
 *
 * A thread's state outlives it: at its end the state, with its open slot, is handed on to the next
 * thread that starts, so a million threads one after another cost one slot.  TLS holds two words,
 * initial-exec.
 */
#ifndef HL_PRELOAD_THREAD_H
#define HL_PRELOAD_THREAD_H

#include "preload/cfi.h"
#include "preload/guest.h"

#define HL_FRAMES_EXTRA 12 /* room for our own frames above the program's */
#define HL_LEVELS       3  /* the thread, and two levels of signal handlers inside our own code */

struct hl_site {
	uint64_t stack_entry, size;
};

/* A frame of the previous capture, with all that finding it again depends on. */
struct hl_frame {
	uint64_t pc;      /* return address | flags << 56, see unwind.h */
	uint64_t sp;      /* of the frame after the return; 0: not known */
	uint64_t fp;      /* its frame pointer */
	uint64_t ra_slot; /* where its pc was read */
	uint64_t fp_slot; /* where fp was read; 0: the callee left it alone; HL_FRAME_OPAQUE */
	uint64_t hash;    /* of the frames from the outermost to this one, see nodes.h */
	uint32_t node;    /* of that prefix; HL_STACK_NONE: not looked up */
	uint32_t probe;   /* number of probes of the frames further out */
	uint32_t below;   /* 1 + index of the nearest opaque frame further out; 0: none */
	uint16_t rule;    /* by which it was left */
	uint8_t live;     /* fp decides about frames further out */
	uint8_t opaque;   /* reached in a way that cannot be verified by reading words */
};
#define HL_FRAME_OPAQUE 1u

/* A word that a walk read, and what it was. */
struct hl_probe {
	uint64_t slot, value;
};

/* The previous capture, outermost frame first.  Deeper stacks than config.room are captured by the plain
 * walk, and not kept. */
struct hl_trail {
	struct hl_frame *frames; /* config.room of them; frames[-1] lies further out than any */
	struct hl_probe *probes; /* at most two a frame, in the order of frames */
	uint32_t n, epoch;
	uint64_t deep_sp; /* a stack that began here was deeper than config.room; 0: none */
	uint32_t deep_captures;
};

/* A way from a hook's caller to a frame of the trail, see twig.h. */
#define HL_TWIG_BITS 6
/* Where fewer than half of the captures are twigs, looking costs more than it saves.  Above 0 it is done; at 0 not, until
 * the next slot is opened, which is some thousand events later. */
#define HL_TWIG_TRIAL  128
#define HL_TWIG_FRAMES 8u
struct hl_twig {
	_Alignas(64) uint64_t pc; /* the state it begins with */
	uint64_t sp, fp;
	uint64_t seen;             /* hash of the stack that came here last: kept when it comes again */
	uint64_t join_pc, join_sp; /* the state it ends in */
	uint64_t base;             /* hash of the stack from there outwards */
	uint32_t join;             /* 1 + index of the trail's frame in that state; 0: no twig */
	uint32_t node;             /* of the whole */
	uint64_t join_fp;
	uint16_t fp_words; /* bit i: probes[i] is a frame pointer, else a return address */
	uint8_t nprobes, nframes;
	uint8_t live; /* fp decides about a frame further out */
	struct hl_probe probes[2 * HL_TWIG_FRAMES];
};

/* What this thread saw last of the shared tables of rules and of nodes: those are as large as the program's call
 * sites and stacks and lie far away from the CPU, these stay near.  Places by the upper bits of a hash; zero: none. The
 * thread that starts the program has more of them: a program with one thread has its second-level cache for
 * itself, and of a thousand threads each shall be small. */
#define HL_NEAR_BITS_FIRST 12
#define HL_NEAR_BITS       9
struct hl_near {
	uint32_t shift;  /* 64 - bits */
	uint32_t missed; /* the node asked for last was not among them */
	uint64_t *rules; /* words of rulecache.h */
	struct hl_near_node {
		uint64_t hash;
		uint32_t node;
	} * nodes;
};

/* One stream being written: the coding state of format.h.  Owner: the thread at that level. */
struct hl_stream {
	struct hl_slot *slot; /* NULL: none yet, or it could not be had */
	uint32_t at;          /* bytes of slot->data written and committed: our private cursor */
	uint32_t
		limit; /* it may go up to here without a look; 0: no slot, or the claim is another thread's */
	uint32_t index;        /* of the slot */
	uint32_t claim;        /* number of the open (or next) claim */
	uint32_t stream;       /* HL_STREAM(), constant */
	uint32_t claim_thread; /* thread serial the claim's records are attributed to at `at` */
	uint32_t claim_epoch;  /* module epoch of its CHAIN records at `at` */
	uint32_t node_id;      /* last id of its last CHAIN record */
	uint32_t site_id;      /* of its last SITE record */
	uint32_t clock_seq;    /* region->clock_seq when the clock was last read */
	uint32_t credit;       /* events that may still go without reading it, see record.c */
	uint8_t released;      /* sampling: 1: the open release's block is in it; 2: and may be temporary */
	uint32_t denied;       /* events since a slot's pages could not be had; 0: they could */
	uint8_t starving;      /* the last wait for a slot timed out: do not wait again until one comes */
	uint64_t site_pc;
	uint64_t stamp;
	uint64_t address;
	uint64_t released_key, released_size;
	struct hl_trail trail;
	struct hl_near near;
	struct hl_twig twigs[1u << HL_TWIG_BITS];
	int32_t twig_score;     /* see HL_TWIG_TRIAL */
	struct hl_frame *fresh; /* scratch of the unwinder, newest first: config.room + 1 */
	uint64_t *pcs;          /* the same for plain methods: config.room + HL_FRAMES_EXTRA */
	struct hl_cfi cfi;      /* scratch of the unwinder */
	uint64_t addresses[256];
	struct hl_site sites[256];
};

struct hl_thread {
	uint32_t level; /* hooks active in this thread, 0 outside; also nested by signals */
	uint32_t serial, tid;
	uint8_t own;        /* 1: our own code runs that may allocate: its calls are not the program's */
	uint8_t entry_hint; /* entry of the next inner malloc (operator new); HL_ENTRY_COUNT: none */
	uint8_t inner_seen; /* the inner malloc was recorded */
	uint32_t ignoring;  /* __lsan_disable() calls without their __lsan_enable() */
	uint8_t key_rounds; /* times our key's destructor ran */
	struct hl_anchor hint_at; /* of who set entry_hint */
	uint64_t hint_size; /* what operator new was asked for: less is not its block, but an exception */
	uint64_t inner_address, inner_size;
	struct hl_anchor at[HL_LEVELS]; /* of the hook active at that level; none: we start */
	struct hl_stream *streams[HL_LEVELS];
	uint64_t foreign_sp;            /* an address below it that is not of this stack */
	uint64_t stack_low, stack_high; /* of its stack, as far as the unwinder found it readable */
	char *scratch;                  /* exec: the environment we pass on */
	size_t scratch_bytes;
	char name[16]; /* as last recorded */
	/* Sampling: bytes to the next point, while hl_sample_credit is 0; all bytes ever drawn, which less those is a position that
	 * moves with every allocation. */
	int64_t sample_left;
	uint64_t sample_drawn, sample_random;
	struct hl_thread *next_idle;
	struct hl_thread *next_all; /* every state ever made, for the cursors at fork */
};

/* The calling thread's state, made or taken over at first use; NULL: no memory (counted). */
struct hl_thread *hl_thread_self(void);
/* The same, or NULL when there is none yet. */
extern __thread struct hl_thread *hl_thread_current __attribute__((visibility("hidden")));
static inline struct hl_thread *hl_thread_peek(void)
{
	return hl_thread_current;
}
/* The calling thread's id, without a system call where that is possible: a jail may kill for gettid.  A vfork child has its
 * parent's, which goes on for it. */
static inline uint32_t hl_thread_tid(void)
{
	const struct hl_thread *t = hl_thread_peek();

	return HL_LIKELY(t != NULL) ? t->tid : hl_sys_gettid();
}
/* 1: the calling thread is past our destructor; its frees go through hl_thread_borrow. */
int hl_thread_is_over(void);
/* The process-wide state for threads that are over; NULL: busy for too long.  Give it back. */
struct hl_thread *hl_thread_borrow(void);
void hl_thread_give_back(struct hl_thread *t);
/* The stream of level l, made at first use; NULL: no memory. */
struct hl_stream *hl_thread_stream(struct hl_thread *t, uint32_t l);
/* Called once while starting: what to call when a thread ends (its last records), what when it began. */
void hl_thread_setup(void (*began)(struct hl_thread *), void (*ends)(struct hl_thread *));
/* Head of the list of all states. */
struct hl_thread *hl_thread_all(void);
/* Serial that the next new thread will get. */
uint32_t hl_thread_next_serial(void);
/* In a forked child: forget every other thread; the caller keeps its state, as a new thread. */
void hl_thread_forked(void);

#endif
