/*
 * image.h - the pointer image: what of the process's memory may be a pointer, recorded when it ends in good order or when it is
 * asked for, for the search of leaks.  Floor 3.
 *
 * All other threads are stopped meanwhile, or while the process is copied, each by a signal whose disposition is the default one.  A thread that waits for a
 * signal or has ours blocked is left alone; of it the kernel tells a part.  Writing takes HL_IMAGE_LIMIT_NS at most: an image that
 * would take longer, or finds no slot, is given up (HL_LOST_IMAGE), and readers ignore it.
 *
 * It opens files of /proc.  A program that has restricted itself (prctl: PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP) may be killed for
 * that, and to ask whether it would is another call that it may be killed for; such a program, and its forked children, have no
 * image.  Restrictions from before the program's start let it be started, and so allow to open files.
 */
#ifndef HL_PRELOAD_IMAGE_H
#define HL_PRELOAD_IMAGE_H

#include "preload/thread.h"

#define HL_IMAGE_LIMIT_NS 20000000000ull

/* In our constructor.  request: called in a signal handler, with its context, when an image is asked for. */
void hl_image_setup(void (*request)(const void *context));
/* This process restricts itself. */
void hl_image_forbid(void);
/* 1: this process has still to write the image of its end, and may.  Not in a vfork child (makes a system call). */
int hl_image_is_due(void);
/* Write it, once in a process.  t: in a hook, as record.h says.  resume: what else the process does needs the other
 * threads; 0: it ends at once, and they stay where they are. */
void hl_image_write(struct hl_thread *t, int resume);

/* Another thread writes it: wait until it has, before the process ends. */
void hl_image_await(void);
/* Another thread is on its way to write it, for a second at most. */
void hl_image_await_begin(void);

/* An image of the process as it lives. */
struct hl_image_request {
	const void *
		context; /* of the signal handler that runs; NULL: the caller's own frames count from the program's on */
	const char *label; /* of the mark that goes with it */
	enum hl_mark reason;
	uint32_t flags;         /* enum hl_image_flags, beside FROZEN */
	_Atomic uint8_t *state; /* told how far it is, see enum hl_ask; or NULL */
	/* In the copy, when the image is written: what it does then, and its status, 0-254; NULL: nothing.  It has the standard
	 * descriptors, and no others. */
	int (*then)(void);
};
/* Other threads stand still while the process is copied; the copy writes the image and ends.  It is a child that no wait of the
 * program's sees, and has to be reaped.  t: in a hook.  *status: the copy's, and DONE: it is waited for; NULL: not, and
 * WRITING.  Else why there is none. */
enum hl_ask hl_image_live(struct hl_thread *t, const struct hl_image_request *r, int *status);
/* There shall be none of the end. */
void hl_image_settle(void);
/* Reap the copy of the last one, if it is over.  May be called always; cheap when there is none. */
void hl_image_reap(void);
/* The program is replaced by another one: a copy would write into a trace that has ended. */
void hl_image_abandon(void);
/* In a forked child: the copy is not its own. */
void hl_image_forked(void);

#endif
