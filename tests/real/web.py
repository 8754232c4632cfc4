"""web.py - nginx with two workers, reloaded and stopped gracefully; curl from a local server and from a file."""
import contextlib
import http.client
import http.server
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading

from ledger import Failure
from serving import await_that, health, open_directory, same, serving, tracing
from traced import program

CONFIG = """
daemon off; master_process on; worker_processes 2; pid nginx.pid; error_log error.log; %s
events { worker_connections 64; }
http {
	access_log off; client_body_temp_path tmp/b; proxy_temp_path tmp/p; fastcgi_temp_path tmp/f; uwsgi_temp_path tmp/u;
	scgi_temp_path tmp/s; gzip on; gzip_types *; gzip_proxied any;
	proxy_cache_path tmp/cache keys_zone=cache:1m;
	server {
		listen unix:%s/nginx.sock; root html;
		location /back/ { proxy_pass http://unix:%s/nginx.sock:/; proxy_cache cache; }
		location /long/ { rewrite ^/long/(.*)$ /$1 break; limit_rate 20m; }
	}
}
"""
REQUESTS = (("GET", "/", {}), ("GET", "/big", {}), ("GET", "/big", {"Accept-Encoding": "gzip"}), ("HEAD", "/big", {}),
            ("GET", "/big", {"Range": "bytes=1000-1099,5000-5010"}), ("GET", "/missing", {}), ("POST", "/", {}),
            ("GET", "/back/big", {"Accept-Encoding": "gzip"}), ("GET", "/back/", {}), ("GET", "/long/big", {}),
            ("GET", "/" + "x" * 20000, {}))


class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect("nginx.sock")


def fetch(requests, answers):
    c = Connection("localhost")
    for method, path, headers in requests:
        c.request(method, path, body=b"y" * 100 if method == "POST" else None, headers=headers)
        r = c.getresponse()
        kind = r.getheader("Content-Type") or ""
        body = r.read()
        if "boundary=" in kind:
            body = body.replace(kind.split("boundary=")[1].encode(), b"BOUNDARY")
        answers.append((path[:20], r.status, r.getheader("Content-Encoding"), body))
        if r.will_close:
            c.close()
    c.close()


def workers(master):
    with open("/proc/%d/task/%d/children" % (master, master), encoding="ascii") as f:
        return {int(p) for p in f.read().split()}


def nginx_session(here, prefix):
    remove(["nginx.sock", "nginx.pid", "error.log"])
    for name in ("tmp", "html"):
        shutil.rmtree(name, ignore_errors=True)
    os.makedirs("tmp")
    os.makedirs("html")
    with open("html/index.html", "w", encoding="ascii") as f:
        f.write("hello\n")
    with open("html/big", "w", encoding="ascii") as f:
        f.writelines("%d %d\n" % (i, i * i) for i in range(100000))
    with open("nginx.conf", "w", encoding="ascii") as f:
        f.write(CONFIG % ("user nobody nogroup;" if os.geteuid() == 0 else "", here, here))
    answers = []
    command = [*prefix, shutil.which("nginx") or "/usr/sbin/nginx", "-p", here, "-e", "error.log", "-c", here + "/nginx.conf"]
    with serving(command, lambda: os.path.exists("nginx.pid") and os.path.getsize("nginx.pid")) as p:
        with open("nginx.pid", encoding="ascii") as f:
            master = int(f.read())
        fetch(REQUESTS, answers)
        several = [[] for _ in range(4)]
        threads = [threading.Thread(target=fetch, args=(REQUESTS * 5, a)) for a in several]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        answers += sum(several, [])
        old = workers(master)
        os.kill(master, signal.SIGHUP)
        await_that(lambda: not old & workers(master) and len(workers(master)) >= 2, "the old workers do not go")
        fetch(REQUESTS, answers)
        new = workers(master)
        os.kill(master, signal.SIGQUIT)
        answers.append(p.wait(timeout=60))
    with open("error.log", encoding="utf-8", errors="replace") as f:
        bad = [line for line in f if any("[%s]" % level in line for level in ("warn", "crit", "alert", "emerg"))]
    if bad:
        raise Failure("nginx complains: %s" % bad[:3])
    return answers, master, old, new


def nginx():
    with open_directory() as here:
        plain = nginx_session(here, [])[0]
        traced, master, old, new = nginx_session(here, tracing(here))
        same(plain, traced)
        trees = health()
        missing = [pid for pid in (master, *old, *new) if pid not in trees]
        if missing:
            raise Failure("no trace of %s" % missing)
        ends = {pid: t[-1]["end"] for pid, t in trees.items() if t[-1]["end"] != "exit"}
        if ends:
            raise Failure("not ended by exit: %s" % ends)
        return "%d traces, %d answers" % (len(trees), len(plain))


class Pages(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def curl():
    """Three files at once and one in turn, by HTTP, by HTTPS and from a file."""
    with open("page", "w", encoding="ascii") as f:
        f.writelines("%d %d\n" % (i, i * i) for i in range(50000))
    with open("small", "w", encoding="ascii") as f:
        f.write("small\n")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-subj",
                    "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    texts = []
    for scheme in ("http", "https"):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
        if scheme == "https":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain("cert.pem", "key.pem")
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            url = "%s://127.0.0.1:%d/" % (scheme, server.server_address[1])
            common = ["curl", "-q", "-sS", "--cacert", "cert.pem", "--no-progress-meter"]
            outputs = ["one", "two", "three"]
            texts.append(program([*common, "-Z", url + "page", "-o", "one", url + "small", "-o", "two", url + "page", "-o", "three"],
                                 files=outputs, counts=False, fresh=lambda: remove([*outputs, "t.hl"])))
            texts.append(program([*common, url + "page", url + "none"], counts=scheme == "http", fresh=lambda: remove(["t.hl"])))
        finally:
            server.shutdown()
            server.server_close()
    texts.append(program(["curl", "-q", "-sS", "file://" + os.path.abspath("page")], fresh=lambda: remove(["t.hl"])))
    return "; ".join(texts)


def remove(names):
    for name in names:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
