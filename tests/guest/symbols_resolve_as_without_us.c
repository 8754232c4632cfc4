/* What the program's other symbols bind to is the same as in an untraced run. */
#include "guest.h"
#include <dlfcn.h>
#include <string.h>

int main(void)
{
	static const char *const name[] = {
		"backtrace",      "unw_backtrace", "unw_step",          "memcpy",
		"printf",         "dlopen",        "ZSTD_compress",     "getenv",
		"strlen",         "sigaction",     "_Unwind_Backtrace", "dl_iterate_phdr",
		"pthread_create", "memset"};

	for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
		void *p = dlsym(RTLD_DEFAULT, name[i]);
		Dl_info info;
		const char *file = "none";

		if (p && dladdr(p, &info) && info.dli_fname)
			file = strrchr(info.dli_fname, '/') ? strrchr(info.dli_fname, '/') + 1
							    : info.dli_fname;
		printf("%s: %s\n", name[i], file);
	}
	return 0;
}
