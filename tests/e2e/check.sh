#!/bin/sh
# check.sh - the verdict and the status of heapledger check: commands and traces, suppressions, baselines, limits, children.
# timeout: 180
set -u
# shellcheck source=tests/lib/verdict.sh
. "$HL_ROOT/tests/lib/verdict.sh"

cp "$HL_ROOT/tests/e2e/leak_cases.cc" . && g++ -w -g -O1 -pthread -o leak_cases leak_cases.cc -ldl || exit 1
cat >status.c <<'END'
#include <stdlib.h>
#include <signal.h>
int main(int argc, char **argv)
{
	static void *kept;

	kept = malloc(100);
	if (argc == 2)
		return atoi(argv[1]);
	raise(SIGTERM);
	return kept != NULL;
}
END
gcc -w -g -o status status.c || exit 1

cat >held.c <<'END'
#include <stdlib.h>
struct node { struct node *volatile next, *volatile other; char pad[984]; };
static __attribute__((noinline)) struct node *top(void) { return calloc(1, 1000); }
static __attribute__((noinline)) struct node *middle(void) { return calloc(1, 1000); }
static __attribute__((noinline)) struct node *bottom(void) { return calloc(1, 1000); }
static __attribute__((noinline)) struct node *second(void) { return calloc(1, 1000); }
/* top -> middle -> bottom; second -> bottom, too */
static __attribute__((noinline)) void lose(void)
{
	struct node *t = top(), *s = second();

	t->next = middle();
	t->next->next = bottom();
	s->other = t->next->next;
}
static __attribute__((noinline)) void scrub(void)
{
	volatile char below[32768];

	for (unsigned i = 0; i < sizeof(below); i++)
		below[i] = 0;
}
int main(void)
{
	lose();
	scrub();
	return 0;
}
END
gcc -w -g -O1 -o held held.c || exit 1

check() { # WANT NAME ARGUMENTS
	want=$1
	name=$2
	shift 2
	"$hl" check "$@" >out 2>err
	verdict "$name" "$want" $?
}

check 99 "a leak fails" -- ./leak_cases lost
verdict "and is told with its line" 1 "$(grep -c '^ROOT LEAK: 10000 bytes in 1 block, definite$' out)"
check 99 "a cycle fails" -- ./leak_cases ring
verdict "and is told with its members" "1 3" "$(grep -c '^ROOT CYCLE: 60000 bytes in 3 blocks' out) $(grep -c -- '-> the ' out)"
check 0 "what is reachable passes" -- ./leak_cases kept
check 0 "what is possible passes" -- ./leak_cases interior
check 99 "unless it is asked to fail" --fail-on definite,possible -- ./leak_cases interior
check 99 "also what is reachable" --fail-on all -- ./leak_cases kept
check 0 "with none of them everything passes" --fail-on none -- ./leak_cases lost
check 7 "the status can be chosen" --error-exitcode 7 -- ./leak_cases lost
check 5 "the command's own status is kept" -- ./status 5
check 143 "a child that was killed is not judged" -- sh -c './status; exit $?'
verdict "which is told" 1 "$(grep -c 'killed.*not judged' err)"
check 4 "of a command that is killed there is no verdict" -- ./status
verdict "no trace is left behind" 0 "$(find "${TMPDIR:-/tmp}" -maxdepth 1 -name 'heapledger.*' -newer status | wc -l)"
check 99 "unless it is asked for" -o kept.hl -- ./leak_cases chain
verdict "then with run's names" 1 "$(find . -name kept.hl | wc -l)"
check 99 "traces are judged as commands are" kept.hl
check 127 "a command that is not there" -- ./nothing
check 4 "a static program has no verdict" -- /sbin/ldconfig -p
check 3 "a file that is no trace" status.c
check 2 "neither traces nor a command"
check 2 "both" kept.hl -- ./leak_cases lost
check 2 "a format that is none" --format nothing kept.hl
"$hl" run -q --no-image -o none.hl -- ./leak_cases kept
check 4 "a trace without an image has no verdict" none.hl
verdict "and it is told why" 1 "$(grep -c 'no pointer image was taken' out)"

