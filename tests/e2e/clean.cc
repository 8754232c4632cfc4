/*
 * clean.cc - a program of the C++ library's machinery that loses nothing: streams, locales, threads, thread_local objects,
 * exceptions across threads, futures, and a thread that is still there at the end.
 */
#include <atomic>
#include <condition_variable>
#include <exception>
#include <future>
#include <iomanip>
#include <iostream>
#include <locale>
#include <map>
#include <memory>
#include <mutex>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace
{
struct node {
	std::string name;
	std::shared_ptr<node> next;
	std::weak_ptr<node> before;
};

thread_local std::map<int, std::string> own = {{1, "a string that is too long for its object"}};
thread_local std::unique_ptr<node> *unused;
std::vector<std::string> *kept_for_ever =
	new std::vector<std::string>{"a singleton that nobody deletes, as many are"};
// the destructor of a condition that a thread still waits for would wait for it
std::mutex &mutex = *new std::mutex;
std::condition_variable &changed = *new std::condition_variable;
bool waiting;

struct numbers : std::numpunct<char> {
	char do_thousands_sep() const override
	{
		return '.';
	}
	std::string do_grouping() const override
	{
		return "\3";
	}
};

std::string formatted(const std::locale &l)
{
	std::ostringstream out;

	out.imbue(l);
	out << std::fixed << std::setprecision(2) << 1234567.891 << ' ' << std::put_money(12345);
	return out.str();
}

std::size_t matches(const std::string &text)
{
	std::regex word("[a-z]+(x|y)?");

	return static_cast<std::size_t>(
		std::distance(std::sregex_iterator(text.begin(), text.end(), word), std::sregex_iterator()));
}

void thrown(int n)
{
	std::string text = "a reason that is longer than a short string's " + std::to_string(n);

	throw std::runtime_error(text);
}

int work(int n)
{
	own[n] = "what thread number " + std::to_string(n) + " keeps for itself";
	try {
		thrown(n);
	} catch (const std::exception &e) {
		return static_cast<int>(std::string(e.what()).size() + own.size());
	}
	return 0;
}

/* Waits for ever: its stack and its thread_local objects are live at the end. */
void stays()
{
	std::vector<int> here(1000, 1);
	std::unique_lock<std::mutex> lock(mutex);

	own[2] = "a string that is live when the program ends";
	waiting = true;
	changed.notify_all();
	while (!here.empty())
		changed.wait(lock);
}
} // namespace

int main()
{
	std::ios::sync_with_stdio(false);
	std::locale::global(std::locale(std::locale::classic(), new numbers));
	std::cout << formatted(std::locale()) << '\n';
	for (const char *name : {"C.UTF-8", ""}) {
		try {
			std::cout << formatted(std::locale(name)).size() << '\n';
		} catch (const std::runtime_error &e) {
			std::cout << e.what() << '\n';
		}
	}

	auto first = std::make_shared<node>(node{"the first", nullptr, {}});
	first->next = std::make_shared<node>(node{"the second", nullptr, first});

	std::vector<std::thread> threads;
	std::atomic<int> sum{0};
	for (int i = 0; i < 8; i++)
		threads.emplace_back([i, &sum] { sum += work(i); });
	for (auto &t : threads)
		t.join();

	std::exception_ptr carried;
	std::thread([&carried] {
		try {
			thrown(8);
		} catch (...) {
			carried = std::current_exception();
		}
	}).join();
	try {
		std::rethrow_exception(carried);
	} catch (const std::exception &e) {
		std::cout << e.what() << '\n';
	}
	auto later = std::async(std::launch::async, work, 9);
	auto failing = std::async(std::launch::async, thrown, 10);
	try {
		failing.get();
	} catch (const std::runtime_error &) {
		sum += later.get();
	}

	std::thread(stays).detach();
	std::unique_lock<std::mutex> lock(mutex);
	changed.wait(lock, [] { return waiting; });
	std::cout << sum << ' ' << matches("some words of a text") << ' ' << kept_for_ever->size()
		  << std::endl;
	return unused != nullptr;
}
