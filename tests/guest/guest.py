#!/usr/bin/env python3
"""guest.py FILE.c - hold one guest program against its promise (guest.h says how it is written).

Words of a " * guest:" line:
  flags F...      compiler flags            lib FILE.c    a library it is linked with
  runs A B...     once for each argument    builds F|G    once for each set of flags
  traces N        exactly N traces          root yes      only as root
  options A|B     once with each in HEAPLEDGER_OPTIONS, too
  mismatched yes  blocks are freed by what does not go with their allocation
  seconds N       until it is taken for hanging (20)
  broken yes      losses and frees that nothing explains are part of the scenario
  broken others   of that of the further processes
"""
import glob
import itertools
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from ledger import (BUILD, CC, CXX, Failure, ROOT, RUNNER, by_line, check_health, traced)  # noqa: E402

MARK = re.compile(r"// (live|total) (\d+) x (\d+)( @others)?")


def words(source):
    found = {}
    for key, value in re.findall(r"^ \* guest: (\w+) ?(.*?)(?: \*/)?$", source, re.M):
        found[key] = value
    return found


def marks(source):
    """[(line, kind, count, size, others)]"""
    return [(number, m[1], int(m[2]), int(m[3]), bool(m[4]))
            for number, line in enumerate(source.splitlines(), 1) for m in MARK.finditer(line)]


def build(path, word, flags, work):
    here = os.path.dirname(path)
    common = ["-O1", "-g", "-Wall", "-Wextra", "-Wno-unused-result", "-D_GNU_SOURCE", "-I", os.path.join(ROOT, "include")]
    program = os.path.join(work, "program")
    libs = []
    if "lib" in word:
        so = os.path.join(work, "libguest.so")
        subprocess.run([CC, *common, "-fPIC", "-shared", "-o", so, os.path.join(here, word["lib"]), "-ldl"],
                       check=True)
        libs = [so, "-Wl,-rpath," + work]
    compiler = CXX if path.endswith(".cc") else CC
    own = ["-std=c++17"] if path.endswith(".cc") else ["-Wno-use-after-free"] if CC.endswith("gcc") else []
    subprocess.run([compiler, *common, *own, *word.get("flags", "").split(), *flags.split(), "-o", program, path,
                    *libs, "-ldl"], check=True)
    return program


def run(argv, env, cwd, seconds=20):
    """(status, stdout, stderr) of a command; its whole group dies when it does not end."""
    p = subprocess.Popen(argv, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, start_new_session=True)
    try:
        out, err = p.communicate(timeout=seconds)
    except subprocess.TimeoutExpired as e:
        os.killpg(p.pid, 9)
        out, err = p.communicate()
        raise Failure("no end after %d s; it printed %r %r" % (seconds, out[-200:], err[-200:])) from e
    return p.returncode, out, err


def check_lines(source_name, source, traces, broken):
    main, others = traces[0], traces[1:]
    rows = by_line(main, source_name)
    rest = {}
    if any(m[4] for m in marks(source)):
        for t in others:
            for line, row in by_line(t, source_name).items():
                sum_ = rest.setdefault(line, dict.fromkeys(("size", "count", "total", "allocations"), 0))
                for k in sum_:
                    sum_[k] += row[k]
    for line, kind, count, size, is_other in marks(source):
        row = (rest if is_other else rows).get(line, {"size": 0, "count": 0, "total": 0, "allocations": 0})
        got = (row["count"], row["size"]) if kind == "live" else (row["allocations"], row["total"])
        if got != (count, count * size):
            raise Failure("line %d: %s is %d blocks of %d bytes in all, not %d of %d" %
                          (line, kind, *got, count, count * size))
    live = {m[0] for m in marks(source) if m[1] == "live"}
    for line, row in rows.items():
        if line not in live and row["count"] and not broken:
            raise Failure("line %d: %d blocks live that nobody promised" % (line, row["count"]))


def keep_promise(path, source, word, mode, options, program, args, plain):
    with tempfile.TemporaryDirectory(dir=os.getcwd()) as cwd:
        out_dir = os.path.join(cwd, "traces")
        os.mkdir(out_dir)
        trace = os.path.join(out_dir, "t.hl")
        argv, env = traced(mode, trace, [program, *args], options=options)
        env["HEAPLEDGER_TEST_TRACED"] = "1"
        got = run(argv, env, cwd, int(word.get("seconds", "20")))
        for what, a, b in zip(("status", "stdout", "stderr"), plain, got):
            if a != b:
                raise Failure("%s is %r, untraced %r" % (what, b if what == "status" else b[-300:],
                                                         a if what == "status" else a[-300:]))
        traces = sorted(glob.glob(trace + "*"), key=len)
        if not traces or traces[0] != trace:
            raise Failure("no trace was written")
        if "traces" in word and len(traces) != int(word["traces"]):
            raise Failure("%d traces, not %s" % (len(traces), word["traces"]))
        broken = word.get("broken") == "yes"
        for t in traces:
            if broken or (word.get("broken") == "others" and t != trace):
                by_line(t, os.path.basename(path))
            else:
                check_health(t, allow_mismatches=word.get("mismatched") == "yes")
        check_lines(os.path.basename(path), source, traces, broken)


def main():
    path = os.path.abspath(sys.argv[1])
    name = os.path.splitext(os.path.basename(path))[0]
    with open(path, encoding="utf-8") as f:
        source = f.read()
    word = words(source)
    failed = 0
    if word.get("root") == "yes" and os.geteuid() != 0:
        print("SKIP: %s: needs root" % name)
        return 0
    if not os.path.exists(os.path.join(BUILD, "heapledger")):
        print("not ok %s: there is no %s/heapledger" % (name, BUILD))
        return 1
    os.umask(0o022)
    for flags in word.get("builds", "").split("|"):
        with tempfile.TemporaryDirectory(dir=os.getcwd()) as work:
            program = build(path, word, flags, work)
            for arg in word.get("runs", "").split() or [None]:
                args = [] if arg is None else [arg]
                with tempfile.TemporaryDirectory(dir=work) as cwd:
                    plain = run([*RUNNER, program, *args], dict(os.environ), cwd)
                for mode, options in itertools.product(("bare",) if RUNNER else ("run", "bare"),
                                                       ["", *filter(None, word.get("options", "").split("|"))]):
                    title = " ".join([name, *filter(None, [*args, flags, options]), "(%s)" % mode])
                    try:
                        keep_promise(path, source, word, mode, options, program, args, plain)
                        print("ok " + title)
                    except (Failure, subprocess.TimeoutExpired, KeyError, ValueError) as e:
                        failed += 1
                        print("not ok %s: %s" % (title, e if isinstance(e, Failure) else repr(e)))
                    sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
