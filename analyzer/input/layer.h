/*
 * layer.h - the facts of one file, as recorded.  Floor: input.
 *
 * A forked child's facts are its parent's, its grandparent's..., each limited to what was there at the
 * fork, with the child's own on top: each file is a layer, facts_build.c puts them together.
 */
#ifndef HL_INPUT_LAYER_H
#define HL_INPUT_LAYER_H

#include "analyzer/base/map.h"
#include "analyzer/input/decode.h"
#include "analyzer/input/limits.h"
#include "analyzer/input/source.h"

/* late: recorded after the fork: only good where nothing else is known. */
struct hl_node_record {
	uint32_t id, parent, site, epoch;
	uint8_t late;
};

struct hl_site_record {
	uint64_t pc;
	uint32_t id;
	uint8_t flags, late;
};

struct hl_module_record {
	struct hl_module m; /* path NULL: only its unloading was seen */
	int unloaded;       /* last_epoch is set */
};

struct hl_thread_record {
	struct hl_thread t; /* name NULL: none */
	uint64_t name_stamp;
};

struct hl_layer {
	struct hl_source *source;
	const struct hl_limits *limits; /* NULL: everything */
	struct hl_node_record *nodes;
	size_t nnodes, nodes_cap;
	struct hl_site_record *sites;
	size_t nsites, sites_cap;
	struct hl_module_record *modules;
	size_t nmodules, modules_cap;
	struct hl_map module_at; /* module id to index + 1 */
	struct hl_thread_record *threads;
	size_t nthreads, threads_cap;
	struct hl_map thread_at;   /* serial to index + 1 */
	struct hl_process process; /* strings NULL where nothing was said; parent_file is not set */
	uint64_t exec_stamp;
	uint64_t lost[HL_LOST_KINDS];
	uint64_t sync_stamp;
	uint64_t sample_bytes; /* 0: it is no sample */
	struct hl_unseen_module *unseen;
	size_t nunseen, unseen_cap;
	struct hl_mapping *mappings; /* module: the id + 1, 0 unknown */
	size_t nmappings, mappings_cap;
	struct hl_leak_note_at *leak_notes;
	size_t nleak_notes, leak_notes_cap;
	int leaks_off;
	char *suppressions;
	/* fork */
	int forked;
	struct hl_limits inherited; /* of the parent's records */
	char *parent_name;          /* file name as recorded, NULL */
	uint8_t parent_uuid[16];
	uint32_t parent_named_image;
};

/* One pass over the pieces that hold facts.  HL_ERR_FORMAT: a record that must be understood is not
 * (only without limits: of a parent, what cannot be understood is left out). */
int hl_layer_load(struct hl_layer *l, struct hl_source *s, const struct hl_limits *limits, struct hl_diag *d);
void hl_layer_release(struct hl_layer *l);

/* The record of this serial, made when there is none. */
struct hl_thread_record *hl_layer_thread(struct hl_layer *l, uint32_t serial);
struct hl_module_record *hl_layer_module(struct hl_layer *l, uint32_t id);

/* ---- layer_process.c: facts of the process as a whole.  0: malformed. ---- */
int hl_layer_take_hello(struct hl_layer *l, struct hl_fact_record *f);
int hl_layer_take_fork(struct hl_layer *l, struct hl_fact_record *f);
int hl_layer_take_parent(struct hl_layer *l, struct hl_fact_record *f);
int hl_layer_take_exec(struct hl_layer *l, struct hl_fact_record *f);
int hl_layer_take_end(struct hl_layer *l, struct hl_fact_record *f);
int hl_layer_take_lost(struct hl_layer *l, struct hl_fact_record *f);
int hl_layer_take_unseen(struct hl_layer *l, struct hl_fact_record *f);
int hl_layer_take_range(struct hl_layer *l, struct hl_fact_record *f);
int hl_layer_take_leak_note(struct hl_layer *l, struct hl_fact_record *f);
int hl_layer_take_suppressions(struct hl_layer *l, struct hl_fact_record *f);
int hl_layer_take_sync(struct hl_layer *l, struct hl_fact_record *f);
int hl_layer_take_sample(struct hl_layer *l, struct hl_fact_record *f);
/* A string of the record as a C string, cut at its first NUL; replaces *s.  0: malformed. */
int hl_layer_string(struct hl_fact_record *f, char **s);

#endif
