#include "common/netif.h"

#include "common/err.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

static bool matches_any(const struct option_list *globs, const char *name)
{
	for (size_t i = 0; globs && i < globs->count; i++)
		if (fnmatch(globs->items[i], name, 0) == 0)
			return true;
	return false;
}

bool netif_filter_passes(const struct netif_filter *f, const char *name)
{
	if (f->only && f->only->count > 0 && !matches_any(f->only, name))
		return false;
	return !matches_any(f->not, name);
}

bool netif_suits(const struct netif *link, const struct netif_filter *f)
{
	const unsigned needed = IFF_UP | IFF_RUNNING;

	if ((link->flags & needed) != needed || (link->flags & IFF_POINTOPOINT) != 0)
		return false;
	return !link->enslaved && netif_filter_passes(f, link->name);
}

int netif_add(struct netif_table *t, const struct netif *link)
{
	if (t->link_count == NETIF_MAX)
		return ERR_FULL;
	t->links[t->link_count++] = *link;
	return 0;
}

int netif_add_address(struct netif_table *t, const struct netif_address *a)
{
	if (a->family != AF_INET && a->family != AF_INET6)
		return 0;
	if (!netif_find(t, a->index))
		return 0;
	if (t->address_count == NETIF_ADDRESSES_MAX)
		return ERR_FULL;
	t->addresses[t->address_count++] = *a;
	return 0;
}

static int rank(const struct netif *link)
{
	if (link->flags & IFF_LOOPBACK)
		return 0;
	return link->bridge ? 2 : 1;
}

static int compare(const void *left, const void *right)
{
	const struct netif *a = left, *b = right;

	if (rank(a) != rank(b))
		return rank(a) - rank(b);
	return (a->index > b->index) - (a->index < b->index);
}

void netif_sort(struct netif_table *t)
{
	qsort(t->links, t->link_count, sizeof(t->links[0]), compare);
}

static bool same_link(const struct netif *a, const struct netif *b)
{
	return a->index == b->index && a->flags == b->flags && a->enslaved == b->enslaved &&
	       a->bridge == b->bridge && strcmp(a->name, b->name) == 0;
}

static bool same_address(const struct netif_address *a, const struct netif_address *b)
{
	return a->index == b->index && a->family == b->family && a->tentative == b->tentative &&
	       a->prefix == b->prefix && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool netif_table_equal(const struct netif_table *a, const struct netif_table *b)
{
	if (a->link_count != b->link_count || a->address_count != b->address_count)
		return false;
	for (size_t i = 0; i < a->link_count; i++)
		if (!same_link(&a->links[i], &b->links[i]))
			return false;
	for (size_t i = 0; i < a->address_count; i++)
		if (!same_address(&a->addresses[i], &b->addresses[i]))
			return false;
	return true;
}

const struct netif *netif_find(const struct netif_table *t, unsigned index)
{
	for (size_t i = 0; i < t->link_count; i++)
		if (t->links[i].index == index)
			return &t->links[i];
	return NULL;
}

static struct net_address ipv4(const struct netif_address *a, uint16_t port)
{
	struct net_address out = {
		.length = sizeof(out.u.v4),
		.u.v4 = {.sin_family = AF_INET, .sin_port = htons(port)},
	};

	memcpy(&out.u.v4.sin_addr, a->bytes, sizeof(out.u.v4.sin_addr));
	return out;
}

static struct net_address ipv6(const struct netif_address *a, uint16_t port)
{
	struct net_address out = {
		.length = sizeof(out.u.v6),
		.u.v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)},
	};

	memcpy(&out.u.v6.sin6_addr, a->bytes, sizeof(out.u.v6.sin6_addr));
	if (IN6_IS_ADDR_LINKLOCAL(&out.u.v6.sin6_addr))
		out.u.v6.sin6_scope_id = a->index;
	return out;
}

struct net_address netif_socket_address(const struct netif_address *a, uint16_t port)
{
	return a->family == AF_INET ? ipv4(a, port) : ipv6(a, port);
}

bool netif_same_network(const struct netif_address *a, const struct net_address *peer)
{
	uint8_t other[sizeof(a->bytes)] = {0};

	if (peer->u.any.sa_family != a->family)
		return false;
	if (a->family == AF_INET)
		memcpy(other, &peer->u.v4.sin_addr, sizeof(peer->u.v4.sin_addr));
	else
		memcpy(other, &peer->u.v6.sin6_addr, sizeof(peer->u.v6.sin6_addr));
	size_t whole = a->prefix / 8U;
	unsigned rest = a->prefix % 8U;
	if (memcmp(a->bytes, other, whole) != 0)
		return false;
	return rest == 0 || (a->bytes[whole] ^ other[whole]) >> (8 - rest) == 0;
}
