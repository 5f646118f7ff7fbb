/*
 * The link's side of the datagram lane: the socket, the keys, and each frame sealed into a datagram of its
 * own. What is in them is the session's (link_session_lane.c).
 *
 * The socket is connected, so that the kernel passes on only what comes from the server's address, and
 * tells when nobody listens there; which is no reason to give up, as anybody can forge that.
 */
#include "client/link_private.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define DATAGRAMS_AT_ONCE 256 /* so that the connection has its turn */

static int connect_to(const struct net_address *server, int *fd)
{
	char text[NET_ADDRESS_MAX];
	int s;
	int r = net_udp(server->u.any.sa_family, &s);

	if (r)
		return r;
	int done = connect(s, &server->u.any, server->length);
	if (trace_on())
		trace_callf(done, "nothing is sent: from now on only this address is heard",
			"connect(%d, %s)", s, net_print(server, text));
	if (done < 0) {
		net_close(s);
		return ERR_SYSTEM;
	}
	*fd = s;
	return 0;
}

/* What is wrong with the offer, in words; NULL: the lane is open. */
static const char *open_lane(struct link *l, const struct lane_offer *offer)
{
	uint8_t context[8], keys[LANE_KEYS];
	const struct stream_export what = {
		.label = LANE_LABEL, .context = context, .context_size = sizeof(context)};
	struct net_address server;

	lane_context(offer->id, context);
	int r = stream_export(l->stream, &what, keys, sizeof(keys));
	bool sealed = r == 0;
	if (r && r != ERR_NOT_FOUND)
		return "there are no keys for it";
	/* One that is weaker than the connection is never taken; nor could we open what is sealed. */
	if (sealed != offer->sealed)
		r = ERR_PROTOCOL;
	else
		r = lane_init(&l->lane, offer->id, LANE_CLIENT, sealed ? keys : NULL);
	explicit_bzero(keys, sizeof(keys));
	if (r)
		return "the server offers a lane that is not as safe as the connection";
	if (!l->lane_buffer)
		l->lane_buffer = malloc(LANE_MAX);
	r = l->lane_buffer ? net_peer(stream_fd(l->stream), &server) : ERR_MEMORY;
	if (r == 0) {
		net_set_port(&server, offer->port);
		r = connect_to(&server, &l->lane_fd);
	}
	if (r == 0)
		return NULL;
	lane_fini(&l->lane);
	return r == ERR_SYSTEM ? strerrordesc_np(errno) : err_text(r);
}

static void take_offer(struct link *l)
{
	struct lane_offer offer;

	lock_take(&l->lock);
	bool offered = link_session_lane_offer(l->session, &offer);
	lock_drop(&l->lock);
	if (!offered)
		return;
	link_lane_close(l);
	const char *problem = open_lane(l, &offer);
	lock_take(&l->lock);
	link_session_lane_ready(l->session, problem, clock_us());
	lock_drop(&l->lock);
}

/* What the socket does not take is lost, as it may be anywhere on the way. */
static void send_one(struct link *l, const uint8_t *frame, size_t length)
{
	size_t size;

	if (lane_seal(&l->lane, frame, length, l->lane_buffer, LANE_MAX, &size) != 0)
		return;
	ssize_t sent;
	do
		sent = send(l->lane_fd, l->lane_buffer, size, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (trace_on()) {
		trace_callf(sent, "one datagram, which nobody acknowledges", "send(%d, %zu bytes)",
			l->lane_fd, size);
		trace_frame(l->lane_fd, true, frame, length);
	}
}

int link_lane_serve(struct link *l)
{
	take_offer(l);
	if (l->lane_fd < 0)
		return 0;
	lock_take(&l->lock);
	int r = link_session_lane_output(l->session, &l->lane_output);
	lock_drop(&l->lock);
	for (size_t at = 0; at < l->lane_output.length;) {
		size_t length = frame_size(l->lane_output.bytes + at);
		send_one(l, l->lane_output.bytes + at, length);
		at += length;
	}
	l->lane_output.length = 0;
	return r;
}

/* One that was there before, if it is from the server: for whoever counts what the network doubles. */
static void take_copy(struct link *l, size_t length)
{
	struct frame f;

	if (lane_open_copy(&l->lane, l->lane_buffer, length, &f) != 0)
		return;
	lock_take(&l->lock);
	link_session_lane_copy(l->session, &f);
	lock_drop(&l->lock);
}

/* Take one datagram; false: none waits. */
static bool take_one(struct link *l)
{
	struct lane_arrival a;
	ssize_t got = recv(l->lane_fd, l->lane_buffer, LANE_MAX, 0);

	if (trace_on() && (got >= 0 || errno != EAGAIN))
		trace_callf(got, got < 0 ? "nobody listens there, says somebody" : "one datagram",
			"recv(%d)", l->lane_fd);
	if (got < 0)
		return errno != EAGAIN;
	int opened = lane_open(&l->lane, l->lane_buffer, (size_t)got, &a);
	if (opened == ERR_EXISTS)
		take_copy(l, (size_t)got);
	if (opened)
		return true;
	if (trace_on())
		trace_frame(l->lane_fd, false, a.frame.payload - FRAME_HEADER,
			FRAME_HEADER + (size_t)a.frame.length);
	lock_take(&l->lock);
	link_session_lane_input(l->session, &a.frame, clock_us());
	lock_drop(&l->lock);
	return true;
}

void link_lane_take(struct link *l)
{
	for (int i = 0; i < DATAGRAMS_AT_ONCE && take_one(l); i++)
		;
}

void link_lane_close(struct link *l)
{
	if (l->lane_fd < 0)
		return;
	net_close(l->lane_fd);
	l->lane_fd = -1;
	lane_fini(&l->lane);
	free(l->lane_buffer);
	l->lane_buffer = NULL;
	free(l->lane_output.bytes);
	l->lane_output = (struct link_bytes){0};
}
