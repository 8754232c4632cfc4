#!/bin/sh
# reports.sh - statuses, streams and formats of stats, diff, info, snapshots and extract on real traces.
set -u

hl=$HL_BUILD/heapledger
failed=0

check() { # NAME CONDITION...
	name=$1
	shift
	if "$@"; then
		echo "ok $name"
	else
		echo "not ok $name: $(head -c 300 err 2>/dev/null)"
		failed=1
	fi
}

# status N, stdout empty or not (empty|rows), one or more lines on stderr (err) or none (quiet)
gives() { # NAME STATUS STDOUT STDERR ARGUMENTS...
	name=$1
	status=$2
	stdout=$3
	stderr=$4
	shift 4
	"$hl" "$@" >out 2>err
	got=$?
	case $stdout in
	empty) [ ! -s out ] || got="$got with output" ;;
	rows) [ -s out ] || got="$got without output" ;;
	esac
	case $stderr in
	one) [ "$(wc -l <err)" -eq 1 ] || got="$got with $(wc -l <err) lines on stderr" ;;
	esac
	check "$name" test "$got" = "$status"
}

cat >leaky.c <<'END'
#include <stdlib.h>
#include <string.h>
void *kept[100];
int main(void)
{
	for (int i = 0; i < 100; i++) {
		kept[i] = malloc(64);
		free(strdup("temporary"));
	}
	return 0;
}
END
echo 'int main(void) { return 0; }' >silent.c
gcc -g -O0 leaky.c -o leaky && gcc -g -O0 silent.c -o silent || exit 1
"$hl" run -q -o t.hl -- ./leaky
"$hl" run -q -o silent.hl -- ./silent

gives "no verb" 2 empty one
gives "an unknown verb" 2 empty one frobnicate
gives "an unknown option of ours" 2 empty one --frobnicate
gives "an unknown option of a verb" 2 empty one stats --frobnicate t.hl
gives "no operand" 2 empty one stats
gives "one operand too many" 2 empty one info t.hl t.hl
gives "cumulative tracebacks" 2 empty one stats t.hl --by traceback --cumulative
gives "an unknown snapshot" 2 empty one stats t.hl@nothing
gives "no such trace" 3 empty one stats none.hl
gives "a trace that is none" 3 empty one stats leaky.c
gives "a directory" 3 empty one info .
gives "statistics" 0 rows any stats t.hl
gives "help of a verb" 0 rows any stats --help
gives "help" 0 rows any --help
gives "the version" 0 rows any --version
for verb in stats info snapshots; do
	gives "a trace of nothing is no clean bill: $verb" 4 any any $verb silent.hl
	check "and says so: $verb" grep -q 'nothing was recorded' err
done
"$hl" info silent.hl >out 2>err
check "and has no moment of its peak" test "$(grep -c '^peak time: -*[0-9]' out)" -eq 0
gives "a difference with a trace of nothing" 4 any any diff silent.hl t.hl

"$hl" stats t.hl -n 0 >rows 2>notes
check "rows only on stdout" test "$(grep -cv ': size=.*, count=' rows)" -eq 0
check "totals on stderr" grep -q '^heap: size=.*peak=' notes
check "the leaking line" grep -q '/leaky.c:7: size=6400 B, count=100, average=64 B$' rows
check "no colour in a file" test "$(grep -c '\[' rows)" -eq 0
"$hl" stats t.hl --color always 2>/dev/null | grep -q '\[1m'
check "colour when asked" test $? -eq 0
"$hl" stats t.hl --sort temporary --blame >rows 2>/dev/null
check "blame passes over libc" grep -q '/leaky.c:8: size=0 B, count=0, temporary=100$' rows
"$hl" stats t.hl >/dev/full 2>err
check "a full disk has a status of its own" test $? -eq 1
check "and is named" grep -q 'No space left' err
# SIGPIPE ignored: the write fails instead, which is no reason to complain either
(trap '' PIPE; "$hl" stats t.hl --format json -n 0 2>err; echo $? >status) | true
check "a reader that leaves early is no error" test "$(grep -ci -e pipe -e cannot err)" -eq 0

for verb in stats info snapshots; do
	"$hl" $verb t.hl --format json >out 2>err
	check "$verb prints JSON" python3 -c 'import json; assert json.load(open("out"))["schema"] == 1'
	"$hl" $verb t.hl --format csv >out 2>err
	check "$verb prints CSV" python3 -c '
import csv
rows = list(csv.reader(open("out")))
assert len(rows) > 1 and len({len(r) for r in rows}) == 1'
done
"$hl" diff t.hl t.hl --format json >out 2>err
check "nothing changes between a trace and itself" python3 -c '
import json
d = json.load(open("out"))
assert d["rows"] and all(r["diff_size"] == 0 for r in d["rows"]) and d["totals"]["diff"]["size"] == 0'

gives "extract" 0 empty any extract t.hl -o base.hls
check "is for its owner only" test "$(stat -c %a base.hls)" = 600
gives "does not overwrite" 1 empty any extract t.hl -o base.hls
gives "unless forced" 0 empty any extract t.hl -o base.hls --force
for by in lineno filename function traceback object thread; do
	"$hl" stats t.hl -n 0 --by $by >rows 2>/dev/null
	"$hl" stats base.hls -n 0 --by $by >again 2>/dev/null
	check "an extracted snapshot has the same rows by $by" cmp rows again
done
gives "an extracted snapshot has no peaks" 2 empty one stats base.hls --sort peak
gives "nor single blocks" 2 empty one stats base.hls --min-size 5
head -c 100 base.hls >cut.hls
gives "a cut snapshot file" 3 empty one stats cut.hls
gives "an extracted snapshot is no trace" 3 empty one info base.hls
exit $failed
