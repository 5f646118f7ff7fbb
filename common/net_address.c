#include "common/net_address.h"

#include "common/err.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

/* ---- addresses as text ---- */

/* A decimal port without sign or blanks. */
static int parse_port(const char *text, uint16_t *port)
{
	unsigned value = 0;
	size_t i = 0;

	for (; text[i] >= '0' && text[i] <= '9' && i < 5; i++)
		value = value * 10 + (unsigned)(text[i] - '0');
	if (i == 0 || text[i] != '\0' || value > UINT16_MAX)
		return ERR_ARGUMENT;
	*port = (uint16_t)value;
	return 0;
}

/* An IPv6 address, with or without "%interface" behind it. */
static bool is_ipv6(const char *text, size_t length)
{
	char address[INET6_ADDRSTRLEN];
	struct in6_addr unused;
	const char *scope = memchr(text, '%', length);
	size_t n = scope ? (size_t)(scope - text) : length;

	if (n >= sizeof(address) || (scope && n + 1 == length))
		return false;
	memcpy(address, text, n);
	address[n] = '\0';
	return inet_pton(AF_INET6, address, &unused) == 1;
}

/* Could it be a name or an IPv4 address? What the resolver thinks of it is another question. */
static bool is_host(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c <= ' ' || c == 0x7f || strchr("[]/:%*", c))
			return false;
	}
	return length > 0;
}

int net_parse(const char *text, uint16_t default_port, char *host, uint16_t *port)
{
	size_t length = strlen(text);
	const char *start = text;
	const char *colon = strrchr(text, ':');
	const char *end = colon ? colon : text + length;
	uint16_t number = default_port;
	bool every = false;

	if (length == 0 || length >= NET_HOST_MAX)
		return ERR_ARGUMENT;
	if (text[0] == '[') {
		end = strchr(text, ']');
		start = text + 1;
		if (!end || !is_ipv6(start, (size_t)(end - start)))
			return ERR_ARGUMENT;
		if (end[1] != '\0' && (end[1] != ':' || parse_port(end + 2, &number) != 0))
			return ERR_ARGUMENT;
	} else if (is_ipv6(text, length)) {
		end = text + length;
	} else {
		if (colon && parse_port(colon + 1, &number) != 0)
			return ERR_ARGUMENT;
		every = end == text || (end == text + 1 && text[0] == '*');
		if (!every && !is_host(text, (size_t)(end - text)))
			return ERR_ARGUMENT;
	}
	size_t n = every ? 0 : (size_t)(end - start);
	memcpy(host, start, n);
	host[n] = '\0';
	*port = number;
	return 0;
}

/* "%eth0" for a scope; the number where the interface is gone. */
static void print_scope(uint32_t scope, char *out, size_t size)
{
	char name[IF_NAMESIZE];

	out[0] = '\0';
	if (scope == 0)
		return;
	if (if_indextoname(scope, name))
		(void)snprintf(out, size, "%%%s", name);
	else
		(void)snprintf(out, size, "%%%u", scope);
}

char *net_print(const struct net_address *a, char out[NET_ADDRESS_MAX])
{
	int error = errno;
	char host[INET6_ADDRSTRLEN] = "?";
	char scope[IF_NAMESIZE + 1];

	switch (a->u.any.sa_family) {
	case AF_INET:
		(void)inet_ntop(AF_INET, &a->u.v4.sin_addr, host, sizeof(host));
		(void)snprintf(out, NET_ADDRESS_MAX, "%s:%u", host, net_port(a));
		break;
	case AF_INET6:
		(void)inet_ntop(AF_INET6, &a->u.v6.sin6_addr, host, sizeof(host));
		print_scope(a->u.v6.sin6_scope_id, scope, sizeof(scope));
		(void)snprintf(out, NET_ADDRESS_MAX, "[%s%s]:%u", host, scope, net_port(a));
		break;
	default:
		(void)snprintf(out, NET_ADDRESS_MAX, "?");
		break;
	}
	errno = error;
	return out;
}

char *net_print_host(const char *host, uint16_t port, char *out, size_t size)
{
	bool is_v6 = strchr(host, ':') != NULL;

	(void)snprintf(out, size, is_v6 ? "[%s]:%u" : "%s:%u", host, port);
	return out;
}

/* ---- addresses as values ---- */

uint16_t net_port(const struct net_address *a)
{
	if (a->u.any.sa_family == AF_INET)
		return ntohs(a->u.v4.sin_port);
	if (a->u.any.sa_family == AF_INET6)
		return ntohs(a->u.v6.sin6_port);
	return 0;
}

void net_set_port(struct net_address *a, uint16_t port)
{
	if (a->u.any.sa_family == AF_INET)
		a->u.v4.sin_port = htons(port);
	else if (a->u.any.sa_family == AF_INET6)
		a->u.v6.sin6_port = htons(port);
}

bool net_lacks_scope(const struct net_address *a)
{
	return a->u.any.sa_family == AF_INET6 && a->u.v6.sin6_scope_id == 0 &&
	       IN6_IS_ADDR_LINKLOCAL(&a->u.v6.sin6_addr);
}

bool net_is_loopback(const struct net_address *a)
{
	if (a->u.any.sa_family == AF_INET)
		return ntohl(a->u.v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	if (a->u.any.sa_family != AF_INET6)
		return false;
	const struct in6_addr *v6 = &a->u.v6.sin6_addr;
	return IN6_IS_ADDR_LOOPBACK(v6) ||
	       (IN6_IS_ADDR_V4MAPPED(v6) && v6->s6_addr[12] == IN_LOOPBACKNET);
}

bool net_equal(const struct net_address *a, const struct net_address *b)
{
	if (a->u.any.sa_family != b->u.any.sa_family || net_port(a) != net_port(b))
		return false;
	if (a->u.any.sa_family == AF_INET)
		return a->u.v4.sin_addr.s_addr == b->u.v4.sin_addr.s_addr;
	return a->u.any.sa_family == AF_INET6 &&
	       IN6_ARE_ADDR_EQUAL(&a->u.v6.sin6_addr, &b->u.v6.sin6_addr) &&
	       a->u.v6.sin6_scope_id == b->u.v6.sin6_scope_id;
}

bool net_same_host(const struct net_address *a, const struct net_address *b)
{
	struct net_address x = *a, y = *b;

	net_set_port(&x, 0);
	net_set_port(&y, 0);
	return net_equal(&x, &y);
}
