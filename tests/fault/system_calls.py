#!/usr/bin/env python3
"""system_calls.py - for every n, the n-th system call of the library fails, in four ways.

The program's output and status stay what they are; each trace reads without damage; when a process has other events
than in the untampered run, or the events other lines, a loss is counted, or `run` says what is missing.
"""
import collections
import concurrent.futures
import errno
import glob
import os
import re
import struct
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
from ledger import BUILD, CC, Failure, HL, info, losses, stats, value  # noqa: E402

FAULTY = os.path.join(BUILD, "faulty", "libheapledger.so")
ERRORS = ("ENOSPC", "ENOMEM", "EPERM", "EINTR")
# Without SYSTEM_CALLS=all each call fails in one of these ways, another one from day to day.
ALL = os.environ.get("SYSTEM_CALLS") == "all"
ROTATE = int(time.time()) // 86400
STRUCT = 16 + 2 * 4096  # struct hl_fault
# what `run` says of a program or of records that are not in any trace
TOLD = re.compile(r"nothing was recorded|not traced|not written|incomplete|collector is gone|could not be written")
ROLES = ("main", "forked", "executed", "spawned")


class Run(collections.namedtuple("Run", "status out err calls failed pids traces")):
    """One run of the subject: traces is {pid: [path]}."""


