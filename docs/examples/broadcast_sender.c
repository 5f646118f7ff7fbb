/*
 * One datagram to everybody on a network. Only IPv4 has broadcast; IPv6 has multicast instead.
 * Compile:  cc -std=c17 -Wall -Wextra -Wpedantic -o broadcast_sender broadcast_sender.c
 * Run:      ./broadcast_sender 127.255.255.255 7000 hello      (`ip addr` shows a network's: brd)
 * With:     ./broadcast_receiver 7000      in other terminals, or on other machines, first
 */
#define _DEFAULT_SOURCE
#include <err.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_DGRAM}, *list, *ai;
	int on = 1;

	if (argc != 4) {
		fprintf(stderr, "usage: broadcast_sender ADDRESS PORT TEXT\n");
		return 2;
	}
	if (strtoul(argv[2], NULL, 10) > 65535) /* getaddrinfo would take 65537 for 1 */
		errx(1, "%s is no port: they end at 65535", argv[2]);
	int error = getaddrinfo(argv[1], argv[2], &hints, &list);
	if (error != 0)
		errx(1, "%s port %s: %s", argv[1], argv[2], gai_strerror(error));
	for (ai = list; ai; ai = ai->ai_next) {
		int fd = socket(ai->ai_family, ai->ai_socktype, ai->ai_protocol);
		/* Nobody is to reach everybody by mistake: without the option, sendto fails with EACCES. */
		if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)) == 0 &&
			sendto(fd, argv[3], strlen(argv[3]), 0, ai->ai_addr, ai->ai_addrlen) >= 0) {
			close(fd);
			break;
		}
		warn("%s port %s", argv[1], argv[2]);
		if (fd >= 0)
			close(fd);
	}
	freeaddrinfo(list);
	return ai ? 0 : 1;
}
