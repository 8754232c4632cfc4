/*
 * demangle.c - a linker's name to what the programmer wrote, by libiberty.
 *
 * Names come from files of anybody.  Three things keep a hostile one from costing more than itself:
 *   length    longer than NAME_MAX_BYTES is left as it is;
 *   depth     libiberty's recursion limit.  It refuses every name over 1024 bytes, nested or not, and C++
 *             templates are longer than that; those are tried without it up to LIMITLESS_BYTES, which
 *             needs less than 1 MiB of stack in the worst case found;
 *   output    back references double at every step, so a short name can mean gigabytes.  The writers
 *             of C++ and Rust names are left by longjmp at OUT_MAX_BYTES: libiberty holds no heap memory
 *             then (its callback interface promises so), but for a short buffer of a Rust identifier
 *             in punycode, which is lost.  D names have no such writer: those with many back
 *             references are left as they are.
 * Floor: model.
 */
#include "analyzer/base/buf.h"
#include "analyzer/base/diag.h"
#include "analyzer/model/symbols.h"
#include <libiberty/demangle.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES  8192
#define LIMITLESS_BYTES 4096
#define OUT_MAX_BYTES   16384
#define D_MAX_BYTES     2048
#define D_BACKREFS      28 /* 3^(n/3) expansions at most: 28 000 */

#define STYLE (DMGL_PARAMS | DMGL_ANSI)

struct out {
	struct hl_buf buf;
	jmp_buf enough;
};

static void take(const char *s, size_t n, void *opaque)
{
	struct out *o = opaque;

	if (o->buf.len + n > OUT_MAX_BYTES)
		longjmp(o->enough, 1);
	hl_buf_append(&o->buf, s, n);
}

enum language { CPLUS, CPLUS_LIMITLESS, RUST };

/* A malloc'd string, or NULL: not a name of that language, or too much of one. */
static char *by_callback(const char *name, enum language language)
{
	struct out *o = hl_xcalloc(1, sizeof(*o)); /* not on the stack: it must survive the longjmp */
	char *text = NULL;
	int ok = 0;

	if (!setjmp(o->enough)) {
		if (language == RUST)
			ok = rust_demangle_callback(name, STYLE, take, o);
		else
			ok = cplus_demangle_v3_callback(
				name, STYLE | (language == CPLUS_LIMITLESS ? DMGL_NO_RECURSE_LIMIT : 0), take,
				o);
		if (ok && o->buf.len)
			text = hl_xstrdup(hl_buf_string(&o->buf));
	}
	hl_buf_release(&o->buf);
	free(o);
	return text;
}

static char *by_dlang(const char *name, size_t n)
{
	size_t backrefs = 0;
	char *text;

	for (size_t i = 2; i < n; i++)
		backrefs += name[i] == 'Q';
	if (n > D_MAX_BYTES || backrefs > D_BACKREFS)
		return NULL;
	text = dlang_demangle(name, STYLE);
	if (text && strlen(text) > OUT_MAX_BYTES) {
		free(text);
		text = NULL;
	}
	return text;
}

char *hl_demangle(const char *name)
{
	size_t n = strnlen(name, NAME_MAX_BYTES + 1);
	char *text = NULL;

	if (n > NAME_MAX_BYTES || n < 3)
		goto out;
	/* old Rust names look like C++ ones with a hash at the end: ask Rust first */
	if (name[0] == '_' && (name[1] == 'R' || name[1] == 'Z'))
		text = by_callback(name, RUST);
	if (!text && (!strncmp(name, "_Z", 2) || !strncmp(name, "___Z", 4) || !strncmp(name, "_GLOBAL_", 8)))
		text = by_callback(name, n > 1024 && n <= LIMITLESS_BYTES ? CPLUS_LIMITLESS : CPLUS);
	if (!text && name[0] == '_' && name[1] == 'D')
		text = by_dlang(name, n);
out:
	return text ? text : hl_xstrdup(name);
}
