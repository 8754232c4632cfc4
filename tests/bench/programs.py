"""programs.py - whole programs: plain, heapledger, heaptrack (raw and full), valgrind memcheck; sampling; the analysis.

wall: seconds; cpu: user + system of the whole tree, collector included (rig.py says how); rss: the largest
process of the tree; B/event: bytes per allocation or free, in the region (records as they were written there) and in
the trace.  "added" compares what a tool adds to the plain run's wall time with what heaptrack raw adds, round by round.
"""
import glob
import os
import shutil
import subprocess

from ledger import HL, Failure, value
from rig import (HERE, bench_line, build_churn, check_losses, figure, measure, median, must, note, ratios, remove,
                 rotated, spread, table, traced_command, why_unsupported)

INTERPRET = "/usr/lib/heaptrack/libexec/heaptrack_interpret"
# heaptrack has been seen to take all memory of the machine.
HEAPTRACK_LIMIT = 10 << 30
# of heaptrack raw's added wall time, at most
ADDED = {"python": 1 / 6, "sqlite": 1 / 5, "clang++": 1 / 5, "cc1plus": 1 / 3, "malloc-bound": 1 / 4}
WALL = {"clang++": 1.25, "cc1plus": 1.25}
CHURN_PAIRS = 20000000
SAMPLE = "sample=512K"
NO_IMAGE = "image=0"


def output_of(*argv):
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()


def workloads(work, args):
    """{name: (argv, environment)} of what can run here."""
    source = os.path.abspath(os.environ.get("WORKLOADS") or os.path.join(HERE, "workloads"))
    found = {}
    python = "/usr/bin/python3.11" if os.path.exists("/usr/bin/python3.11") else "/usr/bin/python3"
    if os.path.exists(python):
        found["python"] = ([python, os.path.join(source, "json_regex.py")],
                           {"PYTHONMALLOC": "malloc", "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"})
    if shutil.which("sqlite3"):
        found["sqlite"] = ([shutil.which("sqlite3"), ":memory:", ".read " + os.path.join(source, "queries.sql")], {})
    stl = os.path.join(source, "stl.cc")
    if shutil.which("clang++"):
        found["clang++"] = ([shutil.which("clang++"), "-O1", "-c", stl, "-o", os.path.join(work, "clang.o")], {})
    if shutil.which("g++"):
        preprocessed = os.path.join(work, "stl.ii")
        subprocess.run(["g++", "-E", stl, "-o", preprocessed], check=True)
        cc1plus = output_of("g++", "-print-prog-name=cc1plus")
        found["cc1plus"] = ([cc1plus, "-O1", "-quiet", preprocessed, "-o", os.path.join(work, "gcc.s")], {})
    found["malloc-bound"] = ([build_churn(work), str(int(CHURN_PAIRS * args.scale) or 1)], {})
    return {k: v for k, v in found.items() if not args.only or k in args.only.split(",")}


class Plain:
    name = "plain"
    once = False

    def run(self, argv, env, work):
        return measure(argv, env)


class Heapledger(Plain):
    name = "heapledger"

    def __init__(self, name="heapledger", mode="run", options="", directory=None):
        self.name, self.mode, self.options, self.directory = name, mode, options, directory

    def run(self, argv, env, work):
        trace = os.path.join(self.directory or work, self.name.replace(" ", "-") + ".hl")
        for old in glob.glob(trace + "*"):
            os.unlink(old)
        command, own = traced_command(self.mode, trace, argv, self.options)
        r = measure(command, {**env, **own})
        if os.path.exists(trace):
            r["trace"] = os.stat(trace).st_blocks * 512 if self.mode == "bare" else os.path.getsize(trace)
        if self.mode == "bare":
            remove(trace)
        return r


class Heaptrack(Plain):
    def __init__(self, raw):
        self.raw = raw
        self.name = "heaptrack raw" if raw else "heaptrack"

    def run(self, argv, env, work):
        base = os.path.join(work, "raw" if self.raw else "full")
        for old in glob.glob(base + ".*"):
            os.unlink(old)
        r = measure(["heaptrack", *(["-r"] if self.raw else []), "-o", base, *argv], env, HEAPTRACK_LIMIT)
        files = glob.glob(base + ".*")
        r["trace"] = sum(os.path.getsize(f) for f in files)
        if not files:
            r["status"] = r["status"] or 1
        return r


