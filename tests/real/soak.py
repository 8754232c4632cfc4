#!/usr/bin/env python3
"""soak.py - servers under load for a long time: what tracing adds to memory stays what was predicted, and nothing is lost.

redis-server and nginx (where installed), each twice, traced and not, get the same requests for SOAK_SECONDS (60), SOAK_RATE
(10) rounds a second, and every answer is compared.  A round is 200 commands on a bounded set of keys and one page; now and
then a background save forks and a connection comes and goes.

Memory: Private_Dirty of the traced process minus that of its twin is within 12 MiB + 32 bytes a stack node + 64 KiB a thread
(as in tests/bench/memory.py), and grows by at most GROWTH over the second half; so does the collector, but for CHUNK bytes
a chunk of the trace, which its index takes.  After the load no more slots of the region are resident than two for each thread.
`heapledger snapshot` is called twice under load; the diff of the two, read at once from the growing trace and again at the end,
shows what was added in between.  The heap at the end is as large as the server says.
"""
import contextlib
import http.client
import json
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib"), os.path.join(HERE, "..", "bench")]
from ledger import HL, Failure, heapledger  # noqa: E402
import memory  # noqa: E402
import redis_server  # noqa: E402
from serving import await_that, health, serving  # noqa: E402

SECONDS = float(os.environ.get("SOAK_SECONDS") or 60)
RATE = float(os.environ.get("SOAK_RATE") or 10)
MIB = 1 << 20
GROWTH = 2 * MIB
CHUNK = 64
KEPT, KEPT_BYTES = 500, 5000
failed = False


def verdict(good, name, why):
    global failed
    failed |= not good
    print("ok %s: %s" % (name, why) if good else "not ok %s: %s" % (name, why), flush=True)


def resident(pid):
    with open("/proc/%d/status" % pid, encoding="ascii", errors="replace") as f:
        return int(re.search(r"^RssAnon:\s+(\d+) kB", f.read(), re.M).group(1)) * 1024


def word(*words):
    words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


def batch(n):
    """200 commands of every kind, and a marker that ends the answers."""
    r = random.Random(n)
    commands = []
    for _ in range(200):
        key = r.randrange(3000)
        text = b"v" * int(r.expovariate(1 / 200))
        commands.append(r.choice((
            ("SET", "s%d" % key, text), ("SET", "s%d" % key, text), ("GET", "s%d" % key), ("DEL", "s%d" % key),
            ("APPEND", "s%d" % (key % 50), text[:20]), ("LPUSH", "l%d" % (key % 100), text), ("LTRIM", "l%d" % (key % 100), 0, 50),
            ("RPOP", "l%d" % (key % 100)), ("HSET", "h%d" % (key % 100), "f%d" % (key % 700), text), ("HDEL", "h%d" % (key % 100), "f1"),
            ("ZADD", "z%d" % (key % 20), key, "m%d" % key), ("ZRANGE", "z%d" % (key % 20), 0, 10), ("SADD", "t%d" % (key % 20), key),
            ("SREM", "t%d" % (key % 20), key), ("UNLINK", "l%d" % (key % 100)), ("SORT", "t%d" % (key % 20)),
            ("EVAL", "local t = {} for i = 1, 50 do t[i] = KEYS[1] .. i end return table.concat(t)", 1, key))))
        if n % 10 == 0:
            commands[-1] = ("DEL", "s%d" % (key % 50))
    return b"".join(word(*c) for c in commands) + word("ECHO", "end of a batch")


class Redis:
    """redis-server, traced or not."""
    END = b"$14\r\nend of a batch\r\n"

    def __init__(self, stack, name, prefix):
        path, server = redis_server.answering(prefix, name=name)
        self.name = name
        self.process, self.path = stack.enter_context(server), path
        self.client = redis_server.Client(path)
        self.socket = self.client.socket
        self.pid = int(re.search(rb"process_id:(\d+)", self.client.ask("INFO", "server")).group(1))

    def gone(self, why):
        time.sleep(1)  # until its end is known, if it ended
        return Failure("%s: %s; status %s" % (self.name, why, self.process.poll()))

    def send(self, text):
        try:
            self.socket.sendall(text)
        except OSError as e:
            raise self.gone(repr(e)) from e

    def receive(self):
        got = bytearray()
        while not got.endswith(self.END):
            more = self.socket.recv(1 << 20)
            if not more:
                raise self.gone("it hung up")
            got += more
        return got

    def visit(self):
        c = redis_server.Client(self.path)
        answer = c.ask("DBSIZE")
        c.file.close()
        c.socket.close()
        return answer

    def threads(self):
        return len(os.listdir("/proc/%d/task" % self.pid))

    def used(self):
        return int(re.search(rb"used_memory:(\d+)", self.client.ask("INFO", "memory")).group(1))

    def end(self):
        self.client.shut_down()
        return self.process.wait(timeout=60)


