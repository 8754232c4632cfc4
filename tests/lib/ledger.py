"""ledger.py - what the Python tests share: where the binaries are, and traces as plain dictionaries."""
import json
import os
import subprocess

ROOT = os.environ.get("HL_ROOT") or os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.environ.get("HL_BUILD") or os.path.join(ROOT, "build")
HL = os.path.join(BUILD, "heapledger")
SO = os.path.join(BUILD, "libheapledger.so")
CC = os.environ.get("GUEST_CC", "gcc")
CXX = os.environ.get("GUEST_CXX", "g++")

# Keys of info's JSON that must be 0 in a trace of a healthy program.
MUST_BE_ZERO = ("violations", "unexplained_frees", "bad_blocks", "missing_claims")


class Failure(Exception):
    """A promise that was not kept; the text is the reason."""


def heapledger(*args, timeout=50):
    """Run the analyzer and return its stdout; a status other than 0 is a Failure."""
    r = subprocess.run([HL, *args], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout,
                       errors="replace")
    if r.returncode != 0:
        raise Failure("heapledger %s: status %d: %s" % (" ".join(args), r.returncode, r.stderr.strip()[-300:]))
    return r.stdout


def stats(trace, *args):
    """The rows of `stats --format json`, all of them."""
    return json.loads(heapledger("stats", trace, "--format", "json", "-n", "0", *args))


def by_line(trace, source):
    """{line: row} for the lines of one source file; row has size, count, total, allocations."""
    rows = {}
    for sort in ("count", "total"):
        for row in stats(trace, "--by", "lineno", "--sort", sort, "--include", "*/" + source)["rows"]:
            rows.setdefault(row["line"], dict.fromkeys(("size", "count", "total", "allocations"), 0)).update(row)
    return rows


def info(trace):
    return json.loads(heapledger("info", trace, "--format", "json"))


def find(tree, key):
    """All values of a key anywhere in a JSON tree."""
    if isinstance(tree, dict):
        for k, v in tree.items():
            if k == key:
                yield v
            else:
                yield from find(v, key)
    elif isinstance(tree, list):
        for v in tree:
            yield from find(v, key)


def first(tree, *keys):
    """The first value of any of these keys, or a Failure: a check may not pass because a key is missing."""
    for key in keys:
        for value in find(tree, key):
            return value
    raise Failure("info has no %s" % " or ".join(keys))


def losses(tree):
    """What was lost, by name; {} when nothing."""
    lost = first(tree, "lost")
    if isinstance(lost, dict):
        return {k: v for k, v in lost.items() if v}
    if isinstance(lost, list):
        return {str(e.get("reason", e.get("name", e))): e.get("count", 1) for e in lost if e.get("count", 1)}
    return {"events": lost} if lost else {}


def check_health(trace, allow_losses=False):
    """No order violation, no unexplained free, no damage, no loss."""
    tree = info(trace)
    for key in MUST_BE_ZERO:
        value = first(tree, key)
        if value:
            raise Failure("%s: %s %s" % (os.path.basename(trace), value, key.replace("_", " ")))
    if not allow_losses and losses(tree):
        raise Failure("%s: lost: %s" % (os.path.basename(trace), losses(tree)))
    return tree


def bare_environment(output, options=""):
    env = dict(os.environ)
    old = env.get("LD_PRELOAD")
    env["LD_PRELOAD"] = SO + (":" + old if old else "")
    env["HEAPLEDGER_OUTPUT"] = output
    if options:
        env["HEAPLEDGER_OPTIONS"] = options
    return env


def traced(mode, output, command, options=()):
    """The argument list and environment to run command traced, by mode "run" or "bare"."""
    if mode == "run":
        return [HL, "run", "-q", "-o", output, *options, "--", *command], dict(os.environ)
    return list(command), bare_environment(output)
