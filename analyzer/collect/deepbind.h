/*
 * deepbind.h - does a file call dlopen with RTLD_DEEPBIND?  Floor: collect.
 *
 * A library loaded so finds libc's malloc before the preloaded one, and allocates unseen.  This is a heuristic
 * over x86-64 code, and its answer is "maybe": a call of dlopen through its PLT stub or its GOT slot counts by the
 * constant that the nearest instruction before it puts into the second argument.  Flags computed at run time
 * (Python's sys.setdlopenflags) and calls through a pointer are not seen, nor is a file without section
 * headers; a constant of another path to the same call may be taken for it.
 */
#ifndef HL_COLLECT_DEEPBIND_H
#define HL_COLLECT_DEEPBIND_H

struct hl_deepbind {
	int looked;         /* 0: not x86-64, or it cannot be read */
	unsigned calls;     /* of dlopen that were found */
	unsigned constants; /* of them with flags that were found */
	unsigned deep;      /* of these with RTLD_DEEPBIND */
};

void hl_deepbind_scan(struct hl_deepbind *b, int fd);

#endif
