#!/usr/bin/env python3
"""real.py [NAME...] - installed programs under `heapledger run`, held against an untraced run and valgrind.

For each: output, status and files are those of an untraced run; every trace (children included) has no order
violation, no unexplained free, no damage, no loss.  For single-threaded ones the numbers of allocations and
frees are compared with valgrind's "total heap usage" (--run-libc-freeres=no, --run-cxx-freeres=no: otherwise valgrind
itself frees libc's and libstdc++'s leftovers at the end).  Named causes of a difference:
  environment   The loader and the program see other variables under each tool (LD_PRELOAD, HEAPLEDGER_*;
                GLIBCPP_FORCE_NEW... under valgrind), and programs that copy their environment (python, perl, git)
                allocate for each; subtracted: SLACK allocations and frees.
  loader        valgrind also replaces the malloc of ld.so itself, before any library can see it; part of SLACK.
What then remains must be within 0.1 %.

The cases "unwind ..." run with unwind=check: libunwind sees every stack of the first process as we do (a forked child
goes on without it).
"""
import ctypes
import glob
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from ledger import HL, ROOT, Failure, check_health, value  # noqa: E402

SLACK = 60
TOLERANCE = 0.001
TIMEOUT = 600
CHECK = {"HEAPLEDGER_OPTIONS": "unwind=check"}

SMALL_CC = """
#include <map>
#include <string>
#include <vector>
int main() { std::map<std::string, std::vector<int>> m; m["a"].push_back(1); return m.size() != 1; }
"""
PERL = r"""
my %h; for my $i (1..60000) { $h{"key" . ($i % 5000)} .= chr(65 + $i % 26) }
my @k = sort { length($h{$a}) <=> length($h{$b}) or $a cmp $b } keys %h;
(my $t = join ",", @k) =~ s/(\d+)/<$1>/g; print length($t), " $k[0] $k[-1]\n";
"""
PYTHON = r"""
import json, re
d = {str(i): [i] * (i % 9) for i in range(9000)}
s = json.dumps(d); e = json.loads(s)
print(len(s), len(re.findall(r'\d+', s)), e == d)
"""
BASH = r"""
declare -A n; for i in {1..4000}; do n[k$((i % 77))]+=$i; done
printf '%s\n' "${!n[@]}" | sort | tail -2; echo "${#n[k5]}"; (echo "$(echo sub; seq 3)"); ls / >/dev/null
"""


def run(argv, env=None, cwd=None):
    r = subprocess.run(argv, env={**os.environ, **(env or {})}, cwd=cwd, stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=TIMEOUT, check=False)
    return r.returncode, r.stdout, r.stderr


def valgrind_counts(argv, env):
    log = os.path.abspath("valgrind.log")
    run(["valgrind", "--leak-check=no", "--run-libc-freeres=no", "--run-cxx-freeres=no", "--log-file=" + log, *argv],
        env)
    with open(log, encoding="utf-8", errors="replace") as f:
        m = re.findall(r"total heap usage: ([\d,]+) allocs, ([\d,]+) frees", f.read())
    if not m:
        raise Failure("valgrind gave no totals")
    return tuple(int(x.replace(",", "")) for x in m[-1])


def compare_counts(tree, argv, env):
    got = (value(tree, "allocations"), value(tree, "frees"))
    want = valgrind_counts(argv, env)
    text = "allocs %d, valgrind %d; frees %d, valgrind %d" % (got[0], want[0], got[1], want[1])
    for a, b in zip(got, want):
        if abs(a - b) > SLACK and abs(a - b) > TOLERANCE * b + SLACK:
            raise Failure(text)
    return text


def traces_of(trace):
    traces = sorted(glob.glob(trace + "*"), key=len)
    if not traces or traces[0] != trace:
        raise Failure("no trace")
    return traces


def program(argv, env=None, files=(), counts=True, fresh=None):
    """One command, untraced and traced; files: outputs to compare; fresh: prepares the directory."""
    def here():
        if fresh:
            fresh()
        r = run(argv, env)[:2]
        return r, [open(f, "rb").read() for f in files]

    def there():
        if fresh:
            fresh()
        r = run([HL, "run", "-q", "-o", "t.hl", "--", *argv], env)
        if r[2] and r[0]:
            raise Failure("status %d: %s" % (r[0], r[2][-300:]))
        return r[:2], [open(f, "rb").read() for f in files]

    plain, traced = here(), there()
    if plain != traced:
        raise Failure("output or status differs: %r, untraced %r" % (traced[0], plain[0]))
    traces = traces_of("t.hl")
    trees = [check_health(t) for t in traces]
    text = "%d traces" % len(traces)
    if counts:
        if shutil.which("valgrind"):
            if fresh:
                fresh()
            text += ", " + compare_counts(trees[0], argv, env)
        else:
            print("SKIP: valgrind is not installed: no counts compared")
    return text


