/*
 * leak.c - a parser that forgets.  Each record keeps its name; half of the values are
 * overwritten without being freed, and the table of 64 pointers is never given back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct record {
	char *name;
	char *value;
};

static struct record **table;

/* The result passes through a variable: `return malloc(n)` would be a tail call at -O2, and
 * the line of a frame that is gone cannot be told. */
static char *copy(const char *s, size_t n)
{
	char *p = malloc(n);

	if (p)
		strncpy(p, s, n - 1)[n - 1] = 0;
	return p;
}

static struct record *parse(int i)
{
	struct record *r = calloc(1, sizeof *r);

	if (!r)
		exit(1);
	r->name = copy("name", 32);
	r->value = copy("first value", 100);
	if (i % 2)
		r->value = copy("second value", 50);
	return r;
}

int main(void)
{
	table = malloc(64 * sizeof *table);
	if (!table)
		return 1;
	for (int i = 0; i < 64; i++)
		table[i] = parse(i);
	for (int i = 0; i < 64; i++) {
		free(table[i]->name);
		free(table[i]->value);
		free(table[i]);
	}
	printf("64 records parsed\n");
	return 0;
}
