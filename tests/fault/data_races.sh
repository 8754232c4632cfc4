#!/bin/sh
# data_races.sh - the tables that threads share without a lock, and the slots that go from threads to the collector and back,
# under ThreadSanitizer: every access that is not ordered by an atomic one is reported.  No report is suppressed.
# timeout: 150
set -u

export CK_FORK=no TSAN_OPTIONS=halt_on_error=1
work=$PWD
failed=0
cd "$HL_ROOT" || exit 1
printf 'int main(void) { return 0; }\n' >"$work/try.c"
if ! gcc -fsanitize=thread -o "$work/try" "$work/try.c" 2>/dev/null || ! "$work/try"; then
	echo "SKIP: data races: no ThreadSanitizer"
	exit 0
fi

build() { # PROGRAM SOURCE...: with what is in spoiled/ in place of the project's
	out=$work/$1
	shift
	gcc -std=gnu17 -D_GNU_SOURCE -I"$work/spoiled" -I"$work/spoiled/include" -I. -Iinclude -O1 -g -fsanitize=thread -Wno-tsan \
		-o "$out" "$@" -lcheck -lsubunit -lm -lrt -lpthread >"$work/out" 2>&1
}

verdict() { # STATUS NAME
	if [ "$1" -eq 0 ]; then
		echo "ok $2"
	else
		echo "not ok $2: $(grep -v '^=' "$work/out" | head -20)"
		failed=1
	fi
}

tables="preload/arena.c preload/idtab.c preload/modmap.c preload/object.c preload/rulecache.c preload/sample.c preload/sys.c"
handover="tests/fault/handover.c $tables preload/nodes.c preload/slots.c preload/thread.c analyzer/collect/drain.c
	analyzer/collect/share.c analyzer/collect/clock.c analyzer/collect/process.c analyzer/base/diag.c"

# shellcheck disable=SC2086
build tables tests/unit/tables_test.c $tables preload/vdso.c && "$work/tables" >"$work/out" 2>&1
verdict $? "no access to the shared tables is a data race"
# shellcheck disable=SC2086
build handover $handover && "$work/handover" >"$work/out" 2>&1
verdict $? "nor is one to a slot, a stack or a thread's state that is handed on, and no record is lost or there twice"

# The test can fail: one release less.
spoiled() { # WHAT FILE STORE: the store is relaxed
	rm -rf "$work/spoiled"
	mkdir -p "$work/spoiled/$(dirname "$2")"
	sed "s/\(${3}\), memory_order_release/\1, memory_order_relaxed/" "$2" >"$work/spoiled/$2"
	if cmp -s "$2" "$work/spoiled/$2"; then
		echo "not ok without its release $1 is a data race: there is no $3 in $2"
		failed=1
		return
	fi
	sources=
	for f in $handover; do
		[ ! -f "$work/spoiled/$f" ] || f=$work/spoiled/$f
		sources="$sources $f"
	done
	# shellcheck disable=SC2086
	build spoiled-program $sources && ! "$work/spoiled-program" >"$work/out" 2>&1 &&
		grep -q 'WARNING: ThreadSanitizer: data race' "$work/out"
	verdict $? "without its release $1 is a data race"
}
spoiled "a committed record" preload/slots.h "&slot->used, s->at"
spoiled "a larger table of ids" preload/idtab.c "&t->table, n"
spoiled "a slot that is opened" include/heapledger/region.h "&s->state, HL_SLOT_OPEN"
spoiled "a thread's state" preload/thread.c "&idle, &head, t"
exit $failed
