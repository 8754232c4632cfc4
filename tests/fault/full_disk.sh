#!/bin/sh
# full_disk.sh - a file system that is full, or becomes full, harms no program whose trace is on it, and what did not fit
# is counted.  Needs root: the file systems are mounted in a mount namespace of their own.
# timeout: 120
set -u
if [ -z "${FULL_DISK_INSIDE:-}" ]; then
	if ! unshare -m --propagation private true 2>/dev/null; then
		echo "SKIP: full_disk: no mount namespace may be made here"
		exit 0
	fi
	FULL_DISK_INSIDE=1 exec unshare -m --propagation private sh "$0"
fi
hl=$HL_BUILD/heapledger
lib=$HL_BUILD/libheapledger.so
failed=0

verdict() { # STATUS NAME [WHY]
	if [ "$1" -eq 0 ]; then
		echo "ok $2"
	else
		echo "not ok $2: ${3:-}"
		failed=1
	fi
}

# Some 2 MiB of records, by two threads; a halt in the middle where a file is named that has to come; a child.
cat >program.c <<'END'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
static void *work(void *p)
{
	unsigned n = *(unsigned *)p, sum = 0;
	for (unsigned i = 0; i < n; i++) {
		unsigned char *volatile block = malloc((i * 7919u) % 3000 + 1);
		sum += block[0] = (unsigned char)i;
		if (i % 3)
			free(block);
	}
	*(unsigned *)p = sum;
	return NULL;
}
static void twice(unsigned n)
{
	unsigned a = n, b = n;
	pthread_t t;
	if (pthread_create(&t, NULL, work, &a))
		exit(1);
	work(&b);
	pthread_join(t, NULL);
	printf("%u %u\n", a, b);
}
int main(int argc, char **argv)
{
	int status = 0;
	twice(20000);
	if (argc > 1) {
		fclose(fopen("half", "w"));
		while (access(argv[1], F_OK))
			usleep(1000);
	}
	twice(200000);
	fflush(stdout);
	if (fork() == 0) {
		twice(1000);
		fflush(stdout);
		_exit(9);
	}
	wait(&status);
	printf("child %d\n", WEXITSTATUS(status));
	return 4;
}
END
gcc -g -O1 -pthread -o program program.c || exit 1
./program >want
mkdir disk

field() { # TRACE KEY: its number in info's JSON
	"$hl" info "$1" --format json 2>/dev/null | sed -n "s/^ \"$2\": \([0-9]*\),\$/\1/p"
}

began=0
bare() { # COMMAND...: traced to the full file system, by the library alone
	began=$(date +%s)
	timeout 20 env LD_PRELOAD="$lib" HEAPLEDGER_OUTPUT="$PWD/disk/t.hl" "$@" >out 2>err
}

unharmed() { # STATUS NAME: after a traced run
	[ "$1" = 4 ] && cmp -s want out && [ ! -s err ]
	verdict $? "$2: the program is as without us" "status $1; $(head -c 300 out err)"
	[ $(($(date +%s) - began)) -le 5 ]
	verdict $? "$2: nor does it take long" "$(($(date +%s) - began)) s"
}

# Of a file system that copies on write: a page that was written out takes new space when it is written again.
none_there() { # NAME
	! [ -e disk/t.hl ]
	verdict $? "$1: there is no trace at all" "$(ls -l disk)"
}

cut_short() { # NAME: the trace is there, says what it lacks, and the rest of it is true
	if [ "${1#btrfs}" != "$1" ]; then
		none_there "$1"
		return
	fi
	[ "$(field disk/t.hl damaged_blocks)" = 0 ] && [ "$(field disk/t.hl events)" -gt 20000 ]
	verdict $? "$1: what fitted can be read" "$("$hl" info disk/t.hl 2>&1 | head -c 500)"
	[ "$(field disk/t.hl lost_full)" -gt 1000 ]
	verdict $? "$1: what did not is counted" "lost_full: $(field disk/t.hl lost_full)"
	name=$1
	set -- disk/t.hl.*
	[ -e "$1" ] || [ "$(field disk/t.hl lost_programs)" = 1 ]
	verdict $? "$name: so is a child without a trace" "lost_programs: $(field disk/t.hl lost_programs)"
	"$hl" stats disk/t.hl >stats.out 2>stats.err
	grep -q "lost" stats.err
	verdict $? "$name: a report on it says so" "$(head -c 300 stats.err)"
}

try() { # NAME
	bare ./program
	unharmed $? "$1, filled by the trace"
	cut_short "$1, filled by the trace"
	rm -f disk/t.hl*

	rm -f half go
	(
		while ! [ -e half ]; do sleep 0.01; done
		dd if=/dev/zero of=disk/fill bs=4k
		: >go
	) 2>/dev/null &
	bare ./program go
	unharmed $? "$1, filled by another in the middle"
	wait
	cut_short "$1, filled by another in the middle"
	rm -f disk/t.hl*

	dd if=/dev/zero of=disk/fill bs=4k 2>/dev/null
	bare ./program
	unharmed $? "$1, full from the start"
	! [ -e disk/t.hl ]
	verdict $? "$1, full from the start: nothing is left behind" "$(ls -l disk)"
	rm -f disk/fill disk/t.hl*

	rm -f half go
	(
		while ! [ -e half ]; do sleep 0.01; done
		dd if=/dev/zero of=disk/fill bs=4k
		: >go
	) 2>/dev/null &
	"$hl" run -o disk/t.hl -- ./program go >out 2>err
	status=$?
	wait
	[ $status = 4 ] && cmp -s want out
	verdict $? "$1, filled by another under run: the program is as without us" "status $status; $(head -c 300 out err)"
	grep -q "trace is incomplete" err && grep -q "not written" err
	verdict $? "$1, filled by another under run: run says what is missing" "$(cat err)"
	"$hl" stats disk/t.hl >stats.out 2>stats.err && grep -q "not finished" stats.err
	verdict $? "$1, filled by another under run: so does a report" "$(head -c 300 stats.err)"
	rm -f disk/fill disk/t.hl*
}

if mount -t tmpfs -o size=1m none disk 2>/dev/null; then
	try "a tmpfs"
	umount disk
else
	echo "SKIP: a tmpfs: not permitted to mount one"
fi
for fs in ext4 xfs btrfs; do
	truncate -s 400M image
	case $fs in
	ext4) truncate -s 3M image && mkfs.ext4 -q -F -m 0 -O ^has_journal image ;;
	xfs) mkfs.xfs -q -f -l size=64m image ;;
	btrfs) mkfs.btrfs -q -f image ;;
	esac >/dev/null 2>&1
	if mount -o loop -t $fs image disk 2>/dev/null; then
		# leave it about a MiB
		room=$(df --output=avail -k disk | tail -1)
		[ "$room" -le 1500 ] || dd if=/dev/zero of=disk/ballast bs=1k count=$((room - 1100)) 2>/dev/null
		sync
		try "$fs"
		umount disk
	else
		echo "SKIP: $fs: not permitted to mount one, or mkfs.$fs is missing"
	fi
	rm -f image
done
exit $failed
