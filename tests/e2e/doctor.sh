#!/bin/bash
# doctor.sh - what `heapledger doctor` says of a program and its libraries before anything is run, and whether
# `run` then ends as it said.
# timeout: 180
# shellcheck disable=SC2016 # $ORIGIN is the dynamic linker's
set -u
hl=${HL_BUILD:?}/heapledger
broken=0
unset LD_LIBRARY_PATH LD_PRELOAD

promise() { # NAME CONDITION...
	local name=$1
	shift
	if "$@"; then
		echo "ok $name"
	else
		echo "not ok $name: $(tail -n 25 said | tr '\n' '|')"
		broken=1
	fi
}
doctor() { "$hl" doctor "$@" >said 2>&1; }
says() { # VERDICT NAME TEXT: a row of the last report
	grep -E "^$1 +$2 +" said | grep -qF -- "$3"
}
silent_on() { ! grep -qE "^(warning|refused) +$1 " said; }

echo 'int main(void) { return 0; }' >main.c

# ---- libraries ----
mkdir -p lib far
echo 'int c(void) { return 3; }' | gcc -x c -shared -fPIC -g -o far/libc3.so -
cat >b.c <<'E'
#include <fcntl.h>
int c(void);
int b(void) { return c(); }
__attribute__((constructor)) static void made(void) { creat("executed", 0600); }
E
gcc -shared -fPIC -g -o lib/libb2.so b.c -Lfar -lc3
echo 'int b(void); int a(void) { return b(); }' | gcc -x c -shared -fPIC -g -o lib/liba1.so - -Llib -lb2 \
	-Wl,-rpath-link,far -Wl,--disable-new-dtags '-Wl,-rpath,$ORIGIN'
echo 'int a(void); int main(void) { return a() - 3; }' >use.c
gcc -g -o use use.c -Llib -la1 -Wl,-rpath-link,far -Wl,--disable-new-dtags '-Wl,-rpath,$ORIGIN/lib:${ORIGIN}/far'
doctor ./use
promise "DT_RPATH of the program serves its libraries' libraries" says ok libraries "all 5 found"
promise "nothing was executed" test ! -e executed
gcc -g -o use use.c -Llib -la1 -Wl,-rpath-link,far -Wl,--enable-new-dtags '-Wl,-rpath,$ORIGIN/lib:$ORIGIN/far'
doctor ./use
promise "DT_RUNPATH serves the program alone" says warning libraries "libc3.so, needed by "
promise "... which is what ld.so does" sh -c './use 2>&1 | grep -q libc3.so'
promise "a library that is not found is no refusal" "$hl" doctor ./use
LD_LIBRARY_PATH=/nowhere:far doctor ./use
promise "LD_LIBRARY_PATH is searched" says ok libraries "all 5 found"
mv lib/libb2.so far/
printf 'not a library' >lib/libb2.so
LD_LIBRARY_PATH=far doctor ./use
promise "a file that is no library is passed by" says ok libraries "all 5 found"
if [ "$(uname -m)" = x86_64 ]; then
	cp far/libb2.so lib/libb2.so
	printf '\xb7\x00' | dd of=lib/libb2.so bs=1 seek=18 conv=notrunc 2>/dev/null
	LD_LIBRARY_PATH=lib doctor ./use
	promise "... and one of another machine" says warning libraries "libb2.so, needed by"
fi
# liba3 asks for libb3, which asks for libc3: far is in the path of liba3 alone
gcc -shared -fPIC -o far/libb3.so b.c -Lfar -lc3
for tags in disable enable; do
	echo 'int b(void); int a(void) { return b(); }' | gcc -x c -shared -fPIC -o lib/liba3.so - -Lfar -lb3 \
		-Wl,-rpath-link,far -Wl,--$tags-new-dtags '-Wl,-rpath,$ORIGIN/../far'
	gcc -o use3 use.c -Llib -la3 -Wl,-rpath-link,far -Wl,--disable-new-dtags '-Wl,-rpath,$ORIGIN/lib'
	doctor ./use3
	if [ $tags = disable ]; then
		promise "DT_RPATH of who asked for the asker counts" says ok libraries "all 5 found"
		promise "... as with ld.so" ./use3
	else
		promise "DT_RUNPATH does not" says warning libraries "libc3.so, needed by"
		promise "... as with ld.so" sh -c '! ./use3 2>/dev/null'
	fi
