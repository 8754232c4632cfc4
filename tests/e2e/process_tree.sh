#!/bin/sh
# process_tree.sh - `info` on any trace of a run shows all of its processes: forked, executed, spawned by a shell.
set -u
hl=$HL_BUILD/heapledger
failed=0

verdict() { # STATUS NAME [WHY]
	if [ "$1" -eq 0 ]; then
		echo "ok $2"
	else
		echo "not ok $2: ${3:-}"
		failed=1
	fi
}

cat >prog.c <<'END'
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	void *p = malloc(100);
	if (argc > 1)
		return p ? atoi(argv[1]) : 1;
	/* a child that calls no hook has no trace */
	if (fork() == 0) {
		p = malloc(10);
		if (fork() == 0) {
			p = malloc(10);
			exit(p ? 3 : 1);
		}
		wait(NULL);
		execl(argv[0], argv[0], "5", NULL);
	}
	wait(NULL);
	if (fork() == 0) {
		p = malloc(10);
		_exit(p ? 4 : 1);
	}
	wait(NULL);
	return 0;
}
END
gcc -o prog prog.c || exit 1
mkdir traces other
"$hl" run -q -o traces/t.hl -- ./prog || exit 1
"$hl" run -q -o traces/another.hl -- ./prog 1 # a run of its own
echo junk >traces/junk.hl

cat >want.py <<'END'
import json
import sys

document = json.load(sys.stdin)
rows = document["processes"]
by_pid = {}
for r in rows:
    by_pid.setdefault(r["pid"], []).append(r)
root = rows[0]
assert len(rows) == 5, rows
assert all(r["program"] == "prog" for r in rows), rows
children = [r for r in rows[1:] if r["parent"] == root["pid"]]
# the first child's two images, the second child; the grandchild
assert [(r["end"], r["status"]) for r in children] == [("exec", 0), ("exit", 5), ("fast exit", 4)], children
assert children[0]["pid"] == children[1]["pid"]
grand = [r for r in rows if r["parent"] == children[0]["pid"]]
assert [(r["end"], r["status"]) for r in grand] == [("exit", 3)], grand
assert rows.index(grand[0]) == rows.index(children[0]) + 1, rows
assert sorted(r["trace"] for r in rows) == sorted(sys.argv[1:]), rows
END
for t in traces/t.hl*; do
	"$hl" info --format json "$t" 2>err | python3 want.py traces/t.hl* 2>why
	verdict $? "info shows the whole run from $(echo "$t" | sed 's/[0-9][0-9]*/PID/') on" "$(tail -1 why)"
done
(cd traces && "$hl" info --format json t.hl | python3 ../want.py t.hl*) 2>why
verdict $? "info finds the others in the working directory" "$(tail -1 why)"

"$hl" info traces/t.hl 2>/dev/null | sed -n '/^processes:/,$p' | sed 's/^\( *\)[0-9]*:.*end=\(.*\), status=\([0-9]*\),.*/\1\2 \3/' >got
printf 'processes:\n  exit 0\n    exec 0\n      exit 3\n      exit 5\n    fast exit 4\n' | diff - got >why
verdict $? "the text is a tree" "$(cat why)"

# a child that allocates and becomes another program, many of them
cat >many.c <<'END'
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	(void)argc;
	for (int i = 0; i < 60; i++) {
		if (fork() == 0) {
			if (i % 3 == 0)
				usleep(300 * i);
			execl("./prog", argv[0], malloc(10) ? "0" : "1", NULL);
		}
		if (i % 4 == 3)
			wait(NULL);
	}
	while (wait(NULL) > 0)
		;
	return 0;
}
END
gcc -o many many.c && mkdir chain && "$hl" run -q -o chain/t.hl -- ./many || exit 1
"$hl" info --format json chain/t.hl | python3 -c '
import json, os, sys
rows = json.load(sys.stdin)["processes"][1:]
assert len(rows) == 120, len(rows)
for r in rows:
    name = "t.hl.%d" % r["pid"] + ("" if r["end"] == "exec" else ".2")
    assert os.path.basename(r["trace"]) == name, r
' 2>why
verdict $? "FILE.PID is the forked child, FILE.PID.2 what it became" "$(tail -1 why)"

# ---- stats of all of them ----
for t in traces/t.hl*; do
	"$hl" stats -n 0 --format json "$t" 2>/dev/null
done >each
"$hl" stats -n 0 --format json traces/t.hl* >all 2>err
verdict $? "stats takes all traces of a run" "$(cat err)"
cat >sum.py <<'END'
import json
import sys

text, each, at = open("each").read(), [], 0
while text[at:].strip():
    document, n = json.JSONDecoder().raw_decode(text[at:])
    each.append(document)
    at += n + len(text[at + n:]) - len(text[at + n:].lstrip())
all_ = json.load(open("all"))
numbers = ("size", "count", "peak", "total", "allocations", "temporary")


def by_line(documents):
    sums = {}
    for document in documents:
        for row in document["rows"]:
            key = tuple(str(v) for k, v in row.items() if k not in numbers and isinstance(v, (str, dict, list)) or k == "line")
            sums[key] = [a + row[k] for a, k in zip(sums.get(key, [0] * 6), numbers)]
    return sums


assert len(each) == len(all_["traces"]) == 5, (len(each), all_["traces"])
assert by_line(each) == by_line([all_]) and all_["rows"], (by_line(each), by_line([all_]))
for k in ("size", "count", "heap_size", "total", "allocations", "frees"):
    assert all_["totals"][k] == sum(d["totals"][k] for d in each), k
sizes = [r["size"] for r in all_["rows"]]
assert sizes == sorted(sizes, reverse=True), sizes
END
python3 sum.py 2>why
verdict $? "and each row is the sum of theirs" "$(tail -1 why)"
"$hl" stats traces/t.hl traces/junk.hl >out 2>err
[ $? -eq 3 ] && [ ! -s out ]
verdict $? "a file that is no trace among them is named" "$(cat err)"

cp traces/t.hl other/
"$hl" info other/t.hl 2>/dev/null | sed -n '/^processes:/,$p' | grep -c end= | grep -qx 1
verdict $? "a trace that was moved stands alone"
exit $failed
