"""postgres.py - initdb and a server with a forked backend for each connection.  Postgres refuses root: it runs as another user."""
import contextlib
import glob
import os
import pwd
import shutil
import signal
import subprocess

from ledger import Failure
from serving import await_that, health, open_directory, same, serving, stop, tracing
from traced import TIMEOUT

SCRIPT = r"""
create table t(a int primary key, b text, c jsonb);
insert into t select i, repeat('x', i % 100), jsonb_build_object('k', i % 7, 'l', array[i, i + 1]) from generate_series(1, 20000) i;
create index on t(b);
analyze t;
select count(*), sum(length(b)) from t where a % 7 = 3;
select c->'k', count(*), md5(string_agg(b, ',' order by a)) from t group by 1 order by 1;
set max_parallel_workers_per_gather = 2; set parallel_setup_cost = 0; set parallel_tuple_cost = 0;
set min_parallel_table_scan_size = 0;
select count(*) from t where b like '%xx%';
set jit = on; set jit_above_cost = 0; set jit_inline_above_cost = 0; set jit_optimize_above_cost = 0;
select sum(a * 2 + length(b)) from t where a > 100;
create function f(n int) returns int language plpgsql as $$ begin return case when n < 2 then n else f(n - 1) + f(n - 2) end; end $$;
select f(12);
select 1 / 0;
copy (select a, b from t where a < 50) to stdout;
vacuum full t;
\d t
"""


def user():
    """Who runs postgres; None: whoever runs the test."""
    if os.geteuid():
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    return None


def directory():
    """Where postgres and initdb are, or None."""
    places = [os.path.dirname(os.path.realpath(p)) for p in (shutil.which("postgres"),) if p]
    places += sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)
    return next((p for p in places if os.path.exists(p + "/initdb") and os.path.exists(p + "/psql")), None)


def command(prefix, name, *args):
    """A program of postgres as that user; what is to trace it runs as that user as well."""
    who = user()
    become = ["setpriv", "--reuid", who, "--regid", str(pwd.getpwnam(who).pw_gid), "--clear-groups"] if who else []
    return [*become, "env", "-i", "PATH=/usr/bin:/bin", "LC_ALL=C", "HOME=" + os.getcwd(), *prefix, os.path.join(directory(), name),
            *args]


class Session:
    """psql, one statement at a time, each with one line of answer."""

    def __init__(self, here):
        self.psql = subprocess.Popen(command([], "psql", "-XAtq", "-h", here, "-U", "me", "postgres"), stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.pid = int(self.ask("select pg_backend_pid()"))

    def ask(self, statement):
        self.psql.stdin.write(statement.encode() + b";\n")
        self.psql.stdin.flush()
        return self.psql.stdout.readline()

    def close(self):
        return self.psql.communicate(timeout=60)[0], self.psql.returncode


def run(argv, stdin=""):
    r = subprocess.run(argv, input=stdin.encode(), capture_output=True, timeout=TIMEOUT, check=False)
    return r.returncode, r.stdout, r.stderr


def ready():
    with contextlib.suppress(OSError), open("data/postmaster.pid", encoding="ascii") as f:
        return f.read().rstrip().endswith("ready")
    return False


def session(here, prefix_init, prefix):
    """[answers], and the processes of the backends that served connections."""
    shutil.rmtree("data", ignore_errors=True)
    answers = [run(command(prefix_init, "initdb", "-D", here + "/data", "-A", "trust", "-U", "me", "-N"))]
    if answers[0][0]:
        raise Failure("initdb: %r" % (answers[0],))
    with serving(command(prefix, "postgres", "-D", here + "/data", "-k", here, "-c", "listen_addresses=", "-c", "fsync=off"),
                 ready) as p:
        answers.append(run(command([], "psql", "-X", "-h", here, "-U", "me", "postgres"), SCRIPT))
        several = [Session(here) for _ in range(5)]
        pids = [s.pid for s in several]
        for n in range(6):
            for k, s in enumerate(several):
                answers.append(s.ask("insert into t values(%d, 'new') returning a + %d" % (100000 + 10 * n + k, n)))
                answers.append(s.ask("select count(*), max(a) from t"))
        answers.append(several[0].ask("select pg_terminate_backend(%d)" % pids[4]))
        await_that(lambda: not os.path.exists("/proc/%d" % pids[4]), "the terminated backend stays")
        answers.append(several[4].ask("select 1"))
        answers += [s.close() for s in several[:4]]
        # what else psql says of the lost connection depends on whether it wrote before it read
        answers.append(several[4].close()[1])
        answers.append(stop(p, signal.SIGINT))
    return answers, pids


def postgres():
    with open_directory(user()) as here:
        plain, _ = session(here, [], [])
        tracer = tracing(here)
        traced, pids = session(here, [here + "/init.hl" if w == here + "/t.hl" else w for w in tracer], tracer)
        same(plain, traced)
        if b"2857" not in plain[1][1]:
            raise Failure("the script did nothing: %.300r" % (plain[1],))
        trees, first = health(), health("init.hl")
        missing = [pid for pid in pids if pid not in trees]
        if missing:
            raise Failure("backends without a trace: %s" % missing)
        return "%d traces of the server, %d of initdb, %d answers" % (len(trees), len(first), len(plain))
