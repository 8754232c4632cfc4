#!/bin/sh
# demo.sh - the two commands on an installed program (functions and modules), then on a sample that was
# built with debug information (source lines).  `make demo` runs it.
set -eu

root=${HL_ROOT:-$(cd "$(dirname "$0")/.." && pwd)}
hl=${HL_BUILD:-$root/build}/heapledger
work=$(mktemp -d "${TMPDIR:-/tmp}/heapledger-demo.XXXXXX")
trap 'rm -rf "$work"' EXIT

# Show a command as one would type it, then run it.
show() {
	printf '\n$ %s\n' "$*" | sed "s|$hl|heapledger|"
	"$@"
}

cd "$work"
cat >words.py <<'END'
import json
words = {"word %d" % i: list(range(i % 50)) for i in range(5000)}
text = json.dumps(words)
again = json.loads(text)
print(len(text), "bytes of JSON")
END

echo "== An installed program: no rebuild, no debug information needed"
PYTHONMALLOC=malloc
export PYTHONMALLOC
show "$hl" run -o python.hl -- /usr/bin/python3 words.py
show "$hl" stats python.hl --by function --sort peak -n 5
show "$hl" stats python.hl --by object --sort peak -n 3

echo
echo "== Your own program, built with -g: source lines"
cp "$root/samples/leak.c" .
show gcc -g -O2 -o leak leak.c
show "$hl" run -o leak.hl -- ./leak
show "$hl" stats leak.hl -n 3
