#include "server/listeners.h"

#include "common/err.h"
#include "server/port_owner.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ADDRESSES_EACH 8  /* of one name */
#define PORT_TRIES     16 /* for one free port on two address families */

static void explain(const struct net_address *a, char *error, size_t size)
{
	char where[NET_ADDRESS_MAX], owner[64];
	int saved = errno;

	net_print(a, where);
	if (saved == EADDRINUSE && port_owner(net_port(a), owner, sizeof(owner)) == 0)
		snprintf(error, size,
			"cannot listen on %s: the port is in use by %s; stop it, or choose "
			"another port with --listen",
			where, owner);
	else if (saved == EADDRINUSE)
		snprintf(error, size,
			"cannot listen on %s: the port is in use; choose another with --listen",
			where);
	else
		snprintf(error, size, "cannot listen on %s: %s", where, strerror(saved));
}

/* The machine has no such family, or not that address of it. */
static bool family_is_missing(void)
{
	return errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL;
}

/* Listen on all addresses of one item, with one port for all. */
static int listen_on(struct listeners *l, struct net_address *list, size_t count, size_t stack,
	acceptor_take *take, void *context, size_t *failed)
{
	uint16_t port = 0;
	int r = 0;

	for (size_t i = 0; i < count && l->count < LISTENERS_MAX; i++) {
		if (port)
			net_set_port(&list[i], port);
		r = acceptor_start(&list[i], stack, take, context, &l->addresses[l->count],
			&l->acceptors[l->count]);
		if (r && count > 1 && r == ERR_SYSTEM && family_is_missing())
			continue;
		if (r) {
			*failed = i;
			return r;
		}
		port = net_port(&l->addresses[l->count++]);
	}
	*failed = 0;
	return port ? 0 : r;
}

static int listen_on_item(struct listeners *l, const char *item, size_t stack, acceptor_take *take,
	void *context, char *error, size_t size)
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
		int r = listen_on(l, list, count, stack, take, context, &failed);
		if (r == 0)
			return 0;
		int saved = errno;
		while (l->count > before)
			acceptor_stop(l->acceptors[--l->count]);
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

int listeners_start(struct listeners *l, const struct option_list *wanted, size_t stack,
	acceptor_take *take, void *context, char *error, size_t size)
{
	int r = 0;

	*l = (struct listeners){0};
	if (wanted->count == 0)
		return listen_on_item(l, "*", stack, take, context, error, size);
	for (size_t i = 0; i < wanted->count && r == 0; i++)
		r = listen_on_item(l, wanted->items[i], stack, take, context, error, size);
	if (r)
		listeners_stop(l);
	return r;
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
	while (l->count)
		acceptor_stop(l->acceptors[--l->count]);
}