class Memcheck(Plain):
    name = "memcheck"
    once = True

    def run(self, argv, env, work):
        return measure(["valgrind", "-q", "--leak-check=no", *argv], env)


def tools(args):
    # what recording costs; the image of the end has targets of its own and grows with the memory, not with the events
    found = [Plain(), Heapledger(options=NO_IMAGE), Heapledger("heapledger with image")]
    if not args.no_bare:
        found.append(Heapledger("heapledger file", "bare", "max-disk=16G," + NO_IMAGE, args.disk))
    if shutil.which("heaptrack") and not args.no_heaptrack:
        found += [Heaptrack(True)] + ([] if args.no_full_heaptrack else [Heaptrack(False)])
    if shutil.which("valgrind") and not args.no_memcheck:
        found.append(Memcheck())
    return found


def analysis(work, events):
    """Seconds of `stats`, and of heaptrack's way from raw data to a report."""
    result = {}
    trace = os.path.join(work, "heapledger.hl")
    r = measure([HL, "stats", trace])
    if r["status"] == 0:
        result["stats"] = {"seconds": r["wall"], "events_per_s": events / r["wall"], "rss": r["rss"]}
    raw = glob.glob(os.path.join(work, "raw.*"))
    if raw and os.path.exists(INTERPRET) and shutil.which("heaptrack_print"):
        cat = "zstdcat" if raw[0].endswith(".zst") else "zcat"
        out = os.path.join(work, "interpreted.gz")
        script = "%s '%s' | '%s' | gzip -c > '%s' && heaptrack_print -f '%s'" % (cat, raw[0], INTERPRET, out, out)
        r = measure(["sh", "-c", script], {}, HEAPTRACK_LIMIT)
        if r["status"] == 0:
            result["heaptrack"] = {"seconds": r["wall"], "events_per_s": events / r["wall"], "rss": r["rss"]}
    return result


def is_steady(name, results):
    """A workload may print what is random, or how long it took: then only its status can be compared."""
    return name != "malloc-bound" and all(r["out"] == results[0]["out"] for r in results)


def rounds_of(name, argv, env, args, chosen, work, rounds):
    """{tool: [result of each round]}; a tool that failed once is not asked again."""
    results = {}
    # what is read for the first time comes from the disk
    Plain().run(argv, env, work)
    for n in range(rounds):
        for tool in rotated(chosen, n):
            if tool.once and n or any(r["status"] for r in results.get(tool.name, [])):
                continue
            r = tool.run(argv, env, work)
            results.setdefault(tool.name, []).append(r)
            if not args.quiet:
                note("%s round %d %s: %.3f s, status %d" % (name, n + 1, tool.name, r["wall"], r["status"]))
    plain = results["plain"]
    for r in plain:
        must(r, argv)
    for tool, runs in results.items():
        if tool.startswith("heapledger") and any(
                r["status"] or is_steady(name, plain) and r["out"] != plain[0]["out"] for r in runs):
            raise Failure("%s: output or status differs under %s: %d %r" % (name, tool, runs[-1]["status"], runs[-1]["err"]))
    return results


def report(name, results, tree, targets):
    """The rows of one workload; its targets."""
    events = value(tree, "allocations") + value(tree, "frees")
    plain = {k: [r[k] for r in results["plain"]] for k in ("wall", "cpu", "rss")}
    raw = results.get("heaptrack raw", [])
    raw_added = [] if any(r["status"] for r in raw) else [r["wall"] - p for r, p in zip(raw, plain["wall"])]
    rows = []
    for tool, runs in results.items():
        if any(r["status"] for r in runs):
            rows.append([name, tool, "failed: status %d" % runs[-1]["status"]] + ["-"] * 8)
            bench_line(bench="program", workload=name, tool=tool, failed=runs[-1]["status"])
            continue
        m = {k: median(r.get(k) for r in runs) for k in ("wall", "cpu", "rss", "trace")}
        wall, cpu = (ratios([r[k] for r in runs], plain[k]) for k in ("wall", "cpu"))
        added = ratios([r["wall"] - p for r, p in zip(runs, plain["wall"])], raw_added) if tool != "plain" else []
        region = value(tree, "record_size") / events if tool == "heapledger" else None
        per_event = m["trace"] / events if m["trace"] is not None else None
        rows.append([name, tool, figure(m["wall"]), spread(wall), figure(m["cpu"]), spread(cpu),
                     figure(m["rss"] / 2**20, "%.0f"), figure(m["rss"] / median(plain["rss"])), figure(region),
                     figure(per_event), spread(added, "%.3f")])
        bench_line(bench="program", workload=name, tool=tool, rounds=len(runs), events=events, wall_s=m["wall"],
                   wall_ratio=median(wall), wall_min=min(wall), wall_max=max(wall), cpu_s=m["cpu"], cpu_ratio=median(cpu),
                   rss_bytes=m["rss"], trace_bytes=m["trace"], region_bytes_per_event=region,
                   trace_bytes_per_event=per_event, added_to_heaptrack_raw=median(added),
                   added_ns_per_event=(m["wall"] - median(plain["wall"])) / events * 1e9)
        if tool == "heapledger":
            judge(name, added, wall, region, per_event, targets)
    return rows


