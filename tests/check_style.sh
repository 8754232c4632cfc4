#!/bin/sh
# check_style.sh - the house style, as far as a program can judge it.  Prints ok / not ok / SKIP lines.
# timeout: 600
set -u
cd "${HL_ROOT:-$(dirname "$0")/..}" || exit 1
failed=0
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

verdict() { # NAME REPORT: ok when the report is empty
	if [ -s "$2" ]; then
		echo "not ok $1: $(wc -l <"$2") lines, the first are"
		head -15 "$2" | sed 's/^/    /'
		failed=1
	else
		echo "ok $1"
	fi
}

have() { # COMMAND TEST
	command -v "$1" >/dev/null 2>&1 && return 0
	echo "SKIP: $2: $1 is not installed"
	return 1
}

find preload analyzer include tests samples \( -name '*.c' -o -name '*.h' -o -name '*.cc' \) \
	! -path 'tests/golden/*' ! -path 'tests/bench/*' ! -path 'tests/fuzz/*' 2>/dev/null | sort >"$tmp/sources"
find tests samples .ci -name "*.sh" -o -path .ci/run -o -path .ci/deps | sort >"$tmp/scripts"
find . -type f ! -path './.git/*' ! -path './build*' ! -path './tests/golden/*' ! -path './tests/fuzz/*' \
	\( -name '*.[chS]' -o -name '*.cc' -o -name '*.sh' -o -name '*.py' -o -name '*.md' -o -name '*.[137]' -o -name Makefile \) |
	sort >"$tmp/text"

if have clang-format "the sources have the house's format"; then
	while read -r f; do
		clang-format --dry-run --Werror "$f" >/dev/null 2>&1 || echo "$f: run clang-format -i on it"
	done <"$tmp/sources" >"$tmp/report"
	verdict "the sources have the house's format" "$tmp/report"
fi
if have shellcheck "shellcheck is silent"; then
	xargs shellcheck -f gcc <"$tmp/scripts" >"$tmp/report" 2>&1
	verdict "shellcheck is silent" "$tmp/report"
fi
if have cppcheck "cppcheck is silent on preload/"; then
	# suppressed: every compiler we support shifts arithmetically; ctuuninitvar does not see an output parameter
	for cpu in x86_64 aarch64; do
		cppcheck -q --std=c11 --language=c --enable=warning,portability --inline-suppr -I. -Iinclude -D_GNU_SOURCE \
			-D__${cpu}__ -D__LP64__ -D__BYTE_ORDER__=1234 -D__ORDER_LITTLE_ENDIAN__=1234 \
			--suppress=missingIncludeSystem --suppress=shiftTooManyBitsSigned --suppress=ctuuninitvar \
			preload
	done >"$tmp/report" 2>&1
	verdict "cppcheck is silent on preload/" "$tmp/report"
fi
for cc in gcc clang; do
	if have "$cc" "$cc gives no warning"; then
		make -s CC="$cc" O="$tmp/$cc" all >"$tmp/report" 2>&1 || echo "make CC=$cc failed" >>"$tmp/report"
		verdict "$cc gives no warning" "$tmp/report"
	fi
done
if have groff "groff is silent on the manual pages"; then
	for page in man/*.[137]; do
		groff -man -ww -Tutf8 -z "$page"
	done >"$tmp/report" 2>&1
	verdict "groff is silent on the manual pages" "$tmp/report"
fi
xargs grep -nE '[[:blank:]]+$' <"$tmp/text" >"$tmp/report"
verdict "no line ends in blanks" "$tmp/report"
while read -r f; do
	[ -z "$(tail -c 1 "$f")" ] || echo "$f: no newline at its end"
done <"$tmp/text" >"$tmp/report"
verdict "every file ends in a newline" "$tmp/report"
if have python3 "python3 compiles the scripts"; then
	find tests -name '*.py' -exec python3 -c '
import sys
for name in sys.argv[1:]:
    compile(open(name, encoding="utf-8").read(), name, "exec")' {} + >"$tmp/report" 2>&1
	verdict "python3 compiles the scripts" "$tmp/report"
fi
exit $failed
