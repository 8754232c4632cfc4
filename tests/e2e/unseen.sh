#!/bin/sh
# unseen.sh - plugins that have another malloc than ours: loaded with RTLD_DEEPBIND, or by dlmopen.  They run as without
# us, and every report says that they are not in it; of a plugin loaded in the usual way nothing is said, nor of one whose
# operator new is another than ours but calls our malloc.
set -u
# shellcheck source=tests/lib/verdict.sh
. "$HL_ROOT/tests/lib/verdict.sh"

cat >plugin.c <<'END'
#include <stdlib.h>
#include <string.h>
char *plugin_copy(const char *s)
{
	char *volatile p = malloc(200);

	free(p);
	return strcpy(malloc(strlen(s) + 1), s);
}
END
gcc -g -fPIC -shared -o plugin.so plugin.c || exit 1
gcc -g -fPIC -shared -fno-plt -Wl,-z,now -o noplt.so plugin.c || exit 1
cat >loads.c <<'END'
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv)
{
	const char *how = argv[1];
	void *h = !strcmp(how, "dlmopen")  ? dlmopen(LM_ID_NEWLM, argv[2], RTLD_NOW)
		  : !strcmp(how, "deep")   ? dlopen(argv[2], RTLD_NOW | RTLD_DEEPBIND)
		  : !strcmp(how, "deeply") ? dlopen(argv[2], RTLD_LAZY | RTLD_DEEPBIND)
					   : dlopen(argv[2], RTLD_NOW);
	char *(*copy)(const char *) = h ? (char *(*)(const char *))dlsym(h, "plugin_copy") : NULL;

	puts(copy ? copy("copied") : dlerror());
	return copy ? 3 : 1;
}
END
gcc -g -D_GNU_SOURCE -o loads loads.c -ldl || exit 1

for plugin in plugin.so noplt.so; do
	for how in usual deep deeply dlmopen; do
		name="$plugin loaded the way '$how'"
		want=$("./loads" $how "$PWD/$plugin" 2>&1; echo $?)
		unseen=1
		[ $how = usual ] && unseen=0
		for mode in run bare; do
			rm -f t.hl*
			if [ $mode = run ]; then
				got=$("$hl" run -q -o t.hl -- ./loads $how "$PWD/$plugin" 2>&1; echo $?)
			else
				got=$(LD_PRELOAD=$HL_BUILD/libheapledger.so HEAPLEDGER_OUTPUT=$PWD/t.hl ./loads $how "$PWD/$plugin" 2>&1; echo $?)
			fi
			verdict "$name runs as without us ($mode)" "$want" "$got"
			verdict "$name is told by info ($mode)" "unseen libraries: $unseen" "$("$hl" info t.hl 2>/dev/null | grep unseen)"
			verdict "$name is told by stats ($mode)" $unseen \
				"$("$hl" stats t.hl 2>&1 >/dev/null | grep -c "warning: what $PWD/$plugin allocates is not in the trace")"
		done
	done
done
"$hl" run --force -o t.hl -- ./loads deep "$PWD/plugin.so" >out 2>err
verdict "and by run" 1 "$(grep -c '^heapledger: loads .*, 1 libraries not seen: t.hl$' err)"

echo 'extern "C" int *plugin_make() { return new int(5); }' >made.cc
g++ -g -fPIC -shared -o made.so made.cc || exit 1
cat >makes.cc <<'END'
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#ifdef OWN
void *operator new(std::size_t n) { return malloc(n); }
void operator delete(void *p) noexcept { free(p); }
void operator delete(void *p, std::size_t) noexcept { free(p); }
#else
char *volatile text = new char[9]; /* the runtime is there from the start */
#endif
int main(int argc, char **argv)
{
	void *h = dlopen("./made.so", argc > 1 && !strcmp(argv[1], "deep") ? RTLD_NOW | RTLD_DEEPBIND : RTLD_NOW);
	int *(*make)() = h ? (int *(*)())dlsym(h, "plugin_make") : nullptr;

	return make && *make() == 5 ? 0 : 1;
}
END
g++ -g -rdynamic -o makes makes.cc -ldl || exit 1
g++ -g -rdynamic -DOWN -Wl,--no-as-needed -o makes_own makes.cc -ldl || exit 1
for program in makes makes_own; do
	for how in usual deep; do
		"$hl" run -q --force -o t.hl -- ./$program $how
		verdict "$program $how: a block of the plugin's is there" 1 "$("$hl" stats -n 0 t.hl 2>/dev/null | grep -c '/made.cc:1: size=4 B, count=1,')"
		verdict "$program $how: so nothing is said of the plugin" 0 "$("$hl" stats t.hl 2>&1 >/dev/null | grep -c "warning: what .* allocates")"
	done
done

# exit() while a library is being loaded: not all of its calls have a destination yet
cat >halfway.c <<'END'
#include <stdlib.h>
typedef int answer(void);
/* no call of the library's own works now: the program left the address of exit at this place */
static answer *resolve(void)
{
	(*(void (**)(int))0x10000000)(0);
	return NULL;
}
int early(void) __attribute__((ifunc("resolve")));
answer *volatile known = early;
void *plugin_get(int n)
{
	return malloc(n);
}
END
gcc -g -fPIC -shared -Wl,-z,lazy -o halfway.so halfway.c || exit 1
cat >ends.c <<'END'
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/mman.h>
int main(void)
{
	void (**place)(int) = mmap((void *)0x10000000, 4096, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	*place = exit;
	dlopen("./halfway.so", RTLD_NOW);
	return 1;
}
END
gcc -g -D_GNU_SOURCE -o ends ends.c -ldl || exit 1
"$hl" run --force -o t.hl -- ./ends >out 2>err
verdict "exit() while a library is being loaded is survived" 0 $?
verdict "and nothing is said of that library" "unseen libraries: 0" "$("$hl" info t.hl 2>/dev/null | grep unseen)"
# one that only frees what the program allocated, and one that is gone before the end: the blocks look lost, and there is no verdict
cat >frees.c <<'END'
#include <stdlib.h>
void plugin_free(void *p)
{
	free(p);
}
END
gcc -g -fPIC -shared -o frees.so frees.c || exit 1
cat >gone.c <<'END'
#include <dlfcn.h>
#include <stdlib.h>
int main(int argc, char **argv)
{
	void *h = dlopen(argv[1], RTLD_NOW | RTLD_DEEPBIND);
	void (*give)(void *) = (void (*)(void *))dlsym(h, "plugin_free");

	for (int i = 0; i < 5; i++)
		give(malloc(100));
	if (argc > 2)
		dlclose(h);
	return 0;
}
END
gcc -w -g -o gone gone.c -ldl || exit 1
for closed in '' closed; do
	rm -f t.hl*
	"$hl" check -o t.hl -- ./gone "$PWD/frees.so" $closed >out 2>err
	verdict "a plugin that only frees: no verdict $closed" 4 $?
	verdict "and it is named $closed" 1 "$("$hl" stats t.hl 2>&1 >/dev/null | grep -c "warning: what $PWD/frees.so allocates")"
done

exit $failed