# suppressions
echo 'leak:^chain$' >lsan.supp
check 0 "a suppression of LeakSanitizer's" --suppressions lsan.supp kept.hl
verdict "is told with what it matched" 1 "$(grep -c 'leak:^chain\$' out)"
printf '{\n   known\n   Memcheck:Leak\n   fun:malloc\n   ...\n   fun:chain\n}\n' >valgrind.supp
check 0 "one of valgrind's" --suppressions valgrind.supp kept.hl
printf 'leak:nobody\n' >stale.supp
check 99 "one that matches nothing" --suppressions stale.supp kept.hl
verdict "is told to be stale" 1 "$(grep -c 'leak:nobody.*matched nothing\|stale' out)"
printf '# heapledger: max=100\nleak:^chain$\n' >budget.supp
check 99 "one over its budget hides nothing" --suppressions budget.supp kept.hl
verdict "and is told with what it matched" 1 "$(grep -c '^SUPPRESSION OVER BUDGET\|max=100 exceeded' out)"

# what a suppressed block holds is kept with it
"$hl" run -q -o held.hl -- ./held
sums() { # the figures of the summary: definite indirect suppressed
	sed -n '/^LEAK SUMMARY/,/^  pointers/s/^  \(definite\|indirect\|suppressed\): .* in \([0-9]*\) block.*/\2/p' out | tr '\n' ' '
}
check 99 "two heads are lost, and what they hold" held.hl
verdict "as blocks of two groups" "2 2 0 " "$(sums)"
echo 'leak:^top$' >top.supp
check 99 "with the first suppressed the second is a leak" --suppressions top.supp held.hl
verdict "which holds nothing that the first does" "1 0 3 " "$(sums)"
echo 'leak:^middle$' >middle.supp
check 99 "one in the middle" --suppressions middle.supp held.hl
verdict "takes what it holds out of both groups" "2 0 2 " "$(sums)"
verdict "and is told with its own block" 1 "$(grep -c 'leak:^middle\$ (middle.supp:1): 1000 bytes in 1 block$' out)"
echo 'leak:^second$' >>top.supp
check 0 "with both heads suppressed nothing is lost" --suppressions top.supp held.hl
verdict "and nothing of it is reachable" "0 0 4 " "$(sums)"
check 0 "nor does it fail for what is reachable" --suppressions top.supp --fail-on all held.hl
printf 'leak:^second$\n# heapledger: max=1 blocks\nleak:^top$\n' >twice.supp
check 0 "a budget that is kept" --suppressions twice.supp held.hl
check 99 "is exceeded by two processes together" --suppressions twice.supp held.hl held.hl
verdict "then it hides nothing in either, the other entry what it did" "1 1 2 1 1 2 " "$(sums)"
verdict "and the counts are of both" 1 "$(grep -c 'leak:^top\$ (twice.supp:3): 2000 bytes in 2 blocks, max=1 blocks exceeded$' out)"
check 99 "of a command, too" --suppressions twice.supp -- sh -c './held; ./held; exit 0'
verdict "whose traces are read twice" "1 1 2 1 1 2" "$(sums | sed 's/^0 0 0 //; s/ $//')"
echo 'nonsense' >wrong.supp
check 3 "a file that is none is refused" --suppressions wrong.supp kept.hl
check 3 "one that is not there, too" --suppressions missing.supp kept.hl
for dialect in lsan valgrind; do
	"$hl" check --gen-suppressions $dialect --format json kept.hl 2>err | sed '1,/^}$/d' >generated.supp
	check 0 "what is generated for $dialect suppresses it" --suppressions generated.supp kept.hl
done

