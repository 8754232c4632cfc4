#!/bin/sh
# leaks.sh - each way to lose or to keep a block that leak_cases.cc has is told as its table says; refs names what holds one.
# timeout: 180
set -u
# shellcheck source=tests/lib/verdict.sh
. "$HL_ROOT/tests/lib/verdict.sh"

cp "$HL_ROOT/tests/e2e/leak_cases.cc" . && g++ -w -g -O1 -pthread -o leak_cases leak_cases.cc -ldl || exit 1
./leak_cases >table
kinds=definite,indirect,possible,reachable

while IFS=: read -r case want; do
	case $(uname -m)-$case in
	x86_64-* | *-[!i]*) ;;
	*)
		echo "SKIP: $case: its registers are of x86-64"
		continue
		;;
	esac
	rm -f t.hl*
	timeout 30 "$hl" run -q -o t.hl -- ./leak_cases "$case" >out 2>err
	verdict "$case ends as it would" 0 $?
	"$hl" leaks --kinds $kinds -n 0 --format json t.hl >json.out 2>err
	verdict "$case" "${want# }" "$(/usr/bin/python3 "$HL_ROOT/tests/lib/leaks.py" leak_cases.cc <json.out)"
	# a thread that does not run within 20 ms is asked otherwise, so this is said of programs with one only
	case $case in
	on_other_stack | *_register | *_of_thread | on_ended_stack | result_of_unjoined | from_other_thread) ;;
	*) verdict "$case: its pointers are exact" 1 "$(grep -c '"pointers": "exact"' json.out)" ;;
	esac
done <table

# the same without a launcher
LD_PRELOAD=$HL_BUILD/libheapledger.so HEAPLEDGER_OUTPUT=$PWD/bare.hl ./leak_cases chain
verdict "chain, traced without a launcher" "definite 1 10000 indirect 2 50000" \
	"$("$hl" leaks --kinds $kinds --format json bare.hl 2>err | /usr/bin/python3 "$HL_ROOT/tests/lib/leaks.py" leak_cases.cc)"

# a child's own leak is the child's, what it inherited is not its business unless asked for
rm -f t.hl*
"$hl" run -q -o t.hl -- ./leak_cases inherited
child=$(echo t.hl.*)
verdict "what a child inherited is in no sum" "definite 1 30000" \
	"$("$hl" leaks --kinds $kinds --format json "$child" 2>err | /usr/bin/python3 "$HL_ROOT/tests/lib/leaks.py" leak_cases.cc)"
verdict "unless it is asked for" "definite 2 40000" \
	"$("$hl" leaks --inherited --kinds $kinds --format json "$child" 2>err | /usr/bin/python3 "$HL_ROOT/tests/lib/leaks.py" leak_cases.cc)"

# rows by line
rm -f t.hl*
"$hl" run -q -o t.hl -- ./leak_cases kept_through
"$hl" leaks --by function --kinds reachable t.hl >rows 2>err
verdict "--by groups what is left as stats does" 1 "$(grep -c '^make (.*leak_cases.cc): size=29.3 KiB, count=2' rows)"
verdict "with what its blocks retain" 1 "$(grep -c '^make (.*retained=29.3 KiB$' rows)"
verdict "and how the image was taken" 1 "$(grep -c '^pointers: exact$' err)"
# a line that holds what another one made
cat >holds.c <<'END'
#include <stdlib.h>
static void **volatile held;
static __attribute__((noinline)) void **holder(void) { return calloc(1, 100); }
static __attribute__((noinline)) void *content(void) { return calloc(1, 20000); }
int main(void)
{
	void **p = holder();

	for (int i = 0; i < 3; i++)
		p[i] = content();
	held = p;
	return 0;
}
END
gcc -w -g -O1 -fno-optimize-sibling-calls -o holds holds.c
"$hl" run -q -o holds.hl -- ./holds
for format in json csv; do
	"$hl" leaks --by function --kinds all --format $format holds.hl >holds.$format 2>err
done
verdict "a line retains what nothing else leads to" "content 60000 holder 60100" \
	"$(/usr/bin/python3 -c 'import json
