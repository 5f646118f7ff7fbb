/*
 * The load tool's adaptors: from what a server says come the same events and answers however it is cut
 * up, nothing is read that is not there, and what they point at is of what they were given.
 *
 * Input: a byte that chooses the protocol and how much the client says first, a byte that chooses the
 * pieces, then what the server says.
 *
 * About: tools/stress/protocol*.c tools/stress/mark.c
 */
#include "tools/stress/protocol.h"

#include "common/err.h"
#include "tests/fuzz/require.h"
#include "tools/stress/mark.h"

#include <string.h>

struct client {
	const struct protocol *protocol;
	struct protocol_peer peer;
	uint8_t sent[16384];
	struct outgoing out;
	uint64_t events, hash;
};

static void begin(struct client *c, uint8_t choice)
{
	size_t count = 0;

	while (protocols[count])
		count++;
	memset(c, 0, sizeof(*c));
	c->protocol = protocols[choice % count];
	c->peer = (struct protocol_peer){.run = 0xabc, .number = 7, .room = 2};
	c->out = (struct outgoing){.bytes = c->sent, .size = sizeof(c->sent)};
	c->protocol->greet(&c->peer, &c->out);
	for (unsigned i = 1; i <= choice / count % 4; i++)
		c->protocol->say(&c->peer, i, "hey", 3, &c->out);
}

static void hash_bytes(struct client *c, const void *bytes, size_t length)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < length; i++)
		c->hash = (c->hash ^ p[i]) * UINT64_C(1099511628211); /* FNV-1a */
}

/* What reads as a mark is written the same. */
static void check_mark(const char *text, size_t length)
{
	char again[MARK_LENGTH];
	struct mark m;
	int r = mark_read(text, length, &m);

	REQUIRE(r == 0 || r == ERR_PROTOCOL);
	if (r != 0)
		return;
	mark_write(&m, again, sizeof(again));
	REQUIRE(memcmp(again, text, sizeof(again)) == 0);
}

static void see(struct client *c, const struct event *e, const uint8_t *bytes, size_t used)
{
	const uint8_t *text = (const uint8_t *)e->text;

	if (e->kind == EVENT_NONE)
		return;
	c->events++;
	hash_bytes(c, &e->kind, sizeof(e->kind));
	if (e->kind == EVENT_ACK)
		hash_bytes(c, &e->number, sizeof(e->number));
	if (e->kind != EVENT_MESSAGE && e->kind != EVENT_REFUSED)
		return;
	hash_bytes(c, text, e->length);
	if (e->kind == EVENT_REFUSED)
		return; /* which may be told in words of our own */
	REQUIRE(e->length == 0 || (text >= bytes && text + e->length <= bytes + used));
	check_mark(e->text, e->length);
	PLANTED(c->events == 2 && says_bugs(text, e->length));
}

/* Everything that is whole. Returns how the last attempt ended, and in `*taken` how far it got. */
static int drain(struct client *c, const uint8_t *bytes, size_t length, size_t *taken)
{
	for (*taken = 0;;) {
		struct event e = {.kind = EVENT_NONE};
		size_t used = 0, left = length - *taken;
		int r = c->protocol->next(&c->peer, bytes + *taken, left, &used, &e, &c->out);
		REQUIRE(c->out.used <= c->out.size);
		REQUIRE(r == 0 || r == ERR_AGAIN || r == ERR_PROTOCOL);
		if (r == ERR_AGAIN)
			REQUIRE(left < PROTOCOL_THING_MOST);
		if (r != 0)
			return r;
		REQUIRE(used > 0 && used <= left && used <= PROTOCOL_THING_MOST);
		see(c, &e, bytes + *taken, used);
		*taken += used;
	}
}

/* The same with pieces of `piece` bytes. What is kept lies in a block of its own size, so that reading
 * past it is noticed. */
static int drain_in_pieces(struct client *c, const uint8_t *bytes, size_t length, size_t piece)
{
	size_t start = 0;
	int r = ERR_AGAIN;

	for (size_t end = 0; end < length && r == ERR_AGAIN;) {
		size_t taken;
		end = length - end < piece ? length : end + piece;
		uint8_t *kept = malloc(end - start);
		REQUIRE(kept);
		memcpy(kept, bytes + start, end - start);
		r = drain(c, kept, end - start, &taken);
		start += taken;
		free(kept);
	}
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct client whole, pieces;
	size_t taken;

	if (size < 2)
		return 0;
	begin(&whole, data[0]);
	begin(&pieces, data[0]);
	int a = drain(&whole, data + 2, size - 2, &taken);
	int b = drain_in_pieces(&pieces, data + 2, size - 2, (size_t)data[1] + 1);
	REQUIRE(a == b);
	REQUIRE(whole.events == pieces.events && whole.hash == pieces.hash);
	REQUIRE(whole.out.full == pieces.out.full && whole.out.used == pieces.out.used);
	REQUIRE(memcmp(whole.sent, pieces.sent, whole.out.used) == 0);
	return 0;
}
