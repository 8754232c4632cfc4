"""memory.py - memory that the library adds to a program, and what of the region is resident.

Private: the sum of Private_Dirty in /proc/PID/smaps, traced minus untraced, at the same point of the same program, so everything
that tracing adds counts, whoever mapped it.  Programs of the rig stop where told; any other is caught by ptrace(2) when it exits, before
its memory goes (PTRACE_EVENT_EXIT).
Region: the resident bytes of the memfd's slots, found as /proc/COLLECTOR/fd/N in the program's HEAPLEDGER_REGION, after three
quiet seconds (--quiet-seconds), when the collector has nothing left to copy; the tables before the slots (format.h), which are there once, are
given beside them.
"""
import ctypes
import errno
import os
import re
import signal
import struct
import subprocess
import time

from rig import (LIBC, Failure, bench_line, build_churn, check_losses, figure, note, reap_orphans, remove, table,
                 traced_command)
from programs import workloads

PTRACE_CONT, PTRACE_DETACH, PTRACE_SEIZE = 7, 17, 0x4206
PTRACE_O_TRACEEXIT, PTRACE_EVENT_EXIT, PTRACE_EVENT_STOP = 0x40, 6, 128
WALL = 0x40000000
SLOT = 32 * 1024
MIB = 1 << 20
LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
LIBC.ptrace.restype = ctypes.c_long


class NotAllowed(Failure):
    """The system forbids ptrace."""


def private_dirty(pid):
    """Bytes, and the number of mappings read: 0 when the process has no memory any more."""
    with open("/proc/%d/smaps" % pid, encoding="utf-8", errors="replace") as f:
        sizes = re.findall(r"^Private_Dirty: +(\d+) kB$", f.read(), re.M)
    return sum(map(int, sizes)) * 1024, len(sizes)


def environment(pid):
    with open("/proc/%d/environ" % pid, "rb") as f:
        return dict(v.split("=", 1) for v in f.read().decode(errors="replace").split("\0") if "=" in v)


def find(program, root, deadline):
    """The process below root that executes program."""
    want = os.path.realpath(program)
    while time.monotonic() < deadline:
        todo = [root]
        while todo:
            pid = todo.pop()
            try:
                if os.readlink("/proc/%d/exe" % pid) == want:
                    return pid
                with open("/proc/%d/task/%d/children" % (pid, pid), encoding="ascii") as f:
                    todo += map(int, f.read().split())
            except OSError:
                continue
        time.sleep(0.0005)
    raise Failure("%s did not start" % program)


def start(argv, env):
    return subprocess.Popen(argv, env={**os.environ, **env}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, start_new_session=True)


def finish(p, argv):
    _, err = p.communicate(timeout=100)
    reap_orphans(time.monotonic() + 100)
    if p.returncode:
        raise Failure("%s: status %d: %r" % (argv[0], p.returncode, err[-200:]))


def ptrace(request, pid, data):
    if LIBC.ptrace(request, pid, None, data) < 0:
        error = ctypes.get_errno()
        raise (NotAllowed if error in (errno.EPERM, errno.ENOSYS) else Failure)("ptrace: " + os.strerror(error))


def at_exit(pid, look):
    """Let pid run until it exits; call look while its memory is still there."""
    ptrace(PTRACE_SEIZE, pid, PTRACE_O_TRACEEXIT)
    while True:
        _, status = os.waitpid(pid, WALL)
        if not os.WIFSTOPPED(status):
            raise Failure("the process ended unseen")
        event, sig = status >> 16, os.WSTOPSIG(status)
        if event == PTRACE_EVENT_EXIT:
            break
        ptrace(PTRACE_CONT, pid, None if event == PTRACE_EVENT_STOP else sig)
    try:
        return look(pid)
    finally:
        ptrace(PTRACE_DETACH, pid, None)


def dirty_at_exit(program, argv, env):
    p = start(argv, env)
    try:
        dirty, mappings = at_exit(find(program, p.pid, time.monotonic() + 10), private_dirty)
    except BaseException:
        os.killpg(p.pid, signal.SIGKILL)
        p.wait()
        raise
    finish(p, argv)
    if not mappings:
        raise Failure("%s had no memory left when it exited" % program)
    return dirty


