#!/usr/bin/env python3
"""real.py [NAME...] - installed programs under `heapledger run`, held against an untraced run and valgrind.

For each: output, status and files are those of an untraced run; every trace (children included) has no order
violation, no unexplained free, no damage, no loss.  Where the program is single-threaded, numbers agree with valgrind's: traced.py.

The cases "unwind ..." run with unwind=check: libunwind sees every stack of the first process as we do (a forked child
goes on without it).
"""
import glob
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from ledger import ROOT, Failure  # noqa: E402
import postgres  # noqa: E402
import redis_server  # noqa: E402
import sshd  # noqa: E402
import web  # noqa: E402
from traced import checked, program, run  # noqa: E402

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
NODE = r"""
const { Worker, isMainThread, parentPort } = require('worker_threads');
const { execFileSync, spawnSync } = require('child_process'), zlib = require('zlib'), crypto = require('crypto');
if (!isMainThread) {
  let n = 0;
  for (let i = 0; i < 100000; i++) n += JSON.stringify({ i, x: [i] }).length;
  parentPort.postMessage(n);
} else {
  const a = [];
  for (let i = 0; i < 20000; i++) a.push(Buffer.alloc(100 + i % 500, i % 256));
  const z = zlib.gzipSync(Buffer.concat(a), { level: 9 });
  console.log(z.length, crypto.createHash('sha256').update(zlib.gunzipSync(z)).digest('hex'));
  console.log(execFileSync('/bin/echo', ['child']).toString());
  console.log(spawnSync(process.execPath, ['-e', 'console.error("wrong"); process.kill(process.pid, "SIGTERM")']).signal);
  let left = 4, ticks = 0;
  const t = setInterval(() => { if (++ticks == 5) { clearInterval(t); console.log('ticks'); } }, 10);
  const sums = [];
  for (let i = 0; i < 4; i++)
    new Worker(__filename).on('message', m => { sums.push(m); if (!--left) console.log(sums, JSON.parse(JSON.stringify(sums))); });
  process.on('exit', () => console.log('exit'));
}
"""
JAVA = r"""
import java.util.*;
public class Hello {
  public static void main(String[] arguments) throws Exception {
    Map<Integer, byte[]> m = new HashMap<>();
    for (int i = 0; i < 20000; i++) m.put(i % 500, new byte[i % 3000]);
    List<java.nio.ByteBuffer> direct = new ArrayList<>();
    for (int i = 0; i < 2000; i++) direct.add(java.nio.ByteBuffer.allocateDirect(1000 + i));
    long[] sums = new long[4];
    Thread[] threads = new Thread[4];
    for (int t = 0; t < 4; t++) {
      final int k = t;
      threads[t] = new Thread(() -> {
        java.util.zip.Deflater d = new java.util.zip.Deflater();
        StringBuilder s = new StringBuilder();
        for (int i = 0; i < 100000; i++) s.append(i * k);
        d.setInput(s.toString().getBytes());
        d.finish();
        byte[] out = new byte[1 << 20];
        sums[k] = d.deflate(out);
        d.end();
      });
      threads[t].start();
    }
    for (Thread t : threads) t.join();
    System.out.println(m.size() + " " + direct.size() + " " + Arrays.toString(sums));
    System.exit(3);
  }
}
"""


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
    yield "redis-server", "redis-server", redis_server.scripted
    yield "redis-server under redis-benchmark", "redis-benchmark", redis_server.benchmarked
    yield "nginx", "nginx", web.nginx
    yield "postgres", os.path.join(postgres.directory() or "", "postgres"), postgres.postgres
    yield "sshd", "sshd" if os.geteuid() == 0 else "sshd as root", sshd.sshd
    yield "curl", "curl", web.curl
    with open("work.js", "w", encoding="ascii") as f:
        f.write(NODE)
    yield "node", "node", lambda: program([shutil.which("node"), "work.js"], counts=False)
    with open("Hello.java", "w", encoding="ascii") as f:
        f.write(JAVA)
    yield "javac", "javac", lambda: program(["javac", "Hello.java"], files=["Hello.class"], counts=False)
    yield "java", "javac", lambda: (subprocess.run(["javac", "Hello.java"], check=True),
                                    program(["java", "Hello"], counts=False))[1]
    yield "java -version", "java", lambda: program(["java", "-version"], counts=False)
    yield from unwind_cases(python, still, queries)


def unwind_cases(python, still, queries):
    workloads = os.path.dirname(queries)
    stl = os.path.join(workloads, "stl.cc")
    yield "unwind python3", python, lambda: checked([python, os.path.join(workloads, "json_regex.py")], still)
    yield "unwind sqlite3", "sqlite3", lambda: checked(["/usr/bin/sqlite3", ":memory:", ".read " + queries])
    yield "unwind redis-server", "redis-server", redis_server.checked
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
