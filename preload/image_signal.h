/*
 * image_signal.h - the signal that makes threads stand still, and that asks an idle process for a pointer image.  Floor 3.
 *
 * It is a real-time signal whose disposition was the default one.  The handler stands from our constructor on, when the process
 * may be asked for images; who asks finds the number in the image table (ask_signal), and the kernel says that it is
 * caught.  A program that takes the signal for itself is noticed when threads stand still the next time: sigaction() is not
 * hooked, for it has to resolve as without us.
 *
 * What is sent by others than ourselves or by who knows the region's nonce has the default effect: it ends the process.
 */
#ifndef HL_PRELOAD_IMAGE_SIGNAL_H
#define HL_PRELOAD_IMAGE_SIGNAL_H

/* Let it stand, and say so.  request: called in the handler, with its context, when an image is asked for. */
void hl_signal_setup(void (*request)(const void *context));
/* The process cannot be asked any more: it takes the signal for itself, or restricts itself. */
void hl_signal_withdraw(void);
/* The number, when our handler stands; else 0. */
int hl_signal_standing(void);
/* For the time of one image: the number, or 0. */
int hl_signal_install(void);
void hl_signal_uninstall(int sig);

/* The signal that glibc keeps for pthread_cancel(): a thread that has all signals blocked has it not, for glibc does not let
 * programs block it (nptl(7)), nor wait for it.  Its handler of glibc's looks only whether the thread is to be cancelled, and
 * is called after ours.  For the time of one image: 1, or 0. */
#define HL_SIGNAL_DEEP 32
int hl_signal_install_deep(void);
void hl_signal_uninstall_deep(void);

/* ---- image_park.c ---- */
/* In the handler: note the registers, and wait while an image wants it. */
void hl_park_here(void *context);
/* In a forked child. */
void hl_park_forked(void);

#endif
