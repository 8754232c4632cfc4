#!/bin/sh
# demo.sh - `make demo` works: functions of an installed program, lines of a sample.
set -u
if ! [ -x /usr/bin/python3 ]; then
	echo "SKIP: the demo: /usr/bin/python3 is not installed"
	exit 0
fi
sh "$HL_ROOT/samples/demo.sh" >out 2>&1 </dev/null
status=$?
for want in '^[0-9]* bytes of JSON$' '(.*python3[^)]*): size=.*peak=' 'leak\.c:20: size=3200 B, count=32, average=100 B$' \
	'leak\.c:42: size=512 B, count=1, average=512 B$'; do
	if [ $status -ne 0 ] || ! grep -q -e "$want" out; then
		echo "not ok the demo shows what it promises: status $status, no line like $want"
		sed 's/^/    /' out
		exit 1
	fi
done
echo "ok the demo shows what it promises"
