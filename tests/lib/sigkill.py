#!/usr/bin/env python3
"""sigkill.py SOURCE - SIGKILL at random moments, of the program and of the collector.

The program: every event that it reported is in its trace, under `run` and bare.  The collector: the program writes
what it writes without us and ends as it would, and what the collector wrote can be read and is true.
SIGKILL_ROUNDS (200) rounds of each; SIGKILL_SEED repeats a series.
"""
import concurrent.futures
import functools
import os
import random
import re
import signal
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from ledger import CC, Failure, HL, MUST_BE_ZERO, info, losses, stats, traced, value  # noqa: E402

ROUNDS = int(os.environ.get("SIGKILL_ROUNDS", "200"))
SEED = int(os.environ.get("SIGKILL_SEED", str(int(time.time()))))
JOBS = int(os.environ.get("JOBS", "2"))
BLOCKS = 60000  # of each thread of a program that ends by itself


def sum_of_first(n):
    whole, rest = divmod(n, 128)
    return whole * 127 * 64 + rest * (rest - 1) // 2


def children(pid):
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid), encoding="ascii") as f:
            return [int(p) for p in f.read().split()]
    except (FileNotFoundError, ProcessLookupError):  # gone before the open, or before the read
        return []


def leaf(pid):
    """The program itself: of the children always the first, or the process when it has none."""
    while below := children(pid):
        pid = below[0]
    return pid


def collector(pid):
    """That of `run`, by the name it gives itself; 0: not there yet."""
    for child in children(pid):
        try:
            with open("/proc/%d/comm" % child, encoding="ascii") as f:
                if f.read().strip() == "hl-collector":
                    return child
        except (FileNotFoundError, ProcessLookupError):  # gone before the open, or before the read
            pass
    return 0


def run_and_kill(argv, env, delay, victim, blindly):
    """(status, {thread: blocks it reported}, stderr, 1: killed); victim(pid of argv) is killed after so many seconds.

    Not before the program said anything, unless blindly: then there would be nothing to prove.
    """
    with subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
        os.set_blocking(p.stdout.fileno(), False)
        said, pending, deadline, killed = {}, b"", time.monotonic() + delay, False
        limit = deadline + 20
        while True:
            chunk = p.stdout.read()
            if chunk:
                pending += chunk
                usable = len(pending) // 8 * 8
                for thread, n in struct.iter_unpack("<II", pending[:usable]):
                    said[thread] = max(n, said.get(thread, 0))
                pending = pending[usable:]
            elif chunk == b"":
                break
            else:
                time.sleep(0.0005)
            now = time.monotonic()
            if not killed and now >= deadline and (said or blindly) and (who := victim(p.pid)):
                try:
                    os.kill(who, signal.SIGKILL)
                    killed = True
                except ProcessLookupError:
                    pass
            if now > limit:
                p.kill()
                raise Failure("no end within 20 s of the kill")
        err = p.stderr.read().decode(errors="replace")
        return p.wait(timeout=20), said, err, killed


def true_rows(trace, lines):
    """{thread: blocks} of a trace in which no thread's block is missing before another of its blocks."""
    rows = {row["line"]: row for row in stats(trace, "--by", "lineno", "--sort", "count", "--include", "*/sigkill.c")["rows"]}
    found = {}
    for thread, line in lines.items():
        row = rows.get(line, {"count": 0, "size": 0})
        # The line also has one temporary block for every fourth; killed in between, one more is live.
        if row["size"] not in (sum_of_first(row["count"]), sum_of_first(row["count"] - 1) + 5000):
            raise Failure("thread %d: %d blocks have %d bytes: one is missing in between" %
                          (thread, row["count"], row["size"]))
        found[thread] = row["count"]
    return found


