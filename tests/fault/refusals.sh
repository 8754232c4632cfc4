#!/bin/bash
# refusals.sh - what `heapledger run` refuses, how it ends, and what it leaves behind.
# timeout: 120
# shellcheck disable=SC2012,SC2016 # names are ours; the scripts in single quotes are for the traced shell
set -u
build=${HL_BUILD:?}
hl=$build/heapledger
dir=$(mktemp -d) && chmod 755 "$dir" && cd "$dir" || exit 1
PY=/usr/bin/python3 # not a shim of some version manager
trap 'cd /; umount "$dir/small" 2>/dev/null; rm -rf "$dir"' EXIT
broken=0

promise() { # NAME CONDITION...
	local name=$1
	shift
	if "$@"; then
		echo "ok $name"
	else
		echo "not ok $name: $(head -c 300 err)"
		broken=$((broken + 1))
	fi
}
# run NAME STATUS PATTERN COMMAND...: the status, and the pattern in what is printed on stderr
ends() {
	local name=$1 status=$2 pattern=$3 got
	shift 3
	"$@" >out 2>err </dev/null
	got=$?
	promise "$name (status $got, not $status)" [ "$got" = "$status" ]
	promise "$name (no \"$pattern\")" grep -q -- "$pattern" err
}
quiet() { # the same without a word on stderr
	local name=$1 status=$2
	shift 2
	"$@" >out 2>err </dev/null
	local got=$?
	promise "$name (status $got, not $status)" [ "$got" = "$status" ]
	promise "$name (stderr not empty)" [ ! -s err ]
}
cc() { gcc -x c -o "$1" - "${@:2}" 2>/dev/null; }
wait_for() { # up to 20 s for a command to be true
	for _ in $(seq 400); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.05
	done
	return 1
}
gone() { ! kill -0 "$1" 2>/dev/null; }

echo 'int main(void) { return 0; }' >zero.c
gcc -o zero zero.c && gcc -static -o static zero.c

# ---- refused before anything starts ----
ends "a missing command is 127" 127 "command not found" "$hl" run -- no-such-command-here
ends "a missing path is 127" 127 "no such file" "$hl" run -- ./missing
echo hello >plain && chmod 644 plain
ends "a file that is not executable is 126" 126 "ermission denied" "$hl" run -- ./plain
ends "a directory is 126" 126 "ermission denied" "$hl" run -- /tmp
printf '#!/no/such/interpreter\n' >bad && chmod +x bad
ends "a script with a bad interpreter is 126" 126 "bad interpreter" "$hl" run -- ./bad
printf '#!/usr/bin/env no-such-interp\n' >bad && chmod +x bad
ends "a script whose env finds nothing is 127" 127 "no-such-interp" "$hl" run -- ./bad
ends "no command is a usage error" 2 "no command" "$hl" run
ends "an unknown option is a usage error" 2 "unknown option" "$hl" run --tasting 4 -- ./zero
ends "a sample of nothing is a usage error" 2 "sample" "$hl" run --sample 0 -- ./zero
ends "a depth of 0 is a usage error" 2 "depth" "$hl" run --depth 0 -- ./zero
ends "a buffer below 2M is a usage error" 2 "buffer" "$hl" run --buffer 1M -- ./zero
ends "on-full knows two words" 2 "on-full" "$hl" run --on-full never -- ./zero
ends "an unknown letter after % is a usage error" 2 "%x" "$hl" run -o a.%x -- ./zero
[ -x static ] && ends "a static program is refused" 125 "statically linked" "$hl" run -- ./static
printf '#!%s/static\n' "$dir" >script && chmod +x script
[ -x static ] && ends "a script with a static interpreter is refused" 125 "statically linked" "$hl" run -- ./script
if [ "$(id -u)" = 0 ]; then
	cp zero setuid && chown 65534 setuid && chmod 4755 setuid
	cp zero setgid && chgrp 65534 setgid && chmod 2755 setgid
	ends "a setuid program is refused" 125 "setuid" "$hl" run -- ./setuid
	ends "a setgid program is refused" 125 "setgid" "$hl" run -- ./setgid
