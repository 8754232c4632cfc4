"""rig.py - what the parts of the bench share: building its programs, measuring a process tree, medians, verdicts.

CPU time is that of the whole tree.  The collector may outlive `heapledger run`, as it is nobody's child then; the rig
is therefore a subreaper (prctl(2) PR_SET_CHILD_SUBREAPER): the kernel hands every orphan to it, wait4 gives its
times, and no measurement starts before the last process of the one before has ended.
"""
import ctypes
import glob
import json
import os
import resource
import shlex
import signal
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from ledger import BUILD, CC, HL, SO, Failure, info, losses  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
TIME_LIMIT = 900
PR_SET_CHILD_SUBREAPER = 36
FLAGS = "-std=gnu17 -D_GNU_SOURCE -O2 -w -fno-builtin-malloc -fno-builtin-free -fno-optimize-sibling-calls"

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def note(text):
    print(text, file=sys.stderr, flush=True)


# ---- programs of the rig ------------------------------------------------------------------------------------------

def cc(*args):
    subprocess.run([CC, *FLAGS.split(), "-I" + HERE, *args], check=True)


def build_capture(work):
    """{"omit": path, "keep": path}: capture.c and its two libraries without and with frame pointers."""
    subprocess.run([sys.executable, os.path.join(HERE, "make_capture.py"), work], check=True)
    made = {}
    for kind, flag in (("omit", "-fomit-frame-pointer"), ("keep", "-fno-omit-frame-pointer")):
        for x in "ab":
            cc(flag, "-fPIC", "-shared", "-o", "%s/lib%s_%s.so" % (work, x, kind), "%s/%s_functions.c" % (work, x))
        made[kind] = os.path.join(work, "capture_" + kind)
        cc(flag, "-o", made[kind], os.path.join(HERE, "capture.c"), work + "/main_functions.c", "-L" + work,
           "-l:liba_%s.so" % kind, "-l:libb_%s.so" % kind, "-Wl,-rpath," + work, "-lpthread")
    return made


def build_reference(work):
    cc("-fno-omit-frame-pointer", "-fPIC", "-shared", "-o", work + "/reference.so", os.path.join(HERE, "reference.c"), "-ldl")
    return work + "/reference.so"


def build_churn(work):
    made = os.path.join(work, "churn")
    if not os.path.exists(made):
        cc("-fomit-frame-pointer", "-o", made, os.path.join(HERE, "churn.c"), "-lpthread")
    return made


def build_images(work):
    made = os.path.join(work, "images")
    cc("-o", made, os.path.join(HERE, "images.c"), "-lpthread")
    return made


def build_reuse(work):
    """A reader of traces: with the analyzer's modules, all but main."""
    root, made = os.path.dirname(os.path.dirname(HERE)), os.path.join(work, "reuse")
    sources = glob.glob(os.path.join(root, "analyzer", "*", "*.c"))
    modules = [os.path.join(BUILD, os.path.relpath(c, root)[:-2] + ".o") for c in sources if not c.endswith("/cli/main.c")]
    cc("-std=gnu17", "-D_GNU_SOURCE", "-I" + root, "-I" + os.path.join(root, "include"), "-o", made,
       os.path.join(HERE, "reuse.c"), *modules, "-ldw", "-lelf", "-lzstd", "-lyajl", "-ljansson", "-liberty", "-lpthread", "-lm")
    return made


# ---- measuring ----------------------------------------------------------------------------------------------------

def reap_orphans(deadline):
    """CPU seconds of the processes that were left to us, once they have ended."""
    cpu = 0.0
    while time.monotonic() < deadline:
        try:
            pid, _, used = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return cpu
        if pid:
            cpu += used.ru_utime + used.ru_stime
        else:
            time.sleep(0.001)
    raise Failure("a process of the last measurement does not end")


def measure(argv, env=None, limit=0):
    """{wall, cpu, rss, out, err, status} of a command and its whole tree; limit: bytes of address space."""
    def prepare():
        if limit:
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    # Linux carries a process's peak over exec, so a child of this interpreter could not report less than
    # its 16 MiB; time(1) forks from something small.
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.NamedTemporaryFile("r") as peak:
        # by env(1): time(1) itself is not to be preloaded
        argv = ["env", *("%s=%s" % v for v in (env or {}).items()), *argv]
        if os.path.exists("/usr/bin/time"):
            argv = ["/usr/bin/time", "-q", "-o", peak.name, "-f", "%M", *argv]
        start = time.monotonic()
        p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                             preexec_fn=prepare if limit else None, start_new_session=True)
        signal.signal(signal.SIGALRM, lambda *_: os.killpg(p.pid, signal.SIGKILL))
        signal.alarm(TIME_LIMIT)
        _, status, used = os.wait4(p.pid, 0)
        wall = time.monotonic() - start
        signal.alarm(0)
        p.returncode = os.waitstatus_to_exitcode(status)
        cpu = used.ru_utime + used.ru_stime + reap_orphans(start + TIME_LIMIT)
        out.seek(0)
        err.seek(0)
        rss = peak.read().split()
        return {"wall": wall, "cpu": cpu, "rss": (int(rss[-1]) if rss else used.ru_maxrss) * 1024,
                "out": out.read(), "err": err.read()[-300:].decode(errors="replace"), "status": p.returncode}


