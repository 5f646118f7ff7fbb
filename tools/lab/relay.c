#include "tools/lab/relay_private.h"

#include "common/err.h"
#include "common/wakeup.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#define POLLS   (1 + RELAY_ROUTES + 2 * RELAY_STREAMS + RELAY_VISITORS)
#define BACKLOG 16

uint64_t relay_now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

uint64_t relay_due(const struct relay *r, uint64_t now, uint64_t due_ns)
{
	return now + (due_ns > now ? due_ns - now : 0) * r->pace;
}

/* ---- its thread ---- */

/* Take over what was asked for. False: it is to end. */
static bool take_over(struct relay *r)
{
	lock_take(&r->lock);
	bool go = !r->stopping;
	r->stands = r->held;
	if (r->stands != r->held_seen) {
		r->held_seen = r->stands;
		(void)pthread_cond_broadcast(&r->changed);
	}
	r->pace = r->slow;
	for (int i = 0; i < 2 && r->set_anew; i++)
		impairer_set(&r->direction[i], &r->set);
	r->set_anew = false;
	for (size_t i = 0; i < RELAY_ROUTES; i++)
		r->serving[i] = r->routes[i];
	lock_drop(&r->lock);
	return go;
}

static void close_route(struct relay *r, size_t i)
{
	relay_datagram_forget(r, i);
	net_close(r->serving[i].fd);
	r->serving[i] = (struct route){.fd = -1};
	lock_take(&r->lock);
	r->routes[i] = r->serving[i];
	(void)pthread_cond_broadcast(&r->changed);
	lock_drop(&r->lock);
}

static void serve_routes(struct relay *r, uint64_t now)
{
	for (size_t i = 0; i < RELAY_ROUTES; i++) {
		const struct route *w = &r->serving[i];
		if (w->fd >= 0 && w->closing)
			close_route(r, i);
		else if (w->fd >= 0 && !r->stands && w->type == SOCK_STREAM)
			relay_stream_accept(r, w);
		else if (w->fd >= 0 && !r->stands)
			relay_datagram_take(r, i, now);
	}
}

static void tell_counts(struct relay *r)
{
	lock_take(&r->lock);
	for (int side = 0; side < SIDES; side++)
		r->counts[side] = r->counting[side];
	lock_drop(&r->lock);
}

/* Sleep until there is something to do. */
static void doze(struct relay *r)
{
	struct pollfd p[POLLS];
	struct timespec left, *limit = NULL;
	uint64_t due = UINT64_MAX;
	nfds_t n = 1;

	p[0] = (struct pollfd){.fd = r->wake_fd, .events = POLLIN};
	for (size_t i = 0; i < RELAY_ROUTES && !r->stands; i++) {
		const struct route *w = &r->serving[i];
		if (w->fd >= 0 && (w->type == SOCK_DGRAM || relay_stream_room(r)))
			p[n++] = (struct pollfd){.fd = w->fd, .events = POLLIN};
	}
	if (!r->stands) {
		n += relay_stream_poll(r, p + n, &due);
		n += relay_datagram_poll(r, p + n, &due);
	}
	if (due != UINT64_MAX) {
		uint64_t now = relay_now();
		uint64_t wait = due > now ? due - now : 0;
		left.tv_sec = (time_t)(wait / 1000000000U);
		left.tv_nsec = (long)(wait % 1000000000U);
		limit = &left;
	}
	(void)ppoll(p, n, limit, NULL);
	wakeup_clear(r->wake_fd);
}

static void *work(void *of)
{
	struct relay *r = of;

	while (take_over(r)) {
		uint64_t now = relay_now();
		serve_routes(r, now);
		if (!r->stands) {
			relay_stream_turn(r, now);
			relay_datagram_turn(r, now);
		}
		tell_counts(r);
		doze(r);
	}
	return NULL;
}

/* ---- its life ---- */

int relay_start(struct relay **out, const struct impairment *how, uint64_t seed)
{
	struct relay *r = calloc(1, sizeof(*r));
	struct stream_pair *streams = calloc(RELAY_STREAMS, sizeof(*streams));

	if (!r || !streams) {
		free(r);
		free(streams);
		return ERR_MEMORY;
	}
	r->streams = streams;
	r->slow = r->pace = 1;
	for (size_t i = 0; i < RELAY_ROUTES; i++)
		r->routes[i].fd = -1;
	for (size_t i = 0; i < RELAY_STREAMS; i++)
		streams[i].fd[0] = streams[i].fd[1] = -1;
	for (size_t i = 0; i < RELAY_VISITORS; i++)
		r->visitors[i].fd = -1;
	for (unsigned i = 0; i < 2; i++)
		impairer_init(&r->direction[i], how, seed + i);
	if (wakeup_open(&r->wake_fd) != 0) {
		free(streams);
		free(r);
		return ERR_SYSTEM;
	}
	lock_init(&r->lock, LOCK_LEAF);
	lock_cond_init(&r->changed);
	relay_set(r, how);
	int e = pthread_create(&r->thread, NULL, work, r);
	if (e == 0) {
		*out = r;
		return 0;
	}
	lock_fini(&r->lock);
	(void)pthread_cond_destroy(&r->changed);
	net_close(r->wake_fd);
	free(streams);
	free(r);
	errno = e;
	return ERR_SYSTEM;
}

