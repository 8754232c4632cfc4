#!/bin/sh
# collector_death.sh - a collector that is killed or stopped never hangs the program.
# timeout: 120
set -u
hl=$HL_BUILD/heapledger
failed=0
cat >busy.c <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int main(void)
{
	void *volatile p;
	FILE *f = fopen("pid", "w");

	fprintf(f, "%d\n", (int)getpid());
	fclose(f);
	while (access("go", F_OK))
		usleep(1000);
	for (long i = 0; i < 3000000; i++) {
		p = malloc((size_t)(i % 100));
		free(p);
	}
	f = fopen("done", "w");
	return fclose(f);
}
END
gcc -g -O1 -o busy busy.c || exit 1

# SIGNAL NAME
try() {
	rm -f pid go "done" t.hl*
	"$hl" run -q --buffer 2M -o t.hl -- ./busy &
	collector=$!
	i=0
	while ! [ -s pid ] && [ $i -lt 100 ]; do
		sleep 0.1
		i=$((i + 1))
	done
	program=$(cat pid) || return
	kill -"$1" $collector
	: >go
	i=0
	while ! [ -e "done" ] && [ $i -lt 200 ]; do
		sleep 0.1
		i=$((i + 1))
	done
	if [ -e "done" ]; then
		echo "ok $2"
	else
		echo "not ok $2: no end after 20 s"
		failed=1
		kill -9 "$program"
	fi
	[ "$1" = KILL ] || kill -CONT $collector
	wait $collector 2>/dev/null
}

try KILL "a killed collector does not hang the program"
try STOP "a stopped collector does not hang the program"
if [ -e t.hl ] && "$hl" info t.hl >info.out 2>&1; then
	echo "ok the trace of a stopped collector can be read"
else
	echo "not ok the trace of a stopped collector can be read: $(head -c 300 info.out)"
	failed=1
fi
exit $failed
