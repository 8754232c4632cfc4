/*
 * model.c - the start of a claim.  Floor: base.
 */
#include "analyzer/base/model.h"
#include <stddef.h>
#include <string.h>

void hl_model_start(struct hl_model *m)
{
	memset(m, 0, offsetof(struct hl_model, allocs));
	m->usual_gap = 1;
	m->chain_node = HL_MODEL_NO_CHAIN;
	m->nsites = 1;
	m->site[0] = (struct hl_model_site){.class = hl_model_class(0)};
	m->nnodes = HL_LISTS;
	for (uint16_t i = 0; i < HL_LISTS; i++)
		m->nodes[i] = (struct hl_model_node){.prev = i, .next = i};
}
