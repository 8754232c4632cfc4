#!/bin/sh
# heapledger-memcheck - `heapledger check` for those who call valgrind: its options, its words in the log.
#
# For CTest: -DMEMORYCHECK_COMMAND=heapledger-memcheck -DMEMORYCHECK_TYPE=Valgrind.  Options end where the command begins, without a "--".  Of an option that says
# nothing about leaks, or asks for what memcheck alone can do, it is told on standard error that it is ignored.
set -u
here=$(dirname "$0")
log='' format=valgrind quiet='' status=0 follow=none limit=12 show='' xml='' heuristics=all
kinds=definite,possible

refuse() {
	echo "heapledger-memcheck: $1" >&2
	exit 2
}

# Each option of check is a word of "$@" behind the command's: rotated in front at the end.
n=$#
while [ $n -gt 0 ]; do
	case $1 in
	--tool=memcheck | --leak-check=yes | --leak-check=full | --leak-check=summary | --track-origins=* | \
		--show-possibly-lost=yes | -v | --verbose | --xml=no | --demangle=* | --errors-for-leak-kinds=definite,possible) ;;
	--tool=*) refuse "$1: there is memcheck only" ;;
	--leak-check=no) kinds='' ;;
	--show-possibly-lost=no) kinds=definite ;;
	--show-reachable=yes | --show-leak-kinds=all) show=all ;;
	--show-reachable=no) ;;
	--show-leak-kinds=*) show=${1#*=} ;;
	--errors-for-leak-kinds=*) kinds=${1#*=} ;;
	--leak-check-heuristics=*) heuristics=${1#*=} ;;
	--num-callers=*) limit=${1#*=} ;;
	--error-exitcode=*) status=${1#*=} ;;
	--log-file=*) log=${1#*=} ;;
	--xml=yes) format=valgrind-xml ;;
	--xml-file=*) xml=${1#*=} ;;
	--trace-children=yes) follow=all ;;
	--trace-children=no) follow=none ;;
	--gen-suppressions=no) ;;
	-q | --quiet) quiet=--quiet ;;
	--suppressions=*) set -- "$@" "$1" ;;
	--gen-suppressions=all | --gen-suppressions=yes) set -- "$@" --gen-suppressions=valgrind ;;
	--)
		shift
		n=$((n - 1))
		break
		;;
	-*) echo "heapledger-memcheck: $1: ignored" >&2 ;;
	*) break ;;
	esac
	shift
	n=$((n - 1))
done
[ $n -gt 0 ] || refuse "no command"
case $show in
'') ;;
all) show=definite,indirect,possible,reachable ;;
esac
case $kinds in
none | '') kinds=none ;;
esac

# "%p" is a process number: ours, as no other is known yet.
[ -z "$xml" ] || log=$xml
while :; do
	case $log in
	*%p*) log=${log%%"%p"*}$$${log#*"%p"} ;;
	*) break ;;
	esac
done

# "$@" is the command, then options: the command's words go to the end
set -- "$@" --format "$format" --fail-on "$kinds" --error-exitcode "$status" --follow "$follow" --limit "$limit" \
	--heuristics "$heuristics" ${quiet:+"$quiet"} ${show:+--show "$show"} --report "${log:-/dev/stderr}" --
while [ $n -gt 0 ]; do
	word=$1
	shift
	set -- "$@" "$word"
	n=$((n - 1))
done
exec "$here/heapledger" check "$@"
