"""suite_tools.py - builds the programs of the leak suites, and asks heapledger, memcheck and LeakSanitizer about each."""
import glob
import json
import os
import re
import shutil
import subprocess

from ledger import CC, CXX, HL, ROOT, Failure
from suite_cases import Figures

STUB = os.path.join(ROOT, "tests/real/suite_stub")
TIMEOUT = 100
KINDS = ("definite", "indirect", "possible", "reachable")


class Absent(Exception):
    """This version of the suite has no such file."""


def run(argv, env=None, timeout=TIMEOUT):
    return subprocess.run(argv, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, capture_output=True,
                          errors="replace", timeout=timeout, check=False)


class Suite:
    """One suite's sources, and its programs as they are built in the working directory."""

    def __init__(self, name, directory):
        self.name = name
        self.tests = os.path.join(directory, "compiler-rt/test/lsan/TestCases" if name == "lsan" else "memcheck/tests")
        self.top = directory
        self.work = os.path.abspath(name)
        self.built = {}
        os.makedirs(os.path.join(self.work, "stopping/memcheck/tests"), exist_ok=True)
        if name == "lsan":
            self.stub = os.path.join(self.work, "liblsan_stub.so")
            self.compile([CC, "-g", "-fPIC", "-shared", "-I" + STUB, os.path.join(STUB, "lsan_stub.c"), "-o", self.stub])
            self.flags = ["-I" + os.path.join(directory, "compiler-rt/test")]
        else:
            with open(os.path.join(self.work, "config.h"), "w", encoding="ascii"):
                pass
            shutil.copy(os.path.join(STUB, "memcheck.h"), os.path.join(self.work, "stopping/memcheck"))
            shutil.copy(os.path.join(self.tests, "leak.h"), os.path.join(self.work, "stopping/memcheck/tests"))
            processor = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
            self.flags = ["-I" + directory, "-I" + os.path.join(directory, "include"), "-I" + self.work, "-DVGO_linux",
                          "-DVGA_" + processor, "-DVGP_%s_linux" % processor,
                          '-DHL_MEMCHECK_H="%s"' % os.path.join(directory, "memcheck/memcheck.h")]

    @staticmethod
    def compile(argv):
        r = run(argv)
        if r.returncode:
            raise Failure("%s: %s" % (" ".join(argv), r.stderr.strip()[:400]))

    def build(self, case, sanitized=False):
        """The path of a case's program, plain or with LeakSanitizer in it."""
        key = (case.source, case.flags, bool(case.stop), sanitized)
        if key in self.built:
            return self.built[key]
        source = os.path.join(self.tests, case.source)
        if not os.path.exists(source):
            raise Absent()
        stem, suffix = os.path.splitext(os.path.basename(source))
        out = os.path.join(self.work, "%s%s%s%s" % (stem, suffix.replace(".", "-"), "-stops" if case.stop else "",
                                                    "-lsan" if sanitized else ""))
        if case.stop:
            copied = os.path.join(self.work, "stopping/memcheck/tests", os.path.basename(source))
            shutil.copy(source, copied)
            source = copied
        cxx = suffix != ".c"
        compiler = ("clang++" if cxx else "clang") if sanitized else CXX if cxx else CC
        common = [compiler, "-O0", "-g", "-w", "-pthread", *(["-I" + os.path.join(self.work, "stopping")] if case.stop else []),
                  "-DHL_LSAN" if sanitized else "-I" + STUB, *self.flags, *case.flags]
        last = []
        if case.part:
            # the library of such a case lies beside the program, with its name
            part = out + ("-so.so" if "-shared" in case.part else ".o")
            self.compile([*common, *case.part, source, "-o", part])
            last = [part] if part.endswith(".o") else []
        if sanitized:
            last.append("-fsanitize=leak")
        elif self.name == "lsan":
            last += ["-Wl,--no-as-needed", self.stub, "-Wl,-rpath," + self.work]
        self.compile([*common, source, *last, "-ldl", "-o", out])
        self.built[key] = out
        return out


def environment(case):
    return {"STOP_AT": str(case.stop)} if case.stop else {}


def options(case, suite, program):
    """heapledger check's options of a case, its files written."""
    for name, text in case.files:
        with open(name, "w", encoding="utf-8") as f:
            f.write(text.replace("{program}", os.path.basename(program)))
    return [o.replace("{tests}", suite.tests) for o in case.options]


