#!/usr/bin/env python3
"""run.py - what tracing costs, and whether that is what was promised.

    make bench                                      everything, 5 interleaved rounds: about half an hour
    make bench BENCH='--parts captures --depths 20'
    make bench BENCH='--rounds 3 --parts programs --only python,sqlite --no-memcheck'
    make bench BENCH='--scale 0.05 --rounds 1'      does everything run? the figures mean nothing

Parts:
    captures   a malloc+free pair by pattern of stacks and depth, beside other ways to unwind (captures.py, capture.c)
    programs   whole programs against plain, heaptrack and memcheck; bytes an event (programs.py)
    sampling   the same programs with --sample 512K (programs.py)
    scaling    from one thread to two (scaling.py)
    reuse      how long ago a program was where it allocates (reuse.py): which pattern of stacks is like a program
    images     how long a program stands still for a pointer image, and how long until it is written (images.py)
    memory     what the library adds to a program's private memory, and how much of the region is resident (memory.py)

Within a round every method runs once, each round begins with another one, and ratios are taken round by round; a figure is the
median of the rounds, with the quartiles (of fewer than four rounds: the extremes) beside it.  Under `heapledger run` the region is in
memory (memfd); "file" is bare LD_PRELOAD, where it is a file in --disk.  The collector writes the trace of `run` to the
temporary directory (TMPDIR).  WORKLOADS=DIR names other json_regex.py, queries.sql and stl.cc.
Lines that begin with BENCH are for programs; at the end a line per target says met, missed or not measured.  Status 0 even when
targets are missed, as they are no tests; 1 when a part could not be measured: the others go on.
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import captures  # noqa: E402
import images  # noqa: E402
import memory  # noqa: E402
import programs  # noqa: E402
import reuse  # noqa: E402
import rig  # noqa: E402
import scaling  # noqa: E402

PARTS = {"captures": captures.bench, "programs": programs.bench, "sampling": programs.bench_sampling,
         "scaling": scaling.bench, "memory": memory.bench, "reuse": reuse.bench,
         "images": images.bench}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", default=",".join(PARTS), help="default: all of them")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sample-rounds", type=int, default=21, help="rounds of the sampling part (default 21)")
    parser.add_argument("--only", default="", help="names of workloads, separated by commas")
    parser.add_argument("--depths", default=",".join(map(str, captures.DEPTHS)))
    parser.add_argument("--patterns", default=",".join(captures.PATTERNS))
    parser.add_argument("--threads", default="1,100", help="threads of the memory part (default 1,100)")
    parser.add_argument("--quiet-seconds", type=float, default=3, help="before the region is looked at (default 3)")
    parser.add_argument("--scale", type=float, default=1.0, help="how much the rig's own programs do (default 1)")
    parser.add_argument("--disk", help="a directory on a disk, for regions in a file (default: in the build directory)")
    parser.add_argument("--no-bare", action="store_true", help="no figures with the region in a file")
    parser.add_argument("--no-memcheck", action="store_true")
    parser.add_argument("--no-heaptrack", action="store_true")
    parser.add_argument("--no-full-heaptrack", action="store_true", help="heaptrack raw only")
    parser.add_argument("--quiet", action="store_true", help="no line for each round")
    args = parser.parse_args()
    for part in args.parts.split(","):
        if part not in PARTS:
            parser.error("no part %s: there are %s" % (part, ", ".join(PARTS)))
    args.threads = [int(n) for n in args.threads.split(",")]
    return args


def describe(args, work):
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        model = next((line.split(":", 1)[1].strip() for line in f if line.startswith("model name")), "unknown")
    print("%d processors (%s), Linux %s, load %.2f at the start; region files on %s, traces on %s" %
          (len(os.sched_getaffinity(0)), model, os.uname().release, os.getloadavg()[0], rig.filesystem(args.disk),
           rig.filesystem(work)))


def main():
    args = arguments()
    targets, failed = rig.Targets(), 0
    mine = args.disk is None
    if mine:
        os.makedirs(rig.default_disk(), exist_ok=True)
        args.disk = tempfile.mkdtemp(prefix="region.", dir=rig.default_disk())
    try:
        with tempfile.TemporaryDirectory(prefix="heapledger-bench.") as work:
            describe(args, work)
            for part in args.parts.split(","):
                try:
                    PARTS[part](args, targets, work)
                except (rig.Failure, subprocess.SubprocessError) as e:
                    failed = 1
                    rig.note("bench: %s: %s" % (part, e))
    finally:
        if mine:
            shutil.rmtree(args.disk, ignore_errors=True)
    targets.show()
    return failed


if __name__ == "__main__":
    sys.exit(main())
