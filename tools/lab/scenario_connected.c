/*
 * 13: connect on a socket that has no connection: a filter, and a default.
 */
#include "tools/lab/pair.h"

#include <errno.h>
#include <string.h>

#define STRANGERS_PORT 7001

/* A stranger sends to the client, and then the server does. What the client reads first. `arrived`: what
 * the stranger sent did reach the client's machine. */
static ssize_t hear_both(struct stage *s, int stranger, int server, int client, uint16_t port,
	char *bytes, size_t size, bool *arrived)
{
	struct wire_counts c, after;

	stage_counts(s, SIDE_UDP, &c);
	(void)stage_send_to(
		s, stranger, "stranger", 8, CLIENT_HOST, port, "somebody else, to the same port");
	/* It must be there before what it is compared with. */
	(void)stage_settle(s, SIDE_UDP, c.sent + 1);
	stage_counts(s, SIDE_UDP, &after);
	*arrived = after.arrived > c.arrived;
	(void)stage_answer(s, server, "friend", 6, "the peer");
	return stage_receive(s, client, bytes, size, NULL, PAIR_SOON_MS, NULL);
}

static int datagrams(struct stage *s)
{
	char bytes[16];
	bool arrived;
	int server = stage_socket(s, SIDE_UDP, SERVER_HOST, SOCK_DGRAM, NULL);
	int stranger =
		stage_socket(s, SIDE_UDP, SERVER_HOST, SOCK_DGRAM, "a second one on that host");
	int client = stage_socket(s, SIDE_UDP, CLIENT_HOST, SOCK_DGRAM, NULL);

	if (stage_bind(s, server, PAIR_PORT, NULL) != 0 ||
		stage_bind(s, stranger, STRANGERS_PORT, NULL) != 0 ||
		stage_bind(s, client, 0, "any port") != 0)
		return pair_failure(s, SIDE_UDP);
	uint16_t port = stage_port(s, client);
	(void)stage_send_to(s, client, "hello", 5, SERVER_HOST, PAIR_PORT, "not connected");
	(void)stage_receive(s, server, bytes, sizeof(bytes), NULL, PAIR_SOON_MS, NULL);
	ssize_t n = hear_both(s, stranger, server, client, port, bytes, sizeof(bytes), &arrived);
	bool strange = n == 8 && memcmp(bytes, "stranger", 8) == 0;
	n = stage_receive(s, client, bytes, sizeof(bytes), NULL, PAIR_SOON_MS, NULL);
	stage_expect(s, SIDE_UDP, strange && n == 6, "without connect it hears everybody", "%s",
		strange && n == 6 ? "first the stranger, then the peer"
		: strange         ? "the stranger alone"
				  : "not the stranger");

	(void)stage_connect(s, client, SERVER_HOST, PAIR_PORT, "no packet: a note in the kernel");
	ssize_t sent = stage_send(s, client, "hello", 5, 0, "no address needed any more");
	(void)stage_receive(s, server, bytes, sizeof(bytes), NULL, PAIR_SOON_MS, NULL);
	n = hear_both(s, stranger, server, client, port, bytes, sizeof(bytes), &arrived);
	bool friendly = n == 6 && memcmp(bytes, "friend", 6) == 0;
	n = stage_receive(s, client, bytes, sizeof(bytes), NULL, 0, "and nothing more");
	const char *then = n < 0 ? strerrorname_np(errno) : "something";
	static const char filtered[] = "after it, what a stranger sends is not delivered";
	if (!arrived)
		stage_unshown(s, SIDE_UDP, filtered, "what the stranger sent never arrived");
	else
		stage_expect(s, SIDE_UDP, friendly && strcmp(then, "EAGAIN") == 0, filtered,
			"%s, and then %s", friendly ? "first the peer" : "not the peer", then);
	stage_check(s, SIDE_UDP, sent == 5, "and send needs no address", "%zd bytes", sent);
	stage_say(s, SIDE_UDP,
		"The kernel compares the sender's address and port with the peer. It is no "
		"protection: "
		"an address can be forged.");
	return 0;
}

static int streams(struct stage *s)
{
	struct pair p;
	char bytes[16];
	int r = pair_tcp(s, PAIR_PORT, &p);

	if (r)
		return r;
	int other = stage_socket(s, SIDE_TCP, CLIENT_HOST, SOCK_STREAM, "a second client");
	(void)stage_connect(s, other, SERVER_HOST, PAIR_PORT, "to the same port of the server");
	int second = stage_accept(s, p.listener, "another descriptor: another conversation");
	(void)stage_send(s, other, "stranger", 8, 0, NULL);
	(void)stage_send(s, p.client, "friend", 6, 0, NULL);
	ssize_t n = stage_receive(s, p.server, bytes, sizeof(bytes), NULL, STAGE_PATIENCE_MS, NULL);
	bool mine = n == 6 && memcmp(bytes, "friend", 6) == 0;
	n = stage_receive(s, second, bytes, sizeof(bytes), NULL, STAGE_PATIENCE_MS, NULL);
	stage_expect(s, SIDE_TCP, mine && n == 8 && memcmp(bytes, "stranger", 8) == 0,
		"each connection hears its own peer only", "%s",
		mine ? "two clients, two sockets, nothing mixed" : "they were mixed");
	stage_say(s, SIDE_TCP,
		"A connection is four numbers: two addresses and two ports. A segment with others "
		"does "
		"not belong to it.");
	return 0;
}

int scenario_connected(struct stage *s)
{
	return pair_sides(s, streams, datagrams);
}
