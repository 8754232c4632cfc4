#!/bin/sh
# samples.sh - each sample, built at -O0 and -O2, reports exactly what samples/expected says.
#
# An expected file is a transcript: "$ ARGUMENTS" is a heapledger command line, what follows its output.  In it
# TRACE is the trace of the first program, CHILD and EXEC those of a forked child and of what that executed,
# and source paths are shortened to their base names.
# timeout: 120
set -u

hl=$HL_BUILD/heapledger
samples=$HL_ROOT/samples
failed=0

build() { # NAME LEVEL
	case $1 in
	dlopen)
		for x in a b; do
			gcc -g "$2" -I"$HL_ROOT/include" -shared -fPIC -o plugin_$x.so "$samples/plugin_$x.c" || return 1
		done
		gcc -g "$2" -I"$HL_ROOT/include" -o "$1" "$samples/$1.c" -ldl
		;;
	cplusplus) g++ -g "$2" -std=c++17 -o "$1" "$samples/$1.cc" ;;
	*) gcc -g "$2" -I"$HL_ROOT/include" -pthread -o "$1" "$samples/$1.c" ;;
	esac
}

# What the tool really prints for the command lines of an expected file.
transcript() { # EXPECTED
	child=
	executed=
	for t in t.hl.*; do
		case $t in
		't.hl.*') ;;
		*.[0-9]*.2) executed=$t ;;
		*) child=$t ;;
		esac
	done
	while IFS= read -r line; do
		case $line in
		'$ '*)
			echo "$line"
			words=$(echo "${line#'$ '}" | sed "s|TRACE|t.hl|g; s|CHILD|$child|g; s|EXEC|$executed|g")
			eval "\"$hl\" $words" 2>err | sed "s|$samples/||g"
			[ ! -s err ] || grep -i -e 'lost' -e 'not recorded' err
			;;
		esac
	done <"$1"
}

for expected in "$samples"/expected/*.txt; do
	name=$(basename "$expected" .txt)
	for level in -O0 -O2; do
		title="sample $name $level"
		rm -f t.hl*
		if ! build "$name" "$level"; then
			echo "not ok $title: it does not build"
			failed=1
			continue
		fi
		"./$name" >plain.out 2>/dev/null </dev/null
		plain=$?
		"$hl" run -q -o t.hl -- "./$name" >traced.out 2>traced.err </dev/null
		traced=$?
		transcript "$expected" >actual
		if [ $plain -ne $traced ] || ! cmp -s plain.out traced.out; then
			echo "not ok $title: status $traced, untraced $plain: $(head -c 200 traced.err)"
			failed=1
		elif ! diff "$expected" actual; then
			echo "not ok $title: the report differs"
			failed=1
		else
			echo "ok $title"
		fi
	done
done
exit $failed
