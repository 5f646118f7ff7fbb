/*
 * What a server says, told to an adaptor of the load tool (tools/stress/protocol.h) in pieces of every
 * kind, and what comes of it as text.
 *
 * The adaptor gets each piece in a block of its own size, so that reading past it is noticed. For the
 * main thread of a test: it checks with ck_assert.
 */
#ifndef LANCHAT_TESTS_DIALOGUE_H
#define LANCHAT_TESTS_DIALOGUE_H

#include "tools/stress/protocol.h"

#include <stddef.h>

/* A client of run 0xabc, number 7, room 2, who has greeted. */
struct dialogue {
	const char *bytes; /* of the server */
	size_t length;     /* 0: up to the terminator of `bytes` */
	unsigned says;     /* how many times the client says "hey" right after its greeting */
	const char *sent;  /* what it answers: what the adaptor wrote after all that */
	const char
		*told; /* a line for each event: "ready", "message hey", "ack 1", "refused why" */
	int end;       /* how it ends: ERR_AGAIN, or ERR_PROTOCOL */
};

/* It goes like that as a whole, cut at every byte, and byte by byte. */
void dialogue_check(const struct protocol *protocol, const struct dialogue *d);

/* What the adaptor writes of itself: its greeting, that it says "hey", and how it leaves. */
void dialogue_writes(const struct protocol *protocol, const char *greeting, const char *says,
	const char *leaves);

/* No bytes do any harm: random ones, and `d` with some of them changed. It never says that it used none
 * or more than there are. */
void dialogue_garbage(const struct protocol *protocol, const struct dialogue *d);

#endif
