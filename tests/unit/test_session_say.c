/*
 * What people say: answers, their order, direct messages, counters that are settled,
 * and a log that does not take what it is given.
 */
#include "common/clock.h"
#include "common/err.h"
#include "tests/unit/session_client.h"

#include <check.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static struct chat *chat;

static void setup(void)
{
	chat = client_chat();
}

static void teardown(void)
{
	chat_stop(chat);
}

/* ---- saying ---- */

START_TEST(bad_text_is_answered)
{
	struct client c;

	client_open(&c, chat);
	client_log_in(&c, 1, "anna");
	client_join(&c, "lobby");
	client_say(&c, 1, "lobby", "\xc3\x28");
	client_expect_refused(&c, 1, CODE_BAD_TEXT);
	client_say(&c, 2, "lobby", "\x1b[31m");
	client_expect_refused(&c, 2, CODE_BAD_TEXT);
	client_say(&c, 3, "lobby", "");
	client_expect_refused(&c, 3, CODE_BAD_VALUE);
	client_say(&c, 0, "lobby", "no counter");
	client_expect_refused(&c, 0, CODE_BAD_VALUE);
	client_say(&c, 4, "elsewhere", "hi");
	client_expect_refused(&c, 4, CODE_NOT_A_MEMBER);
	struct msg_say odd = {
		.counter = 5, .kind = SAID_KINDS, .room = span_of("lobby"), .text = span_of("x")};
	client_ask(&c, MESSAGE_SAY, &odd);
	client_expect_refused(&c, 5, CODE_BAD_VALUE);
	struct msg_nick nick = {.tag = 77, .nick = span_of("a\x01")};
	client_ask(&c, MESSAGE_NICK, &nick);
	client_expect_error(&c, 77, CODE_BAD_TEXT);
	/* Their counters are spent. */
	client_say(&c, 5, "lobby", "hi");
	client_expect_refused(&c, 5, CODE_NOT_KEPT);
	client_say(&c, 6, "LOBBY", "hi");
	client_expect_ack(&c, 6, false);
	client_close(&c);
}
END_TEST

/* Many at once, so that batches fill, with questions and mistakes between them: each is answered, in
 * the order in which they were asked. */
START_TEST(answers_in_order)
{
	struct client c;
	uint8_t *bytes = malloc(400 * 128);
	size_t length = 0, used;

	ck_assert_ptr_nonnull(bytes);
	client_open(&c, chat);
	client_log_in(&c, 1, "anna");
	client_join(&c, "lobby");
	for (uint64_t i = 1; i <= 300; i++) {
		struct msg_say m = {.counter = i, .room = span_of("lobby"), .text = span_of("x")};
		struct msg_ping ping = {.token = i};
		if (i % 71 == 0)
			m.text = span_of("\xff");
		if (i % 83 == 0)
			m.room = span_of("elsewhere");
		ck_assert_int_eq(message_encode(MESSAGE_SAY, &m, bytes + length, 128, &used), 0);
		length += used;
		if (i % 97 == 0) {
			ck_assert_int_eq(
				message_encode(MESSAGE_PING, &ping, bytes + length, 128, &used), 0);
			length += used;
		}
	}
	ck_assert_int_eq(peer_send_bytes(&c.peer, bytes, length), 0);
	uint64_t said = 0;
	for (uint64_t i = 1; i <= 300;) {
		struct frame f;
		union message m;
		ck_assert_int_eq(peer_take(&c.peer, 4096, clock_ms() + PEER_PATIENCE, &f, &m), 0);
		bool wrong = i % 71 == 0 || i % 83 == 0;
		if (f.type == MESSAGE_ACK) {
			ck_assert(!wrong);
			ck_assert_uint_eq(m.ack.counter, i++);
		} else if (f.type == MESSAGE_REFUSED) {
			ck_assert(wrong);
			ck_assert_uint_eq(m.refused.counter, i++);
		} else if (f.type == MESSAGE_PONG) {
			ck_assert_uint_eq(m.pong.token, i - 1);
		} else if (f.type == MESSAGE_SAID) {
			ck_assert_uint_gt(m.said.seq, said);
			said = m.said.seq;
		}
	}
	client_close(&c);
	free(bytes);
}
END_TEST

