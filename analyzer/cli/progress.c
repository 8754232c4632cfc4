/*
 * progress.c - what a long replay is at.  Floor: cli.
 */
#include "analyzer/cli/progress.h"
#include "analyzer/report/label.h"
#include <inttypes.h>
#include <stdio.h>

void hl_progress_start(struct hl_progress *p, const char *what)
{
	*p = (struct hl_progress){.what = what};
	clock_gettime(CLOCK_MONOTONIC, &p->start);
}

void hl_progress_tick(void *progress, uint64_t events)
{
	struct hl_progress *p = progress;
	struct timespec now;
	double seconds;

	clock_gettime(CLOCK_MONOTONIC, &now);
	seconds = (double)(now.tv_sec - p->start.tv_sec) + (double)(now.tv_nsec - p->start.tv_nsec) * 1e-9;
	if (seconds < 1 || seconds < p->last + 0.1)
		return;
	p->last = seconds;
	p->shown = 1;
	fputs("\r", stderr);
	hl_put_escaped(stderr, p->what, HL_ESCAPE_TERMINAL);
	fprintf(stderr, ": %.1f million events\033[K", (double)events / 1e6);
}

void hl_progress_end(struct hl_progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
}
