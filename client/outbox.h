/*
 * The outbox: messages that the server has not acknowledged yet, by rising number.
 *
 * A message enters when the user sends it and leaves when the server says that it
 * is kept, or refuses it for good. Until then it may have to be sent again, under
 * its old number and never out of order: the server takes a number once, and only
 * above the highest it has. So the outbox is a queue with a mark: what is before
 * the mark is on its way, the mark is what goes next.
 *
 * A plain module without a lock; the link's lock guards it.
 */
#ifndef LANCHAT_OUTBOX_H
#define LANCHAT_OUTBOX_H

#include "common/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct outgoing {
	uint64_t counter;
	enum said_kind kind;
	bool direct;                /* to a person; else to a room */
	bool sent;                  /* at some time, or perhaps by an earlier process */
	bool again;                 /* it goes a second time: the first may have been kept */
	uint8_t person[PERSON_ID];  /* direct: zeros to go by nick */
	char to[ROOM_NAME_MAX + 1]; /* the room, or the nick */
	struct outgoing *previous, *next;
	uint16_t length;
	char text[]; /* terminated */
};

/* Zeroed storage is an empty outbox. */
struct outbox {
	struct outgoing *head, *tail;
	struct outgoing *mark; /* the first that is not on its way; NULL: all are */
	size_t count;
	uint64_t last_counter; /* given to a message so far */
};

/* A copy of `m` (whose `to` and `kind`, `direct`, `person` are used) with `text`, under the next
 * number. NULL when memory is out. The text is at most 64 KiB. */
struct outgoing *outbox_add(struct outbox *o, const struct outgoing *m, const char *text);

/* A message of an earlier process, under its old number, which is in `m` and above all others here.
 * NULL when memory is out. */
struct outgoing *outbox_restore(struct outbox *o, const struct outgoing *m, const char *text);

/* The one to send next, NULL when there is none; and the word that it was sent. */
const struct outgoing *outbox_next(const struct outbox *o);
void outbox_sent(struct outbox *o);

/* The message of that number; NULL when it is not there (any more). */
struct outgoing *outbox_find(const struct outbox *o, uint64_t counter);

/* Take out and free. */
void outbox_remove(struct outbox *o, struct outgoing *m);

/* Move the mark back: `counter` and everything after it will be sent (again). */
void outbox_rewind(struct outbox *o, uint64_t counter);

/* Free all. The numbering goes on. */
void outbox_fini(struct outbox *o);

#endif