START_TEST(two_hear_each_other)
{
	struct client a, b;

	client_open(&a, chat);
	client_log_in(&a, 1, "anna");
	client_join(&a, "lobby");
	client_open(&b, chat);
	client_log_in(&b, 2, "boris");
	client_join(&b, "lobby");
	client_say(&a, 1, "lobby", "hi");
	ck_assert_uint_eq(client_await(&a, MESSAGE_ACK).ack.duplicate, 0);
	union message m = client_await(&b, MESSAGE_SAID);
	ck_assert(span_equal(m.said.text, "hi"));
	ck_assert(span_equal(m.said.nick, "anna"));
	struct msg_direct direct = {.counter = 1, .nick = span_of("ANNA"), .text = span_of("psst")};
	client_ask(&b, MESSAGE_DIRECT, &direct);
	m = client_await(&a, MESSAGE_DIRECT_SAID);
	ck_assert(span_equal(m.direct_said.text, "psst"));
	ck_assert(span_equal(m.direct_said.to_nick, "anna"));
	client_await(&b, MESSAGE_DIRECT_SAID); /* the writer's other sessions want it too */
	/* Said again under the same number, it is acknowledged and not said again. */
	client_say(&a, 1, "lobby", "hi");
	ck_assert_uint_eq(client_await(&a, MESSAGE_ACK).ack.duplicate, 1);
	client_close(&a);
	client_close(&b);
}
END_TEST

/* Direct messages to oneself, and to nobody. */
START_TEST(direct_messages)
{
	struct client c;
	struct msg_direct m = {.counter = 1, .nick = span_of("anna"), .text = span_of("me")};

	client_open(&c, chat);
	client_log_in(&c, 1, "anna");
	client_ask(&c, MESSAGE_DIRECT, &m);
	client_await(&c, MESSAGE_DIRECT_SAID);
	m.nick = span_of("nobody");
	m.counter = 2;
	client_ask(&c, MESSAGE_DIRECT, &m);
	client_expect_refused(&c, 2, CODE_NO_SUCH_PERSON);
	m.person[0] = 99;
	m.counter = 3;
	client_ask(&c, MESSAGE_DIRECT, &m); /* by an id that never was here */
	client_expect_refused(&c, 3, CODE_NO_SUCH_PERSON);
	m.counter = 4;
	m.nick = span_of("");
	client_ask(&c, MESSAGE_DIRECT, &m);
	client_expect_refused(&c, 4, CODE_NO_SUCH_PERSON);
	m.counter = 5;
	m.kind = SAID_TOPIC;
	client_ask(&c, MESSAGE_DIRECT, &m);
	client_expect_refused(&c, 5, CODE_BAD_VALUE);
	client_close(&c);
}
END_TEST

/* By the nick that somebody had last, when they are gone: it waits in their inbox. */
START_TEST(direct_to_somebody_who_left)
{
	struct client a, b;
	struct msg_direct m = {.counter = 1, .nick = span_of("BORIS"), .text = span_of("psst")};
	struct msg_nick nick = {.tag = 1, .nick = span_of("Boris")};
	struct msg_login login = client_login(2, "somebody");

	client_open(&b, chat);
	client_log_in(&b, 2, "bob");
	client_ask(&b, MESSAGE_NICK, &nick);
	client_await(&b, MESSAGE_RENAMED);
	client_close(&b);
	client_open(&a, chat);
	client_log_in(&a, 1, "anna");
	client_ask(&a, MESSAGE_DIRECT, &m);
	client_expect_ack(&a, 1, false);
	client_open(&b, chat);
	client_hello(&b);
	login.inbox_replay = 9;
	client_ask(&b, MESSAGE_LOGIN, &login);
	union message got = client_await(&b, MESSAGE_DIRECT_SAID);
	ck_assert(span_equal(got.direct_said.to_nick, "Boris"));
	ck_assert(span_equal(got.direct_said.text, "psst"));
	client_close(&b);
	client_close(&a);
}
END_TEST

/* By their id, under whatever nick: they are known by a nick, a room or a message of theirs. What is kept of
 * people is kept for good, so of ids that somebody made up nothing is. */
