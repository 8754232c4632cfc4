#!/bin/sh
# memcheck.sh - heapledger-memcheck in valgrind's place: its options, and CTest and Meson on real projects.
# timeout: 180
set -u
# shellcheck source=tests/lib/verdict.sh
. "$HL_ROOT/tests/lib/verdict.sh"
shim=$HL_BUILD/heapledger-memcheck

cat >lose.c <<'END'
#include <stdio.h>
#include <stdlib.h>
static void *volatile keep;
static void __attribute__((noinline)) lose(void)
{
	*(void *volatile *)malloc(300) = malloc(40); // lost
}
int main(int argc, char **argv)
{
	keep = malloc(7);
	if (argc > 1 && argv[1][0] == 'l')
		lose();
	for (int i = 1; i < argc; i++)
		printf("[%s]\n", argv[i]);
	return argc > 2 ? atoi(argv[2]) : 0;
}
END
gcc -g -O1 -w -o lose lose.c || exit 1

"$shim" --log-file=a.log --tool=memcheck -q --leak-check=yes --show-reachable=yes --num-callers=50 ./lose l 5 "two  words" >out 2>err
verdict "the command's status and output are its own" "5 [l]|[5]|[two  words]|" "$? $(tr '\n' '|' <out)"
verdict "nothing is written but the log" "" "$(cat err)"
verdict "the log has memcheck's words" 1 \
	"$(grep -c '^==[0-9]*== 340 (300 direct, 40 indirect) bytes in 1 blocks are definitely lost in loss record [0-9]* of [0-9]*$' a.log)"
verdict "and what is reachable, when it is asked for" 1 "$(grep -c '7 bytes in 1 blocks are still reachable' a.log)"
"$shim" --error-exitcode=9 --log-file=b.%p.log ./lose l 5 >out 2>err
verdict "the status can be asked for, the log's name has a number" "9 1" "$? $(find . -name 'b.[0-9]*.log' | wc -l)"
"$shim" --error-exitcode=9 ./lose c 5 >out 2>err
verdict "without errors it is the command's" "5 1" "$? $(grep -c 'definitely lost: 0 bytes in 0 blocks' err)"
"$shim" --xml=yes --xml-file=x.xml ./lose l >out 2>err
verdict "the log can be XML" 1 "$(grep -c '<kind>Leak_DefinitelyLost</kind>' x.xml)"
cat >array.cc <<'END'
struct counted { long v[100]; ~counted() { v[0] = 0; } };
static counted *volatile kept;
int main() { kept = new counted[25]; }
END
g++ -w -O1 -o array array.cc || exit 1
"$shim" --error-exitcode=9 ./array >out 2>err
verdict "an array behind its length is reachable" 0 $?
"$shim" --error-exitcode=9 --leak-check-heuristics=stdstring,length64 ./array >out 2>err
verdict "unless that heuristic is left out" "9 0" "$? $(grep -c ignored err)"
cat >inlined.c <<'END'
#include <stdlib.h>
static void *volatile where;
static inline __attribute__((always_inline)) void *inner(void)
{
	return where = malloc(77);
}
__attribute__((noinline)) void outer(void)
{
	inner();
	where = NULL;
}
int main(void)
{
	outer();
	return 0;
}
END
gcc -g -O1 -w -no-pie -o inlined inlined.c || exit 1
# "0xADDRESS: FUNCTION (FILE:LINE)" of the program's own frames
addresses() {
	sed -n 's/^==[0-9]*==    [ab][ty] \(0x[0-9A-F]*: .* (inlined.c:[0-9]*)\)$/\1/p' "$1"
}
"$shim" --log-file=inlined.log ./inlined >out 2>err
verdict "frames have the addresses of their calls, inlined ones that of the caller" \
	"inlined.c:5 inlined.c:9 inlined.c:14 " \
	"$(addresses inlined.log | sed 's/:.*//' | uniq | while read -r a; do addr2line -i -e inlined "$a"; done | sed 's|.*/||; s/ (.*//' | tr '\n' ' ')"
if command -v valgrind >/dev/null 2>&1; then
	valgrind --leak-check=full --read-inline-info=yes --log-file=inlined.valgrind ./inlined >out 2>err
	verdict "which are valgrind's" "$(addresses inlined.valgrind)" "$(addresses inlined.log)"
	"$shim" --xml=yes --xml-file=inlined.xml ./inlined >out 2>err
	verdict "in its XML, too" "$(addresses inlined.valgrind | sed 's/:.*//')" \
		"$(sed -n '/<ip>/{s/ *<ip>\(.*\)<.ip>/\1/;h}; /<file>inlined.c/{g;p}' inlined.xml)"
else
	echo "SKIP: the addresses of valgrind's frames: it is not installed"
fi
printf '{\n   known\n   Memcheck:Leak\n   fun:malloc\n   fun:lose\n}\n' >"a b.supp"
"$shim" --error-exitcode=9 "--suppressions=a b.supp" ./lose l >out 2>err
verdict "suppressions of a file with a blank in its name" 0 $?
"$shim" --error-exitcode=9 sh -c './lose l; true' >out 2>err
verdict "children are not traced, as by valgrind" 0 $?
"$shim" --error-exitcode=9 --trace-children=yes sh -c './lose l; true' >out 2>err
verdict "unless it is asked for" 9 $?
"$shim" --tool=helgrind ./lose >out 2>err
verdict "another tool is refused" 2 $?
"$shim" --leak-check=full >out 2>err
verdict "a command is asked for" 2 $?
"$shim" --redzone-size=16 ./lose >out 2>err
verdict "what only memcheck can do is told to be ignored" "0 1" "$? $(grep -c -- '--redzone-size=16: ignored' err)"

if command -v ctest >/dev/null 2>&1; then
	mkdir ctest && cp lose.c ctest
	cat >ctest/CMakeLists.txt <<END
cmake_minimum_required(VERSION 3.16)
project(lose C)
include(CTest)
add_executable(lose lose.c)
target_compile_options(lose PRIVATE -g)
add_test(NAME clean COMMAND lose c)
add_test(NAME leaky COMMAND lose l)
END
	(cmake -S ctest -B built "-DMEMORYCHECK_COMMAND=$shim" -DMEMORYCHECK_TYPE=Valgrind && cmake --build built && cd built && ctest -T memcheck) >ctest.out 2>&1
	verdict "CTest counts the leak of the one test that has one" "Memory Leak - 1 1" \
		"$(grep '^Memory Leak - ' ctest.out) $(grep -l 'definitely lost' built/Testing/Temporary/MemoryChecker.*.log | wc -l)"
else
	echo "SKIP: CTest: not installed (cmake)"
fi
if command -v meson >/dev/null 2>&1; then
	mkdir meson && cp lose.c meson
	cat >meson/meson.build <<'END'
project('lose', 'c')
lose = executable('lose', 'lose.c', c_args: ['-g', '-w'])
test('clean', lose, args: ['c'])
test('leaky', lose, args: ['l'])
END
	(meson setup mbuilt meson && cd mbuilt && ninja) >meson.out 2>&1
	(cd mbuilt && meson test --wrapper "$hl check --") >meson.test 2>&1
	verdict "Meson fails the leaky test and no other" "1 1" \
		"$(grep -c 'clean *OK' meson.test) $(grep -c 'leaky .*exit status 99' meson.test)"
else
	echo "SKIP: Meson: not installed"
fi
exit $failed
