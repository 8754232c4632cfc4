/*
 * image.h - the pointer image: what of the process's memory may be a pointer, recorded when it ends in good order, for the
 * search of leaks.  Floor 3.
 *
 * All other threads are stopped meanwhile, each by a signal whose disposition is the default one.  A thread that waits for a
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

/* In our constructor. */
void hl_image_setup(void);
/* This process restricts itself. */
void hl_image_forbid(void);
/* 1: this process has still to write its image, and may.  Not in a vfork child (makes a system call). */
int hl_image_is_due(void);
/* Write it, once in a process.  t: in a hook, as record.h says.  resume: what else the process does needs the other
 * threads; 0: it ends at once, and they stay where they are. */
void hl_image_write(struct hl_thread *t, int resume);

#endif
