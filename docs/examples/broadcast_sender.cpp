/*
 * One datagram to everybody on a network. Only IPv4 has broadcast; IPv6 has multicast instead.
 * Compile:  c++ -std=c++17 -Wall -Wextra -Wpedantic -o broadcast_sender broadcast_sender.cpp
 * Run:      ./broadcast_sender 127.255.255.255 7000 hello      (`ip addr` shows a network's: brd)
 * With:     ./broadcast_receiver 7000      in other terminals, or on other machines, first
 */
#include "sockets.hpp"

#include <iostream>
#include <string_view>

static void send_to_all(const char *host, const char *port, std::string_view text)
{
	addrinfo hints{};
	hints.ai_family = AF_INET;
	hints.ai_socktype = SOCK_DGRAM;
	const Addresses list = resolve(host, port, hints);
	std::error_code why;

	for (const addrinfo *ai = list.get(); ai; ai = ai->ai_next) {
		const Descriptor fd{socket(ai->ai_family, ai->ai_socktype, ai->ai_protocol)};
		const int on = 1;
		/* Nobody is to reach everybody by mistake: without the option, sendto fails with EACCES. */
		if (fd && setsockopt(fd.get(), SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)) == 0 &&
			sendto(fd.get(), text.data(), text.size(), 0, ai->ai_addr,
				ai->ai_addrlen) >= 0)
			return;
		why = last_error();
	}
	throw std::system_error{why, std::string{host} + " port " + port};
}

int main(int argc, char **argv)
try {
	if (argc != 4) {
		std::cerr << "usage: broadcast_sender ADDRESS PORT TEXT\n";
		return 2;
	}
	send_to_all(argv[1], argv[2], argv[3]);
} catch (const std::exception &error) {
	std::cerr << "broadcast_sender: " << error.what() << '\n';
	return 1;
}
