#!/usr/bin/env python3
"""torture.py - random programs whose every stack is known, held against the trace, stack by stack.

A seed makes a C program: functions with frames of every shape that call each other at random in 16 threads, each keeping a
shadow stack of the lines it calls from.  It prints how often it allocated from each chain of lines; the
trace must say exactly the same, and libunwind must agree with each capture.
"""
import collections
import ctypes
import itertools
import os
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from ledger import CC, Failure, ROOT, RUNNER, bare, info, losses, stats, value  # noqa: E402

THREADS = 16
# name: functions, deepest call, alloca's steps, shapes, allocations a thread.  In the narrow one frames often
# fall where others were, over their remains.
KINDS = {"wide": (48, 40, 1, None, 400), "narrow": (6, 7, 64, ("alloca", "plain", "grows"), 1500)}
BUILDS = ("-O2 -fomit-frame-pointer", "-Os -fomit-frame-pointer", "-O0")

HEAD = r"""
#include "edge.h"
#include <alloca.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#define CHAINS 4096
struct chain { unsigned count; unsigned char n; unsigned short line[DEEPEST + 8]; };
struct state { unsigned long random; unsigned n, left, signals; unsigned short line[DEEPEST + 8]; struct chain chains[CHAINS]; };
static struct state states[THREADS];
static __thread struct state *me;
typedef void function(unsigned);
static function *const all[];

static inline unsigned rnd(void) { return (unsigned)((me->random = me->random * 6364136223846793005ul + 1442695040888963407ul) >> 33); }
static inline void enter(unsigned line) { me->line[me->n++] = (unsigned short)line; }
static inline void leave(void) { me->n--; }
static void note(void)
{
	unsigned h = 0, i;
	for (i = 0; i < me->n; i++)
		h = h * 31 + me->line[i];
	for (h %= CHAINS; me->chains[h].count; h = (h + 1) % CHAINS)
		if (me->chains[h].n == me->n && !memcmp(me->chains[h].line, me->line, me->n * sizeof me->line[0]))
			break;
	me->chains[h].count++;
	me->chains[h].n = (unsigned char)me->n;
	memcpy(me->chains[h].line, me->line, me->n * sizeof me->line[0]);
}
#define CALL(f, depth) do { enter(__LINE__); f(depth); leave(); } while (0)
#define ANY all[rnd() % FUNCTIONS]
#define TAKEN do { if (me->left) { me->left--; enter(__LINE__); note(); TAKE(rnd() % 64); leave(); } } while (0)
"""

SHAPES = {
    "plain": ("", ""),
    "alloca": ("\tvolatile char *p = alloca(rnd() % 300 / STEP * STEP + 1);\n\tp[0] = 1;\n", "\tp[0] = 2;\n"),
    "grows": ("\tfor (unsigned k = rnd() % 4; k; k--) {\n\t\tvolatile char *p = alloca(rnd() % 200 / STEP * STEP + 1);\n\t\tp[0] = 1;\n"
              "\t\tTAKEN;\n\t}\n", ""),
    "aligned": ("\t_Alignas(64) volatile char a[128];\n\ta[0] = 1;\n", "\ta[1] = a[0];\n"),
    "realigned": ("\t_Alignas(128) volatile char a[128];\n\tvolatile char *p = alloca(rnd() % 300 / STEP * STEP + 1);\n\ta[0] = p[0] = 1;\n",
                  "\ta[1] = a[0] + p[0];\n"),
    "large": ("\tvolatile char a[36000];\n\ta[35999] = 1;\n", "\ta[0] = a[35999];\n"),
    "small": ("\tvolatile char a[24];\n\ta[3] = 1;\n", "\ta[0] = a[3];\n"),
    "registers": ("\tunsigned r0 = rnd(), r1 = rnd(), r2 = rnd(), r3 = rnd(), r4 = rnd(), r5 = rnd(), r6 = rnd();\n",
                  "\tif (((r0 ^ r1) + (r2 ^ r3)) * (r4 ^ r5) == r6 + 12345)\n\t\tSTAY;\n"),
    "rbp": ("#if defined __OPTIMIZE__ && defined __x86_64__\n\t__asm__ volatile(\"lea (%%rsp,%0,8), %%rbp\" : : \"r\"((unsigned long)(rnd() % 64)) : \"rbp\");\n"
            "#endif\n", ""),
}

TAIL = r"""
FRAME static void on_signal(int sig)
{
	(void)sig;
	TAKEN;
	CALL(ANY, 1);
}

FRAME static void *worker(void *p)
{
	me = p;
	while (me->left)
		CALL(ANY, rnd() % DEEPEST);
	return p;
}

int main(int argc, char **argv)
{
	pthread_t t[THREADS];
	signal(SIGUSR1, on_signal);
	for (unsigned i = 0; i < THREADS; i++) {
		states[i].random = strtoul(argv[1], NULL, 10) * 977 + i;
		states[i].left = ALLOCATIONS;
		states[i].signals = argc > 2;
		pthread_create(&t[i], NULL, worker, &states[i]);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	for (unsigned i = 0; i < THREADS; i++)
		for (unsigned k = 0; k < CHAINS; k++)
			if (states[i].chains[k].count) {
				printf("%u", states[i].chains[k].count);
				for (unsigned n = states[i].chains[k].n; n; n--)
					printf(" %u", states[i].chains[k].line[n - 1]);
				printf("\n");
			}
	return 0;
}
"""


