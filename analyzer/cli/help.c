/*
 * help.c - --help, generated from the tables of verbs and options.  Floor: cli.
 */
#include "analyzer/cli/verbs.h"
#include <ctype.h>
#include <string.h>

enum { HELP_COLUMN = 32 };

void hl_help(FILE *out)
{
	fputs("Usage: heapledger VERB [OPTION...] [OPERAND...]\n"
	      "Find out which source lines hold the memory of a program.\n\n",
	      out);
	for (size_t i = 0; hl_verbs[i]; i++)
		fprintf(out, "  %-10s  %s\n", hl_verbs[i]->name, hl_verbs[i]->summary);
	fputs("\n"
	      "  -h, --help     this text; after a verb, the options of that verb\n"
	      "      --version  the version of heapledger\n\n"
	      "Start with: heapledger run -o app.hl -- ./app; heapledger stats app.hl\n",
	      out);
}

static void put_option(FILE *out, const struct hl_option *o)
{
	int n;

	if (o->id < 128 && isgraph(o->id))
		n = fprintf(out, "  -%c, --%s", o->id, o->name);
	else
		n = fprintf(out, "      --%s", o->name);
	if (o->argument)
		n += fprintf(out, " %s", o->argument);
	fprintf(out, "%*s%s\n", n < HELP_COLUMN - 1 ? HELP_COLUMN - n : 2, "", o->help);
}

void hl_help_verb(FILE *out, const struct hl_verb *v)
{
	static const struct hl_option help = {'h', "help", NULL, "this text"};

	fprintf(out, "Usage: heapledger %s [OPTION...] %s\n%c%s.\n\n", v->name, v->operands,
		toupper((unsigned char)v->summary[0]), v->summary + 1);
	for (const struct hl_option *o = v->options; o && o->id; o++)
		put_option(out, o);
	put_option(out, &help);
	fprintf(out, "\nManual: heapledger-%s(1)\n", v->name);
}
