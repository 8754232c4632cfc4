#!/bin/sh
# manual.sh - what --help lists is in the manual page and the other way round; each verb is in heapledger(1).
set -u
hl=$HL_BUILD/heapledger
man=$HL_ROOT/man
failed=0

# The long options of a text, one a line.
options() {
	grep -oE -e '--[a-z][a-z-]+' | sort -u
}

for page in "$man"/heapledger-*.1; do
	verb=$(basename "$page" .1)
	verb=${verb#heapledger-}
	"$hl" "$verb" --help 2>&1 | options | grep -v -e '^--version$' >help
	# Options are defined where a paragraph is tagged; the examples may name others.
	sed 's/\\-/-/g; s/\\fI.*//' "$page" | sed -n '/^\.SH OPTIONS/,/^\.SH "EXIT/p' | grep -A1 '^\.TP' | options >manual
	grep -qx -e --help help || echo "--help" >>help
	sort -u help >sorted
	if ! [ -s manual ]; then
		echo "not ok $verb: its page has no options"
		failed=1
	elif diff sorted manual >difference; then
		echo "ok $verb: --help and its manual page list the same options"
	else
		echo "not ok $verb: --help (<) and its manual page (>) differ: $(grep '^[<>]' difference | tr '\n' ' ')"
		failed=1
	fi
done
for verb in $("$hl" --help 2>&1 | sed -n 's/^  *\([a-z][a-z]*\)  .*/\1/p'); do
	if grep -q "^\.B $verb\$" "$man/heapledger.1"; then
		echo "ok $verb is described in heapledger(1)"
	else
		echo "not ok $verb is described in heapledger(1)"
		failed=1
	fi
done
exit $failed
