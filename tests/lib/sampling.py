#!/usr/bin/env python3
"""sampling.py SOURCE - trace a program that notes what it did, completely and as samples, and compare line by line.

A block of s bytes is in a sample of one in R bytes with probability p = 1 - exp(-max(s, 1) / R) and then stands for 1 / p
blocks.  So the variance of an estimate follows from what the program did: the sum of w^2 (1 - p) / p over its blocks, w the
block's weight (its size, or 1).  The error that a report gives is an estimate itself, and of few blocks a bad one; so limits are
in terms of the true deviation, and the reported error is compared with that.

An estimate is judged where no block that may be missing makes more than 1 / LUMP of the deviation.  By Bernstein's inequality
a right one is then FAR deviations off less than once in 10^9.  So is the mean of several runs, FAR_MEAN of its own; and the
reported error is outside ERROR times the deviation less than once in 10^8 (a Poisson variable of mean LUMP^2 so far
off).  Over all lines and runs, (estimate - truth) / deviation has mean 0 and mean square 1.
"""
import collections
import glob
import json
import math
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from ledger import CXX, Failure, HL, ROOT, bare, check_health, stats, value  # noqa: E402

FAR, FAR_MEAN, LUMP, ERROR = 8, 8, 5.5, (0.4, 2.5)
# rate, runs: nearly everything; less and less; one point, if that, in more than the program allocates
RATES = ((1, 2), (2048, 6), (65536, 6), (524288, 4), (1 << 40, 2))
# what a row shows: of which blocks, weighed how
MEASURES = {"size": ("live", True), "count": ("live", False), "total": ("made", True), "allocations": ("made", False),
            "temporary": ("temporary", False)}


class Truth:
    """What one process did: {line: {measure: value}}, and the deviations of estimates."""

    def __init__(self, path):
        self.blocks = collections.defaultdict(list)
        with open(path, encoding="ascii") as f:
            for text in f:
                line, size, made, live, temporary = map(int, text.split())
                self.blocks[line].append((size, {"made": made, "live": live, "temporary": temporary}))

    def sum(self, line, measure):
        which, by_size = MEASURES[measure]
        return sum(n[which] * (size if by_size else 1) for size, n in self.blocks[line])

    def spread(self, line, measure, rate):
        """The deviation of an estimate, and the most that one block may add to it."""
        which, by_size = MEASURES[measure]
        square, most = 0, 0
        for size, n in self.blocks[line]:
            x = max(size, 1) / rate
            if not n[which] or x > 60:  # no block of 10^17 is missing
                continue
            weight = size if by_size else 1
            square += n[which] * weight * weight / math.expm1(x)
            most = max(most, weight / -math.expm1(-x))
        return math.sqrt(square), most


def trace(program, mode, rate):
    """[(Truth, rows by line)] of the program and its child, in a directory of its own."""
    with tempfile.TemporaryDirectory(dir=os.getcwd()) as here:
        out, notes = os.path.join(here, "t.hl"), os.path.join(here, "notes")
        if mode == "bare":
            argv, env = bare(out, [program, notes], "sample=%d" % rate if rate else "")
        else:
            argv, env = [HL, "run", "-q", "-o", out, "--", program, notes], dict(os.environ)
            if rate > 1 << 30:  # beyond what the command offers
                env["HEAPLEDGER_OPTIONS"] = "sample=%d" % rate
            elif rate:
                argv[2:2] = ["--sample", str(rate)]
        p = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=50, check=False)
        if p.returncode:
            raise Failure("status %d: %s" % (p.returncode, p.stderr[-300:]))
        traces = sorted(glob.glob(out + "*"), key=len)
        if len(traces) != (2 if rate <= 1 << 30 or mode == "bare" else 1):  # a child without an event has none
            raise Failure("%d traces" % len(traces))
        found = []
        for t in traces:
            if rate > 1 << 30:
                shown = subprocess.run([HL, "info", t, "--format", "json"], capture_output=True, text=True, check=False)
                if shown.returncode != 4 or value(json.loads(shown.stdout), "recorded_blocks"):
                    raise Failure("info: status %d: %s" % (shown.returncode, shown.stderr))
                continue
            tree = check_health(t, allow_mismatches=True)
            if value(tree, "sample") != (rate or None):
                raise Failure("info says a sample of %s" % tree["sample"])
            rows = {}
            for sort in ("count", "total"):
                for row in stats(t, "--sort", sort, "--include", "*/sample.cc")["rows"]:
                    rows.setdefault(row["line"], {}).update(row)
            found.append((Truth("%s.%d" % (notes, value(tree, "pid"))), rows))
        return found


