"""scaling.py - does a traced program gain as much from a second thread as an untraced one?

N workers, each with its own blocks and fixed work, main only joins; scaling = T(1 worker) / T(2 workers), 1 when the second
thread costs nothing.  Reported: that of the traced program over that of the plain one.  The collector takes its share of
the machine: where there are only two processors, two workers leave it none, and "file" (no collector) shows what is left
of a loss without it.
"""
import os

from rig import (bench_line, build_capture, build_churn, check_losses, figure, measure, median, must, note, ratios,
                 remove, rotated, spread, table, traced_command)


def programs(args, work):
    capture = build_capture(work)["omit"]
    pairs = str(int(15000000 * args.scale) or 1)
    deep = str(int(6000000 * args.scale) or 1)
    return {"shallow": lambda n: [build_churn(work), pairs, str(n)],
            "depth 20": lambda n: [capture, "p=.5wide", "20", deep, "1", str(n)]}


def seconds(mode, argv, args, work, keep):
    trace = os.path.join(args.disk if mode == "bare" else work, "scaling.hl")
    remove(trace)
    try:
        command, env = (argv, {}) if mode == "plain" else traced_command(mode, trace, argv)
        r = must(measure(command, env), command)
        if keep and mode != "plain":
            check_losses(trace)
    finally:
        remove(trace)
    return float(r["out"].split()[-1]), r["cpu"]


def bench(args, targets, work):
    modes = ["plain", "run"] + ([] if args.no_bare else ["bare"])
    rows = []
    for name, argv_of in programs(args, work).items():
        took = {(mode, n): [] for mode in modes for n in (1, 2)}
        cpu = {key: [] for key in took}
        for r in range(args.rounds):
            for mode, n in rotated(took, r):
                s, c = seconds(mode, argv_of(n), args, work, r == 0)
                took[mode, n].append(s)
                cpu[mode, n].append(c)
        scaling = {mode: ratios(took[mode, 1], took[mode, 2]) for mode in modes}
        for mode in modes:
            against = ratios(scaling[mode], scaling["plain"])
            rows.append([name, {"run": "heapledger run", "bare": "heapledger file"}.get(mode, mode),
                         spread(took[mode, 1], "%.3f"), spread(took[mode, 2], "%.3f"), spread(scaling[mode]),
                         spread(against), figure(median(cpu[mode, 2]))])
            bench_line(bench="scaling", program=name, mode=mode, one_s=median(took[mode, 1]), two_s=median(took[mode, 2]),
                       scaling=median(scaling[mode]), to_plain=median(against), cpu_two_s=median(cpu[mode, 2]))
            if mode != "plain":
                targets.at_least("scaling, %s, %s: traced to plain" % (name, rows[-1][1]), against, 0.9)
        note("scaling, %s: plain %.2f, run %.2f" % (name, median(scaling["plain"]), median(scaling["run"])))
    table("Scaling from one thread to two", ["program", "mode", "1 thread s", "2 threads s", "T1 / T2", "to plain's", "cpu s of 2"],
          rows)
