/*
 * control.c - what a request from outside makes us do.
 *
 * The command posts the request in the image table, its label in the mailbox, and sends the signal to one thread.  When the copy
 * is done it sends it once more: then there is nothing posted, and the copy is reaped.
 */
#include "preload/control.h"
#include "preload/enter.h"
#include "preload/image.h"
#include "preload/image_signal.h"

static void requested(const void *context)
{
	_Atomic uint8_t *state;
	uint8_t posted = HL_ASK_POSTED;
	char label[sizeof hl_guest.region->mail.label];
	struct hl_image_request r = {.context = context, .label = label, .reason = HL_MARK_COMMAND};
	struct hl_thread *t = hl_enter();

	/* also where nothing can be recorded now: the next one may ask another thread */
	if (!hl_guest.image)
		return;
	state = &hl_guest.image->ask_state;
	/* acquire: the label (partner: the command) */
	if (atomic_load_explicit(state, memory_order_acquire) != HL_ASK_POSTED) {
		hl_image_reap();
	} else if (!t) {
		atomic_compare_exchange_strong_explicit(state, &posted, HL_ASK_DENIED, memory_order_release,
							memory_order_relaxed);
	} else {
		/* others write there as well */
		for (size_t i = 0; i < sizeof label; i++)
			label[i] = *(volatile char *)&hl_guest.region->mail.label[i];
		label[sizeof label - 1] = 0;
		r.state = state;
		hl_image_live(t, &r, NULL);
	}
	if (t)
		hl_leave(t);
}

void hl_control_setup(void)
{
	hl_image_setup(requested);
}
