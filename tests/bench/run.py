#!/usr/bin/env python3
"""run.py - what tracing costs: plain, heapledger, heaptrack (raw and full), valgrind memcheck.

    make bench                                  everything that is installed, 5 interleaved rounds
    make bench BENCH='--rounds 3 --only python,sqlite --no-memcheck'
    WORKLOADS=DIR make bench                    other json_regex.py, queries.sql and stl.cc

Each figure is a median.  wall: seconds; cpu: user + system of the whole tree, collector included; rss: the
largest process of the tree; B/event: trace bytes per allocation or free.  "added" compares what a tool adds
to the plain run with what heaptrack adds.  Lines that begin with BENCH are for programs.
"""
import argparse
import glob
import json
import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from ledger import HL, Failure, info, value  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
INTERPRET = "/usr/lib/heaptrack/libexec/heaptrack_interpret"
# heaptrack has been seen to take all memory of the machine.
HEAPTRACK_LIMIT = 10 << 30
TIME_LIMIT = 900


def output_of(*argv):
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()


def workloads(work):
    """{name: (argv, environment)} of what can run here."""
    source = os.path.abspath(os.environ.get("WORKLOADS") or os.path.join(HERE, "workloads"))
    found = {}
    python = "/usr/bin/python3.11" if os.path.exists("/usr/bin/python3.11") else "/usr/bin/python3"
    if os.path.exists(python):
        found["python"] = ([python, os.path.join(source, "json_regex.py")],
                           {"PYTHONMALLOC": "malloc", "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"})
    if shutil.which("sqlite3"):
        found["sqlite"] = (["sqlite3", ":memory:", ".read " + os.path.join(source, "queries.sql")], {})
    stl = os.path.join(source, "stl.cc")
    if shutil.which("clang++"):
        found["clang++"] = (["clang++", "-O1", "-c", stl, "-o", os.path.join(work, "clang.o")], {})
    if shutil.which("g++"):
        preprocessed = os.path.join(work, "stl.ii")
        subprocess.run(["g++", "-E", stl, "-o", preprocessed], check=True)
        cc1plus = output_of("g++", "-print-prog-name=cc1plus")
        found["cc1plus"] = ([cc1plus, "-O1", "-quiet", preprocessed, "-o", os.path.join(work, "gcc.s")], {})
    return found


def measure(argv, extra_env, limit=0):
    """{wall, cpu, rss, out, status} of a command, its whole tree."""
    def prepare():
        if limit:
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    # Linux carries a process's peak over exec, so a child of this interpreter could not report less than
    # its 16 MiB; time(1) forks from something small.
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.NamedTemporaryFile("r") as peak:
        if os.path.exists("/usr/bin/time"):
            argv = ["/usr/bin/time", "-q", "-o", peak.name, "-f", "%M", *argv]
        start = time.monotonic()
        p = subprocess.Popen(argv, env={**os.environ, **extra_env}, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                             preexec_fn=prepare if limit else None, start_new_session=True)
        signal.signal(signal.SIGALRM, lambda *_: os.killpg(p.pid, signal.SIGKILL))
        signal.alarm(TIME_LIMIT)
        _, status, used = os.wait4(p.pid, 0)
        signal.alarm(0)
        wall = time.monotonic() - start
        p.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        rss = peak.read().split()
        used_rss = int(rss[-1]) if rss else used.ru_maxrss
        return {"wall": wall, "cpu": used.ru_utime + used.ru_stime, "rss": used_rss * 1024,
                "out": out.read(), "err": err.read()[-300:], "status": p.returncode}


class Plain:
    name = "plain"
    once = False

    def run(self, argv, env, work):
        return measure(argv, env)


class Heapledger(Plain):
    name = "heapledger"

    def run(self, argv, env, work):
        trace = os.path.join(work, "bench.hl")
        for old in glob.glob(trace + "*"):
            os.unlink(old)
        r = measure([HL, "run", "-q", "-o", trace, "--", *argv], env)
        r["trace"] = os.path.getsize(trace)
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
    found = [Plain(), Heapledger()]
    if shutil.which("heaptrack") and not args.no_heaptrack:
        found += [Heaptrack(True), Heaptrack(False)]
    if shutil.which("valgrind") and not args.no_memcheck:
        found.append(Memcheck())
    return found


def median(results, key):
    values = [r[key] for r in results if key in r]
    return statistics.median(values) if values else None


def events_of(trace):
    tree = info(trace)
    return value(tree, "allocations") + value(tree, "frees")


