"""redis_server.py - redis-server: a scripted client with a background save; under redis-benchmark; unwind=check."""
import contextlib
import os
import re
import shutil
import socket
import time

from ledger import HL, Failure
from serving import health, same, serving
from traced import CHECK, agreement, run

TRACED = [HL, "run", "-q", "-o", "t.hl", "--"]
BENCHED = "set,get,incr,lpush,rpush,lpop,rpop,sadd,hset,spop,zadd,zpopmin,lrange_100,mset"


class Client:
    """A connection; ask() returns the answer: bytes as they came, or a list of such."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(path)
        self.file = self.socket.makefile("rwb")

    def ask(self, *words):
        self.file.write(b"*%d\r\n" % len(words))
        for w in words:
            w = w if isinstance(w, bytes) else str(w).encode()
            self.file.write(b"$%d\r\n%s\r\n" % (len(w), w))
        self.file.flush()
        return self.answer()

    def answer(self):
        line = self.file.readline()
        if line[:1] == b"$" and line[:2] != b"$-":
            return self.file.read(int(line[1:]) + 2)
        if line[:1] == b"*":
            return [self.answer() for _ in range(int(line[1:]))]
        return line

    def shut_down(self):
        self.file.write(b"SHUTDOWN NOSAVE\r\n")
        self.file.flush()
        self.file.read()


def listens(path):
    """The socket is there a moment before it can be connected to."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        return True
    return False


def answering(prefix, env=None, name="redis", options=()):
    """redis-server in the working directory, and the path of its socket."""
    path = os.path.abspath(name + ".sock")
    if os.path.exists(path):
        os.unlink(path)
    return path, serving([*prefix, shutil.which("redis-server"), "--port", "0", "--unixsocket", path, "--dir", os.getcwd(),
                          "--daemonize", "no", "--save", "", *options], lambda: listens(path), env, name + ".log")


def session(prefix, env=None):
    if os.path.exists("dump.rdb"):
        os.unlink("dump.rdb")
    path, server = answering(prefix, env)
    with server as p:
        answers = script(Client(path))
        answers.append(p.wait(timeout=60))
    return answers


def script(c):
    answers = []
    for i in range(3000):
        answers += [c.ask("SET", "key:%d" % i, "value " * (i % 40)), c.ask("LPUSH", "list:%d" % (i % 10), i),
                    c.ask("ZADD", "scores", i % 100, "member %d" % i)]
    for i in range(0, 3000, 3):
        answers += [c.ask("GET", "key:%d" % i), c.ask("DEL", "key:%d" % (i + 1))]
    answers += [c.ask("LRANGE", "list:3", 0, -1), c.ask("ZRANGE", "scores", 0, 20), c.ask("BGSAVE")]
    for _ in range(200):
        if b"rdb_bgsave_in_progress:0" in c.ask("INFO", "persistence"):
            break
        time.sleep(0.05)
    answers.append(c.ask("DBSIZE"))
    c.shut_down()
    return answers


def scripted():
    """A server, its scripted client, a background save in a forked child."""
    plain = session([])
    same(plain, session(TRACED))
    trees = health()
    if len(trees) < 2:
        raise Failure("the background save left no trace")
    return "%d traces, %d answers" % (len(trees), len(plain))


def checked():
    status = session(TRACED, CHECK)[-1]
    if status:
        raise Failure("status %d" % status)
    return agreement()


def benchmark(prefix, load_prefix):
    """What redis-server holds after redis-benchmark, how often which command was called, and the statuses.  The load's own
    output is times."""
    path, server = answering(prefix, options=["--io-threads", "2"])
    load = [*load_prefix, "redis-benchmark", "-s", path, "-q", "-e", "-n", "4000", "-c", "20", "-t", BENCHED]
    with server as p:
        answers = [run(load)[0]]
        c = Client(path)
        # without -r every key is named once, and what it holds depends on nothing but the number of requests
        for key in sorted(c.ask("KEYS", "*")):
            answers.append([key, c.ask("DUMP", key.rstrip())])
        answers.append(c.ask("FLUSHALL"))
        load[load.index("--") + 1 if load_prefix else 0:] = ["redis-benchmark", "-s", path, "-q", "-e", "-n", "20000", "-c", "50",
                                                             "-P", "8", "-r", "5000", "--threads", "2", "-t", BENCHED]
        answers.append(run([w.replace("b.hl", "b2.hl") for w in load])[0])
        stats = c.ask("INFO", "commandstats").decode()
        answers += sorted(re.sub(r"usec[^,]*,", "", line) for line in stats.split() if "info" not in line)
        c.shut_down()
        answers.append(p.wait(timeout=60))
    return answers


def benchmarked():
    plain = benchmark([], [])
    if len(plain) < 20 or plain[0]:
        raise Failure("redis-benchmark did nothing: %.200r" % plain)
    same(plain, benchmark(TRACED, [HL, "run", "-q", "-o", "b.hl", "--"]))
    events = sum(t["events"] for name in ("t.hl", "b.hl", "b2.hl") for trees in health(name).values() for t in trees)
    return "%d events of server and load, %d answers" % (events, len(plain))
