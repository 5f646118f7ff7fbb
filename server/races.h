/*
 * Races: which two connections send each other numbered messages by both ways at once.
 *
 * A race is agreed on over TCP: one asks, the other accepts. From then on the server
 * relays their PROBEs, over TCP and over their lanes alike; it keeps no more of a race
 * than who runs it. A connection runs at most one race that it asked for and one that
 * it was asked for, and all races are bounded. They end when one of the two says so,
 * with either connection, when nothing was relayed for a while, or after a longer while;
 * whoever did not end it is told.
 *
 * Any thread; one lock inside.
 */
#ifndef LANCHAT_SERVER_RACES_H
#define LANCHAT_SERVER_RACES_H

#include "server/outlet.h"

#include <stdbool.h>
#include <stdint.h>

#define RACES_MOST 256
#define RACES_EACH 32     /* that one address asked for; loopback is exempt */
#define RACE_MS    600000 /* after which a race is over, whoever still runs it */
#define RACE_IDLE_MS                                                                               \
	30000 /* after which one is over of which nothing came; or nobody accepted it */
#define RACE_MESSAGES 10000 /* in one, each way */

struct races;

/* NULL: no memory. */
struct races *races_new(void);
void races_free(struct races *r); /* NULL is allowed; all of them end */

/* Who asked for what. */
struct race_plan {
	uint32_t tag;              /* of the request */
	uint8_t person[PERSON_ID]; /* who is asked, and the nick that they were asked by */
	char nick[NICK_MAX + 1];
	uint32_t count;
	uint16_t size;
};

/* `from` would race `to`; an older race that `from` asked for ends. `*number` is above 0. ERR_FULL: there
 * are too many, or too many of its address; ERR_EXISTS: `to` is being raced. */
int races_ask(struct races *r, struct outlet *from, struct outlet *to, const struct race_plan *plan,
	int64_t now, uint32_t *number);

/* `to` accepts it: whom to tell, a reference of the caller's, and what was asked. ERR_NOT_FOUND;
 * ERR_EXISTS: they are being raced by another one. */
int races_accept(struct races *r, uint32_t number, const struct outlet *to, int64_t now,
	struct outlet **from, struct race_plan *plan);

/* `o`, one of the two, ends it, or refuses it: the other is told `code`. Nobody else can. */
void races_end(struct races *r, uint32_t number, const struct outlet *o, enum code code);

/* End those whose time is over. `*next` is when another one's may be (clock_ms; INT64_MAX: there is none). */
void races_tick(struct races *r, int64_t now, int64_t *next);

/* To whom the PROBE with `index` goes that came from `o`, a reference of the caller's: `back` is an
 * answer, which the one who was asked gives. NULL: there is no such race. */
struct outlet *races_other(struct races *r, uint32_t number, const struct outlet *o, bool back,
	uint32_t index, int64_t now);

/* The connection is over; those who raced with it are told that. */
void races_forget(struct races *r, const struct outlet *o);

#endif