def analysis(work, events):
    """Seconds of `stats`, and of heaptrack's way from raw data to a report."""
    result = {}
    trace = os.path.join(work, "bench.hl")
    r = measure([HL, "stats", trace], {})
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


def bench_one(name, argv, env, args, work):
    results = {}
    chosen = tools(args)
    for n in range(args.rounds):
        for tool in chosen:
            if tool.once and n:
                continue
            if any(r["status"] for r in results.get(tool.name, [])):
                continue
            r = tool.run(argv, env, work)
            results.setdefault(tool.name, []).append(r)
            print("%s round %d %s: %.2f s, status %d" % (name, n + 1, tool.name, r["wall"], r["status"]),
                  file=sys.stderr, flush=True)
    plain = results["plain"][0]
    # a workload may print what is random: then only its status can be compared
    steady = all(r["out"] == plain["out"] for r in results["plain"])
    for r in results["heapledger"]:
        if r["status"] != plain["status"] or (steady and r["out"] != plain["out"]):
            raise Failure("%s: output or status differs under heapledger: %d %r" % (name, r["status"], r["err"]))
    return results


def figure(value, form="%.2f"):
    return "-" if value is None else form % value


def report(name, results, events, analysed):
    base = {k: median(results["plain"], k) for k in ("wall", "cpu", "rss")}
    reference = results.get("heaptrack") or []
    added_by_heaptrack = None
    if reference and not any(r["status"] for r in reference):
        added_by_heaptrack = median(reference, "wall") - base["wall"]
    rows = []
    for tool, runs in results.items():
        if any(r["status"] for r in runs) and tool != "plain":
            rows.append([name, tool, "failed: status %d" % runs[-1]["status"]] + ["-"] * 7)
            print("BENCH " + json.dumps({"workload": name, "tool": tool, "failed": runs[-1]["status"]}))
            continue
        m = {k: median(runs, k) for k in ("wall", "cpu", "rss", "trace")}
        per_event = m["trace"] / events if m["trace"] is not None and events else None
        added = m["wall"] - base["wall"]
        against = added / added_by_heaptrack if added_by_heaptrack and tool != "plain" else None
        rows.append([name, tool, figure(m["wall"]), figure(m["wall"] / base["wall"]), figure(m["cpu"]),
                     figure(m["cpu"] / base["cpu"]), figure(m["rss"] / 2**20, "%.0f"), figure(m["rss"] / base["rss"]),
                     figure(per_event), figure(against)])
        print("BENCH " + json.dumps({
            "workload": name, "tool": tool, "rounds": len(runs), "events": events, "wall_s": round(m["wall"], 4),
            "wall_ratio": round(m["wall"] / base["wall"], 3), "cpu_s": round(m["cpu"], 4),
            "cpu_ratio": round(m["cpu"] / base["cpu"], 3), "rss_bytes": m["rss"], "trace_bytes": m["trace"],
            "bytes_per_event": None if per_event is None else round(per_event, 3),
            "added_ns_per_event": round(added / events * 1e9, 1) if events else None,
            "added_to_heaptrack": None if against is None else round(against, 3)}))
    for tool, a in analysed.items():
        print("BENCH " + json.dumps({"workload": name, "analysis": tool, **{k: round(v, 3) for k, v in a.items()}}))
    return rows


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="names of workloads, separated by commas")
    parser.add_argument("--no-memcheck", action="store_true")
    parser.add_argument("--no-heaptrack", action="store_true")
    args = parser.parse_args()
    rows, speeds = [], []
    with tempfile.TemporaryDirectory(prefix="heapledger-bench.") as work:
        for name, (argv, env) in workloads(work).items():
            if args.only and name not in args.only.split(","):
                continue
            results = bench_one(name, argv, env, args, work)
            events = events_of(os.path.join(work, "bench.hl"))
            analysed = analysis(work, events)
            rows += report(name, results, events, analysed)
            speeds.append([name, "%d" % events] +
                          [figure(analysed[t]["seconds"]) + " s, " + figure(analysed[t]["events_per_s"] / 1e6) + " M/s"
                           if t in analysed else "-" for t in ("stats", "heaptrack")])
    print("\n| workload | tool | wall s | ratio | cpu s | ratio | rss MiB | ratio | B/event | added / heaptrack's |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print("\n| workload | events | heapledger stats | heaptrack_interpret + heaptrack_print |")
    print("|---|---|---|---|")
    for row in speeds:
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    try:
        main()
    except Failure as e:
        sys.exit("bench: %s" % e)
