/*
 * loadable.h - can the library be preloaded into a program that is about to be executed?  Floor 4.
 *
 * ld.so of another class ignores it, with a message on the program's stderr; musl's refuses to start the program.
 * Static programs and those that gain privileges by being started run unharmed and unseen.  What can only be guessed (no
 * right to read, no file, not ELF) is left to be tried, as without this question.
 *
 * Sources: ld.so(8), LD_PRELOAD; musl 1.2 ldso/dynlink.c, load_preload; Linux fs/binfmt_script.c.
 */
#ifndef HL_PRELOAD_LOADABLE_H
#define HL_PRELOAD_LOADABLE_H

#include <stddef.h>

/* What is executed: the file `path` below the directory dir (AT_FDCWD), or dir itself when path is "".
 * search: where there is no slash in path, along this PATH; NULL: not.
 * room: for a path, of at least HL_PATH_MAX bytes; no other memory is used but 600 bytes of stack. */
enum hl_loadable {
	HL_LOAD_BREAKS,  /* its loader prints an error, or does not start it */
	HL_LOAD_IGNORED, /* it runs as without the library: static, or AT_SECURE */
	HL_LOAD_TRIED    /* it is loaded, or nobody knows */
};
enum hl_loadable hl_loadable(int dir, const char *path, const char *search, char *room);

#endif
