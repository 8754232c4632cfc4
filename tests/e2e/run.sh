#!/bin/sh
# run.sh - the contract of `heapledger run`: statuses, names of traces, refusals, signals, the summary.
set -u
hl=$HL_BUILD/heapledger
failed=0

verdict() { # STATUS NAME [WHY]
	if [ "$1" -eq 0 ]; then
		echo "ok $2"
	else
		echo "not ok $2: ${3:-}"
		failed=1
	fi
}
expect() { # STATUS NAME COMMAND...: the command's status is STATUS
	want=$1
	name=$2
	shift 2
	"$@" >out 2>err </dev/null
	got=$?
	[ $got -eq "$want" ]
	verdict $? "$name" "status $got, not $want: $(head -c 200 err)"
}

cat >prog.c <<'END'
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static void *volatile p;
static volatile int got;
static void note(int sig) { got = sig; }
int main(int argc, char **argv)
{
	p = malloc(1000);
	if (argc > 1 && !strcmp(argv[1], "wait")) {
		signal(SIGUSR1, note);
		signal(SIGTERM, note);
		puts("ready");
		fflush(stdout);
		for (int i = 0; i < 100 && !got; i++)
			usleep(100000);
		return got;
	}
	return argc > 1 ? atoi(argv[1]) : 0;
}
END
gcc -g -o prog prog.c && gcc -static -o static prog.c && gcc -fsanitize=address -o asan prog.c 2>/dev/null || exit 1

expect 0 "the status of the command is passed on (0)" "$hl" run -q -o a.hl -- ./prog
expect 42 "the status of the command is passed on (42)" "$hl" run -q -o b.hl ./prog 42
expect 127 "a command that is not there: 127" "$hl" run -o c.hl -- ./nothing
: >plain
expect 126 "a command that cannot be executed: 126" "$hl" run -o c.hl -- ./plain
expect 125 "an existing file is refused: 125" "$hl" run -o a.hl -- ./prog
grep -q a.hl err
verdict $? "the refusal names the file" "$(cat err)"
for rate in 0 -1 half 1.5M 2G 1180591620717411303424; do
	expect 2 "--sample $rate is refused: 2" "$hl" run --sample $rate -o c.hl -- ./prog
	[ "$(wc -l <err)" -eq 1 ] && grep -q -e --sample err && ! [ -e c.hl ]
	verdict $? "the refusal of --sample $rate is one line and nothing is started" "$(cat err)"
done
expect 0 "--sample and --snapshot-growth go together" "$hl" run -q --sample 512K --snapshot-growth 1M -o s.hl -- ./prog
"$hl" info s.hl 2>/dev/null | grep -q '^options: .*,sample=524288'
verdict $? "--sample reaches the library in bytes" "$("$hl" info s.hl 2>&1 | grep ^options)"
expect 0 "--force replaces it" "$hl" run -q --force -o a.hl -- ./prog
expect 125 "a directory that is not there is refused: 125" "$hl" run -o no/where.hl -- ./prog
expect 125 "a static program is refused: 125" "$hl" run -o d.hl -- ./static
grep -qi static err
verdict $? "the refusal says static" "$(cat err)"
expect 125 "a sanitizer build is refused: 125" "$hl" run -o d.hl -- ./asan
grep -qi sanitizer err
verdict $? "the refusal says sanitizer" "$(cat err)"
[ ! -e d.hl ] && [ ! -e c.hl ]
verdict $? "a refusal leaves no file" "$(ls)"
expect 2 "an unknown option: 2" "$hl" run --no-such-option -- ./prog
expect 2 "no command: 2" "$hl" run -o e.hl
expect 2 "an unknown verb: 2" "$hl" frobnicate
expect 3 "a trace that is none: 3" "$hl" stats plain
expect 3 "a trace that is not there: 3" "$hl" info nothing.hl
expect 2 "a snapshot that is not there: 2" "$hl" stats a.hl@nothing

