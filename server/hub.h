/*
 * The hub: the table of rooms.
 *
 * A room comes into being when somebody opens it and stays while anybody uses it
 * or anything was said in it. When there are as many as there may be, the one that
 * nobody has used for longest makes way for a new one: whatever was said in it, its
 * name and topic are still in the log, and whoever opens it next finds them again.
 * The hub also keeps the list of rooms that have something to tell their members
 * (room.h).
 *
 * Any thread may call these functions. The engine is never called with the hub's
 * lock held: what it applies waits for that lock.
 */
#ifndef LANCHAT_SERVER_HUB_H
#define LANCHAT_SERVER_HUB_H

#include "common/message.h"
#include "server/engine.h"
#include "server/room.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hub;

/* `e` and `budget` are borrowed. NULL when memory is out or the log cannot be read. */
struct hub *hub_new(struct engine *e, struct segment_budget *budget, size_t rooms_max);
void hub_free(struct hub *h);

/* Rooms there may be in the table, from now on. */
void hub_set_max(struct hub *h, size_t rooms_max);

/* Use a room, which is made if there is none of that name. `*out` is a reference of the caller's,
 * who gives it back by hub_leave. CODE_NONE, CODE_BAD_ROOM, CODE_TOO_MANY_ROOMS, CODE_RESOURCES. */
enum code hub_open(struct hub *h, struct span name, struct room **out);
void hub_leave(struct hub *h, struct room *r);

/* The room to which an entry of this stream, which is in the log by now, is to be published: a
 * reference of the caller's; NULL when nobody could get it. */
struct room *hub_find(struct hub *h, const struct stream_key *key);

/* Something was decided about a room: it may be open to everybody now, or no longer. */
void hub_look_again(struct hub *h, const struct stream_key *key);

/* Who asks for the list, and sees rooms that are not open to everybody: all of them, or those that they are
 * in, which are borrowed and in the order of their keys. */
struct hub_viewer {
	bool all;
	struct room *const *rooms;
	size_t room_count;
};

/* Rooms after the name `after` ("": the first), by folded name, at most `limit`, those that are only
 * in the log as well, as the list of a ROOM_LIST in `buffer`; `m` is filled but for its tag. Costs what
 * the viewer sees, however many rooms there are that they do not. ERR_SYSTEM, ERR_MEMORY. (hub_list.c) */
int hub_list(struct hub *h, struct span after, uint16_t limit, const struct hub_viewer *viewer,
	struct msg_room_list *m, uint8_t *buffer, size_t size);

/* People of the room changed: tell the members now, if it is time, or see to it that hub_tick does.
 * Returns true when something was published to the room's feed, which then wants a pump. */
bool hub_tell(struct hub *h, struct room *r);

/* Look after rooms that wait to tell something; each feed that got something is handed to `pump`.
 * Returns when to call again, clock_ms. */
int64_t hub_tick(
	struct hub *h, int64_t now, void (*pump)(void *context, struct feed *f), void *context);

/* Let go of the segments of rooms in which nothing was said since the last call. */
void hub_rest(struct hub *h);

/* How many rooms are in use, and about how many there are, those that are only in the log as well. */
struct hub_numbers {
	size_t open, known;
};
void hub_numbers(struct hub *h, struct hub_numbers *out);

/* ---- for hub_list.c ---- */

/* The first rooms of the table after a key (NULL: from the first) that the viewer sees, at most `size`, as
 * references of the caller's; returns how many. `*total`: about how many rooms there are that they see,
 * in the table and in the log. */
size_t hub_rooms_after(struct hub *h, const struct stream_key *after,
	const struct hub_viewer *viewer, struct room **rooms, size_t size, uint32_t *total);

/* Borrowed, constant. */
struct engine *hub_engine(const struct hub *h);

#endif
