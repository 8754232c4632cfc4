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
# Guests of another processor: GUEST_RUNNER is the command of the emulator, GUEST_SYSROOT where their libraries are,
# GUEST_SO the library built for them.  The analyzer stays the host's.
RUNNER = os.environ.get("GUEST_RUNNER", "").split()
SYSROOT = os.environ.get("GUEST_SYSROOT")
SO = os.environ.get("GUEST_SO", SO)

# Keys of info's JSON that must be 0 in a trace of a healthy program.
MUST_BE_ZERO = ("order_violations", "unexplained_frees", "mismatched_frees", "damaged_blocks", "missing_pieces")


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
    return json.loads(heapledger("stats", trace, "--format", "json", "-n", "0", *(["--sysroot", SYSROOT] if SYSROOT else []),
                                 *args))


def by_line(trace, source):
    """{line: row} for the lines of one source file; row has size, count, total, allocations."""
    rows = {}
    for sort in ("count", "total"):
        for row in stats(trace, "--by", "lineno", "--sort", sort, "--include", "*/" + source)["rows"]:
            rows.setdefault(row["line"], dict.fromkeys(("size", "count", "total", "allocations"), 0)).update(row)
    return rows


def info(trace, timeout=50):
    return json.loads(heapledger("info", trace, "--format", "json", timeout=timeout))


def value(tree, key):
    """tree[key], or a Failure: a check may not pass because a key is missing."""
    if key not in tree:
        raise Failure("info has no %s" % key)
    return tree[key]


def losses(tree):
    """What was lost, by name; {} when nothing.  A Failure when info says nothing about losses."""
    lost = {k: v for k, v in tree.items() if k.startswith("lost")}
    if not lost:
        raise Failure("info says nothing about losses")
    return {k: v for k, v in lost.items() if v}


def check_health(trace, allow_losses=False, allow_mismatches=False, timeout=50):
    """No order violation, no unexplained free, no damage, no loss."""
    tree = info(trace, timeout)
    for key in MUST_BE_ZERO:
        if value(tree, key) and not (allow_mismatches and key == "mismatched_frees"):
            raise Failure("%s: %s %s" % (os.path.basename(trace), tree[key], key.replace("_", " ")))
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


def bare(output, command, options="", without=()):
    """The argument list and environment to run command with the library preloaded and nothing else of ours."""
    if RUNNER:
        options = ",".join([*([options] if options else []), "max-disk=31M"])  # see hl_sys_advice_is_heeded
    env = bare_environment(output, options)
    for name in without:
        env.pop(name, None)
    if not RUNNER:
        return list(command), env
    # the emulator hands its own environment on, but is not to preload a library of another processor itself
    return [*RUNNER, "-E", "LD_PRELOAD=" + env.pop("LD_PRELOAD"), *command], env


def traced(mode, output, command, options=""):
    """The argument list and environment to run command traced, by mode "run" or "bare"."""
    if mode == "run":
        env = dict(os.environ)
        if options:
            env["HEAPLEDGER_OPTIONS"] = options
        return [HL, "run", "-q", "-o", output, "--", *command], env
    return bare(output, command, options)
