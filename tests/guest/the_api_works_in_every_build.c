/*
 * The public header, position independent, not, and not with the macro for hand-made cases.
 * guest: builds |-fno-pic -no-pie|-fno-pic -no-pie -DHEAPLEDGER_DLSYM|-fPIE -no-pie -DHEAPLEDGER_DLSYM
 */
#include "guest.h"
#include "heapledger.h"

static char pool[4096];

int main(void)
{
	for (int i = 0; i < 9; i++)
		HEAPLEDGER_ALLOC(pool + 100 * i, 100); // live 3 x 100
	HEAPLEDGER_ALLOC(NULL, 5);
	HEAPLEDGER_SNAPSHOT("middle");
	HEAPLEDGER_SNAPSHOT(NULL);
	for (int i = 0; i < 5; i++)
		HEAPLEDGER_FREE(pool + 100 * i);
	HEAPLEDGER_FREE(NULL);
	/* A resize in place, and a block of malloc's that a pool hands out whole. */
	HEAPLEDGER_FREE(pool + 800);
	HEAPLEDGER_ALLOC(pool + 800, 60); // total 1 x 60
	HEAPLEDGER_FREE(pool + 800);
	HEAPLEDGER_ALLOC(pool + 800, 70); // live 1 x 70
	fprintf(stdout, "%s\n",
		HEAPLEDGER_IS_TRACING() || !getenv("HEAPLEDGER_TEST_TRACED") ? "as expected" : "not traced");
	return 0;
}