def program(seed, functions, deepest, step, shapes, allocations):
    r = random.Random(seed)
    shapes = shapes or list(SHAPES)
    text = ["#define FUNCTIONS %d\n#define THREADS %d\n#define DEEPEST %d\n#define STEP %d\n#define ALLOCATIONS %d\n" %
            (functions, THREADS, deepest, step, allocations), HEAD]
    for k in range(functions):
        shape = shapes[k % len(shapes)]
        before, after = SHAPES[shape]
        text.append("FRAME static void f%d_%s(unsigned depth)\n{\n%s" % (k, shape, before))
        for _ in range(r.randrange(1, 5)):
            what = r.randrange(10)
            if what < 4:
                text.append("\tTAKEN;\n")
            elif what < 9:
                text.append("\tif (depth && rnd() % 100 < 70)\n\t\tCALL(ANY, depth - 1);\n")
            else:
                text.append("\tif (me->signals && depth && me->n < DEEPEST - 4 && rnd() % 8 == 0)\n\t\tCALL(raise, SIGUSR1);\n")
        text.append("\tTAKEN;\n%s\tSTAY;\n}\n" % after)
    text.append("static function *const all[FUNCTIONS] = {%s};\n" %
                ", ".join("f%d_%s" % (k, shapes[k % len(shapes)]) for k in range(functions)))
    return "".join(text) + TAIL


def rows_of(trace):
    """{(lines of the program's frames): allocations}, and the number of cut stacks"""
    got, cut = collections.Counter(), 0
    for row in stats(trace, "--by", "traceback", "--sort", "total")["rows"]:
        frames = row["traceback"]
        if not (frames[0]["file"] or "").endswith("/torture.c"):
            continue
        lines = tuple(f["line"] for f in frames if (f["file"] or "").endswith("/torture.c"))
        # the other processor's libc has no symbol for a thread's start
        if not row["truncated"] and frames[-1]["function"] not in ("clone3", "__clone3", "_start", "clone") and \
                not (RUNNER and frames[-1]["function"].startswith("libc.so.6+")):
            raise Failure("a stack ends in %s" % frames[-1]["function"])
        cut += row["truncated"]
        got[lines] += row["allocations"]
    return got, cut


def one(binary, seed, depth, work):
    trace = os.path.join(work, "t.hl")
    argv, env = bare(trace, [binary, str(seed), *(["signals"] if depth == 64 else [])],
                     "unwind=%s,depth=%d" % ("cfi" if RUNNER else "check", depth))
    p = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    if p.returncode != 0:
        raise Failure("status %d: %s" % (p.returncode, p.stderr[-300:]))
    want = collections.Counter()
    for line in p.stdout.splitlines():
        count, *chain = map(int, line.split())
        want[tuple(chain[:depth])] += count
    try:
        tree = info(trace)
        got, cut = rows_of(trace)
    finally:
        os.unlink(trace)
    if losses(tree):
        raise Failure("lost: %s" % losses(tree))
    if value(tree, "unwind_differences"):
        raise Failure("%d captures differ from libunwind's" % tree["unwind_differences"])
    if bool(cut) != (depth < 64) or len(want) < 100:
        raise Failure("%d chains, %d of them cut" % (len(want), cut))
    if want != got:
        wrong = (want - got) + (got - want)
        raise Failure("%d of %d chains differ, as %s" %
                      (len(wrong), len(want), [(c, got[c], want[c]) for c in list(wrong)[:2]]))
    return sum(want.values()), len(want)


def main():
    seeds = [int(a) for a in sys.argv[1:]] or [1]
    try:
        RUNNER or ctypes.CDLL("libunwind.so.8")
    except OSError:
        print("SKIP: torture: libunwind is not installed")
        return 0
    failed = 0
    with tempfile.TemporaryDirectory(dir=os.getcwd()) as work:
        for seed, kind, flags in itertools.product(seeds, KINDS, BUILDS):
            source = os.path.join(work, "torture.c")
            with open(source, "w", encoding="utf-8") as f:
                f.write(program(seed, *KINDS[kind]))
            subprocess.run([CC, "-g", "-D_GNU_SOURCE", "-w", "-I", os.path.join(ROOT, "tests/unwind"), *flags.split(),
                            "-o", work + "/torture", source, "-lpthread"], check=True)
            for depth in (64, 5) if kind == "wide" else (64,):
                title = "torture seed %d %s %s depth=%d" % (seed, kind, flags, depth)
                try:
                    print("ok %s: %d allocations of %d chains" % (title, *one(work + "/torture", seed, depth, work)))
                except (Failure, subprocess.TimeoutExpired, ValueError, KeyError) as e:
                    failed = 1
                    print("not ok %s: %s" % (title, e))
                sys.stdout.flush()
    return failed


if __name__ == "__main__":
    sys.exit(main())