done
echo 'int b(void); int a(void) { return b(); }' | gcc -x c -shared -fPIC -o lib/liba3.so - -Lfar -lb3 \
	-Wl,-rpath-link,far -Wl,--enable-new-dtags -Wl,-rpath,/nowhere
gcc -o use3 use.c -Llib -la3 -Wl,-rpath-link,far -Wl,--disable-new-dtags '-Wl,-rpath,$ORIGIN/lib:$ORIGIN/far'
doctor ./use3
promise "who has a DT_RUNPATH does not use the program's DT_RPATH" says warning libraries "libb3.so, needed by"
promise "... as with ld.so" sh -c '! ./use3 2>/dev/null'
echo 'int one(void); int two(void) { return one(); }' | gcc -x c -shared -fPIC -o lib/libtwo.so -
echo 'int two(void); int one(void) { return two(); }' | gcc -x c -shared -fPIC -o lib/libone.so - -Llib -ltwo
echo 'int one(void); int two(void) { return one(); }' | gcc -x c -shared -fPIC -o lib/libtwo.so - -Llib -lone
echo 'int one(void); int main(void) { return one(); }' | gcc -x c -o circle - -Llib -lone -Wl,-rpath-link,lib -Wl,--disable-new-dtags -Wl,-rpath,lib
doctor ./circle
promise "libraries that need each other are counted once" says ok libraries "all 4 found"
for p in ls bash git openssl python3 perl clang sqlite3; do
	path=/usr/bin/$p
	[ "$(head -c 4 "$path" 2>/dev/null | tail -c 3)" = ELF ] || continue
	want=$(LD_TRACE_LOADED_OBJECTS=1 "$path" 2>/dev/null | grep -vc -e linux-vdso)
	[ "$want" -gt 0 ] || continue
	doctor "$path"
	promise "of $p as many libraries are found as by ld.so" says ok libraries "all $want found"
done
gcc -g -o plain main.c
strip -o bare plain
doctor ./bare
promise "a program without debug information is told" says warning debug "./bare has no debug information"
strip far/libc3.so
LD_LIBRARY_PATH=far doctor ./use
promise "libraries without debug information are counted" grep -qE '^warning +debug +[1-9] of 5 libraries' said

# ---- RTLD_DEEPBIND ----
cat >deep.c <<'E'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#ifdef TAIL
void *open_it(const char *name) __attribute__((noinline));
void *open_it(const char *name) { return dlopen(name, FLAGS); }
int main(int argc, char **argv) { return argc > 1 && open_it(argv[1]); }
#else
int main(int argc, char **argv)
{
	void *p = argc > 1 ? dlopen(argv[1], FLAGS) : dlopen("libm.so.6", RTLD_LAZY);
	printf("%p\n", p);
	return 0;
}
#endif
E
if [ "$(uname -m)" = x86_64 ]; then
	for how in "-O0" "-O2" "-Os" "-Oz" "-O2 -fno-plt" "-O2 -fcf-protection=none" "-O2 -Wl,-z,now" "-O2 -no-pie -Wl,-z,lazy" \
		"-O2 -DTAIL" "-O2 -DTAIL -fno-plt" "-O2 -Wl,-z,ibtplt" "-O2 -s"; do
		# shellcheck disable=SC2086
		if ! gcc $how -DFLAGS='RTLD_NOW|RTLD_DEEPBIND' -o deep deep.c -ldl 2>said; then
			echo "SKIP: RTLD_DEEPBIND in a program built with $how: gcc cannot"
			continue
		fi
		doctor ./deep
		promise "RTLD_DEEPBIND is found in a program built with $how" says warning deepbind "deep loads libraries"
		# shellcheck disable=SC2086
		gcc $how -DFLAGS='RTLD_NOW|RTLD_GLOBAL' -o deep deep.c -ldl && doctor ./deep
		promise "... and without the flag there is no warning" silent_on deepbind
	done
	gcc -O2 -DFLAGS='({ __asm__ volatile("mov $8, %%r14d" ::: "r14"); argc; })' -o deep deep.c && doctor ./deep
	promise "a constant in another register is not taken for flags" silent_on deepbind
	gcc -O2 -shared -fPIC -DTAIL -DFLAGS='RTLD_LAZY|RTLD_DEEPBIND' -o lib/libdeep.so deep.c
	gcc -o viadeep main.c -Wl,--no-as-needed -Llib -ldeep -Wl,-rpath,lib && doctor ./viadeep
	promise "RTLD_DEEPBIND is found in a library" says warning deepbind "libdeep.so loads libraries"
