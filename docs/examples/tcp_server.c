/*
 * A TCP server: sends back every byte that it gets, to one client after the other.
 * Compile:  cc -std=c17 -Wall -Wextra -Wpedantic -o tcp_server tcp_server.c
 * Run:      ./tcp_server 127.0.0.1 7000      (port 0: the kernel chooses one)
 * With:     ./tcp_client 127.0.0.1 7000      in another terminal
 */
#define _DEFAULT_SOURCE
#include <err.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void echo(int fd)
{
	char buffer[4096];
	ssize_t got, n;

	while ((got = recv(fd, buffer, sizeof(buffer), 0)) != 0) { /* 0: the end of the stream */
		if (got < 0 && errno != EINTR) {
			warn("recv");
			return;
		}
		for (ssize_t sent = 0; sent<got; sent += n> 0 ? n : 0) { /* a part may be taken */
			n = send(fd, buffer + sent, (size_t)(got - sent), MSG_NOSIGNAL);
			if (n < 0 && errno != EINTR) {
				warn("send");
				return;
			}
		}
	}
}

int main(int argc, char **argv)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *list, *ai;
	struct sockaddr_storage own;
	socklen_t length = sizeof(own);
	char host[NI_MAXHOST], port[NI_MAXSERV];
	int fd = -1, on = 1;

	if (argc != 3) {
		fprintf(stderr, "usage: tcp_server ADDRESS PORT\n");
		return 2;
	}
	if (strtoul(argv[2], NULL, 10) > 65535) /* getaddrinfo would take 65537 for 1 */
		errx(1, "%s is no port: they end at 65535", argv[2]);
	int error = getaddrinfo(argv[1], argv[2], &hints, &list);
	if (error != 0)
		errx(1, "%s port %s: %s", argv[1], argv[2], gai_strerror(error));
	for (ai = list; ai; ai = ai->ai_next) { /* until one of the addresses can be had */
		fd = socket(ai->ai_family, ai->ai_socktype, ai->ai_protocol);
		if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
			bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 && listen(fd, 16) == 0)
			break;
		warn("%s port %s", argv[1], argv[2]);
		if (fd >= 0)
			close(fd);
	}
	freeaddrinfo(list);
	if (!ai)
		return 1;
	if (getsockname(fd, (struct sockaddr *)&own, &length) == 0 &&
		getnameinfo((struct sockaddr *)&own, length, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV) == 0)
		printf("listening on %s port %s\n", host, port);
	fflush(stdout);
	for (;;) {
		int client = accept(fd, NULL, NULL);
		if (client < 0 && errno != EINTR && errno != ECONNABORTED)
			err(1, "accept");
		if (client < 0)
			continue;
		echo(client);
		close(client);
	}
}
