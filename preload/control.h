/*
 * control.h - requests from outside: the command asks for a pointer image through the mailbox and the signal.  Floor 4.
 */
#ifndef HL_PRELOAD_CONTROL_H
#define HL_PRELOAD_CONTROL_H

/* In our constructor. */
void hl_control_setup(void);

#endif