def must(result, argv):
    if result["status"]:
        raise Failure("%s: status %d: %s" % (shlex.join(argv), result["status"], result["err"]))
    return result


def remove(*names):
    for name in names:
        if os.path.exists(name):
            os.unlink(name)


def traced_command(mode, trace, argv, options=""):
    """(argv, environment) of a run under `heapledger run` ("run") or bare LD_PRELOAD ("bare").  options is
    HEAPLEDGER_OPTIONS; depth and sample are given to `run` as its own, because it sets them itself."""
    if mode == "bare":
        return argv, {"LD_PRELOAD": SO, "HEAPLEDGER_OUTPUT": trace, "HEAPLEDGER_OPTIONS": options}
    own, rest = [], []
    for option in filter(None, options.split(",")):
        name, _, value = option.partition("=")
        if name in ("depth", "sample"):
            own += ["--" + name, value]
        else:
            rest.append(option)
    return [HL, "run", "-q", "-o", trace, *own, "--", *argv], {"HEAPLEDGER_OPTIONS": ",".join(rest)}


def check_losses(trace, may_be_empty=False):
    """info's tree, when nothing was lost.  A short sampled run may have recorded nothing: then None."""
    try:
        tree = info(trace)
    except Failure as e:
        if may_be_empty and "nothing was recorded" in str(e):
            return None
        raise
    if losses(tree):
        raise Failure("%s: lost %s: this is no figure" % (trace, losses(tree)))
    return tree


def why_unsupported(options, work):
    """None, or why the library under test cannot be measured with these options."""
    for option in filter(None, options.split(",")):
        name, _, value = option.partition("=")
        trace = os.path.join(work, "probe.hl")
        remove(trace)
        # 27 MB: that a sampling library records none of it would be a wonder
        r = measure([build_churn(work), "200000"], {"LD_PRELOAD": SO, "HEAPLEDGER_OUTPUT": trace, "HEAPLEDGER_OPTIONS": option})
        if r["status"] or not os.path.exists(trace):
            return "%s: nothing was recorded" % option
        unknown = info(trace).get("unknown_options")
        remove(trace)
        if unknown:
            return "%s: info shows an unknown option" % option
        # a value that the library does not know may select the default in silence
        with open(SO, "rb") as f:
            if name == "unwind" and b"\0" + value.encode() + b"\0" not in f.read():
                return "%s: the library does not contain the word" % option
        if name == "sample" and "--sample" not in subprocess.run([HL, "run", "--help"], capture_output=True, text=True,
                                                                 check=True).stdout:
            return "heapledger run has no --sample"
    return None


# ---- figures ------------------------------------------------------------------------------------------------------

def rotated(things, n):
    """Another one goes first in each round."""
    things = list(things)
    n %= len(things) or 1
    return things[n:] + things[:n]


def median(values):
    values = [v for v in values if v is not None]
    return statistics.median(values) if values else None


def spread(values, form="%.2f"):
    """"median [quartile..quartile]"; of fewer than four values the extremes."""
    values = sorted(v for v in values if v is not None)
    if not values:
        return "-"
    if len(values) < 4:
        low, high = values[0], values[-1]
    else:
        low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return (form + " [" + form + ".." + form + "]") % (statistics.median(values), low, high)


def ratios(above, below):
    """Round by round, so that what disturbed a whole round cancels; None where nothing was added."""
    return [a / b if a is not None and b is not None and b > 0 else None for a, b in zip(above, below)]


def figure(value, form="%.2f"):
    return "-" if value is None else form % value


def bench_line(**fields):
    print("BENCH " + json.dumps({k: round(v, 4) if isinstance(v, float) else v for k, v in fields.items()}), flush=True)


def table(title, head, rows):
    print("\n%s\n\n| %s |\n|%s" % (title, " | ".join(head), "---|" * len(head)))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    sys.stdout.flush()


class Targets:
    """What was promised and what came of it.  A target is no test: the status of the bench does not depend on it."""

    def __init__(self):
        self.lines = []

    def at_most(self, name, values, limit, form="%.3f"):
        self.add(name, values, limit, "<=", form)

    def at_least(self, name, values, limit, form="%.3f"):
        self.add(name, values, limit, ">=", form)

    def add(self, name, values, limit, relation, form):
        """values: a figure, or those of the rounds, of which the median counts."""
        values = values if isinstance(values, list) else [values]
        value = median(values)
        if value is None:
            verdict = "not measured"
        else:
            verdict = "met" if (value <= limit if relation == "<=" else value >= limit) else "missed"
        self.lines.append([name, spread(values, form), relation + " " + form % limit, verdict])
        bench_line(target=name, value=value, relation=relation, limit=limit, verdict=verdict)

    def skip(self, name, why):
        self.lines.append([name, "-", "-", "not measured: " + why])
        bench_line(target=name, verdict="not measured", why=why)

    def show(self):
        print()
        for line in self.lines:
            print("TARGET %s: %s, target %s: %s" % tuple(line))
        verdicts = [line[3].split(":")[0] for line in self.lines]
        print("%d targets met, %d missed, %d not measured" % tuple(verdicts.count(v) for v in ("met", "missed", "not measured")))


def filesystem(path):
    return subprocess.run(["stat", "-f", "-c", "%T", path], capture_output=True, text=True, check=True).stdout.strip()


def default_disk():
    return os.path.join(BUILD, "bench")
