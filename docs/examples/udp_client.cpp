/*
 * A UDP client: sends each line of stdin as a datagram, and prints the answer. Since either may get
 * lost, it waits for a second only, and asks three times.
 * Compile:  c++ -std=c++17 -Wall -Wextra -Wpedantic -o udp_client udp_client.cpp
 * Run:      ./udp_client 127.0.0.1 7000      (Ctrl-D ends it)
 * With:     ./udp_server 127.0.0.1 7000      in another terminal, first
 */
#include "sockets.hpp"

#include <iostream>
#include <string_view>
#include <sys/time.h>
#include <vector>

static Descriptor connect_to(const char *host, const char *port)
{
	addrinfo hints{};
	hints.ai_socktype = SOCK_DGRAM;
	const Addresses list = resolve(host, port, hints);
	std::error_code why;

	for (const addrinfo *ai = list.get(); ai; ai = ai->ai_next) {
		Descriptor fd{socket(ai->ai_family, ai->ai_socktype, ai->ai_protocol)};
		if (fd && connect(fd.get(), ai->ai_addr, ai->ai_addrlen) == 0) /* sends nothing */
			return fd;
		why = last_error();
	}
	throw std::system_error{why, std::string{host} + " port " + port};
}

/* Has the server sent `line` back? Anything else is a late answer to an earlier line. */
static bool ask(const Descriptor &fd, std::string_view line)
{
	std::vector<char> answer(65536);

	for (int attempt = 1; attempt <= 3; attempt++) {
		if (send(fd.get(), line.data(), line.size(), 0) < 0)
			throw std::system_error{last_error(), "send"};
		const ssize_t got = recv(fd.get(), answer.data(), answer.size(), 0);
		if (got < 0 && errno != EAGAIN && errno != EINTR)
			throw std::system_error{last_error(), "recv"}; /* nobody has the port */
		if (got >= 0 &&
			line == std::string_view{answer.data(), static_cast<std::size_t>(got)})
			return true;
	}
	return false;
}

int main(int argc, char **argv)
try {
	if (argc != 3) {
		std::cerr << "usage: udp_client HOST PORT\n";
		return 2;
	}
	const Descriptor fd = connect_to(argv[1], argv[2]);
	const timeval second{1, 0};
	if (setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second)) < 0)
		throw std::system_error{last_error(), "SO_RCVTIMEO"};
	for (std::string line; std::getline(std::cin, line);) {
		if (!std::cin.eof()) /* the last one may have no end */
			line += '\n';
		if (!ask(fd, line))
			throw std::runtime_error{"no answer"};
		if (!(std::cout << line << std::flush))
			throw std::system_error{last_error(), "stdout"};
	}
} catch (const std::exception &error) {
	std::cerr << "udp_client: " << error.what() << '\n';
	return 1;
}
