#!/bin/sh
# block.sh - what is or was at an address that a program printed, in every format; wrong arguments.
set -u
# shellcheck source=tests/lib/verdict.sh
. "$HL_ROOT/tests/lib/verdict.sh"

cat >lives.c <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(void)
{
	char *volatile kept = malloc(100); // kept
	char *volatile gone = malloc(5000); // first
	printf("%p %p\n", (void *)(kept + 7), (void *)(gone + 8));
	fflush(stdout);
	free(gone); // freed
	for (int i = 0; i < 30; i++) {
		gone = malloc(5000); // again
		free(gone);
	}
	return !kept;
}
END
gcc -w -g -O0 -o lives lives.c || exit 1
line() { sed -n "/\/\/ $1\$/=" lives.c; }
"$hl" run -q --free-stacks -o t.hl -- ./lives >addresses || exit 1
read -r kept gone <addresses

"$hl" block t.hl "$kept" >text 2>err
verdict "block ends well" 0 $?
verdict "a live block: its size, the offset, who allocated it" "live: address=0x1, size=100 B, offset=7/ allocated by malloc/$(line kept)" \
	"$(sed -n '1s/address=0x[0-9a-f]*/address=0x1/p' text)/$(sed -n 's/ at .*//; 2p' text)/$(sed -n 's/.*lives.c", line //p' text)"
"$hl" block -n 0 --format json t.hl "$gone" >out.json 2>err
cat >rows.py <<'END'
import json, sys
d = json.load(sys.stdin)
for r in d["rows"]:
    def at(call):
        c = r[call]
        return "-" if not c else "%s:%s" % (c["by"], next(f["line"] for f in c["traceback"] if f["file"].endswith("lives.c")))
    if r["size"] == 5000:
        print(r["state"], r["offset"], at("allocated"), at("ended"))
END
/usr/bin/python3 rows.py <out.json >rows
verdict "each life of an address is a row, newest first" "31 freed 8 malloc:$(line first) free:$(line freed)" "$(wc -l <rows) $(tail -n 1 rows)"
verdict "and the others are told with their lines" 30 "$(grep -c "^freed 8 malloc:$(line again) free:" rows)"
"$hl" block t.hl "$gone" >text 2>err
verdict "ten are shown, and how many there were" "10 1" "$(grep -c '^freed: ' text) $(grep -c '^10 of 3[1-9] blocks that were there$' err)"
"$hl" block -n 2 --format csv t.hl "${gone#0x}" >out.csv 2>err
verdict "csv has the same" "3 2" "$(wc -l <out.csv) $(grep -c '^freed,0x[0-9a-f]*,8,5000,0,0,malloc,' out.csv)"
"$hl" block t.hl 0x10 >text 2>err
verdict "an address that nothing had is told" "0 0 1" "$? $(wc -l <text) $(grep -c '^no block was at 0x10$' err)"
for wrong in xyz 0x '' 0x1g 99999999999999999999999; do
	"$hl" block t.hl "$wrong" >text 2>err
	verdict "'$wrong' is no address" "2 0" "$? $(wc -l <text)"
done
"$hl" block t.hl >text 2>err
verdict "an address is asked for" 2 $?
"$hl" extract t.hl -o t.hls 2>err
"$hl" block t.hls "$kept" >text 2>err
verdict "an extracted snapshot is refused with the reason" "2 1" "$? $(grep -c 'holds no single blocks' err)"
exit $failed
