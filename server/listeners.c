#include "server/listeners.h"

#include "common/err.h"
#include "server/port_owner.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define ADDRESSES_EACH 8    /* of one name */
#define PORT_TRIES     16   /* for one free port on two address families */
#define BACKLOG        4096 /* a burst of thousands waits here; the kernel caps it (somaxconn) */

static void explain(const struct net_address *a, char *error, size_t size)
{
	char where[NET_ADDRESS_MAX], owner[64];
	int saved = errno;

	net_print(a, where);
	if (saved == EADDRINUSE && port_owner(a, owner, sizeof(owner)) == 0)
		snprintf(error, size,
			"cannot listen on %s: the port is in use by %s; stop it, or choose "
			"another port with --listen",
			where, owner);
	else if (saved == EADDRINUSE)
		snprintf(error, size,
			"cannot listen on %s: the port is in use; choose another with --listen",
			where);
	else if (saved == EINVAL && net_lacks_scope(a))
		snprintf(error, size,
			"cannot listen on %s: such an address is one on a link: name the interface "
			"as well, as in [fe80::1%%eth0]:%u",
			where, net_port(a));
	else
		snprintf(error, size, "cannot listen on %s: %s", where, strerror(saved));
}

/* The machine has no such family, or not that address of it. */
static bool family_is_missing(void)
{
	return errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL;
}

/* ---- sockets of our own ---- */

static int open_one(struct listeners *l, const struct net_address *a)
{
	int r = net_listen(a, BACKLOG, ACCEPTOR_SEND_BUFFER, &l->sockets[l->count]);

	if (r)
		return r;
	r = net_local(l->sockets[l->count], &l->addresses[l->address_count]);
	if (r) {
		net_close(l->sockets[l->count]);
		return r;
	}
	l->count++;
	l->address_count++;
	return 0;
}

/* Close those beyond the first `count`, and what they are bound to; each has one address. */
static void close_after(struct listeners *l, size_t count)
{
	while (l->count > count) {
		net_close(l->sockets[--l->count]);
		l->address_count--;
	}
}

/* Listen on all addresses of one item, with one port for all. */
static int listen_on(struct listeners *l, struct net_address *list, size_t count, size_t *failed)
{
	uint16_t port = 0;
	int r = 0;

	for (size_t i = 0; i < count && l->count < LISTENERS_MAX; i++) {
		if (port)
			net_set_port(&list[i], port);
		r = open_one(l, &list[i]);
		if (r && count > 1 && r == ERR_SYSTEM && family_is_missing())
			continue;
		if (r) {
			*failed = i;
			return r;
		}
		port = net_port(&l->addresses[l->address_count - 1]);
	}
	*failed = 0;
	return port ? 0 : r;
}

static int listen_on_item(struct listeners *l, const char *item, char *error, size_t size)
{
	struct net_address list[ADDRESSES_EACH];
	char host[NET_HOST_MAX];
	uint16_t port;
	size_t count, failed, before = l->count;
	const char *why;

	if (net_parse(item, NET_PORT, host, &port) != 0) {
		snprintf(error, size, "'%s' is not an address: HOST:PORT, [IPV6]:PORT or :PORT",
			item);
		return ERR_ARGUMENT;
	}
	if (net_resolve(host, port, SOCK_STREAM, true, list, ADDRESSES_EACH, &count, &why) != 0) {
		snprintf(error, size, "cannot listen on '%s': %s", item, why);
		return ERR_RESOLVE;
	}
	for (int i = 0;; i++) {
		int r = listen_on(l, list, count, &failed);
		if (r == 0)
			return 0;
		int saved = errno;
		close_after(l, before);
		errno = saved;
		/* A port that was free for one family may be taken for the other: another one. */
		if (port == 0 && r == ERR_SYSTEM && saved == EADDRINUSE && i < PORT_TRIES) {
			for (size_t j = 0; j < count; j++)
				net_set_port(&list[j], 0);
			continue;
		}
		if (r == ERR_SYSTEM)
			explain(&list[failed], error, size);
		else
			snprintf(error, size, "cannot listen on '%s': %s", item, err_text(r));
		return r;
	}
}

int listeners_open(struct listeners *l, const struct option_list *wanted, char *error, size_t size)
{
	int r = 0;

	*l = (struct listeners){.count = 0};
	if (wanted->count == 0)
		return listen_on_item(l, "*", error, size);
	for (size_t i = 0; i < wanted->count && r == 0; i++)
		r = listen_on_item(l, wanted->items[i], error, size);
	if (r)
		listeners_stop(l);
	return r;
}

/* ---- sockets that were handed over ---- */

/* Where a socket takes both families, it is bound to the wildcard of each: who goes by addresses, as
 * the beacon does, must see IPv4's as well. */
static void add_address(struct listeners *l, const struct net_address *a, bool both)
{
	l->addresses[l->address_count++] = *a;
	if (!both || l->address_count == LISTENERS_MAX)
		return;
	struct net_address v4 = {.length = sizeof(v4.u.v4)};
	v4.u.v4.sin_family = AF_INET;
	net_set_port(&v4, net_port(a));
	l->addresses[l->address_count++] = v4;
}

static bool takes_both(int fd, const struct net_address *a)
{
	int only = 1;
	socklen_t length = sizeof(only);

	return a->u.any.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&a->u.v6.sin6_addr) &&
	       getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, &length) == 0 && !only;
}

int listeners_adopt(struct listeners *l, int first, size_t count, char *error, size_t size)
{
	struct net_address a;

	*l = (struct listeners){.adopted = true};
	for (size_t i = 0; i < count && l->count < LISTENERS_MAX; i++)
		l->sockets[l->count++] = first + (int)i;
	for (size_t i = 0; i < l->count; i++) {
		if (net_local(l->sockets[i], &a) != 0) {
			snprintf(error, size, "descriptor %d, which was handed over: %s",
				l->sockets[i], strerror(errno));
			listeners_stop(l);
			return ERR_SYSTEM;
		}
		if (l->address_count < LISTENERS_MAX)
			add_address(l, &a, takes_both(l->sockets[i], &a));
	}
	return 0;
}

/* ---- all of them ---- */

int listeners_start(struct listeners *l, size_t stack, acceptor_take *take, void *context,
	char *error, size_t size)
{
	for (size_t i = 0; i < l->count; i++) {
		int r = acceptor_start(
			l->sockets[i], !l->adopted, stack, take, context, &l->acceptors[i]);
		if (r) {
			snprintf(error, size, "cannot accept connections: %s",
				r == ERR_SYSTEM ? strerror(errno) : err_text(r));
			return r;
		}
	}
	return 0;
}

uint64_t listeners_refused(const struct listeners *l)
{
	uint64_t refused = 0;

	for (size_t i = 0; i < l->count; i++)
		refused += acceptor_refused(l->acceptors[i]);
	return refused;
}

void listeners_stop(struct listeners *l)
{
	for (size_t i = 0; i < l->count; i++) {
		if (l->acceptors[i])
			acceptor_stop(l->acceptors[i]);
		else
			net_close(l->sockets[i]);
	}
	*l = (struct listeners){.count = 0};
}