else
	doctor ./plain
	promise "that RTLD_DEEPBIND is not looked for is said" says ok deepbind "not looked for"
fi
sed 's/dlopen(/dlmopen(LM_ID_NEWLM, /g' deep.c >dlm.c
gcc -DFLAGS=RTLD_NOW -o dlm dlm.c -ldl && doctor ./dlm
promise "dlmopen is told" says warning dlmopen "dlm calls dlmopen"

# ---- sandboxes ----
echo 'int seccomp_load(void *c); int seccomp_load(void *c) { return !c; }' |
	gcc -x c -shared -fPIC -Wl,-soname,libseccomp.so.2 -o lib/libseccomp.so.2 -
echo 'int seccomp_load(void *c); int main(void) { return !seccomp_load(0); }' |
	gcc -x c -o jail - -x none lib/libseccomp.so.2 -Wl,-rpath,lib
doctor ./jail
promise "a program that uses libseccomp is told which calls to allow" says warning sandbox "madvise mmap mremap munmap futex"
promise "... and that it may be killed" says warning sandbox SIGSYS
cp plain firefox && doctor ./firefox
promise "a program that is known to restrict itself is told" says warning sandbox "content processes"
cp plain sshd && doctor ./sshd
promise "... and one that was tried is no reason to worry" says ok sandbox "tried with OpenSSH"

# ---- sanitizers ----
if gcc -fsanitize=address -o asan main.c 2>/dev/null; then
	echo 'int f(void) { return 1; }' | gcc -x c -shared -fPIC -fsanitize=address -o lib/libsan.so -
	gcc -o viasan main.c -Wl,--no-as-needed -Wl,--allow-shlib-undefined -Llib -lsan -Wl,-rpath,lib
	doctor ./viasan
	promise "a library that brings a sanitizer is refused" says refused sanitizer "libsan.so brings a sanitizer"
	"$hl" run -o san.hl -- ./viasan >said 2>&1
	promise "... by run too" [ $? = 125 ]
else
	echo "SKIP: a library that brings a sanitizer is refused: gcc has none"
fi
cat >ub.c <<'E'
#include <stdlib.h>
int main(int argc, char **argv)
{
	int x = 2147483000;
	x += argc;
	free(malloc(77));
	return x == 3 || !argv;
}
E
if gcc -g -fsanitize=undefined -o ub ub.c 2>/dev/null; then
	doctor ./ub
	promise "UBSan has no allocator: it is no refusal" [ $? = 0 ]
	"$hl" run -q -o ub.hl -- ./ub >said 2>&1
	promise "... and is traced" [ $? = 0 ]
	"$hl" stats ub.hl --sort total >said 2>&1
	promise "... with its allocations" grep -q 'ub.c:6:.*total=77 B' said
else
	echo "SKIP: UBSan has no allocator: gcc has no UBSan"
fi

