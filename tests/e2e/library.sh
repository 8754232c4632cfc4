#!/bin/sh
# library.sh - what libheapledger.so asks of a process and what it brings into it: imports, exports, TLS, segments,
# relocations.  Each rule is held against a spoiled library, too.
set -u
cd "${HL_ROOT:-$(dirname "$0")/../..}" || exit 1
so=${HL_SO:-${HL_BUILD:-build}/libheapledger.so} # of another processor: with its NM
nm=${NM:-nm}
failed=0
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

# Functions of libc that take no lock, allocate nothing and are no cancellation point on the event path; the others
# are called at start, fork, exec and exit only.
cat >"$tmp/reasons" <<'END'
dlopen                       # libunwind, privately, while starting
dlsym                        # the functions we stand before, while starting
dladdr                       # our own path, whose malloc and whose operator new it is: while starting
dl_iterate_phdr              # a module's place where libc has no _dl_find_object, once for each new one
fork                         # for _Fork, where libc has none
getauxval                    # AT_SECURE, AT_PAGESZ: reads a table
environ                      # the options, while starting; exec without an environment of its own
__environ                    # the same variable
on_exit                      # the end, with its status; registered once
exit                         # the end with another status, where HEAPLEDGER_EXITCODE asks for it
__lsan_default_suppressions  # weak, of the program, in our constructor
__lsan_is_turned_off         # weak, of the program, when it ends or asks for a check
pthread_key_create           # a thread's end; one key
pthread_setspecific          # a thread's first hook; what it allocates for late keys is not recorded
__register_atfork            # a child that a signal handler forks inside a record of its parent
__errno_location             # calls that we answer ourselves: ENOMEM, ENOSYS, what mmap's system call returned
pthread_self                 # pthread_setname_np: reads a register
__cxa_finalize               # weak, of the compiler's start files
__gmon_start__               # weak, of the compiler's start files
_ITM_deregisterTMCloneTable  # weak, of the compiler's start files
_ITM_registerTMCloneTable    # weak, of the compiler's start files
END
sed 's/ *#.*//' "$tmp/reasons" | sort >"$tmp/may-import"

# The hooks by their names in exports.map; operator new and delete in all forms of C++17; the API as its header declares it.
{
	sed -n '/^global:/,/^local:/s/;/\n/gp' preload/exports.map | tr -d '\t ' | grep -v -e '\*' -e ':' -e '^$'
	for form in wm am; do
		for rest in '' RKSt9nothrow_t St11align_val_t St11align_val_tRKSt9nothrow_t; do echo "_Zn$form$rest"; done
	done
	for form in lPv aPv; do
		for rest in '' m St11align_val_t mSt11align_val_t RKSt9nothrow_t St11align_val_tRKSt9nothrow_t; do echo "_Zd$form$rest"; done
	done
	sed -n 's/^HEAPLEDGER_WEAK .*\(heapledger_[a-z_]*\)(.*/\1/p' include/heapledger.h
} | sort >"$tmp/must-export"

