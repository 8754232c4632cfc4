#!/bin/sh
# sanitized.sh - the analyzer built with AddressSanitizer and UndefinedBehaviorSanitizer: every verb and format on good traces, on
# those of a whole run and on damaged ones ends without a report, and with nothing leaked.  The traced program and the library
# in it have no sanitizer.  `make check-sanitized` does the same with the unit tests and the other end-to-end tests.
# timeout: 300
set -u
out=$HL_BUILD/sanitized
hl=$out/heapledger
failed=0

echo 'int main(void) { return 0; }' >try.c
if ! gcc -fsanitize=address,undefined -o try try.c 2>/dev/null || ! ./try; then
	echo "SKIP: sanitized: no AddressSanitizer"
	exit 0
fi
if ! env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -j2 -C "$HL_ROOT" O="$out" SAN=address,undefined "$hl" "$out/libheapledger.so" \
	"$out/fuzz/make_corpus" >made 2>&1; then
	echo "not ok the analyzer is built with the sanitizers: $(head -c 500 made)"
	exit 1
fi
# 77 is nobody's status
export ASAN_OPTIONS=exitcode=77:detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1 LSAN_OPTIONS=exitcode=77
export UBSAN_OPTIONS=exitcode=77:print_stacktrace=1
ASAN_OPTIONS=help=1 "$hl" --version >help 2>&1
if ! grep -q detect_leaks help; then
	echo "not ok the analyzer under test has the sanitizers"
	exit 1
fi

clean() { # STATUSES COMMAND...: one of these statuses, no report of a sanitizer
	want=$1
	shift
	"$@" >stdout 2>stderr </dev/null
	status=$?
	runs=$((runs + 1))
	case " $want " in
	*" $status "*) ;;
	*)
		echo "status $status of $*: $(grep -m 3 -e ERROR -e SUMMARY -e 'runtime error' -e '#[0-4] ' stderr | tr '\n' ';')" >>bad
		return
		;;
	esac
	! grep -e Sanitizer -e 'runtime error' stderr | sed "s|^|$*: |" | grep . >>bad
}

verdict() { # NAME LEAST
	if [ -s bad ]; then
		echo "not ok $1: $(head -c 2000 bad)"
		failed=1
	elif [ "$runs" -lt "$2" ]; then
		echo "not ok $1: only $runs runs"
		failed=1
	else
		echo "ok $1"
	fi
	: >bad
	runs=0
}
: >bad
runs=0

# ---- good traces ----
gcc -O0 -g -I"$HL_ROOT/include" "$HL_ROOT/tests/golden/fixture.c" -o fixture || exit 1
clean 0 "$hl" run -q -o t.hl --mmap --snapshot-every 1 -- ./fixture
clean 0 "$hl" run -q -o s.hl --sample 64 -- ./fixture
clean 0 "$hl" run -o tree.hl -- sh -c './fixture; ls >/dev/null; (./fixture &) ; exec ./fixture'
clean 3 "$hl" run -o bare-ends.hl -- sh -c 'kill -9 $$; exit 3' # the next line's status is a signal's
sed -i '/status 137/d' bad
env HEAPLEDGER_OPTIONS=max-disk=2M HEAPLEDGER_OUTPUT="$PWD/bare.hl" LD_PRELOAD="$out/libheapledger.so" ./fixture
clean 0 "$hl" doctor ./fixture
clean 125 "$hl" doctor ./no-such
clean 1 "$hl" snapshot $$
clean 2 "$hl" snapshot no-number
clean 0 "$hl" --help
clean 2 "$hl" no-verb
for verb in run stats diff misuse block info snapshots extract snapshot doctor; do
	clean 0 "$hl" $verb --help
	clean 2 "$hl" $verb --no-option
done
for format in text json csv; do
	for by in lineno filename function traceback object thread; do
		clean 0 "$hl" stats t.hl@first --by $by --format $format
		clean 0 "$hl" diff t.hl@1 t.hl@second --by $by --format $format -n 0
	done
	for sort in live peak total count temporary; do
		clean 0 "$hl" stats t.hl@peak --sort $sort --format $format --blame
	done
	for trace in t.hl s.hl bare.hl; do
		clean 0 "$hl" info $trace --format $format
		clean 0 "$hl" snapshots $trace --format $format
		clean 0 "$hl" misuse $trace --format $format
		clean 0 "$hl" block $trace 0x10 --format $format
		clean 0 "$hl" stats $trace --cumulative --dedup --format $format --realloc origin
	done
	clean 0 "$hl" stats tree.hl* --format $format --by traceback
done
clean 0 "$hl" stats t.hl --include '*fixture*' --exclude '*:3' --all-frames --thread fixture --module '*' --domain malloc --min-size 1
clean 0 "$hl" stats t.hl --since first --path-map /=/x --no-inlines --color always --limit -2 --most-recent-first --by traceback
clean 0 "$hl" extract t.hl@first -o base.hls --all
clean 1 "$hl" extract t.hl@first -o base.hls
clean 0 "$hl" stats base.hls
clean 0 "$hl" diff base.hls t.hl@second
clean "2 3" "$hl" stats t.hl@no-such
clean 3 "$hl" stats no-such.hl
clean 3 "$hl" stats fixture
verdict "every verb and format is clean on good traces, and leaks nothing" 90

# ---- damaged ones ----
mkdir corpus columns damaged && "$out/fuzz/make_corpus" corpus columns || exit 1
for f in corpus/*; do
	[ "$f" = corpus/region ] || tail -c +2 "$f" >"${f#corpus/}.hl"
done
python3 - t.hl s.hl base.hls bare.hl as_it_is.hl finished.hl unfinished.hl sample.hl sample_of_nothing.hl <<'END' || exit 1
import random, sys
r = random.Random(1)
for name in sys.argv[1:]:
    whole = open(name, "rb").read()
    # of a region file the tables are mostly empty
    used = [i for i in range(len(whole)) if whole[i]] if name == "bare.hl" else range(len(whole))
    for k in range(4):
        b = bytearray(whole)
        if k == 0:
            del b[r.choice(used):]
        elif k == 1:
            at = r.choice(used)
            b[at:at + 64] = r.randbytes(64)
        else:
            for _ in range(1 + k):
                b[r.choice(used[:4096] if k % 2 else used)] ^= 1 << r.randrange(8)
        open("damaged/%d-%s" % (k, name), "wb").write(b)
END
for f in damaged/*; do
	clean "0 3 4" "$hl" stats "$f" --by traceback
	clean "0 3 4" "$hl" info "$f" --format json
	clean "0 3 4" "$hl" misuse "$f" --format json
	clean "0 3 4" "$hl" block "$f" 0x10
	case $f in *[02468]-*) ;; *) continue ;; esac
	clean "0 3 4" "$hl" snapshots "$f"
	clean "0 2 3 4" "$hl" diff "$f@1" "$f"
	clean "0 2 3 4" "$hl" extract "$f" -o out.hls --force
done
verdict "damaged traces are clean, and leak nothing" 90
exit $failed