fi
gcc -fsanitize=address -o asan zero.c 2>/dev/null && ends "an ASan build is refused" 125 "sanitizer" "$hl" run -- ./asan
clang -fsanitize=address -o asanc zero.c 2>/dev/null && ends "a static ASan is refused" 125 "sanitizer" "$hl" run -- ./asanc
cp zero foreign && printf '\xb7\x00' | dd of=foreign bs=1 seek=18 conv=notrunc 2>/dev/null
ends "another machine's program is refused" 125 "another machine" "$hl" run -- ./foreign
cp zero bits && printf '\x01' | dd of=bits bs=1 seek=4 conv=notrunc 2>/dev/null
ends "a 32-bit program is refused" 125 "32-bit\|damaged" "$hl" run -- ./bits
head -c 100 ./zero >./cut && chmod +x cut
ends "a damaged program is refused" 125 "." "$hl" run -- ./cut
mkdir "with space" && cp "$build/libheapledger.so" "with space/"
ends "a library path with a space is refused" 125 "space" env HEAPLEDGER_LIBRARY="$dir/with space/libheapledger.so" "$hl" run -- ./zero
mkdir "with:colon" && cp "$build/libheapledger.so" "with:colon/"
ends "a library path with a colon is refused" 125 "colon" env HEAPLEDGER_LIBRARY="$dir/with:colon/libheapledger.so" "$hl" run -- ./zero
ends "a missing library is refused" 125 "library" env HEAPLEDGER_LIBRARY=/nowhere.so "$hl" run -- ./zero
touch exists.hl
ends "an existing output is refused" 125 "exists" "$hl" run -o exists.hl -- ./zero
promise "a refused output is left alone" [ ! -s exists.hl ]
ln -s exists.hl link.hl
ends "a symbolic link is refused" 125 "symbolic link" "$hl" run -o link.hl -- ./zero
ends "a symbolic link is refused with --force" 125 "symbolic link" "$hl" run --force -o link.hl -- ./zero
ends "a missing directory is refused" 125 "cannot write" "$hl" run -o nowhere/a.hl -- ./zero
mkdir open && chmod 777 open
ends "a directory open to all is refused" 125 "sticky" "$hl" run -o open/a.hl -- ./zero
mkfifo fifo.hl
ends "a fifo is refused" 125 "not a regular" "$hl" run --force -o fifo.hl -- ./zero
ends "a refused output starts nothing" 125 "exists" "$hl" run -o exists.hl -- touch started
promise "a refused output starts nothing" [ ! -e started ]
promise "refusals leave no trace behind" [ -z "$(find . -maxdepth 1 \( -name '*.hl' -o -name 'heapledger.*' \) ! -name exists.hl ! -name link.hl ! -name fifo.hl)" ]

# ---- doctor says the same ----
"$hl" doctor ./zero >out 2>err
promise "doctor: a plain program is fine" [ $? = 0 ]
promise "doctor: rows are verdict, name, text" [ -z "$(grep -vE '^(ok|warning|refused) +[a-z-]+ +[^ ]' out)" ]
[ -x static ] && { "$hl" doctor ./static >out 2>err; promise "doctor: 125 for what run refuses" [ $? = 125 ]; }
promise "doctor: names the reason" grep -q "^refused .*statically" out
"$hl" doctor no-such-command-here >out 2>err
promise "doctor: 125 for a missing command" [ $? = 125 ]
promise "doctor: and names it" grep -q "^refused .*no-such-command-here: command not found" out
gcc -g -o debug zero.c && "$hl" doctor ./debug >out 2>err
promise "doctor: debug information is seen" grep -q "^ok *debug" out
gcc -Wl,--build-id=none -o noid zero.c && "$hl" doctor ./noid >out 2>err
promise "doctor: a missing build-id is a warning" grep -q "^warning *build-id" out
printf '#include <stddef.h>\nvoid *malloc(size_t n) { (void)n; return NULL; }\nint main(void) { return 0; }' | cc ownmalloc -fno-builtin -rdynamic
"$hl" doctor ./ownmalloc >out 2>err
promise "doctor: an own malloc is a warning" grep -q "^warning *allocator" out

# ---- statuses are the command's ----
quiet "status 0" 0 "$hl" run -q -- ./zero
quiet "status 42" 42 "$hl" run -q -- sh -c 'exit 42'
for s in TERM KILL SEGV ABRT; do
	"$hl" run -q -- sh -c "kill -$s \$\$" >out 2>err
	promise "death by $s is re-raised" [ $? = $((128 + $(kill -l $s))) ]
