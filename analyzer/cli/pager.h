/*
 * pager.h - long text on a terminal goes through a pager.  Floor: cli.
 */
#ifndef HL_CLI_PAGER_H
#define HL_CLI_PAGER_H

#include <sys/types.h>

struct hl_pager {
	pid_t pid; /* 0: none runs */
	int saved; /* the terminal, while stdout is the pager */
};
/* Run $PAGER (less when it is not set; none when it is empty or "cat") on stdout if that is a terminal. */
void hl_pager_start(struct hl_pager *p, int allowed);
/* Flush, wait for the pager, give stdout back.  That somebody left the pager early is no error. */
void hl_pager_end(struct hl_pager *p);

#endif
