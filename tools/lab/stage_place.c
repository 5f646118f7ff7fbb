/*
 * Where hosts and ports are: in a subnet of their own, or on loopback, with a relay before them.
 */
#include "tools/lab/stage_private.h"

#include "common/err.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#define LOOPBACK_NET 0x7f531300U /* 127.83.19.0 */
#define BROADCAST    0x0a5313ffU /* 10.83.19.255 */
#define GROUP        0xef531301U /* 239.83.19.1 */
#define NOWHERE      0xc0000201U /* 192.0.2.1, which nobody has (RFC 5737) */

static void put(struct net_address *a, uint32_t address, uint16_t port)
{
	memset(a, 0, sizeof(*a));
	a->length = sizeof(a->u.v4);
	a->u.v4.sin_family = AF_INET;
	a->u.v4.sin_addr.s_addr = htonl(address);
	a->u.v4.sin_port = htons(port);
}

static struct stage_place *named_locked(struct stage *s, size_t host, int type, uint16_t port)
{
	lock_assert_held(&s->lock);
	for (size_t i = 0; i < s->places_count; i++) {
		struct stage_place *p = &s->places[i];
		if (p->host == host && p->type == type && p->named == port)
			return p;
	}
	return NULL;
}

/* A port where nobody is, for those who shall be refused. */
static uint16_t nobodys_port(size_t host, int type)
{
	struct net_address a;
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	uint16_t port = 0;

	put(&a, LOOPBACK_NET + (uint32_t)host + 1, 0);
	if (fd >= 0 && bind(fd, &a.u.any, a.length) == 0 && net_local(fd, &a) == 0)
		port = net_port(&a);
	net_close(fd);
	return port;
}

void stage_reach(struct stage *s, size_t host, uint16_t port, int type, struct net_address *out)
{
	if (host == STAGE_EVERYBODY || host == STAGE_GROUP || host == STAGE_NOWHERE) {
		put(out,
			host == STAGE_EVERYBODY ? BROADCAST
			: host == STAGE_GROUP   ? GROUP
						: NOWHERE,
			port);
		return;
	}
	if (s->site) {
		put(out, ntohl(site_address(s->site, host).s_addr), port);
		return;
	}
	lock_take(&s->lock);
	const struct stage_place *p = named_locked(s, host, type, port);
	uint16_t at = p ? p->relay : 0;
	uint16_t real = p ? p->real : 0;
	lock_drop(&s->lock);
	if (!at)
		at = real ? real : nobodys_port(host, type);
	put(out, LOOPBACK_NET + (uint32_t)host + 1, at);
}

void stage_own(struct stage *s, size_t host, uint16_t port, int type, struct net_address *out)
{
	if (s->site) {
		put(out, INADDR_ANY, port);
		return;
	}
	lock_take(&s->lock);
	const struct stage_place *p = named_locked(s, host, type, port);
	uint16_t real = p ? p->real : 0;
	lock_drop(&s->lock);
	put(out, LOOPBACK_NET + (uint32_t)host + 1, real);
}

static int open_relay(struct stage *s, struct stage_place *p)
{
	struct net_address target;

	put(&target, LOOPBACK_NET + p->host + 1U, p->real);
	return relay_open(s->relay, p->type, &target, p->host == CLIENT_HOST ? 1 : 0, &p->relay);
}

int stage_place_add(struct stage *s, const struct stage_end *e, uint16_t named)
{
	struct net_address a;

	if (s->site || net_local(e->fd, &a) != 0)
		return 0;
	struct stage_place p = {.host = e->host,
		.type = e->type,
		.named = named ? named : net_port(&a),
		.real = net_port(&a)};
	lock_take(&s->lock);
	bool known = named_locked(s, p.host, p.type, p.named) != NULL;
	bool full = s->places_count == STAGE_PLACES;
	if (!known && !full)
		s->places[s->places_count++] = p;
	lock_drop(&s->lock);
	if (full && !known)
		return ERR_FULL;
	/* A stream's relay comes with its listening: until then, who connects is refused. */
	return e->type == SOCK_DGRAM ? stage_place_waits(s, e, true) : 0;
}

int stage_place_waits(struct stage *s, const struct stage_end *e, bool waits)
{
	struct net_address a;

	if (s->site || net_local(e->fd, &a) != 0)
		return 0;
	uint16_t named = stage_place_name(s, e->host, e->type, net_port(&a));
	lock_take(&s->lock);
	const struct stage_place *found = named_locked(s, e->host, e->type, named);
	struct stage_place p = found ? *found : (struct stage_place){0};
	lock_drop(&s->lock);
	if (!p.real || waits == (p.relay != 0))
		return 0;
	int r = 0;
	if (waits) {
		r = open_relay(s, &p);
	} else {
		relay_close(s->relay, p.type, p.relay);
		p.relay = 0;
	}
	lock_take(&s->lock);
	struct stage_place *again = named_locked(s, e->host, e->type, named);
	if (again)
		again->relay = p.relay;
	lock_drop(&s->lock);
	return r;
}

uint16_t stage_place_name(struct stage *s, size_t host, int type, uint16_t real)
{
	uint16_t name = real;

	if (s->site)
		return real;
	lock_take(&s->lock);
	for (size_t i = 0; i < s->places_count; i++) {
		const struct stage_place *p = &s->places[i];
		if (p->host == host && p->type == type && p->real == real)
			name = p->named;
	}
	lock_drop(&s->lock);
	return name;
}

char *stage_print_end(
	struct stage *s, size_t host, uint16_t port, int type, char out[NET_ADDRESS_MAX])
{
	struct net_address a;

	stage_reach(s, host, port, type, &a);
	return net_print(&a, out);
}
