/*
 * cxx.h - the C++ runtime's operator new and delete.  Floor 2.
 *
 * Those of libstdc++ and libc++ are malloc and free but for what happens when there is no memory (operator new then asks
 * the program's handler, and throws).  A hook may call the real malloc itself and save the way through the runtime
 * and two hooks more, when that would come to the same.
 */
#ifndef HL_PRELOAD_CXX_H
#define HL_PRELOAD_CXX_H

/* 1: f, an operator new or delete of a library after us, is the runtime's, and every function that the runtime's call one
 * another by is its own or ours.  Where the program replaced one (C++17 [replacement.functions]: also a few of them),
 * or stands before our malloc, it wants to be called.  Calls the loader: not on the event path.  f was found
 * by RTLD_NEXT, so that no look-up fails here: the program's dlerror() would tell of it. */
int hl_cxx_is_plain(const void *f);

#endif
