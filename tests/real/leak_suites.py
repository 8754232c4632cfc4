#!/usr/bin/env python3
"""leak_suites.py [--table] [NAME...] - the leak tests of valgrind's memcheck and of LeakSanitizer, judged by heapledger.

Their programs are built plain, without a sanitizer, from the distribution's source packages (suite_sources.py) and run under
`heapledger check`: its figures must be those expected (suite_lsan.py, suite_memcheck.py), its status 99 where something
is lost and 0 where nothing is.  heapledger-leak-tests(7) has the same figures: they must agree with what is measured.

Installed programs follow, most of which lose something: what is definite there must be what valgrind says here and now.

--table asks valgrind and LeakSanitizer, too, and prints that page's tables.
"""
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from ledger import BUILD, ROOT, SO, Failure  # noqa: E402
import suite_lsan  # noqa: E402
import suite_memcheck  # noqa: E402
from suite_cases import shown  # noqa: E402
from suite_sources import Unavailable, sources  # noqa: E402
from suite_tools import Absent, Suite, ask_memcheck, check, heapledger, lsan, memcheck, run  # noqa: E402

PAGE = os.path.join(ROOT, "man/heapledger-leak-tests.7")
NAMES = {"lsan": "LeakSanitizer", "memcheck": "memcheck"}
PACKAGES = {"lsan": "llvm", "memcheck": "valgrind"}
INSTALLED = ("date", "sort /etc/passwd", "tail -n 1 /etc/passwd", "stat /", "df /", "expr 1 + 1", "tr a b", "seq 3", "cat /etc/passwd",
             "ls /", "git --version", "gcc --version", "perl -v", "perl -e 1", "bash -c :", "/usr/bin/python3 -c pass", "sqlite3 :memory: .schema",
             "openssl version", "curl --version", "rsync --version")


def judge(suite, case):
    """Ask heapledger about one case; what differs from what is expected is a Failure."""
    v = heapledger(suite, case)
    got = shown(case, v.figures)
    if case.want is not None and got != case.want:
        raise Failure("%s, not %s (pointers: %s)" % (got, case.want, ", ".join(sorted(v.pointers)) or "none"))
    if case.groups and v.groups != case.groups:
        raise Failure("losses of %s bytes, not of %s" % (v.groups, case.groups))
    status = case.status if case.status is not None else 99 if v.figures.definite[0] else 0
    if v.status != status and not (case.silent and v.status == 4 and v.incomplete == {"nothing was recorded"}):
        raise Failure("%s, but status %d, not %d %s" % (got, v.status, status, " ".join(v.incomplete)))
    return got


def row(case, *columns):
    """The columns begin at fixed places, where what is before leaves them free."""
    places = (0, 21, 49, 60, 78) if case.suite == "memcheck" else (0, 33, 45, 53, 65)
    text = ""
    for place, word in zip(places, (case.name, case.want or "-", *columns)):
        text = (text + " " * (len(text) > 0)).ljust(place) + word
    return text.replace("-", "\\-")


def in_page(case, page):
    """Has the manual a row of the case that says so of what is expected and of heapledger?"""
    want = (case.want or "-").split()
    for line in page:
        if line.startswith(case.name + " "):
            words = line[len(case.name):].split()
            if words[:len(want)] == want:
                return words[-1] == "="
    return False


def judged(suite, case, page):
    got = judge(suite, case)
    if page is not None and not in_page(case, page):
        raise Failure("it is as expected (%s), but heapledger-leak-tests(7) does not say so" % got)
    return got


def compare(suite, case, judged_here):
    """A row of the manual: "=" is what is expected."""
    own = "-"
    if judged_here:
        try:
            judge(suite, case)
            own = "="
        except Failure as e:
            own = str(e)
    theirs, found = lsan(suite, case), memcheck(suite, case)
    if not isinstance(found, str):
        # LeakSanitizer tells the lost from the rest only
        if case.want and case.suite == "memcheck" and theirs == lost(case.want):
            theirs = case.want
        found = shown(case, found)
    print(row(case, *("=" if t == case.want else t for t in (theirs, found)), own), flush=True)


def lost(want):
    """Expected figures as LeakSanitizer would count them."""
    sums = [tuple(map(int, w[1:].split("/"))) for w in want.split() if w[0] in "DI"]
    return "L%d/%d" % tuple(map(sum, zip(*sums))) if sums else "none"


def report(name, what):
    """Print the verdict of one case; True when it failed."""
    try:
        print("ok %s: %s" % (name, what()), flush=True)
        return False
    except Absent:
        print("SKIP: %s: this version has no such test" % name, flush=True)
        return False
    except (Failure, subprocess.TimeoutExpired, OSError, KeyError, ValueError) as e:
        print("not ok %s: %s" % (name, e if isinstance(e, Failure) else repr(e)), flush=True)
        return True


def has_api():
    return "__lsan_do_leak_check" in run(["nm", "-D", "--defined-only", SO]).stdout


def suite_cases(name, cases, wanted, table):
    try:
        suite = Suite(name, sources(BUILD, PACKAGES[name])[0])
    except (Unavailable, OSError) as e:
        print("SKIP: the leak tests of %s: their sources cannot be had: %s" % (NAMES[name], e), flush=True)
        return False
    page = None
    if os.path.exists(PAGE):
        with open(PAGE, encoding="utf-8") as f:
            page = f.read().replace("\\-", "-").splitlines()
    failed, api = False, has_api()
    for case in cases:
        title = "%s: %s" % (NAMES[name], case.name)
        if wanted and not any(w in title for w in wanted):
            continue
        if table and not case.skip:
            compare(suite, case, api or not case.api)
        elif case.skip or (case.api and not api):
            print("SKIP: %s: %s" % (title, case.skip or "the library does not export LeakSanitizer's interface"), flush=True)
        else:
            failed |= report(title, lambda: judged(suite, case, page))  # noqa: B023
    return failed


def as_memcheck(argv):
    """The definite losses of an installed program are those that memcheck sees."""
    got = check(argv, None).figures
    # else valgrind itself frees what the libraries keep, and with it what that leads to
    want = ask_memcheck(argv, ["--run-libc-freeres=no", "--run-cxx-freeres=no", "--trace-children=yes"])
    if isinstance(want, str) or got.definite != want.definite:
        raise Failure("definite: %s, memcheck %s" % (got, want))
    return "D%d/%d" % got.definite


def installed(wanted):
    failed = False
    for command in INSTALLED:
        title = "installed: " + command
        argv = command.split()
        if wanted and not any(w in title for w in wanted):
            continue
        missing = [name for name in ("valgrind", argv[0]) if not shutil.which(name)]
        if missing:
            print("SKIP: %s: %s is not installed" % (title, missing[0]), flush=True)
        else:
            failed |= report(title, lambda: as_memcheck(argv))  # noqa: B023
    return failed


def main():
    table = "--table" in sys.argv[1:]
    wanted = [a for a in sys.argv[1:] if not a.startswith("-")]
    failed = False
    with tempfile.TemporaryDirectory(prefix="heapledger-leak-tests.") as work:
        os.chdir(work)
        failed |= suite_cases("memcheck", suite_memcheck.CASES, wanted, table)
        failed |= suite_cases("lsan", suite_lsan.CASES, wanted, table)
        failed |= not table and installed(wanted)
        os.chdir("/")
    return failed


if __name__ == "__main__":
    sys.exit(main())
