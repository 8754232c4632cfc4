#!/bin/sh
# golden.sh - tests/golden/fixture.c, built and traced, reports exactly what python3's tracemalloc prints for
# the same blocks (tests/golden/fixture.py).
set -u

hl=$HL_BUILD/heapledger
golden=$HL_ROOT/tests/golden
failed=0

if ! command -v python3 >/dev/null 2>&1; then
	echo "SKIP: golden: python3 is not installed"
	exit 0
fi

expect() { # NAME ACTUAL-COMMAND... : its stdout is expected.txt, its status 0
	name=$1
	shift
	if ! "$@" >actual.txt 2>err.txt; then
		echo "not ok $name: status $?: $(cat err.txt)"
		failed=1
	elif ! diff expected.txt actual.txt; then
		echo "not ok $name: differs from tracemalloc"
		failed=1
	else
		echo "ok $name"
	fi
}

for cc in gcc clang; do
	if ! command -v $cc >/dev/null 2>&1; then
		echo "SKIP: golden $cc: not installed"
		continue
	fi
	rm -f t.hl* base.hls
	if ! $cc -O0 -g -I"$HL_ROOT/include" "$golden/fixture.c" -o fixture; then
		echo "not ok golden $cc: the fixture does not build"
		failed=1
		continue
	fi
	"$hl" run -q -o t.hl --depth 2 -- ./fixture || failed=1
	map=--path-map=$PWD/=
	for by in lineno filename traceback; do
		python3 "$golden/fixture.py" stats $by >expected.txt
		expect "golden $cc stats $by" "$hl" stats t.hl@first -n 0 --by $by "$map"
		python3 "$golden/fixture.py" diff $by >expected.txt
		expect "golden $cc diff $by" "$hl" diff t.hl@1 t.hl@second -n 0 --by $by "$map"
		[ $by != traceback ] || continue
		python3 "$golden/fixture.py" stats $by cumulative >expected.txt
		expect "golden $cc stats $by cumulative" "$hl" stats t.hl@first -n 0 --by $by --cumulative "$map"
		python3 "$golden/fixture.py" diff $by cumulative >expected.txt
		expect "golden $cc diff $by cumulative" "$hl" diff t.hl@1 t.hl@2 -n 0 --by $by --cumulative "$map"
	done
	# an extracted snapshot says the same, without the program
	"$hl" extract t.hl@first -o base.hls "$map" || failed=1
	mv fixture gone
	python3 "$golden/fixture.py" stats traceback >expected.txt
	expect "golden $cc stats of an extracted snapshot" "$hl" stats base.hls -n 0 --by traceback
	mv gone fixture
	python3 "$golden/fixture.py" diff lineno >expected.txt
	expect "golden $cc diff against an extracted snapshot" "$hl" diff base.hls t.hl@second -n 0 "$map"
done
exit $failed
