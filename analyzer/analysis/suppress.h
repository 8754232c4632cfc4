/*
 * suppress.h - losses that somebody knows and wants to hear no more of: files in the dialects of LeakSanitizer and
 * of valgrind.  Floor: analysis.  Not thread-safe.  Opens nothing: callers give texts.
 *
 * Dialects, one a file, told by its first line that is neither blank nor a comment (`#`):
 *   LeakSanitizer  lines `leak:PATTERN`.  Matches when the pattern (suppress_glob.h) matches the module's path, the
 *                  function or the source file of any frame, inlined ones included, the allocation function too.
 *   valgrind       blocks `{`, a name, `TOOL,...:KIND`, optionally `match-leak-kinds: KINDS`, then frames from the
 *                  newest on, `}`.  Only Memcheck:Leak counts, others are skipped.  A frame is `fun:` FUNCTION,
 *                  `obj:` MODULE'S PATH, `src:` FILE or FILE:LINE, or `...`: any number of frames, also none.
 *                  Older frames than the block tells of may follow.
 * valgrind's newest frame is the allocation function (fun:malloc, fun:_Znwm).  Ours are not in the tracebacks, so
 * it is put there for the time of matching; a block that leaves it out matches too.  fun: is compared with the
 * function as it is, without the type before a template's and, when the pattern is a linker's name, as suppress_mangled.h says; a version behind `@` need not
 * be there; `???` is an unknown function or module, `(below main)` what starts main.  src: is compared with the
 * whole path and with its last part.
 *
 * Budgets, our own: the comment `# heapledger: max=N` before an entry, or in a block, lets it hide at most so
 * much.  N is bytes, with K, M or G (powers of 1024); `N blocks` limits blocks; both are separated by a comma.  An entry
 * that matched more is over, and hides nothing.
 *
 * The first entry that matches is the one: files in the order they were parsed, lines in theirs.  valgrind tries
 * the last first; that changes only which one is said to have matched.
 * Sources: Clang documentation, LeakSanitizer "Suppressions"; Valgrind manual 2.5 "Suppressing errors" and 4.5
 * "Memcheck: Writing suppression files", and the behaviour of both.
 */
#ifndef HL_ANALYSIS_SUPPRESS_H
#define HL_ANALYSIS_SUPPRESS_H

#include "analyzer/analysis/leak_kind.h"
#include "analyzer/analysis/names.h"
#include "analyzer/base/diag.h"

struct hl_supp {
	char *text;                     /* "leak:PATTERN", or the name of a block */
	const char *file;               /* owned by the hl_suppressions */
	unsigned line;                  /* of text */
	int valgrind;                   /* its dialect */
	unsigned kinds;                 /* bit per enum hl_leak_kind: matches these only */
	uint64_t max_bytes, max_blocks; /* UINT64_MAX: no limit */
	uint64_t bytes, blocks;         /* matched, by hl_suppressions_count; none: it is stale */
	uint32_t first, n;              /* its frames: private */
};

/* Start with zeroes. */
struct hl_suppressions {
	struct hl_supp *entry;
	size_t n, room;
	uint64_t skipped; /* blocks of other tools and kinds */
	struct hl_supp_impl *impl;
};

/* Add the entries of a file of n bytes.  HL_ERR_FORMAT: text has FILE:LINE, nothing was added. */
int hl_suppressions_parse(struct hl_suppressions *s, const char *text, size_t n, const char *file,
			  struct hl_diag *d);
void hl_suppressions_release(struct hl_suppressions *s);

/* Index of the entry that matches a loss of that kind, HL_ID_NONE: none.  entry: enum hl_entry, the function that
 * allocated it.  What was found out about strings is kept: all calls are to be with the same names. */
uint32_t hl_suppressions_match(struct hl_suppressions *s, enum hl_leak_kind kind, unsigned entry,
			       uint32_t traceback, const struct hl_names *names);
/* It matched that much. */
void hl_suppressions_count(struct hl_suppressions *s, uint32_t index, uint64_t bytes, uint64_t blocks);
/* After all was counted: more than its budget; what it matched counts again. */
int hl_suppressions_over(const struct hl_suppressions *s, uint32_t index);

/* --gen-suppressions: append an entry for a loss to out, ready to be pasted.  Parsed again it matches this loss.
 *   valgrind  fun: of a C function as it is; of others its identifiers with `*` between, so that valgrind, which
 *             compares linkers' names, and we both read it; obj: where no function is known; at most 24 frames, older
 *             valgrinds take no more; `...` at the end when older ones were not recorded.
 *   LSan      leak: the newest function that is no wrapper (suppress_generate.c), or the module.
 * 0: nothing is known of any frame, so an entry would hide everything; a comment that says so was appended. */
int hl_suppressions_generate_valgrind(struct hl_buf *out, enum hl_leak_kind kind, unsigned entry,
				      uint32_t traceback, const struct hl_names *names);
int hl_suppressions_generate_lsan(struct hl_buf *out, uint32_t traceback, const struct hl_names *names);

#endif
