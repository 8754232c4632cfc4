/*
 * Exceptions find their handlers and run the destructors on their way, through our hooks too: thrown by operator new, by a
 * new_handler, by a destructor's caller while another is caught, and carried from one thread to another.
 *
 * guest: options unwind=libunwind|unwind=walk|sample=4K|depth=1|free-stacks
 */
#include "guest.h"
#include <exception>
#include <new>
#include <pthread.h>
#include <stdexcept>
#include <string>
#include <vector>

static volatile std::size_t too_much = std::size_t(1) << 60;
static int destroyed;

struct guard {
	std::string text;
	explicit guard(int i) : text(static_cast<std::size_t>(30 + i), 'g')
	{
	}
	guard(const guard &) = delete;
	~guard()
	{
		destroyed++;
		/* another exception comes and goes while the first is on its way */
		if (destroyed % 7 == 0) {
			try {
				throw std::runtime_error(text);
			} catch (const std::exception &e) {
				destroyed += e.what()[0] != 'g';
			}
		}
	}
};

struct refused {
	int code;
};

static void refuse()
{
	throw refused{destroyed};
}

static void thrower(int how)
{
	if (how == 0)
		throw std::length_error("length");
	if (how == 1)
		keep(::operator new(too_much));
	if (how == 2) {
		std::set_new_handler(refuse);
		keep(new char[too_much]);
	}
	if (how == 3)
		std::vector<int>().at(1);
	if (how == 4)
		std::string(too_much * 8, 'x');
	if (how == 5)
		keep(::operator new(too_much, std::align_val_t(128)));
}

__attribute__((noinline)) static void through(int depth, int how)
{
	guard g(depth);

	if (depth == 0)
		thrower(how);
	else if (depth == 4)
		try {
			through(depth - 1, how);
		} catch (const std::logic_error &) {
			free(keep(malloc(50)));
			throw;
		}
	else
		through(depth - 1, how);
}

static const char *caught(int how)
{
	try {
		through(9, how);
	} catch (const refused &r) {
		std::set_new_handler(nullptr);
		return r.code > 0 ? "refused" : "refused too early";
	} catch (const std::bad_alloc &) {
		return "bad_alloc";
	} catch (const std::length_error &) {
		return "length_error";
	} catch (const std::out_of_range &) {
		return "out_of_range";
	}
	return "nothing";
}

static void *in_thread(void *arg)
{
	std::exception_ptr *to = static_cast<std::exception_ptr *>(arg);

	try {
		through(20, 3);
	} catch (...) {
		*to = std::current_exception();
	}
	return nullptr;
}

static void never()
{
	throw 1;
}

/* The search for a handler ends here. */
static void barrier() noexcept
{
	never();
}

static void on_terminate()
{
	printf("terminate: %d exceptions on their way, %d destroyed\n", std::uncaught_exceptions(),
	       destroyed);
	fflush(stdout);
	_Exit(3);
}

int main()
{
	std::exception_ptr from_thread;
	pthread_t t;

	for (int round = 0; round < 200; round++)
		for (int how = 0; how < 6; how++) {
			const char *what = caught(how);

			if (round % 100 == 0)
				printf("%d: %s, %d destroyed\n", how, what, destroyed);
		}
	pthread_create(&t, nullptr, in_thread, &from_thread);
	pthread_join(t, nullptr);
	try {
		std::rethrow_exception(from_thread);
	} catch (const std::out_of_range &) {
		printf("from a thread: out_of_range, %d destroyed\n", destroyed);
	}
	std::set_terminate(on_terminate);
	barrier();
	return 0;
}
