/*
 * 2: what does not fit into the buffer waits, or is gone.
 */
#include "tools/lab/pair.h"

#include <string.h>

#define ROOM 4
static const char digits[] = "0123456789";

static int streams(struct stage *s)
{
	struct pair p;
	char bytes[ROOM], all[16] = "";
	size_t have = 0;
	int reads = 0, r = pair_tcp(s, PAIR_PORT, &p);

	if (r)
		return r;
	(void)stage_send(s, p.client, digits, strlen(digits), 0, "ten bytes");
	while (have < strlen(digits)) {
		ssize_t n = stage_receive(s, p.server, bytes, sizeof(bytes), NULL,
			STAGE_PATIENCE_MS, reads ? NULL : "room for four");
		if (n <= 0)
			break;
		memcpy(all + have, bytes, (size_t)n);
		have += (size_t)n;
		reads++;
	}
	stage_expect(s, SIDE_TCP, have == strlen(digits) && memcmp(all, digits, have) == 0,
		"the rest comes with the next reads", "%zu of %zu bytes in %d reads", have,
		strlen(digits), reads);
	stage_say(s, SIDE_TCP, "What is not read stays in the kernel's buffer.");
	return 0;
}

static int datagrams(struct stage *s)
{
	struct pair p;
	char bytes[ROOM], came[PAIR_BYTES];
	int flags = 0, r = pair_udp(s, PAIR_PORT, true, &p);

	if (r)
		return r;
	(void)stage_send(s, p.client, digits, strlen(digits), 0, "ten bytes");
	(void)stage_send(s, p.client, "next", 4, 0, "and a second message");
	ssize_t n = stage_receive(
		s, p.server, bytes, sizeof(bytes), &flags, PAIR_SOON_MS, "room for four");
	stage_expect(s, SIDE_UDP,
		n == ROOM && memcmp(bytes, digits, ROOM) == 0 && (flags & MSG_TRUNC),
		"four bytes and MSG_TRUNC", "%s, MSG_TRUNC %s", pair_bytes(n, came),
		flags & MSG_TRUNC ? "set" : "not set");
	n = stage_receive(s, p.server, bytes, sizeof(bytes), NULL, PAIR_SOON_MS,
		"the next call is the next message");
	stage_expect(s, SIDE_UDP, n == ROOM && memcmp(bytes, "next", ROOM) == 0,
		"the six bytes that did not fit are gone", "the next read gives %s%s%.*s%s",
		n < 0 ? "nothing" : "", n < 0 ? "" : "\"", n > 0 ? (int)n : 0, bytes,
		n < 0 ? "" : "\"");
	stage_say(s, SIDE_UDP,
		"A receive takes one datagram, and throws away what has no room. Only MSG_TRUNC "
		"tells.");
	return 0;
}

int scenario_short_buffer(struct stage *s)
{
	return pair_sides(s, streams, datagrams);
}
