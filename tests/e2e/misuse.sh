#!/bin/sh
# misuse.sh - wrong frees of a program, with the lines that freed and that allocated, under run and with the bare library.
set -u
# shellcheck source=tests/lib/verdict.sh
. "$HL_ROOT/tests/lib/verdict.sh"

cat >wrong.cc <<'END'
#include <cstdlib>
#include <cstring>
#include <thread>
#include <sys/wait.h>
#include <unistd.h>
__attribute__((noinline)) static char *make(size_t n)
{
	return (char *)malloc(n); // allocated
}
/* A wrong free may end the process: each in one of its own. */
template <class F> static void child(F f)
{
	if (fork() == 0) {
		close(2);
		f();
		_exit(0);
	}
	wait(nullptr);
}
int main()
{
	for (int i = 0; i < 3; i++) {
		int *v = new int[10]; // array
		delete v; // mismatched
	}
	char *old = make(32);
	child([=] {
		free(old); // first
		free(old); // second
	});
	child([] {
		char *p = make(100);
		free(p + 32); // inside
	});
	child([] {
		char *p = make(40), *keep = make(24);
		p = (char *)realloc(p, 5000); // moved
		char *stale = keep - 48;
		free(stale); // stale
		free(p);
	});
	child([] {
		char *p = make(48);
		std::thread([=] { free(p); }).join(); // elsewhere
		p = (char *)realloc(p, 64); // too late
	});
	free(old);
}
END
g++ -w -g -O1 -pthread -o wrong wrong.cc || exit 1
line() { sed -n "/\/\/ $1\$/=" wrong.cc; }

cat >rows.py <<'END'
import json, sys
for r in json.load(sys.stdin)["rows"]:
    def at(call):
        c = r[call]
        if not c:
            return "-"
        frames = [f["line"] for f in c["traceback"] if f["file"].endswith("wrong.cc")]
        return "%s:%s" % (c["by"], frames[0] if frames else "?")
    print("%s x%d +%s: %s, %s, %s" % (r["kind"], r["count"], r["offset"], at("freed"), at("freed_before"), at("allocated")))
END
for mode in run bare; do
	rm -f t.hl*
	if [ $mode = run ]; then
		"$hl" run -q --free-stacks -o t.hl -- ./wrong 2>err
	else
		LD_PRELOAD=$HL_BUILD/libheapledger.so HEAPLEDGER_OUTPUT=$PWD/t.hl HEAPLEDGER_OPTIONS=free-stacks ./wrong
	fi
	verdict "the program with wrong frees ends as it would ($mode)" 0 $?
	"$hl" misuse --format json -n 0 t.hl t.hl.* 2>err | /usr/bin/python3 rows.py >rows
	for want in \
		"mismatched free x3 +0: operator delete:$(line mismatched), -, operator new[]:$(line array)" \
		"double free x1 +0: free:$(line second), free:$(line first), malloc:$(line allocated)" \
		"invalid free x1 +32: free:$(line inside), -, malloc:$(line allocated)" \
		"double free x1 +0: free:$(line stale), realloc:$(line moved), malloc:$(line allocated)" \
		"double free x1 +0: realloc:$(line 'too late'), free:$(line elsewhere), malloc:$(line allocated)"; do
		verdict "misuse shows $want ($mode)" 1 "$(grep -cxF "$want" rows)"
	done
	verdict "and nothing else ($mode)" 5 "$(wc -l <rows)"
	"$hl" misuse t.hl >text 2>err
	verdict "misuse alone does not fail ($mode)" 0 $?
	verdict "the text has each stack with its lines ($mode)" "    delete v; // mismatched    int *v = new int[10]; // array" \
		"$(grep -e '// ' text | tr -d '\n')"
	"$hl" misuse --error-exitcode 7 t.hl >text 2>err
	verdict "misuse fails where it is told to ($mode)" 7 $?
	verdict "info counts them ($mode)" "double frees: 0 invalid frees: 0 mismatched frees: 3" \
		"$("$hl" info t.hl 2>err | grep -E '^(double|invalid|mismatched) frees' | tr '\n' ' ' | sed 's/ $//')"
done

rm -f t.hl*
"$hl" run -o t.hl -- ./wrong 2>err
verdict "run says that frees look wrong, and what shows them" 1 "$(grep -c '^heapledger: 7 frees look wrong: heapledger misuse t.hl\*$' err)"

# Without stacks of frees all but these is known.
rm -f t.hl*
"$hl" run -q -o t.hl -- ./wrong 2>err
verdict "without --free-stacks the allocation is shown" "mismatched free x3 +0: operator delete:?, -, operator new[]:$(line array)" \
	"$("$hl" misuse --format json t.hl 2>err | /usr/bin/python3 rows.py)"
verdict "and how to see the rest" 1 "$("$hl" misuse t.hl 2>&1 >/dev/null | grep -c -- 'run --free-stacks')"
verdict "a clean program has none, whatever status is asked for" "0" \
	"$("$hl" run -q --free-stacks -o clean.hl -- ls / >text; "$hl" misuse --error-exitcode 7 clean.hl 2>err >text; echo $?)"
"$hl" misuse t.hl@peak >text 2>err
verdict "a moment of a trace is refused" "2 1" "$? $(grep -c 'needs a trace' err)"

# What an unseen allocator gave is freed wrongly each time, and the same address comes again and again.
cat >gives.c <<'END'
#include <stdlib.h>
void *give(void)
{
	return malloc(40);
}
END
gcc -g -fPIC -shared -o gives.so gives.c || exit 1
cat >takes.c <<'END'
#include <dlfcn.h>
#include <stdlib.h>
int main(void)
{
	void *h = dlopen("./gives.so", RTLD_NOW | RTLD_DEEPBIND);
	void *(*give)(void) = h ? (void *(*)(void))dlsym(h, "give") : NULL;

	for (int i = 0; give && i < 400000; i++)
		free(give());
	return !give;
}
END
gcc -g -D_GNU_SOURCE -o takes takes.c -ldl || exit 1
"$hl" run --force --free-stacks -o t.hl -- ./takes 2>said
verdict "run calls no free wrong where a library is not seen" "1 0" \
	"$(grep -c '^heapledger: takes.* 1 libraries not seen' said) $(grep -c 'look wrong' said)"
# shellcheck disable=SC3045 # the shells of Debian have it
verdict "400000 wrong frees of one address are counted in time" "double frees: 0, invalid: 400000, mismatched: 0" \
	"$(ulimit -t 30; "$hl" misuse t.hl 2>&1 >/dev/null | grep 'double frees')"
verdict "nobody is told to build with -g what was, for its start-up code" "1 0" \
	"$("$hl" misuse t.hl 2>&1 | grep -c 'frames .* have no line') $("$hl" misuse t.hl 2>&1 | grep -c 'build it with -g')"
exit $failed