START_TEST(direct_by_id)
{
	struct client a, b;
	struct msg_login bob = client_login(2, "bob"), carl = client_login(3, "carl");
	struct msg_direct m = {.nick = span_of("bob"), .text = span_of("psst")};

	client_open(&b, chat);
	client_log_in(&b, 2, "bob");
	client_close(&b);
	client_open(&b, chat);
	client_log_in(&b, 3, "carl");
	client_join(&b, "den");
	client_close(&b);
	client_open(&a, chat);
	client_log_in(&a, 1, "anna");
	memcpy(m.person, bob.person, sizeof(m.person));
	m.counter = 1;
	client_ask(&a, MESSAGE_DIRECT, &m);
	client_expect_ack(&a, 1, false);
	m.nick = span_of("robert"); /* who has mail by now */
	m.counter = 2;
	client_ask(&a, MESSAGE_DIRECT, &m);
	client_expect_ack(&a, 2, false);
	memcpy(m.person, carl.person, sizeof(m.person));
	m.counter = 3;
	client_ask(&a, MESSAGE_DIRECT, &m);
	client_expect_ack(&a, 3, false);
	m.person[PERSON_ID - 1] ^= 1;
	m.counter = 4;
	client_ask(&a, MESSAGE_DIRECT, &m);
	client_expect_refused(&a, 4, CODE_NO_SUCH_PERSON);
	client_close(&a);
}
END_TEST

/* ---- settled counters ---- */

/* Also on the connection on which they were settled; whatever else the message says, and with all
 * answers in the order of the questions. */
START_TEST(settled_counters)
{
	struct client c;
	struct msg_direct direct = {.counter = 5, .nick = span_of("nobody"), .text = span_of("x")};

	client_open(&c, chat);
	client_log_in(&c, 1, "anna");
	client_join(&c, "lobby");
	client_say(&c, 3, "lobby", "three");
	client_expect_ack(&c, 3, false);
	client_say(&c, 4, "elsewhere", "refused");
	client_expect_refused(&c, 4, CODE_NOT_A_MEMBER);
	client_say(&c, 5, "lobby", "five");
	client_expect_ack(&c, 5, false);
	for (int i = 0; i < 2; i++) {
		client_say(&c, 6 + (uint64_t)i, "lobby", "new");
		client_say(&c, 3, "elsewhere", "");
		client_say(&c, 4, "lobby", "never accepted");
		client_say(&c, 1, "lobby", "never sent");
		client_say(&c, 5, "lobby", "\xff");
		client_ask(&c, MESSAGE_DIRECT, &direct);
		client_expect_ack(&c, 6 + (uint64_t)i, false);
		client_expect_ack(&c, 3, true);
		client_expect_refused(&c, 4, CODE_NOT_KEPT);
		client_expect_refused(&c, 1, CODE_NOT_KEPT);
		client_expect_ack(&c, 5, true);
		client_expect_ack(&c, 5, true);
		if (i == 1)
			break;
		/* The same after a break, without being in any room. */
		client_close(&c);
		client_open(&c, chat);
		client_log_in(&c, 1, "anna");
		client_say(&c, 5, "lobby", "five");
		client_expect_ack(&c, 5, true);
		client_join(&c, "lobby");
	}
	client_close(&c);
}
END_TEST

/* The numbers of others are not told. */
START_TEST(settled_for_somebody_else)
{
	struct client a, b;
	struct msg_login login = client_login(2, "boris");

	client_open(&a, chat);
	client_log_in(&a, 1, "anna");
	client_join(&a, "lobby");
	client_say(&a, 1, "lobby", "one");
	client_expect_ack(&a, 1, false);
	client_open(&b, chat);
	client_hello(&b);
	login.instance[0] = 1;
	client_ask(&b, MESSAGE_LOGIN, &login);
	ck_assert_uint_eq(client_await(&b, MESSAGE_LOGGED_IN).logged_in.accepted, 0);
	client_join(&b, "lobby");
	client_say(&b, 1, "lobby", "mine");
	client_expect_refused(&b, 1, CODE_BAD_VALUE);
	client_close(&b);
	client_close(&a);
}
END_TEST

/* ---- an engine that fails ---- */

static const struct engine_class *working;
static atomic_bool failing;

static int append_or_fail(struct engine *e, struct log_entry *entries, size_t count,
	int64_t deadline, struct append_result *results)
{
	if (!atomic_load(&failing))
		return working->append(e, entries, count, deadline, results);
	for (size_t i = 0; i < count; i++)
		results[i] = (struct append_result){.status = APPEND_RETRY};
	return ERR_MEMORY;
}

static enum code reason;

static int append_or_reject(struct engine *e, struct log_entry *entries, size_t count,
	int64_t deadline, struct append_result *results)
{
	if (!atomic_load(&failing))
		return working->append(e, entries, count, deadline, results);
	for (size_t i = 0; i < count; i++)
		results[i] = (struct append_result){.status = APPEND_REJECTED, .code = reason};
	return 0;
}

