/*
 * format.h - all that the preloaded library and the analyzer share: the region and the records in it.  The trace file:
 * tracefile.h.
 *
 * Byte order: little endian, checked at compile time.  All integers in records are LEB128
 * varints ("uv"), signed ones zigzag first ("sv").  Strings are uv length + bytes, no NUL.
 *
 * Three layers:
 *   region   one shared mapping: header, image table, link table, slots.  Backed by a memfd
 *            (launcher) or by a file (bare LD_PRELOAD; then the region is the trace).
 *   stream   the records one thread wrote at one signal-nesting level, in order.  It is stored
 *            as numbered *claims*: claim k is what went into the k-th slot the stream took.
 *            Coding state is reset at the start of a claim, so a lost slot loses only itself.
 *   trace    a file per program image: blocks, each a piece (claim, offset) of one stream, an
 *            index at the end.
 *
 * Versions: HL_FORMAT_MAJOR changes when an old reader must refuse.  New records need no new
 * version: every record other than the events is length-prefixed and says whether a reader
 * that does not know it must stop (HL_TAG_MUST).
 */
#ifndef HEAPLEDGER_FORMAT_H
#define HEAPLEDGER_FORMAT_H

#include <stdatomic.h>
#include <stdint.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "formats are little endian");

#define HL_FORMAT_MAJOR 2
#define HL_FORMAT_MINOR 3

/* ---- stamps ------------------------------------------------------------------------------
 * A stamp is a tick count of the invariant TSC >> shift, or of CLOCK_MONOTONIC_RAW nanoseconds
 * >> shift where there is none.  The shift makes a tick 8-16 ns: hand-off of an address between
 * two threads takes longer than that, so order on one address is kept (ties are settled by the
 * rule that an address alternates alloc, free), and most deltas fit in the tag byte. */
enum hl_clock { HL_CLOCK_TSC = 1, HL_CLOCK_MONOTONIC_RAW = 2 };

/* ---- region ------------------------------------------------------------------------------ */

#define HL_REGION_MAGIC     0x314e474552474c48ull /* "HLGREGN1" */
#define HL_SLOT_BYTES       (32u * 1024)
#define HL_IMAGES_MAX       2048u
#define HL_WINDOW_BYTES     (32u * 1024 * 1024) /* slots are mapped by windows of this size */
#define HL_SLOTS_PER_WINDOW (HL_WINDOW_BYTES / HL_SLOT_BYTES)

enum hl_backing { HL_BACKING_MEMFD = 1, HL_BACKING_FILE = 2 };

/* What was not recorded, and why.  Indices of hl_image.lost; names in hl_lost_names. */
enum hl_lost {
	HL_LOST_FULL,      /* events: no free slot within the wait */
	HL_LOST_NESTED,    /* events: more than two levels of signal nesting */
	HL_LOST_STACK,     /* events kept, their stack not (table full, no memory) */
	HL_LOST_THREAD,    /* events: no memory for a thread's state */
	HL_LOST_EXITED,    /* events: after a thread's end, the shared slot was busy */
	HL_LOST_STARTUP,   /* events: another thread was starting the library */
	HL_LOST_CHILD,     /* programs: a child could not be traced */
	HL_LOST_OPTION,    /* unknown names or values in HEAPLEDGER_OPTIONS */
	HL_LOST_CHECK,     /* not a loss: captures that unwind=check found to differ from libunwind's */
	HL_LOST_IMAGE,     /* pointer images that were begun and not ended; no event is lost with one */
	HL_LOST_VERDICT,   /* leak checks that the program asked for and that came to no verdict; the same */
	HL_LOST_KINDS = 12 /* room for later kinds */
};