def repository():
    """A throwaway repository with history, the same each time."""
    shutil.rmtree("repo", ignore_errors=True)
    env = {"GIT_AUTHOR_DATE": "2020-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2020-01-01T00:00:00Z",
           "GIT_CONFIG_GLOBAL": "/dev/null"}
    git = ["git", "-C", "repo", "-c", "user.name=n", "-c", "user.email=e", "-c", "gc.auto=0"]
    run(["git", "init", "-q", "-b", "main", "repo"], env)
    for n in range(40):
        for k in range(4):
            with open("repo/file%d" % ((n + k) % 13), "a", encoding="ascii") as f:
                f.writelines("%d %d %d\n" % (n, k, i * n) for i in range(200))
        run([*git, "add", "-A"], env)
        run([*git, "commit", "-q", "-m", "change %d" % n], env)


def checked(argv, env=None):
    """One command with unwind=check."""
    r = run([HL, "run", "-q", "-o", "t.hl", "--", *argv], {**(env or {}), **CHECK})
    if r[0]:
        raise Failure("status %d: %s" % (r[0], r[2][-300:]))
    return agreement()


def agreement():
    ctypes.CDLL("libunwind.so.8")  # without it nothing is compared
    trees = [check_health(t) for t in traces_of("t.hl")]
    if "unwind=check" not in value(trees[0], "options") or value(trees[0], "allocations") < 1000:
        raise Failure("nothing was compared")
    differences = sum(value(t, "unwind_differences") for t in trees)
    text = "unwind differences: %d of %d allocations" % (differences, value(trees[0], "allocations"))
    if differences:
        raise Failure(text)
    return text