class Nginx:
    """nginx with one worker, traced or not."""
    CONFIG = """
daemon off; worker_processes 1; pid %(here)s/pid; error_log %(here)s/error.log; %(user)s
events { worker_connections 64; }
http { access_log off; client_body_temp_path %(here)s/b; proxy_temp_path %(here)s/p; fastcgi_temp_path %(here)s/f;
	uwsgi_temp_path %(here)s/u; scgi_temp_path %(here)s/s; gzip on; gzip_types *; gzip_min_length 1;
	server { listen unix:%(here)s/sock; location / { root %(here)s; } } }
"""

    def __init__(self, stack, name, prefix):
        self.here = os.path.abspath(name)
        os.makedirs(self.here)
        with open(name + "/conf", "w", encoding="ascii") as f:
            f.write(self.CONFIG % {"here": self.here, "user": "user root;" if os.geteuid() == 0 else ""})
        pid = self.here + "/pid"
        self.process = stack.enter_context(serving(
            [*prefix, shutil.which("nginx"), "-e", self.here + "/error.log", "-c", self.here + "/conf"],
            lambda: os.path.exists(pid) and os.path.getsize(pid), log=name + ".log"))
        with open(pid, encoding="ascii") as f:
            self.master = int(f.read())
        await_that(self.children, "no worker")
        self.pid = self.children()[0]
        self.connection = None

    def children(self):
        with open("/proc/%d/task/%d/children" % (self.master, self.master), encoding="ascii") as f:
            return [int(p) for p in f.read().split()]

    def threads(self):
        return 2  # the master's and the worker's

    def get(self, path):
        if not self.connection:
            self.connection = http.client.HTTPConnection("localhost")
            self.connection.sock = socket.socket(socket.AF_UNIX)
            self.connection.sock.connect(self.here + "/sock")
        self.connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
        r = self.connection.getresponse()
        result = r.status, r.read()
        if r.will_close:
            self.connection = None
        return result

    def end(self):
        os.kill(self.master, 3)
        return self.process.wait(timeout=60)


def find_region(command):
    """The process that collects for that `heapledger run`, and where its region can be opened.  Servers write their titles
    over the environment that says so."""
    with open("/proc/%d/task/%d/children" % (command, command), encoding="ascii") as f:
        children = [int(p) for p in f.read().split()]
    for pid in [*children, command]:
        for fd in os.listdir("/proc/%d/fd" % pid):
            path = "/proc/%d/fd/%s" % (pid, fd)
            if os.readlink(path).startswith("/memfd:heapledger-region") and os.readlink("/proc/%d/exe" % pid) == HL:
                return pid, path
    raise Failure("no collector")


