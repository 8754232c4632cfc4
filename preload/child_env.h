/*
 * child_env.h - the environment of a program that is about to be executed.  Floor 4.
 *
 * What is added is LD_PRELOAD (in front of the program's own) and the HEAPLEDGER_ variables, and only when they are not
 * there.  From the environment of a program that cannot load the library (loadable.h) it is taken out, and the
 * program counted as one that is not traced.
 */
#ifndef HL_PRELOAD_CHILD_ENV_H
#define HL_PRELOAD_CHILD_ENV_H

/* envp as it should be for that file (hl_loadable); envp itself when it is that, or there is no memory.
 * searched: path is looked for along PATH.  In vfork children, too. */
char *const *hl_child_env(char *const envp[], int dir, const char *path, int searched);

#endif
