# verdict.sh - sourced by scripts that compare what they got with what they want; they end with "exit $failed".
# shellcheck shell=sh disable=SC2034 # the scripts use them
hl=$HL_BUILD/heapledger
failed=0

verdict() { # NAME WANT GOT
	if [ "$2" = "$3" ]; then
		echo "ok $1"
	else
		echo "not ok $1: '$3', not '$2'"
		failed=1
	fi
}
