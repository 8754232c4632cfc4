/*
 * cycle.c - two objects that hold each other: a reference count alone never reaches zero.
 *
 * Parents and children count references.  drop() gives up the program's only reference to each
 * parent, but the child's back pointer keeps the pair at one.
 */
#include <stdio.h>
#include <stdlib.h>

struct node {
	int refs;
	struct node *peer;
	char payload[112];
};

static struct node *node_new(size_t n)
{
	struct node *x = calloc(1, n);

	if (!x)
		exit(1);
	x->refs = 1;
	return x;
}

static void node_put(struct node *x)
{
	if (--x->refs)
		return;
	if (x->peer)
		node_put(x->peer);
	free(x);
}

static void link_both(struct node *a, struct node *b)
{
	a->peer = b;
	b->peer = a;
	a->refs++;
	b->refs++;
}

int main(void)
{
	for (int i = 0; i < 100; i++) {
		struct node *parent = node_new(sizeof(struct node));
		struct node *child = node_new(sizeof(struct node));

		if (i % 4 == 0)
			link_both(parent, child);
		node_put(child);
		node_put(parent);
	}
	printf("25 cycles made\n");
	return 0;
}