def judge(name, added, wall, region, per_event, targets):
    if not added:
        targets.skip("%s: added wall to heaptrack raw's" % name, "no heaptrack")
    else:
        targets.at_most("%s: added wall to heaptrack raw's" % name, added, ADDED[name])
    if name in WALL:
        targets.at_most("%s: wall to plain" % name, wall, WALL[name])
    targets.at_most("%s: bytes an event in the region" % name, region, 6, "%.2f")
    targets.at_most("%s: bytes an event in the trace" % name, per_event, 2, "%.2f")


def bench(args, targets, work):
    rows, speeds = [], []
    for name, (argv, env) in workloads(work, args).items():
        results = rounds_of(name, argv, env, args, tools(args), work, args.rounds)
        tree = check_losses(os.path.join(work, "heapledger.hl"))
        events = value(tree, "allocations") + value(tree, "frees")
        rows += report(name, results, tree, targets)
        analysed = analysis(work, events)
        for tool, a in analysed.items():
            bench_line(bench="analysis", workload=name, tool=tool, **a)
        speeds.append([name, "%d" % events] +
                      [figure(analysed[t]["seconds"]) + " s, " + figure(analysed[t]["events_per_s"] / 1e6) + " M/s"
                       if t in analysed else "-" for t in ("stats", "heaptrack")])
    table("Whole programs; ratios to plain: median [quartiles]",
          ["workload", "tool", "wall s", "ratio", "cpu s", "ratio", "rss MiB", "ratio", "B/event region", "B/event trace",
           "added / heaptrack raw's"], rows)
    table("Analysis", ["workload", "events", "heapledger stats", "heaptrack_interpret + heaptrack_print"], speeds)


def bench_sampling(args, targets, work):
    """Small differences: only two tools in turn, more rounds, and the ratio within each round."""
    why = why_unsupported(SAMPLE, work)
    rows = []
    for name, (argv, env) in workloads(work, args).items():
        if why:
            targets.skip("%s, %s: added wall" % (name, SAMPLE), why)
            continue
        results = rounds_of(name, argv, env, args, [Plain(), Heapledger("heapledger sampled", "run", SAMPLE)], work,
                            args.sample_rounds)
        plain, sampled = results["plain"], results["heapledger sampled"]
        wall, cpu = (ratios([r[k] for r in sampled], [r[k] for r in plain]) for k in ("wall", "cpu"))
        row = [name, figure(median(r["wall"] for r in plain), "%.3f"), spread(wall, "%.3f"), spread(cpu, "%.3f"), "-"]
        if name == "malloc-bound":
            pair = [float(s["out"].split()[0]) - float(p["out"].split()[0]) for s, p in zip(sampled, plain)]
            row[-1] = spread(pair, "%.1f")
            targets.at_most("%s, %s: ns a pair" % (name, SAMPLE), pair, 5, "%.1f")
        else:
            targets.at_most("%s, %s: added wall" % (name, SAMPLE), [w - 1 for w in wall], 0.03)
        rows.append(row)
        bench_line(bench="sampling", workload=name, rounds=len(wall), wall_ratio=median(wall), cpu_ratio=median(cpu))
    if rows:
        table("Sampling every 512 KiB; ratios to plain: median [quartiles]",
              ["workload", "plain s", "wall", "cpu", "added ns a pair"], rows)
