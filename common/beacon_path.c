#include "common/beacon_path.h"

#include "common/beacon.h"

#include <arpa/inet.h>
#include <string.h>

struct plan {
	const struct netif_table *table;
	const struct net_address *listening;
	size_t listening_count;
	struct beacon_path *out;
	size_t count, most;
};

static bool is_wildcard(const struct net_address *a)
{
	if (a->u.any.sa_family == AF_INET)
		return a->u.v4.sin_addr.s_addr == htonl(INADDR_ANY);
	return IN6_IS_ADDR_UNSPECIFIED(&a->u.v6.sin6_addr);
}

static bool same_bytes(const struct netif_address *local, const struct net_address *a)
{
	struct net_address mine = netif_socket_address(local, net_port(a));

	return net_equal(&mine, a);
}

static bool is_link_local(const struct netif_address *a)
{
	return a->family == AF_INET6 && a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

static bool is_ipv4_loopback(const struct netif_address *a)
{
	return a->family == AF_INET && a->bytes[0] == IN_LOOPBACKNET;
}

static void add(struct plan *p, const struct beacon_path *path)
{
	for (size_t i = 0; i < p->count; i++)
		if (beacon_path_equal(&p->out[i], path))
			return;
	if (p->count < p->most)
		p->out[p->count++] = *path;
}

/* ---- loopback ---- */

static const struct netif_address *find_ipv4_loopback(const struct plan *p, unsigned index)
{
	for (size_t i = 0; i < p->table->address_count; i++) {
		const struct netif_address *a = &p->table->addresses[i];

		if (a->index == index && is_ipv4_loopback(a))
			return a;
	}
	return NULL;
}

/* All of 127.0.0.0/8 is this host, whichever of it a listener chose. */
static void plan_ipv4_loopback(struct plan *p, const struct netif_address *own)
{
	for (size_t i = 0; i < p->listening_count; i++) {
		const struct net_address *l = &p->listening[i];
		struct beacon_path path = {.local = *own, .port = net_port(l), .loopback = true};

		if (l->u.any.sa_family != AF_INET)
			continue;
		if (net_is_loopback(l))
			memcpy(path.local.bytes, &l->u.v4.sin_addr, sizeof(l->u.v4.sin_addr));
		else if (!is_wildcard(l))
			continue;
		add(p, &path);
	}
}

/* Only for servers that IPv4 does not reach here: the loopback interface has no IPv6 multicast. */
static void plan_ipv6_loopback(struct plan *p, const struct netif_address *own)
{
	for (size_t i = 0; i < p->listening_count; i++) {
		const struct net_address *l = &p->listening[i];

		if (l->u.any.sa_family != AF_INET6)
			continue;
		if (!is_wildcard(l) && !net_is_loopback(l))
			continue;
		add(p, &(struct beacon_path){
			       .local = *own,
			       .port = net_port(l),
			       .flags = BEACON_FLAG_LOOPBACK6,
			       .loopback = true,
		       });
	}
}

static void plan_loopback(struct plan *p, const struct netif *link)
{
	const struct netif_address *own = find_ipv4_loopback(p, link->index);
	size_t before = p->count;

	if (!own)
		return;
	plan_ipv4_loopback(p, own);
	if (p->count == before)
		plan_ipv6_loopback(p, own);
}

/* ---- other interfaces ---- */

static bool has_link_local(const struct plan *p, unsigned index)
{
	for (size_t i = 0; i < p->table->address_count; i++) {
		const struct netif_address *a = &p->table->addresses[i];

		if (a->index == index && is_link_local(a) && !a->tentative)
			return true;
	}
	return false;
}

/* Does a listener of this kind make `own` an address to advertise? A wildcard listener accepts at
 * every IPv6 address that the interface has; the link-local one is enough, and always works. */
static bool accepts_at(
	const struct plan *p, const struct net_address *l, const struct netif_address *own)
{
	if (l->u.any.sa_family != own->family)
		return false;
	if (!is_wildcard(l))
		return same_bytes(own, l);
	return own->family == AF_INET || is_link_local(own) || !has_link_local(p, own->index);
}

static void plan_address(struct plan *p, const struct netif_address *own)
{
	for (size_t i = 0; i < p->listening_count; i++)
		if (accepts_at(p, &p->listening[i], own))
			add(p, &(struct beacon_path){
				       .local = *own, .port = net_port(&p->listening[i])});
}

static void plan_link(struct plan *p, const struct netif *link, sa_family_t family)
{
	for (size_t i = 0; i < p->table->address_count; i++) {
		const struct netif_address *own = &p->table->addresses[i];

		if (own->index == link->index && own->family == family && !own->tentative)
			plan_address(p, own);
	}
}

size_t beacon_paths(const struct netif_table *t, const struct net_address *listening, size_t count,
	struct beacon_path *out, size_t most)
{
	struct plan p = {
		.table = t,
		.listening = listening,
		.listening_count = count,
		.out = out,
		.most = most,
	};

	for (size_t i = 0; i < t->link_count; i++) {
		const struct netif *link = &t->links[i];

		if (link->flags & IFF_LOOPBACK) {
			plan_loopback(&p, link);
		} else {
			plan_link(&p, link, AF_INET);
			plan_link(&p, link, AF_INET6);
		}
	}
	return p.count;
}

bool beacon_path_equal(const struct beacon_path *a, const struct beacon_path *b)
{
	return a->local.index == b->local.index && a->local.family == b->local.family &&
	       memcmp(a->local.bytes, b->local.bytes, sizeof(a->local.bytes)) == 0 &&
	       a->local.prefix == b->local.prefix && a->port == b->port && a->flags == b->flags;
}

/* ---- where to ---- */

struct net_address beacon_path_everybody(const struct beacon_path *p, uint16_t port)
{
	struct netif_address to = {.index = p->local.index, .family = p->local.family};

	if (p->local.family == AF_INET6) {
		struct net_address group;

		(void)inet_pton(AF_INET6, BEACON_GROUP, to.bytes);
		group = netif_socket_address(&to, port);
		group.u.v6.sin6_scope_id = p->local.index;
		return group;
	}
	memset(to.bytes, 0xff, 4);
	if (p->loopback)
		to.bytes[0] = IN_LOOPBACKNET;
	return netif_socket_address(&to, port);
}

/* The address may have come with or without a scope. */
static bool is_at(const struct beacon_path *p, const struct net_address *at)
{
	if (at->u.any.sa_family != p->local.family)
		return false;
	if (p->local.family == AF_INET)
		return memcmp(&at->u.v4.sin_addr, p->local.bytes, 4) == 0;
	return memcmp(&at->u.v6.sin6_addr, p->local.bytes, sizeof(p->local.bytes)) == 0;
}

/* A broadcast address is nobody's, who could have asked: the answer would go to everybody. */
static bool is_broadcast(const struct netif_address *on, const struct net_address *from)
{
	struct in_addr own;

	if (on->family != AF_INET || from->u.any.sa_family != AF_INET || on->prefix >= 31)
		return false;
	memcpy(&own, on->bytes, sizeof(own));
	return ntohl(from->u.v4.sin_addr.s_addr) == (ntohl(own.s_addr) | UINT32_MAX >> on->prefix);
}

const struct beacon_path *beacon_path_back(const struct beacon_path *paths, size_t count,
	unsigned index, const struct net_address *from, const struct net_address *at)
{
	const struct beacon_path *first = NULL;

	for (size_t i = 0; i < count; i++) {
		if (paths[i].local.index == index && is_broadcast(&paths[i].local, from))
			return NULL;
	}
	for (size_t i = 0; i < count; i++) {
		const struct beacon_path *p = &paths[i];

		if (p->local.index != index || p->local.family != from->u.any.sa_family)
			continue;
		if (at ? is_at(p, at) : netif_same_network(&p->local, from))
			return p;
		if (!first)
			first = p;
	}
	return at ? NULL : first;
}
