/*
 * What getaddrinfo makes of a name and a service: the list that the other examples walk through.
 * Compile:  cc -std=c17 -Wall -Wextra -Wpedantic -o lookup lookup.c
 * Run:      ./lookup localhost http      (or ./lookup ::1 19830, or a name without a service)
 */
#define _DEFAULT_SOURCE
#include <err.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

static const char *family(int number)
{
	return number == AF_INET ? "AF_INET" : number == AF_INET6 ? "AF_INET6" : "another";
}

static const char *type(int number)
{
	return number == SOCK_STREAM  ? "SOCK_STREAM"
	       : number == SOCK_DGRAM ? "SOCK_DGRAM"
				      : "SOCK_RAW";
}

int main(int argc, char **argv)
{
	struct addrinfo hints = {.ai_flags = AI_CANONNAME}, *list;
	char host[NI_MAXHOST], port[NI_MAXSERV];

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: lookup NAME [SERVICE]\n");
		return 2;
	}
	if (argc == 3 &&
		strtoul(argv[2], NULL, 10) > 65535) /* getaddrinfo would take 65537 for 1 */
		errx(1, "%s is no port: they end at 65535", argv[2]);
	int error = getaddrinfo(argv[1], argc == 3 ? argv[2] : NULL, &hints, &list);
	if (error != 0)
		errx(1, "%s: %s", argv[1], gai_strerror(error));
	for (struct addrinfo *ai = list; ai; ai = ai->ai_next) {
		error = getnameinfo(ai->ai_addr, ai->ai_addrlen, host, sizeof(host), port,
			sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
		if (error != 0)
			errx(1, "%s", gai_strerror(error));
		printf("%-8s  %-11s  protocol %-3d  %2u bytes  %s port %s%s%s\n",
			family(ai->ai_family), type(ai->ai_socktype), ai->ai_protocol,
			(unsigned)ai->ai_addrlen, host, port, ai->ai_canonname ? "  called " : "",
			ai->ai_canonname ? ai->ai_canonname : "");
	}
	freeaddrinfo(list);
	return 0;
}
