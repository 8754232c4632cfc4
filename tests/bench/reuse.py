"""reuse.py - how near a program's stacks lie to each other: which pattern of capture.c is like a program?

For each workload, of its captures: how many are the stack of the capture before, how many were never captured before, and of those that
were, how many within so many different stacks (reuse.c).  In capture.c a stack of the pattern p=.5 comes again after 1023 others,
always; of p=.5wide after 16383.
"""
import os
import subprocess

from programs import workloads
from rig import bench_line, build_reuse, check_losses, measure, must, remove, table, traced_command

WITHIN = (512, 1024, 2048, 16384)


def percent(part, whole):
    return "%.1f%%" % (100 * part / whole) if whole else "-"


def bench(args, targets, work):
    del targets
    reuse, rows = build_reuse(work), []
    for name, (argv, env) in workloads(work, args).items():
        trace = os.path.join(work, "reuse.hl")
        remove(trace)
        command, own = traced_command("run", trace, argv)
        must(measure(command, {**env, **own}), command)
        check_losses(trace)
        out = subprocess.run([reuse, trace], capture_output=True, text=True, check=True).stdout
        captures, same, new, *within = map(int, out.split())
        remove(trace)
        known = captures - new
        rows.append([name, "%d" % captures, percent(same, captures), percent(new, captures)] +
                    [percent(n, known) for n in within])
        bench_line(bench="reuse", workload=name, captures=captures, same=same, new=new,
                   **{"within_%d" % limit: n for limit, n in zip(WITHIN, within)})
    table("Stacks captured again: how many different ones since",
          ["workload", "captures", "same as the last", "new"] + ["of the others < %d" % n for n in WITHIN], rows)
