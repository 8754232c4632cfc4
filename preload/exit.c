/*
 * exit.c - the orderly ends: exit() and return from main by on_exit, _exit and its kin by hooks.
 * Whatever else ends a process needs nothing from us: what was committed is in the region.
 */
#include "preload/boot.h"
#include "preload/control.h"
#include "preload/enter.h"
#include "preload/facts.h"
#include "preload/image.h"
#include "preload/lifecycle.h"
#include "preload/real.h"
#include "preload/record.h"
#include "preload/unseen.h"
#include "preload/verdict.h"
#include <stdlib.h>
#include <unistd.h>

void hl_lifecycle_end(enum hl_end end, int status)
{
	struct hl_thread *t;

	if (!hl_records(hl_state()))
		return;
	t = hl_enter();
	if (!t)
		return;
	hl_facts_end(t, end, (uint32_t)status & 0xff);
	hl_leave(t);
}

static void write_image(int resume)
{
	struct hl_thread *t;

	if (!hl_image_is_due() || !(t = hl_enter()))
		return;
	hl_image_write(t, resume);
	hl_leave(t);
}

static void end_fast(int status, int resume)
{
	if (hl_is_vfork_child())
		return;
	write_image(resume);
	hl_image_await();
	hl_lifecycle_end(HL_END_FAST, status);
}

HL_EXPORT __attribute__((noreturn)) void _exit(int status)
{
	if (hl_real_ready()) {
		end_fast(status, 0);
		if (hl_real.exit_now)
			hl_real.exit_now(status);
	}
	for (;;)
		hl_sys4(SYS_exit_group, status, 0, 0, 0);
}

HL_EXPORT __attribute__((noreturn)) void _Exit(int status)
{
	_exit(status);
}

HL_EXPORT __attribute__((noreturn)) void quick_exit(int status)
{
	if (hl_real_ready() && hl_real.quick_exit) {
		end_fast(status, 1);
		hl_real.quick_exit(status);
	}
	_exit(status);
}

/* Of what exit() does this comes behind the program's own handlers and destructors, which still free, and before those of the
 * libraries, without which what these hold would look lost. */
static __attribute__((destructor)) void destructor(void)
{
	hl_verdict_before_exit();
	write_image(1);
	hl_image_await();
}

/* Registered by our constructor, which runs before libc registers the destructors of all libraries: of all that exit()
 * does this is the last, and it is told the status. */
static void at_exit(int status, void *unused)
{
	struct hl_thread *t;

	(void)unused;
	/* of two threads in exit() the other has our destructor to call, which comes before this */
	hl_image_await_begin();
	hl_image_await();
	if (hl_records(hl_state()) && (t = hl_enter())) {
		hl_unseen_tell(t);
		hl_leave(t);
	}
	hl_lifecycle_end(HL_END_EXIT, status);
	status = hl_verdict_at_exit();
	/* what is left of it goes on with the new status: stdio is flushed after this */
	if (status >= 0)
		exit(status);
}

void hl_lifecycle_setup(void)
{
	on_exit(at_exit, NULL);
	hl_control_setup();
	hl_verdict_setup();
	hl_unseen_start();
}
