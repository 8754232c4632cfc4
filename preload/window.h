/*
 * window.h - the shared region as this process sees it: mapped by windows, so that a program under
 * RLIMIT_AS or mlockall pays for what it uses.  Floor 1.
 *
 * No descriptor is kept: each window's mapping reaches one page into the next window, and
 * mremap(that page, 0, n, MREMAP_MAYMOVE) makes a further mapping of the same file from there
 * (mremap(2): old size zero duplicates a shared mapping).
 *
 * Errors: 0, or -errno; on failure nothing is mapped.
 */
#ifndef HL_PRELOAD_WINDOW_H
#define HL_PRELOAD_WINDOW_H

#include "preload/guest.h"

/* Map the launcher's region by the path it gave; fills in hl_guest.region, backing, nslots, clock, shift. */
int hl_window_attach(const char *path);
/* Make a region file: 0600, O_EXCL, O_NOFOLLOW.  The same fields, and the header's. */
int hl_window_create(const char *path, uint64_t max_bytes);
/* Slot i, its window mapped and its pages present; NULL: no address space, no memory or disk full. */
struct hl_slot *hl_window_slot(uint32_t i);
/* 1: it lies in the region, or in a window of it. */
int hl_window_holds(uint64_t address);
/* A forked child that makes a region of its own: forget the parent's. */
void hl_window_detach(void);

/* In a forked child: what a record that the fork interrupted still writes to the parent's slot i goes nowhere.  Slots are
 * reached by other addresses from then on. */
void hl_window_part(uint32_t i);

#endif
