#!/bin/sh
# check_floors.sh - the layout's rules: a file includes its own floor or a lower one, and files are short.  Prints ok /
# not ok lines.
set -u
cd "${HL_ROOT:-$(dirname "$0")/..}" || exit 1
failed=0
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

verdict() { # NAME REPORT: ok when the report is empty
	if [ -s "$2" ]; then
		echo "not ok $1:"
		head -15 "$2" | sed 's/^/    /'
		failed=1
	else
		echo "ok $1"
	fi
}

# The floor of a file or of a header, from its path; empty: none (system headers).
floor_of() {
	case $1 in
	include/*) echo 0 ;;
	analyzer/base/*) echo 1 ;;
	analyzer/collect/*) echo 2 ;;
	analyzer/input/*) echo 3 ;;
	analyzer/model/*) echo 4 ;;
	analyzer/analysis/*) echo 5 ;;
	analyzer/report/*) echo 6 ;;
	analyzer/cli/*) echo 7 ;;
	# A header of preload names its floor in its first comment: "Floor N".  A source file is on the floor of
	# its own header (unwind_x.c: of unwind.h); one without a header is on the highest.
	preload/*.h) sed -n '1,30s/.*Floor \([0-4]\)[.:].*/\1/p' "$1" | head -1 ;;
	preload/*.c)
		for h in "${1%.c}.h" "${1%_*}.h"; do
			if [ -f "$h" ]; then
				floor_of "$h"
				return
			fi
		done
		echo 4
		;;
	esac
}

includes_of() { # FILE: the project's headers it includes, as paths from the root
	sed -n 's/^[[:blank:]]*#[[:blank:]]*include "\([^"]*\)".*/\1/p' "$1" | while read -r h; do
		for p in "$h" "include/$h" "$(dirname "$1")/$h"; do
			if [ -f "$p" ]; then
				echo "$p"
				break
			fi
		done
	done
}

find preload analyzer \( -name '*.c' -o -name '*.h' \) | sort >"$tmp/files"

while read -r f; do
	own=$(floor_of "$f")
	if [ -z "$own" ]; then
		echo "$f: its first comment names no floor 0-4"
		continue
	fi
	side=${f%%/*}
	includes_of "$f" | while read -r h; do
		case $h in
		include/*) continue ;;
		"$side"/*) ;;
		*)
			echo "$f includes $h: the two sides share only include/"
			continue
			;;
		esac
		other=$(floor_of "$h")
		[ "${other:-9}" -le "$own" ] || echo "$f (floor $own) includes $h (floor ${other:-none})"
	done
done <"$tmp/files" >"$tmp/report"
verdict "a file includes only its own floor or a lower one" "$tmp/report"

grep -lE '"analyzer/(input|model)/' analyzer/report/*.[ch] 2>/dev/null |
	sed 's/$/: a report sees only results/' >"$tmp/report"
verdict "reports see only results, never the input" "$tmp/report"

grep -nE '\<(f?open|opendir|v?f?printf|puts|fputs|fwrite|perror)\(' analyzer/analysis/*.[ch] 2>/dev/null |
	grep -v format >"$tmp/report"
verdict "analysis neither opens files nor prints" "$tmp/report"

xargs grep -lE 'libdwfl|dwarf\.h|libdw' <"$tmp/files" | grep -v -e '^analyzer/model/sym' -e '^analyzer/model/elfmod' >"$tmp/report"
verdict "symbols and its parts are the only users of libdw" "$tmp/report"

{ cat "$tmp/files"; ls include/*.h include/*/*.h; } | xargs wc -l | grep -v total | awk '$1 > 500 { print $2 ": " $1 " lines" }' >"$tmp/report"
verdict "no file has more than 500 lines" "$tmp/report"
xargs wc -l <"$tmp/files" | grep -v total | awk '{ print $1 }' | sort -n |
	awk '{ a[NR] = $1 } END { m = a[int((NR + 1) / 2)]; if (m > 200) print "the median is " m }' >"$tmp/report"
verdict "the median file has 200 lines at most" "$tmp/report"

exit $failed
