/*
 * A hub over a log in memory, with what the chat does between the two: whatever is in the log is in the
 * room's feed.
 *
 * For a test's own thread, but for hall_session; failures end the test.
 */
#ifndef LANCHAT_TESTS_HALL_H
#define LANCHAT_TESTS_HALL_H

#include "server/hub.h"

#include <stddef.h>
#include <stdint.h>

#define HALL_ROOMS 300 /* rooms at most */

/* Those of the test that runs, between hall_setup and hall_teardown. */
extern struct hub *hub;
extern struct engine *hall_engine;
extern struct segment_budget hall_budget;

extern const uint8_t hall_somebody[PERSON_ID];

/* hall_teardown: nothing of the budget is left. */
void hall_setup(void);
void hall_teardown(void);

/* Open a room that there may be; for hub_leave. */
struct room *hall_room(const char *name);

/* Somebody says something in a room, "x" where it is not given, and it is in the log. */
void hall_say_kind(const char *room, enum said_kind kind, const char *text);
void hall_say(const char *room);

/* Somebody's session, of that nick, which must outlive it. Any thread. */
struct room_session hall_session(const char *nick);

/* A page of the list of rooms, as hub_list; and of how many it tells everybody. */
#define HALL_BYTES (60 * 1024)
extern uint8_t hall_bytes[HALL_BYTES];
extern const struct hub_viewer hall_everybody;
uint32_t hall_total(void);

#endif
