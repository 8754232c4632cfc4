#!/bin/sh
# allocators.sh - programs that bring their own shared allocator are traced through it.
set -u
hl=$HL_BUILD/heapledger
failed=0
cat >own.c <<'END'
#include <stdio.h>
#include <stdlib.h>
int main(void)
{
	void *volatile p;

	for (int i = 0; i < 1000; i++) {
		p = malloc(100);
		free(p);
	}
	for (int i = 0; i < 10; i++)
		p = calloc(1, 77);
	p = realloc(malloc(10), 5000);
	puts(p ? "done" : "failed");
	return 0;
}
END
gcc -g -O1 -o own own.c || exit 1
cat >threads.cc <<'END'
#include <stdio.h>
#include <thread>
int main()
{
	for (int i = 0; i < 20; i++)
		std::thread([] {
			int *volatile p = new int[25];
			delete[] p;
		}).join();
	puts("done");
}
END
g++ -g -O1 -pthread -o threads threads.cc || exit 1
for lib in libjemalloc.so.2 libtcmalloc_minimal.so.4 libmimalloc.so.2; do
	path=$(ldconfig -p 2>/dev/null | sed -n "s|.* => \(/.*/$lib\)\$|\1|p" | head -1)
	if [ -z "$path" ]; then
		echo "SKIP: $lib: not installed"
		continue
	fi
	rm -f t.hl
	out=$(LD_PRELOAD=$path "$hl" run -q -o t.hl -- ./own 2>&1)
	rows=$("$hl" stats t.hl -n 0 --include '*/own.c' 2>/dev/null | sed 's|^.*/own.c|own.c|')
	want='own.c:13: size=5000 B, count=1, average=5000 B
own.c:12: size=770 B, count=10, average=77 B'
	if [ "$out" = "done" ] && [ "$rows" = "$want" ]; then
		echo "ok a program with $lib is traced through it"
	else
		echo "not ok a program with $lib is traced through it: it printed '$out', rows: $rows"
		failed=1
	fi
	# A thread's first call is operator new, which does not end in malloc here.
	rm -f t.hl
	out=$(LD_PRELOAD=$path "$hl" run -q -o t.hl -- ./threads 2>&1)
	frees=$("$hl" info t.hl 2>/dev/null | sed -n 's/^unexplained frees: //p')
	if [ "$out" = "done" ] && [ "$frees" = 0 ]; then
		echo "ok with $lib the first operator new of a thread is recorded"
	else
		echo "not ok with $lib the first operator new of a thread is recorded: '$out', $frees unexplained frees"
		failed=1
	fi
done
exit $failed