def region_bytes(path):
    """Resident bytes (slots, tables) of the region at /proc/COLLECTOR/fd/N; None without a collector.  Layout: format.h."""
    if not path:
        return None
    fd = os.open(path, os.O_RDONLY)
    try:
        nslots = struct.unpack_from("<I", os.pread(fd, 64, 0), 16)[0]
        first = (4096 + 2048 * 128 + 4 * nslots + 65535) // 65536 * 65536
        if os.fstat(fd).st_size != first + nslots * SLOT:
            raise Failure("the region's layout is not what memory.py knows")
        slots, at = 0, first
        while at < first + nslots * SLOT:
            try:
                data = os.lseek(fd, at, os.SEEK_DATA)
            except OSError:
                break  # no more
            at = os.lseek(fd, data, os.SEEK_HOLE)
            slots += at - data
        return slots, os.fstat(fd).st_blocks * 512 - slots
    finally:
        os.close(fd)


def held(churn, threads, pairs, command, work, quiet_s):
    """(private dirty, region bytes) of a churn that holds still after its work."""
    ready = os.path.join(work, "ready")
    remove(ready)
    argv = command([churn, str(pairs), str(threads), ready])
    p = start(argv, {})
    try:
        deadline = time.monotonic() + 60
        pid = find(churn, p.pid, deadline)
        while not os.path.exists(ready):
            if time.monotonic() > deadline or p.poll() is not None:
                raise Failure("churn does not come to its end")
            time.sleep(0.01)
        time.sleep(quiet_s)
        result = private_dirty(pid)[0], region_bytes(environment(pid).get("HEAPLEDGER_REGION"))
    finally:
        remove(ready)
    finish(p, argv)
    return result


def judge(name, dirty, tree, targets, rows, region=None):
    nodes, threads = tree["stack_nodes"], tree["threads"]
    limit = 12 * MIB + 32 * nodes + 64 * 1024 * threads
    room = 2 * SLOT * threads
    slots, tables = region or (None, None)
    rows.append([name, str(threads), str(nodes), figure(dirty / MIB), figure(limit / MIB)] +
                ([figure(v / MIB) for v in (slots, room, tables)] if region else ["-"] * 3))
    bench_line(bench="memory", program=name, threads=threads, nodes=nodes, private_bytes=dirty, private_limit=limit,
               slot_bytes=slots, slot_limit=room if region else None, table_bytes=tables)
    targets.at_most("memory, %s: private MiB" % name, dirty / MIB, limit / MIB, "%.2f")
    if region:
        targets.at_most("memory, %s: resident MiB of the region's slots" % name, slots / MIB, room / MIB, "%.2f")
    note("memory, %s: %.2f MiB private" % (name, dirty / MIB))


def bench(args, targets, work):
    rows = []
    trace = os.path.join(work, "memory.hl")
    churn = build_churn(work)
    for threads in (0, *args.threads):
        pairs = int(2000000 * args.scale) // (threads or 1) + 1000
        plain, _ = held(churn, threads, pairs, lambda argv: argv, work, args.quiet_seconds)
        remove(trace)
        dirty, region = held(churn, threads, pairs, lambda argv: traced_command("run", trace, argv)[0], work,
                             args.quiet_seconds)
        judge("churn, %d threads" % threads if threads else "malloc-bound", dirty - plain, check_losses(trace), targets, rows, region)
    for name, (argv, env) in workloads(work, args).items():
        if name == "malloc-bound":
            continue
        command, _ = traced_command("run", trace, argv)
        remove(trace)
        try:
            plain, dirty = (dirty_at_exit(argv[0], c, env) for c in (argv, command))
        except NotAllowed as e:
            targets.skip("memory, %s: private MiB" % name, str(e))
            continue
        judge(name, dirty - plain, check_losses(trace), targets, rows)
    table("Memory that tracing adds, MiB", ["program", "threads", "stack nodes", "private", "limit", "slots", "limit",
                                                "tables"], rows)
