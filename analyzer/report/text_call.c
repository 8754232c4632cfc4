/*
 * text_call.c - a call for people: by what, when, in which thread, and its stack.  Floor: report.
 */
#include "analyzer/report/formats.h"
#include "analyzer/report/label.h"
#include "analyzer/report/traceback.h"
#include <inttypes.h>

void hl_text_call(FILE *out, const struct hl_style *style, const struct hl_names *n, const char *what,
		  const struct hl_call *c, struct hl_sources *sources)
{
	if (!c->known)
		return;
	/* what a forked child inherited was before its time */
	if (c->seconds < 0)
		fprintf(out, " %s by %s before the fork", what, c->function);
	else
		fprintf(out, " %s by %s at %.3f s", what, c->function, c->seconds);
	if (c->tid) {
		fputs(", thread ", out);
		hl_put_escaped(out, hl_names_string(n, c->thread), HL_ESCAPE_TERMINAL);
		fprintf(out, " (%" PRIu32 ")", c->tid);
	}
	fputs(c->traceback ? ":\n" : ", its stack was not recorded\n", out);
	if (c->traceback)
		hl_put_traceback(out, style, n, c->traceback, sources);
}
