#!/bin/sh
# data_races.sh - the tables that threads share without a lock, under ThreadSanitizer: every access that is not ordered
# by an atomic one is reported.
# timeout: 120
set -u

export CK_FORK=no
work=$PWD
cd "$HL_ROOT" || exit 1
printf 'int main(void) { return 0; }\n' >"$work/try.c"
if ! gcc -fsanitize=thread -o "$work/try" "$work/try.c" 2>/dev/null || ! "$work/try"; then
	echo "SKIP: data races: no ThreadSanitizer"
	exit 0
fi
if ! gcc -std=gnu17 -D_GNU_SOURCE -I. -Iinclude -O1 -g -fsanitize=thread -Wno-tsan -o "$work/tables" \
	tests/unit/tables_test.c preload/arena.c preload/idtab.c preload/modmap.c preload/object.c preload/rulecache.c \
	preload/sample.c preload/sys.c \
	-lcheck -lsubunit -lm -lrt -lpthread >"$work/out" 2>&1; then
	echo "not ok the tables are built with ThreadSanitizer: $(head -3 "$work/out")"
	exit 1
fi
if TSAN_OPTIONS="halt_on_error=1" "$work/tables" >"$work/out" 2>&1; then
	echo "ok no access to the shared tables is a data race"
else
	echo "not ok no access to the shared tables is a data race: $(grep -v '^=' "$work/out" | head -20)"
	exit 1
fi