def kill_program(i, rng, trace, lines):
    mode = ("run", "bare")[i % 2]
    blindly = rng.random() < 0.125
    delay = rng.random() * 0.02 if blindly else rng.random() ** 2 * 0.25
    argv, env = traced(mode, trace, ["./sigkill", str(1 + i % 3)])
    status, said, _, _ = run_and_kill(argv, env, delay, leaf, blindly)
    if status != -signal.SIGKILL:
        raise Failure("status %d, not death by SIGKILL" % status)
    if not any(said.values()):
        # killed before it reported anything: there may be no event at all, but what there is can be read
        if os.path.exists(trace) and os.path.getsize(trace):
            r = subprocess.run([HL, "info", trace], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
            if r.returncode != 0 and "nothing was recorded" not in r.stderr:
                raise Failure("info of a trace that was hardly begun: status %d: %s" % (r.returncode, r.stderr[-300:]))
        return 0
    tree = info(trace)
    for key in MUST_BE_ZERO:
        if value(tree, key):
            raise Failure("%s %s" % (tree[key], key.replace("_", " ")))
    if losses(tree):
        raise Failure("lost: %s" % losses(tree))
    found = true_rows(trace, lines)
    for thread, n in said.items():
        if found[thread] < n:
            raise Failure("thread %d reported %d blocks, the trace has %d" % (thread, n, found[thread]))
    return sum(said.values())


class Span:
    """Seconds within which the collector dies: as long as half of the rounds have something to prove, whatever machine and
    build make of its start."""

    def __init__(self):
        self.seconds = 0.1

    def early(self):
        self.seconds = min(self.seconds * 1.1, 10)

    def late(self):
        self.seconds = max(self.seconds / 1.1, 0.01)


def kill_collector(i, rng, trace, lines, span):
    argv, env = traced("run", trace, ["./sigkill", str(1 + i % 3), str(BLOCKS)])
    argv[2:2] = ["--buffer", "2M"] if i % 4 else []
    status, said, err, killed = run_and_kill(argv, env, rng.random() * span.seconds, collector, True)
    if status == 125 and not said and "collector did not start" in err:
        span.early()
        return 0  # nor did the program
    if status != 3:
        raise Failure("status %d, the program's is 3; %s" % (status, err[-300:]))
    if said != {thread: BLOCKS for thread in range(1 + i % 3)}:
        raise Failure("the program said %s; %s" % (said, err[-300:]))
    if not killed:
        span.late()
    if killed and "the collector is gone" not in err and "collector did not" not in err and os.path.exists(trace):
        # it had done its work, and its trace is whole
        if value(info(trace), "finished") != "yes":
            raise Failure("the trace is not finished, and nobody says that the collector is gone: %r" % err[-300:])
    if not os.path.exists(trace) or not os.path.getsize(trace):
        span.early()
        return 0
    try:
        tree = info(trace)
    except Failure as e:
        if "nothing was recorded" in str(e):
            span.early()
            return 0
        raise
    if value(tree, "damaged_blocks"):
        raise Failure("%s damaged blocks" % tree["damaged_blocks"])
    # slots of a thread can be taken in another order than they were filled in
    return sum(true_rows(trace, lines).values()) if not value(tree, "missing_pieces") else 0


def series(what, one, lines):
    """One kind of death, JOBS at a time."""
    def attempt(i):
        rng = random.Random("%d %s %d" % (SEED, what, i))
        trace = "%s-%d.hl" % (what, i)
        try:
            return one(i, rng, trace, lines), None
        except (Failure, subprocess.TimeoutExpired, KeyError, ValueError) as e:
            return 0, e if isinstance(e, Failure) else repr(e)
        finally:
            if os.path.exists(trace):
                os.unlink(trace)

    events = bad = proofs = 0
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for i, (n, why) in enumerate(pool.map(attempt, range(ROUNDS))):
            events += n
            proofs += n > 0
            if why:
                bad += 1
                print("not ok sigkill of the %s, round %d of seed %d: %s" % (what, i, SEED, why), flush=True)
    if proofs < ROUNDS // 3:
        bad += 1
        print("not ok sigkill of the %s: only %d of %d rounds had anything to prove" % (what, proofs, ROUNDS))
    if not bad:
        print("ok sigkill of the %s: %d rounds, %d with %d events, none missing" % (what, ROUNDS, proofs, events),
              flush=True)
    return bad


def main():
    source = sys.argv[1]
    with open(source, encoding="ascii") as f:
        lines = {int(m[1]): n for n, text in enumerate(f, 1) if (m := re.match(r"LEAKER\((\d)\)", text))}
    subprocess.run([CC, "-O1", "-g", "-pthread", "-o", "sigkill", source], check=True)
    bad = series("program", kill_program, lines)
    bad += series("collector", functools.partial(kill_collector, span=Span()), lines)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
