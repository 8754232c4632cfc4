/*
 * target.h - can this command be traced?  The same answers for `run` and `doctor`.  Floor: collect.
 *
 * Follows what the kernel and a shell do: PATH, #! lines (execve(2), "Interpreter scripts"), and `env` as
 * an interpreter.  Every row names what was looked at; the first refusal decides.
 */
#ifndef HL_COLLECT_TARGET_H
#define HL_COLLECT_TARGET_H

#include "analyzer/base/diag.h"
#include <limits.h>
#include <stddef.h>

enum hl_verdict { HL_CHECK_OK, HL_CHECK_WARN, HL_CHECK_REFUSED };

struct hl_check {
	const char *name; /* one word */
	enum hl_verdict verdict;
	char text[384];
};

#define HL_CHECKS_MAX 48

struct hl_target {
	int thorough;        /* 0: only what `run` decides by and warns of */
	char path[PATH_MAX]; /* what is to be executed */
	int by_shell;        /* 1: neither ELF nor #!: /bin/sh runs it, as execvp(3) does */
	char library[PATH_MAX];
	int status; /* 0: `run` would trace it; 125, 126, 127 as `run` would end */
	struct hl_check checks[HL_CHECKS_MAX];
	unsigned nchecks;
};

/* command: as typed.  Always fills t. */
void hl_target_check(struct hl_target *t, const char *command, int thorough);
/* Add a row; those beyond HL_CHECKS_MAX are dropped, but a refusal counts. */
void hl_target_row(struct hl_target *t, const char *name, enum hl_verdict v, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* The row that decided; NULL: none refused. */
const struct hl_check *hl_target_refusal(const struct hl_target *t);

/* library.c: the library to preload: $HEAPLEDGER_LIBRARY, else beside this executable, else
 * ../lib/heapledger/ of it.  HL_ERR_REFUSED: none, or a path that LD_PRELOAD cannot hold. */
int hl_library_find(char *path, size_t room, struct hl_diag *d);
int hl_library_check(const char *path, struct hl_diag *d);

#endif
