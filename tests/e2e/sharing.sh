#!/bin/sh
# sharing.sh - on the event path no cache line is written by one thread and touched by another, but those of the
# hand-over of slots, at each claim and seal; in a sampled program none at all for blocks that are not in the sample.
# The library under test is build/sharing's, which notes every store (tests/sharing/watch.h).
# timeout: 120
set -u
lib=$HL_BUILD/sharing/libheapledger.so
failed=0

verdict() { # STATUS NAME [WHY]
	if [ "$1" -eq 0 ]; then
		echo "ok $2"
	else
		echo "not ok $2: ${3:-}"
		failed=1
	fi
}

# Each shared line outside the region's tables, with the places in the source that wrote and read it.
name_lines() { # LIBRARY <out
	grep '^line' | while read -r _ address _ writers _ readers _ writes a b c place; do
		[ -z "$place" ] || continue
		[ "$b" != 0 ] || b=$a # one writer, and readers
		where=$(addr2line -e "$1" "$a" "$b" "$c" | sed 's|.*/||; s| .*||' | tr '\n' ' ')
		echo "$where$address writers $writers readers $readers writes $writes"
	done
}

# The sum of the program, as shell variables: events least region handovers
sum() {
	sed -n 's/^events \([0-9]*\) stores [0-9]* least \([0-9]*\) region \([0-9]*\) handovers \([0-9]*\)$/events=\1 least=\2 region=\3 handovers=\4/p' out
}

watched() { # LIBRARY COMMAND...: runs it; its output in out, its sum in variables, the shared lines in lines
	HEAPLEDGER_LIBRARY=$1
	export HEAPLEDGER_LIBRARY
	so=$1
	shift
	rm -f t.hl
	events='' least='' region='' handovers=''
	"$@" >out 2>err </dev/null || return 1
	eval "$(sum)"
	name_lines "$so" <out >lines
	# without these the watch saw nothing, or not all threads
	[ "${events:-0}" -gt 100000 ] && [ "$least" -gt $((events / 40)) ]
}

few_handovers() { # the region's tables are written at a hand-over, a few times, and seldom
	[ "$region" -le $((handovers * 8)) ] && [ $((handovers * 1000)) -le "$events" ]
}

${GUEST_CXX:-g++} -g -O2 -I "$HL_ROOT/tests/sharing" -o program "$HL_ROOT/tests/sharing/program.cc" -ldl -lpthread || exit 1

run="$HL_BUILD/heapledger run -q -o t.hl -- ./program"
# shellcheck disable=SC2086
watched "$lib" $run && [ ! -s lines ] && [ "$handovers" -gt 10 ] && few_handovers
verdict $? "no line outside the hand-over is shared, and a hand-over is rare" "$(cat err out lines)"
places=$(sed -n 's/^line.* 0x[0-9a-f]* \(region.*\)$/\1/p' out | sort -u | grep -v -e 'links$' -e 'seal_futex$' -e 'free_head$' -e 'sealed_head$' -e 'bump$')
[ -z "$places" ]
verdict $? "the hand-over's lines are lists, links and a futex" "$places"

watched "$lib" env HEAPLEDGER_OUTPUT="$PWD/t.hl" LD_PRELOAD="$lib" ./program && [ ! -s lines ] && [ "$handovers" -gt 10 ] && few_handovers
verdict $? "the same where the region is the trace file" "$(cat err out lines)"

# shellcheck disable=SC2086
watched "$lib" env HEAPLEDGER_OPTIONS=unwind=walk $run && [ ! -s lines ] && few_handovers
verdict $? "the same for the plain walk" "$(cat err out lines)"

# one point in 10^15 bytes: no block is in the sample, but in one run of a million
# shellcheck disable=SC2086
watched "$lib" env HEAPLEDGER_OPTIONS=sample=1000000G $run && ! grep -q '^line' out && [ "$region" -eq 0 ]
verdict $? "of a sample, the hooks of the other blocks share nothing" "$(cat err out)"

# The blocks of the sample have a set that all threads share; the first from some place has a stack that is new.
# shellcheck disable=SC2086
watched "$lib" env HEAPLEDGER_OPTIONS=sample=512K $run && few_handovers
verdict $? "a program with a sample runs" "$(cat err out)"
grep -vE '^(sample|idtab|rulecache)\.[ch]:[0-9]* (sample|idtab|rulecache)\.[ch]:' lines >others
[ -s lines ] && [ ! -s others ]
verdict $? "of a sample, only the set of its blocks and what names new stacks is shared" "$(head -5 others)"
writes=$(awk '{ n += $NF } END { print n + 0 }' lines)
recorded=$("$HL_BUILD/heapledger" info t.hl 2>/dev/null | sed -n 's/^events: *\([0-9]*\).*/\1/p')
[ "$writes" -le $((${recorded:-0} * 4)) ]
verdict $? "and written a few times for each of them" "$writes writes, ${recorded:-no} events"

# The test can fail: the same library with a counter of its own, and with one in the region's tables.
spoiled() { # NAME STATEMENT
	sed "s/^\tp = hl_real.malloc(size);/\t$2\n&/" "$HL_ROOT/preload/hooks.c" >hooks.c
	objects=$(find "$HL_BUILD/sharing" -name '*.o' ! -name hooks.o)
	# shellcheck disable=SC2086
	gcc -std=gnu17 -D_GNU_SOURCE -I"$HL_ROOT" -I"$HL_ROOT/include" -fPIC -fvisibility=hidden -ftls-model=initial-exec -fno-builtin \
		-fno-stack-protector -fsanitize=thread -Wno-tsan -O2 -g -c -o hooks.o hooks.c &&
		gcc -shared -fPIC -Wl,-z,defs -Wl,-z,now -Wl,--version-script="$HL_ROOT/preload/exports.map" -o spoiled.so hooks.o $objects &&
		watched "$PWD/spoiled.so" $run && ! cmp -s hooks.c "$HL_ROOT/preload/hooks.c" &&
		if [ "$1" = counter ]; then grep -q '^hooks.c:' lines; else ! few_handovers; fi
	verdict $? "a shared $1 in malloc is found" "$(cat err out lines)"
}
spoiled counter 'static _Atomic unsigned shared; atomic_fetch_add_explicit(\&shared, 1, memory_order_relaxed);'
spoiled statistic 'hl_lost(HL_LOST_CHECK, 1);'
exit $failed
