#!/bin/sh
# foreign_children.sh - a traced program starts programs that cannot load the library: they run as without us, nothing
# is printed, and they are counted; their own children, and what else the program starts, are traced.
set -u
# shellcheck source=tests/lib/verdict.sh
. "$HL_ROOT/tests/lib/verdict.sh"
so=$HL_BUILD/libheapledger.so

# Starts its arguments in each of the ways there are, twice with an environment of its own.
cat >starter.c <<'END'
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
extern char **environ;
static void ended(const char *how)
{
	int status = 0;

	wait(&status);
	printf("%s: %d\n", how, WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
	fflush(stdout);
}
#define CHILD(how, call) \
	if (fork() == 0) { \
		call; \
		_exit(99); \
	} \
	ended(how)
int main(int argc, char **argv)
{
	char *none[] = {NULL}, **args = argv + 1, *base = strrchr(args[0], '/') + 1;
	int fd = open(args[0], O_RDONLY | O_CLOEXEC);
	pid_t pid;

	free(malloc(40));
	CHILD("execve", execve(args[0], args, environ));
	CHILD("execve with no environment", execve(args[0], args, none));
	CHILD("execvp", execvp(base, args));
	CHILD("execveat", execveat(AT_FDCWD, args[0], args, environ, 0));
	CHILD("fexecve", fexecve(fd, args, environ));
	if (!posix_spawn(&pid, args[0], NULL, NULL, args, environ))
		ended("posix_spawn");
	if (!posix_spawnp(&pid, base, NULL, NULL, args, none))
		ended("posix_spawnp");
	if (!vfork()) {
		execv(args[0], args);
		_exit(99);
	}
	ended("vfork");
	return 0;
}
END
gcc -g -O1 -D_GNU_SOURCE -w -o starter starter.c || exit 1
STARTS=8

# Without a libc: a 32-bit one to link with need not be there.
cat >tiny.c <<'END'
static int call(int n, int a, const void *b, int c)
{
	int r;

	__asm__ volatile("int $0x80" : "=a"(r) : "a"(n), "b"(a), "c"(b), "d"(c) : "memory");
	return r;
}
void _start(void)
{
	call(4, 1, "32 bits\n", 8);
	call(1, 7, 0, 0);
}
END
cat >hello.c <<'END'
#include <stdio.h>
#include <stdlib.h>
int main(void)
{
	void *volatile p = malloc(77);

	puts(p ? "hello" : "?");
	return 7;
}
END

mkdir -p bin
PATH=$PWD/bin:$PATH
export PATH

# NAME PROGRAM COUNTED: the same output as untraced, and so many programs not traced
foreign() {
	./starter "$2" >plain.out 2>plain.err
	[ "$(grep -c ': 7$' plain.out)" = $STARTS ] || verdict "$1: it runs untraced" $STARTS "$(cat plain.out plain.err)"
	for mode in run bare; do
		rm -f t.hl*
		if [ $mode = run ]; then
			"$hl" run -q -o t.hl -- ./starter "$2" >out 2>err
		else
			LD_PRELOAD=$so HEAPLEDGER_OUTPUT=$PWD/t.hl ./starter "$2" >out 2>err
		fi
		verdict "$1 runs as without us ($mode)" "$(cat plain.out plain.err)" "$(cat out err)"
		verdict "$1 is counted ($mode)" "$3" \
			"$(for t in t.hl*; do "$hl" info "$t" 2>/dev/null; done | awk '/^lost programs:/ { n += $3 } END { print n + 0 }')"
	done
	"$hl" run -q --follow none --force -o t.hl -- ./starter "$2" >out 2>err
	verdict "$1 runs as without us (--follow none)" "$(cat plain.out plain.err)" "$(cat out err)"
}

if [ "$(uname -m)" != x86_64 ]; then
	echo "SKIP: a 32-bit child: not on this processor"
elif ! [ -e /lib/ld-linux.so.2 ]; then
	echo "SKIP: a 32-bit child: no 32-bit dynamic linker (libc6-i386)"
elif ! gcc -m32 -fPIE -pie -nostdlib -O1 -Wl,--dynamic-linker=/lib/ld-linux.so.2 -o bin/tiny tiny.c 2>err; then
	echo "SKIP: a 32-bit child: the compiler makes none: $(head -c 200 err)"
else
	foreign "a 32-bit program" "$PWD/bin/tiny" $STARTS
fi
if command -v musl-gcc >/dev/null 2>&1; then
	musl-gcc -o bin/muslprog hello.c || exit 1
	foreign "a program of musl's" "$PWD/bin/muslprog" $STARTS
	printf '#!%s/bin/muslprog with an argument\n' "$PWD" >bin/script
	chmod 755 bin/script
	# fexecve of a script needs a descriptor that stays open
	sed -i 's/O_RDONLY | O_CLOEXEC/O_RDONLY/' starter.c && gcc -g -O1 -D_GNU_SOURCE -w -o starter starter.c
	foreign "a script that a program of musl's runs" "$PWD/bin/script" $STARTS
else
	echo "SKIP: a program of musl's as a child: no musl-gcc"
fi
if gcc -static -o bin/static hello.c 2>/dev/null; then
	foreign "a static program" "$PWD/bin/static" $STARTS
else
	echo "SKIP: a static child: no static libc"
fi
if [ "$(id -u)" = 0 ]; then
	gcc -o bin/setuid hello.c && chown 65534 bin/setuid && chmod 4755 bin/setuid
	# what runs it must be allowed to get there
	foreign "a set-user-ID program" "$PWD/bin/setuid" $STARTS
else
	echo "SKIP: a set-user-ID child: needs root"
fi
gcc -o bin/normal hello.c
foreign "a normal program" "$PWD/bin/normal" 0
rm -f t.hl*
"$hl" run -q -o t.hl -- ./starter "$PWD/bin/normal" >out 2>err
verdict "and it is traced each time" $STARTS \
	"$(for t in t.hl*; do "$hl" info "$t" 2>/dev/null | grep "^executable: .*/bin/normal$"; done | wc -l)"

# execvp passes by what may not be executed; the first of the name in PATH is of another machine's kind
mkdir -p passed && printf '\177ELF\001\001\001' | cat - starter >passed/normal && chmod 644 passed/normal
rm -f t.hl*
# shellcheck disable=SC2016 # the shell that is traced expands them
PATH=$PWD/passed:$PWD/bin:$PATH "$hl" run -q -o t.hl -- sh -c 'exec "$0" "$@"' ./starter "$PWD/bin/normal" >out 2>err
verdict "also where PATH has a file of its name that may not be executed" $STARTS \
	"$(for t in t.hl*; do "$hl" info "$t" 2>/dev/null | grep "^executable: .*/bin/normal$"; done | wc -l)"
exit $failed
