/*
 * Datagrams: each with a fate of its own.
 */
#include "tools/lab/relay_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define HEADERS 28 /* of IPv4 and UDP, as they would be on a wire */

/* ---- who sent it ---- */

static bool make_visitor(
	struct visitor *v, size_t route, const struct route *w, const struct net_address *who)
{
	struct net_address own = *who;

	net_set_port(&own, 0);
	v->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	v->route = route;
	v->who = *who;
	if (v->fd >= 0 && bind(v->fd, &own.u.any, own.length) == 0 &&
		connect(v->fd, &w->target.u.any, w->target.length) == 0)
		return true;
	net_close(v->fd);
	v->fd = -1;
	return false;
}

/* RELAY_VISITORS where there are too many. */
static size_t find_visitor(struct relay *r, size_t route, const struct net_address *who)
{
	size_t room = RELAY_VISITORS;

	for (size_t i = 0; i < RELAY_VISITORS; i++) {
		const struct visitor *v = &r->visitors[i];
		if (v->fd >= 0 && v->route == route && net_equal(&v->who, who))
			return i;
		if (v->fd < 0)
			room = i;
	}
	if (room < RELAY_VISITORS &&
		!make_visitor(&r->visitors[room], route, &r->serving[route], who))
		room = RELAY_VISITORS;
	return room;
}

/* ---- what becomes of it ---- */

static void add(struct relay *r, size_t visitor, bool back, uint64_t due, const uint8_t *bytes,
	size_t length)
{
	struct datagram *d = malloc(sizeof(*d) + length);
	struct datagram **at = &r->flight;

	if (!d || r->flight_count == RELAY_FLIGHT) {
		r->counting[SIDE_UDP].overflowed++;
		free(d);
		return;
	}
	*d = (struct datagram){.due_ns = due, .visitor = visitor, .back = back, .length = length};
	memcpy(d->bytes, bytes, length);
	while (*at && (*at)->due_ns <= due)
		at = &(*at)->next;
	d->next = *at;
	*at = d;
	r->flight_count++;
}

static void decide(struct relay *r, size_t visitor, bool back, uint64_t now, const uint8_t *bytes,
	size_t length)
{
	struct wire_counts *c = &r->counting[SIDE_UDP];
	unsigned toward = r->serving[r->visitors[visitor].route].toward ^ (back ? 1U : 0U);
	struct fate f = impairer_decide(&r->direction[toward], now, length + HEADERS);

	c->sent++;
	c->bytes += length + HEADERS;
	if (f.kind == FATE_OVERFLOW)
		c->overflowed++;
	else if (f.kind != FATE_CARRIED)
		c->lost++;
	c->reordered += f.reordered;
	c->duplicated += f.copies > 1;
	for (uint8_t i = 0; i < f.copies; i++)
		add(r, visitor, back, relay_due(r, now, f.due_ns[i]), bytes, length);
}

void relay_datagram_take(struct relay *r, size_t route, uint64_t now)
{
	for (;;) {
		struct net_address who = {.length = sizeof(who.u)};
		ssize_t n = recvfrom(r->serving[route].fd, r->taken, sizeof(r->taken), 0,
			&who.u.any, &who.length);
		if (n < 0)
			return;
		size_t visitor = find_visitor(r, route, &who);
		if (visitor < RELAY_VISITORS)
			decide(r, visitor, false, now, r->taken, (size_t)n);
	}
}

static void take_answers(struct relay *r, size_t visitor, uint64_t now)
{
	int tries = 2;

	/* That nobody is at the target comes as an error, once; it is not passed on. */
	while (tries > 0) {
		ssize_t n = recv(r->visitors[visitor].fd, r->taken, sizeof(r->taken), 0);
		if (n < 0)
			tries = errno == EAGAIN ? 0 : tries - 1;
		else
			decide(r, visitor, true, now, r->taken, (size_t)n);
	}
}

static void deliver(struct relay *r, const struct datagram *d)
{
	const struct visitor *v = &r->visitors[d->visitor];
	const struct route *w = &r->serving[v->route];

	if (d->back && w->fd >= 0)
		(void)sendto(
			w->fd, d->bytes, d->length, MSG_NOSIGNAL, &v->who.u.any, v->who.length);
	else if (!d->back && v->fd >= 0)
		(void)send(v->fd, d->bytes, d->length, MSG_NOSIGNAL);
	r->counting[SIDE_UDP].arrived++;
}

void relay_datagram_turn(struct relay *r, uint64_t now)
{
	for (size_t i = 0; i < RELAY_VISITORS; i++) {
		if (r->visitors[i].fd >= 0)
			take_answers(r, i, now);
	}
	while (r->flight && r->flight->due_ns <= now) {
		struct datagram *d = r->flight;
		deliver(r, d);
		r->flight = d->next;
		r->flight_count--;
		free(d);
	}
}

void relay_datagram_forget(struct relay *r, size_t route)
{
	struct datagram **at = &r->flight;

	while (*at) {
		struct datagram *d = *at;
		if (r->visitors[d->visitor].route == route) {
			*at = d->next;
			r->flight_count--;
			r->counting[SIDE_UDP].lost++;
			free(d);
		} else {
			at = &d->next;
		}
	}
	for (size_t i = 0; i < RELAY_VISITORS; i++) {
		if (r->visitors[i].fd >= 0 && r->visitors[i].route == route) {
			net_close(r->visitors[i].fd);
			r->visitors[i].fd = -1;
		}
	}
}

nfds_t relay_datagram_poll(const struct relay *r, struct pollfd *p, uint64_t *due_ns)
{
	nfds_t n = 0;

	for (size_t i = 0; i < RELAY_VISITORS; i++) {
		if (r->visitors[i].fd >= 0)
			p[n++] = (struct pollfd){.fd = r->visitors[i].fd, .events = POLLIN};
	}
	if (r->flight && r->flight->due_ns < *due_ns)
		*due_ns = r->flight->due_ns;
	return n;
}

void relay_datagram_end(struct relay *r)
{
	for (size_t i = 0; i < RELAY_VISITORS; i++)
		net_close(r->visitors[i].fd);
	while (r->flight) {
		struct datagram *d = r->flight;
		r->flight = d->next;
		free(d);
	}
}