done
$PY - "$hl" >out 2>err <<'P'
import subprocess, sys, os, signal
p = subprocess.run([sys.argv[1], "run", "-q", "--", "sh", "-c", "kill -SEGV $$"], stderr=subprocess.DEVNULL)
sys.exit(0 if p.returncode == -signal.SIGSEGV else 1)
P
promise "a signal death is seen as one by wait" [ $? = 0 ]
promise "no core of ours" [ -z "$(ls core* 2>/dev/null)" ]
printf 'echo by-shell $#\n' >noline && chmod +x noline
"$hl" run -q -- ./noline a b >out 2>err
promise "a script without #! is run by sh, with its arguments" grep -q "by-shell 2" out

# ---- the command gets what run got ----
$PY - "$hl" >out 2>err <<'P'
import os, subprocess, sys
code = "import os; print(sorted((f, os.readlink('/proc/self/fd/'+f)) for f in os.listdir('/proc/self/fd') if os.path.exists('/proc/self/fd/'+f)))"
def go(pre, **kw):
    return subprocess.run(pre + [sys.executable, "-c", code], stdin=subprocess.DEVNULL, stdout=open("got", "wb"), **kw) and open("got").read()
a = go([]); b = go([sys.argv[1], "run", "-q", "--"])
strip = lambda s: [x for x in eval(s) if "/proc/" not in x[1]]
sys.exit(0 if strip(a) == strip(b) else print(a, b, file=sys.stderr) or 1)
P
promise "no descriptor is added" [ $? = 0 ]
(exec 0<&- 1>&-; "$hl" run -q -- $PY -c 'import os,sys
sys.exit(sum(os.path.exists("/proc/self/fd/%d" % f) and "memfd" in os.readlink("/proc/self/fd/%d" % f) for f in range(20)))') 2>err
promise "closed standard streams do not become ours" [ $? = 0 ]
(trap '' INT HUP; $PY -c 'import signal,os,sys
signal.pthread_sigmask(signal.SIG_BLOCK,[signal.SIGUSR1]); signal.signal(signal.SIGCHLD, signal.SIG_IGN)
if os.fork()==0:
    os.execvp(sys.argv[1], sys.argv[1:])
try: os.wait()
except ChildProcessError: pass' grep -E '^Sig(Blk|Ign)' /proc/self/status >want)
(trap '' INT HUP; $PY -c 'import signal,os,sys
signal.pthread_sigmask(signal.SIG_BLOCK,[signal.SIGUSR1]); signal.signal(signal.SIGCHLD, signal.SIG_IGN)
if os.fork()==0:
    os.execvp(sys.argv[1], sys.argv[1:])
try: os.wait()
except ChildProcessError: pass' "$hl" run -q -- grep -E '^Sig(Blk|Ign)' /proc/self/status >out 2>err)
promise "signal mask and ignored signals are as found" cmp -s want out
LD_PRELOAD=libm.so.6 "$hl" run -q -- sh -c 'echo $LD_PRELOAD' >out 2>err
promise "the user's preloads stay, behind ours" grep -q "libheapledger.so:libm.so.6" out
HEAPLEDGER_OPTIONS=depth=3 "$hl" run -q -- sh -c 'echo $HEAPLEDGER_OPTIONS' >out 2>err
promise "options in the environment stay, in front of ours" grep -q "^depth=3,depth=64," out

# ---- signals to run ----
cat >counter.py <<'P'
import signal, sys, time, os
n = {}
def h(s, f): n[s] = n.get(s, 0) + 1
for s in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGHUP, signal.SIGCONT, signal.SIGQUIT, signal.SIGWINCH): signal.signal(s, h)
open("ready", "w").write("x")
end = time.time() + float(sys.argv[1])
while time.time() < end: time.sleep(0.02)
print(sorted((int(s), c) for s, c in n.items()))
sys.exit(5)
P
rm -f ready
"$hl" run -q -- $PY counter.py 1 >out 2>err &
p=$!
wait_for test -e ready
for s in TERM INT USR1 HUP QUIT WINCH; do kill -$s $p; sleep 0.05; done
wait $p
promise "the status survives signals" [ $? = 5 ]
promise "each signal sent to run reaches the command once" grep -qF "[(1, 1), (2, 1), (3, 1), (10, 1), (15, 1), (28, 1)]" out
$PY - "$hl" >out 2>err <<'P'
import os, pty, sys, time, signal, re, subprocess
# A terminal: Ctrl-C reaches the command once; Ctrl-Z stops run too; continuing the command alone wakes run.
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], "run", "-q", "-o", "tty.hl", "--", "/usr/bin/python3", "counter.py", "4"])
os.path.exists("ready") and os.remove("ready")
def until(f, t=8):
    end = time.time() + t
    while time.time() < end:
        if f(): return True
        time.sleep(0.02)
    return False
