"""suite_sources.py - the leak tests of valgrind and of LeakSanitizer, from the distribution's source packages.

Nothing of theirs is part of this repository.  The sources are fetched by apt-get, which checks their signatures, with
lists of its own below the build directory: the machine's lists are read, and never changed.  What was unpacked stays in
build/leak-suites; remove that to fetch it again.
"""
import glob
import os
import re
import shutil
import subprocess

# the releases of llvm that a distribution may have; the expectations were written for the first
LLVM = ["llvm-toolchain-%d" % n for n in (14, 15, 16, 17, 18, 19, 20, 13)]
MEMBERS = {
    "valgrind": ["*/memcheck/tests/*", "*/memcheck/*.h", "*/include/*", "*/tests/*.h"],
    "llvm": ["*/compiler-rt/test/lsan/*", "*/compiler-rt/test/sanitizer_common/*.h"],
}
TIMEOUT = 900


class Unavailable(Exception):
    """The sources cannot be had; the text is the reason."""


def source_lists(directory):
    """The machine's own package lists, turned into lists of sources in a directory."""
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    found = False
    for name in [*glob.glob("/etc/apt/sources.list.d/*.list"), "/etc/apt/sources.list",
                 *glob.glob("/etc/apt/sources.list.d/*.sources")]:
        try:
            with open(name, encoding="utf-8") as f:
                text = f.read()
        except OSError:
            continue
        if name.endswith(".sources"):
            text, n = re.subn(r"(?m)^Types:.*$", "Types: deb-src", text)
        else:
            lines = {re.sub(r"^deb(-src)?\s", "deb-src ", line) for line in text.splitlines() if line.startswith("deb")}
            text, n = "".join(line + "\n" for line in sorted(lines)), len(lines)
        found = found or n > 0
        with open(os.path.join(directory, os.path.basename(name)), "w", encoding="utf-8") as f:
            f.write(text)
    return found


def complaint(result):
    """What apt-get said last."""
    return (result.stderr.strip().splitlines() or ["status %d" % result.returncode])[-1]


class Apt:
    """apt-get with lists and state of its own below a directory."""

    def __init__(self, directory):
        self.directory = directory
        self.reason = ""
        parts = os.path.join(directory, "sources.list.d")
        if not shutil.which("apt-get"):
            raise Unavailable("there is no apt-get")
        if not source_lists(parts):
            raise Unavailable("no package lists in /etc/apt")
        for d in ("state/lists/partial", "cache/archives/partial"):
            os.makedirs(os.path.join(directory, d), exist_ok=True)
        self.options = ["-o", "Dir::Etc::sourcelist=/dev/null", "-o", "Dir::Etc::sourceparts=" + parts,
                        "-o", "Dir::State=" + os.path.join(directory, "state"),
                        "-o", "Dir::Cache=" + os.path.join(directory, "cache"),
                        "-o", "APT::Sandbox::User=", "-o", "Acquire::Retries=2"]
        # a list that has no sources fails here; whether ours have any is seen when the package is asked for
        self.run(["update"])

    def run(self, words):
        try:
            return subprocess.run(["apt-get", "-q", *self.options, *words], cwd=self.directory, stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, timeout=TIMEOUT, check=False)
        except subprocess.TimeoutExpired as e:
            raise Unavailable("apt-get %s: no end after %d s" % (words[0], TIMEOUT)) from e

    def tarball(self, package):
        """Fetch the upstream archive of a source package: its path, or None when there is no such package."""
        words = ["source", "--download-only", "--only-source", package]
        r = self.run([*words, "--print-uris"])
        if r.returncode:
            self.reason = self.reason or complaint(r)
            return None
        r = self.run(words)
        if r.returncode:
            raise Unavailable("%s: %s" % (package, complaint(r)))
        found = glob.glob(os.path.join(self.directory, package + "_*.orig.tar.*"))
        return next((f for f in found if not f.endswith(".asc")), None)


def unpack(archive, members, target):
    """The members of an archive below target, which appears when all are there."""
    partial = target + ".partial"
    shutil.rmtree(partial, ignore_errors=True)
    os.makedirs(partial)
    r = subprocess.run(["tar", "-xf", archive, "-C", partial, "--strip-components=1", "--wildcards", *members],
                       stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    if r.returncode:
        raise Unavailable("tar: %s" % r.stderr.strip()[-200:])
    os.rename(partial, target)


def sources(build, suite):
    """The directory with the sources of "valgrind" or "llvm", and the version; fetched when they are not there."""
    top = os.path.join(build, "leak-suites")
    names = ["valgrind"] if suite == "valgrind" else LLVM
    os.makedirs(top, exist_ok=True)

    def present():
        found = sorted(glob.glob(os.path.join(top, suite + "_*")))
        return next((f for f in found if not f.endswith(".partial")), None)

    if not present():
        download = os.path.join(top, "download")
        os.makedirs(download, exist_ok=True)
        try:
            apt = Apt(download)
            archive = next(filter(None, map(apt.tarball, names)), None)
            if not archive:
                raise Unavailable("no source package %s: %s" % (names[0], apt.reason))
            version = re.search(r"_(.*)\.orig\.tar", os.path.basename(archive)).group(1)
            unpack(archive, MEMBERS[suite], os.path.join(top, "%s_%s" % (suite, version)))
        finally:
            shutil.rmtree(download, ignore_errors=True)
    directory = present()
    return directory, directory.rsplit("_", 1)[1]
