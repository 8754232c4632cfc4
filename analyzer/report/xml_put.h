/*
 * xml_put.h - what all XML is made of.  Floor: report.
 */
#ifndef HL_REPORT_XML_PUT_H
#define HL_REPORT_XML_PUT_H

#include <stdio.h>

/* Text of an element or of a quoted attribute: terminal-safe, & < > " ' as entities, what XML 1.0 allows
 * in no form (U+FFFE, U+FFFF) as \xNN. */
void hl_xml_text(FILE *out, const char *s);
/* The same of text that is terminal-safe already: its ends of lines and tabs stay. */
void hl_xml_lines(FILE *out, const char *s);
/* "<name>text</name>" and an end of line, after so many blanks. */
void hl_xml_element(FILE *out, int indent, const char *name, const char *text);

#endif
