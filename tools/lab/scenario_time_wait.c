/*
 * 9: who closes first keeps the pair of addresses for a while.
 */
#include "tools/lab/pair.h"

#include <errno.h>
#include <string.h>

/* A server that has had a client, closed first, and is gone. Both its sockets had SO_REUSEADDR, or not. */
static int serve_once(struct stage *s, uint16_t port, int reuse)
{
	struct pair p = {.listener = stage_socket(s, SIDE_TCP, SERVER_HOST, SOCK_STREAM, NULL)};
	char bytes[8];

	if (reuse)
		(void)stage_option(s, p.listener, SOL_SOCKET, SO_REUSEADDR, 1,
			"before bind; what accept gives inherits it");
	if (stage_bind(s, p.listener, port, NULL) != 0 || stage_listen(s, p.listener, 8, NULL) != 0)
		return pair_failure(s, SIDE_TCP);
	p.client = stage_socket(s, SIDE_TCP, CLIENT_HOST, SOCK_STREAM, NULL);
	if (stage_connect(s, p.client, SERVER_HOST, port, NULL) != 0)
		return pair_failure(s, SIDE_TCP);
	p.server = stage_accept(s, p.listener, NULL);
	if (p.server < 0)
		return pair_failure(s, SIDE_TCP);
	(void)stage_close_socket(s, p.server, "the server closes first, so it keeps TIME_WAIT");
	(void)stage_receive(s, p.client, bytes, sizeof(bytes), NULL, STAGE_PATIENCE_MS, "the end");
	(void)stage_close_socket(s, p.client, NULL);
	(void)stage_close_socket(s, p.listener, "the server ends");
	return 0;
}

static int start_again(struct stage *s, uint16_t port, bool reuse, const char *why)
{
	int fd = stage_socket(s, SIDE_TCP, SERVER_HOST, SOCK_STREAM, NULL);

	if (reuse)
		(void)stage_option(s, fd, SOL_SOCKET, SO_REUSEADDR, 1, NULL);
	int error = stage_bind(s, fd, port, why) == 0 ? 0 : errno;
	(void)stage_close_socket(s, fd, NULL);
	return error;
}

static const char *name(int error)
{
	return error ? strerrorname_np(error) : "it may";
}

static int streams(struct stage *s)
{
	int r = serve_once(s, PAIR_PORT, 0);

	if (r)
		return r;
	int plain = start_again(s, PAIR_PORT, false, "the old connection still has the port");
	int half = start_again(
		s, PAIR_PORT, true, "now it would share, but the old one did not offer to");
	r = serve_once(s, PAIR_PORT + 1, 1);
	if (r)
		return r;
	int other = start_again(
		s, PAIR_PORT + 1, false, "the old one offers to share; this one does not");
	int both = start_again(s, PAIR_PORT + 1, true, "both do");
	stage_expect(s, SIDE_TCP, plain == EADDRINUSE,
		"a new server may not have the port: EADDRINUSE", "%s", name(plain));
	stage_expect(s, SIDE_TCP, half == EADDRINUSE && other == EADDRINUSE,
		"SO_REUSEADDR of one of the two is not enough", "of the new: %s; of the old: %s",
		name(half), name(other));
	stage_expect(s, SIDE_TCP, both == 0, "where both had it set, it may", "%s", name(both));
	stage_say(s, SIDE_TCP,
		"Who closed first waits a minute, lest a late packet of the old connection be "
		"taken "
		"for one of a new one. Servers set SO_REUSEADDR always, so that they can restart.");
	return 0;
}

static int datagrams(struct stage *s)
{
	struct pair p;
	char bytes[8];
	int r = pair_udp(s, PAIR_PORT, true, &p);

	if (r)
		return r;
	(void)stage_send(s, p.client, "hello", 5, 0, NULL);
	(void)stage_receive(s, p.server, bytes, sizeof(bytes), NULL, PAIR_SOON_MS, NULL);
	(void)stage_close_socket(s, p.server, "the server ends");
	int again = stage_socket(s, SIDE_UDP, SERVER_HOST, SOCK_DGRAM, NULL);
	int error = stage_bind(s, again, PAIR_PORT, "and starts again") == 0 ? 0 : errno;
	stage_expect(s, SIDE_UDP, error == 0, "the port is free at once", "%s", name(error));
	stage_say(s, SIDE_UDP, "No connection, so nothing has to be waited out.");
	return 0;
}

int scenario_time_wait(struct stage *s)
{
	return pair_sides(s, streams, datagrams);
}
