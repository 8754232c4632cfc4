/*
 * diag.h - errors of the analyzer: detected low, carried up, printed once in main.  Floor: base.
 */
#ifndef HL_BASE_DIAG_H
#define HL_BASE_DIAG_H

enum hl_err {
	HL_OK = 0,
	HL_ERR_IO = -1,     /* the system refused; text carries strerror; status 3 for inputs */
	HL_ERR_FORMAT = -2, /* a trace contradicts format.h; text has the offset; status 3 */
	HL_ERR_USAGE = -3,  /* bad command line; status 2 */
	HL_ERR_NOMEM = -4,
	HL_ERR_REFUSED = -5, /* `run` could not trace and did not start the command; status 125 */
	HL_ERR_NOTFOUND = -6 /* no such snapshot, process...; status 2 or as the verb says */
};

struct hl_diag {
	enum hl_err err;
	char text[512]; /* one line, cut if longer */
};

/* Fill d, return err: `return hl_fail(d, HL_ERR_FORMAT, "%s: ...", path);`
 * On failure a function leaves its outputs unchanged. */
int hl_fail(struct hl_diag *d, enum hl_err err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), cold));

/* Heap memory or death: the analyzer cannot go on without it.  Never for sizes from a trace
 * that were not bounded first. */
void *hl_xmalloc(unsigned long n) __attribute__((malloc, returns_nonnull));
void *hl_xcalloc(unsigned long n, unsigned long size) __attribute__((malloc, returns_nonnull));
void *hl_xrealloc(void *p, unsigned long n) __attribute__((returns_nonnull));
char *hl_xstrdup(const char *s) __attribute__((malloc, returns_nonnull));

#endif
