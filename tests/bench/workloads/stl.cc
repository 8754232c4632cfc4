// A compiler's load: templates of the standard library, instantiated.
#include <algorithm>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <regex>
#include <sstream>
#include <string>
#include <unordered_map>
#include <vector>

int main()
{
	std::map<std::string, std::vector<int>> groups;
	std::unordered_map<std::string, std::function<int(int)>> calls;
	std::regex word("[a-z]+(-[0-9]+)*");
	std::ostringstream out;

	for (int i = 0; i < 100; i++)
		groups["key " + std::to_string(i % 7)].push_back(i * 31 % 17);
	for (auto &g : groups)
		std::sort(g.second.begin(), g.second.end(), std::greater<int>());
	calls["next"] = [](int x) { return x + 1; };
	auto shared = std::make_shared<std::vector<std::string>>(3, "shared");
	out << groups.size() << std::regex_match("abc-12", word) << calls["next"](3) << shared->size();
	std::cout << out.str() << "\n";
}