void relay_stop(struct relay *r)
{
	if (!r)
		return;
	lock_take(&r->lock);
	r->stopping = true;
	lock_drop(&r->lock);
	wakeup_signal(r->wake_fd);
	PTHREAD_OK(pthread_join(r->thread, NULL));
	for (size_t i = 0; i < RELAY_ROUTES; i++)
		net_close(r->routes[i].fd);
	for (size_t i = 0; i < RELAY_STREAMS; i++)
		relay_stream_end(&r->streams[i], false);
	relay_datagram_end(r);
	lock_fini(&r->lock);
	(void)pthread_cond_destroy(&r->changed);
	net_close(r->wake_fd);
	free(r->streams);
	free(r);
}

static struct route *find_route(struct relay *r, int type, uint16_t port)
{
	for (size_t i = 0; i < RELAY_ROUTES; i++) {
		struct route *w = &r->routes[i];
		if (w->fd >= 0 && w->type == type && w->port == port)
			return w;
	}
	return NULL;
}

/* A socket at the target's address, at a port of the kernel's choice. */
static int wait_before(int type, const struct net_address *target, struct route *w)
{
	struct net_address a = *target;
	int buffer = RELAY_BUFFER;

	net_set_port(&a, 0);
	w->fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (w->fd < 0)
		return ERR_SYSTEM;
	/* Small, so that who does not read is felt soon by who sends. */
	if (type == SOCK_STREAM)
		(void)setsockopt(w->fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
	if (bind(w->fd, &a.u.any, a.length) != 0 ||
		(type == SOCK_STREAM && listen(w->fd, BACKLOG) != 0) || net_local(w->fd, &a) != 0) {
		net_close(w->fd);
		return ERR_SYSTEM;
	}
	w->type = type;
	w->target = *target;
	w->port = net_port(&a);
	return 0;
}

int relay_open(struct relay *r, int type, const struct net_address *target, unsigned toward,
	uint16_t *port)
{
	struct route w = {.fd = -1, .toward = toward & 1};
	int e = wait_before(type, target, &w);

	if (e)
		return e;
	lock_take(&r->lock);
	e = ERR_FULL;
	for (size_t i = 0; i < RELAY_ROUTES && e; i++) {
		if (r->routes[i].fd < 0) {
			r->routes[i] = w;
			e = 0;
		}
	}
	lock_drop(&r->lock);
	if (e) {
		net_close(w.fd);
		return e;
	}
	wakeup_signal(r->wake_fd);
	*port = w.port;
	return 0;
}

void relay_close(struct relay *r, int type, uint16_t port)
{
	lock_take(&r->lock);
	struct route *w = find_route(r, type, port);
	if (w)
		w->closing = true;
	wakeup_signal(r->wake_fd);
	/* Its thread may be waiting on it, so its thread closes it. */
	while (find_route(r, type, port))
		(void)lock_wait(&r->lock, &r->changed, INT64_MAX);
	lock_drop(&r->lock);
}

void relay_set(struct relay *r, const struct impairment *how)
{
	struct impairment usual = *how;

	usual.mtu = 0; /* loopback's is far above */
	lock_take(&r->lock);
	r->set = usual;
	r->set_anew = true;
	lock_drop(&r->lock);
	wakeup_signal(r->wake_fd);
}

void relay_slow(struct relay *r, unsigned factor)
{
	lock_take(&r->lock);
	r->slow = factor ? factor : 1;
	lock_drop(&r->lock);
	wakeup_signal(r->wake_fd);
}

void relay_hold(struct relay *r, bool held)
{
	lock_take(&r->lock);
	r->held = held;
	wakeup_signal(r->wake_fd);
	/* Then nothing that is sent after this slips through. */
	while (r->held_seen != r->held)
		(void)lock_wait(&r->lock, &r->changed, INT64_MAX);
	lock_drop(&r->lock);
}

void relay_counts(struct relay *r, enum side side, struct wire_counts *out)
{
	lock_take(&r->lock);
	*out = r->counts[side];
	lock_drop(&r->lock);
}
