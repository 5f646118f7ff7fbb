/*
 * 1: a stream has no messages; a datagram is one.
 */
#include "tools/lab/pair.h"

#include <string.h>

static const char *const words[] = {"one", "two", "three"};
#define WORDS 3
#define TOTAL 11

static int streams(struct stage *s)
{
	struct pair p;
	char bytes[64], came[PAIR_BYTES];
	int r = pair_tcp(s, PAIR_PORT, &p);

	if (r)
		return r;
	(void)stage_option(s, p.server, SOL_SOCKET, SO_RCVLOWAT, TOTAL,
		"do not wake me before 11 bytes are there");
	for (int i = 0; i < WORDS; i++)
		(void)stage_send(s, p.client, words[i], strlen(words[i]), 0,
			i ? NULL : "three sends: three, three and five bytes");
	ssize_t n = stage_receive(s, p.server, bytes, sizeof(bytes), NULL, STAGE_PATIENCE_MS,
		"all that is there by now, wherever one send ended");
	stage_expect(s, SIDE_TCP, n == TOTAL && memcmp(bytes, "onetwothree", TOTAL) == 0,
		"three sends, one receive of 11 bytes", "%s", pair_bytes(n, came));
	stage_say(s, SIDE_TCP,
		"TCP carries bytes in order and nothing else. Who wants messages frames them: a "
		"length "
		"before each, or a sign after it.");
	return 0;
}

static int datagrams(struct stage *s)
{
	struct pair p;
	char bytes[64];
	int same = 0, r = pair_udp(s, PAIR_PORT, true, &p);

	if (r)
		return r;
	for (int i = 0; i < WORDS; i++)
		(void)stage_send(s, p.client, words[i], strlen(words[i]), 0,
			i ? NULL : "three sends are three datagrams");
	r = stage_settle(s, SIDE_UDP, WORDS);
	for (int i = 0; i < WORDS && r == 0; i++) {
		ssize_t n = stage_receive(s, p.server, bytes, sizeof(bytes), NULL, PAIR_SOON_MS,
			i ? NULL : "all three are there, and one is returned");
		same += n == (ssize_t)strlen(words[i]) && memcmp(bytes, words[i], (size_t)n) == 0;
	}
	stage_expect(s, SIDE_UDP, same == WORDS,
		"three sends, three receives, each of one whole message", "%d of %d", same, WORDS);
	stage_say(s, SIDE_UDP,
		"Each datagram travels and arrives whole, or not at all. Two are never joined.");
	return 0;
}

int scenario_boundaries(struct stage *s)
{
	return pair_sides(s, streams, datagrams);
}
