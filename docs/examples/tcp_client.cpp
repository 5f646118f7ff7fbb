/*
 * A TCP client: sends what it reads, and prints what comes back: in a terminal, line by line.
 * Compile:  c++ -std=c++17 -Wall -Wextra -Wpedantic -o tcp_client tcp_client.cpp
 * Run:      ./tcp_client 127.0.0.1 7000      (Ctrl-D ends it)
 * With:     ./tcp_server 127.0.0.1 7000      in another terminal, first
 */
#include "sockets.hpp"

#include <algorithm>
#include <array>
#include <iostream>
#include <limits>
#include <string_view>

static Descriptor connect_to(const char *host, const char *port)
{
	addrinfo hints{};
	hints.ai_socktype = SOCK_STREAM;
	const Addresses list = resolve(host, port, hints);
	std::error_code why;

	for (const addrinfo *ai = list.get(); ai; ai = ai->ai_next) {
		Descriptor fd{socket(ai->ai_family, ai->ai_socktype, ai->ai_protocol)};
		if (fd && connect(fd.get(), ai->ai_addr, ai->ai_addrlen) == 0)
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

/* Print `size` bytes of what comes, in however many pieces; false at the end of the stream. */
static bool print_bytes(const Descriptor &fd, std::size_t size)
{
	std::array<char, 4096> buffer;

	while (size > 0) {
		const std::size_t most = std::min(size, buffer.size());
		const ssize_t n = again([&] { return recv(fd.get(), buffer.data(), most, 0); });
		if (n < 0)
			throw std::system_error{last_error(), "recv"};
		if (n == 0)
			return false;
		if (!std::cout.write(buffer.data(), n).flush())
			throw std::system_error{last_error(), "stdout"};
		size -= static_cast<std::size_t>(n);
	}
	return true;
}

int main(int argc, char **argv)
try {
	if (argc != 3) {
		std::cerr << "usage: tcp_client HOST PORT\n";
		return 2;
	}
	const Descriptor fd = connect_to(argv[1], argv[2]);
	std::array<char, 4096> bytes;
	for (;;) {
		const ssize_t got =
			again([&] { return read(STDIN_FILENO, bytes.data(), bytes.size()); });
		if (got < 0)
			throw std::system_error{last_error(), "stdin"};
		if (got == 0) /* the end of stdin */
			break;
		const std::string_view piece{bytes.data(), static_cast<std::size_t>(got)};
		send_all(fd, piece);
		if (!print_bytes(fd, piece.size()))
			throw std::runtime_error{"the server has closed the connection"};
	}
	shutdown(fd.get(), SHUT_WR); /* that was all; the server may say more until it closes */
	print_bytes(fd, std::numeric_limits<std::size_t>::max());
} catch (const std::exception &error) {
	std::cerr << "tcp_client: " << error.what() << '\n';
	return 1;
}
