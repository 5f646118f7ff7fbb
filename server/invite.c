#include "server/invite.h"

#include <ifaddrs.h>
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

/* An interface's address, with the port; false when it is of another family or of no use. */
static bool from_interface(
	const struct ifaddrs *i, const struct net_address *listening, struct net_address *out)
{
	int family = listening->u.any.sa_family;

	if (!i->ifa_addr || i->ifa_addr->sa_family != family || !(i->ifa_flags & IFF_UP))
		return false;
	*out = (struct net_address){.length = listening->length};
	memcpy(&out->u, i->ifa_addr, listening->length);
	net_set_port(out, net_port(listening));
	return family == AF_INET || !IN6_IS_ADDR_LINKLOCAL(&out->u.v6.sin6_addr);
}

/* What one listening address stands for, as far as it is loopback or is not. */
static void spell_out(struct list *l, const struct net_address *listening,
	const struct ifaddrs *interfaces, bool loopback)
{
	struct net_address a;

	if (!is_wildcard(listening)) {
		if (net_is_loopback(listening) == loopback)
			add(l, listening);
		return;
	}
	for (const struct ifaddrs *i = interfaces; i; i = i->ifa_next) {
		if (from_interface(i, listening, &a) && net_is_loopback(&a) == loopback)
			add(l, &a);
	}
}

size_t invite_addresses(
	const struct net_address *listening, size_t count, struct net_address *out, size_t most)
{
	static const struct {
		int family;
		bool loopback;
	} order[] = {{AF_INET, false}, {AF_INET6, false}, {AF_INET, true}, {AF_INET6, true}};
	struct list l = {.addresses = out, .most = most};
	struct ifaddrs *interfaces = NULL;

	/* Without the list of interfaces, what was named is still known. */
	(void)getifaddrs(&interfaces);
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		for (size_t j = 0; j < count; j++) {
			if (listening[j].u.any.sa_family == order[i].family)
				spell_out(&l, &listening[j], interfaces, order[i].loopback);
		}
	}
	if (interfaces)
		freeifaddrs(interfaces);
	return l.count;
}