# baselines
check 0 "a baseline is written" --baseline known.txt --update-baseline kept.hl
check 0 "what is in it passes" --baseline known.txt kept.hl
check 0 "in another run, too" --baseline known.txt -- ./leak_cases chain
check 99 "another leak fails" --baseline known.txt -- ./leak_cases lost
verdict "what is gone is told" 1 "$(grep -c 'fixed since the baseline: 1' out)"
sed '/^[0-9a-f]/s/ 10000 / 9999 /' known.txt >smaller.txt
check 99 "one that has grown fails" --baseline smaller.txt kept.hl
check 2 "to update needs a baseline" --update-baseline kept.hl
check 3 "a baseline that is none" --baseline status.c kept.hl

# a baseline of what lived at a moment
cat >grows.c <<'END'
#include "heapledger.h"
#include <stdlib.h>
#include <string.h>
static char *volatile held;
static __attribute__((noinline)) char *one(size_t n) { return memset(malloc(n), 1, n); }
static __attribute__((noinline)) char *other(size_t n) { return memset(malloc(n), 2, n); }
static __attribute__((noinline)) void scrub(void)
{
	volatile char below[32768];

	for (unsigned i = 0; i < sizeof(below); i++)
		below[i] = 0;
}
int main(int argc, char **argv)
{
	held = one(5000);
	HEAPLEDGER_SNAPSHOT("ready");
	if (argc > 2)
		held = one(atoi(argv[2]));
	if (argc > 1 && *argv[1] == 'o')
		held = other(100);
	held = NULL;
	scrub();
	return 0;
}
END
gcc -w -g -O1 -I"$HL_ROOT/include" -o grows grows.c -ldl || exit 1
"$hl" run -q -o grows.hl -- ./grows
"$hl" extract grows.hl@ready -o ready.hls 2>err || exit 1
check 99 "5000 bytes are lost" grows.hl
check 0 "which lived at a snapshot: known" --baseline ready.hls grows.hl
verdict "and nothing is said to be fixed" 0 "$(grep -c fixed out)"
check 0 "in another run, too" --baseline ready.hls -- ./grows
check 99 "one more byte is too much" --baseline ready.hls -- ./grows n 1
verdict "both lines of that chain are told with what lived" 2 "$(grep -c '^ROOT LEAK: .*, definite, grown from 5000 bytes in 1 block$' out)"
check 99 "another chain's leak is new" --baseline ready.hls -- ./grows other
verdict "the first one known" "1 1" "$(grep -c '100 bytes in 1 block, definite, new$' out) $(grep -c '5000 bytes in 1 block, definite, known$' out)"
check 99 "json has it" --baseline ready.hls --format json -- ./grows other
verdict "with nothing fixed" 1 "$(grep -c '"fixed": null' out)"
check 2 "an extracted snapshot is not updated" --baseline ready.hls --update-baseline grows.hl
verdict "and why" 1 "$(grep -c -- '--update-baseline: ready.hls is an extracted snapshot' err)"
check 2 "nor a file of that name made" --baseline new.hls --update-baseline grows.hl
"$hl" run -q --sample 64 -o sampled.hl -- ./grows && "$hl" extract sampled.hl -o sampled.hls 2>err || exit 1
check 2 "a sample is no baseline" --baseline sampled.hls grows.hl
head -c 60 ready.hls >cut.hls
check 3 "nor is one that is cut" --baseline cut.hls grows.hl

# heuristics
"$hl" run -q -o array.hl -- ./leak_cases array_with_cookie
check 0 "a pointer to an array behind its length keeps it" --fail-on definite,possible array.hl
check 99 "not with that heuristic left out" --fail-on definite,possible --heuristics stdstring array.hl

# limits
check 0 "so much may be leaked" --max-leaked 60000 kept.hl
check 99 "not more" --max-leaked 59999 kept.hl
check 0 "the peak may be so large" --max-peak 1M --fail-on none kept.hl
check 99 "not larger" --max-peak 50K --fail-on none kept.hl

