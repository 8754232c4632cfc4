/*
 * facts_build.h - from layers to the facts of a trace.  Floor: input.
 */
#ifndef HL_INPUT_FACTS_BUILD_H
#define HL_INPUT_FACTS_BUILD_H

#include "analyzer/input/layer.h"

/* f is filled from layers[0] (the program's own) and its ancestors' layers[1..n), nearest first.
 * Strings move from the layers into f. */
void hl_facts_build(struct hl_facts *f, struct hl_layer *layers, size_t n);
void hl_facts_release(struct hl_facts *f);

#endif
