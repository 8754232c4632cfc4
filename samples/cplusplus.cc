/*
 * cplusplus.cc - operator new in its forms, containers and inlining.
 *
 * The newest frame of a container's block is the library header; `--all-frames` and `--cumulative`
 * find the program's own line all the same.
 */
#include <cstdio>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <vector>

struct alignas(64) wide {
	char bytes[192];
};

struct item {
	char bytes[24];
};

static inline item *make_inline(void)
{
	item *p = new item();
	return p;
}

static std::vector<item *> items;
static wide *volatile aligned;
static item *volatile single, *volatile nothrow_one;
static char *volatile array;
static std::vector<std::string> *names;

__attribute__((noinline)) static void fill(std::vector<std::string> &v)
{
	v.reserve(16);
	for (int i = 0; i < 16; i++)
		v.emplace_back(100, 'x');
}

int main()
{
	aligned = new wide;
	single = make_inline();
	nothrow_one = new (std::nothrow) item;
	array = new char[1000];
	for (int i = 0; i < 5; i++) {
		auto scoped = std::make_unique<item>();
		items.push_back(scoped.release());
	}
	for (item *p : items)
		delete p;
	delete[] new char[500];
	names = new std::vector<std::string>;
	fill(*names);
	std::printf("%zu names\n", names->size());
	return 0;
}
