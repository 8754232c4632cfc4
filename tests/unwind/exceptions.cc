/*
 * Exceptions: allocation while throwing, while the stack is unwound, in the handler, after a rethrow; callbacks of
 * qsort, std::sort and std::function; objects of static storage before and after main.
 *
 * unwind: flags -fno-reorder-blocks-and-partition
 */
#include "edge.h"
#include <algorithm>
#include <functional>
#include <stdexcept>
#include <vector>

extern "C" {
struct global {
	global();
	~global();
};

FRAME static void built()
{
	TAKE(71); // 1 from built < ? < global::global < ? < ...
}
}

static int rounds;

struct unwound {
	int size;
	FRAME explicit unwound(int n) : size(n)
	{
	}
	FRAME ~unwound();
};

unwound::~unwound()
{
	TAKE(72); // 100 from unwound::~unwound < ? < thrower < ? < middle < catcher < main; 100 from unwound::~unwound < ? < middle < catcher < main; 100 from unwound::~unwound < middle < quiet < main; 100 from unwound::~unwound < thrower < middle < quiet < main
}

extern "C" {
FRAME static void thrower(int n)
{
	unwound u(n);

	if (n)
		throw std::runtime_error("a text longer than the small string buffer of any library");
	STAY;
}

FRAME static void middle(int n)
{
	unwound u(n);

	thrower(n);
	STAY;
}

FRAME static void quiet()
{
	middle(0);
	STAY;
}

FRAME static void catcher()
{
	try {
		try {
			middle(1);
		} catch (std::exception &e) {
			TAKE(73); // 100 from catcher < main
			throw;
		}
	} catch (std::runtime_error &e) {
		delete (int *)keep(new int(rounds)); // 100 from catcher < main
	}
	TAKE(74); // 100 from catcher < main
}

static int compare(const void *a, const void *b)
{
	TAKE(75); // all from compare < ? < sorter < main
	return *(const int *)a - *(const int *)b;
}

FRAME static void sorter()
{
	int a[100];

	for (int i = 0; i < 100; i++)
		a[i] = i * 7919 % 101;
	qsort(a, 100, sizeof a[0], compare);
	CHECK(a[0] <= a[1] && a[98] <= a[99]);
}

FRAME static bool less(int a, int b)
{
	TAKE(76); // all from less < ? < std_sorter < main
	return a < b;
}

FRAME static void std_sorter()
{
	std::vector<int> v;

	for (int i = 0; i < 100; i++)
		v.push_back(i * 7919 % 101);
	std::sort(v.begin(), v.end(), less);
	CHECK(v[0] <= v[1]);
}

FRAME static void called(int n)
{
	TAKE(n); // 100 from called < ? < through_function < main
}

FRAME static void through_function(const std::function<void(int)> &f)
{
	f(77);
	STAY;
}
}

global::global()
{
	built();
	STAY;
}

global::~global()
{
	free(keep(malloc(78))); // 1 from global::~global < ?
}

static global before_and_after;

int main()
{
	std::function<void(int)> f = called;

	for (rounds = 0; rounds < 100; rounds++) {
		catcher();
		quiet();
		sorter();
		std_sorter();
		through_function(f);
	}
	return 0;
}
