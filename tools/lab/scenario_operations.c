/*
 * 0: socket, bind, listen, accept, connect, send, receive, close, and what comes before: getaddrinfo.
 */
#include "common/err.h"
#include "tools/lab/pair.h"

#include <errno.h>
#include <string.h>

static const char hello[] = "hello";
static const char answer[] = "welcome";

/* What the descriptor has got by now. */
static void tell_ends(struct stage *s, enum side side, int fd)
{
	struct net_address own, peer;
	char here[NET_ADDRESS_MAX], there[NET_ADDRESS_MAX];
	bool connected = stage_ends(s, fd, &own, &peer);

	if (!connected && net_local(fd, &own) != 0)
		return;
	if (!connected)
		stage_say(s, side, "Descriptor %d is %s, and has no peer.", fd,
			net_print(&own, here));
	else
		stage_say(s, side, "Descriptor %d is %s, and its peer is %s.", fd,
			net_print(&own, here), net_print(&peer, there));
}

static bool gets(struct stage *s, int fd, const char *text, int timeout_ms, const char *why)
{
	char bytes[64];
	ssize_t n = stage_receive(s, fd, bytes, sizeof(bytes), NULL, timeout_ms, why);

	return n == (ssize_t)strlen(text) && memcmp(bytes, text, strlen(text)) == 0;
}

static void check_order(struct stage *s, const struct pair *p)
{
	struct net_address own, peer, far_own, far_peer;
	static const char text[] = "the socket that accept gave has the client as its peer";
	bool known = stage_ends(s, p->client, &own, &peer) &&
		     stage_ends(s, p->server, &far_own, &far_peer);
	bool agree = known && net_equal(&own, &far_peer) && net_equal(&peer, &far_own);

	if (stage_options(s)->loopback)
		stage_unshown(s, SIDE_TCP, text,
			"a relay stands between them, and each has the relay as its peer");
	else
		stage_expect(s, SIDE_TCP, agree, text, "%s",
			agree ? "both ends agree" : "they do not agree");
}

static int streams(struct stage *s)
{
	struct pair p = {.listener = stage_socket(s, SIDE_TCP, SERVER_HOST, SOCK_STREAM,
				 "1. the server's: a descriptor, without an address")};
	bool good = p.listener >= 0;

	good &= stage_bind(s, p.listener, PAIR_PORT, "2. it claims a port") == 0;
	tell_ends(s, SIDE_TCP, p.listener);
	good &= stage_listen(s, p.listener, 8, "3. the kernel completes handshakes from now on") ==
		0;
	p.client = stage_socket(s, SIDE_TCP, CLIENT_HOST, SOCK_STREAM, "1. the client's");
	good &= stage_connect(s, p.client, SERVER_HOST, PAIR_PORT,
			"5. SYN, SYN-ACK, ACK; the kernel chose a port") == 0;
	tell_ends(s, SIDE_TCP, p.client);
	p.server = stage_accept(s, p.listener, "4. a new descriptor for this one conversation");
	tell_ends(s, SIDE_TCP, p.server);
	check_order(s, &p);
	good &= stage_send(s, p.client, hello, strlen(hello), 0, "6. bytes into the stream") > 0;
	good &= gets(s, p.server, hello, STAGE_PATIENCE_MS, "7. bytes out of it");
	good &= stage_send(s, p.server, answer, strlen(answer), 0,
			"6. the same stream carries both ways") > 0;
	good &= gets(s, p.client, answer, STAGE_PATIENCE_MS,
		"7. no address is needed: there is one peer");
	good &= stage_close_socket(s, p.client, "8. the peer will read the end") == 0;
	good &= stage_close_socket(s, p.server, "8. the conversation's descriptor") == 0;
	good &= stage_close_socket(s, p.listener, "8. and that for new ones") == 0;
	stage_expect(s, SIDE_TCP, good, "all eight operations work, in the order of streams", "%s",
		good ? "socket, bind, listen, connect, accept, send, receive, close"
		     : "not all of them did");
	return 0;
}

static int datagrams(struct stage *s)
{
	int server = stage_socket(s, SIDE_UDP, SERVER_HOST, SOCK_DGRAM, "1. the server's");
	bool good = server >= 0;

	good &= stage_bind(s, server, PAIR_PORT, "2. ready to receive, from anybody") == 0;
	tell_ends(s, SIDE_UDP, server);
	int listened = stage_listen(s, server, 8, "there is nothing to listen for: no connections");
	stage_check(s, SIDE_UDP, listened != 0 && errno == EOPNOTSUPP,
		"listen is refused: datagrams have no connections", "%s",
		listened ? strerrorname_np(errno) : "it was allowed");
	int accepted = stage_accept(s, server, "and nobody to accept");
	stage_check(s, SIDE_UDP, accepted < 0 && errno == EOPNOTSUPP, "so is accept", "%s",
		accepted < 0 ? strerrorname_np(errno) : "it was allowed");
	int client = stage_socket(s, SIDE_UDP, CLIENT_HOST, SOCK_DGRAM, "1. the client's");
	good &= stage_send_to(s, client, hello, strlen(hello), SERVER_HOST, PAIR_PORT,
			"6. at once: the address goes with each message") > 0;
	tell_ends(s, SIDE_UDP, client);
	good &= gets(s, server, hello, PAIR_SOON_MS, "7. the sender's address comes with it");
	good &= stage_answer(s, server, answer, strlen(answer), "6. to where that came from") > 0;
	good &= gets(s, client, answer, PAIR_SOON_MS, "7.");
	good &= stage_close_socket(s, client, "8. nobody is told") == 0;
	good &= stage_close_socket(s, server, "8.") == 0;
	stage_expect(s, SIDE_UDP, good, "five operations are enough for datagrams", "%s",
		good ? "socket, bind, sendto, recvmsg, close" : "not all of them were");
	return 0;
}

int scenario_operations(struct stage *s)
{
	int entries = stage_resolve(
		s, PAIR_PORT, "a name and a service become a list of addresses to try in order");

	stage_check(s, SIDE_BOTH, entries >= 2, "getaddrinfo offers streams and datagrams",
		"%d entries", entries);
	stage_say(s, SIDE_BOTH,
		"Each entry holds what socket() and connect() want. One address stands there once "
		"for each kind of socket.");
	int r = streams(s);
	if (r == 0)
		r = datagrams(s);
	stage_say(s, SIDE_BOTH,
		"A stream is set up before it is used, and the listening socket never carries "
		"data. "
		"A datagram is just sent: there is nothing to set up, and nobody to refuse it.");
	return r;
}
