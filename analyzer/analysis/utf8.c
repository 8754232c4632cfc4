/*
 * utf8.c - decoding and escaping of foreign text.  Floor: analysis.
 */
#include "analyzer/analysis/utf8.h"
#include "analyzer/base/diag.h"
#include <string.h>

unsigned hl_utf8_decode(const char *s, uint32_t *c)
{
	const unsigned char *p = (const unsigned char *)s;
	unsigned n = p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : p[0] >= 0xe0 && p[0] < 0xf0 ? 3 : 4;
	uint32_t v;

	if (n == 1) {
		*c = p[0];
		return 1;
	}
	v = p[0] & (0xffu >> (n + 1));
	if (p[0] < 0xc2 || p[0] > 0xf4)
		goto invalid;
	for (unsigned i = 1; i < n; i++) { /* stops at the NUL: it continues nothing */
		if ((p[i] & 0xc0) != 0x80)
			goto invalid;
		v = v << 6 | (p[i] & 0x3f);
	}
	if ((n == 3 && (v < 0x800 || (v >= 0xd800 && v < 0xe000))) ||
	    (n == 4 && (v < 0x10000 || v > 0x10ffff)))
		goto invalid;
	*c = v;
	return n;
invalid:
	*c = 0xdc00u + p[0];
	return 1;
}

static int is_invalid(uint32_t c)
{
	return c >= 0xdc80 && c <= 0xdcff; /* hl_utf8_decode gives surrogates for nothing else */
}

/* Unicode: C0 and C1 can move the cursor and change colours; bidirectional controls make text read
 * as what it is not (CVE-2021-42574); LS and PS end a line. */
static int is_unsafe(uint32_t c, enum hl_escape what)
{
	if (is_invalid(c))
		return 1;
	if (what == HL_ESCAPE_INVALID || (what == HL_ESCAPE_SOURCE && c == '\t'))
		return 0;
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c || c == 0x200e || c == 0x200f ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

char *hl_utf8_escape(const char *s, enum hl_escape what)
{
	static const char hex[] = "0123456789abcdef";
	const char *p = s;
	char *out, *o;
	uint32_t c;

	while (*p) {
		unsigned n = hl_utf8_decode(p, &c);

		if (is_unsafe(c, what))
			break;
		p += n;
	}
	if (!*p)
		return NULL;
	out = hl_xmalloc((size_t)(p - s) + strlen(p) * 4 + 1);
	memcpy(out, s, (size_t)(p - s));
	o = out + (p - s);
	while (*p) {
		unsigned n = hl_utf8_decode(p, &c);
		int unsafe = is_unsafe(c, what);

		for (; n; n--, p++) {
			if (!unsafe) {
				*o++ = *p;
				continue;
			}
			*o++ = '\\';
			*o++ = 'x';
			*o++ = hex[(unsigned char)*p >> 4];
			*o++ = hex[*p & 15];
		}
	}
	*o = '\0';
	return out;
}
