#!/usr/bin/env python3
"""liveset.py SOURCE - differential proof: blocks and bytes of each line, by the program and by the trace.

Seeds and thread counts come from LIVESET_CASES ("SEED:THREADS:OPS ..."), both modes each.
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from ledger import CC, Failure, by_line, check_health, traced, value  # noqa: E402

CASES = os.environ.get("LIVESET_CASES", "1:1:30000 2:2:60000 3:4:60000 4:16:20000 5:3:200000")


def own_live_set(path):
    """{line: (blocks, bytes)} as the program says."""
    lines = {}
    with open(path, encoding="ascii") as f:
        for entry in f:
            _, size, line = entry.split()
            blocks, total = lines.get(int(line), (0, 0))
            lines[int(line)] = (blocks + 1, total + int(size))
    return lines


def compare(program, seed, threads, ops, mode):
    trace, listing = "t-%s-%s.hl" % (seed, mode), "live-%s-%s" % (seed, mode)
    argv, env = traced(mode, trace, [program, seed, threads, ops, listing])
    r = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, timeout=60, check=False)
    if r.returncode:
        raise Failure("the program's status is %d" % r.returncode)
    if value(check_health(trace), "order_repaired"):
        raise Failure("a free was stamped before what it comes after")
    want = own_live_set(listing)
    if not want:
        raise Failure("the program's live set is empty")
    got = {line: (row["count"], row["size"]) for line, row in by_line(trace, "liveset.c").items() if row["count"]}
    for line in sorted(set(want) | set(got)):
        if want.get(line) != got.get(line):
            raise Failure("line %d: the program has %s blocks, bytes; the trace %s" %
                          (line, want.get(line), got.get(line)))
    return sum(b for b, _ in want.values()), len(want)


def main():
    source = sys.argv[1]
    failed = 0
    for level in ("-O0", "-O2"):
        subprocess.run([CC, level, "-g", "-D_GNU_SOURCE", "-pthread", "-o", "liveset" + level, source], check=True)
    for n, case in enumerate(CASES.split()):
        seed, threads, ops = case.split(":")
        for mode in ("run", "bare"):
            name = "liveset seed %s, %s threads, %s operations (%s)" % (seed, threads, ops, mode)
            try:
                compare("./liveset" + ("-O0", "-O2")[n % 2], seed, threads, ops, mode)
                print("ok " + name, flush=True)
            except (Failure, subprocess.TimeoutExpired, KeyError, ValueError) as e:
                failed = 1
                print("not ok %s: %s" % (name, e if isinstance(e, Failure) else repr(e)), flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
