"""sshd.py - OpenSSH's server: listener, monitor, sandboxed child before the login, session.  Only root can have all of them."""
import os
import re
import shutil
import signal
import socket
import subprocess

from ledger import Failure
from serving import await_that, health, open_directory, same, serving, stop, tracing
from traced import TIMEOUT

PRIVSEP = "/run/sshd"
CONFIG = """
ListenAddress 127.0.0.1:%d
HostKey %s/host
AuthorizedKeysFile %s/authorized
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
LogLevel VERBOSE
SetEnv HOME=%s
Subsystem sftp internal-sftp
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def listens(port):
    with open("/proc/net/tcp", encoding="ascii") as f:
        return any(re.match(r" *\d+: 0100007F:%04X \S+ 0A" % port, line) for line in f)


def below(pid):
    """The processes below pid."""
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid), encoding="ascii") as f:
            children = [int(p) for p in f.read().split()]
    except OSError:
        return []
    return children + sum(map(below, children), [])


def sandboxed(pid):
    """Those below pid that a seccomp filter confines."""
    found = []
    for p in below(pid):
        try:
            with open("/proc/%d/status" % p, encoding="ascii", errors="replace") as f:
                found += [p] if re.search(r"^Seccomp:\t2$", f.read(), re.M) else []
        except OSError:
            continue
    return found


def knock(port, server):
    """What a client that says who it is and then nothing is told; meanwhile the child that talks to it is in its sandbox."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as s:
        s.sendall(b"SSH-2.0-knock\r\n")
        f = s.makefile("rb")
        banner = f.readline()
        await_that(lambda: sandboxed(server.pid), "no process before the login is in a sandbox")
        inside = sandboxed(server.pid)
        # read to the end: a close over unread text is a reset, another line in the log
        s.shutdown(socket.SHUT_WR)
        f.read()
        return banner, inside


def session(here, prefix, port):
    """[answers], the log without numbers that change, the children that were in the sandbox."""
    with open("conf", "w", encoding="ascii") as f:
        f.write(CONFIG % (port, here, here, here))
    common = ["-F", "none", "-i", "key", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=known", "-o", "BatchMode=yes",
              "-o", "LogLevel=ERROR", "-o", "IdentitiesOnly=yes"]
    ssh = ["ssh", *common, "-p", str(port), "127.0.0.1"]
    log = "sshd.log"
    answers = []

    def ask(argv, text=b""):
        r = subprocess.run(argv, input=text, capture_output=True, timeout=TIMEOUT, check=False)
        answers.append((r.returncode, r.stdout, r.stderr))

    with serving([*prefix, shutil.which("sshd") or "/usr/sbin/sshd", "-D", "-e", "-f", here + "/conf"], lambda: listens(port),
                 log=log) as p:
        banner, inside = knock(port, p)
        answers.append(banner)
        ask([*ssh, "echo hello; id -u; seq 3; echo wrong >&2; exit 7"])
        ask([*ssh, "cat"], b"0123456789abcdef" * 100000)
        ask(["ssh", *common, "-o", "Compression=yes", "-tt", "-p", str(port), "127.0.0.1", "exec stty -a"])
        ask(["sftp", *common, "-P", str(port), "-b", "-", "127.0.0.1"], b"ls -1 %s/conf\nget %s/conf got\n" % ((here.encode(),) * 2))
        ask(["ssh", *[w.replace("key", "other", 1) if w == "key" else w for w in common], "-p", str(port), "127.0.0.1", "id"])
        ask([*ssh, "kill -9 $$"])
        several = [subprocess.Popen([*ssh, "read x; echo $x %d" % n], stdin=subprocess.PIPE, stdout=subprocess.PIPE) for n in range(3)]
        answers += [(s.communicate(b"text\n", timeout=60)[0], s.returncode) for s in several]
        await_that(lambda: not any(map(serves, below(p.pid))), "sessions stay")
        answers.append(stop(p, signal.SIGTERM))
    # whether a session's end or the client's goodbye comes first is a race, and says who logs the end
    with open(log, encoding="utf-8", errors="replace") as f:
        lines = sorted(re.sub(r"port \d+|pid \d+", "N", line) for line in f if not line.startswith("Close session:"))
    return answers, lines, inside


def serves(pid):
    """Is it a process of a connection?"""
    try:
        with open("/proc/%d/cmdline" % pid, encoding="utf-8", errors="replace") as f:
            text = f.read()
    except OSError:
        return False
    return text.startswith("sshd: ") and "[listener]" not in text


def sshd():
    made = not os.path.isdir(PRIVSEP)
    os.makedirs(PRIVSEP, mode=0o755, exist_ok=True)
    try:
        with open_directory() as here:
            for name in ("host", "key", "other"):
                subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", name], check=True)
            shutil.copy("key.pub", "authorized")
            port = free_port()
            plain, log, _ = session(here, [], port)
            traced, traced_log, inside = session(here, tracing(here), port)
            same(plain, traced)
            same(log, traced_log)
            if [a[0] for a in plain[1:7]] != [7, 0, 0, 0, 255, 255]:
                raise Failure("the sessions did not work: %r" % plain)
            trees = health()
            if not set(inside) <= set(trees):
                raise Failure("the sandboxed child left no trace")
            return "%d traces, %d answers, sandboxed child %s" % (len(trees), len(plain), trees[inside[0]][-1]["end"])
    finally:
        if made:
            os.rmdir(PRIVSEP)
