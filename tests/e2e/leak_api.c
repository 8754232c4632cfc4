/*
 * leak_api.c - a program that was written for LeakSanitizer; with OWN the same under our names.
 *   leak_api CASE   status 3 when it comes to its end
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#ifdef OWN
#include "heapledger.h"
#define DISABLE()        HEAPLEDGER_DISABLE()
#define ENABLE()         HEAPLEDGER_ENABLE()
#define IGNORE(p)        HEAPLEDGER_IGNORE_OBJECT(p)
#define REGISTER(p, n)   HEAPLEDGER_REGISTER_ROOT_REGION(p, n)
#define UNREGISTER(p, n) HEAPLEDGER_UNREGISTER_ROOT_REGION(p, n)
#define CHECK()          HEAPLEDGER_DO_LEAK_CHECK()
#define CHECK_GOING_ON() HEAPLEDGER_DO_RECOVERABLE_LEAK_CHECK()
#else
#define WEAK             __attribute__((weak))
WEAK void __lsan_disable(void);
WEAK void __lsan_enable(void);
WEAK void __lsan_ignore_object(const void *p);
WEAK void __lsan_register_root_region(const void *p, size_t n);
WEAK void __lsan_unregister_root_region(const void *p, size_t n);
WEAK void __lsan_do_leak_check(void);
WEAK int __lsan_do_recoverable_leak_check(void);
#define DISABLE()        __lsan_disable()
#define ENABLE()         __lsan_enable()
#define IGNORE(p)        __lsan_ignore_object(p)
#define REGISTER(p, n)   __lsan_register_root_region(p, n)
#define UNREGISTER(p, n) __lsan_unregister_root_region(p, n)
#define CHECK()          __lsan_do_leak_check()
#define CHECK_GOING_ON() __lsan_do_recoverable_leak_check()
#endif

static const char *wanted;

static __attribute__((noinline)) char *make(size_t n)
{
	return memset(malloc(n), 0, n);
}

static __attribute__((noinline)) void suppressed(void)
{
	char **p = (char **)make(5000);

	*p = make(50000);
}

static __attribute__((noinline)) void forget(void)
{
	char volatile old[16384];

	for (size_t i = 0; i < sizeof old; i++)
		old[i] = 0;
}

/* Of the program, found by its symbol. */
const char *__lsan_default_suppressions(void)
{
	return "# known\nleak:suppressed\nleak:never\n";
}

#ifdef TURNED_OFF
int __lsan_is_turned_off(void)
{
	return 1;
}
#endif

static int is(const char *name)
{
	return !strcmp(wanted, name);
}

static __attribute__((noinline)) void prepare(void)
{
	char **p;

	if (is("disabled")) {
		DISABLE();
		DISABLE();
		make(1000);
		ENABLE();
		p = (char **)make(1000);
		ENABLE();
		*p = make(7000); /* only what is kept leads there */
	}
	if (is("enabled again")) {
		ENABLE();
		DISABLE();
		ENABLE();
		make(10000);
	}
	if (is("realloc")) {
		DISABLE();
		char *q = make(100);

		ENABLE();
		memset(realloc(q, 10000), 0, 10000);
	}
	if (is("ignored")) {
		p = (char **)make(2000);
		*p = make(3000);
		IGNORE((char *)p + 50);
		IGNORE(NULL);
		IGNORE(&p);
	}
	if (is("ignored before")) {
		/* the block that has the address now is another one */
		char *q = make(10000);

		IGNORE(q);
		free(q);
		make(10000);
	}
	if (is("root") || is("root taken back") || is("root twice")) {
		/* pointers that would not count: in a block that is lost itself */
		p = (char **)make(10000);
		p[100] = make(20000);
		p[101] = make(30000);
		REGISTER(p + 100, 8);
		if (is("root twice"))
			REGISTER(p + 100, 8);
		if (!is("root"))
			UNREGISTER(p + 100, 8);
		UNREGISTER(p, 8);
	}
	if (is("suppressed"))
		suppressed();
	if (is("leak") || is("check") || is("going on"))
		make(10000);
}

int main(int argc, char **argv)
{
	int status, seen = 0;

	wanted = argc > 1 ? argv[1] : "";
	prepare();
	forget();
	if (is("check") || is("check of nothing"))
		CHECK();
	if (is("check of nothing")) {
		make(10000); /* nobody looks at the end any more */
		CHECK();
	}
	if (is("going on")) {
		seen = CHECK_GOING_ON();
		seen += CHECK_GOING_ON();
		printf("%d times, child %d\n", seen, waitpid(-1, &status, WNOHANG));
	}
	puts("end");
	return 3;
}
