/*
 * image.c WAY - a program that says which words its pointer image must hold.  image.py reads these lines:
 *   word NAME ADDRESS VALUE    the word is in the image
 *   above NAME TID ADDRESS     it is on a stack, and counts: not below the thread's sp
 *   below NAME TID ADDRESS     left over: below it
 *   reg NAME TID VALUE         a register of that thread
 *   noreg NAME TID VALUE       no register of it
 *   how NAME TID HOW           enum hl_image_how
 *   range NAME START END FLAGS  it was mapped (1) or unmapped (0), by this program; in this order
 *   lengths NAME ADDRESS 8 24  the words at value - 8, value - 24; -1 none
 * WAY: return exit _exit quick_exit threads deaf
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static void *global, *odd[2];
static __thread void *local;
static _Atomic int ready;
static void **mapped, **shared, **from_file;
static void *targets[8];

static void say_range(const char *name, void *start, size_t bytes, int flags)
{
	printf("range %s %lx %lx %d\n", name, (unsigned long)start, (unsigned long)start + bytes, flags);
}

static void say_word(const char *name, void **at)
{
	printf("word %s %lx %lx\n", name, (unsigned long)at, (unsigned long)*at);
}

static int tid(void)
{
	return (int)syscall(SYS_gettid);
}

#if defined(__x86_64__)
/* r15 and xmm0 hold what nothing else does. */
static void *spin(void *unused)
{
	(void)unused;
	printf("how spin %d 2\nreg spin-r15 %d %lx\nreg spin-xmm0 %d %lx\nreg spin-xmm0-high %d %lx\n", tid(),
	       tid(), (unsigned long)targets[0], tid(), (unsigned long)targets[1], tid(),
	       (unsigned long)targets[2]);
	local = targets[3];
	say_word("spin-tls", &local);
	fflush(stdout);
	__asm__ volatile("mov %0, %%r15\n\tmovq %1, %%xmm0\n\tpinsrq $1, %2, %%xmm0\n\t"
			 "mov %%r15, %%r15\n\t"
			 "lock incl %3\n"
			 "1: pause\n\tjmp 1b"
			 :
			 : "r"(targets[0]), "r"(targets[1]), "r"(targets[2]), "m"(ready)
			 : "r15", "xmm0", "memory");
	return NULL;
}
#else
static void *spin(void *unused)
{
	(void)unused;
	ready++;
	for (;;)
		__asm__ volatile("");
	return NULL;
}
#endif

static void *wait_in_poll(void *unused)
{
	void *volatile on_stack = targets[4];

	(void)unused;
	printf("how poll %d 2\n", tid());
	say_word("poll-stack", (void **)&on_stack);
	printf("above poll-stack %d %lx\n", tid(), (unsigned long)&on_stack);
	fflush(stdout);
	ready++;
	for (;;)
		poll(NULL, 0, -1);
	return on_stack;
}

/* No signal that a program can block reaches it, nor is one lost to sigwait; or, blocked behind glibc's back, none at all: asked. */
static int blocks_all;
static void *deaf(void *take)
{
	void *volatile on_stack = targets[5];
	sigset_t all;
	int sig;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	if (take == &blocks_all) {
		memset(&all, 255, sizeof(all));
		syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, 8);
		take = NULL;
		printf("how deafer %d 3\n", tid());
	} else {
		printf("how %s %d 2\n", take ? "sigwait" : "deaf", tid());
	}
	say_word("deaf-stack", (void **)&on_stack);
	printf("above deaf-stack %d %lx\n", tid(), (unsigned long)&on_stack);
	fflush(stdout);
	ready++;
	for (;;)
		if (take) {
			sigwait(&all, &sig);
			printf("sigwait got %d\n", sig);
		} else {
			pause();
		}
	return on_stack;
}

/* Returned from before the end: what it wrote lies below. */
static __attribute__((noinline)) void leave_behind(void)
{
	void *volatile room[512];

	for (int i = 0; i < 512; i++)
		room[i] = targets[6];
	printf("below stale %d %lx\n", tid(), (unsigned long)&room[16]);
	fflush(stdout);
}