# Every complaint about a library, one a line.
examine() { # LIBRARY
	"$nm" -D --undefined-only "$1" | awk '{ sub(/@.*/, "", $NF); print $NF }' | sort -u >"$tmp/imports"
	comm -23 "$tmp/imports" "$tmp/may-import" | sed 's/^/imports /'
	"$nm" -D --defined-only "$1" | awk '{ print $NF }' | sort -u >"$tmp/exports"
	comm -23 "$tmp/exports" "$tmp/must-export" | sed 's/^/exports /'
	comm -13 "$tmp/exports" "$tmp/must-export" | sed 's/^/does not export /'
	"$nm" -D --defined-only "$1" | awk '$2 == "u" || $2 == "i" { print "unique or indirect function " $3 }'
	readelf -dW "$1" >"$tmp/dynamic"
	readelf -lW "$1" >"$tmp/segments"
	readelf -rW "$1" >"$tmp/relocations"
	sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' "$tmp/dynamic" | grep -v -e '^libc\.so' -e '^ld-linux' | sed 's/^/needs /'
	grep -E '\((RPATH|RUNPATH|TEXTREL|VERDEF|SYMBOLIC|PREINIT_ARRAY|FILTER|AUXILIARY)\)|(TEXTREL|SYMBOLIC)$' "$tmp/dynamic" |
		sed 's/^/dynamic entry /'
	grep -q 'FLAGS_1.*NOW' "$tmp/dynamic" || echo "binds lazily: a first call would enter the loader"
	# the linker for aarch64 sets none
	grep -q 'FLAGS).*STATIC_TLS' "$tmp/dynamic" || ! readelf -hW "$1" | grep -q X86-64 || echo "no STATIC_TLS flag"
	# one pointer is the compiler's start file's, one our constructor's: no order among several is relied on
	awk '/\(INIT_ARRAYSZ\)/ && $3 > 16 { print "constructors: " $3 / 8 }' "$tmp/dynamic"
	awk '$1 == "TLS" { print $6 }' "$tmp/segments" | while read -r n; do
		[ $((n)) -le 64 ] || echo "TLS of $((n)) bytes"
	done
	awk '$1 == "GNU_STACK" { found = 1; if ($0 ~ /E /) print "executable stack" }
		$1 == "GNU_RELRO" { relro = 1 }
		$1 == "INTERP" { print "an interpreter" }
		$1 == "LOAD" && / RWE / { print "a segment that is written and executed" }
		END { if (!found) print "says nothing of the stack: executable"; if (!relro) print "no RELRO" }' "$tmp/segments"
	grep -oE 'R_(X86_64|AARCH64)_(DTPMOD64|DTPOFF64|TLSDESC|TLS_DTP[A-Z0-9]*|IRELATIV?E?|COPY)' "$tmp/relocations" | sort -u |
		sed 's/^/relocation /'
}

verdict() { # NAME PATTERN: no complaint has it
	if grep -E "$2" "$tmp/complaints" >"$tmp/report"; then
		echo "not ok $1: $(head -15 "$tmp/report" | tr '\n' ';')"
		failed=1
	else
		echo "ok $1"
	fi
}

verdicts() {
	verdict "the library imports only what has a reason" '^imports '
	verdict "the library needs libc and nothing else" '^needs '
	verdict "the library exports its hooks and the API, all of them and nothing else" '^(exports|does not export) '
	verdict "the library has at most 64 bytes of TLS, which is initial-exec" '^TLS|_TLS|_DTP|__tls_get_addr'
	verdict "the library has no executable stack and no segment to be written and executed" 'execut'
	verdict "the library is read-only after its relocation" 'RELRO|lazily'
	verdict "the library has no text relocation, no version, no path" '^dynamic entry'
	verdict "the library has one constructor and no indirect function" '^constructors|^unique|IRELATIV'
	verdict "nothing else is wrong with the library" '.'
}

if [ ! -f "$so" ]; then
	echo "not ok the library was built: there is no $so"
	exit 1
fi
examine "$so" >"$tmp/complaints"
verdicts
[ -z "${HL_SO:-}" ] || exit $failed
comm -13 "$tmp/imports" "$tmp/may-import" | grep -v '^_*environ$' >"$tmp/complaints"
verdict "every import with a reason is one" '.'

# The test can fail: one library that does everything wrong.
cat >"$tmp/spoiled.c" <<'END'
#include <stdio.h>
__thread char big[100];
__attribute__((constructor)) static void one(void) { puts(big); }
__attribute__((constructor)) static void two(void) { puts(big); }
static void *choose(void) { return (void *)one; }
void indirect(void) __attribute__((ifunc("choose")));
__asm__(".text\n.quad printf\n.previous");
END
if [ "$(uname -m)" != x86_64 ] || ! gcc -shared -fPIC -o "$tmp/spoiled.so" "$tmp/spoiled.c" -Wl,-z,execstack,-z,norelro,-z,lazy,-z,notext \
	-Wl,--no-as-needed,-rpath,/lib -lm 2>"$tmp/err"; then
	echo "SKIP: a spoiled library is found out: it cannot be linked here"
	exit $failed
fi
examine "$tmp/spoiled.so" >"$tmp/complaints"
(verdicts) >"$tmp/verdicts"
if [ "$(grep -c '^not ok' "$tmp/verdicts")" -eq 9 ]; then
	echo "ok a spoiled library is found out"
else
	echo "not ok a spoiled library is found out: $(grep '^ok' "$tmp/verdicts" | tr '\n' ';')"
	failed=1
fi
exit $failed
