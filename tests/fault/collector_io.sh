#!/bin/sh
# collector_io.sh - whichever write, truncation, creation or close of the collector fails: the program's output and
# status are its own, what was written can be read, and `run` says what is missing (tests/fault/collector_io.c).
# timeout: 300
set -u
hl=$HL_BUILD/heapledger
here=$HL_ROOT/tests/fault
failed=0
gcc -g -O1 -D_GNU_SOURCE -shared -fPIC -o io.so "$here/collector_io.c" -ldl || exit 1
gcc -g -O1 -D_GNU_SOURCE -pthread -o subject "$here/subject.c" -ldl &&
	gcc -g -shared -fPIC -o plugin.so "$here/lib_plugin.c" || exit 1
./subject "$PWD/plugin.so" >want
whole=$?

run() { # N ERRNO: traced, the n-th call failing
	rm -f t.hl* count
	COLLECTOR_COUNT=$PWD/count COLLECTOR_FAULT="$1 $2" LD_PRELOAD=$PWD/io.so \
		"$hl" run -o t.hl -- ./subject "$PWD/plugin.so" >out 2>err
}

events() { # in all traces
	for t in t.hl*; do
		[ ! -s "$t" ] || "$hl" info "$t" --format json 2>/dev/null
	done | awk '/^ "events"/ { n += $2 } END { print n + 0 }'
}

damaged() { # a trace that cannot be read, or a block in the middle of it
	for t in t.hl*; do
		[ -s "$t" ] || continue
		"$hl" info "$t" --format json >info.out 2>info.err || grep -q "nothing was recorded" info.err || return 0
		! grep -q '"damaged_blocks": [1-9]' info.out || return 0
	done
	return 1
}

wrong() { # N ERRNO: prints why a promise was not kept
	run "$1" "$2"
	status=$?
	# before the command runs, run may refuse
	if [ $status = 125 ] && [ ! -s out ] && [ -s err ]; then
		return
	elif [ "$status" != "$whole" ] || ! cmp -s out want; then
		echo "status $status, output or not: $(head -c 300 err)"
	elif damaged; then
		echo "damaged: $(cat info.err)"
	elif [ "$(events)" -lt "$all" ] && ! grep -q -e "incomplete" -e "not written" -e "cannot" err; then
		echo "events are missing and nobody says so: $(cat err)"
	fi
}

run 0 28
status=$?
all=$(events)
if [ "$status" != "$whole" ] || ! cmp -s out want || [ "$all" -lt 50000 ]; then
	echo "not ok collector_io: untampered: status $status, $all events"
	exit 1
fi
calls=$(cat count)
n=0
bad=0
while [ $n -lt "$calls" ] && n=$((n + 1)); do
	for error in 28 5; do # ENOSPC, EIO
		why=$(wrong $n $error)
		if [ -n "$why" ]; then
			echo "not ok collector_io: call $n, errno $error: $why"
			bad=1
			failed=1
		fi
	done
done
[ $bad = 1 ] || echo "ok the collector's $n calls failed, each in two ways"
exit $failed
