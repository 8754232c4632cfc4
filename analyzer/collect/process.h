/*
 * process.h - what /proc says about processes and mappings of regions.  Floor: collect.
 */
#ifndef HL_COLLECT_PROCESS_H
#define HL_COLLECT_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

enum hl_maps_answer {
	HL_MAPS_NO,
	HL_MAPS_YES,
	HL_MAPS_UNKNOWN /* may not be read */
};

/* Does the process map the memfd of that inode under HL_SHARE_NAME? */
enum hl_maps_answer hl_process_maps(pid_t pid, uint64_t inode);
/* Visit every process of a pid namespace below ours: its pid here, and the one it sees itself. */
void hl_process_each_inner(void (*visit)(void *ctx, pid_t pid, uint32_t inner), void *ctx);
/* pidfd_open; -1 with errno. */
int hl_process_open(pid_t pid);
/* Wait at most ms for a child to end, and reap it: 1, or 0: it has not ended. */
int hl_process_reap(pid_t child, int ms);
/* The state letter of /proc/PID/stat ('R', 'S', 'T', 'Z'...); 0: no such process. */
char hl_process_state(pid_t pid);

/* When it started, in clock ticks since boot (proc(5), starttime); 0: no such process. */
uint64_t hl_process_started(pid_t pid);
/* Now, on the same scale. */
uint64_t hl_process_clock(void);

/* Visit lines of /proc/PID/maps until visit returns nonzero; returns that, 0 at the end, -1 when it
 * cannot be read (errno). */
struct hl_map_line {
	uint64_t start, end, offset, inode;
	char perms[5];
	const char *path; /* "" none */
};
int hl_process_each_map(pid_t pid, int (*visit)(void *ctx, const struct hl_map_line *line), void *ctx);

#endif
