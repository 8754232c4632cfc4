#!/bin/sh
# made_code.sh - a program makes code while it runs and names it in /tmp/perf-PID.map: reports know the names.
set -u
# shellcheck source=tests/lib/verdict.sh
. "$HL_ROOT/tests/lib/verdict.sh"

if [ "$(uname -m)" != x86_64 ]; then
	echo "SKIP: code made at run time: the test makes that of x86-64"
	exit 0
fi
cat >makes.c <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
static void *volatile kept;
__attribute__((noinline)) static void helper(void)
{
	kept = malloc(123);
}
int main(int argc, char **argv)
{
	/* push rbp; mov rbp, rsp; call rdi; pop rbp; ret */
	static const unsigned char code[] = {0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3};
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), name[64];
	FILE *f;

	memcpy(p + 64, code, sizeof code);
	snprintf(name, sizeof name, "/tmp/perf-%d.map", getpid());
	if (argc > 1 && (f = fopen(name, "w"))) {
		fprintf(f, "%lx %zx interpreted thing:7\n", (unsigned long)(p + 64), sizeof code);
		fclose(f);
	}
	puts(name);
	((void (*)(void (*)(void)))(p + 64))(helper);
	return 0;
}
END
gcc -g -O1 -fno-omit-frame-pointer -o makes makes.c || exit 1
frames() { "$hl" stats "$@" --by traceback -n 0 --include '*/makes.c' --format json 2>/dev/null |
	/usr/bin/python3 -c 'import json, sys
for r in json.load(sys.stdin)["rows"]:
    f = r["traceback"]
    print(r["size"], f[0]["function"], f[1]["file"], f[1]["module"], f[2]["function"])'; }

name=$("$hl" run -q -o t.hl -- ./makes named)
verdict "the code is named" "123 helper [jit]!interpreted thing:7 [jit] main" "$(frames t.hl)"
cp "$name" elsewhere && rm "$name"
verdict "without the map it is unknown" "123 helper <unknown> <unknown> main" "$(frames t.hl)"
verdict "a map that is named is read" "123 helper [jit]!interpreted thing:7 [jit] main" "$(frames t.hl --perf-map elsewhere)"
"$hl" run -q -o u.hl -- ./makes >/dev/null
verdict "no map, no name" "123 helper <unknown> <unknown> main" "$(frames u.hl)"
if command -v node >/dev/null 2>&1; then
	echo 'function keeper(n) { const k = []; for (let i = 0; i < n; i++) k.push(Buffer.allocUnsafeSlow(70000).fill(1)); return k; }
	let all = []; for (let i = 0; i < 60; i++) all.push(keeper(20));' >keeps.js
	"$hl" run -q -o n.hl -- node --perf-basic-prof --interpreted-frames-native-stack keeps.js
	# each tier of the compiler is a function of its own
	verdict "functions of node are named" 1 "$("$hl" stats n.hl@peak --by function --cumulative -n 0 2>/dev/null |
		sed -n 's/^JS:.keeper .*keeps.js:1:16 (\[jit\]).*/1/p' | head -1)"
	rm -f "/tmp/perf-$("$hl" info n.hl 2>/dev/null | sed -n 's/^pid: //p').map"
else
	echo "SKIP: functions of node: not installed"
fi
exit $failed