class Pair:
    """A server and its traced twin, and the memory that tracing adds."""

    def __init__(self, stack, kind, name):
        self.trace = name + ".hl"
        self.name = name
        self.plain = kind(stack, name + "-plain", [])
        self.traced = kind(stack, name + "-traced", [HL, "run", "-q", "-o", self.trace, "--"])
        self.both = (self.plain, self.traced)
        self.collector, self.region = find_region(self.traced.process.pid)
        self.added = []

    def measure(self):
        plain, traced = (memory.private_dirty(s.pid)[0] for s in self.both)
        self.added.append((traced - plain, resident(self.collector), plain))

    def judge(self):
        """After the load: what the last measurements are, held against what the trace says."""
        time.sleep(3)
        slots, threads = memory.region_bytes(self.region)[0], self.traced.threads()
        statuses = [s.end() for s in self.both]
        verdict(statuses == [0, 0], self.name + " ends as untraced", "statuses %s" % statuses)
        trees = health(self.trace, timeout=3600)
        tree = trees[self.traced.pid][-1]
        kin = [t for one in trees.values() for t in one]
        last, half = self.added[-1], self.added[len(self.added) // 2]
        limit = 12 * MIB + 32 * tree["stack_nodes"] + 64 * 1024 * tree["threads"]
        verdict(last[0] <= limit, self.name + ": memory added to the server is within its formula",
                "%.2f MiB, limit %.2f; untraced %.2f MiB" % (last[0] / MIB, limit / MIB, last[2] / MIB))
        verdict(last[0] - half[0] <= GROWTH, self.name + ": memory added does not grow",
                "%.2f, halfway %.2f MiB" % (last[0] / MIB, half[0] / MIB))
        room = half[1] + GROWTH + CHUNK * sum(t["chunks"] for t in kin)
        verdict(last[1] <= room, self.name + ": the collector's memory does not grow",
                "%.2f, halfway %.2f MiB" % (last[1] / MIB, half[1] / MIB))
        verdict(slots <= 2 * memory.SLOT * threads, self.name + ": slots that no thread holds go back to the system",
                "%.2f MiB, %d threads" % (slots / MIB, threads))
        verdict(True, self.name + ": every trace is healthy, nothing lost", "%d traces, %d events, %.1f MiB, %.2f bytes an event" % (
            len(kin), sum(t["events"] for t in kin), sum(t["file_size"] for t in kin) / MIB, tree["bytes_per_event"]))
        return tree


def equal(answers, what):
    if answers[0] != answers[1]:
        raise Failure("%s: the answers differ: %.200r, untraced %.200r" % (what, answers[1], answers[0]))


def add_kept(redis):
    """Blocks that nothing frees, between two snapshots."""
    for s in redis.both:
        for i in range(KEPT):
            s.client.ask("SET", "kept:%d" % i, b"k" * KEPT_BYTES)


def check_diff(redis, when):
    text = heapledger("diff", redis.trace + "@one", redis.trace + "@two", "--format", "json", timeout=3600)
    totals = json.loads(text)["totals"]
    grown, added = totals["new"]["heap_size"] - totals["old"]["heap_size"], KEPT * KEPT_BYTES
    # the other keys come and go
    verdict(added - MIB / 2 < grown < added + MIB, "redis: the diff of two snapshots shows what was added, " + when,
            "%d bytes more, %d were added" % (grown, added))


def soak(redis, nginx):
    """The load; how many rounds it was."""
    batches = [batch(n) for n in range(60)]
    pages = 10
    if nginx:
        for s in nginx.both:
            for i in range(pages):
                with open("%s/page%d" % (s.here, i), "w", encoding="ascii") as f:
                    f.write("a line of it %d\n" % i * (10 << i))
    began = time.monotonic()
    due = {"measure": (SECONDS / 20, SECONDS / 20), "save": (SECONDS / 6, max(SECONDS / 6, 10)), "one": (SECONDS * 0.3, None),
           "kept": (SECONDS * 0.5, None), "two": (SECONDS * 0.7, None)}
    rounds = 0
    order = random.Random(1)
    while True:
        now = time.monotonic() - began
        if now >= SECONDS:
            break
        b = order.choice(batches)
        for s in redis.both:
            s.send(b)
        equal([s.receive() for s in redis.both], "redis, round %d" % rounds)
        if rounds % 20 == 0:
            equal([s.visit() for s in redis.both], "redis, a visit")
        if nginx:
            equal([s.get("/page%d" % (rounds % (pages + 1))) for s in nginx.both], "nginx, round %d" % rounds)
        rounds += 1
        for what in [w for w, (at, _) in due.items() if now >= at]:
            again = due[what][1]
            due[what] = (due[what][0] + again if again else SECONDS * 9, again)
            if what == "measure":
                for pair in filter(None, (redis, nginx)):
                    pair.measure()
            elif what == "save":
                for s in redis.both:
                    s.client.ask("BGSAVE")
            elif what == "kept":
                add_kept(redis)
            else:
                heapledger("snapshot", str(redis.traced.pid), "--label", what)
                if what == "two":
                    check_diff(redis, "in the growing trace")
        time.sleep(max(0, began + rounds / RATE - time.monotonic()))
    return rounds


def main():
    with tempfile.TemporaryDirectory(prefix="soak.", dir=os.environ.get("SOAK_DIR")) as work, contextlib.ExitStack() as stack:
        os.chdir(work)
        stack.callback(os.chdir, "/")
        if not shutil.which("redis-server"):
            print("SKIP: soak: redis-server is not installed")
            return 0
        redis = Pair(stack, Redis, "redis")
        nginx = Pair(stack, Nginx, "nginx") if shutil.which("nginx") else None
        rounds = soak(redis, nginx)
        used = redis.traced.used()
        print("ok soak: %d rounds in %.0f s, every answer as untraced" % (rounds, SECONDS), flush=True)
        tree = redis.judge()
        # the server counts usable bytes, the trace those asked for
        verdict(used * 0.7 < tree["live_size"] < used * 1.05, "redis: the heap at the end is as large as the server says",
                "%d bytes, the server says %d" % (tree["live_size"], used))
        check_diff(redis, "at the end")
        if nginx:
            nginx.judge()
        return failed


def guarded():
    try:
        return int(main())
    except (Failure, OSError, KeyError, subprocess.TimeoutExpired) as e:
        print("not ok soak: %s" % (e if isinstance(e, Failure) else repr(e)), flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(guarded())