def run_subject(mode, where, at=0, error=0):
    fault, pids, trace = (os.path.join(where, name) for name in ("fault", "pids", "faulty.hl"))
    for old in glob.glob(trace + "*"):
        os.unlink(old)
    with open(fault, "wb") as f:
        f.write(struct.pack("<IIiI", 0, at, error, 0).ljust(STRUCT, b"\0"))
    with open(pids, "wb"):
        pass
    env = dict(os.environ, SUBJECT_PIDS=pids)
    argv = [os.path.abspath("subject"), os.path.abspath("plugin.so")]
    if mode == "run":
        env.update(HEAPLEDGER_LIBRARY=FAULTY, HEAPLEDGER_FAULT=fault)
        argv = [HL, "run", "-o", trace, "--", *argv]
    elif mode == "bare":
        env.update(LD_PRELOAD=FAULTY, HEAPLEDGER_OUTPUT=os.path.basename(trace), HEAPLEDGER_FAULT=fault)
    r = subprocess.run(argv, cwd=where, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    with open(fault, "rb") as f:
        count, _, _, failed, *numbers = struct.unpack("<IIiI4096H", f.read())
    with open(pids, encoding="ascii") as f:
        roles = dict(line.split() for line in f)
    traces = collections.defaultdict(list)
    for path in sorted(glob.glob(trace + "*")):
        try:
            traces[info(path)["pid"]].append(path)
        except Failure as e:
            # a bare trace of a library that did not get further says so itself
            if mode != "bare" or "nothing was recorded" not in str(e):
                raise
    if os.path.exists("/faulty.hl"):
        raise Failure("there is a trace in the root directory")
    return Run(r.returncode, r.stdout, r.stderr.decode(errors="replace"), numbers[:count], failed, roles, traces)


def contents(r):
    """({role: (traces, events, losses)}, {line: allocations of all processes})."""
    roles, lines = {}, collections.Counter()
    for role in ROLES:
        paths = r.traces.get(int(r.pids[role]), [])
        events, lost = 0, collections.Counter()
        for path in paths:
            tree = info(path)
            events += value(tree, "events")
            lost.update(losses(tree))
            for key in ("damaged_blocks", "missing_pieces"):
                if value(tree, key):
                    raise Failure("%s: %s %s" % (os.path.basename(path), tree[key], key.replace("_", " ")))
            # where events are missing these are what is to be expected
            for key in ("unexplained_frees", "order_violations"):
                if not lost and value(tree, key):
                    raise Failure("%s: %s %s, no loss" % (os.path.basename(path), tree[key], key.replace("_", " ")))
        roles[role] = len(paths), events, lost
    every = [path for paths in r.traces.values() for path in paths]
    if every:
        for row in stats(every[0], *every[1:], "--by", "lineno", "--sort", "total", "--include", "*/subject.c")["rows"]:
            lines[row["line"]] += row["allocations"]
    return roles, lines


def untold(mode, whole, seen, r):
    """The roles of which something is missing, and nobody says so."""
    main = seen["main"]
    if mode == "run" and TOLD.search(r.err):
        return []
    silent = []
    for role, (traces, events, lost) in seen.items():
        if (traces, events) == whole[role][:2] or lost or (role != "main" and "lost_programs" in main[2]):
            continue
        # Bare, a program that could not make its trace has nowhere to say so: that there is none has to do.
        # A forked child has its parent's.
        if mode == "bare" and traces < whole[role][0] and (role != "forked" or not main[0]):
            continue
        silent.append("%s: %d events in %d traces, untampered %d in %d" % (role, events, traces, *whole[role][1::-1]))
    return silent


def hold(mode, plain, base, r):
    """The promise, for one run; base: the contents of an untampered one."""
    if r.status != plain.status and not (mode == "run" and "nothing was recorded" in r.err):
        raise Failure("status %d, untraced %d; %s" % (r.status, plain.status, r.err[-300:]))
    if r.out != plain.out:
        raise Failure("the output is %r" % r.out[-300:])
    if mode == "bare" and r.err != plain.err:
        raise Failure("it says %r" % r.err[-300:])
    if not r.traces:
        if mode == "run" and not TOLD.search(r.err):
            raise Failure("no trace, and nobody says so: %r" % r.err[-300:])
        return
    seen, lines = contents(r)
    silent = untold(mode, base[0], seen, r)
    if silent:
        raise Failure("; ".join(silent) + ": and no loss")
    as_many = [role for role in ROLES if seen[role][:2] == base[0][role][:2] and not seen[role][2]]
    if len(as_many) == len(ROLES) and lines != base[1]:
        raise Failure("every event is there, but %d allocations have another line" %
                      sum((base[1] - lines).values()))


def call_name(number):
    for path in ("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "/usr/include/asm-generic/unistd.h"):
        if os.path.exists(path):
            with open(path, encoding="ascii") as f:
                m = re.search(r"__NR_(\w+) %d$" % number, f.read(), re.M)
            if m:
                return m[1]
    return str(number)


def check_mode(mode, plain):
    local = threading.local()
    rooms = iter(range(64))

    def room():
        if not hasattr(local, "path"):
            local.path = os.path.abspath("%s-%d" % (mode, next(rooms)))
            os.mkdir(local.path)
        return local.path

    base = run_subject(mode, room())
    if (base.status, base.out) != (plain.status, plain.out):
        raise Failure("untampered: status %d, %r" % (base.status, base.out[-300:]))
    whole = contents(base)
    for role, (_, events, lost) in whole[0].items():
        if events < 100 or len(whole[1]) < 6 or lost:
            raise Failure("untampered: %s has %d events, lost %s" % (role, events, lost))

    def one(n, error):
        where, r = "call %d, %s" % (n, error), None
        try:
            r = run_subject(mode, room(), n, getattr(errno, error))
            if n <= len(r.calls):
                where += " (%s)" % call_name(r.calls[n - 1])
            hold(mode, plain, whole, r)
        except (Failure, subprocess.TimeoutExpired, KeyError, ValueError) as e:
            return r is not None and r.failed, where, e if isinstance(e, Failure) else repr(e)
        return r.failed, where, None

    failed = done = bad = 0
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("JOBS", "2"))) as pool:
        wanted = [(n, error) for n in range(1, len(base.calls) + 1) for k, error in enumerate(ERRORS)
                  if ALL or (n + ROTATE) % len(ERRORS) == k]
        for hit, where, why in pool.map(lambda w: one(*w), wanted):
            done += 1
            failed += hit
            if why:
                bad += 1
                print("not ok system calls (%s): %s: %s" % (mode, where, why), flush=True)
    # two processes more or less at once: a few calls more or less
    if failed < done * 9 // 10:
        raise Failure("of %d calls that were to fail %d did" % (done, failed))
    if not bad:
        print("ok system calls (%s): each of %d failed %s, %d runs" %
              (mode, len(base.calls), "in four ways" if ALL else "in one of four ways", done), flush=True)
    return bad


def only_through_the_gateway():
    """No other function of the library has the instruction, but for the way back from its signal handler."""
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", FAULTY], capture_output=True, text=True, check=True).stdout
    where = set()
    for line in text.splitlines():
        if m := re.match(r"[0-9a-f]+ <(\w+)", line):
            function = m[1]
        elif re.search(r"\t(syscall|svc)\b", line):
            where.add(function)
    if not where or not all(f.startswith(("hl_fault_sys6", "find", "hl_sys6", "come_back")) for f in where):
        raise Failure("%s" % where)
    print("ok the library makes system calls in one place only")


def main():
    subprocess.run([CC, "-g", "-O1", "-D_GNU_SOURCE", "-pthread", "-o", "subject", os.path.join(HERE, "subject.c"), "-ldl"],
                   check=True)
    subprocess.run([CC, "-g", "-shared", "-fPIC", "-o", "plugin.so", os.path.join(HERE, "lib_plugin.c")], check=True)
    bad = 0
    try:
        only_through_the_gateway()
        plain = run_subject("plain", os.getcwd())
        for mode in ("run", "bare"):
            bad += check_mode(mode, plain)
    except Failure as e:
        print("not ok system calls: %s" % e)
        bad = 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
