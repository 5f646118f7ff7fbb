/*
 * A chat in this process and its clients, for tests of sessions: each client is one
 * connection, whose other end the test reads and writes, frame by frame.
 *
 * Used by a test's main thread alone; failures are asserted.
 */
#ifndef LANCHAT_TESTS_SESSION_CLIENT_H
#define LANCHAT_TESTS_SESSION_CLIENT_H

#include "common/message.h"
#include "server/chat.h"
#include "server/session.h"
#include "tests/unit/peer.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Nobody is given up while a test is thinking; at most three rooms each. */
extern const struct policy client_policy;

struct client {
	struct peer peer;
	struct session *session;
	pthread_t thread;
};

/* A chat with its log in memory, with that policy. Pair with chat_stop. */
struct chat *client_chat(void);

/* A connection to a chat, with a session on a thread of its own; its end, which is waited for. */
void client_open(struct client *c, struct chat *chat);
void client_close(struct client *c);

void client_ask(struct client *c, enum message_number number, const void *value);

/* Have as many replies wait for it, which does not read, as can: not a byte goes behind them. Nothing of it can
 * be read any more. */
void client_stuff(struct client *c);

/* The next message, which is a `number`; or, passing over others, the next that is one. */
union message client_expect(struct client *c, enum message_number number);
union message client_await(struct client *c, enum message_number number);

/* The connection ends with this as the last word. */
void client_expect_end(struct client *c, enum code code);

/* Passing over others: an ERROR that is not fatal, an ACK, a REFUSED. */
void client_expect_error(struct client *c, uint32_t tag, enum code code);
void client_expect_ack(struct client *c, uint64_t counter, bool duplicate);
void client_expect_refused(struct client *c, uint64_t counter, enum code code);

/* It is still there, and nothing else waits to be taken: answers keep the order of the questions. */
void client_expect_alive(struct client *c);

/* What a LOGIN of person number `who` has; instance and tag (7) as well. */
struct msg_login client_login(int who, const char *nick);

/* Agree on a version; and log in, up to the end of the inbox. */
void client_hello(struct client *c);
void client_log_in(struct client *c, int who, const char *nick);

/* Join a room without what was said in it, up to its CAUGHT_UP. */
void client_join(struct client *c, const char *room);

void client_say(struct client *c, uint64_t counter, const char *room, const char *text);

#endif
