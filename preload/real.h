/*
 * real.h - the functions we stand before, found by dlsym(RTLD_NEXT).  Floor 1.
 * A member is NULL when no later library has it.  Written once while starting, then constant.
 */
#ifndef HL_PRELOAD_REAL_H
#define HL_PRELOAD_REAL_H

#include <stddef.h>
#include <spawn.h>
#include <sys/types.h>

struct hl_real {
	void *(*malloc)(size_t);
	void (*free)(void *);
	void *(*calloc)(size_t, size_t);
	void *(*realloc)(void *, size_t);
	void *(*reallocarray)(void *, size_t, size_t);
	void *(*memalign)(size_t, size_t);
	void *(*aligned_alloc)(size_t, size_t);
	int (*posix_memalign)(void **, size_t, size_t);
	void *(*valloc)(size_t);
	void *(*pvalloc)(size_t);
	size_t (*malloc_usable_size)(void *);
	int (*dlclose)(void *);
	int (*pthread_setname_np)(pthread_t, const char *);
	int (*prctl)(int, unsigned long, unsigned long, unsigned long, unsigned long);
	pid_t (*fork_now)(void); /* _Fork */
	int (*execve)(const char *, char *const[], char *const[]);
	int (*execvpe)(const char *, char *const[], char *const[]);
	int (*execveat)(int, const char *, char *const[], char *const[], int);
	int (*fexecve)(int, char *const[], char *const[]);
	int (*posix_spawn)(pid_t *, const char *, const posix_spawn_file_actions_t *,
			   const posix_spawnattr_t *, char *const[], char *const[]);
	int (*posix_spawnp)(pid_t *, const char *, const posix_spawn_file_actions_t *,
			    const posix_spawnattr_t *, char *const[], char *const[]);
	void (*exit_now)(int); /* _exit */
	void (*quick_exit)(int);
	void *(*mmap)(void *, size_t, int, int, int, off_t);
	int (*munmap)(void *, size_t);
	void *(*mremap)(void *, size_t, size_t, int, ...);
};
extern struct hl_real hl_real __attribute__((visibility("hidden")));

/* Look all of them up.  dlsym may call calloc: those land in the boot pool. */
void hl_real_resolve(void);
/* Into hl_real, when no further dlsym is to come. */
void hl_real_publish(void);
/* A function of a later library, also of one that was loaded with RTLD_LOCAL (a C++ runtime under a
 * plugin): *hidden.  NULL: none. */
void *hl_real_find(const char *name, int *hidden);

#endif
