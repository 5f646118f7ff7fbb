/*
 * Prints the datagrams that are sent to everybody on a port. Several may run on one machine.
 * Compile:  c++ -std=c++17 -Wall -Wextra -Wpedantic -o broadcast_receiver broadcast_receiver.cpp
 * Run:      ./broadcast_receiver 7000
 * With:     ./broadcast_sender 127.255.255.255 7000 hello      in another terminal
 */
#include "sockets.hpp"

#include <iostream>
#include <string_view>
#include <vector>

static Descriptor bind_to(const char *port)
{
	addrinfo hints{};
	hints.ai_family = AF_INET;
	hints.ai_socktype = SOCK_DGRAM;
	hints.ai_flags = AI_PASSIVE;
	/* No name and AI_PASSIVE: 0.0.0.0, the one answer. A socket that is bound to one of the machine's
	 * own addresses would not get what is sent to the broadcast address. */
	const Addresses any = resolve(nullptr, port, hints);
	Descriptor fd{socket(any->ai_family, any->ai_socktype, any->ai_protocol)};
	const int on = 1;

	/* SO_REUSEADDR: whoever sets it shares the port, and each gets what is sent to everybody. */
	if (!fd || setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
		bind(fd.get(), any->ai_addr, any->ai_addrlen) < 0)
		throw std::system_error{last_error(), std::string{"port "} + port};
	return fd;
}

int main(int argc, char **argv)
try {
	if (argc != 2) {
		std::cerr << "usage: broadcast_receiver PORT\n";
		return 2;
	}
	const Descriptor fd = bind_to(argv[1]);
	std::vector<char> buffer(65536); /* no datagram is larger */
	sockaddr_storage storage;
	const auto from = reinterpret_cast<sockaddr *>(&storage);

	std::cout << "bound to port " << argv[1] << std::endl;
	for (;;) {
		socklen_t length = sizeof(storage);
		const ssize_t got = again([&] {
			length = sizeof(storage);
			return recvfrom(fd.get(), buffer.data(), buffer.size(), 0, from, &length);
		});
		if (got < 0)
			throw std::system_error{last_error(), "recvfrom"};
		const std::string_view text{buffer.data(), static_cast<std::size_t>(got)};
		std::cout << print(from, length) << ": " << text << std::endl;
	}
} catch (const std::exception &error) {
	std::cerr << "broadcast_receiver: " << error.what() << '\n';
	return 1;
}
