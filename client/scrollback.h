/*
 * Scrollback: the last lines of one conversation.
 *
 * A ring, bounded in lines and in bytes. Every line has a number that rises by one;
 * when the ring is full, the oldest line makes room. Own messages that the server has not put in
 * order yet wait at the end: what arrives meanwhile goes before them.
 *
 * What comes from the server's log is one stretch of it without a hole, which can
 * grow at both ends: at the end as people speak, at `base` as earlier pages are
 * loaded. Above `base` may be lines of a log that the server no longer has. A line's
 * number stays its own while earlier pages come, unless it is above `base`.
 *
 * The caller owns the storage; one thread.
 */
#ifndef LANCHAT_SCROLLBACK_H
#define LANCHAT_SCROLLBACK_H

#include "common/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCROLLBACK_MOST    10000               /* lines kept of one conversation */
#define SCROLLBACK_BYTES   ((size_t)4 << 20)   /* and about so many, where lines are long */
#define SCROLLBACK_FIRST   ((uint64_t)1 << 32) /* the number of the first line: some come before it */
#define SCROLLBACK_NOTHING UINT64_MAX          /* see scrollback.from */

enum line_kind {
	LINE_TEXT,
	LINE_ACTION,
	LINE_NOTICE,
	LINE_TOPIC,
	LINE_PRESENCE, /* somebody came, went, was renamed or is away */
	LINE_INFO,     /* the program's own words */
	LINE_ERROR,
};

enum line_state {
	LINE_PLAIN,
	LINE_WAITING,  /* own: not sent yet */
	LINE_SENT,     /* own: not acknowledged yet */
	LINE_ACCEPTED, /* own: acknowledged */
	LINE_REFUSED,  /* own: the server said no */
	LINE_DATAGRAM, /* anybody's: sent as a datagram, which nobody acknowledges or keeps */
};

/* One line. The strings are owned, clean and never NULL. */
struct line {
	enum line_kind kind;
	enum line_state state;
	bool mention; /* it names the user */
	bool own;
	bool apart; /* own: written while another conversation was shown, and told of there */
	uint8_t person[PERSON_ID];
	uint64_t time;    /* microseconds since 1970, UTC */
	uint64_t counter; /* of an own message */
	uint64_t seq;     /* in the server's log; 0: not of it, or of another log */
	char *nick;       /* who said it; empty for the program's own words */
	char *text;
};

struct scrollback {
	struct line *lines; /* owned: a ring of `room` */
	size_t room, most;
	size_t count;
	size_t bytes;   /* of all lines */
	size_t waiting; /* of them, at the end, own messages that wait */
	uint64_t first; /* the number of the oldest line */
	uint64_t base;  /* the number of the oldest line of the stretch of the log */
	uint64_t
		from; /* what the log has from this sequence number on is here; or nothing of it is:
			   SCROLLBACK_NOTHING */
	bool begun;   /* nothing that is kept was said before, */
	bool pruned;  /* but something that is no longer kept was */
};

/* The kind of line for a message of that kind (enum said_kind; unknown ones are text). */
enum line_kind line_kind_of(int said);

/* Keep at most `most` lines (at least 1). */
void scrollback_init(struct scrollback *s, size_t most);
void scrollback_fini(struct scrollback *s);

/* Take over `*l` and its strings, even on failure: ERR_MEMORY. A LINE_WAITING goes to the end,
 * anything else before the lines that wait. */
int scrollback_add(struct scrollback *s, struct line *l);

/* Put `count` lines of an earlier page before those of the log, which must have room for them: count +
 * s->count is at most s->most. Takes over the lines and their strings, not the array, even on failure:
 * ERR_MEMORY. */
int scrollback_insert(struct scrollback *s, struct line *lines, size_t count);

/* For how many of these earlier lines, the newest first, is there room, so that what is said meanwhile does
 * not push them out again? With NULL: for that many, whatever they say; or for none. */
size_t scrollback_fits(const struct scrollback *s, const struct line *lines, size_t count);

/* How many of the newest have to go, so that these earlier ones fit. */
size_t scrollback_excess(const struct scrollback *s, const struct line *lines, size_t count);

/* The line of that number; NULL when it is gone or not there yet. */
struct line *scrollback_line(const struct scrollback *s, uint64_t number);

/* The number that follows the newest line's. */
uint64_t scrollback_end(const struct scrollback *s);

/* The number of the line with that sequence number, or of the first one above it, of those that do not
 * wait; false when there is none. */
bool scrollback_find_seq(const struct scrollback *s, uint64_t seq, uint64_t *number);

/* The number of the waiting line with this counter; false when there is none. */
bool scrollback_find_waiting(const struct scrollback *s, uint64_t counter, uint64_t *number);

/* Take a waiting line out; those after it move up. */
void scrollback_remove_waiting(struct scrollback *s, uint64_t number);

/* A waiting line becomes an ordinary one, of `state`, and moves before those that still wait. */
void scrollback_settle(struct scrollback *s, uint64_t number, enum line_state state);

/* Forget all lines but those that wait; numbers go on. */
void scrollback_clear(struct scrollback *s);

/* Forget the newest `count` lines, none of which waits. */
void scrollback_drop_newest(struct scrollback *s, size_t count);

/* The log is another one: what is there is not of it. */
void scrollback_new_log(struct scrollback *s);

/* Free a line's strings. */
void line_fini(struct line *l);

#endif
