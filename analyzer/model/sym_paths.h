/*
 * sym_paths.h - source file names: normalised, then mapped.  Floor: model.
 */
#ifndef HL_MODEL_SYM_PATHS_H
#define HL_MODEL_SYM_PATHS_H

#include <stddef.h>

/* Write path to out (room bytes, at least 2) without "//", "." and "..", as text: no link is followed,
 * and a ".." that leads above a relative path's start stays.  Cut when it does not fit.  Returns out. */
char *hl_sym_path_normalise(char *out, size_t room, const char *path);

/* Apply the first of maps ("OLD=NEW", ends with NULL; may be NULL) whose OLD is path or a directory above
 * it.  Returns path, or out with the result. */
const char *hl_sym_path_map(char *out, size_t room, const char *path, const char *const *maps);

#endif
