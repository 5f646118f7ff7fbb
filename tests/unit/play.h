/*
 * A play of two: the client's session, and the test as its server.
 *
 * The test queues encoded messages, which are handed to the session cut into
 * pieces of `cut` bytes, and decodes what the session puts out. Anything that is
 * not as a function's name says fails the test that runs.
 */
#ifndef LANCHAT_TESTS_PLAY_H
#define LANCHAT_TESTS_PLAY_H

#include "client/event.h"
#include "client/link_session.h"
#include "common/message.h"

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECOND INT64_C(1000000)

struct play {
	struct link_session *s;
	struct event_list events;
	struct link_bytes out; /* what the session sent and has not been looked at, from `at` */
	size_t at;
	uint8_t in[512 * 1024]; /* queued for the session */
	size_t in_length;
	size_t cut;
	int64_t now;
	uint32_t features; /* in WELCOME */
};

/* The play of the test that runs, between play_setup and play_teardown. */
extern struct play *play;

/* Ids of two logs. */
extern const uint8_t play_log_a[16];
extern const uint8_t play_log_b[16];

void play_setup(void);
void play_teardown(void);

/* The session of "anna" (instance 9, person 7), who gets 10 old messages on joining. */
struct link_session_config play_config_of(bool any_nick);
struct play *play_new(bool any_nick, size_t cut);
void play_free(struct play *p);

/* Put a message behind those that wait; hand all over; or both. Results of link_session_input. */
void play_queue(struct play *p, enum message_number number, const void *message);
int play_deliver(struct play *p);
int play_give(struct play *p, enum message_number number, const void *message);

/* The next message that the session sent, its number; 0: there is none. */
uint16_t play_sent(struct play *p, union message *m);

#define EXPECT_SENT(p, number, m) ck_assert_uint_eq(play_sent((p), (m)), (number))
#define EXPECT_NOTHING_SENT(p)                                                                     \
	do {                                                                                       \
		union message nothing_;                                                            \
		ck_assert_uint_eq(play_sent((p), &nothing_), 0);                                   \
	} while (0)

/* The next event, which must be of that type; freed by the next call. That a message was sent is
 * left out unless it is expected. */
const struct event *play_expect(struct play *p, enum event_type type);
void play_expect_state(struct play *p, enum link_state state);
void play_expect_no_event(struct play *p);

/* Single messages of the server's. */
int play_give_welcome(struct play *p, const uint8_t *log);
int play_give_logged_in(struct play *p, uint32_t tag, const char *nick, uint64_t accepted);
void play_give_joined(struct play *p, uint32_t tag, const char *room, uint64_t after);
int play_give_said(struct play *p, const char *room, uint64_t prev, uint64_t seq);
void play_give_ack(struct play *p, uint64_t counter, uint64_t seq);
void play_give_refused(struct play *p, uint64_t counter, enum code code);

/* From nothing to online, the first ping swallowed; `*login`, unless NULL, is what was sent. Quietly:
 * to the first log, and the events are dropped. */
void play_log_in(struct play *p, const uint8_t *log, uint64_t accepted, struct msg_login *login);
void play_log_in_quietly(struct play *p, uint64_t accepted);

/* Join a room for the first time, everything up to `after` having been seen. */
void play_join(struct play *p, const char *room, uint64_t after);

/* Say something in the lobby, under the number returned; and that this went out. */
uint64_t play_say(struct play *p, const char *text);
void play_expect_said(struct play *p, uint64_t counter);

#endif
