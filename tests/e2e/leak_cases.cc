/*
 * leak_cases.cc CASE - one way to lose or to keep a block, then the end of the program.
 *
 * In a table below: what a search for leaks must say of the blocks that code of this file allocated, "KIND BLOCKS BYTES ...".
 * Prints the table without an argument, one line a case.
 */
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>
#include <string>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))

enum { SIZE = 10000, SECOND = 20000, THIRD = 30000 };

static void *volatile global;
static void *volatile globals[4];

/* What calls before left on the stack below is overwritten: only what lies above counts. */
static NOINLINE void scrub()
{
	volatile char below[32768];

	for (unsigned i = 0; i < sizeof(below); i++)
		below[i] = 0;
}

static NOINLINE void *make(size_t n)
{
	void *p = malloc(n);

	memset(p, 0, n);
	return p;
}

static NOINLINE void lost()
{
	make(SIZE);
}

static NOINLINE void chain()
{
	void **a = (void **)make(SIZE), **b = (void **)make(SECOND);

	a[3] = b;
	b[1] = make(THIRD);
}

static NOINLINE void ring()
{
	void **a = (void **)make(SIZE), **b = (void **)make(SECOND), **c = (void **)make(THIRD);

	a[1] = b;
	b[2] = c;
	c[3] = a;
}

static NOINLINE void self()
{
	void **a = (void **)make(SIZE);

	a[2] = a;
}

static NOINLINE void ring_with_tail()
{
	void **a = (void **)make(SIZE), **b = (void **)make(SECOND);

	a[1] = b;
	b[0] = a;
	b[5] = make(THIRD);
}

static NOINLINE void interior()
{
	global = (char *)make(SIZE) + 100;
}

static NOINLINE void one_past()
{
	global = (char *)make(SIZE) + SIZE;
}

static NOINLINE void kept()
{
	global = make(SIZE);
}

static NOINLINE void kept_through()
{
	void **a = (void **)make(SIZE);

	global = a;
	a[7] = make(SECOND);
}

/* Only the frame of a function that has returned has it. */
static NOINLINE void dead_frame()
{
	void *volatile here[64];

	for (unsigned i = 0; i < 64; i++)
		here[i] = make(SIZE);
	for (unsigned i = 1; i < 64; i++)
		free(here[i]);
}

static thread_local void *volatile own;

static NOINLINE void thread_local_word()
{
	own = make(SIZE);
}

static NOINLINE void pthread_key()
{
	pthread_key_t key;

	pthread_key_create(&key, nullptr);
	pthread_setspecific(key, make(SIZE));
}

