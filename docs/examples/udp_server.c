/*
 * A UDP server: sends each datagram back to where it came from. There is no listen and no accept.
 * Compile:  cc -std=c17 -Wall -Wextra -Wpedantic -o udp_server udp_server.c
 * Run:      ./udp_server 127.0.0.1 7000      (port 0: the kernel chooses one)
 * With:     ./udp_client 127.0.0.1 7000      in another terminal
 */
#define _DEFAULT_SOURCE
#include <err.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* "127.0.0.1 port 7000", in numbers. */
static void print(const char *what, const struct sockaddr_storage *a, socklen_t length)
{
	char host[NI_MAXHOST], port[NI_MAXSERV];

	if (getnameinfo((const struct sockaddr *)a, length, host, sizeof(host), port, sizeof(port),
		    NI_NUMERICHOST | NI_NUMERICSERV) == 0)
		printf("%s %s port %s\n", what, host, port);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static char buffer[65536]; /* no datagram is larger */
	struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_PASSIVE}, *list, *ai;
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);
	int fd = -1;

	if (argc != 3) {
		fprintf(stderr, "usage: udp_server ADDRESS PORT\n");
		return 2;
	}
	if (strtoul(argv[2], NULL, 10) > 65535) /* getaddrinfo would take 65537 for 1 */
		errx(1, "%s is no port: they end at 65535", argv[2]);
	int error = getaddrinfo(argv[1], argv[2], &hints, &list);
	if (error != 0)
		errx(1, "%s port %s: %s", argv[1], argv[2], gai_strerror(error));
	for (ai = list; ai; ai = ai->ai_next) { /* until one of the addresses can be had */
		fd = socket(ai->ai_family, ai->ai_socktype, ai->ai_protocol);
		if (fd >= 0 && bind(fd, ai->ai_addr, ai->ai_addrlen) == 0)
			break;
		warn("%s port %s", argv[1], argv[2]);
		if (fd >= 0)
			close(fd);
	}
	freeaddrinfo(list);
	if (!ai)
		return 1;
	if (getsockname(fd, (struct sockaddr *)&address, &length) == 0)
		print("bound to", &address, length);
	for (;;) {
		length = sizeof(address);
		ssize_t got = recvfrom(
			fd, buffer, sizeof(buffer), 0, (struct sockaddr *)&address, &length);
		if (got < 0 && errno != EINTR)
			err(1, "recvfrom");
		if (got < 0)
			continue;
		print("a datagram from", &address, length);
		/* All of it or nothing; and nobody will tell whether it arrives. */
		if (sendto(fd, buffer, (size_t)got, 0, (struct sockaddr *)&address, length) < 0)
			warn("sendto");
	}
}
