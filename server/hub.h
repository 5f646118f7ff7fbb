/*
 * The hub: the table of rooms.
 *
 * A room comes into being when somebody opens it and stays while anybody uses it
 * or anything was said in it. When there are as many as there may be, the one that
 * nobody has used for longest makes way for a new one: its topic is forgotten, what
 * was said in it is still in the log. The hub also keeps the list of rooms that have
 * something to tell their members (room.h).
 *
 * Any thread may call these functions.
 */
#ifndef LANCHAT_SERVER_HUB_H
#define LANCHAT_SERVER_HUB_H

#include "common/message.h"
#include "server/engine.h"
#include "server/room.h"

#include <stddef.h>
#include <stdint.h>

struct hub;

/* `e` and `budget` are borrowed. NULL when memory is out. */
struct hub *hub_new(struct engine *e, struct segment_budget *budget, size_t rooms_max);
void hub_free(struct hub *h);

/* Rooms there may be, from now on. */
void hub_set_max(struct hub *h, size_t rooms_max);

/* Use a room, which is made if there is none of that name. `*out` is a reference of the caller's,
 * who gives it back by hub_leave. CODE_NONE, CODE_BAD_ROOM, CODE_TOO_MANY_ROOMS, CODE_RESOURCES. */
enum code hub_open(struct hub *h, struct span name, struct room **out);
void hub_leave(struct hub *h, struct room *r);

/* The room of a stream, a reference of the caller's; NULL when there is none. */
struct room *hub_find(struct hub *h, const struct stream_key *key);

/* Rooms after the name `after` ("": the first), by folded name, at most `limit`, as the list of a ROOM_LIST in
 * `buffer`; `m` is filled but for its tag. */
void hub_list(struct hub *h, struct span after, uint16_t limit, struct msg_room_list *m,
	uint8_t *buffer, size_t size);

/* People of the room changed: tell the members now, if it is time, or see to it that hub_tick does.
 * Returns true when something was published to the room's feed, which then wants a pump. */
bool hub_tell(struct hub *h, struct room *r);

/* Look after rooms that wait to tell something; each feed that got something is handed to `pump`. Returns when to
 * call again, clock_ms. */
int64_t hub_tick(
	struct hub *h, int64_t now, void (*pump)(void *context, struct feed *f), void *context);

/* Let go of the segments of rooms in which nothing was said since the last call. */
void hub_rest(struct hub *h);

#endif