/* What becomes of the appends to come, entry by entry; then they work. */
static struct append_result fates[8];
static atomic_uint fate_next, fate_count;

static int append_as_fated(struct engine *e, struct log_entry *entries, size_t count,
	int64_t deadline, struct append_result *results)
{
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++) {
		if (atomic_load(&fate_next) < atomic_load(&fate_count))
			results[i] = fates[atomic_fetch_add(&fate_next, 1)];
		else
			r = working->append(e, &entries[i], 1, deadline, &results[i]);
	}
	return r;
}

static const enum code reasons[] = {CODE_DISK_FULL, CODE_DAMAGED};

/* Why the log does not take it is told in words; the counter is spent, and the next goes on. */
START_TEST(told_why_it_is_not_kept)
{
	struct engine *e = chat_engine(chat);
	struct engine_class class = *e->class;
	struct client c;

	reason = reasons[_i];
	working = e->class;
	class.append = append_or_reject;
	e->class = &class;
	client_open(&c, chat);
	client_log_in(&c, 1, "anna");
	client_join(&c, "lobby");
	atomic_store(&failing, true);
	client_say(&c, 1, "lobby", "one");
	union message m = client_await(&c, MESSAGE_REFUSED);
	ck_assert_uint_eq(m.refused.code, reasons[_i]);
	ck_assert(span_equal(m.refused.text, code_text(reasons[_i])));
	atomic_store(&failing, false);
	client_say(&c, 2, "lobby", "two");
	client_expect_ack(&c, 2, false);
	client_say(&c, 1, "lobby", "one");
	client_expect_refused(&c, 1, CODE_NOT_KEPT);
	client_close(&c);
	e->class = working;
}
END_TEST

/* After a message that was not kept, none later is until that one comes again: else it would be
 * taken for known, and be lost. */
START_TEST(later_ones_wait_for_a_retry)
{
	struct engine *e = chat_engine(chat);
	struct engine_class class = *e->class;
	struct client c;

	working = e->class;
	class.append = append_or_fail;
	e->class = &class;
	client_open(&c, chat);
	client_log_in(&c, 1, "anna");
	client_join(&c, "lobby");
	client_say(&c, 1, "lobby", "one");
	client_expect_ack(&c, 1, false);
	atomic_store(&failing, true);
	client_say(&c, 2, "lobby", "two");
	client_expect_refused(&c, 2, CODE_RETRY);
	client_say(&c, 3, "lobby", "three");
	client_expect_refused(&c, 3, CODE_RETRY);
	atomic_store(&failing, false);
	client_say(&c, 3, "lobby", "three");
	client_expect_refused(&c, 3, CODE_RETRY);
	struct msg_direct direct = {.counter = 4, .nick = span_of("anna"), .text = span_of("four")};
	client_ask(&c, MESSAGE_DIRECT, &direct);
	client_expect_refused(&c, 4, CODE_RETRY);
	/* One that is long known does not let the later ones pass either. */
	client_say(&c, 1, "lobby", "one");
	client_expect_ack(&c, 1, true);
	client_say(&c, 3, "lobby", "three");
	client_expect_refused(&c, 3, CODE_RETRY);
	client_say(&c, 2, "lobby", "two");
	client_expect_ack(&c, 2, false);
	client_say(&c, 3, "lobby", "three");
	client_expect_ack(&c, 3, false);
	client_ask(&c, MESSAGE_DIRECT, &direct);
	client_expect_ack(&c, 4, false);
	client_close(&c);
	e->class = working;
}
END_TEST

/* A client may send a message a second time before it has the answer to the first, as RETRY to an
 * earlier copy was under way. What it is told first counts, whatever the log would do next. */