# growth
cat >cache.c <<'END'
#include "heapledger.h"
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
static struct entry { struct entry *next; char pad[1000]; } *cache, *list;
static __attribute__((noinline)) struct entry *add(struct entry *next)
{
	struct entry *e = calloc(1, sizeof(*e));

	e->next = next;
	return e;
}
static __attribute__((noinline)) void grow(void)
{
	for (int i = 0; i < 100; i++)
		cache = add(cache);
}
/* up and down */
static __attribute__((noinline)) void breathe(int more)
{
	for (int i = 0; i < 200 && more; i++)
		list = add(list);
	for (int i = 0; i < 150 && !more; i++) {
		struct entry *next = list->next;

		free(list);
		list = next;
	}
}
/* the number of snapshots; g: grow, s: stop after the second */
int main(int argc, char **argv)
{
	for (int i = 0; i < atoi(argv[1]); i++) {
		char label[16] = {'a' + i};

		if (*argv[2] == 'g' || (*argv[2] == 's' && i < 2))
			grow();
		breathe(i % 2 == 0);
		HEAPLEDGER_SNAPSHOT(i % 3 ? label : "");
	}
	while (cache) {
		struct entry *next = cache->next;

		free(cache);
		cache = next;
	}
	if (*argv[2] == 'f' && fork() == 0)
		execl(argv[0], argv[0], "4", "g", NULL);
	wait(NULL);
	return 0;
}
END
gcc -w -g -O1 -fno-optimize-sibling-calls -I"$HL_ROOT/include" -o cache cache.c -ldl || exit 1
"$hl" run -q -o cache.hl -- ./cache 5 g
check 0 "memory that grows and is freed is no leak" cache.hl
check 99 "but too much growth" --max-growth 100K cache.hl
verdict "of the one stack that always grew" \
	"GROWTH: grew in 4 of 4 snapshots, from 98.4 KiB to 492 KiB 1 struct entry *e" \
	"$(grep '^GROWTH' out) $(grep -c '^GROWTH' out) $(sed -n '/^GROWTH/,/SUMMARY/s/^    \(struct entry \*e\) = .*/\1/p' out)"
verdict "and the limit is told" 1 "$(grep -c '^  max-growth: exceeded, what grew most in 4 of 4 snapshots grew by 403200 bytes, at most 102400 may be$' out)"
check 99 "one byte too much" --max-growth 403199 cache.hl
check 0 "so much may be" --max-growth 403200 cache.hl
verdict "which is told" 1 "$(grep -c '^  max-growth: kept, what grew most in 4 of 4 snapshots grew by 403200 bytes' out)"
for format in json csv sarif junit github gitlab valgrind valgrind-xml; do
	check 99 "growth fails in $format" --max-growth 1K --format $format cache.hl
	verdict "$format tells it" 1 "$([ "$(grep -ci growth out)" -gt 0 ] && echo 1)"
done
check 0 "what stops growing may have grown" --max-growth 0 -- ./cache 5 s
check 0 "so may what is new late" --max-growth 0 -- ./cache 4 n
check 4 "two snapshots and the end say nothing" --max-growth 0 -- ./cache 2 g
verdict "and why" 1 "$(grep -c 'growth is judged by 3 snapshots at least, of which there are 2' out)"
check 0 "three do" --max-growth 1M -- ./cache 3 g
check 99 "a child's growth counts by its own snapshots" --max-growth 1K -- ./cache 2 f
check 2 "a size is a number" --max-growth lots cache.hl

# a command that is another program in the end
for wrapper in env 'nice -n 1' "sh -c 'exec \"\$0\" \"\$@\"'" "env sh -c 'exec env \"\$0\" \"\$@\"'"; do
	eval "check 0 \"$wrapper: what it became passes\" -- $wrapper ./leak_cases kept"
	eval "check 99 \"$wrapper: or fails\" -- $wrapper ./leak_cases lost"
done
check 4 "what became a program that is not traced has no verdict" --follow env -- env ./leak_cases kept
verdict "and why" 1 "$(grep -c 'was replaced by another one' err)"

