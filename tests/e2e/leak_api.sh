#!/bin/sh
# leak_api.sh - what a program says of leaks through LeakSanitizer's interface, or ours, is heeded; and checks that it asks for itself.
# timeout: 240
set -u
# shellcheck source=tests/lib/verdict.sh
. "$HL_ROOT/tests/lib/verdict.sh"
cp "$HL_ROOT/tests/e2e/leak_api.c" . || exit 1
cc="${CC:-gcc} -w -g -O1 -rdynamic -I$HL_ROOT/include"
# shellcheck disable=SC2086 # words
$cc -o lsan leak_api.c && $cc -DOWN -o own leak_api.c && $cc -DTURNED_OFF -o off leak_api.c || exit 1

lost() { # TRACE
	"$hl" check --show indirect --format json "$1" 2>err | /usr/bin/python3 "$HL_ROOT/tests/lib/leaks.py" leak_api.c
}
bare() { # PROGRAM CASE
	rm -f b.hl
	HEAPLEDGER_EXITCODE=77 HEAPLEDGER_OUTPUT=$PWD/b.hl LD_PRELOAD=$library "./$1" "$2" >out 2>err
}
library=$HL_BUILD/libheapledger.so

for program in lsan own; do
	while IFS=: read -r case status want; do
		rm -f t.hl*
		"$hl" check -o t.hl -- ./$program "$case" >out 2>err
		verdict "$program $case: the verdict" "$status" $?
		verdict "$program $case: what is lost" "${want# }" "$(lost t.hl)"
		bare $program "$case"
		verdict "$program $case: the status without a launcher" $((status == 99 ? 77 : 3)) $?
		verdict "$program $case: what is said without a launcher" $((status == 99)) $(($(grep -c '^ROOT LEAK' err) > 0))
		verdict "$program $case: all output came" end "$(tail -1 out)"
	done <<'END'
:3:
disabled:3:
enabled again:99: definite 1 10000
realloc:99: definite 1 10000
ignored:3:
ignored before:99: definite 1 10000
root:99: definite 1 10000 indirect 1 30000
root twice:99: definite 1 10000 indirect 1 30000
root taken back:99: definite 1 10000 indirect 2 50000
leak:99: definite 1 10000
END
	# the program goes on, or does not
	bare $program check
	verdict "$program: a check ends it" 77 $?
	verdict "$program: at once" '' "$(cat out)"
	verdict "$program: with a report" 1 "$(grep -c 'CHECK FAILED: 1 loss' err)"
	rm -f t.hl*
	"$hl" run -q -o t.hl -- ./$program check >out 2>err
	verdict "$program: with a launcher, too, with the status of LeakSanitizer" 23 $?
	verdict "$program: with a report there" 1 "$(grep -c 'CHECK FAILED: 1 loss' err)"
	rm -f t.hl*
	"$hl" check -o t.hl -- ./$program 'check of nothing' >out 2>err
	verdict "$program: the check that was made is that of the end" 3 $?
	rm -f t.hl*
	"$hl" run -q -o t.hl -- ./$program 'going on' >out 2>err
	verdict "$program: a check that lets it go on" '3 2 times, child -1' "$? $(head -1 out)"
	verdict "$program: reports each time" 2 "$(grep -c 'CHECK FAILED: 1 loss' err)"
	verdict "$program: and leaves no child behind" '3 images' "$("$hl" info --format json t.hl | sed -n 's/.*"images": \([0-9]*\).*/\1 images/p')"
done

rm -f t.hl*
"$hl" check -o t.hl -- ./lsan suppressed >out 2>err
verdict 'suppressions of the program: the verdict' 3 $?
verdict 'and what they matched' 1 "$(grep -c '^  leak:suppressed (__lsan_default_suppressions:2): 55000 bytes in 2 blocks' out)"
verdict 'one is stale' 1 "$(grep -c 'leak:never.*stale' out)"
"$hl" check -q -- ./off leak >out 2>err
verdict 'turned off by the program' 3 $?
bare off leak
verdict 'without a launcher, too' 3 $?
HEAPLEDGER_OUTPUT=$PWD/n.hl LD_PRELOAD=$library ./lsan leak >out 2>err
verdict 'without HEAPLEDGER_EXITCODE nothing is said' '3 0' "$? $(wc -c <err)"

# the analyzer is not beside the library
mkdir -p alone && cp "$library" alone/ && library=$PWD/alone/libheapledger.so
bare lsan leak
verdict 'without the analyzer there is no verdict' 3 $?
verdict 'that is counted' 1 "$("$hl" info --format json b.hl | sed -n 's/.*"checks_without_verdict": \([0-9]*\).*/\1/p')"
bare lsan check
verdict 'the program goes on' end "$(tail -1 out)"
# beside it as it is installed
mkdir -p usr/bin usr/lib/heapledger && cp "$hl" usr/bin/ && cp alone/libheapledger.so usr/lib/heapledger/
library=$PWD/usr/lib/heapledger/libheapledger.so
bare lsan leak
verdict 'installed beside it' 77 $?

exit "$failed"