/* How far a request for a pointer image is.  What comes after DONE is why there is none. */
enum hl_ask {
	HL_ASK_NONE,
	HL_ASK_POSTED,  /* by the command, which then sends the signal */
	HL_ASK_WRITING, /* its mark is recorded, the program goes on */
	HL_ASK_DONE,
	HL_ASK_BUSY,    /* another image is being written */
	HL_ASK_DENIED,  /* the thread that was asked may not record now */
	HL_ASK_NO_LIST, /* threads or maps cannot be listed, or there is no memory */
	HL_ASK_NO_COPY, /* the process cannot be copied */
	HL_ASK_GIVEN_UP /* it took too long, or no slot was free */
};

/* One traced program image (a process, or a process after exec).  Written by its process. */
struct hl_image {
	/* 0: free.  Claimed by compare-and-swap 0 -> pid, freed (0) by the collector.  In a child
	 * that has its own pid namespace this is the pid seen there; 0 never. */
	_Atomic uint32_t pid;
	_Atomic uint32_t id;    /* serial in this region, from next_image; 0 until hello */
	_Atomic uint32_t ended; /* 1: it said that it ended (exit, exec succeeded is unknown) */
	uint32_t parent;        /* image id it was forked from, 0 */
	_Atomic uint64_t lost[HL_LOST_KINDS];
	_Atomic uint64_t waits; /* times a thread waited for a free slot */
	/* A pointer image on demand: the signal by which it is asked for, 0: it cannot be; and enum hl_ask. */
	_Atomic uint8_t ask_signal, ask_state;
	uint8_t reserved[6];
};
_Static_assert(sizeof(struct hl_image) == 128, "two cache lines");

/* The mailbox of `heapledger snapshot PID`: one request at a time, see region.h. */
enum hl_mail_state { HL_MAIL_IDLE, HL_MAIL_CLAIMED, HL_MAIL_POSTED, HL_MAIL_DONE };
struct hl_mail {
	_Atomic uint32_t state;
	_Atomic uint32_t client; /* pid of the requester, to take over from a dead one */
	uint32_t pid;            /* the process asked for */
	uint32_t result;         /* errno, 0 done */
	uint64_t stamp;          /* of the mark, filled in by the collector */
	uint32_t collect_only;   /* 1: no mark, only what was recorded so far into the trace */
	char label[108];  /* NUL terminated; also of a pointer image that the client asks for meanwhile */
	char trace[2048]; /* its path, filled in by the collector; \"\" it is too long */
};

/*
 * Layout of the mapping, all offsets fixed by nslots:
 *   0                      struct hl_region
 *   HL_REGION_IMAGES       struct hl_image[HL_IMAGES_MAX]
 *   HL_REGION_LINKS        _Atomic uint32_t[nslots]   (memfd backing only)
 *   hl_region_slots_off()  slots, HL_SLOT_BYTES each
 */
struct hl_region {
	uint64_t magic;
	uint16_t major, minor;
	uint32_t backing; /* enum hl_backing */
	uint32_t nslots;
	uint32_t slot_bytes;
	uint8_t uuid[16];
	uint32_t clock; /* enum hl_clock */
	uint32_t stamp_shift;
	uint64_t ticks_per_s; /* of stamps, after the shift */
	uint64_t start_stamp; /* when the region was made */
	uint64_t start_realtime_ns;
	uint32_t collector_pid; /* 0: bare */
	uint32_t growth_on;     /* 1: threads keep live_delta */
	uint32_t reserve; /* of nslots, the last so many are for threads that never had one (memfd backing) */
	uint8_t pad0[36];

