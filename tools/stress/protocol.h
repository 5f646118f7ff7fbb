/*
 * Protocols: how the same load is put to different servers.
 *
 * An adaptor turns what a client of the load wants (log in and go into a room, say something) into
 * bytes, and the bytes that a server sends into events. It is pure: no descriptor, no clock, no
 * allocation. What it has to remember of a client is in struct protocol_peer, and what it writes goes
 * to a buffer of the caller's. So adaptors are tested on bytes alone, and cost next to nothing beside
 * the server that they measure.
 *
 * The bytes of a server are trusted no more than anybody's: whatever they are, the adaptor says
 * ERR_PROTOCOL, and reads no byte that it was not given.
 *
 * Any thread, one at a time for one peer.
 */
#ifndef LANCHAT_STRESS_PROTOCOL_H
#define LANCHAT_STRESS_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The largest thing that a server may send: who has room for so many bytes gets on. */
#define PROTOCOL_THING_MOST 65536

/* What is to be sent. Written by the adaptors, emptied by the caller. */
struct outgoing {
	uint8_t *bytes; /* borrowed */
	size_t size;
	size_t used;
	bool full; /* something did not fit: what is in it may be half of something */
};

/* Add it, as a whole or not at all; nothing is added any more where something did not fit before. What
 * is printed has at most 511 bytes. */
void outgoing_put(struct outgoing *o, const void *bytes, size_t length);
void outgoing_print(struct outgoing *o, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A client, as its adaptor knows it. The caller fills in the first part once, zeroes the second for
 * each new connection, and leaves the third alone. */
struct protocol_peer {
	uint32_t run;       /* constant */
	uint32_t number;    /* of the client, from 0 on; constant */
	uint32_t room;      /* from 0 on; constant */
	uint32_t size;      /* bytes of its messages; constant */
	uint8_t person[32]; /* who it is; constant */

	bool returns;     /* it was in the room before, and has everything up to `position` */
	unsigned step;    /* how far the adaptor is */
	uint32_t expects; /* the same: bytes, or answers, of the next part of something */
	uint64_t said;    /* the same: counter of the newest message that was said */

	uint64_t position; /* of the newest message that it has; 0: none */
	uint64_t log[2];   /* whose positions those are */
};

enum event_kind {
	EVENT_NONE,    /* understood, and nothing to do */
	EVENT_READY,   /* it is in its room */
	EVENT_MESSAGE, /* `text`; `number` is its place in the room, 0: the protocol has none */
	EVENT_ACK,     /* its message `number` is accepted; they are so in order */
	EVENT_AGENT,   /* `text` says what the server is, in its own words */
	EVENT_GAP,     /* the server says that messages for it are lost */
	EVENT_REFUSED, /* `text` says why; the connection is of no more use */
};

struct event {
	enum event_kind kind;
	const char *
		text; /* borrowed from the bytes, or constant; no terminator. NULL: there is none */
	size_t length;
	uint64_t number;
};

struct protocol {
	const char *name;  /* "lanchat" */
	const char *about; /* for --help: which servers speak it */
	uint16_t port;     /* where they are usually */
	bool echoes;       /* who speaks gets the message too */
	bool acknowledges; /* EVENT_ACK comes for each */
	bool resumes;      /* who returns gets what it missed */
	bool tls;          /* it is spoken over TLS unless told otherwise */
	size_t text_most;  /* bytes of a message */

	/* Log in and go into the room. What cannot be sent at once is written by `next`, as answers
	 * come. */
	void (*greet)(struct protocol_peer *p, struct outgoing *out);

	/* Say something in its room: at most `text_most` bytes, neither CR, LF nor NUL among them.
	 * `counter` counts the client's messages, from 1 on. */
	void (*say)(struct protocol_peer *p, uint64_t counter, const char *text, size_t length,
		struct outgoing *out);

	/* Say goodbye, in good order. */
	void (*leave)(struct protocol_peer *p, struct outgoing *out);

	/* The first thing in `bytes`: 0, and it had `*used` bytes (at least one, and no more than
	 * PROTOCOL_THING_MOST); what it is to be answered with is in `out`. ERR_AGAIN: not all of it is
	 * here. ERR_PROTOCOL: it is not this protocol, or larger than anything that is to be expected.
	 * But for 0 all stays as it was. */
	int (*next)(struct protocol_peer *p, const uint8_t *bytes, size_t length, size_t *used,
		struct event *event, struct outgoing *out);
};

extern const struct protocol protocol_lanchat;
extern const struct protocol protocol_irc;
extern const struct protocol protocol_redis;
extern const struct protocol protocol_nats;

/* All of them, in the order of --help, and after the last NULL. */
extern const struct protocol *const protocols[];

/* By name; NULL: there is none. */
const struct protocol *protocol_find(const char *name);

#endif