# ---- allocators ----
cat >own.cc <<'E'
#include <cstdio>
#include <cstdlib>
int main()
{
	for (int i = 0; i < 100; i++) {
		void *volatile p = malloc(100);
		free(p);
	}
	int *volatile q = new int[4];
	puts(q ? "done" : "failed");
}
E
unseen() { # NAME PROGRAM: run says beforehand and at the end that nothing is seen
	rm -f t.hl
	"$hl" run -o t.hl -- "./$2" >out 2>said
	promise "with $1 run warns before the start" grep -q "what it allocates is not seen" said
	promise "... and says at the end that nothing was seen" grep -q "no allocation was seen" said
	promise "... and the program is unharmed" grep -qx "done" out
	rm -f t.hl
	"$hl" run -q -o t.hl -- "./$2" >out 2>said
	promise "... and with -q nothing is said" test ! -s said
}
for one in jemalloc:libjemalloc.a:libjemalloc-dev tcmalloc:libtcmalloc_minimal.a:libgoogle-perftools-dev \
	mimalloc:libmimalloc.a:libmimalloc-dev; do
	IFS=: read -r name archive package <<<"$one"
	# gcc names an absolute path when it has the file
	case $(gcc -print-file-name="$archive") in
	/*) ;;
	*)
		echo "SKIP: a static $name: no $archive (Debian: $package)"
		continue
		;;
	esac
	if ! g++ -g -O1 -o own own.cc -Wl,--whole-archive -l:"$archive" -Wl,--no-whole-archive -lpthread -ldl 2>said; then
		echo "SKIP: a static $name: it cannot be linked"
		continue
	fi
	doctor ./own
	promise "a static $name is named" says warning allocator "$name linked into it"
	strip -o own_stripped own
	doctor ./own_stripped
	promise "... also when only .dynsym is left" says warning allocator "$name linked into it"
	unseen "a static $name" own_stripped
done
cat >bump.c <<'E'
#include <stddef.h>
#include <stdio.h>
#include <string.h>
static _Alignas(16) char heap[8 << 20];
static size_t used;
void *malloc(size_t n) { void *p = heap + used; used += (n + 15) & ~(size_t)15; return p; }
void free(void *p) { (void)p; }
void *calloc(size_t n, size_t m) { return memset(malloc(n * m), 0, n * m); }
void *realloc(void *p, size_t n) { void *q = malloc(n); return p ? memcpy(q, p, n) : q; }
#ifndef NO_MAIN
int main(void) { puts(malloc(9) ? "done" : "failed"); return 0; }
#endif
E
gcc -g -fno-builtin -o bump bump.c 2>/dev/null
doctor ./bump
promise "an unknown malloc of the program's own is told" says warning allocator "a malloc of its own"
unseen "a malloc of the program's own" bump
gcc -shared -fPIC -fno-builtin -DNO_MAIN -o lib/libbump.so bump.c 2>/dev/null
gcc -o viabump main.c -Wl,--no-as-needed -Llib -lbump -Wl,-rpath,lib && doctor ./viabump
promise "one in a library is traced through" says ok allocator "libbump.so has a malloc: traced through it"
echo 'int _rjem_mallctl(void) { return 0; } int main(void) { return _rjem_mallctl(); }' | gcc -x c -w -o rust -
doctor ./rust
promise "an allocator beside malloc, as in Rust programs, is told" says warning allocator "jemalloc linked into it, beside malloc"
for lib in libjemalloc.so.2:jemalloc libtcmalloc_minimal.so.4:tcmalloc libmimalloc.so.2:mimalloc; do
	path=$(ldconfig -p 2>/dev/null | sed -n "s|.* => \(/.*/${lib%:*}\)\$|\1|p" | head -1)
	if [ -z "$path" ]; then
		echo "SKIP: ${lib%:*} is named: not installed"
		continue
	fi
	gcc -o shared main.c -Wl,--no-as-needed "$path" && doctor ./shared
	promise "a shared ${lib#*:} is traced through, and named" says ok allocator "is ${lib#*:}: traced through it"
	LD_PRELOAD=$path doctor ./plain
	promise "... also where LD_PRELOAD brings it" says ok allocator "is ${lib#*:}: traced through it"
done
cat >new.cc <<'E'
#include <cstdio>
#include <cstdlib>
#include <new>
void *operator new(std::size_t n) { return malloc(n + 16); }
void operator delete(void *p) noexcept { free(p); }
void operator delete(void *p, std::size_t) noexcept { free(p); }
int main() { int *volatile q = new int; delete q; puts("done"); }
E
g++ -g -o new new.cc && doctor ./new
promise "an operator new of the program's own is told" says ok allocator "its own operator new is seen as far as it calls malloc"
g++ -g -O1 -static-libstdc++ -o staticcxx own.cc && doctor ./staticcxx
promise "... and that of a static libstdc++ is not" says ok allocator "that of its libraries"
promise "... (nothing else is said of it)" sh -c '! grep -q "operator new" said'

[ "$broken" = 0 ]
