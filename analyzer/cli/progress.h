/*
 * progress.h - a line on the terminal of stderr when a replay takes longer than a second.  Floor: cli.
 */
#ifndef HL_CLI_PROGRESS_H
#define HL_CLI_PROGRESS_H

#include <stdint.h>
#include <time.h>

struct hl_progress {
	const char *what;
	struct timespec start;
	int shown;
	double last;
};
void hl_progress_start(struct hl_progress *p, const char *what);
void hl_progress_tick(void *progress, uint64_t events);
/* Wipe the line. */
void hl_progress_end(struct hl_progress *p);

#endif
