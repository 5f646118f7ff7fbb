/*
 * A UDP client: sends each line of stdin as a datagram, and prints the answer. Since either may get
 * lost, it waits for a second only, and asks three times.
 * Compile:  cc -std=c17 -Wall -Wextra -Wpedantic -o udp_client udp_client.c
 * Run:      ./udp_client 127.0.0.1 7000      (Ctrl-D ends it)
 * With:     ./udp_server 127.0.0.1 7000      in another terminal, first
 */
#define _DEFAULT_SOURCE
#include <err.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* Has the server sent `line` back? Anything else is a late answer to an earlier line. */
static int ask(int fd, const char *line, size_t size)
{
	static char answer[65536]; /* no datagram is larger */

	for (int attempt = 1; attempt <= 3; attempt++) {
		if (send(fd, line, size, 0) < 0)
			err(1, "send");
		ssize_t got = recv(fd, answer, sizeof(answer), 0);
		if (got < 0 && errno != EAGAIN && errno != EINTR)
			err(1, "recv"); /* ECONNREFUSED: the server's machine says, nobody has the port */
		if (got == (ssize_t)size && memcmp(answer, line, size) == 0)
			return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct addrinfo hints = {.ai_socktype = SOCK_DGRAM}, *list, *ai;
	struct timeval second = {.tv_sec = 1};
	char *line = NULL; /* getline makes room, and knows of bytes that are 0 */
	size_t room = 0;
	ssize_t size;
	int fd = -1;

	if (argc != 3) {
		fprintf(stderr, "usage: udp_client HOST PORT\n");
		return 2;
	}
	if (strtoul(argv[2], NULL, 10) > 65535) /* getaddrinfo would take 65537 for 1 */
		errx(1, "%s is no port: they end at 65535", argv[2]);
	int error = getaddrinfo(argv[1], argv[2], &hints, &list);
	if (error != 0)
		errx(1, "%s port %s: %s", argv[1], argv[2], gai_strerror(error));
	for (ai = list; ai; ai = ai->ai_next) { /* connect sends nothing: it notes the peer */
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
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second)) < 0)
		err(1, "SO_RCVTIMEO");
	while ((size = getline(&line, &room, stdin)) > 0) {
		if (!ask(fd, line, (size_t)size))
			errx(1, "no answer");
		if (fwrite(line, 1, (size_t)size, stdout) < (size_t)size || fflush(stdout) != 0)
			err(1, "stdout");
	}
	free(line);
	close(fd);
	return 0;
}