def state(p): return open("/proc/%d/stat" % p).read().rsplit(")", 1)[1].split()[0]
ok = until(lambda: os.path.exists("ready"))
kids = [int(k) for k in open("/proc/%d/task/%d/children" % (pid, pid)).read().split()]
child = [k for k in kids if "python3" in open("/proc/%d/cmdline" % k).read() and open("/proc/%d/comm" % k).read() != "hl-collector\n"][0]
os.write(fd, b"\x03")
time.sleep(0.2)
os.kill(child, signal.SIGSTOP)
if not until(lambda: state(pid) == "T"): sys.exit("run did not stop with the command")
os.kill(child, signal.SIGCONT)
if not until(lambda: state(pid) != "T"): sys.exit("run stayed stopped when the command went on")
os.kill(child, signal.SIGSTOP)
if not until(lambda: state(pid) == "T"): sys.exit("run did not stop a second time")
os.kill(pid, signal.SIGCONT)
if not until(lambda: state(child) != "T"): sys.exit("SIGCONT to run did not continue the command")
out = b""
try:
    while True:
        b = os.read(fd, 4096)
        if not b: break
        out += b
except OSError: pass
_, st = os.waitpid(pid, 0)
if os.waitstatus_to_exitcode(st) != 5: sys.exit("status %r" % st)
m = re.search(rb"\[.*\]", out)
print(m.group(0) if m else out)
d = dict(eval(m.group(0)))
if d.get(2) != 1: sys.exit("Ctrl-C came %r times" % d.get(2))
if d.get(18) != 2: sys.exit("SIGCONT came %r times" % d.get(18))
P
promise "job control as without run" [ $? = 0 ]

# ---- processes ----
"$hl" run -o tree.hl -- sh -c 'ls >/dev/null; exec true' >out 2>err
promise "every program has a trace" [ "$(ls tree.hl* | wc -l)" -ge 3 ]
promise "one line a trace" [ "$(grep -c 'events' err)" = "$(ls tree.hl* | wc -l)" ]
promise "the next command is named" grep -q "next: heapledger stats tree.hl" err
[ -x static ] && { "$hl" run -o untraced.hl -- sh -c './static; ./static; :' >out 2>err
promise "programs that could not be traced are counted" [ "$("$hl" info untraced.hl --format json | grep -c '"lost_programs": 2,')" = 1 ]
promise "... and told at the end" grep -q "2 programs not traced" err
"$hl" run -o replaced.hl -- sh -c 'exec sh -c "./static; :"' >out 2>err
promise "... also of a command that was replaced by another" grep -q "1 programs not traced" err; }
echo '#include <unistd.h>
unsigned la_version(unsigned v) { sleep(1); return v; }' >slow.c
gcc -shared -fPIC -o slow.so slow.c && {
"$hl" run -o slow.hl -- sh -c 'LD_AUDIT=./slow.so ls >/dev/null & sleep 0.2; exec sleep 2' >out 2>err
promise "... nor one that is still starting when the command is replaced by another" [ "$(grep -c '^heapledger: ls ' err) $(grep -c 'not traced' err)" = "1 0" ]; }
echo '#include <unistd.h>
unsigned la_version(unsigned v) { return v ? _exit(0), v : v; }' >quits.c
gcc -shared -fPIC -o quits.so quits.c && {
"$hl" run -o many.hl -- sh -c 'for i in 1 2 3 4 5 6 7 8 9 10 11; do /bin/true; done; exec sh -c "LD_AUDIT=./quits.so ls; :"' >out 2>err
promise "... told also where there are too many traces to tell of each" [ "$(grep -c 'more traces' err) $(grep -c '1 programs not traced' err)" = "1 1" ]
promise "... and noted in the command's last trace" [ "$(cat many.hl* | wc -c) $(for f in many.hl*.2; do "$hl" info "$f" --format json; done | grep -c '"lost_programs": 1,')" = "$(cat many.hl* | wc -c) 1" ]; }
"$hl" run -o failed.hl -- sh -c './no-such-program; ./plain; exec true' >out 2>err
promise "... those that did not start at all are not" grep -q "nothing lost: failed.hl" err
"$hl" run -q -o daemon.hl -- sh -c '(sleep 1; ls >/dev/null; exec sleep 0.2) >/dev/null 2>&1 & echo $!' >out 2>err
promise "run returns while a daemon goes on" [ $? = 0 ]
d=$(cat out)
promise "... the daemon lives" kill -0 "$d"
promise "... and its later programs are traced" wait_for sh -c "ls daemon.hl.* | grep -v daemon.hl.$d | grep -q . "
collectors() { for c in $(pgrep -x hl-collector); do readlink "/proc/$c/cwd"; done | grep -cxF "$dir"; }
none_left() { [ "$(collectors)" = 0 ]; }
promise "... the collector ends with it" wait_for none_left
for f in daemon.hl*; do
	promise "... and $f is finished" wait_for "$hl" info "$f"
