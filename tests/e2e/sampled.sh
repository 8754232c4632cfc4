#!/bin/sh
# sampled.sh - a sampled program does not notice it, and its trace says nothing that is not so.
set -u

hl=$HL_BUILD/heapledger
failed=0

verdict() { # STATUS NAME REASON
	if [ "$1" -eq 0 ]; then
		echo "ok $2"
	else
		echo "not ok $2: $3"
		failed=1
	fi
}

gcc -g -O1 -D_GNU_SOURCE -o prog "$HL_ROOT/tests/e2e/sampled.c" -lm || exit 1

for options in "" "--snapshot-growth 1M"; do
	# shellcheck disable=SC2086 # none or two words
	"$hl" run -q --sample 100 $options -o float.hl --force -- ./prog float
	verdict $? "sampling neither traps in nor shows in the program's floating point${options:+, $options}" "status $?"
done

"$hl" run -q --sample 1 -o queue.hl -- ./prog queue
"$hl" stats queue.hl --by lineno --sort temporary -n 0 --format json --include "*/sampled.c" >out 2>err
temporary=$(tr ',' '\n' <out | sed -n 's/.*"temporary": *\([0-9]*\).*/\1/p' | awk '{ n += $1 } END { print n + 0 }')
recorded=$(tr ',' '\n' <out | sed -n 's/.*"allocations": *\([0-9]*\).*/\1/p' | sort -n | tail -1)
[ "${recorded:-0}" -ge 990 ] && [ "$temporary" -eq 0 ]
verdict $? "a block that is freed after the next one was made is not temporary in a sample" "$temporary of ${recorded:-0}"

exit $failed
