#!/bin/sh
# run_all.sh TEST... - run every test, two at a time at most, and end with "N passed, N failed".
#
# A test is a unit binary (libcheck prints its totals), a shell script, or a program (a .c or .cc
# file) of tests/guest, handed to guest.py, or of tests/unwind, handed to unwind.py.  Scripts print "ok NAME", "not ok NAME: reason", "SKIP: NAME: reason".
# Each runs in a temporary directory of its own (a unit test: at the top of the tree, to find its fixtures) with 60
# seconds (a script may ask for more in a line "# timeout: SECONDS"); what it prints is shown when it failed, or with VERBOSE=1.
# Status: 0 all passed, 1 a failure, or no test ran at all.
set -u

root=$(cd "$(dirname "$0")/.." && pwd)
export HL_ROOT="$root"
export HL_BUILD="${HL_BUILD:-$root/build}"
export LC_ALL=C PYTHONDONTWRITEBYTECODE=1

# The inner form: run_all.sh --one RESULTS TEST
if [ "${1:-}" = --one ]; then
	results=$2
	test=$3
	name=$(basename "$test")
	work=$(mktemp -d "$results/work.XXXXXX") || exit 1
	out=$(mktemp "$results/out.XXXXXX") || exit 1
	limit=60
	where=$work
	case $test in
	*.sh)
		limit=$(sed -n 's/^# timeout: \([0-9]*\)$/\1/p' "$test")
		case $(head -n 1 "$test") in
		*bash*) set -- bash "$test" ;;
		*) set -- sh "$test" ;;
		esac
		;;
	*/unwind/*.c | */unwind/*.cc) set -- python3 "$root/tests/unwind/unwind.py" "$test" ;;
	*.c | *.cc) set -- python3 "$root/tests/guest/guest.py" "$test" ;;
	*)
		set -- "$test"
		where=$root
		;;
	esac
	(cd "$where" && TMPDIR="$work" timeout -k 5 "${limit:-60}" "$@") >"$out" 2>&1 </dev/null
	status=$?
	rm -rf "$work"
	checks=$(sed -n 's/^[0-9]*%: Checks: \([0-9]*\), Failures: \([0-9]*\), Errors: \([0-9]*\)$/\1 \2 \3/p' "$out" |
		awk '{ c += $1; f += $2 + $3 } END { if (NR) print c - f, f }')
	pass=$(grep -c '^ok ' "$out")
	fail=$(grep -c '^not ok ' "$out")
	skip=$(grep -c '^SKIP: ' "$out")
	if [ -n "$checks" ]; then
		pass=$((pass + ${checks% *}))
		fail=$((fail + ${checks#* }))
	fi
	why=
	if [ "$status" -eq 124 ] || [ "$status" -eq 137 ]; then
		why="no end after ${limit:-60} s"
	elif [ "$status" -ne 0 ] && [ "$fail" -eq 0 ]; then
		why="status $status"
	elif [ $((pass + fail + skip)) -eq 0 ]; then
		why="it ran nothing"
	fi
	[ -z "$why" ] || fail=$((fail + 1))
	{
		if [ "$fail" -ne 0 ] || [ -n "${VERBOSE:-}" ]; then
			sed 's/^/    /' "$out"
		else
			grep '^SKIP: ' "$out"
		fi
		[ -z "$why" ] || echo "not ok $name: $why"
		echo "$name: $pass passed, $fail failed"
	} >"$out.shown"
	cat "$out.shown"
	echo "$pass $fail" >"$out.count"
	exit 0
fi

results=$(mktemp -d "${TMPDIR:-/tmp}/heapledger-tests.XXXXXX") || exit 1
trap 'rm -rf "$results"' EXIT
trap 'exit 1' INT TERM HUP

for t in "$@"; do
	case $t in
	/*) printf '%s\0' "$t" ;;
	*) printf '%s\0' "$PWD/$t" ;;
	esac
done | xargs -0 -r -n 1 -P "${JOBS:-2}" sh "$0" --one "$results"

set -- "$results"/out.*.count
[ -e "$1" ] || set --
awk '{ p += $1; f += $2 } END { printf "%d passed, %d failed\n", p, f; exit f > 0 || p == 0 }' "$@" </dev/null
