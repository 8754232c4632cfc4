#!/bin/sh
# outlived.sh - a child that shares its parent's memory and outlives it writes into no other program's trace.
# timeout: 60
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
name='a child that outlives the process whose memory it shares garbles no other trace'

${CC:-gcc} -O1 -g -D_GNU_SOURCE -Wno-unused-result -o outlived "$HL_ROOT/tests/e2e/outlived.c" || exit 1
# shellcheck disable=SC2016 # the inner shell's
if ! "$HL_BUILD/heapledger" run -q -o t.hl -- sh -c 'for i in 1 2 3 4 5 6; do ./outlived parent; done; sleep 0.3
for i in 1 2 3; do ./outlived other & done; wait'; then
	echo "not ok $name: the status is not 0"
	exit 1
fi
seen=0
for t in t.hl*; do
	"$HL_BUILD/heapledger" info --format json "$t" >seen.json 2>/dev/null
	bad=$(grep -E '"(order_violations|unexplained_frees|damaged_blocks|missing_pieces|lost_full)": [1-9]' seen.json | tr -d '\n')
	if [ -n "$bad" ]; then
		echo "not ok $name: $t: $bad"
		exit 1
	fi
	grep -q '"allocations": 40[0-9][0-9][0-9][0-9]' seen.json && seen=$((seen + 1))
done
if [ $seen -ne 3 ]; then
	echo "not ok $name: $seen of 3 traces have all allocations"
	exit 1
fi
echo "ok $name"
