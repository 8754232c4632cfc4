"""serving.py - what the cases of servers share: a directory that other users can search, processes that do not outlive it."""
import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time

from ledger import BUILD, Failure
from traced import TIMEOUT, check_health, traces_of


@contextlib.contextmanager
def open_directory(user=None):
    """A directory of user's, copies of the binaries in it: those of the test are often below one that is closed to others.
    It is the working directory meanwhile."""
    back = os.getcwd()
    here = tempfile.mkdtemp(prefix="heapledger-real.", dir="/tmp")
    try:
        for name in ("heapledger", "libheapledger.so"):
            shutil.copy(os.path.join(BUILD, name), here)
        os.chmod(here, 0o755)
        if user:
            os.chown(here, pwd.getpwnam(user).pw_uid, -1)
        os.chdir(here)
        yield here
    finally:
        os.chdir(back)
        shutil.rmtree(here)


def tracing(here, *options):
    """What to put before a command that is to be traced in an open directory."""
    return [os.path.join(here, "heapledger"), "run", "-q", *options, "-o", os.path.join(here, "t.hl"), "--"]


@contextlib.contextmanager
def serving(argv, ready, env=None, log="server.log"):
    """A server, when ready() is true.  Whoever uses it stops it and asks for its status; what is left is killed."""
    with open(log, "wb") as f:
        p = subprocess.Popen(argv, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, stdout=f, stderr=f,
                             start_new_session=True)
    try:
        await_that(ready, "%s is not ready" % os.path.basename(argv[0]), p)
        yield p
    except Failure as e:
        with open(log, encoding="utf-8", errors="replace") as f:
            raise Failure("%s; its log ends: %s" % (e, f.read()[-300:])) from None
    finally:
        if p.poll() is None:
            # the whole session: killing the command alone would leave the server behind
            with contextlib.suppress(ProcessLookupError):
                os.killpg(p.pid, signal.SIGKILL)
            p.wait()


def await_that(true, complaint, process=None, seconds=60):
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline or (process and process.poll() is not None):
            raise Failure(complaint)
        time.sleep(0.02)


def stop(p, sig):
    p.send_signal(sig)
    return p.wait(timeout=TIMEOUT)


def same(plain, traced):
    """plain and traced: a list of what was answered.  A Failure names the first that differs."""
    for n, (a, b) in enumerate(zip(plain, traced)):
        if a != b:
            raise Failure("answer %d differs: %.300r, untraced %.300r" % (n, b, a))
    if len(plain) != len(traced):
        raise Failure("%d answers, untraced %d" % (len(traced), len(plain)))


def health(trace="t.hl", timeout=50):
    """{pid: [info of each trace]} of a run, all of them healthy."""
    trees = {}
    for t in traces_of(trace):
        tree = check_health(t, timeout=timeout)
        trees.setdefault(tree["pid"], []).append(tree)
    return trees
