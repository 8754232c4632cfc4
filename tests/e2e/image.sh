#!/bin/sh
# image.sh - the pointer image at the end of a process holds what the program says its memory and its registers hold.
# timeout: 120
. "$HL_ROOT/tests/lib/verdict.sh"
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
cc=${CC:-gcc}

"$cc" -O1 -g -Wall -Wextra -pthread -D_GNU_SOURCE -o image "$HL_ROOT/tests/e2e/image.c" || exit 1
"$cc" -O1 -g -std=gnu17 -D_GNU_SOURCE -I"$HL_ROOT" -I"$HL_ROOT/include" -o dump "$HL_ROOT/tests/lib/image_dump.c" \
	"$HL_BUILD"/analyzer/base/*.o "$HL_BUILD"/analyzer/input/*.o -lzstd -lm || exit 1

images() { # TRACE: complete images, given up ones
	"$hl" info --format json "$1" 2>/dev/null | tr -d '\n' | sed 's/.*"images": \([0-9]*\), *"images_given_up": \([0-9]*\).*/\1 \2/'
}

for way in return exit _exit quick_exit threads deaf; do
	for bare in '' bare; do
		rm -f t.hl*
		if [ $bare ]; then
			HEAPLEDGER_OUTPUT=t.hl LD_PRELOAD=$HL_BUILD/libheapledger.so ./image $way >said
		else
			"$hl" run -q -o t.hl ./image $way >said
		fi
		verdict "$way: the status is the program's $bare" 3 $?
		./dump t.hl >dumped
		got=$(python3 "$HL_ROOT/tests/lib/image.py" said dumped)
		case $got in
		*checks) echo "ok $way: the image is what the program said $bare" ;;
		*) verdict "$way: the image is what the program said $bare" '' "$got" ;;
		esac
		tier=exact
		case $way in deaf) tier=torn ;; esac
		verdict "$way: the tier is told $bare" $tier "$(sed -n '/^image/s/.* //p' dumped)"
	done
done

"$hl" run -q --no-image -o none.hl ./image return >said
verdict 'there is none when none is wanted' '0 0' "$(images none.hl)"
"$hl" run -q --sample 1M -o sample.hl ./image return >said
verdict 'there is none of a sample' '0 0' "$(images sample.hl)"
"$hl" run -q -o t2.hl ./image return >said
verdict 'info tells of it' '1 0' "$(images t2.hl)"

HEAPLEDGER_OUTPUT=n.hl HEAPLEDGER_OPTIONS=unwind=none LD_PRELOAD=$HL_BUILD/libheapledger.so ./image exit >said
./dump n.hl >dumped
verdict 'the stack is known where none is captured' 'checks' "$(python3 "$HL_ROOT/tests/lib/image.py" said dumped | sed 's/^[0-9]* //')"

# where no slot is left, or no file can be opened, the program ends as ever, and there is no half image
cat >many.c <<'X'
#include <stdlib.h>
#include <sys/resource.h>
int main(int argc, char **argv)
{
	void **list = NULL;
	for (int i = 0; i < 300000; i++) {
		void **p = malloc(16 * (1 + rand() % 9));
		p[0] = list;
		list = p;
	}
	if (argc > 1)
		setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, 0});
	return (argc & 0) + 7;
}
X
"$cc" -O0 -w -o many many.c
HEAPLEDGER_OUTPUT=m.hl HEAPLEDGER_OPTIONS=max-disk=1400k LD_PRELOAD=$HL_BUILD/libheapledger.so ./many
verdict 'a full trace changes no status' 7 $?
verdict 'and has no half image' '0 1' "$(images m.hl)"
"$hl" run -q -o l.hl ./many limit
verdict 'without descriptors the status is as ever' 7 $?
verdict 'and there is no image' '0 1' "$(images l.hl)"

# a program that restricts itself may die of an open: it has none
cat >jail.c <<'X'
#include <stdlib.h>
#include <sys/prctl.h>
int main(void)
{
	malloc(10);
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}
X
"$cc" -O0 -w -o jail jail.c && "$hl" run -q -o j.hl ./jail
verdict 'a program that restricts itself has none, and none was begun' '0 0' "$(images j.hl)"

# threads that allocate, map and look up symbols all the while, one of them deaf to signals every second time
"$cc" -O1 -w -pthread -D_GNU_SOURCE -o busy "$HL_ROOT/tests/e2e/image_busy.c" || exit 1
for round in 1 2 3 4 5 6 7 8; do
	if [ $((round % 2)) = 0 ]; then deaf=deaf; else deaf=; fi
	timeout 20 "$hl" run -q --force -o b.hl ./busy $deaf || echo "not ok busy threads: status $?"
	./dump b.hl >dumped
	"$hl" info b.hl >told 2>/dev/null
	echo "$(sed -n '/^image/s/.* //p' dumped) $(grep -c '^thread' dumped) $(grep -c -E '^(order violations|unexplained frees|missing pieces): 0' told)"
done | sort | uniq -c | tr -s ' \n' ' ' >busy.got
# on a busy machine a thread may not run within 20 ms, but not each time
case $(cat busy.got) in
' '[1234]' exact 6 3 '[4567]' torn 6 3 ') echo 'ok threads at work are stopped, and go on' ;;
*) verdict 'threads at work are stopped, and go on' '4 exact 6 3 4 torn 6 3' "$(cat busy.got)" ;;
esac

# a forked child writes its own, and has none of its parent's
cat >fork.c <<'X'
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
static void *p;
int main(void)
{
	p = malloc(10);
	if (fork() == 0) {
		p = malloc(20);
		exit(0);
	}
	wait(NULL);
	if (vfork() == 0)
		_exit(0);
	return 0;
}
X
"$cc" -O0 -w -o fork fork.c && "$hl" run -q -o f.hl ./fork
traces=0
for f in f.hl*; do
	traces=$((traces + 1))
	verdict "the process that forks and its child have one each (${f#f.hl})" '1 0' "$(images "$f")"
done
verdict 'there are two traces' 2 $traces

exit $failed
