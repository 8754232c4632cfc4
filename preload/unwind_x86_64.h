/*
 * unwind_x86_64.h - what the parts of the x86-64 walk share.  Floor 2.
 */
#ifndef HL_PRELOAD_UNWIND_X86_64_H
#define HL_PRELOAD_UNWIND_X86_64_H

#include "preload/unwind.h"
#include "preload/walk.h"

#endif
