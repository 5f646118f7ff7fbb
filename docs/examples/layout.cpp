/*
 * The structures that hold addresses, as they lie in memory.
 * Compile:  c++ -std=c++17 -Wall -Wextra -Wpedantic -o layout layout.cpp
 * Run:      ./layout      (and compare it with what a machine of another kind prints)
 */
#include <arpa/inet.h>
#include <cstddef>
#include <cstdint>
#include <iomanip>
#include <iostream>
#include <netdb.h>
#include <netinet/in.h>
#include <string_view>
#include <sys/socket.h>

static void size(std::string_view type, std::size_t bytes)
{
	std::cout << '\n'
		  << std::left << std::setw(28) << type << std::right << ' ' << std::setw(3)
		  << bytes << " bytes\n";
}

static void field(std::string_view name, std::size_t offset, std::size_t bytes)
{
	std::cout << "  at " << std::setw(3) << offset << "  " << std::left << std::setw(18) << name
		  << std::right << ' ' << std::setw(3) << bytes << " bytes\n";
}

/* offsetof takes the names of a type and of its field, which no function can. */
#define FIELD(type, name) field(#name, offsetof(type, name), sizeof(type::name))

template <typename Object> static void bytes(std::string_view what, const Object &object)
{
	const auto byte = reinterpret_cast<const unsigned char *>(&object);

	std::cout << '\n' << what << '\n' << std::hex << std::setfill('0');
	for (std::size_t i = 0; i < sizeof(object); i++)
		std::cout << (i % 16 == 0 ? "  " : " ") << std::setw(2) << +byte[i]
			  << (i % 16 == 15 || i + 1 == sizeof(object) ? "\n" : "");
	std::cout << std::dec << std::setfill(' ');
}

int main()
{
	sockaddr_in v4{};
	v4.sin_family = AF_INET;
	v4.sin_port = htons(19830);
	inet_pton(AF_INET, "192.0.2.7", &v4.sin_addr);
	sockaddr_in6 v6{};
	v6.sin6_family = AF_INET6;
	v6.sin6_port = htons(19830);
	v6.sin6_scope_id = 2;
	inet_pton(AF_INET6, "fe80::7", &v6.sin6_addr);

	std::cout << "AF_INET is " << AF_INET << ", AF_INET6 is " << AF_INET6 << '\n';
	size("struct sockaddr", sizeof(sockaddr));
	FIELD(sockaddr, sa_family), FIELD(sockaddr, sa_data);
	size("struct sockaddr_in", sizeof(sockaddr_in));
	FIELD(sockaddr_in, sin_family), FIELD(sockaddr_in, sin_port);
	FIELD(sockaddr_in, sin_addr), FIELD(sockaddr_in, sin_zero);
	size("struct sockaddr_in6", sizeof(sockaddr_in6));
	FIELD(sockaddr_in6, sin6_family), FIELD(sockaddr_in6, sin6_port);
	FIELD(sockaddr_in6, sin6_flowinfo), FIELD(sockaddr_in6, sin6_addr);
	FIELD(sockaddr_in6, sin6_scope_id);
	size("struct sockaddr_storage", sizeof(sockaddr_storage));
	FIELD(sockaddr_storage, ss_family);
	size("struct addrinfo", sizeof(addrinfo));
	FIELD(addrinfo, ai_flags), FIELD(addrinfo, ai_family), FIELD(addrinfo, ai_socktype);
	FIELD(addrinfo, ai_protocol), FIELD(addrinfo, ai_addrlen), FIELD(addrinfo, ai_addr);
	FIELD(addrinfo, ai_canonname), FIELD(addrinfo, ai_next);
	const std::uint16_t port = 19830;
	bytes("the port 19830, as this machine keeps numbers", port);
	bytes("the port 19830, as htons puts it for the network", htons(port));
	bytes("sockaddr_in of 192.0.2.7 port 19830", v4);
	bytes("sockaddr_in6 of fe80::7%2 port 19830", v6);
}