	/* Written by every process; each group on its own cache line. */
	_Alignas(64) _Atomic uint64_t free_head;   /* tag << 32 | index + 1; 0 index: empty */
	_Alignas(64) _Atomic uint64_t sealed_head; /* the same */
	_Alignas(64) _Atomic uint32_t bump;        /* slots never used yet start here */
	_Atomic uint32_t next_image;               /* last image id given out */
	_Atomic uint32_t refused_images;           /* no image entry was free: not traced */
	/* Programs that were given to the kernel to start with the library (the command itself is not among
	 * them), and programs in which it started: the others could not be traced. */
	_Atomic uint32_t execs, starts;
	_Alignas(64) _Atomic uint32_t seal_futex; /* ++ at each seal; the collector waits on it */
	_Atomic uint32_t collector_waits;         /* 1: wake it */
	_Alignas(64) _Atomic uint32_t free_futex; /* ++ at each hand-back; starved threads wait on it */
	_Atomic uint32_t free_waiters;
	_Alignas(64) _Atomic uint32_t heartbeat; /* ++ at each round of the collector */
	_Atomic uint32_t closed;                 /* 1: nobody collects any more: be inert */
	/* ++ before a stamp is taken that all later events must lie above (marks, SYNC): a process with one
	 * thread reads the clock only now and then, and at its next event after this moved. */
	_Alignas(64) _Atomic uint32_t clock_seq;
	_Alignas(64) struct hl_mail mail;
};
_Static_assert(sizeof(struct hl_region) <= 4096, "header is one page");

#define HL_REGION_IMAGES 4096u
#define HL_REGION_LINKS  (HL_REGION_IMAGES + HL_IMAGES_MAX * 128u)

/* Offset of slot 0: a multiple of 64 KiB after the tables. */
static inline uint64_t hl_region_slots_off(uint32_t backing, uint32_t nslots)
{
	uint64_t links = backing == HL_BACKING_MEMFD ? (uint64_t)nslots * 4 : 0;

	return (HL_REGION_LINKS + links + 65535) & ~65535ull;
}

static inline uint64_t hl_region_bytes(uint32_t backing, uint32_t nslots)
{
	return hl_region_slots_off(backing, nslots) + (uint64_t)nslots * HL_SLOT_BYTES;
}

/* Streams: thread serial (1..., unique in the image's life) and nesting level 0-2.
 * Level 3 of thread 0 is the shared stream for frees after a thread's end; level 3 of "thread" n >= 1 is no thread's: it is
 * the process's n-th pointer image, which holds IMAGE facts and nothing else.  Readers of events and of other facts leave
 * those streams out; a forked child inherits none. */
#define HL_STREAM(thread, level) ((uint32_t)(thread) << 2 | (uint32_t)(level))
#define HL_STREAM_THREAD(stream) ((stream) >> 2)
#define HL_STREAM_IMAGE(n)       HL_STREAM(n, 3)
#define HL_STREAM_COLLECTOR      0xffffffffu /* records the collector itself adds */

static inline int hl_stream_is_image(uint32_t stream)
{
	return (stream & 3) == 3 && stream != HL_STREAM(0, 3) && stream != HL_STREAM_COLLECTOR;
}

enum hl_slot_state { HL_SLOT_FREE, HL_SLOT_OPEN, HL_SLOT_SEALED };

struct hl_slot {
	/* Set before state becomes OPEN (release), constant until the slot is handed back. */
	_Atomic uint32_t state; /* enum hl_slot_state */
	uint32_t image_entry;   /* index into the image table */
	uint32_t image_id;
	uint32_t stream;
	uint32_t tid;
	uint32_t claim; /* 0, 1, ... within the stream */
	uint64_t base_stamp;
	/* Written by the owner while OPEN. */
	_Atomic uint32_t used;  /* bytes of whole records in data[]; release */
	_Atomic uint32_t facts; /* records in data[] that are not events */
	_Atomic uint64_t
		in_hook_since;      /* 0, or a stamp not above any the hook that is active may still write */
	_Atomic int64_t live_delta; /* bytes allocated - freed during this claim, approximate */
	uint8_t pad0[8];
	/* Written by the collector only. */
	_Alignas(64) uint32_t collected; /* bytes of data[] already in the trace file */
	uint8_t pad1[60];
	uint8_t data[];
};
_Static_assert(sizeof(struct hl_slot) == 128, "two cache lines");
#define HL_SLOT_ROOM (HL_SLOT_BYTES - (uint32_t)sizeof(struct hl_slot))

