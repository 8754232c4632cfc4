/*
 * The program's own backtrace(), unw_backtrace and _Unwind_Backtrace are who they would be, and see the stack that they would
 * see: from a function, from a signal handler, and through our hooks from a new_handler.
 *
 * guest: flags -rdynamic -fno-inline -fno-optimize-sibling-calls
 * guest: builds -DALONE|-Wl,--no-as-needed -l:libunwind.so.8
 * guest: options unwind=libunwind|unwind=walk|sample=16|free-stacks
 */
#include "guest.h"
#include <csignal>
#include <cstring>
#include <dlfcn.h>
#include <execinfo.h>
#include <new>
#include <unwind.h>

static int (*unw)(void **, int);
static volatile std::size_t too_much = std::size_t(1) << 60;
static const void *our_base;

static const char *base_name(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : nullptr;

	return slash ? slash + 1 : path ? path : "none";
}

/* own_only: hooks may stand between the program's frames. */
static void show(const char *how, void *const *pc, int n, bool own_only)
{
	printf("%s:", how);
	for (int i = 0; i < n; i++) {
		Dl_info d;
		char *at = static_cast<char *>(pc[i]);

		if (!dladdr(at - 1, &d))
			continue;
		if (d.dli_fbase == our_base)
			printf(" %s+%#lx", d.dli_sname ? d.dli_sname : "?",
			       static_cast<unsigned long>(
				       at - static_cast<char *>(d.dli_saddr ? d.dli_saddr : d.dli_fbase)));
		else if (!own_only)
			printf(" %s!%s", base_name(d.dli_fname), d.dli_sname ? d.dli_sname : "?");
	}
	puts("");
}

struct walk {
	void *pc[64];
	int n;
};

static _Unwind_Reason_Code note(_Unwind_Context *context, void *arg)
{
	walk *w = static_cast<walk *>(arg);

	if (w->n < 64)
		w->pc[w->n++] = reinterpret_cast<void *>(_Unwind_GetIP(context));
	return _URC_NO_REASON;
}

static void all(const char *where, bool own_only)
{
	walk w;

	puts(where);
	w.n = backtrace(w.pc, 64);
	show("backtrace", w.pc, w.n, own_only);
	w.n = 0;
	_Unwind_Backtrace(note, &w);
	show("_Unwind_Backtrace", w.pc, w.n, own_only);
	if (unw) {
		w.n = unw(w.pc, 64);
		show("unw_backtrace", w.pc, w.n, own_only);
	}
}

static void on_signal(int)
{
	all("signal handler", false);
}

static void on_new()
{
	all("new_handler", true);
	std::set_new_handler(nullptr);
}

extern "C" void deep(int n);
extern "C" void deep(int n)
{
	char room[100];

	keep(room + n);
	if (n) {
		deep(n - 1);
	} else {
		free(keep(malloc(40)));
		all("function", false);
		raise(SIGUSR1);
		std::set_new_handler(on_new);
		try {
			keep(::operator new(too_much));
		} catch (const std::bad_alloc &) {
			puts("caught");
		}
		std::set_new_handler(on_new);
		keep(::operator new(too_much, std::nothrow));
	}
	keep(room);
}

int main()
{
	static const char *const name[] = {"backtrace",
					   "backtrace_symbols",
					   "unw_backtrace",
					   "_Unwind_Backtrace",
					   "_Unwind_RaiseException",
					   "_Unwind_Resume",
					   "_Unwind_Find_FDE",
					   "__cxa_throw",
					   "_ULx86_64_step"};
	struct sigaction action = {};
	Dl_info d;
	void *lib = dlopen("libunwind.so.8", RTLD_NOW | RTLD_NOLOAD);

	for (const char *s : name) {
		void *p = dlsym(RTLD_DEFAULT, s);

		printf("%s: %s\n", s, p && dladdr(p, &d) ? base_name(d.dli_fname) : "none");
	}
#ifdef ALONE
	/* whether it is loaded already is not the program's business */
	lib = dlopen("libunwind.so.8", RTLD_NOW | RTLD_LOCAL);
#endif
	if (lib)
		unw = reinterpret_cast<int (*)(void **, int)>(dlsym(lib, "unw_backtrace"));
	printf("libunwind: %s\n", unw ? "there" : "not there");
	dladdr(reinterpret_cast<void *>(deep), &d);
	our_base = d.dli_fbase;
	action.sa_handler = on_signal;
	sigaction(SIGUSR1, &action, nullptr);
	for (int i = 0; i < 3; i++)
		deep(5 + 3 * i);
	return 0;
}
