/*
 * What getaddrinfo makes of a name and a service: the list that the other examples walk through.
 * Compile:  c++ -std=c++17 -Wall -Wextra -Wpedantic -o lookup lookup.cpp
 * Run:      ./lookup localhost http      (or ./lookup ::1 19830, or a name without a service)
 */
#include "sockets.hpp"

#include <iomanip>
#include <iostream>
#include <string_view>

static std::string_view family(int number)
{
	return number == AF_INET ? "AF_INET" : number == AF_INET6 ? "AF_INET6" : "another";
}

static std::string_view type(int number)
{
	return number == SOCK_STREAM  ? "SOCK_STREAM"
	       : number == SOCK_DGRAM ? "SOCK_DGRAM"
				      : "SOCK_RAW";
}

static std::ostream &operator<<(std::ostream &out, const addrinfo &a)
{
	out << std::left << std::setw(8) << family(a.ai_family) << "  " << std::setw(11)
	    << type(a.ai_socktype) << "  protocol " << std::setw(3) << a.ai_protocol << "  "
	    << std::right << std::setw(2) << a.ai_addrlen << " bytes  "
	    << print(a.ai_addr, a.ai_addrlen);
	return a.ai_canonname ? out << "  called " << a.ai_canonname : out;
}

int main(int argc, char **argv)
try {
	if (argc < 2 || argc > 3) {
		std::cerr << "usage: lookup NAME [SERVICE]\n";
		return 2;
	}
	addrinfo hints{};
	hints.ai_flags = AI_CANONNAME;
	const Addresses list = resolve(argv[1], argc == 3 ? argv[2] : nullptr, hints);
	for (const addrinfo *ai = list.get(); ai; ai = ai->ai_next)
		std::cout << *ai << '\n';
} catch (const std::exception &error) {
	std::cerr << "lookup: " << error.what() << '\n';
	return 1;
}
