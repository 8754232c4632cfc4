#!/usr/bin/env python3
"""selftest.py - the rig's parts do what their headers say: the stacks are as deep and change as much as the pattern
says, seen by three unwinders and by heapledger's own report; each part runs and judges.  Tiny sizes: no figure means anything.
"""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import captures  # noqa: E402
from ledger import BUILD, Failure, check_health, stats  # noqa: E402
from make_capture import FUNCTIONS  # noqa: E402
from rig import HERE, build_capture, build_reference, build_reuse, measure, must, remove, traced_command  # noqa: E402

ROOT_FRAMES = 5
LAPS = 3  # two repetitions of one lap, and the one for warming
# pattern: captures of a lap, frames that change (None: all of the program's own)
EXPECTED = {"same": (4096, 0), "p=.5": (1024, 2), "p=.5wide": (16384, 2), "p=.5new": (4096, 2), "known": (256, None),
            "fresh": (1024, None)}
NEW_EVERY_LAP = ("p=.5new", "fresh")


def close(what, got, want, tolerance):
    if abs(got - want) > tolerance:
        raise Failure("%s: %s, not %s" % (what, got, want))


def changed_frames(pattern, depth):
    changed = EXPECTED[pattern][1]
    return depth - ROOT_FRAMES if changed is None else changed


def expected_nodes(pattern, depth):
    captures_made = EXPECTED[pattern][0] * (LAPS if pattern in NEW_EVERY_LAP else 1)
    nodes = captures_made * changed_frames(pattern, depth) or depth
    # there are only so many functions to be the first
    return nodes - max(0, captures_made - FUNCTIONS) if EXPECTED[pattern][1] is None else nodes


def seen_by_reference(programs, reference, method, pattern, depth):
    """What the unwinder of the reference preload saw, against what the pattern promises."""
    argv = [programs["keep" if method == "frames" else "omit"], pattern, str(depth), "1", "2"]
    r = must(measure(argv, {"LD_PRELOAD": reference, "BENCH_METHOD": method, "BENCH_CHECK": "1"}), argv)
    count, frames, changed, nodes = map(float, r["err"].split())
    said = r["out"].split()
    # libc allocates a buffer and the program a few tables
    close("captures", count, LAPS * EXPECTED[pattern][0], 10)
    # without frame pointers in libc, its frames between main and _start are not seen
    close("frames", frames, depth - 2 if method == "frames" else depth, 0.1)
    want = changed_frames(pattern, depth)
    close("changed frames", changed, want, 0.02 + want * 0.05)
    close("changed frames that capture.c says", float(said[4]), changed, 0.05 + want * 0.02)
    close("distinct nodes", nodes, expected_nodes(pattern, depth), 40 + expected_nodes(pattern, depth) * 0.08)


def seen_by_heapledger(programs, depth):
    """The report must have the 256 stacks of `known`, each of exactly that many frames."""
    trace = os.path.abspath("self.hl")
    remove(trace)
    command, env = traced_command("run", trace, [programs["omit"], "known", str(depth), "1", "2"])
    must(measure(command, env), command)
    check_health(trace)
    rows = [row for row in stats(trace, "--by", "traceback", "--sort", "total")["rows"]
            if row["allocations"] == LAPS and row["total"] == LAPS * 48]
    if len(rows) != EXPECTED["known"][0] or any(len(row["traceback"]) != depth for row in rows):
        raise Failure("%d stacks, of %s frames" % (len(rows), sorted({len(row["traceback"]) for row in rows})))
    modules = {os.path.basename(f["module"]) for row in rows for f in row["traceback"] if f.get("module")}
    if not {"capture_omit", "liba_omit.so", "libb_omit.so"} <= modules:
        raise Failure("the stacks do not go through all modules: %s" % modules)


