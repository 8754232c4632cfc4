/*
 * twoimages.h - what is lost in two images of a running process.  Floor: analysis.
 *
 * Of a process that goes on one image does not tell: a pointer may be on its way (in a register of a thread that could not be
 * stopped, in the kernel, in a word that is being written).  What nothing points to at two moments will not come back.
 */
#ifndef HL_ANALYSIS_TWOIMAGES_H
#define HL_ANALYSIS_TWOIMAGES_H

#include "analyzer/analysis/heapgraph.h"

/* The blocks of a graph that were lost, by what they are told by from one moment to the other. */
struct hl_lost_set {
	struct hl_lost_id {
		uint64_t address, stamp;
	} * id; /* by address */
	size_t n;
};

/* Those of h that are not reachable (possible ones too). */
void hl_lost_set_take(struct hl_lost_set *s, const struct hl_heapgraph *h);
void hl_lost_set_release(struct hl_lost_set *s);
/* Keep those lost blocks of h that are not in the set, and solve again if there are any. */
int hl_lost_set_confirm(const struct hl_lost_set *s, struct hl_heapgraph *h, struct hl_diag *d);

#endif
