/*
 * The oracle: what each client has said and been told, and what it must show.
 *
 * A message is waiting until its client is told that it is kept or refused, which
 * happens once and must be so. A view is a client's place in one stream of the
 * log: from where it began, it shows every entry, in order, once; only what is no
 * longer kept may be missing, and then a gap tells so. Events are judged one by
 * one against the truth as they come; at the end nothing may be left over.
 */
#ifndef LANCHAT_TESTS_ORACLE_H
#define LANCHAT_TESTS_ORACLE_H

#include "client/link.h"
#include "tests/property/truth.h"
#include "tests/property/verdict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROOMS_MOST   3
#define CLIENTS_MOST 6

enum fate {
	FATE_WAITING,
	FATE_KEPT,
	FATE_REFUSED,
};

struct said {
	int room;   /* or -1 */
	int person; /* to whom, or -1 */
	char *text; /* owned */
	enum fate fate;
	unsigned code;             /* why it was refused */
	const struct truth *truth; /* the log of that time */
};

/* A client's place in a stream. */
struct view {
	bool in;           /* a room: it is in; the inbox: something came of it */
	bool known;        /* there is a position */
	bool fresh;        /* nothing has been shown since it began */
	uint64_t position; /* everything up to here was shown, or was before its time */
};

struct author {
	int person;
	char nick[16];
	uint32_t replay;
	uint8_t instance[INSTANCE_ID];
	struct said *messages; /* owned; counter 1 is the first */
	size_t count, size;
	struct view views[STREAMS_MOST];
	bool wants[ROOMS_MOST];
	struct truth *truth; /* the log that its views are of; NULL: none yet */
};

struct oracle {
	struct verdict *verdict; /* borrowed */
	size_t rooms, persons, authors;
	const char *const *room_names;
	struct author author[CLIENTS_MOST];
	uint64_t shown; /* messages that clients have shown, over all */
	uint64_t gaps;
	uint64_t refused;
};

/* A person's id. */
void oracle_person(int person, uint8_t id[PERSON_ID]);

/* The streams of rooms, then of inboxes. */
void oracle_streams(const struct oracle *m, struct stream_key streams[STREAMS_MOST]);
int oracle_inbox(const struct oracle *m, int person);

void oracle_fini(struct oracle *m);

/* A client has said something, in a room or (room -1) to a person, and was given a counter. */
void oracle_said(
	struct oracle *m, int client, int room, int person, const char *text, uint64_t counter);

/* A client was told something, by a server that has the log `t`; `inbox_last` was the last number of
 * its inbox when it logged in. */
void oracle_event(
	struct oracle *m, int client, const struct event *e, struct truth *t, uint64_t inbox_last);

/* Is there something that this client should have been shown, and was not? */
bool oracle_lacks(struct oracle *m, int client, struct truth *t);

/* All is said and done: every message has come to what its client was told. */
void oracle_judge(struct oracle *m, struct truth *t);

#endif
