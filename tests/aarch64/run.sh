#!/bin/sh
# run.sh - the library on aarch64: built by the cross compilers without a warning, held to the same imports, and run
# under qemu-user with guest programs and with programs that know their own stacks.  The traces are read by the host's
# heapledger.  Prints ok / not ok / SKIP lines.
# timeout: 600
set -u
root=${HL_ROOT:?}
cross=${CROSS:-aarch64-linux-gnu-}
libs=/usr/aarch64-linux-gnu
work=$PWD
failed=0

for tool in "${cross}gcc" qemu-aarch64 python3; do
	if ! command -v "$tool" >/dev/null 2>&1; then
		echo "SKIP: aarch64: $tool is not installed"
		exit 0
	fi
done
if [ ! -e "$libs/lib/libc.so.6" ]; then
	echo "SKIP: aarch64: there is no libc in $libs"
	exit 0
fi

build() { # NAME CC: its library in $work/NAME
	if make -s -C "$root" CC="$2" O="$work/$1" "$work/$1/libheapledger.so" >"$work/$1.log" 2>&1 && [ ! -s "$work/$1.log" ]; then
		echo "ok aarch64: $1 builds the library without a warning"
		return 0
	fi
	echo "not ok aarch64: $1 builds the library without a warning:"
	head -15 "$work/$1.log" | sed 's/^/    /'
	failed=1
	return 1
}

hold() { # TITLE PROGRAM ARG...: its lines, under the title
	title=$1
	shift
	"$@" >"$work/out" 2>&1
	status=$?
	sed "s/^ok /ok aarch64$title: /; s/^not ok /not ok aarch64$title: /" "$work/out"
	if [ "$status" -ne 0 ]; then
		grep -q '^not ok ' "$work/out" || echo "not ok aarch64$title: $2: status $status"
		failed=1
	fi
}

unwind() { # TITLE FILE
	hold "$1" python3 "$root/tests/unwind/unwind.py" "$root/tests/$2"
}

build gcc "${cross}gcc" || exit 1
HL_SO=$work/gcc/libheapledger.so NM=${cross}nm sh "$root/tests/e2e/library.sh" >rules || failed=1
sed 's/^ok /ok aarch64: /; s/^not ok /not ok aarch64: /' rules

# What the emulator maps as / is the libraries' directory and, beside it, everything of ours.
mkdir root
for d in /*; do
	ln -s "$d" "root/${d#/}"
done
rm -f root/lib
ln -s "$libs/lib" root/lib

emulator="qemu-aarch64 -L $libs"
export GUEST_CC="${cross}gcc" GUEST_CXX="${cross}g++" GUEST_RUNNER="$emulator" GUEST_SYSROOT="$work/root"
export GUEST_SO="$work/gcc/libheapledger.so"
export GUEST_BUILDS="-O2 -fomit-frame-pointer|-O0 -mbranch-protection=standard"

for f in unwind/shapes.c unwind/signals.c unwind/jumps.c unwind/stale_frames.c unwind/coroutines.c aarch64/frames.c; do
	unwind "" "$f"
done
GUEST_RUNNER="$emulator -singlestep" unwind ", one instruction at a time" aarch64/interrupted.c
hold "" python3 "$root/tests/unwind/torture.py"
hold "" python3 "$root/tests/guest/guest.py" "$root/tests/aarch64/operator_new.c"

for f in "$root"/tests/guest/*.c "$root"/tests/guest/*.cc; do
	case ${f##*/} in
	lib_*) continue ;;
	# the emulator starts only the host's programs
	a_relative_output_means_* | exec_is_followed_*) continue ;;
	# makes vfork a fork, and other system calls than the program's
	vfork_child_* | a_seccomp_jail_* | children_of_raw_*) continue ;;
	# is itself larger than what may be locked
	locked_memory_*) continue ;;
	# cannot map a part of a map a second time (mremap from size 0): a trace ends at 32 MiB
	a_longjmp_out_of_a_recording_*) continue ;;
	# needs a libunwind of the processor
	backtraces_are_*) continue ;;
	# takes minutes for 300 threads in a barrier, and for thousands of plugins
	thousands_of_threads_* | nine_thousand_threads_* | plugins_come_and_go_*) continue ;;
	# needs a libz of the processor
	an_unloaded_module_*) continue ;;
	*.cc)
		if ! command -v "$GUEST_CXX" >/dev/null 2>&1; then
			echo "SKIP: aarch64: ${f##*/}: $GUEST_CXX is not installed"
			continue
		fi
		;;
	esac
	hold "" python3 "$root/tests/guest/guest.py" "$f"
done
for f in every_entry_point_is_recorded realloc_in_two_threads_keeps_order; do
	GUEST_RUNNER="$emulator -p 65536" hold ", pages of 64 KiB" python3 "$root/tests/guest/guest.py" "$root/tests/guest/$f.c"
done

# With the host's collector.  The shell, which is the host's, is traced as well and not followed: what it starts
# must not preload the host's library.
"$GUEST_CC" -O2 -g -pthread -I "$root/tests/guest" -o two "$root/tests/guest/realloc_in_two_threads_keeps_order.c" -Wno-use-after-free
# shellcheck disable=SC2016,SC2086
"${HL_BUILD:?}/heapledger" run -q --follow none -o c.hl -- sh -c 'unset LD_PRELOAD; HEAPLEDGER_OPTIONS= exec "$@"' sh \
	$emulator -E "LD_PRELOAD=$GUEST_SO" "$work/two" >out 2>&1
for t in c.hl.*; do
	"$HL_BUILD/heapledger" info "$t"
done >said 2>>out
wrong=$(awk -F ': ' '/^events/ { n = $2 } /^(lost|order violations|unexplained frees|damaged)/ && $2 + 0 { print }
	/^(executable: .*\/two|finished: yes)$/ { seen++ }
	END { if (n < 300000 || seen != 2) print n + 0, "events,", seen + 0, "of 2 lines" }' said)
if [ -z "$wrong" ]; then
	echo "ok aarch64: two threads are collected by the host's heapledger"
else
	echo "not ok aarch64: two threads are collected by the host's heapledger: $wrong"
	sed 's/^/    /' out
	failed=1
fi

if command -v clang >/dev/null 2>&1 && build clang "clang --target=aarch64-linux-gnu"; then
	GUEST_SO="$work/clang/libheapledger.so" unwind ", built by clang" unwind/jumps.c
	GUEST_SO="$work/clang/libheapledger.so" hold ", built by clang" python3 "$root/tests/unwind/torture.py"
fi
exit $failed
