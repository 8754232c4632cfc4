#!/bin/sh
# install.sh - what is installed works from where it is, and uninstall leaves nothing.
set -u
failed=0
prefix=$PWD/'a prefix'
make -s -C "$HL_ROOT" O="$HL_BUILD" PREFIX="$prefix" install >log 2>&1 || {
	echo "not ok make install: $(tail -3 log)"
	exit 1
}
verdict() { # STATUS NAME
	if [ "$1" -eq 0 ]; then
		echo "ok $2"
	else
		echo "not ok $2"
		failed=1
	fi
}
[ -x "$prefix/bin/heapledger" ] && [ -f "$prefix/lib/heapledger/libheapledger.so" ] &&
	[ -f "$prefix/include/heapledger.h" ] && [ -f "$prefix/share/man/man1/heapledger-run.1" ]
verdict $? "install puts the command, the library, the header and the pages in place"
flags=$(PKG_CONFIG_PATH="$prefix/share/pkgconfig" pkg-config --cflags heapledger)
verdict $? "pkg-config knows it ($flags)"
# A path with a space cannot be named in LD_PRELOAD: refused, with the reason.
"$prefix/bin/heapledger" run -o t.hl -- true >out 2>&1
status=$?
[ $status -eq 125 ] && grep -qi -e space -e blank out
verdict $? "an installation path with a space is refused, not ignored (status $status: $(head -c 200 out))"
make -s -C "$HL_ROOT" O="$HL_BUILD" PREFIX="$prefix" uninstall >log 2>&1
left=$(find "$prefix" -type f)
[ -z "$left" ]
verdict $? "uninstall removes every file $left"

prefix=$PWD/prefix
make -s -C "$HL_ROOT" O="$HL_BUILD" PREFIX="$prefix" install >log 2>&1
gcc -g -o leak "$HL_ROOT/samples/leak.c" && "$prefix/bin/heapledger" run -q -o t.hl -- ./leak >out 2>&1 &&
	"$prefix/bin/heapledger" stats t.hl --include '*/leak.c' 2>&1 | grep -q 'leak.c:20: size=3200 B, count=32'
verdict $? "the installed command traces and reports $(head -c 200 out)"
exit $failed
