/*
 * suppress_impl.h - what the files of suppress.h share.  Floor: analysis.
 *
 * Patterns are kept once, whatever number of entries uses them, and a string (a function, a file, a module) is
 * compared with them once: after that a frame costs the patterns that match it.
 */
#ifndef HL_ANALYSIS_SUPPRESS_IMPL_H
#define HL_ANALYSIS_SUPPRESS_IMPL_H

#include "analyzer/analysis/suppress.h"
#include "analyzer/analysis/suppress_glob.h"

/* What a pattern is compared with; HL_SUPP_ANY with all three, as LeakSanitizer does. */
enum hl_supp_role { HL_SUPP_FUN, HL_SUPP_SRC, HL_SUPP_OBJ, HL_SUPP_ANY };

struct hl_supp_pattern {
	enum hl_supp_role role;
	char *text;
	struct hl_supp_glob *glob; /* any of them */
	size_t nglobs, room;
};

/* A line of a block, or an entry's only one. */
struct hl_supp_line {
	uint32_t pattern; /* HL_ID_NONE: `...` */
	uint32_t line;    /* of src:, 0: any */
};

/* The patterns that match one string, ascending: first, n in hits. */
struct hl_supp_hits {
	uint32_t first, n;
};

/* A frame while a traceback is matched. */
struct hl_supp_frame {
	struct hl_supp_hits hits[3]; /* by role */
	uint32_t line;
	int any_line; /* valgrind's own source: its lines are unknown */
};

struct hl_supp_impl {
	char **files;
	size_t nfiles, files_room;
	struct hl_supp_pattern *patterns;
	size_t npatterns, patterns_room;
	struct hl_idset by_text; /* of patterns */
	struct hl_supp_line *lines;
	size_t nlines, lines_room;
	/* memory of matching */
	const struct hl_names *names;
	struct hl_idmap known; /* of string and role, to results */
	struct hl_supp_hits *results;
	uint32_t *hits;
	size_t nresults, results_room, nhits, hits_room;
	uint64_t *seen; /* by pattern: the last traceback where it matched a frame */
	size_t seen_room;
	uint64_t now;
	struct hl_supp_frame *frames;
	size_t frames_room;
};

/* By enum hl_leak_kind. */

/* The pattern with this role and text, made when it is new. */
uint32_t hl_supp_pattern(struct hl_supp_impl *impl, enum hl_supp_role role, const char *text);
/* New patterns came: what is known of strings is not complete any more. */
void hl_supp_forget(struct hl_supp_impl *impl);
/* Names of the functions behind an enum hl_entry, as linkers know them; ends with NULL. */
const char *const *hl_supp_entry_names(unsigned entry);

#endif