def complete(program, mode):
    for truth, rows in trace(program, mode, 0):
        for line in set(truth.blocks) | set(rows):
            for measure in MEASURES:
                got, want = rows.get(line, {}).get(measure, 0), truth.sum(line, measure)
                if got != want:
                    raise Failure("line %d: %s %d, not %d" % (line, measure, got, want))


def sampled(program, rate, runs):
    seen = collections.defaultdict(list)  # (process, line, measure): estimates
    z = []
    for k in range(runs):
        found = trace(program, "bare" if k % 2 else "run", rate)
        for process, (truth, rows) in enumerate(found):
            for line, row in rows.items():
                if line not in truth.blocks:
                    raise Failure("line %d allocated nothing" % line)
            for line in truth.blocks:
                for measure in MEASURES:
                    row = rows.get(line, {})
                    got, want = row.get(measure, 0), truth.sum(line, measure)
                    sigma, most = truth.spread(line, measure, rate)
                    enough = sigma >= LUMP * most
                    seen[process, line, measure].append((got, want, sigma, enough))
                    # 1 + 1e-5: rounding of an estimate, and of what it sums up
                    if enough and abs(got - want) > FAR * sigma + 1 + 1e-5 * want:
                        raise Failure("line %d: %s %d, not %d +- %.0f" % (line, measure, got, want, sigma))
                    if enough and sigma and not ERROR[0] < row.get(measure + "_error", 0) / sigma < ERROR[1]:
                        raise Failure("line %d: error of %s is %s, not %.0f" % (line, measure, row.get(measure + "_error"), sigma))
                    if measure == "allocations" and sigma >= 2 * most > 0:
                        z.append((got - want) / sigma)
    for (_, line, measure), got in seen.items():
        mean, (_, want, sigma, enough) = sum(g[0] for g in got) / runs, got[0]
        if enough and abs(mean - want) > FAR_MEAN * sigma / math.sqrt(runs) + 1 + 1e-5 * want:
            raise Failure("line %d: %s is %.0f on average, not %d +- %.0f" % (line, measure, mean, want, sigma / math.sqrt(runs)))
    judged = sum(got[0][3] and got[0][2] > 0 for got in seen.values())
    if rate == RATES[1][0] and judged < 60:
        raise Failure("only %d estimates could be judged" % judged)
    return z


def main():
    failed = 0

    def check(name, f, *args):
        nonlocal failed
        try:
            result = f(*args)
            print("ok " + name, flush=True)
            return result
        except (Failure, subprocess.TimeoutExpired, KeyError, ValueError) as e:
            failed = 1
            print("not ok %s: %s" % (name, e if isinstance(e, Failure) else repr(e)), flush=True)
            return []

    program = os.path.abspath("program")
    subprocess.run([CXX, "-g", "-O1", "-std=c++17", "-Wno-unused-result", "-I", os.path.join(ROOT, "include"), "-o", program,
                    sys.argv[1], "-ldl", "-lpthread"], check=True)
    for mode in ("run", "bare"):
        check("a complete trace has what the program did (%s)" % mode, complete, program, mode)
    z = []
    for rate, runs in RATES:
        z += check("a sample of one in %d bytes is right on average and as far off as it says" % rate, sampled, program, rate,
                   runs) or []

    def together():
        n = len(z)
        mean, square = sum(z) / n, sum(x * x for x in z) / n
        if n < 200 or abs(mean) > 6 / math.sqrt(n) or abs(square - 1) > 7 * math.sqrt(2.25 / n):
            raise Failure("of %d estimates, the deviations' mean is %.3f, mean square %.3f" % (n, mean, square))

    if z:
        check("over all estimates the deviations are what they should be", together)
    return failed


if __name__ == "__main__":
    sys.exit(main())