print(*(w for r in json.load(open("holds.json"))["rows"][:2] for w in (r["function"], r["retained"])))')"
verdict "in every format" "60000 60100" "$(awk -F, 'NR > 1 && NR < 4 { print $5 }' holds.csv | tr '\n' ' ' | sed 's/ $//')"
"$hl" leaks --by function --kinds all --cumulative holds.hl >rows 2>err
verdict "what is in several rows has no such number" 0 "$(grep -c retained rows)"

# pointers to middles count as pointers when they are explained, in ways that can be left out
while read -r case list want; do
	rm -f t.hl*
	"$hl" run -q -o t.hl -- ./leak_cases "$case"
	verdict "$case with --heuristics $list" "$want" \
		"$("$hl" leaks --kinds $kinds -n 0 --heuristics "$list" --format json t.hl 2>err | /usr/bin/python3 "$HL_ROOT/tests/lib/leaks.py" leak_cases.cc)"
done <<'END'
array_with_cookie none possible 1 20008
array_of_none none definite 1 8
array_of_none newarray reachable 1 8
array_with_cookie stdstring,length64,multipleinheritance possible 1 20008
array_with_cookie newarray reachable 1 20008
second_base newarray possible 1 10008
second_base stdstring,multipleinheritance reachable 1 10008
second_base all reachable 1 10008
END
object=$("$hl" leaks --kinds reachable -n 0 --format json t.hl 2>err |
	/usr/bin/python3 -c 'import json, sys; print([l["address"] for l in json.load(sys.stdin)["processes"][0]["losses"] if l["bytes"] == 10008][0])')
for list in none all; do
	"$hl" refs --heuristics $list --format json t.hl "$object" >refs.$list 2>err
done
verdict "refs judges by them, too" "possible reachable" \
	"$(cat refs.none refs.all | /usr/bin/python3 -c 'import re, sys; print(*re.findall(r"possible|reachable", sys.stdin.read()))')"

# refs
rm -f t.hl*
"$hl" run -q -o t.hl -- ./leak_cases kept_through
held=$("$hl" leaks --kinds reachable -n 0 --format json t.hl 2>err |
	/usr/bin/python3 -c 'import json, sys; print([l["address"] for l in json.load(sys.stdin)["processes"][0]["losses"] if l["bytes"] == 20000][0])')
"$hl" refs t.hl "$held" >text 2>err
verdict "refs ends well" 0 $?
verdict "the path from the root has the variable, the block between and the offset" \
	"leak_cases!global+0x0 ->/offset=56 ->" \
	"$(sed -n '/^path from a root/{n;s/^ *//;p}' text)/$(sed -n '/^path from a root/,/^pointed/s/.*\(offset=56 ->\)/\1/p' text)"
verdict "and who points at it" 1 "$(sed -n '/^pointed at by/,$p' text | grep -c 'leak_cases.cc:.*size=10000 B, offset=56')"
"$hl" refs --format json t.hl "$held" >json.out 2>err
verdict "json has the same" "leak_cases!global+0x0 2 1 0" \
	"$(/usr/bin/python3 -c 'import json, sys; d = json.load(sys.stdin); print(d["path"][0]["root"], len(d["path"]) - 1, d["referrers"], d["referents"])' <json.out)"
"$hl" refs t.hl 0x10 >text 2>err
verdict "where no block is refs says so" "0 0 1" "$? $(wc -l <text) $(grep -c '^no block lived at 0x10' err)"

# no image, no answer
rm -f t.hl*
"$hl" run -q --no-image -o t.hl -- ./leak_cases lost
"$hl" leaks t.hl >text 2>err
verdict "without an image there is no answer" "4 0 1" "$? $(wc -l <text) $(grep -c 'no pointer image was taken' err)"
"$hl" run -q --force --sample 1K -o t.hl -- ./leak_cases lost
"$hl" leaks t.hl >text 2>err
verdict "nor of a sample" "4 0 1" "$? $(wc -l <text) $(grep -c 'it is a sample' err)"
for wrong in "--kinds some" "--kinds=" "--by nothing" "--heuristics some" "--heuristics="; do
	# shellcheck disable=SC2086 # two words
	"$hl" leaks $wrong t.hl >text 2>err
	verdict "leaks $wrong is refused" "2 0" "$? $(wc -l <text)"
done
exit $failed
