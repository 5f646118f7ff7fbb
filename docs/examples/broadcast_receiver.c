/*
 * Prints the datagrams that are sent to everybody on a port. Several may run on one machine.
 * Compile:  cc -std=c17 -Wall -Wextra -Wpedantic -o broadcast_receiver broadcast_receiver.c
 * Run:      ./broadcast_receiver 7000
 * With:     ./broadcast_sender 127.255.255.255 7000 hello      in another terminal
 */
#define _DEFAULT_SOURCE
#include <err.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
	static char buffer[65536]; /* no datagram is larger */
	struct addrinfo hints = {
		.ai_family = AF_INET, .ai_socktype = SOCK_DGRAM, .ai_flags = AI_PASSIVE};
	struct addrinfo *any;
	struct sockaddr_storage from;
	char host[NI_MAXHOST], port[NI_MAXSERV];
	int on = 1;

	if (argc != 2) {
		fprintf(stderr, "usage: broadcast_receiver PORT\n");
		return 2;
	}
	if (strtoul(argv[1], NULL, 10) > 65535) /* getaddrinfo would take 65537 for 1 */
		errx(1, "%s is no port: they end at 65535", argv[1]);
	/* No name and AI_PASSIVE: 0.0.0.0, the one answer. A socket that is bound to one of the machine's
	 * own addresses would not get what is sent to the broadcast address. */
	int error = getaddrinfo(NULL, argv[1], &hints, &any);
	if (error != 0)
		errx(1, "port %s: %s", argv[1], gai_strerror(error));
	int fd = socket(any->ai_family, any->ai_socktype, any->ai_protocol);
	/* SO_REUSEADDR: whoever sets it shares the port, and each gets what is sent to everybody. */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
		bind(fd, any->ai_addr, any->ai_addrlen) < 0)
		err(1, "port %s", argv[1]);
	freeaddrinfo(any);
	printf("bound to port %s\n", argv[1]);
	fflush(stdout);
	for (;;) {
		socklen_t length = sizeof(from);
		ssize_t got =
			recvfrom(fd, buffer, sizeof(buffer), 0, (struct sockaddr *)&from, &length);
		if (got < 0 && errno != EINTR)
			err(1, "recvfrom");
		if (got < 0 || getnameinfo((struct sockaddr *)&from, length, host, sizeof(host),
				       port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
			continue;
		printf("%s port %s: %.*s\n", host, port, (int)got, buffer);
		fflush(stdout);
	}
}
