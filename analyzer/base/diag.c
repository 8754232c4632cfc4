/*
 * diag.c - one line for one error, and memory or death.  Floor: base.
 *
 * Invariant: text never holds a newline, so that whoever prints it prints one line, whatever a path
 * or a trace put into it.
 */
#include "analyzer/base/diag.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int hl_fail(struct hl_diag *d, enum hl_err err, const char *fmt, ...)
{
	va_list ap;

	if (!d)
		return err;
	d->err = err;
	va_start(ap, fmt);
	vsnprintf(d->text, sizeof(d->text), fmt, ap);
	va_end(ap);
	for (char *p = d->text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	return err;
}

static void *or_die(void *p)
{
	static const char text[] = "heapledger: out of memory\n";

	if (!p) {
		if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0) {
			/* nobody to tell; the status says it */
		}
		/* no exit handlers: they would need memory too */
		_exit(3);
	}
	return p;
}

void *hl_xmalloc(unsigned long n)
{
	return or_die(malloc(n ? n : 1));
}

void *hl_xcalloc(unsigned long n, unsigned long size)
{
	return or_die(n && size ? calloc(n, size) : calloc(1, 1));
}

void *hl_xrealloc(void *p, unsigned long n)
{
	return or_die(realloc(p, n ? n : 1));
}

char *hl_xstrdup(const char *s)
{
	return or_die(strdup(s));
}