# -o a directory of their own: the default name, and the patterns
mkdir names && cd names || exit 1
"$hl" run -q -- ../prog && ls heapledger.prog.*.hl >/dev/null 2>&1
verdict $? "the default name has program and process" "$(ls)"
"$hl" run -q -o 'x.%n.%h.hl' -- ../prog && [ -f "x.prog.$(uname -n).hl" ]
verdict $? "%n and %h are expanded" "$(ls)"
"$hl" run -q -o s.hl -- sh -c '../prog 3; ../prog 4; exit 9'
[ $? -eq 9 ] && [ "$(find . -name 's.hl.*' | wc -l)" -eq 2 ]
verdict $? "each further process has a file of its own" "$(ls)"
"$hl" run -q --follow none -o n.hl -- sh -c '../prog 3; ../prog 4'
[ "$(find . -name 'n.hl*' | wc -l)" -eq 1 ]
verdict $? "--follow none traces the first program only" "$(ls)"
"$hl" run -q --follow 'pro*' -o g.hl -- sh -c '/bin/true; ../prog 4'
[ "$(find . -name 'g.hl.*' | wc -l)" -eq 1 ]
verdict $? "--follow GLOB traces those whose name matches" "$(ls)"
"$hl" run -q -o e.hl -- sh -c 'exec ../prog 3'
[ $? -eq 3 ] && ls e.hl.*.2 >/dev/null 2>&1
verdict $? "a program that another becomes by exec has FILE.PID.2" "$(ls)"
[ "$(stat -c %a s.hl)" = 600 ]
verdict $? "a trace is private" "$(ls -l s.hl)"
ln -s elsewhere link.hl
"$hl" run -q -o link.hl -- ../prog 2>/dev/null
[ $? -eq 125 ] && [ ! -e elsewhere ]
verdict $? "a link is not followed" "$(ls)"
cd .. || exit 1

# signals
"$hl" run -q -o f.hl -- ./prog wait >wait.out 2>wait.err &
pid=$!
i=0
while ! grep -q ready wait.out && [ $i -lt 100 ]; do
	sleep 0.05
	i=$((i + 1))
done
kill -USR1 $pid
wait $pid
got=$?
[ $got -eq 10 ]
verdict $? "a signal to run reaches the command" "status $got"
sh -c "'$hl' run -q -o k.hl -- sh -c 'kill -KILL \$\$'" 2>/dev/null
got=$?
[ $got -eq 137 ]
verdict $? "a death by signal is repeated" "status $got"

# the summary
"$hl" run -o y.hl -- ./prog >out 2>err
grep -q 'prog.*events.*peak.*live' err && grep -q 'heapledger stats y.hl' err && [ ! -s out ]
verdict $? "the summary names program, events, peak, live, and the next command" "$(cat err)"
"$hl" run -q -o q.hl -- ./prog >out 2>err
[ ! -s out ] && [ ! -s err ]
verdict $? "-q prints nothing" "$(cat err)"

# --depth
cat >deep.c <<'END'
#include <stdlib.h>
static void *volatile p;
__attribute__((noinline)) static int down(int n)
{
	if (n == 0)
		p = malloc(77);
	else
		return down(n - 1) + 1;
	return 0;
}
int main(void) { return down(30) == 30 ? 0 : 1; }
END
gcc -g -O0 -o deep deep.c || exit 1
"$hl" run -q --depth 5 -o d5.hl -- ./deep
lines=$("$hl" stats d5.hl --by traceback --include '*deep.c' 2>/dev/null | grep -c 'deep.c", line')
[ "$lines" -eq 5 ]
verdict $? "--depth 5 keeps five frames" "$lines frames"
! "$hl" stats d5.hl --by traceback --include '*deep.c' 2>/dev/null | grep -q unknown
verdict $? "a cut stack is marked as cut and has no invented frame" "$("$hl" stats d5.hl --by traceback 2>/dev/null | head -3)"
"$hl" run -q -o d64.hl -- ./deep
lines=$("$hl" stats d64.hl --by traceback --include '*deep.c' 2>/dev/null | grep -c 'deep.c')
[ "$lines" -ge 32 ]
verdict $? "the default keeps the whole stack" "$lines frames"

# --mmap
cat >map.c <<'END'
#include <sys/mman.h>
int main(void)
{
	char *p = mmap(0, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *q = mmap(0, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return munmap(q, 1 << 20) || munmap(p, 1 << 19);
}
END
gcc -g -o map map.c || exit 1
"$hl" run -q --mmap -o m.hl -- ./map
rows=$("$hl" stats m.hl -n 0 --include '*map.c' 2>/dev/null | sed 's|.*/map.c|map.c|')
[ "$rows" = 'map.c:4: size=512 KiB, count=1, average=512 KiB' ]
verdict $? "--mmap counts anonymous mappings, also cut ones" "$rows"
exit $failed
