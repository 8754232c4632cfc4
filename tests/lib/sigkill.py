#!/usr/bin/env python3
"""sigkill.py SOURCE - kill a program at random moments; every event it reported must be in its trace.

SIGKILL_ROUNDS (20) rounds per mode; SIGKILL_SEED repeats a series.
"""
import os
import random
import re
import signal
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from ledger import CC, Failure, by_line, check_health, traced  # noqa: E402

ROUNDS = int(os.environ.get("SIGKILL_ROUNDS", "20"))
SEED = int(os.environ.get("SIGKILL_SEED", str(int(time.time()))))


def sum_of_first(n):
    whole, rest = divmod(n, 128)
    return whole * 127 * 64 + rest * (rest - 1) // 2


def leaf(pid):
    """The program itself: the only descendant, or the process when it has none."""
    while True:
        try:
            with open("/proc/%d/task/%d/children" % (pid, pid), encoding="ascii") as f:
                children = f.read().split()
        except FileNotFoundError:
            return pid
        if not children:
            return pid
        pid = int(children[0])


def round_of(program, threads, mode, delay, trace):
    argv, env = traced(mode, trace, [program, str(threads)])
    p = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
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
        # Not before it said anything: then there would be nothing to prove.
        if not killed and now >= deadline and said:
            os.kill(leaf(p.pid), signal.SIGKILL)
            killed = True
        if now > limit:
            p.kill()
            raise Failure("no end within 20 s of the kill")
    status = p.wait(timeout=20)
    if status != -signal.SIGKILL:
        raise Failure("status %d, not death by SIGKILL" % status)
    return said


def check(trace, said, lines):
    if not any(said.values()):
        return 0  # killed before it reported anything: there may be no event at all
    check_health(trace)
    rows = by_line(trace, "sigkill.c")
    for thread, n in said.items():
        row = rows.get(lines[thread], {"count": 0, "size": 0})
        if row["count"] < n:
            raise Failure("thread %d reported %d blocks, the trace has %d" % (thread, n, row["count"]))
        # The line also has one temporary block for every fourth; killed in between, one more is live.
        if row["size"] not in (sum_of_first(row["count"]), sum_of_first(row["count"] - 1) + 5000):
            raise Failure("thread %d: %d blocks have %d bytes: one is missing in between" %
                          (thread, row["count"], row["size"]))
    return sum(said.values())


def main():
    source = sys.argv[1]
    with open(source, encoding="ascii") as f:
        lines = {int(m[1]): n for n, text in enumerate(f, 1) if (m := re.match(r"LEAKER\((\d)\)", text))}
    subprocess.run([CC, "-O1", "-g", "-pthread", "-o", "sigkill", source], check=True)
    rng = random.Random(SEED)
    failed = 0
    for mode in ("run", "bare"):
        events = bad = 0
        for i in range(ROUNDS):
            trace = "%s-%d.hl" % (mode, i)
            try:
                events += check(trace, round_of("./sigkill", 1 + i % 3, mode, rng.random() ** 2 * 0.4, trace), lines)
            except (Failure, subprocess.TimeoutExpired, KeyError, ValueError) as e:
                bad += 1
                print("not ok sigkill (%s) round %d of seed %d: %s" %
                      (mode, i, SEED, e if isinstance(e, Failure) else repr(e)), flush=True)
            finally:
                if os.path.exists(trace):
                    os.unlink(trace)
        if not bad:
            print("ok sigkill (%s): %d rounds, %d reported events, none lost" % (mode, ROUNDS, events), flush=True)
        failed |= bad > 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
