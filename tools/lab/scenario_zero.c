/*
 * 3: a receive that returns 0.
 */
#include "tools/lab/pair.h"

#include <string.h>

static int streams(struct stage *s)
{
	struct pair p;
	char bytes[16], came[PAIR_BYTES], later[PAIR_BYTES];
	int r = pair_tcp(s, PAIR_PORT, &p);

	if (r)
		return r;
	ssize_t empty = stage_send(s, p.client, "", 0, 0, "nothing to send, and nothing is sent");
	(void)stage_send(s, p.client, "bye", 3, 0, NULL);
	ssize_t n = stage_receive(s, p.server, bytes, sizeof(bytes), NULL, STAGE_PATIENCE_MS, NULL);
	stage_expect(s, SIDE_TCP, empty == 0 && n == 3, "an empty send leaves no trace in a stream",
		"the first read gives %s", pair_bytes(n, came));
	(void)stage_shutdown(s, p.client, SHUT_WR, "a FIN: I have nothing more to say");
	ssize_t first = stage_receive(s, p.server, bytes, sizeof(bytes), NULL, STAGE_PATIENCE_MS,
		"the end of the stream");
	ssize_t again = stage_receive(s, p.server, bytes, sizeof(bytes), NULL, STAGE_PATIENCE_MS,
		"and again, as often as one asks");
	stage_expect(s, SIDE_TCP, first == 0 && again == 0, "0 means the end, and stays so",
		"%s, and then %s", pair_bytes(first, came), pair_bytes(again, later));
	stage_say(s, SIDE_TCP,
		"A loop that takes 0 for \"nothing yet\" spins for ever. Nothing yet is EAGAIN.");
	return 0;
}

static int datagrams(struct stage *s)
{
	struct pair p;
	char bytes[16] = "", came[PAIR_BYTES];
	int r = pair_udp(s, PAIR_PORT, true, &p);

	if (r)
		return r;
	ssize_t empty =
		stage_send(s, p.client, "", 0, 0, "a datagram with headers and nothing in it");
	(void)stage_send(s, p.client, "more", 4, 0, NULL);
	ssize_t n = stage_receive(s, p.server, bytes, sizeof(bytes), NULL, PAIR_SOON_MS,
		"it arrived: a message of no bytes");
	stage_expect(s, SIDE_UDP, empty == 0 && n == 0, "an empty datagram is received as one",
		"%s", pair_bytes(n, came));
	n = stage_receive(s, p.server, bytes, sizeof(bytes), NULL, PAIR_SOON_MS, "and it goes on");
	stage_expect(s, SIDE_UDP, n == 4 && memcmp(bytes, "more", 4) == 0,
		"0 is no end: the next message comes", "%s", pair_bytes(n, came));
	stage_say(s, SIDE_UDP, "UDP has no end. Who wants one says so in a message.");
	return 0;
}

int scenario_zero(struct stage *s)
{
	return pair_sides(s, streams, datagrams);
}
