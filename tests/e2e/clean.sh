#!/bin/sh
# clean.sh - no loss is told of programs that lose nothing: installed ones, and the machinery of the C++ library.
# timeout: 120
set -u
# shellcheck source=tests/lib/verdict.sh
. "$HL_ROOT/tests/lib/verdict.sh"

cp "$HL_ROOT/tests/e2e/clean.cc" .

# What check says of a command: its status and, for a failure, what is lost.  A program that allocates nothing has no verdict.
judged() { # COMMAND
	rm -f out err
	LC_ALL=C.UTF-8 timeout 20 "$hl" check --fail-on definite,indirect -- "$@" >out 2>err
	status=$?
	[ $status -ne 4 ] || [ "$(grep -a '^INCOMPLETE' out)" != "INCOMPLETE: nothing was recorded" ] || status=0
	echo "$status$(grep -a -A3 '^ROOT ' out | head -40)"
}

for command in "true" "ls /" "git --version" "/usr/bin/python3 -c pass" "cat clean.cc" "sed -n 1p clean.cc" "tar --version"; do
	if ! command -v "${command%% *}" >/dev/null 2>&1; then
		echo "SKIP: $command: not installed"
		continue
	fi
	# shellcheck disable=SC2086 # words
	verdict "$command loses nothing" 0 "$(judged $command)"
done

for compiler in g++ clang++; do
	if ! command -v $compiler >/dev/null 2>&1; then
		echo "SKIP: streams, locales, threads and exceptions, $compiler: not installed"
		continue
	fi
	for level in -O0 -O2; do
		$compiler -std=c++17 -w -g $level -pthread -o clean clean.cc || exit 1
		verdict "streams, locales, threads and exceptions lose nothing, $compiler $level" 0 "$(judged ./clean)"
	done
done
exit $failed