done
rm -f ready
"$hl" run -q -o orphan.hl -- $PY counter.py 1 >out 2>err &
p=$!
wait_for test -e ready
kill -KILL $p
wait $p 2>/dev/null
promise "when run is killed the trace is completed" wait_for sh -c "tail -c 8 orphan.hl | grep -q ENDTARL1"
rm -f ready
"$hl" run -q -o lost.hl -- $PY counter.py 2 >out 2>err &
p=$!
wait_for test -e ready
kill -KILL "$(pgrep -P $p -x hl-collector)"
start=$(date +%s)
wait $p
promise "a killed collector does not harm the command (status)" [ $? = 5 ]
promise "... nor hang it" [ $(($(date +%s) - start)) -le 4 ]
promise "... and is told" grep -q "collector is gone" err

# ---- snapshot PID ----
rm -f ready
"$hl" run -q -o snap.hl -- $PY counter.py 2 >out2 2>err2 &
p=$!
wait_for test -e ready
c=$(pgrep -P $p -x python3)
"$hl" snapshot "$c" --label here >out 2>err
promise "snapshot of an idle program" [ $? = 0 ]
promise "... says so" grep -q "^snapshot of $c: here, stamp [0-9]" out
ends "snapshot of an untraced process" 1 "not traced" "$hl" snapshot $$
ends "snapshot of a name" 2 "snapshot: 'app' is not a process id" "$hl" snapshot app
ends "snapshot of no process" 1 "no such process" "$hl" snapshot 4194000
kill -KILL "$(pgrep -P $p -x hl-collector)"
ends "snapshot without a collector" 1 "collector" "$hl" snapshot "$c"
wait $p

# ---- a full disk ----
mkdir small
if mount -t tmpfs -o size=64k none small 2>/dev/null; then
	chmod 755 small
	PYTHONMALLOC=malloc "$hl" run -o small/full.hl -- $PY -c 'l=[str(i)*9 for i in range(400000)]; print(len(l))' >out 2>err
	promise "a full disk leaves the command alone" [ $? = 0 ]
	promise "... its output too" grep -q 400000 out
	promise "... and is told once" [ "$(grep -c 'trace is incomplete' err)" = 1 ]
	promise "... with the number of bytes" grep -q "bytes of records not written" err
	"$hl" stats small/full.hl >out 2>err
	promise "... and by every report on the trace" grep -q "not finished.*disk was full" err
	rm small/full.hl && dd if=/dev/zero of=small/fill bs=4k 2>/dev/null
	"$hl" run -o small/full.hl -- sh -c "$PY -c 'print(1)'; $PY -c 'print(2)'; $PY -c 'print(3)'" >out 2>err
	promise "a trace that could not be created is told without a wrong reason" \
		[ "$(grep -c 'No such file' err)" = 0 ]
	umount small
fi
env LD_PRELOAD="$build/libheapledger.so" HEAPLEDGER_OUTPUT="$dir/bare.hl" $PY -c 'print(len([str(i) for i in range(4000)]))' >out 2>err
promise "a bare trace's size is what it takes, not what it may take" \
	[ "$("$hl" info bare.hl 2>/dev/null | awk '/^bytes per event/ { print ($4 > 0 && $4 < 1000) }')" = 1 ]
promise "... and that is told" \
	[ "$("$hl" info bare.hl --format json 2>/dev/null | grep -c '"disk_size": *[1-9]')" = 1 ]
(ulimit -f 16; "$hl" run --buffer 2M -o limit.hl -- $PY -c 'print(len([str(i)*9 for i in range(400000)]))' >out 2>err)
promise "a buffer that ulimit -f forbids is refused" grep -q "ulimit" err
(ulimit -S -f 4096; "$hl" run -o limit.hl -- $PY -c 'print(len([str(i)*9 for i in range(4000)]))' >out 2>err)
promise "under a file size limit the buffer shrinks" [ $? = 0 ]

[ "$broken" = 0 ]
