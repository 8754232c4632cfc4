#!/bin/sh
# snapshots.sh - marks by command, by clock, by growth, by the program; reading at them.
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
await() { # FILE: wait until it is there
	i=0
	while ! [ -e "$1" ] && [ $i -lt 200 ]; do
		sleep 0.05
		i=$((i + 1))
	done
}
cat >steps.c <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static void *volatile p;
static void meet(const char *mine, const char *other)
{
	FILE *f = fopen(mine, "w");
	fprintf(f, "%d", (int)getpid());
	fclose(f);
	while (access(other, F_OK))
		usleep(5000);
}
int main(void)
{
	for (int i = 0; i < 10; i++)
		p = malloc(1000);
	meet("one", "go1");
	for (int i = 0; i < 20; i++)
		p = malloc(500);
	meet("two", "go2");
	free(p);
	return 0;
}
END
gcc -g -O0 -o steps steps.c || exit 1

session() { # PREFIX...: run steps with two snapshots by command
	rm -f one two go1 go2
	"$@" ./steps &
	await one
	pid=$(cat one)
	"$hl" snapshot "$pid" --label first >snap.out 2>&1 || echo "status $?" >>snap.out
	: >go1
	await two
	"$hl" snapshot "$pid" --label second >>snap.out 2>&1 || echo "status $?" >>snap.out
	: >go2
	wait
}
rows() { # TRACE@SNAP
	"$hl" stats "$1" -n 0 --include '*/steps.c' 2>/dev/null | sed 's|.*/steps.c|steps.c|' | tr '\n' ';'
}
check() { # MODE TRACE
	got=$(rows "$2@first")
	[ "$got" = 'steps.c:16: size=10000 B, count=10, average=1000 B;' ]
	verdict $? "a snapshot of an idle process shows the heap of that moment ($1)" "$got; $(cat snap.out)"
	got=$(rows "$2@second")
	[ "$got" = 'steps.c:19: size=10000 B, count=20, average=500 B;steps.c:16: size=10000 B, count=10, average=1000 B;' ]
	verdict $? "a second snapshot shows the later heap ($1)" "$got"
	[ "$(rows "$2@1")" = "$(rows "$2@first")" ]
	verdict $? "snapshots are numbered from 1 ($1)" "$(rows "$2@1")"
	got=$("$hl" diff "$2@first" "$2@second" -n 0 --include '*/steps.c' 2>/dev/null | sed 's|.*/steps.c|steps.c|' | head -1)
	[ "$got" = 'steps.c:19: size=10000 B (+10000 B), count=20 (+20), average=500 B' ]
	verdict $? "diff between two snapshots ($1)" "$got"
	got=$("$hl" snapshots "$2" 2>/dev/null)
	echo "$got" | grep -q first && echo "$got" | grep -q second
	verdict $? "snapshots lists both ($1)" "$got"
}

session "$hl" run -q -o run.hl --
check run run.hl
session env LD_PRELOAD="$HL_BUILD/libheapledger.so" HEAPLEDGER_OUTPUT=bare.hl
check bare bare.hl

rm -f one two go1 go2
"$hl" run -q -o now.hl -- ./steps &
await one
"$hl" snapshot "$(cat one)" --label now >snap.out 2>&1
got=$(rows now.hl@now)
[ "$got" = 'steps.c:16: size=10000 B, count=10, average=1000 B;' ]
verdict $? "a snapshot can be read as soon as the command returns" "$got; $(cat snap.out)"
: >go1
: >go2
wait

"$hl" snapshot 1 --label x >out 2>&1
[ $? -eq 1 ]
verdict $? "a process that is not traced is told so, status 1" "$(cat out)"

cat >grow.c <<'END'
#include <stdlib.h>
#include <unistd.h>
static void *volatile p;
int main(void)
{
	for (int i = 0; i < 300; i++) {
		p = malloc(100000);
		usleep(10000);
	}
	return 0;
}
END
gcc -g -o grow grow.c || exit 1
"$hl" run -q --snapshot-growth 8M -o grow.hl -- ./grow
n=$("$hl" snapshots grow.hl --format json | grep -c '"growth"')
[ "$n" -ge 2 ] && [ "$n" -le 5 ]
verdict $? "--snapshot-growth 8M marks some of 29 MB ($n)" "$("$hl" snapshots grow.hl)"
"$hl" run -q --snapshot-every 1s -o clock.hl -- ./grow
n=$("$hl" snapshots clock.hl --format json | grep -c '"interval"')
[ "$n" -ge 2 ] && [ "$n" -le 4 ]
verdict $? "--snapshot-every 1s marks each of 3 seconds ($n)" "$("$hl" snapshots clock.hl)"

"$hl" extract run.hl@first -o base.hls && "$hl" stats base.hls -n 0 --include '*/steps.c' 2>/dev/null | grep -q 'steps.c:16: size=10000 B, count=10'
verdict $? "an extracted snapshot reports the same" "$("$hl" stats base.hls 2>&1)"
got=$("$hl" diff base.hls run.hl -n 0 --include '*/steps.c' 2>/dev/null | sed 's|.*/steps.c|steps.c|' | head -1)
[ "$got" = 'steps.c:19: size=9500 B (+9500 B), count=19 (+19), average=500 B' ]
verdict $? "an extracted snapshot can be compared with a trace" "$got"
exit $failed