def seen_by_reuse(programs, reuse):
    """A lap's stacks come again after all others of the lap."""
    trace = os.path.abspath("reuse.hl")
    for pattern, near in (("p=.5", 1024), ("p=.5wide", 16384)):
        remove(trace)
        captures_made = EXPECTED[pattern][0]
        command, env = traced_command("run", trace, [programs["omit"], pattern, "20", str(captures_made), "2"])
        must(measure(command, env), command)
        out = subprocess.run([reuse, trace], capture_output=True, text=True, check=True).stdout
        captures, _, new, *within = map(int, out.split())
        counts = dict(zip((512, 1024, 2048, 16384), within))
        close("captures", captures, captures_made * LAPS, 100)
        close("never seen before, %s" % pattern, new, captures_made, captures_made * 0.05)
        close("within the lap, %s" % pattern, counts[near], captures - new, 100)
        if any(n > 0.1 * captures for limit, n in counts.items() if limit < near):
            raise Failure("%s: %s come again sooner than after a lap" % (pattern, counts))


def run_bench(*args):
    """The TARGET verdicts of a whole small run, {name: verdict}."""
    r = subprocess.run([sys.executable, os.path.join(HERE, "run.py"), "--rounds", "1", "--quiet", *args],
                       stdin=subprocess.DEVNULL, capture_output=True, text=True, env={**os.environ, "HL_BUILD": BUILD})
    if r.returncode:
        raise Failure("status %d: %s" % (r.returncode, r.stderr[-300:]))
    lines = [json.loads(line[6:]) for line in r.stdout.splitlines() if line.startswith("BENCH ")]
    targets = {line["target"]: line for line in lines if "target" in line}
    if sum(line.startswith("TARGET ") for line in r.stdout.splitlines()) != len(targets):
        raise Failure("a target has no line of its own")
    for t in targets.values():
        met = t["value"] <= t["limit"] if t.get("relation") == "<=" else t["value"] >= t["limit"] if "relation" in t else None
        if t["verdict"] not in ([("missed", "met")[met]] if met is not None else ["not measured"]):
            raise Failure("%s is said to be %s" % (t, t["verdict"]))
    return targets


def parts():
    """Each part measures and judges what it should."""
    tiny = ("--scale", "0.01", "--no-heaptrack", "--no-memcheck")
    got = run_bench("--parts", "captures", "--depths", "20", "--patterns", "same,known", *tiny)
    if not {"capture, depth 20, %s, %s: added to %s" % (p, captures.DEFAULT, captures.REFERENCE)
            for p in ("same", "known")} <= set(got):
        raise Failure("captures judges %s" % list(got))
    got = run_bench("--parts", "programs,sampling,scaling", "--only", "malloc-bound", "--sample-rounds", "1", *tiny)
    got.update(run_bench("--parts", "memory", "--only", "python", "--threads", "2", "--quiet-seconds", "0.3", *tiny))
    for start in ("malloc-bound: bytes an event in the region", "malloc-bound: bytes an event in the trace",
                  "malloc-bound: added wall", "malloc-bound, sample=512K", "scaling, shallow, heapledger run", "scaling, depth 20, heapledger run",
                  "memory, churn, 2 threads: private", "memory, churn, 2 threads: resident", "memory, malloc-bound: private",
                  "memory, python: private"):
        if not any(name.startswith(start) for name in got):
            raise Failure("nothing judges %s" % start)


def main():
    failed = 0

    def check(name, function, *args):
        nonlocal failed
        try:
            function(*args)
            print("ok bench: " + name, flush=True)
        except (Failure, subprocess.SubprocessError, ValueError, KeyError, IndexError) as e:
            failed = 1
            print("not ok bench: %s: %s" % (name, e if isinstance(e, Failure) else repr(e)), flush=True)

    with tempfile.TemporaryDirectory(dir=os.getcwd()) as work:
        programs, reference = build_capture(work), build_reference(work)
        for method in ("unw_backtrace", "backtrace", "frames"):
            for pattern in EXPECTED:
                depth = 20 if method == "unw_backtrace" else 12
                check("%s at depth %d by %s" % (pattern, depth, method), seen_by_reference, programs, reference, method,
                      pattern, depth)
        check("a report has the stacks", seen_by_heapledger, programs, 20)
        check("stacks come again after a lap", seen_by_reuse, programs, build_reuse(work))
        check("each part measures and judges", parts)
    return failed


if __name__ == "__main__":
    sys.exit(main())
