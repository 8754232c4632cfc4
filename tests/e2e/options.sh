#!/bin/sh
# options.sh - HEAPLEDGER_OPTIONS: what is understood takes effect, what is not is counted and changes nothing.
set -u
hl=$HL_BUILD/heapledger
failed=0

cat >prog.c <<'END'
#include <stdlib.h>
#include <sys/mman.h>
static void *volatile p;
__attribute__((noinline)) static int down(int n)
{
	if (n)
		return down(n - 1) + 1;
	for (int i = 0; i < 1000; i++)
		p = malloc(77);
	return 0;
}
int main(void)
{
	p = mmap(0, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return down(9) == 9 ? 0 : 1;
}
END
${GUEST_CC:-gcc} -g -O0 -o prog prog.c || exit 1

traced() { # OPTIONS: what the trace shows, on one line
	rm -f t.hl
	LD_PRELOAD=$HL_BUILD/libheapledger.so HEAPLEDGER_OUTPUT=$PWD/t.hl HEAPLEDGER_OPTIONS=$1 ./prog || return 1
	"$hl" info t.hl >shown 2>/dev/null
	maps=$("$hl" stats t.hl --domain mmap --include '*prog.c' 2>/dev/null | grep -c .)
	frames=$("$hl" stats t.hl --by traceback --domain malloc --include '*prog.c' 2>/dev/null | grep -c 'prog.c", line')
	echo "unknown $(sed -n 's/^unknown options: *//p' shown) sample $(grep -c '^options:.*sample=' shown)" \
		"estimates $("$hl" stats t.hl 2>&1 | grep -c 'estimates from') maps $maps frames $frames"
}

expect() { # OPTIONS WHAT
	got=$(traced "$1")
	case $got in
	*"$2"*) echo "ok $1: $2" ;;
	*)
		echo "not ok $1: $got, not $2"
		failed=1
		;;
	esac
}

plain=$(traced '')
case $plain in
"unknown 0 sample 0 estimates 0 maps 0 frames 1"[0-9]) echo "ok without options everything is recorded" ;;
*)
	echo "not ok without options: $plain"
	failed=1
	;;
esac
same() { # OPTIONS: one that is not understood
	got=$(traced "$1")
	if [ "${got#unknown 1 sample ? }" = "${plain#unknown 0 sample ? }" ]; then
		echo "ok $1 is counted and changes nothing"
	else
		echo "not ok $1: $got, not but for the count $plain"
		failed=1
	fi
}

expect depth=3 "unknown 0 sample 0 estimates 0 maps 0 frames 3"
expect depth "unknown 0 sample 0 estimates 0 maps 0 frames 1"
expect mmap "unknown 0 sample 0 estimates 0 maps 1"
expect mmap=1 "unknown 0 sample 0 estimates 0 maps 1"
expect mmap=1,mmap=0 "unknown 0 sample 0 estimates 0 maps 0"
expect sample=64k "unknown 0 sample 1 estimates 1"
expect sample=64K,depth=2,unwind=walk,follow=none,on-full=drop,max-disk=1G "unknown 0 sample 1 estimates 1"
expect unwind=cfi,unwind=walk,unwind=libunwind,unwind=check,unwind=none "unknown 0 sample 0 estimates 0 maps 0 frames 1"
expect no=1,sample=,depth=x,depth=3,, "unknown 3 sample 1 estimates 0 maps 0 frames 3"
for option in nothing=1 sample=0 sample=abc sample=1.5M sample=-1 sample=64KB sample=1180591620717411303424 sample=99999999999G sample= \
	depth=0 depth=65536 depth=abc depth= mmap=2 mmap=yes mmap= max-disk=0 max-disk=much max-disk=1T on-full= on-full=lose \
	unwind= unwind=CFI unwind=dwarf unwind=cfi2 follow= =1; do
	same $option
done
exit $failed