# the last thread to end is not the first of the process, whose memory the kernel shows no more
cat >last.c <<'END'
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static void *volatile kept;
static __attribute__((noinline)) void *make(size_t n) { return memset(malloc(n), 0, n); }
static __attribute__((noinline)) void lose(size_t n) { make(n); }
static void *run(void *unused)
{
	usleep(50000);
	kept = malloc(60);
	lose(10000);
	return unused;
}
int main(void)
{
	pthread_t t;

	pthread_create(&t, NULL, run, NULL);
	lose(20000);
	pthread_exit(NULL);
}
END
gcc -w -g -O1 -pthread -o last last.c
check 99 "a process whose first thread has ended" -- ./last
verdict "is judged as any" 1 "$(grep -c '^  definite: 30000 bytes in 2 blocks' out)"

# what is pasted is what valgrind takes, once each
cat >twice.c <<'END'
#include <stdlib.h>
#include <string.h>
__attribute__((noinline)) void *build(int n) { return memset(malloc(n), 1, n); }
int main(void)
{
	build(10);
	build(20);
	return 0;
}
END
gcc -w -g -O0 -o twice twice.c
"$hl" check --gen-suppressions lsan -- ./twice >out
verdict "an entry that is there is not said again" 1 "$(grep -c '^leak:' out)"
"$hl" check --gen-suppressions valgrind -- ./twice >out
verdict "frames below main are not said" "   fun:main }" "$(tail -2 out | tr '\n' ' ' | sed 's/ $//')"

# that there is no answer is one for programs
"$hl" run -q --no-image -o none.hl -- ./twice
verdict "no losses are told as json" "4 true" "$("$hl" leaks --format json none.hl 2>err >out; echo $?) $(sed -n 's/.*"incomplete": \(.*\),/\1/p' out)"
"$hl" run -q -o twice.hl -- ./twice
verdict "no block is told as json" null "$("$hl" refs --format json twice.hl 0x10 2>err | sed -n 's/.*"address": //p')"

# a program that cannot be traced
gcc -w -static -o alone status.c && check 0 "a child that cannot be traced is no leak" -- sh -c './alone 0; exit 0'
verdict "but it is told" 1 "$(grep -c '1 program it started could not be traced' err)"

# threads that end the process at once: one writes, the others wait
cat >rush.c <<'END'
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static pthread_barrier_t together;
static void *end(void *unused)
{
	pthread_barrier_wait(&together);
	_exit(0);
	return unused;
}
static __attribute__((noinline)) void *make(size_t n) { return memset(malloc(n), 0, n); }
static __attribute__((noinline)) void lose(size_t n) { make(n); }
int main(void)
{
	pthread_t t;

	lose(10000);
	pthread_barrier_init(&together, NULL, 8);
	for (int i = 0; i < 8; i++)
		pthread_create(&t, NULL, end, NULL);
	for (;;)
		pause();
}
END
gcc -w -g -O1 -pthread -o rush rush.c
for round in 1 2 3 4 5 6 7 8; do check 99 "threads that end the process at once ($round)" -- ./rush; done

# children
check 99 "a child's leak fails the check" -- sh -c './leak_cases kept; ./leak_cases lost; exit 0'
check 0 "a child that is not followed does not" --follow sh -- sh -c './leak_cases lost; exit 0'
echo 'leak:^lost$' >child.supp
for format in text json csv sarif junit github gitlab valgrind valgrind-xml; do
	check 0 "a child's leak is suppressed in $format" --suppressions child.supp --format $format -- \
		sh -c './leak_cases kept; ./leak_cases lost; exit 0'
done
for format in json csv sarif junit github gitlab valgrind valgrind-xml; do
	check 99 "the verdict is the same in $format" --format $format kept.hl
	verdict "$format says something" 1 "$([ "$(wc -c <out)" -gt 100 ] && echo 1)"
done
exit $failed
