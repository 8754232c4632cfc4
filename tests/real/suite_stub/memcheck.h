/*
 * memcheck.h - stands before valgrind's own (HL_MEMCHECK_H): a program ends at the leak check whose number is in STOP_AT.
 *
 * So a search for leaks at the end of a process sees what valgrind's would see in the middle of the program.
 * LeakSanitizer does not look for leaks at _exit: where it is linked (HL_LSAN) it is asked to.
 */
#include HL_MEMCHECK_H
#include <stdlib.h>
#include <unistd.h>
#ifdef HL_LSAN
#include <sanitizer/lsan_interface.h>
#endif

static void stop_at_check(void)
{
	static int checks;
	const char *at = getenv("STOP_AT");

	if (!at || ++checks != atoi(at))
		return;
#ifdef HL_LSAN
	__lsan_do_leak_check();
#endif
	_exit(0);
}

#undef VALGRIND_DO_LEAK_CHECK
#undef VALGRIND_DO_ADDED_LEAK_CHECK
#undef VALGRIND_DO_CHANGED_LEAK_CHECK
#undef VALGRIND_DO_QUICK_LEAK_CHECK
#define VALGRIND_DO_LEAK_CHECK         stop_at_check()
#define VALGRIND_DO_ADDED_LEAK_CHECK   stop_at_check()
#define VALGRIND_DO_CHANGED_LEAK_CHECK stop_at_check()
#define VALGRIND_DO_QUICK_LEAK_CHECK   stop_at_check()
