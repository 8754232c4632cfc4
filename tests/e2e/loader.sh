#!/bin/sh
# loader.sh - other libraries that stand before malloc, before and after ours, and what the dynamic linker finds: all as
# without us.
# shellcheck disable=SC2016 # $ORIGIN is the dynamic linker's
set -u
# shellcheck source=tests/lib/verdict.sh
. "$HL_ROOT/tests/lib/verdict.sh"
so=$HL_BUILD/libheapledger.so

healthy() { # TRACE: the numbers that must be 0
	"$hl" info "$1" 2>/dev/null | sed -n -e 's/^order violations: //p' -e 's/^unexplained frees: //p' -e 's/^mismatched frees: //p' \
		-e 's/^lost full: //p' -e 's/^lost at startup: //p' | tr '\n' ' '
}

# Counts what passes it, asks dlsym at the first call (which callocs), and has a wrapper of realloc's that moves.
cat >other.c <<'END'
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static void *(*next_malloc)(size_t);
static void (*next_free)(void *);
static _Atomic unsigned long mallocs, frees;
void *malloc(size_t n)
{
	if (!next_malloc)
		next_malloc = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
	mallocs++;
	return next_malloc(n);
}
void free(void *p)
{
	if (!next_free)
		next_free = (void (*)(void *))dlsym(RTLD_NEXT, "free");
	frees++;
	next_free(p);
}
__attribute__((destructor)) static void told(void)
{
	/* the loader's own calls differ by what is preloaded */
	if (mallocs < 1000 || frees < 1000)
		write(1, "few\n", 4);
	else
		write(1, "many\n", 5);
}
END
gcc -g -O1 -D_GNU_SOURCE -w -fPIC -shared -o other.so other.c -ldl || exit 1
cat >prog.cc <<'END'
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>
static void work()
{
	for (int i = 0; i < 1000; i++) {
		void *volatile p = malloc(i);
		p = realloc(p, 2 * i + 1);
		int *volatile q = new int[7];
		free(p);
		delete[] q;
	}
}
int main()
{
	std::vector<std::thread> t;
	for (int i = 0; i < 3; i++)
		t.emplace_back(work);
	for (auto &x : t)
		x.join();
	for (int i = 0; i < 5; i++) {
		void *volatile p = malloc(77); // kept
	}
	puts("done");
}
END
g++ -g -O1 -w -pthread -o prog prog.cc || exit 1
kept=$(sed -n '/\/\/ kept/=' prog.cc)
want=$(LD_PRELOAD=$PWD/other.so ./prog)
for order in before after; do
	for mode in run bare; do
		rm -f t.hl*
		if [ $order = before ]; then preload=$so:$PWD/other.so; else preload=$PWD/other.so:$so; fi
		if [ $mode = run ]; then
			# heapledger itself is to run without the other library
			got=$("$hl" run -q -o first.hl --force -- env LD_PRELOAD="$preload" ./prog 2>&1)
			for t in first.hl.*; do mv "$t" t.hl; done
		else
			got=$(LD_PRELOAD=$preload HEAPLEDGER_OUTPUT=$PWD/t.hl ./prog 2>&1)
		fi
		verdict "a library that counts allocations works, ours $order it ($mode)" "$want" "$got"
		verdict "and our trace is complete, ours $order it ($mode)" "size=385 B, count=5, average=77 B" \
			"$("$hl" stats t.hl --include "*/prog.cc:$kept" 2>/dev/null | sed 's/^[^ ]* //')"
		verdict "and healthy, ours $order it ($mode)" "0 0 0 0 0 " "$(healthy t.hl)"
	done
done

# The program that loads decides where a plugin is looked for: RUNPATH with $ORIGIN, of the library that calls dlopen.
mkdir -p lib/plugins app
cat >plugin.c <<'END'
#include <stdlib.h>
const char *plugin(void) { free(malloc(10)); return PLACE; }
END
gcc -fPIC -shared -DPLACE='"beside the library"' -o lib/plugins/plugin.so plugin.c
gcc -fPIC -shared -DPLACE='"beside the program"' -o app/plugin.so plugin.c
cat >library.c <<'END'
#include <dlfcn.h>
const char *load(void)
{
	void *h = dlopen("plugin.so", RTLD_NOW);
	const char *(*f)(void) = h ? (const char *(*)(void))dlsym(h, "plugin") : 0;
	return f ? f() : dlerror();
}
END
gcc -fPIC -shared '-Wl,-rpath,$ORIGIN/plugins' -o lib/liblibrary.so library.c -ldl
cat >loads.c <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
const char *load(void);
int main(void)
{
	void *h = dlopen("plugin.so", RTLD_NOW);
	const char *(*f)(void) = h ? (const char *(*)(void))dlsym(h, "plugin") : 0;
	Dl_info who = {0};

	puts(f ? f() : dlerror());
	puts(load());
	/* who is found by name is who was found without us */
	puts(dlsym(RTLD_DEFAULT, "plugin") ? "global" : "local");
	puts(dlopen("no such library.so", RTLD_NOW) ? "?" : dlerror());
	return dladdr((void *)load, &who) && who.dli_sname ? 0 : 1;
}
END
gcc -o app/loads loads.c -Llib -llibrary '-Wl,-rpath,$ORIGIN:$ORIGIN/../lib' -ldl || exit 1
want=$(app/loads; echo $?)
verdict "plugins are found where the caller's RUNPATH says (run)" "$want" "$("$hl" run -q --force -o l.hl -- app/loads; echo $?)"
verdict "plugins are found where the caller's RUNPATH says (bare)" "$want" \
	"$(LD_PRELOAD=$so HEAPLEDGER_OUTPUT=$PWD/l2.hl app/loads; echo $?)"
exit $failed