static NOINLINE void mapped(int flags)
{
	void **page = (void **)mmap(nullptr, 65536, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	page[1000] = make(SIZE);
}

static NOINLINE void array_with_cookie()
{
	struct counted {
		uint64_t v[100];
		~counted()
		{
			v[0] = 0;
		}
	};

	global = new counted[25];
}

struct base {
	virtual ~base()
	{
	}
	uint64_t a[4];
};
struct other {
	virtual ~other()
	{
	}
	uint64_t b[4];
};
struct both : base, other {
	uint64_t c[1241];
};

static NOINLINE void second_base()
{
	global = static_cast<other *>(new both());
}

static pthread_barrier_t ready;
static pthread_t other_thread;

template <class F> static void in_thread(F f)
{
	static F run = f;

	pthread_barrier_init(&ready, nullptr, 2);
	pthread_create(
		&other_thread, nullptr, [](void *) -> void * { return run(), nullptr; }, nullptr);
	pthread_barrier_wait(&ready);
	usleep(20000);
}

static NOINLINE void on_other_stack()
{
	in_thread([] {
		void *volatile here = make(SIZE);

		pthread_barrier_wait(&ready);
		for (;;)
			poll(nullptr, 0, -1);
		(void)here;
	});
}

static NOINLINE void in_general_register()
{
	in_thread([] {
		void *p = make(SIZE);

		scrub();
		pthread_barrier_wait(&ready);
#if defined(__x86_64__)
		__asm__ volatile("mov %0, %%r15\n\txor %0, %0\n1:\tpause\n\tjmp 1b" : "+a"(p)::"r15");
#endif
		(void)p;
	});
}

static NOINLINE void in_vector_register()
{
	in_thread([] {
		void *p = make(SIZE);

		scrub();
		pthread_barrier_wait(&ready);
#if defined(__x86_64__)
		__asm__ volatile("movq %0, %%xmm7\n\txor %0, %0\n1:\tpause\n\tjmp 1b" : "+a"(p)::"xmm7");
#endif
		(void)p;
	});
}

static NOINLINE void fill_vector_register()
{
	void *p = make(SIZE);

#if defined(__x86_64__)
	__asm__ volatile("movq %0, %%xmm15\n\txor %0, %0" : "+a"(p)::"xmm15");
#endif
	(void)p;
}

static char *sealed(size_t n)
{
	char *p = (char *)aligned_alloc(4096, n);

	memset(p, 0, n);
	globals[0] = p;
	return p;
}

/* Blocks stay blocks whatever may be done to them. */
static NOINLINE void sealed_block()
{
	mprotect(sealed(8192), 8192, PROT_READ);
}

static NOINLINE void sealed_block_that_cannot_be_read()
{
	mprotect(sealed(8192), 4096, PROT_NONE);
}

static NOINLINE void sealed_holder()
{
	char *p = sealed(8192);

	*(void **)(p + 16) = make(SIZE);
	mprotect(p, 8192, PROT_READ);
}

static NOINLINE void sealed_map()
{
	void **p = (void **)mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	p[5] = make(SIZE);
	mprotect(p, 4096, PROT_READ);
}

struct Counted {
	~Counted();
	int i;
};
NOINLINE Counted::~Counted()
{
	i = 0;
}

/* Only the count, and the pointer is behind it. */
static NOINLINE void array_of_none()
{
	static volatile size_t none;

	globals[1] = new Counted[none];
}

/* Whoever called a library keeps nothing in a vector register. */
static NOINLINE void left_in_vector_register()
{
	in_thread([] {
		fill_vector_register();
		scrub();
		pthread_barrier_wait(&ready);
		for (;;)
			pause();
	});
}

/* The kernel alone knows it. */
static NOINLINE void use_signal_stack(void *p)
{
	stack_t s = {};

	s.ss_sp = p;
	s.ss_size = 65536;
	sigaltstack(&s, nullptr);
}

static NOINLINE void signal_stack()
{
	use_signal_stack(make(65536));
}

static NOINLINE void signal_stack_of_thread()
{
	in_thread([] {
		use_signal_stack(make(65536));
		scrub();
		pthread_barrier_wait(&ready);
		for (;;)
			pause();
	});
}

/* A handler's frame that was left. */
static NOINLINE void left_on_signal_stack()
{
	struct sigaction action = {};

	use_signal_stack(mmap(nullptr, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	action.sa_handler = [](int) { dead_frame(); };
	action.sa_flags = SA_ONSTACK;
	sigaction(SIGUSR1, &action, nullptr);
	raise(SIGUSR1);
}

/* At the end one is just beginning, with all signals blocked. */
static NOINLINE void beside_a_beginning_thread()
{
	make(SIZE);
	scrub();
	pthread_create(
		&other_thread, nullptr, [](void *) -> void * { return pause(), nullptr; }, nullptr);
}

static NOINLINE void on_ended_stack()
{
	pthread_t t;

	pthread_create(
		&t, nullptr,
		[](void *) -> void * {
			dead_frame();
			return nullptr;
		},
		nullptr);
	pthread_join(t, nullptr);
}

static NOINLINE void result_of_unjoined()
{
	pthread_t t;

	pthread_create(
		&t, nullptr, [](void *) -> void * { return make(SIZE); }, nullptr);
	usleep(50000);
}

static ucontext_t back, there;

static void coroutine()
{
	void *volatile here = make(SIZE);

	swapcontext(&there, &back);
	(void)here;
}

static NOINLINE void on_coroutine_stack(char *stack)
{
	getcontext(&there);
	there.uc_stack.ss_sp = stack;
	there.uc_stack.ss_size = 65536;
	there.uc_link = nullptr;
	makecontext(&there, coroutine, 0);
	swapcontext(&back, &there);
	memset(&back, 0, sizeof(back));
}

static NOINLINE void coroutine_in_map()
{
	on_coroutine_stack(
		(char *)mmap(nullptr, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

static NOINLINE void coroutine_in_block()
{
	char *stack = (char *)make(65536);

	globals[0] = stack;
	on_coroutine_stack(stack);
}

static NOINLINE void inherited()
{
	global = make(SIZE);
	if (fork() == 0) {
		global = nullptr;
		make(THIRD);
		exit(0);
	}
	wait(nullptr);
}

static NOINLINE void on_the_stack_of_main()
{
	void *volatile here = make(SIZE);

	scrub();
	exit(0);
	(void)here;
}

static NOINLINE void by_fast_exit()
{
	make(SIZE);
	scrub();
	_exit(0);
}

static NOINLINE void from_other_thread()
{
	void *volatile here = make(SIZE);

	pthread_create(
		&other_thread, nullptr, [](void *) -> void * { exit(0); }, nullptr);
	for (;;)
		pause();
	(void)here;
}

static const struct {
	const char *name;
	void (*run)();
	const char *expected;
} cases[] = {
	{"lost", lost, "definite 1 10000"},
	{"chain", chain, "definite 1 10000 indirect 2 50000"},
	{"ring", ring, "definite 3 60000 cycle 3"},
	{"self", self, "definite 1 10000 cycle 1"},
	{"ring_with_tail", ring_with_tail, "definite 2 30000 cycle 2 indirect 1 30000"},
	{"interior", interior, "possible 1 10000"},
	{"one_past", one_past, "definite 1 10000"},
	{"kept", kept, "reachable 1 10000"},
	{"kept_through", kept_through, "reachable 2 30000"},
	{"dead_frame", dead_frame, "definite 1 10000"},
	{"thread_local", thread_local_word, "reachable 1 10000"},
	{"pthread_key", pthread_key, "reachable 1 10000"},
	{"mapped", [] { mapped(MAP_PRIVATE); }, "reachable 1 10000"},
	{"mapped_shared", [] { mapped(MAP_SHARED); }, "reachable 1 10000"},
	{"array_with_cookie", array_with_cookie, "reachable 1 20008"},
	{"second_base", second_base, "reachable 1 10008"},
	{"on_other_stack", on_other_stack, "reachable 1 10000"},
	{"in_general_register", in_general_register, "reachable 1 10000"},
	{"in_vector_register", in_vector_register, "reachable 1 10000"},
	{"sealed_block", sealed_block, "reachable 1 8192"},
	{"sealed_block_that_cannot_be_read", sealed_block_that_cannot_be_read, "reachable 1 8192"},
	{"sealed_holder", sealed_holder, "reachable 2 18192"},
	{"sealed_map", sealed_map, "reachable 1 10000"},
	{"array_of_none", array_of_none, "reachable 1 8"},
	{"left_in_vector_register", left_in_vector_register, "definite 1 10000"},
	{"signal_stack", signal_stack, "reachable 1 65536"},
	{"signal_stack_of_thread", signal_stack_of_thread, "reachable 1 65536"},
	{"left_on_signal_stack", left_on_signal_stack, "definite 1 10000"},
	{"beside_a_beginning_thread", beside_a_beginning_thread, "definite 1 10000"},
	{"on_ended_stack", on_ended_stack, "definite 1 10000"},
	{"result_of_unjoined", result_of_unjoined, "reachable 1 10000"},
	{"coroutine_in_map", coroutine_in_map, "reachable 1 10000"},
	{"coroutine_in_block", coroutine_in_block, "reachable 2 75536"},
	{"inherited", inherited, "reachable 1 10000"},
	{"on_the_stack_of_main", on_the_stack_of_main, "reachable 1 10000"},
	{"by_fast_exit", by_fast_exit, "definite 1 10000"},
	{"from_other_thread", from_other_thread, "reachable 1 10000"},
};

int main(int argc, char **argv)
{
	for (const auto &c : cases) {
		if (argc < 2) {
			printf("%s: %s\n", c.name, c.expected);
		} else if (!strcmp(argv[1], c.name)) {
			c.run();
			scrub();
			return 0;
		}
	}
	return argc < 2 ? 0 : 2;
}
