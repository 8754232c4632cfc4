"""captures.py - what a malloc(48)+free pair costs, by pattern of stacks, depth and method (capture.c).

Each cell is the added cost: nanoseconds a pair over the same binary's plain run in the same round, and in brackets its
ratio to unw_backtrace + interning (reference.c).  "run": under `heapledger run`, the region in memory; "file": bare LD_PRELOAD, the
region is a file on disk.
"""
import collections
import os

from rig import (Failure, bench_line, build_capture, build_reference, check_losses, figure, measure, median, must, note,
                 ratios, remove, rotated, spread, table, traced_command, why_unsupported)

PATTERNS = ("same", "p=.5", "p=.5wide", "p=.5new", "known", "fresh")
DEPTHS = (8, 16, 20, 32, 64, 128)
REPETITIONS = 15
REFERENCE = "unw_backtrace + trie"
DEFAULT = "heapledger run"
BY_LIBUNWIND = "unwind=libunwind run"
# at depth 20, of the reference's added cost
LIMITS = {("p=.5", DEFAULT): 0.25, ("same", DEFAULT): 0.15, ("known", DEFAULT): 0.7, ("p=.5", "depth=1 run"): 0.15}

# binary: "omit" or "keep" frame pointers; mode: plain, preload, run, bare; option: BENCH_METHOD or HEAPLEDGER_OPTIONS
Method = collections.namedtuple("Method", "name binary mode option base")


def methods(args, work):
    found = [Method("plain", "omit", "plain", "", None), Method(REFERENCE, "omit", "preload", "unw_backtrace", "plain")]
    for option in ("", "unwind=walk", "unwind=libunwind", "depth=1", "sample=512K"):
        why = why_unsupported(option, work)
        if why:
            print("skipped: " + why)
            continue
        name = option or "heapledger"
        found.append(Method(name + " run", "omit", "run", option, "plain"))
        if not args.no_bare:
            found.append(Method(name + " file", "omit", "bare", option, "plain"))
    found += [Method("backtrace() + trie", "omit", "preload", "backtrace", "plain"),
              Method("plain, frame pointers", "keep", "plain", "", None),
              Method("frame pointers + trie", "keep", "preload", "frames", "plain, frame pointers")]
    return found


def pairs_of(pattern, depth, scale):
    """Pairs of a repetition: enough to be timed well, so few that most repetitions fall between two interruptions, and
    that the tables stay under a million nodes, as in the largest real programs."""
    if pattern in ("fresh", "p=.5new"):
        n = 600000 // REPETITIONS // (depth - 5 if pattern == "fresh" else 2)
    elif pattern == "known":
        n = 3000000 // REPETITIONS // depth
    else:
        n = 5000000 // REPETITIONS // (depth + 8)
    return max(1, int(n * scale))


def run_one(method, programs, reference, pattern, depth, args, work, keep=False):
    """Nanoseconds a pair.  keep: look whether the trace lost something."""
    argv = [programs[method.binary], pattern, str(depth), str(pairs_of(pattern, depth, args.scale)),
            str(REPETITIONS)]
    trace = os.path.join(args.disk if method.mode == "bare" else work, "capture.hl")
    env = {}
    if method.mode == "preload":
        env = {"LD_PRELOAD": reference, "BENCH_METHOD": method.option}
    elif method.mode in ("run", "bare"):
        option = method.option
        if depth > 64 and "depth=" not in option:
            option += ",depth=256"
        argv, env = traced_command(method.mode, trace, argv, option)
    remove(trace)
    try:
        r = must(measure(argv, env), argv)
        if keep and method.mode in ("run", "bare"):
            check_losses(trace, may_be_empty="sample=" in method.option)
    finally:
        remove(trace)
    return float(r["out"].split()[0])


def bench_depth(depth, chosen, programs, reference, args, work):
    """{pattern: {method name: [ns of each round]}}"""
    result = {}
    for pattern in args.patterns.split(","):
        cells = result[pattern] = {m.name: [] for m in chosen}
        for n in range(args.rounds):
            for m in rotated(chosen, n):
                cells[m.name].append(run_one(m, programs, reference, pattern, depth, args, work, n == 0))
        note("depth %d, %s: plain %.1f, %s %.1f, %s %.1f ns a pair" %
             (depth, pattern, median(cells["plain"]), DEFAULT, median(cells[DEFAULT]), REFERENCE, median(cells[REFERENCE])))
    return result


def added(cells, method):
    return [t - p for t, p in zip(cells[method.name], cells[method.base])]


def report(depth, result, chosen):
    """The table of one depth; {(pattern, method): ratio to the reference, round by round}."""
    against, rows = {}, []
    by_name = {m.name: m for m in chosen}
    for m in chosen:
        row = [m.name]
        for pattern, cells in result.items():
            if not m.base:
                row.append(spread(cells[m.name], "%.0f"))
                bench_line(bench="capture", depth=depth, pattern=pattern, method=m.name, ns=median(cells[m.name]))
                continue
            costs = added(cells, m)
            to_reference = ratios(costs, added(cells, by_name[REFERENCE]))
            to_libunwind = ratios(costs, added(cells, by_name[BY_LIBUNWIND])) if BY_LIBUNWIND in by_name else []
            against[pattern, m.name] = to_reference
            row.append("%s (%s)" % (spread(costs, "%.0f"), figure(median(to_reference))))
            bench_line(bench="capture", depth=depth, pattern=pattern, method=m.name, ns=median(cells[m.name]),
                       added_ns=median(costs), added_ns_min=min(costs), added_ns_max=max(costs),
                       to_reference=median(to_reference), to_libunwind=median(to_libunwind))
        rows.append(row)
    table("Depth %d: ns a pair; added, median [quartiles] (ratio to %s)" % (depth, REFERENCE), ["method", *result], rows)
    return against


def bench(args, targets, work):
    programs, reference = build_capture(work), build_reference(work)
    chosen = methods(args, work)
    for name in args.patterns.split(","):
        if name not in PATTERNS:
            raise Failure("no pattern %s: there are %s" % (name, ", ".join(PATTERNS)))
    for depth in (int(d) for d in args.depths.split(",")):
        against = report(depth, bench_depth(depth, chosen, programs, reference, args, work), chosen)
        if depth != 20:
            continue
        for (pattern, method), limit in LIMITS.items():
            if (pattern, method) in against:
                targets.at_most("capture, depth 20, %s, %s: added to %s" % (pattern, method, REFERENCE),
                                against[pattern, method], limit)
