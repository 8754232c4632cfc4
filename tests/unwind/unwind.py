#!/usr/bin/env python3
"""unwind.py FILE - hold the stacks of one program against libunwind's and against what the program knows.

The program runs with unwind=check (under an emulator, where there is no libunwind to compare with, unwind=cfi); `heapledger info` then says how many captures libunwind saw otherwise.
Words of a " * unwind: WORD VALUE" line:
  builds F|G      compiler flags, once for each (default: the two of BUILDS)
  flags F...      more of them for every build
  runs A B...     once for each argument    options A|B   once for each, added to unwind=check
  lib NAME FILE F a library NAME.so from FILE with flags F; the program finds it in its directory
  link F...       linked with the program
  alone WHY       no comparison: libunwind cannot do it
  differs N WHY   libunwind is known to be wrong here: N captures must differ (N|M: by build; some: at least one)
Marks on the line that allocates, several separated by ";":
  // N from A < B < C          N allocations whose stack is A, called by B, called by C, then nothing of this source file
  // N from A < B < ...        the same, whatever called B
  // N in the child from ...   the same, in the traces of further processes
  ?                            in a stack: any frames of other source files, or none
  F*N, F+                      N times F, once or more
  all                          instead of N: whatever their number (at least one), no other stack has this line
  any                          the same, also none: what a timer may miss
A stack cut by the depth limit must be what a mark says up to there; then only the line's sum is held against the marks.
"""
import collections
import ctypes
import glob
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from ledger import CC, CXX, Failure, HL, RUNNER, SO, bare, info, losses, stats, value  # noqa: E402

ANY = -1
BUILDS = os.environ.get("GUEST_BUILDS", "-O2 -fomit-frame-pointer|-O0")
MARK = re.compile(r"// ((?:\d+|all|any) .*from .*)$")
PART = re.compile(r"(\d+|all|any) (in the child )?from (.*)$")


def words(source):
    found = collections.defaultdict(list)
    for key, text in re.findall(r"^ \* unwind: (\w+) ?(.*?)(?: \*/)?$", source, re.M):
        found[key].append(text)
    return found


def one(word, key, default=""):
    return word[key][0] if word[key] else default


def marks(source):
    """{line: [(count or None, in_child, frames)]}"""
    found = {}
    for number, line in enumerate(source.splitlines(), 1):
        m = MARK.search(line)
        if not m:
            continue
        found[number] = []
        for part in m[1].split(";"):
            p = PART.match(part.strip())
            if not p:
                raise Failure("line %d: not a mark: %s" % (number, part))
            frames = []
            for f in p[3].split("<"):
                name, _, times = f.strip().partition("*")
                frames += [name] * int(times or 1)
            found[number].append(({"all": None, "any": ANY}[p[1]] if p[1] in ("all", "any") else int(p[1]), bool(p[2]), frames))
    return found


def compile_all(path, word, flags, work):
    here = os.path.dirname(path)
    common = ["-g", "-Wall", "-Wextra", "-Wno-unused-result", "-D_GNU_SOURCE", "-I", here, *flags.split()]
    for text in word["lib"]:
        name, source, *extra = text.split()
        subprocess.run([CXX if source.endswith(".cc") else CC, *common, "-fPIC", "-shared", *extra, "-o",
                        os.path.join(work, name + ".so"), os.path.join(here, source)], check=True)
    own = ["-std=c++17"] if path.endswith(".cc") else []
    program = os.path.join(work, "program")
    subprocess.run([CXX if path.endswith(".cc") else CC, *common, *own, *one(word, "flags").split(), "-o", program,
                    path, *[a.replace("@", work) for a in one(word, "link").split()], "-ldl", "-lpthread"], check=True)
    return program


def agrees(frames, traceback, truncated, source):
    """Is the traceback, a list of (function, file), what the mark says?"""
    def here(i):
        return traceback[i][1] == source

    def match(k, i):
        while True:
            if i == len(traceback) and truncated:
                return True
            if k == len(frames):
                return all(not here(j) for j in range(i, len(traceback)))
            if frames[k] == "...":
                return True
            if frames[k] == "?":
                while i < len(traceback) and not here(i):
                    if match(k + 1, i):
                        return True
                    i += 1
                k += 1
                continue
            if frames[k].endswith("+"):
                if i == len(traceback) or not here(i) or traceback[i][0] != frames[k][:-1]:
                    return False
                i += 1
                if match(k, i):
                    return True
                k += 1
                continue
            if i == len(traceback) or not here(i) or traceback[i][0] != frames[k]:
                return False
            k, i = k + 1, i + 1
    return match(0, 0)


