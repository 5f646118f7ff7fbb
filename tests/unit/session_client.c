#include "tests/unit/session_client.h"

#include "common/log.h"
#include "common/net.h"

#include <check.h>
#include <string.h>

const struct policy client_policy = {
	.name = "test",
	.login_ms = 60000,
	.frame_ms = 60000,
	.ping_ms = 60000,
	.idle_ms = 120000,
	.replay_max = 100,
	.rooms_each = 3,
	.rooms_max = 10,
};

struct chat *client_chat(void)
{
	struct chat_config config = {
		.keep_bytes = 1 << 20,
		.window_bytes = 1 << 20,
		.policy = client_policy,
	};
	struct chat *chat = NULL;
	char error[256];

	log_set_level(LOG_LEVEL_WARNING);
	ck_assert_msg(chat_start(&config, &chat, error, sizeof(error)) == 0, "%s", error);
	return chat;
}

static void *run(void *argument)
{
	session_run(argument, NULL, NULL);
	return NULL;
}

void client_open(struct client *c, struct chat *chat)
{
	struct net_address nowhere = {0};
	struct stream *stream;
	int fd;

	ck_assert_int_eq(peer_open(&c->peer, 0, &fd), 0);
	ck_assert_int_eq(stream_new_plain(fd, &stream), 0);
	ck_assert_int_eq(session_new(chat, stream, &nowhere, &c->session), 0);
	ck_assert_int_eq(pthread_create(&c->thread, NULL, run, c->session), 0);
}

void client_close(struct client *c)
{
	peer_close(&c->peer);
	ck_assert_int_eq(pthread_join(c->thread, NULL), 0);
	session_free(c->session);
}

void client_stuff(struct client *c)
{
	static const size_t sizes[] = {1024, FRAME_HEADER};
	struct outlet *o = c->session->outlet;
	uint8_t frame[1024] = {0};

	for (size_t i = 0; i < 2;) {
		size_t before = outlet_pending(o);
		if (outlet_reply(o, frame, sizes[i]) == 0)
			continue;
		outlet_writable(o);
		i += outlet_pending(o) == before;
	}
}

union message client_expect(struct client *c, enum message_number number)
{
	union message m;

	ck_assert_int_eq(peer_expect(&c->peer, number, &m), 0);
	return m;
}

union message client_await(struct client *c, enum message_number number)
{
	union message m;

	ck_assert_int_eq(peer_await(&c->peer, number, &m), 0);
	return m;
}

void client_ask(struct client *c, enum message_number number, const void *value)
{
	ck_assert_int_eq(peer_send(&c->peer, number, value), 0);
}

void client_expect_end(struct client *c, enum code code)
{
	union message m = client_await(c, MESSAGE_ERROR);

	ck_assert_uint_eq(m.error.code, code);
	ck_assert_uint_eq(m.error.fatal, 1);
	ck_assert_uint_eq(m.error.tag, 0);
	ck_assert(peer_is_closed(&c->peer));
}

void client_expect_error(struct client *c, uint32_t tag, enum code code)
{
	union message m = client_await(c, MESSAGE_ERROR);

	ck_assert_uint_eq(m.error.code, code);
	ck_assert_uint_eq(m.error.fatal, 0);
	ck_assert_uint_eq(m.error.tag, tag);
}

void client_expect_alive(struct client *c)
{
	static uint64_t token = 1000;
	struct msg_ping ping = {.token = ++token};

	client_ask(c, MESSAGE_PING, &ping);
	ck_assert_uint_eq(client_expect(c, MESSAGE_PONG).pong.token, token);
}

void client_hello(struct client *c)
{
	struct msg_hello m = {.version_low = 1, .version_high = 1, .agent = span_of("test")};

	client_ask(c, MESSAGE_HELLO, &m);
	ck_assert_uint_eq(client_expect(c, MESSAGE_WELCOME).welcome.version, 1);
}

struct msg_login client_login(int who, const char *nick)
{
	struct msg_login m = {.tag = 7, .nick = span_of(nick)};

	m.person[0] = (uint8_t)who;
	m.instance[0] = (uint8_t)who;
	return m;
}

void client_log_in(struct client *c, int who, const char *nick)
{
	struct msg_login m = client_login(who, nick);

	client_hello(c);
	client_ask(c, MESSAGE_LOGIN, &m);
	ck_assert(span_equal(client_expect(c, MESSAGE_LOGGED_IN).logged_in.nick, nick));
	client_expect(c, MESSAGE_PLACES);
	ck_assert_uint_eq(client_expect(c, MESSAGE_CAUGHT_UP).caught_up.room.length, 0);
}

void client_join(struct client *c, const char *room)
{
	struct msg_join m = {.tag = 9, .room = span_of(room)};

	client_ask(c, MESSAGE_JOIN, &m);
	ck_assert_uint_eq(client_await(c, MESSAGE_JOINED).joined.tag, 9);
	client_await(c, MESSAGE_CAUGHT_UP);
}

void client_say(struct client *c, uint64_t counter, const char *room, const char *text)
{
	struct msg_say m = {.counter = counter, .room = span_of(room), .text = span_of(text)};

	client_ask(c, MESSAGE_SAY, &m);
}

void client_expect_refused(struct client *c, uint64_t counter, enum code code)
{
	union message m = client_await(c, MESSAGE_REFUSED);

	ck_assert_uint_eq(m.refused.counter, counter);
	ck_assert_uint_eq(m.refused.code, code);
}

void client_expect_ack(struct client *c, uint64_t counter, bool duplicate)
{
	union message m = client_await(c, MESSAGE_ACK);

	ck_assert_uint_eq(m.ack.counter, counter);
	ck_assert_uint_eq(m.ack.duplicate, duplicate);
}
