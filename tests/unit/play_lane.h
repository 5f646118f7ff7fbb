/*
 * A play (play.h) whose session may have a datagram lane: what goes through it each way, and races.
 *
 * The session is logged in and in the lobby. Anything that is not as a function's name says fails the
 * test that runs.
 */
#ifndef LANCHAT_TESTS_PLAY_LANE_H
#define LANCHAT_TESTS_PLAY_LANE_H

#include "client/race.h"
#include "tests/unit/play.h"

#define MS INT64_C(1000)

/* For a test's fixture: the play begins with a server that has the feature. */
void play_lane_setup(void);
void play_lane_teardown(void);

/* So many microseconds go by; the connection is heard of. */
void play_lane_pass(int64_t us);

/* The next frame for a datagram, its number; 0: there is none. */
uint16_t play_lane_sent(union message *m);

/* A datagram of the server's; and one with the answer to a ping. */
void play_lane_give(enum message_number number, const void *value);
void play_lane_give_pong(void);

/* The session asks for a lane, and is given one. */
void play_lane_open(uint8_t sealed);

/* How the race stands; begin one with `nick`, or "": with the server. */
struct link_race play_race(void);
void play_race_start(const char *nick, uint32_t count, uint16_t size);

#endif
