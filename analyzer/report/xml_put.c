/*
 * xml_put.c - text as XML.  Floor: report.
 * Source: XML 1.0, 2.2 Characters, 2.4 Character Data and Markup.
 */
#include "analyzer/report/xml_put.h"
#include "analyzer/analysis/utf8.h"
#include <stdlib.h>
#include <string.h>

void hl_xml_lines(FILE *out, const char *s)
{
	for (; *s; s++)
		switch (*s) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&apos;", out);
			break;
		default:
			/* both are ef bf be, ef bf bf; no other character's bytes hold that */
			if (!strncmp(s, "\xef\xbf\xbe", 3) || !strncmp(s, "\xef\xbf\xbf", 3)) {
				fprintf(out, "\\xef\\xbf\\x%02x", (unsigned char)s[2]);
				s += 2;
			} else {
				fputc(*s, out);
			}
		}
}

void hl_xml_text(FILE *out, const char *s)
{
	char *clean = hl_utf8_escape(s, HL_ESCAPE_TERMINAL);

	hl_xml_lines(out, clean ? clean : s);
	free(clean);
}

void hl_xml_element(FILE *out, int indent, const char *name, const char *text)
{
	fprintf(out, "%*s<%s>", indent, "", name);
	hl_xml_text(out, text);
	fprintf(out, "</%s>\n", name);
}