class Verdict:
    """What heapledger check said of a program."""

    def __init__(self, status, text, case):
        self.status = status
        sums = dict.fromkeys(KINDS, (0, 0))
        self.incomplete, self.pointers, groups = set(), set(), []
        for p in json.loads(text)["processes"]:
            if p["why_incomplete"]:
                self.incomplete.add(p["why_incomplete"])
            else:
                self.pointers.add(p["pointers"])
            for loss in p["losses"]:
                if loss["suppression"] or (loss["kind"] == "reachable" and case and not own(loss["traceback"], case)):
                    continue
                blocks, size = sums[loss["kind"]]
                sums[loss["kind"]] = (blocks + loss["blocks"], size + loss["bytes"])
                if loss["kind"] == "definite":
                    # equal stacks make one row; only rings and single blocks tell their size
                    groups.append(loss["bytes"] + loss["indirect_bytes"])
        self.figures = Figures(*(sums[k] for k in KINDS))
        self.groups = " ".join(map(str, sorted(groups)))


def own(traceback, case):
    """Was it allocated by the program's code?  Of C++ also what the standard library did for it."""
    source = os.path.basename(case.source)
    frames = traceback if source.endswith(".cpp") else traceback[:1]
    return any(os.path.basename(f["file"] or "") == source for f in frames)


def check(argv, case, words=(), env=None):
    """The Verdict of heapledger check on a command."""
    for old in glob.glob("t.hl*"):
        os.unlink(old)
    r = run([HL, "check", "--show", "all", "--format", "json", "--report", "report.json", *words, "--", *argv], env)
    if r.returncode in (2, 3, 125, 126, 127) or not os.path.exists("report.json"):
        raise Failure("status %d: %s" % (r.returncode, r.stderr.strip()[-300:]))
    with open("report.json", encoding="utf-8") as f:
        text = f.read()
    os.unlink("report.json")
    return Verdict(r.returncode, text, case)


def heapledger(suite, case):
    program = suite.build(case)
    words = [] if case.status is None else ["--error-exitcode", "0"]
    return check([program, *case.arguments], case, words + options(case, suite, program), environment(case))


def ask_memcheck(argv, words=(), env=None):
    """Figures of all processes of a command, by valgrind; or why there are none."""
    for old in glob.glob("memcheck.*.log"):
        os.unlink(old)
    try:
        run(["valgrind", "--leak-check=full", "--show-leak-kinds=all", "--log-file=memcheck.%p.log", *words, *argv], env,
            5 * TIMEOUT)
    except subprocess.TimeoutExpired:
        return "no end"
    sums = [(0, 0)] * 4
    for log in glob.glob("memcheck.*.log"):
        with open(log, encoding="utf-8", errors="replace") as f:
            text = f.read()
        if "no leaks are possible" in text.rsplit("HEAP SUMMARY", 1)[-1]:
            continue
        for i, kind in enumerate(("definitely lost", "indirectly lost", "possibly lost", "still reachable")):
            found = re.findall(kind + r": ([\d,]+) bytes in ([\d,]+) blocks", text)
            if not found:
                return "no answer"
            size, blocks = (int(x.replace(",", "")) for x in found[-1])
            sums[i] = (sums[i][0] + blocks, sums[i][1] + size)
    return Figures(*sums)


def memcheck(suite, case):
    if "known.supp" in case.options:
        return "-"  # a format that it does not read
    program = suite.build(case)
    words = [{"--suppressions": "--suppressions=", "--heuristics": "--leak-check-heuristics="}[name] + value
             for name, value in zip(*[iter(options(case, suite, program))] * 2)]
    return ask_memcheck([program, *case.arguments], words, environment(case))


def lsan(suite, case):
    """Figures by LeakSanitizer with its default options, or why there are none."""
    if case.options and "known.supp" not in case.options:
        return "-"  # it has no such option
    program = suite.build(case, sanitized=True)
    words = ["suppressions=" + o for o in options(case, suite, program) if o == "known.supp"]
    try:
        r = run([program, *case.arguments], {**environment(case), "LSAN_OPTIONS": ":".join(words)})
    except subprocess.TimeoutExpired:
        return "no end"
    if "encountered a fatal error" in r.stderr:
        return "cannot run"
    found = re.findall(r"SUMMARY: LeakSanitizer: (\d+) byte\(s\) leaked in (\d+) allocation", r.stderr)
    if found:
        return "L%s/%s" % (found[-1][1], found[-1][0])
    return "none" if r.returncode in (0, case.status) else "status %d" % r.returncode
