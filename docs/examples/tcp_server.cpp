/*
 * A TCP server: sends back every byte that it gets, to one client after the other.
 * Compile:  c++ -std=c++17 -Wall -Wextra -Wpedantic -o tcp_server tcp_server.cpp
 * Run:      ./tcp_server 127.0.0.1 7000      (port 0: the kernel chooses one)
 * With:     ./tcp_client 127.0.0.1 7000      in another terminal
 */
#include "sockets.hpp"

#include <array>
#include <iostream>
#include <string_view>

static Descriptor listen_on(const char *host, const char *port)
{
	addrinfo hints{};
	hints.ai_socktype = SOCK_STREAM;
	hints.ai_flags = AI_PASSIVE;
	const Addresses list = resolve(host, port, hints);
	std::error_code why;

	for (const addrinfo *ai = list.get(); ai; ai = ai->ai_next) {
		Descriptor fd{socket(ai->ai_family, ai->ai_socktype, ai->ai_protocol)};
		const int on = 1;
		if (fd && setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
			bind(fd.get(), ai->ai_addr, ai->ai_addrlen) == 0 &&
			listen(fd.get(), 16) == 0)
			return fd;
		why = last_error();
	}
	throw std::system_error{why, std::string{host} + " port " + port};
}

static void send_all(const Descriptor &fd, std::string_view bytes)
{
	while (!bytes.empty()) {
		const ssize_t n = again(
			[&] { return send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL); });
		if (n < 0)
			throw std::system_error{last_error(), "send"};
		bytes.remove_prefix(static_cast<std::size_t>(n)); /* maybe a part */
	}
}

static void echo(const Descriptor &fd)
{
	std::array<char, 4096> buffer;
	ssize_t n;

	while ((n = again([&] { return recv(fd.get(), buffer.data(), buffer.size(), 0); })) > 0)
		send_all(fd, {buffer.data(), static_cast<std::size_t>(n)});
	if (n < 0) /* 0 is the end of the stream */
		throw std::system_error{last_error(), "recv"};
}

int main(int argc, char **argv)
try {
	if (argc != 3) {
		std::cerr << "usage: tcp_server ADDRESS PORT\n";
		return 2;
	}
	const Descriptor listener = listen_on(argv[1], argv[2]);
	sockaddr_storage own;
	socklen_t length = sizeof(own);
	if (getsockname(listener.get(), reinterpret_cast<sockaddr *>(&own), &length) < 0)
		throw std::system_error{last_error(), "getsockname"};
	std::cout << "listening on " << print(reinterpret_cast<sockaddr *>(&own), length)
		  << std::endl;
	for (;;) {
		const Descriptor client{
			again([&] { return accept(listener.get(), nullptr, nullptr); })};
		if (!client && errno == ECONNABORTED)
			continue;
		if (!client)
			throw std::system_error{last_error(), "accept"};
		try {
			echo(client);
		} catch (const std::system_error &error) { /* of this client, not of the next */
			std::cerr << "tcp_server: " << error.what() << '\n';
		}
	}
} catch (const std::exception &error) {
	std::cerr << "tcp_server: " << error.what() << '\n';
	return 1;
}
