"""images.py - what pointer images cost: how long a running program stands still while it is copied, how long until the image is in
the trace, how long the end of a program takes with one, and bytes a recorded pointer.

The program (images.c) has 1 GiB of nodes, half of whose words point to others at random, and a thread that reads the clock all
the while: the longest gap between two readings is its pause.  The gap of as long without an image is given beside it.
"""
import os
import re
import subprocess
import time

from rig import HL, Failure, bench_line, build_images, check_losses, info, note, remove, spread, table, traced_command

PARK_MS, PAUSE_MS_PER_GIB, WRITE_S_PER_GIB, BYTES_A_WORD = 20, 50, 2, 4


class Program:
    def __init__(self, argv, env):
        self.process = subprocess.Popen(argv, env={**os.environ, **env}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline().strip() != "ready":
            raise Failure("images.c did not start")

    def gap(self):
        """Longest gap since the last question, in ms."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline()) / 1000

    def end(self):
        """Seconds until it is over, the collector included."""
        begin = time.monotonic()
        self.process.stdin.close()
        if self.process.wait(timeout=100):
            raise Failure("images.c: status %d" % self.process.returncode)
        return time.monotonic() - begin


def pid_of(program, parent):
    with open("/proc/%d/task/%d/children" % (parent, parent), encoding="ascii") as f:
        for pid in map(int, f.read().split()):
            if os.path.realpath("/proc/%d/exe" % pid) == os.path.realpath(program):
                return pid
    raise Failure("images.c is not a child of `heapledger run`")


def one_round(program, mib, trace, image):
    """ms of the gap without and with an image, seconds of the command, seconds to the end, bytes a word."""
    remove(trace)
    argv, env = traced_command("run", trace, [program, str(mib)], "" if image else "image=0")
    p = Program(argv, env)
    p.gap()
    time.sleep(1)
    quiet, pause, wrote, words = p.gap(), None, None, None
    if image:
        begin = time.monotonic()
        subprocess.run([HL, "snapshot", str(pid_of(program, p.process.pid)), "--image", "--label", "bench"], check=True,
                       stdout=subprocess.DEVNULL)
        wrote = time.monotonic() - begin
        pause = p.gap()
    end = p.end()
    check_losses(trace)
    if image:
        words = [float(w) for w in re.findall(r"([0-9.]+) bytes per word", str(info(trace)))]
        if len(words) != 2:
            raise Failure("%s: %d images, not 2" % (trace, len(words)))
    remove(trace)
    return quiet, pause, wrote, end, words and max(words)


def bench(args, targets, work):
    program, trace = build_images(work), os.path.join(work, "images.hl")
    mib = max(64, int(1024 * args.scale))
    gib = mib / 1024
    pauses, gaps, writes, ends, words = [], [], [], [], []
    for i in range(args.rounds):
        _, _, _, plain, _ = one_round(program, mib, trace, 0)
        quiet, pause, wrote, end, per_word = one_round(program, mib, trace, 1)
        gaps.append(quiet)
        pauses.append(pause)
        writes.append(wrote)
        ends.append(end - plain)
        words.append(per_word)
        if not args.quiet:
            note("images round %d: stood still %.1f ms, written after %.2f s, the end took %.2f s more, %.2f bytes a pointer" %
                 (i + 1, pause, wrote, end - plain, per_word))
    table("Pointer images of %.2f GiB of heap" % gib, ["", "median"],
          [["longest gap in a second without one, ms", spread(gaps, "%.1f")],
           ["stood still for one of the running program, ms", spread(pauses, "%.1f")],
           ["until it was in the trace, s", spread(writes)],
           ["what the end took longer for one, s", spread(ends)],
           ["bytes a recorded pointer", spread(words)]])
    bench_line(bench="images", gib=gib, pause_ms=pauses, write_s=writes, end_s=ends, bytes_a_word=words)
    targets.at_most("images: a running program stands still, ms", pauses, PARK_MS + PAUSE_MS_PER_GIB * gib, "%.1f")
    targets.at_most("images: of the end, s", ends, WRITE_S_PER_GIB * gib, "%.2f")
    targets.at_most("images: of a running program, s", writes, WRITE_S_PER_GIB * gib, "%.2f")
    targets.at_most("images: bytes a pointer", words, BYTES_A_WORD, "%.2f")
