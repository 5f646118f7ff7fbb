#include "server/invite.h"

#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

struct list {
	struct net_address *addresses;
	size_t count, most;
};

static void add(struct list *l, const struct net_address *a)
{
	for (size_t i = 0; i < l->count; i++) {
		if (net_equal(&l->addresses[i], a))
			return;
	}
	if (l->count < l->most)
		l->addresses[l->count++] = *a;
}

static bool is_wildcard(const struct net_address *a)
{
	if (a->u.any.sa_family == AF_INET)
		return a->u.v4.sin_addr.s_addr == htonl(INADDR_ANY);
	return IN6_IS_ADDR_UNSPECIFIED(&a->u.v6.sin6_addr);
}

bool invite_is_link_local(const struct net_address *a)
{
	return a->u.any.sa_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&a->u.v6.sin6_addr);
}

/* Which addresses a pass adds. */
enum reach {
	NETWORK,
	LINK, /* those of IPv6 that mean another interface on every machine */
	LOOPBACK,
};

static enum reach reach_of(const struct net_address *a)
{
	if (net_is_loopback(a))
		return LOOPBACK;
	return invite_is_link_local(a) ? LINK : NETWORK;
}

/* An interface's address, with the port; false when it is of another family. */
static bool from_interface(
	const struct ifaddrs *i, const struct net_address *listening, struct net_address *out)
{
	if (!i->ifa_addr || i->ifa_addr->sa_family != listening->u.any.sa_family ||
		!(i->ifa_flags & IFF_UP))
		return false;
	*out = (struct net_address){.length = listening->length};
	memcpy(&out->u, i->ifa_addr, listening->length);
	net_set_port(out, net_port(listening));
	return true;
}

/* What one listening address stands for, as far as it reaches so. Who named one wants it. */
static void spell_out(struct list *l, const struct net_address *listening,
	const struct ifaddrs *interfaces, enum reach reach)
{
	struct net_address a;

	if (!is_wildcard(listening)) {
		enum reach named = net_is_loopback(listening) ? LOOPBACK : NETWORK;
		if (named == reach)
			add(l, listening);
		return;
	}
	for (const struct ifaddrs *i = interfaces; i; i = i->ifa_next) {
		if (from_interface(i, listening, &a) && reach_of(&a) == reach)
			add(l, &a);
	}
}

size_t invite_from(const struct ifaddrs *interfaces, const struct net_address *listening,
	size_t count, struct net_address *out, size_t most)
{
	static const struct {
		int family;
		enum reach reach;
	} order[] = {{AF_INET, NETWORK}, {AF_INET6, NETWORK}, {AF_INET6, LINK}, {AF_INET, LOOPBACK},
		{AF_INET6, LOOPBACK}};
	struct list l = {.addresses = out, .most = most};

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		/* Better than none at all. */
		if (order[i].reach == LINK && l.count > 0)
			continue;
		for (size_t j = 0; j < count; j++) {
			if (listening[j].u.any.sa_family == order[i].family)
				spell_out(&l, &listening[j], interfaces, order[i].reach);
		}
	}
	return l.count;
}

size_t invite_addresses(
	const struct net_address *listening, size_t count, struct net_address *out, size_t most)
{
	struct ifaddrs *interfaces = NULL;

	/* Without the list of interfaces, what was named is still known. */
	(void)getifaddrs(&interfaces);
	count = invite_from(interfaces, listening, count, out, most);
	if (interfaces)
		freeifaddrs(interfaces);
	return count;
}
