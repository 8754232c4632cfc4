#!/bin/sh
# live.sh - pointer images of programs that go on: what they tell, and that nobody is disturbed.
# timeout: 240
set -u
# shellcheck source=tests/lib/verdict.sh
. "$HL_ROOT/tests/lib/verdict.sh"
cp "$HL_ROOT/tests/e2e/live.c" . && "${CC:-gcc}" -w -g -O1 -pthread -I"$HL_ROOT/include" -o live live.c || exit 1
mkfifo in
kinds=definite,indirect,possible,reachable

start() { # run|bare ARG...: the program, its commands on descriptor 9
	how=$1
	shift
	rm -f t.hl* out
	case $how in
	run) "$hl" run -q ${options:+"$options"} -o t.hl -- ./live "$@" <in >out 2>err & ;;
	bare)
		HEAPLEDGER_OUTPUT=$PWD/t.hl HEAPLEDGER_OPTIONS=${bare_options:-} LD_PRELOAD=$HL_BUILD/libheapledger.so \
			exec ./live "$@" <in >out 2>err &
		;;
	esac
	started=$!
	exec 9>in
	await ready
	if [ "$how" = run ]; then pid=$(pgrep -x -P $started live); else pid=$started; fi
}
await() { # LINE: until the program said it
	i=0
	until grep -qx "$1" out 2>/dev/null || [ $i = 200 ]; do
		sleep 0.02
		i=$((i + 1))
	done
}
say() { # LINE: and wait for the answer
	echo "$1" >&9
	await "$1"
}
end() {
	exec 9>&-
	wait $started
	status=$?
}
lost() { # SNAPSHOT: what is lost there
	"$hl" leaks --kinds $kinds --format json "t.hl@$1" 2>err.leaks | /usr/bin/python3 "$HL_ROOT/tests/lib/leaks.py" live.c |
		sed 's/ *reachable.*//'
}
image() { # LABEL
	"$hl" snapshot "$pid" --image --label "$1" >said 2>&1
}
options='' bare_options=''

for how in run bare; do
	start "$how" idle
	image one
	verdict "$how: an idle program is asked" 0 $?
	verdict "$how: one image does not tell" 4 "$("$hl" leaks t.hl@one >/dev/null 2>err.one; echo $?)"
	verdict "$how: and says what is missing" 1 "$(grep -c 'take another' err.one)"
	verdict "$how: refs needs no second one" 0 "$("$hl" refs t.hl@one 0 >/dev/null 2>&1; echo $(($? == 4)))"
	say leak
	image two
	verdict "$how: two tell what is lost in both" 'definite 1 10000' "$(lost one)"
	verdict "$how: the second has it, too" 'definite 1 10000' "$(lost two)"
	image three
	verdict "$how: a third tells of what was lost meanwhile" 'definite 2 60000' "$(lost three)"
	verdict "$how: a running process is judged" 99 "$("$hl" check --process "$pid" >/dev/null 2>&1; echo $?)"
	verdict "$how: its copies are gone" '' "$(pgrep -P "$pid")"
	end
	verdict "$how: it ends as it would" "3 interrupted 0, children 0, descriptors +0" "$status $(tail -1 out)"
	verdict "$how: its end has an image as well" 4 "$("$hl" info --format json t.hl 2>/dev/null | sed -n 's/.*"images": \([0-9]*\).*/\1/p')"
	verdict "$how: the records are sound" 0 "$("$hl" info --format json t.hl 2>/dev/null | grep -cE '"(order violations|unexplained frees|missing pieces|lost [a-z]*)": [1-9]')"

	start "$how" threads
	image one
	image two
	verdict "$how: threads are stopped wherever they are" 'definite 1 10000' "$(lost two)"
	verdict "$how: and nothing is guessed" 2 "$("$hl" info t.hl 2>/dev/null | grep -c 'image [12]: .*exact')"
	end
	verdict "$how: no wait was cut short or saw a child" 'interrupted 0, children 0, descriptors +0' "$(tail -1 out)"

	start "$how" threads deaf
	image one
	image two
	verdict "$how: a thread that is deaf keeps what it has" 'definite 1 10000' "$(lost two)"
	verdict "$how: and the image is not called exact" 0 "$("$hl" info t.hl 2>/dev/null | grep -c 'image [12]: .*exact')"
	kill -9 "$pid"
	end

	start "$how" idle
	say 'image own'
	say 'image own2'
	image cmd
	verdict "$how: the program asks itself" 'definite 1 10000' "$(lost own)"
	end

	start "$how" idle
	echo gone >&9
	end
	verdict "$how: who ends at once waits for its copy" "4 2" "$status $("$hl" info --format json t.hl 2>/dev/null | sed -n 's/.*"images": \([0-9]*\).*/\1/p')"

	start "$how" idle
	say fork
	end
	verdict "$how: a forked child has images of its own" "3 interrupted 0, children 0, descriptors +0" "$status $(tail -1 out)"
	child=$(echo t.hl.*)
	verdict "$how: with what it lost itself" 'definite 1 60000' \
		"$("$hl" leaks --format json "$child" 2>/dev/null | /usr/bin/python3 "$HL_ROOT/tests/lib/leaks.py" live.c)"

	start "$how" idle
	echo exec >&9
	end
	verdict "$how: who executes another program takes no copy along" 0 $status
done

# whoever cannot be asked is not disturbed
start run deaf
image one
verdict 'deaf: no image' 1 $?
verdict 'deaf: and it is said why' 1 "$(grep -c 'takes the signal' said)"
end
verdict 'deaf: it goes on' 3 $status
options=--no-image
start run idle
image one
verdict 'without images: none on demand, either' 1 "$(grep -c 'cannot be asked' said)"
end
options=--sample=1M
start run idle
image one
verdict 'a sample has none' 1 "$(grep -c 'cannot be asked' said)"
end
options=''
sleep 100 &
verdict 'an untraced process' 1 "$("$hl" snapshot $! --image 2>&1 | grep -c 'is not traced')"
kill $!

# what nobody has asked for is as if nobody stood there
start run idle
kill -58 "$pid"
end
verdict 'a signal of somebody else ends it as ever' 1 "$((status == 186))"

# threads that wait in the kernel are left alone when that is wanted
bare_options=image=gentle
start bare threads
image one
	image two
# of a thread that runs then less is known, and more may count
verdict 'gentle: nothing is called lost that a waiting thread holds' '' "$(lost two | sed 's/^definite 1 10000$//')"
verdict 'gentle: it is told' 0 "$("$hl" info t.hl 2>/dev/null | grep -c 'image [12]: .*exact')"
end

exit $failed
