/*
 * The structures that hold addresses, as they lie in memory.
 * Compile:  cc -std=c17 -Wall -Wextra -Wpedantic -o layout layout.c
 * Run:      ./layout      (and compare it with what a machine of another kind prints)
 */
#define _DEFAULT_SOURCE
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define SIZE(type) printf("\n%-28s %3zu bytes\n", "struct " #type, sizeof(struct type))
#define FIELD(type, field)                                                                         \
	printf("  at %3zu  %-18s %3zu bytes\n", offsetof(struct type, field), #field,              \
		sizeof(((struct type *)0)->field))

static void print_bytes(const char *what, const void *object, size_t size)
{
	const unsigned char *byte = object;

	printf("\n%s\n", what);
	for (size_t i = 0; i < size; i++)
		printf("%s%02x%s", i % 16 == 0 ? "  " : " ", byte[i],
			i % 16 == 15 || i + 1 == size ? "\n" : "");
}

int main(void)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(19830)};
	struct sockaddr_in6 v6 = {
		.sin6_family = AF_INET6, .sin6_port = htons(19830), .sin6_scope_id = 2};
	unsigned short host = 19830, network = htons(host);

	inet_pton(AF_INET, "192.0.2.7", &v4.sin_addr);
	inet_pton(AF_INET6, "fe80::7", &v6.sin6_addr);

	printf("AF_INET is %d, AF_INET6 is %d\n", AF_INET, AF_INET6);
	SIZE(sockaddr), FIELD(sockaddr, sa_family), FIELD(sockaddr, sa_data);
	SIZE(sockaddr_in), FIELD(sockaddr_in, sin_family), FIELD(sockaddr_in, sin_port);
	FIELD(sockaddr_in, sin_addr), FIELD(sockaddr_in, sin_zero);
	SIZE(sockaddr_in6), FIELD(sockaddr_in6, sin6_family), FIELD(sockaddr_in6, sin6_port);
	FIELD(sockaddr_in6, sin6_flowinfo), FIELD(sockaddr_in6, sin6_addr);
	FIELD(sockaddr_in6, sin6_scope_id);
	SIZE(sockaddr_storage), FIELD(sockaddr_storage, ss_family);
	SIZE(addrinfo), FIELD(addrinfo, ai_flags), FIELD(addrinfo, ai_family);
	FIELD(addrinfo, ai_socktype), FIELD(addrinfo, ai_protocol), FIELD(addrinfo, ai_addrlen);
	FIELD(addrinfo, ai_addr), FIELD(addrinfo, ai_canonname), FIELD(addrinfo, ai_next);
	print_bytes("the port 19830, as this machine keeps numbers", &host, sizeof(host));
	print_bytes("the port 19830, as htons puts it for the network", &network, sizeof(network));
	print_bytes("sockaddr_in of 192.0.2.7 port 19830", &v4, sizeof(v4));
	print_bytes("sockaddr_in6 of fe80::7%2 port 19830", &v6, sizeof(v6));
	return 0;
}
