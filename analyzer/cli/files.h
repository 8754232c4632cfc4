/*
 * files.h - whole files in and out.  Floor: cli.
 */
#ifndef HL_CLI_FILES_H
#define HL_CLI_FILES_H

#include "analyzer/base/diag.h"
#include <stddef.h>
#include <stdint.h>

/* A regular file of at most max bytes, malloc'd, with a NUL behind it.  HL_ERR_IO, HL_ERR_FORMAT. */
int hl_read_file(const char *path, size_t max, uint8_t **bytes, size_t *n, struct hl_diag *d);
/* The first n bytes of a file at most; how many there are, 0 when it cannot be read. */
size_t hl_peek_file(const char *path, uint8_t *bytes, size_t n);
/* Create path, 0600, never through a symbolic link.  force: a regular file of that name is replaced, in
 * one step.  HL_ERR_IO; then nothing is left behind. */
int hl_write_file(const char *path, const uint8_t *bytes, size_t n, int force, struct hl_diag *d);

#endif
