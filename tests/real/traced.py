"""traced.py - one program under `heapledger run`, held against an untraced run and valgrind.

The numbers of allocations and frees of single-threaded ones are compared with valgrind's "total heap usage"
(--run-libc-freeres=no, --run-cxx-freeres=no: otherwise valgrind itself frees libc's and libstdc++'s leftovers at the end).
Named causes of a difference:
  environment   The loader and the program see other variables under each tool (LD_PRELOAD, HEAPLEDGER_*;
                GLIBCPP_FORCE_NEW... under valgrind), and programs that copy their environment (python, perl, git)
                allocate for each; subtracted: SLACK allocations and frees.
  loader        valgrind also replaces the malloc of ld.so itself, before any library can see it; part of SLACK.
What then remains must be within 0.1 %.
"""
import ctypes
import glob
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from ledger import HL, Failure, check_health, value  # noqa: E402

SLACK = 60
TOLERANCE = 0.001
TIMEOUT = 600
CHECK = {"HEAPLEDGER_OPTIONS": "unwind=check"}


def run(argv, env=None, cwd=None):
    r = subprocess.run(argv, env={**os.environ, **(env or {})}, cwd=cwd, stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=TIMEOUT, check=False)
    return r.returncode, r.stdout, r.stderr


def valgrind_counts(argv, env):
    log = os.path.abspath("valgrind.log")
    run(["valgrind", "--leak-check=no", "--run-libc-freeres=no", "--run-cxx-freeres=no", "--log-file=" + log, *argv],
        env)
    with open(log, encoding="utf-8", errors="replace") as f:
        m = re.findall(r"total heap usage: ([\d,]+) allocs, ([\d,]+) frees", f.read())
    if not m:
        raise Failure("valgrind gave no totals")
    return tuple(int(x.replace(",", "")) for x in m[-1])


def compare_counts(tree, argv, env):
    got = (value(tree, "allocations"), value(tree, "frees"))
    want = valgrind_counts(argv, env)
    text = "allocs %d, valgrind %d; frees %d, valgrind %d" % (got[0], want[0], got[1], want[1])
    for a, b in zip(got, want):
        if abs(a - b) > SLACK and abs(a - b) > TOLERANCE * b + SLACK:
            raise Failure(text)
    return text


def traces_of(trace):
    traces = sorted(glob.glob(trace + "*"), key=len)
    if not traces or traces[0] != trace:
        raise Failure("no trace")
    return traces


def program(argv, env=None, files=(), counts=True, fresh=None):
    """One command, untraced and traced; files: outputs to compare; fresh: prepares the directory."""
    def here():
        if fresh:
            fresh()
        return run(argv, env), [open(f, "rb").read() for f in files]

    def there():
        if fresh:
            fresh()
        r = run([HL, "run", "-q", "-o", "t.hl", "--", *argv], env)
        if r[0] == 125:
            raise Failure("status 125: %s" % r[2][-300:])
        return r, [open(f, "rb").read() for f in files]

    plain, traced = here(), there()
    if plain != traced:
        raise Failure("output or status differs: %r, untraced %r" % (traced[0], plain[0]))
    traces = traces_of("t.hl")
    trees = [check_health(t) for t in traces]
    text = "%d traces" % len(traces)
    if counts:
        if shutil.which("valgrind"):
            if fresh:
                fresh()
            text += ", " + compare_counts(trees[0], argv, env)
        else:
            print("SKIP: valgrind is not installed: no counts compared")
    return text


def checked(argv, env=None):
    """One command with unwind=check."""
    r = run([HL, "run", "-q", "-o", "t.hl", "--", *argv], {**(env or {}), **CHECK})
    if r[0]:
        raise Failure("status %d: %s" % (r[0], r[2][-300:]))
    return agreement()


def agreement():
    ctypes.CDLL("libunwind.so.8")  # without it nothing is compared
    trees = [check_health(t) for t in traces_of("t.hl")]
    if "unwind=check" not in value(trees[0], "options") or value(trees[0], "allocations") < 1000:
        raise Failure("nothing was compared")
    differences = sum(value(t, "unwind_differences") for t in trees)
    text = "unwind differences: %d of %d allocations" % (differences, value(trees[0], "allocations"))
    if differences:
        raise Failure(text)
    return text