static void start(void *(*f)(void *), void *arg)
{
	pthread_t t;
	int before = ready;

	if (pthread_create(&t, NULL, f, arg))
		abort();
	while (ready == before)
		usleep(1000);
}

static void *of(size_t bytes, size_t at)
{
	void *p = malloc(bytes);

	return (char *)p + at;
}

static __attribute__((noinline)) void finish(const char *way)
{
	void *volatile on_stack = targets[7];

	/* it counts where main has not returned */
	if (strstr(way, "exit"))
		say_word("finish-stack", (void **)&on_stack);
	printf("%s finish-stack %d %lx\n", strstr(way, "exit") ? "above" : "below", tid(),
	       (unsigned long)&on_stack);
	fflush(stdout);
	if (!strcmp(way, "exit"))
		exit(3);
	if (!strcmp(way, "_exit"))
		_exit(3);
	if (!strcmp(way, "quick_exit"))
		quick_exit(3);
	__asm__ volatile("" : : "r"(&on_stack) : "memory");
}

int main(int argc, char **argv)
{
	const char *way = argc > 1 ? argv[1] : "return";
	char *lengths = aligned_alloc(16, 64);
	FILE *f = tmpfile();

	(void)argc;
	setvbuf(stdout, malloc(65536), _IOFBF, 65536);
	for (int i = 0; i < 8; i++)
		targets[i] = of(40, 0);
	global = of(24, 0);
	say_word("global", &global);
	memset(lengths, 0, 64);
	((long *)lengths)[2] = 5;      /* at 24 - 8 */
	((long *)lengths)[0] = 123456; /* at 24 - 24 */
	((long *)lengths)[1] = 200000; /* the capacity that goes with it */
	((long *)lengths)[3] = 5;      /* and as much as it holds */
	odd[0] = lengths + 24;
	odd[1] = lengths + 40;
	((long *)lengths)[4] = 1l << 33;
	printf("lengths array %lx 5 123456\nlengths large %lx -1 5\n", (unsigned long)&odd[0],
	       (unsigned long)&odd[1]);
	local = of(24, 0);
	say_word("tls", &local);
	mapped = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	say_range("map", mapped, 1 << 20, 1);
	mapped[4000] = of(24, 0);
	mapped[130000] = of(24, 3);
	say_word("mapped", &mapped[4000]);
	say_word("mapped-unaligned", &mapped[130000]);
	shared = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	say_range("shared", shared, 65536, 1);
	shared[1000] = of(24, 0);
	say_word("shared", &shared[1000]);
	/* its second page is cut away: a read there is a SIGBUS */
	if (!f || ftruncate(fileno(f), 3 * 4096))
		return 9;
	from_file = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fileno(f), 0);
	say_range("file", from_file, 3 * 4096, 1);
	from_file[17] = of(24, 0);
	if (ftruncate(fileno(f), 4096))
		return 9;
	say_word("file", &from_file[17]);
	/* much room that is never touched */
	mmap(NULL, 64ul << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (!strcmp(way, "threads") || !strcmp(way, "deaf") || !strcmp(way, "_exit")) {
		start(spin, NULL);
		start(wait_in_poll, NULL);
	}
	if (!strcmp(way, "deaf") || !strcmp(way, "_exit")) {
		start(deaf, NULL);
		start(deaf, &ready);
		if (!strcmp(way, "deaf"))
			start(deaf, &blocks_all);
	}
	char *moved = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *to;

	say_range("to-move", moved, 8192, 1);
	to = mremap(moved, 8192, 1 << 20, MREMAP_MAYMOVE);
	say_range("moves", moved, 8192, 0);
	say_range("moved", to, 1 << 20, 1);
	munmap(to + 4096, 5000);
	say_range("cut", to + 4096, 8192, 0);
	munmap(to + 1, 4096); /* EINVAL */

	void **node = malloc(64);

	node[0] = of(24, 0);
	node[7] = node;
	say_word("heap", &node[0]);
	say_word("heap-self", &node[7]);
	global = node;
	say_word("global", &global);
	leave_behind();
	printf("how exiting %d 1\n", tid());
	finish(way);
	return 3;
}