/* ---- records -----------------------------------------------------------------------------
 * First byte, the tag: bits 0-1 are its class.
 *
 * ALLOC  bit 2: address is a cache hit; bit 3: site is a cache hit; bits 4-7: stamp nibble
 *        tag [stamp] address site
 * FREE   bit 2: address is a cache hit; bit 3: by operator delete; bits 4-7: stamp nibble
 *        tag [stamp] address
 * EVENT  bits 2-7: enum hl_op
 *        tag uv(stamp delta) fields
 * FACT   bits 2-6: enum hl_fact; bit 7: HL_TAG_MUST
 *        tag uv(payload bytes) payload
 *
 * stamp    delta to the stream's previous stamp (claim start: slot base_stamp).  The nibble is
 *          the delta when < 15, else uv(delta - 15) follows the tag.
 * address  hit: one byte, index into the address cache.  miss: uv(z << 1 | odd), d = address -
 *          previous address of the stream (mod 2^64, claim start: 0); odd = 0: z = zigzag(d / 16),
 *          odd = 1 (d not a multiple of 16): z = zigzag(d) and d is within +-2^61, else HL_OP_ALLOC.
 *          Either way the address is then stored at hl_addr_slot(address) and becomes previous.
 * site     hit: one byte, index into the site cache.  miss: uv(stack << 3 | entry) uv(size),
 *          then stored at hl_site_slot(...).
 *
 * Both caches are per claim, 256 entries, start as zeroes.
 */
enum { HL_TAG_ALLOC, HL_TAG_FREE, HL_TAG_EVENT, HL_TAG_FACT };
#define HL_TAG_HIT    0x04u
#define HL_TAG_SITE   0x08u
#define HL_TAG_DELETE 0x08u
#define HL_TAG_MUST   0x80u
#define HL_STAMP_MORE 15u

/* Which entry point made the block.  An alloc by REALLOC completes the stream's open release. */
enum hl_entry {
	HL_ENTRY_MALLOC,
	HL_ENTRY_CALLOC,
	HL_ENTRY_REALLOC,
	HL_ENTRY_ALIGNED,
	HL_ENTRY_NEW,
	HL_ENTRY_NEW_ARRAY,
	HL_ENTRY_MMAP, /* only with HL_OP_ALLOC and later */
	HL_ENTRY_POOL,
	HL_ENTRY_FREE = 8, /* entries of frees */
	HL_ENTRY_DELETE,
	HL_ENTRY_DELETE_ARRAY,
	HL_ENTRY_COUNT,
	/* Flag on the entry of an HL_OP_FREE, only in a sample, where the other allocations are not there to
	 * tell: the thread that frees the block allocated it and nothing after it. */
	HL_ENTRY_TEMPORARY = 32
};

/* Identity of a block is (domain, address). */
enum hl_domain { HL_DOMAIN_HEAP = 0, HL_DOMAIN_MMAP = 1, HL_DOMAIN_POOL = 2 };

enum hl_op {
	HL_OP_ALLOC = 1,  /* uv domain, uv entry, uv address, uv size, uv stack: any alloc */
	HL_OP_FREE,       /* uv domain, uv entry, uv address: any free */
	HL_OP_RELEASE,    /* address (hit flag first: one byte 0/1, then as above): realloc begins */
	HL_OP_RESTORE,    /* the open release: realloc failed, the block is as it was */
	HL_OP_DROP,       /* the open release: realloc(p, 0) freed it */
	HL_OP_MAP_RANGE,  /* uv address, uv bytes, uv stack: domain MMAP */
	HL_OP_FREE_RANGE, /* uv address, uv bytes: domain MMAP, may cut blocks */
	HL_OP_MARK,       /* uv enum hl_mark, string label: a snapshot */
	HL_OP_THREAD,     /* uv thread serial: whose the stream's further events of this claim are; a claim
			   * starts as HL_STREAM_THREAD(stream)'s.  States are handed on between threads. */
	HL_OP_DROP_TEMPORARY, /* DROP, only in a sample: what HL_ENTRY_TEMPORARY says of a free */
	HL_OP_CALL, /* uv stack: where the FREE, RELEASE or FREE_RANGE that follows in this claim was called */
	HL_OP_LIMIT = 64
};

