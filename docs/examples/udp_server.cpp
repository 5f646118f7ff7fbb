/*
 * A UDP server: sends each datagram back to where it came from. There is no listen and no accept.
 * Compile:  c++ -std=c++17 -Wall -Wextra -Wpedantic -o udp_server udp_server.cpp
 * Run:      ./udp_server 127.0.0.1 7000      (port 0: the kernel chooses one)
 * With:     ./udp_client 127.0.0.1 7000      in another terminal
 */
#include "sockets.hpp"

#include <iostream>
#include <vector>

static Descriptor bind_to(const char *host, const char *port)
{
	addrinfo hints{};
	hints.ai_socktype = SOCK_DGRAM;
	hints.ai_flags = AI_PASSIVE;
	const Addresses list = resolve(host, port, hints);
	std::error_code why;

	for (const addrinfo *ai = list.get(); ai; ai = ai->ai_next) {
		Descriptor fd{socket(ai->ai_family, ai->ai_socktype, ai->ai_protocol)};
		if (fd && bind(fd.get(), ai->ai_addr, ai->ai_addrlen) == 0)
			return fd;
		why = last_error();
	}
	throw std::system_error{why, std::string{host} + " port " + port};
}

int main(int argc, char **argv)
try {
	if (argc != 3) {
		std::cerr << "usage: udp_server ADDRESS PORT\n";
		return 2;
	}
	const Descriptor fd = bind_to(argv[1], argv[2]);
	std::vector<char> buffer(65536); /* no datagram is larger */
	sockaddr_storage storage;
	const auto address = reinterpret_cast<sockaddr *>(&storage);
	socklen_t length = sizeof(storage);

	if (getsockname(fd.get(), address, &length) < 0)
		throw std::system_error{last_error(), "getsockname"};
	std::cout << "bound to " << print(address, length) << std::endl;
	for (;;) {
		const ssize_t got = again([&] {
			length = sizeof(storage);
			return recvfrom(
				fd.get(), buffer.data(), buffer.size(), 0, address, &length);
		});
		if (got < 0)
			throw std::system_error{last_error(), "recvfrom"};
		std::cout << "a datagram from " << print(address, length) << std::endl;
		/* All of it or nothing; and nobody will tell whether it arrives. */
		if (sendto(fd.get(), buffer.data(), static_cast<std::size_t>(got), 0, address,
			    length) < 0)
			std::cerr << "udp_server: sendto: " << last_error().message() << '\n';
	}
} catch (const std::exception &error) {
	std::cerr << "udp_server: " << error.what() << '\n';
	return 1;
}