def redis_session(prefix, env=None):
    for f in ("dump.rdb", "redis.sock"):
        if os.path.exists(f):
            os.unlink(f)
    sock_path = os.path.abspath("redis.sock")
    server = subprocess.Popen([*prefix, shutil.which("redis-server"), "--port", "0", "--unixsocket", sock_path,
                               "--dir", os.getcwd(), "--daemonize", "no", "--save", ""],
                              env={**os.environ, **(env or {})},
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        for _ in range(200):
            if os.path.exists(sock_path):
                break
            time.sleep(0.05)
        answers = client(sock_path)
        status = server.wait(timeout=60)
    finally:
        if server.poll() is None:
            server.kill()
            server.wait()
    return answers, status


def redis_checked():
    _, status = redis_session([HL, "run", "-q", "-o", "t.hl", "--"], CHECK)
    if status:
        raise Failure("status %d" % status)
    return agreement()


def redis():
    """A server, its scripted client, a background save in a forked child."""
    plain = redis_session([])
    traced = redis_session([HL, "run", "-q", "-o", "t.hl", "--"])
    if plain != traced:
        raise Failure("the client's transcript or the status differs")
    traces = traces_of("t.hl")
    for t in traces:
        check_health(t)
    if len(traces) < 2:
        raise Failure("the background save left no trace")
    return "%d traces, %d answers" % (len(traces), len(plain[0]))


def client(path):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(60)
    s.connect(path)
    f = s.makefile("rwb")
    answers = []

    def ask(*words):
        f.write(b"*%d\r\n" % len(words))
        for w in words:
            w = str(w).encode()
            f.write(b"$%d\r\n%s\r\n" % (len(w), w))
        f.flush()
        answers.append(answer())

    def answer():
        line = f.readline()
        if line[:1] == b"$" and line[:2] != b"$-":
            return f.read(int(line[1:]) + 2)
        if line[:1] == b"*":
            return [answer() for _ in range(int(line[1:]))]
        return line

    for i in range(3000):
        ask("SET", "key:%d" % i, "value " * (i % 40))
        ask("LPUSH", "list:%d" % (i % 10), i)
        ask("ZADD", "scores", i % 100, "member %d" % i)
    for i in range(0, 3000, 3):
        ask("GET", "key:%d" % i)
        ask("DEL", "key:%d" % (i + 1))
    ask("LRANGE", "list:3", 0, -1)
    ask("ZRANGE", "scores", 0, 20)
    ask("BGSAVE")
    for _ in range(200):
        f.write(b"INFO persistence\r\n")
        f.flush()
        if b"rdb_bgsave_in_progress:0" in answer():
            break
        time.sleep(0.05)
    ask("DBSIZE")
    f.write(b"SHUTDOWN NOSAVE\r\n")
    f.flush()
    f.read()
    return answers


def cases():
    queries = os.path.join(ROOT, "tests/bench/workloads/queries.sql")
    python = "/usr/bin/python3.11" if os.path.exists("/usr/bin/python3.11") else "/usr/bin/python3"
    still = {"PYTHONMALLOC": "malloc", "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    fixed = {"PERL_HASH_SEED": "0", "PERL_PERTURB_KEYS": "0"}
    git_env = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_PAGER": "cat"}
    yield "python3", python, lambda: program([python, "-I", "-c", PYTHON], still)
    yield "python3 children and threads", python, lambda: program(
        [python, "-I", "-c", "import subprocess, concurrent.futures as c\n"
         "print(subprocess.run(['echo', 'child'], capture_output=True).stdout)\n"
         "with c.ThreadPoolExecutor(4) as p: print(sum(p.map(lambda i: len(str(i) * 50), range(2000))))\n"
         "with c.ProcessPoolExecutor(2) as p: print(sum(p.map(abs, range(50))))"], still, counts=False)
    yield "perl", "perl", lambda: program(["/usr/bin/perl", "-e", PERL], fixed)
    yield "bash", "bash", lambda: program(["/bin/bash", "-c", BASH], counts=False)
    yield "sqlite3", "sqlite3", lambda: program(["/usr/bin/sqlite3", ":memory:", ".read " + queries])
    with open("small.cc", "w", encoding="ascii") as f:
        f.write(SMALL_CC)
    if shutil.which("g++"):
        subprocess.run(["g++", "-E", "small.cc", "-o", "small.ii"], check=True)
        cc1plus = run(["g++", "-print-prog-name=cc1plus"])[1].decode().strip()
        yield "cc1plus", cc1plus, lambda: program([cc1plus, "-O1", "-quiet", "small.ii", "-o", "small.s"],
                                                  files=["small.s"])
        yield "g++ with cc1plus, as and ld", "g++", lambda: program(
            ["g++", "-O1", "small.cc", "-o", "small.exe"], files=["small.exe"], counts=False)
    yield "clang++", "clang++", lambda: program(["clang++", "-O1", "-c", "small.cc", "-o", "small.o"],
                                                files=["small.o"])
    yield "git log", "git", lambda: (repository(), program(
        ["git", "-C", "repo", "log", "--stat", "-p", "--no-color"], git_env))[1]
    yield "git gc", "git", lambda: program(["git", "-C", "repo", "gc", "-q"], git_env, counts=False, fresh=repository)
    yield "tar and xz", "xz", lambda: (repository(), program(
        ["tar", "-c", "--sort=name", "--mtime=@0", "-I", "xz -T2", "-f", "repo.tar.xz", "--exclude=.git", "repo"],
        files=["repo.tar.xz"], counts=False))[1]
    yield "redis-server", "redis-server", redis
    yield from unwind_cases(python, still, queries)


def unwind_cases(python, still, queries):
    workloads = os.path.dirname(queries)
    stl = os.path.join(workloads, "stl.cc")
    yield "unwind python3", python, lambda: checked([python, os.path.join(workloads, "json_regex.py")], still)
    yield "unwind sqlite3", "sqlite3", lambda: checked(["/usr/bin/sqlite3", ":memory:", ".read " + queries])
    yield "unwind redis-server", "redis-server", redis_checked
    yield "unwind clang++", "clang++", lambda: checked(["clang++", "-O1", "-c", stl, "-o", "stl.o"])
    if shutil.which("g++"):
        subprocess.run(["g++", "-E", stl, "-o", "stl.ii"], check=True)
        cc1plus = run(["g++", "-print-prog-name=cc1plus"])[1].decode().strip()
        yield "unwind cc1plus", cc1plus, lambda: checked([cc1plus, "-O1", "-quiet", "stl.ii", "-o", "stl.s"])
    # by name and size: all of an algorithm's take a minute
    for what in (["-bytes", "1024", "-evp", "aes-128-cbc"], ["-bytes", "1024", "sha256"], ["rsa2048"],
                 ["ecdsap256", "ecdhx25519"]):
        yield "unwind openssl speed " + what[-1], "openssl", lambda: checked(["openssl", "speed", "-seconds", "1", *what])


def main():
    failed = 0
    wanted = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="heapledger-real.") as work:
        os.chdir(work)
        for name, needs, case in cases():
            if wanted and name not in wanted:
                continue
            if not shutil.which(needs):
                print("SKIP: %s: not installed" % name, flush=True)
                continue
            for old in glob.glob("t.hl*"):
                os.unlink(old)
            try:
                print("ok real %s: %s" % (name, case()), flush=True)
            except (Failure, subprocess.TimeoutExpired, OSError, KeyError, ValueError) as e:
                failed = 1
                print("not ok real %s: %s" % (name, e if isinstance(e, Failure) else repr(e)), flush=True)
        os.chdir("/")
    return failed


if __name__ == "__main__":
    sys.exit(main())