enum hl_mark {
	HL_MARK_API = 1,
	HL_MARK_COMMAND,
	HL_MARK_INTERVAL,
	HL_MARK_GROWTH,
	HL_MARK_SIGNAL,
	HL_MARK_END
};

/* Facts are unordered: true of the whole trace, but for what is said to carry a stamp. */
enum hl_fact {
	/* New nodes, each the parent of the next: uv (first id - last id of the claim's previous CHAIN, first: 0),
	 * uv (first id - id of the first one's parent; parent 0 is the root, parent < id), then to the end
	 * the site id of each as uv.  A chain says its sites by number so that equal chains are equal bytes. */
	HL_FACT_CHAIN = 1,
	/* uv epoch: CHAIN records that follow in this claim belong to it (start: 0). */
	HL_FACT_EPOCH,
	/* uv module id, uv first epoch, uv start, uv end, uv bias, string path, string build-id bytes,
	 * uv soname-less flag reserved 0 */
	HL_FACT_MODULE,
	/* uv module id, uv last epoch in which it was mapped */
	HL_FACT_UNLOAD,
	/* uv thread serial, uv tid, uv stack low (0 unknown), uv stack high (its thread pointer, which lies at the upper
	 * end of a stack that libc made; 0 unknown), uv stamp */
	HL_FACT_THREAD,
	/* uv thread serial, string name, uv stamp */
	HL_FACT_NAME,
	/* uv thread serial, uv stamp */
	HL_FACT_THREAD_END,
	/* uv image id, uv pid, uv ppid, uv realtime ns, uv stamp, uv depth limit, string exe path,
	 * string command line (NUL between arguments), string options, uv flags reserved 0 */
	HL_FACT_HELLO,
	/* in the child's trace, one or several of them: uv parent image id, uv parent pid, uv next thread serial of the parent,
	 * uv n, n * (uv stream, uv claim, uv used).  The child inherited, of the parent's streams: all
	 * claims below `claim` and `used` bytes of it for those listed; all of those not listed whose
	 * thread serial is below `next`; nothing else. */
	HL_FACT_FORK,
	/* where that parent's trace is: string file name (no directory: beside this one), 16 bytes
	 * uuid as a string, uv image id.  Written by the collector, or by a bare child. */
	HL_FACT_PARENT,
	/* uv stamp, string path: the process called exec; void when an event has a later stamp */
	HL_FACT_EXEC,
	/* uv enum hl_end, uv status, uv stamp */
	HL_FACT_END,
	/* uv stamp: every event below it is in the trace (the collector, at each round) */
	HL_FACT_SYNC,
	/* uv enum hl_lost, uv count: at the end, from the image table */
	HL_FACT_LOST,
	/* uv start, uv end, uv module id + 1 of the caller or 0, uv flags (enum hl_range_flags in image.h), uv stamp: a call of
	 * mmap, munmap or mremap by anyone but the library and what libc and the loader do for themselves. */
	HL_FACT_RANGE,
	/* A pointer image, see image.h: in a stream of its own, in this order but for MAP, which comes before END. */
	HL_FACT_IMAGE_BEGIN,
	HL_FACT_IMAGE_REGS,
	HL_FACT_IMAGE_WORDS_2_2, /* of format 2.2: images with them have no words that could be read */
	HL_FACT_IMAGE_END,
	/* A place in code: uv (id - the claim's previous SITE id, first: 0; ids from 1), sv (pc - the claim's
	 * previous SITE pc), optional uv flags (enum hl_node_flags).  pc is a return address unless
	 * HL_NODE_EXACT.  A pc has one site for each epoch in which it was seen, or several. */
	HL_FACT_SITE,
	/* uv bytes, with HL_TAG_MUST: the trace is a sample.  A block of the domains HEAP and POOL was recorded
	 * with probability 1 - exp(-max(size, 1) / bytes), each independently of all others, and its end only
	 * when it was; a realloc is the end of the old block and a new one.  The domain MMAP is complete.  A
	 * forked child's trace has the record as well. */
	HL_FACT_SAMPLE,
	/* uv enum hl_unseen, string path of a module, string path of the module whose malloc it takes ("" unknown): what
	 * it allocates is not in the trace.  At the end of exit(), of what is loaded then. */
	HL_FACT_UNSEEN,
	HL_FACT_IMAGE_MAP,
	/* What the program says of leaks: uv enum hl_leak_note, uv address, uv bytes, uv stamp. */
	HL_FACT_LEAK_NOTE,
	/* Suppressions that the program brings along (in LeakSanitizer's dialect): string, the next piece of their text. */
	HL_FACT_SUPPRESSIONS,
	HL_FACT_IMAGE_WORDS, /* see words.h */
	HL_FACT_LIMIT = 32
};

