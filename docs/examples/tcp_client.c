/*
 * A TCP client: sends what it reads, and prints what comes back: in a terminal, line by line.
 * Compile:  cc -std=c17 -Wall -Wextra -Wpedantic -o tcp_client tcp_client.c
 * Run:      ./tcp_client 127.0.0.1 7000      (Ctrl-D ends it)
 * With:     ./tcp_server 127.0.0.1 7000      in another terminal, first
 */
#define _DEFAULT_SOURCE
#include <err.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void send_all(int fd, const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t n = send(fd, bytes, size, MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR)
			err(1, "send");
		if (n > 0) { /* maybe a part */
			bytes += n;
			size -= (size_t)n;
		}
	}
}

/* Print `size` bytes of what comes, in however many pieces; false at the end of the stream. */
static int print(int fd, size_t size)
{
	char buffer[4096];

	while (size > 0) {
		ssize_t n = recv(fd, buffer, size < sizeof(buffer) ? size : sizeof(buffer), 0);
		if (n < 0 && errno != EINTR)
			err(1, "recv");
		if (n == 0)
			break;
		if (n > 0 &&
			(fwrite(buffer, 1, (size_t)n, stdout) < (size_t)n || fflush(stdout) != 0))
			err(1, "stdout");
		size -= n > 0 ? (size_t)n : 0;
	}
	return size == 0;
}

int main(int argc, char **argv)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list, *ai;
	char bytes[4096];
	ssize_t got;
	int fd = -1;

	if (argc != 3) {
		fprintf(stderr, "usage: tcp_client HOST PORT\n");
		return 2;
	}
	if (strtoul(argv[2], NULL, 10) > 65535) /* getaddrinfo would take 65537 for 1 */
		errx(1, "%s is no port: they end at 65535", argv[2]);
	int error = getaddrinfo(argv[1], argv[2], &hints, &list);
	if (error != 0)
		errx(1, "%s port %s: %s", argv[1], argv[2], gai_strerror(error));
	for (ai = list; ai; ai = ai->ai_next) { /* until one of the host's addresses answers */
		fd = socket(ai->ai_family, ai->ai_socktype, ai->ai_protocol);
		if (fd >= 0 && connect(fd, ai->ai_addr, ai->ai_addrlen) == 0)
			break;
		warn("%s port %s", argv[1], argv[2]);
		if (fd >= 0)
			close(fd);
	}
	freeaddrinfo(list);
	if (!ai)
		return 1;
	while ((got = read(STDIN_FILENO, bytes, sizeof(bytes))) != 0) { /* 0: the end of stdin */
		if (got < 0 && errno != EINTR)
			err(1, "stdin");
		if (got < 0)
			continue;
		send_all(fd, bytes, (size_t)got);
		if (!print(fd, (size_t)got))
			errx(1, "the server has closed the connection");
	}
	shutdown(fd, SHUT_WR); /* that was all; what the server still says comes until it closes */
	print(fd, (size_t)-1);
	close(fd);
	return 0;
}