def hold(trace, source_name, marked, in_child, got):
    """Count into got[line, mark] what the trace's stacks agree with; a stack of a marked line that none allows: Failure."""
    for row in stats(trace, "--by", "traceback", "--sort", "total")["rows"]:
        frames = [(f["function"].split("(")[0], os.path.basename(f["file"] or "")) for f in row["traceback"]]
        line = row["traceback"][0]["line"]
        if frames[0][1] != source_name or line not in marked:
            continue
        fits = [k for k, (_, child, want) in enumerate(marked[line])
                if child == in_child and agrees(want, frames, row["truncated"], source_name)]
        if not fits:
            raise Failure("line %d: %d allocations from %s" % (line, row["allocations"], " < ".join(f[0] for f in frames)))
        got[line, fits[0]] += row["allocations"]
        got[line, "cut"] += row["truncated"]


def keep_promise(path, word, marked, program, build, args, options):
    with tempfile.TemporaryDirectory(dir=os.getcwd()) as cwd:
        trace = os.path.join(cwd, "t.hl")
        method = "cfi" if word["alone"] or RUNNER else "check"
        argv, env = bare(trace, [program, *args], ",".join(["unwind=" + method, *([options] if options else [])]), ["LD_BIND_NOW"])
        p = subprocess.run(argv, env=env, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True,
                           text=True, timeout=20)
        if p.returncode != 0:
            raise Failure("status %d: %s" % (p.returncode, (p.stdout + p.stderr)[-300:]))
        got = collections.Counter()
        differences = 0
        for t in sorted(glob.glob(trace + "*"), key=len):
            tree = info(t)
            if losses(tree):
                raise Failure("lost: %s" % losses(tree))
            differences += value(tree, "unwind_differences")
            hold(t, os.path.basename(path), marked, t != trace, got)
        for line, parts in marked.items():
            if got[line, "cut"]:
                sum_ = sum(n for (at, k), n in got.items() if at == line and k != "cut")
                if not {None, ANY} & {p[0] for p in parts} and sum_ != sum(p[0] for p in parts):
                    raise Failure("line %d: %d allocations" % (line, sum_))
                continue
            for k, (count, _, frames) in enumerate(parts):
                if count != ANY and got[line, k] != count and (count is not None or not got[line, k]):
                    raise Failure("line %d: %d allocations, not %s, from %s" %
                                  (line, got[line, k], count or "some", " < ".join(frames)))
        expected = "0" if method == "cfi" else one(word, "differs", "0").split()[0].split("|")
        expected = expected[build % len(expected)]
        if not differences if expected == "some" else differences != int(expected):
            raise Failure("%d captures differ from libunwind's" % differences)


def main():
    path = os.path.abspath(sys.argv[1])
    name = os.path.splitext(os.path.basename(path))[0]
    with open(path, encoding="utf-8") as f:
        source = f.read()
    word = words(source)
    for needed in (HL, SO):
        if not os.path.exists(needed):
            print("not ok %s: there is no %s" % (name, needed))
            return 1
    try:
        RUNNER or ctypes.CDLL("libunwind.so.8")
    except OSError:
        print("SKIP: %s: libunwind is not installed" % name)
        return 0
    failed = 0
    for build, flags in enumerate(one(word, "builds", BUILDS).split("|")):
        with tempfile.TemporaryDirectory(dir=os.getcwd()) as work:
            program = compile_all(path, word, flags, work)
            for arg in one(word, "runs").split() or [None]:
                for options in one(word, "options").split("|"):
                    args = [] if arg is None else [arg]
                    title = " ".join([name, *args, flags, *([options] if options else [])])
                    try:
                        keep_promise(path, word, marks(source), program, build, args, options)
                        print("ok " + title)
                    except (Failure, subprocess.TimeoutExpired, KeyError, ValueError) as e:
                        failed += 1
                        print("not ok %s: %s" % (title, e if isinstance(e, Failure) else repr(e)))
                    sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