enum hl_leak_note {
	HL_LEAK_KEEP = 1, /* the block that holds the address then is no leak, nor is what it leads to */
	HL_LEAK_ROOT,     /* pointers in [address, address + bytes) count as long as it is not taken back */
	HL_LEAK_UNROOT,   /* the latest ROOT with both the same */
	HL_LEAK_OFF       /* the program wants no verdict */
};

/* Why a module's allocations are not seen. */
enum hl_unseen {
	HL_UNSEEN_BINDING = 1, /* its malloc was not looked for where ours is: RTLD_DEEPBIND */
	HL_UNSEEN_NAMESPACE    /* it and what it needs are in a namespace of their own: dlmopen */
};

/* EXACT: pc is an interrupted instruction, not a return address.  GUESSED: found by following rbp.
 * TRUNCATED: pc 0, parent 0; no frame, it stands for the outer ones beyond the depth limit. */
enum hl_node_flags { HL_NODE_EXACT = 1, HL_NODE_GUESSED = 2, HL_NODE_TRUNCATED = 4 };

/* How an image ended.  Absent: unknown. */
enum hl_end {
	HL_END_EXIT = 1, /* exit() or return from main, status (from the library's destructor) */
	HL_END_FAST,     /* _exit, _Exit, quick_exit */
	HL_END_EXEC,     /* replaced by another program */
	HL_END_SIGNAL,   /* status is the signal (only known to a waiting parent) */
	HL_END_GONE      /* the process ended without a word: killed, or a raw system call */
};

/* Stack id 0: no stack (not captured).  Node ids start at 1. */
#define HL_STACK_NONE 0u

/* ---- coding, used by the recorder and the reader ---------------------------------------- */

static inline unsigned hl_addr_slot(uint64_t address)
{
	return (unsigned)((address >> 4) * 0x9e3779b97f4a7c15ull >> 56);
}

static inline unsigned hl_site_slot(uint64_t stack_entry, uint64_t size)
{
	return (unsigned)((stack_entry * 0x9e3779b97f4a7c15ull + size * 0xd6e8feb86659fd93ull) >> 56);
}

static inline uint64_t hl_zigzag(int64_t v)
{
	return (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
}

static inline int64_t hl_unzigzag(uint64_t z)
{
	return (int64_t)(z >> 1) ^ -(int64_t)(z & 1);
}

/* Write v at p, at most 10 bytes; return the end. */
static inline uint8_t *hl_put_uv(uint8_t *p, uint64_t v)
{
	while (v >= 0x80) {
		*p++ = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	*p++ = (uint8_t)v;
	return p;
}

/* Read from [p, end) into *v; return the position after it, or NULL when it is cut or too long. */
static inline const uint8_t *hl_get_uv(const uint8_t *p, const uint8_t *end, uint64_t *v)
{
	uint64_t r = 0;

	for (unsigned shift = 0; shift < 64 && p < end; shift += 7) {
		uint8_t b = *p++;

		if (shift == 63 && b > 1)
			return 0;
		r |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80)) {
			*v = r;
			return p;
		}
	}
	return 0;
}

#endif