START_TEST(refused_once_and_for_all)
{
	static const struct append_result full = {
		.status = APPEND_REJECTED, .code = CODE_DISK_FULL};
	static const struct append_result retry = {.status = APPEND_RETRY};
	struct engine *e = chat_engine(chat);
	struct engine_class class = *e->class;
	struct client c;
	struct msg_direct direct = {.counter = 1, .nick = span_of("anna"), .text = span_of("one")};
	struct msg_say say = {.counter = 1, .room = span_of("lobby"), .text = span_of("one")};
	uint8_t frames[256];
	size_t used = 0, more = 0;

	working = e->class;
	class.append = append_as_fated;
	e->class = &class;
	client_open(&c, chat);
	client_log_in(&c, 1, "anna");
	client_join(&c, "lobby");
	/* Both at once, so that they might be appended together. */
	fates[0] = full;
	atomic_store(&fate_count, 1);
	message_encode(MESSAGE_SAY, &say, frames, sizeof(frames), &used);
	message_encode(MESSAGE_SAY, &say, frames + used, sizeof(frames) - used, &more);
	ck_assert_int_eq(peer_send_bytes(&c.peer, frames, used + more), 0);
	client_expect_refused(&c, 1, CODE_DISK_FULL);
	client_expect_refused(&c, 1, CODE_NOT_KEPT);
	/* Another copy that the log would not answer: later ones do not wait for it to come again. */
	fates[1] = retry;
	atomic_store(&fate_count, 2);
	client_ask(&c, MESSAGE_DIRECT, &direct);
	client_expect_refused(&c, 1, CODE_NOT_KEPT);
	client_say(&c, 2, "lobby", "two");
	client_expect_refused(&c, 2, CODE_RETRY);
	/* While one is awaited, nothing above it is refused for good. */
	client_say(&c, 4, "lobby", "\xff");
	client_expect_refused(&c, 4, CODE_RETRY);
	client_say(&c, 3, "elsewhere", "three");
	client_expect_refused(&c, 3, CODE_RETRY);
	client_say(&c, 2, "lobby", "two");
	client_say(&c, 3, "lobby", "three");
	client_expect_ack(&c, 2, false);
	client_expect_ack(&c, 3, false);
	client_say(&c, 1, "lobby", "one");
	client_expect_refused(&c, 1, CODE_NOT_KEPT);
	client_close(&c);
	e->class = working;
}
END_TEST

static atomic_int settled_error;

static int settled_or_fail(struct engine *e, const uint8_t *instance, const uint8_t *person,
	uint64_t counter, struct append_result *result)
{
	int error = atomic_load(&settled_error);

	if (error)
		return error;
	return working->settled(e, instance, person, counter, result);
}

/* Where the log cannot say what became of a counter, it is not refused for good. */
START_TEST(refused_while_the_log_cannot_be_read)
{
	struct engine *e = chat_engine(chat);
	struct engine_class class = *e->class;
	struct client c;

	working = e->class;
	class.settled = settled_or_fail;
	e->class = &class;
	client_open(&c, chat);
	client_log_in(&c, 1, "anna");
	client_join(&c, "lobby");
	client_say(&c, 1, "lobby", "one");
	client_expect_ack(&c, 1, false);
	/* What the log has forgotten was accepted once. */
	atomic_store(&settled_error, ERR_NOT_FOUND);
	client_say(&c, 1, "lobby", "one");
	ck_assert_uint_eq(client_await(&c, MESSAGE_ACK).ack.seq, 0);
	atomic_store(&settled_error, ERR_SYSTEM);
	client_say(&c, 1, "lobby", "one");
	client_expect_refused(&c, 1, CODE_RETRY);
	client_say(&c, 2, "elsewhere", "two");
	client_expect_refused(&c, 2, CODE_RETRY);
	client_say(&c, 3, "lobby", "three");
	client_expect_refused(&c, 3, CODE_RETRY);
	atomic_store(&settled_error, 0);
	client_say(&c, 2, "elsewhere", "two");
	client_expect_refused(&c, 2, CODE_NOT_A_MEMBER);
	client_say(&c, 3, "lobby", "three");
	client_expect_ack(&c, 3, false);
	client_close(&c);
	e->class = working;
}
END_TEST

Suite *session_say_suite(void)
{
	Suite *s = suite_create("session_say");
	TCase *c = tcase_create("session_say");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, bad_text_is_answered);
	tcase_add_test(c, answers_in_order);
	tcase_add_test(c, two_hear_each_other);
	tcase_add_test(c, direct_messages);
	tcase_add_test(c, direct_to_somebody_who_left);
	tcase_add_test(c, direct_by_id);
	tcase_add_test(c, settled_counters);
	tcase_add_test(c, settled_for_somebody_else);
	tcase_add_loop_test(c, told_why_it_is_not_kept, 0, sizeof(reasons) / sizeof(reasons[0]));
	tcase_add_test(c, later_ones_wait_for_a_retry);
	tcase_add_test(c, refused_once_and_for_all);
	tcase_add_test(c, refused_while_the_log_cannot_be_read);
	suite_add_tcase(s, c);
	return s;
}
