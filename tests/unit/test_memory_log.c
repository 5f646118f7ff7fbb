/*
 * The bounds of the log in memory: what has no entries left is forgotten, the
 * longest idle first, and what has some counts against the bytes.
 *
 * Once each instance that had ever said something, and each room and inbox, stayed
 * for as long as the server ran.
 */
#include "common/bytes.h"
#include "server/memory_log.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#define KEEP_BYTES 65536
#define KEEP_IDLE  50

Suite *memory_log_suite(void);

static struct memory_log log_;

static void set_up(void)
{
	memory_log_init(&log_, KEEP_BYTES, KEEP_IDLE);
}

static void tear_down(void)
{
	memory_log_fini(&log_);
}

static struct stream_key room_key(uint32_t number)
{
	struct stream_key key;
	char name[16];

	snprintf(name, sizeof(name), "r%u", number);
	ck_assert_int_eq(stream_key_room(name, strlen(name), &key), 0);
	return key;
}

static struct log_entry entry(
	const struct stream_key *room, const uint8_t id[PERSON_ID], uint64_t counter)
{
	return (struct log_entry){
		.room = room,
		.person = id,
		.instance = id,
		.counter = counter,
		.nick = span_of("anna"),
		.text = span_of("some words to be kept for a while"),
	};
}

static void append(struct log_entry *e)
{
	struct memory_needs needs;

	ck_assert_int_eq(memory_log_prepare(&log_, e, &needs), 0);
	memory_log_append(&log_, e, &needs);
}

/* Append a message of instance `who` to room `where`; what the log thinks of it. */
static struct append_result say(uint32_t who, uint32_t where, uint64_t counter)
{
	struct stream_key key = room_key(where);
	uint8_t id[PERSON_ID] = {0};
	struct append_result r = {.status = APPEND_OK};

	bytes_put_u32(id, who + 1);
	struct log_entry e = entry(&key, id, counter);
	if (memory_log_decide(&log_, &e, &r) == 0) {
		append(&e);
		r.seq = e.seq;
	}
	return r;
}

static uint64_t accepted(uint32_t who)
{
	uint8_t id[PERSON_ID] = {0};

	bytes_put_u32(id, who + 1);
	return memory_log_accepted(&log_, id, id);
}

START_TEST(strangers_do_not_fill_it)
{
	for (uint32_t i = 0; i < 20000; i++) {
		ck_assert_int_eq(say(i, i, 1).status, APPEND_OK);
		ck_assert_uint_le(log_.bytes, KEEP_BYTES);
		ck_assert_uint_le(log_.idle_author_count, KEEP_IDLE);
		ck_assert_uint_le(log_.idle_stream_count, KEEP_IDLE);
	}
	ck_assert_uint_eq(accepted(0), 0); /* forgotten */
	ck_assert_uint_eq(accepted(19999), 1);
}
END_TEST

START_TEST(who_still_speaks_is_known)
{
	for (uint32_t i = 0; i < 5000; i++) {
		ck_assert(!say(7000, 7000, i + 1).duplicate);
		ck_assert_int_eq(say(i, i, 1).status, APPEND_OK);
	}
	ck_assert_uint_eq(accepted(7000), 5000);
	ck_assert(say(7000, 7000, 5000).duplicate);
	ck_assert(say(7000, 7000, 1).duplicate);
}
END_TEST

START_TEST(the_idle_are_known_for_a_while)
{
	struct stream_key key = room_key(1);
	uint64_t last, after;

	ck_assert_int_eq(say(1, 1, 9).status, APPEND_OK);
	/* One other, long enough that the first entry is dropped. */
	for (uint32_t i = 0; i < 1000; i++)
		say(2, 2, i + 1);
	ck_assert_uint_eq(accepted(1), 9);
	ck_assert(say(1, 1, 9).duplicate);
	memory_log_last(&log_, &key, 10, &last, &after);
	ck_assert_uint_eq(last, 1);
	ck_assert_uint_eq(after, 1);
}
END_TEST

START_TEST(coming_back_from_idle)
{
	struct stream_key key = room_key(1);
	uint64_t last, after;

	say(1, 1, 1);
	for (uint32_t i = 0; i < 1000; i++)
		say(2, 2, i + 1);
	struct append_result r = say(1, 1, 2);
	ck_assert_int_eq(r.status, APPEND_OK);
	memory_log_last(&log_, &key, 10, &last, &after);
	ck_assert_uint_eq(last, r.seq);
	ck_assert_uint_eq(after, 1); /* what was pruned before it */
}
END_TEST

static bool count_entry(void *context, const struct log_entry *e)
{
	(void)e;
	++*(unsigned *)context;
	return true;
}

START_TEST(a_forgotten_room_has_a_gap)
{
	struct stream_key key = room_key(1);
	unsigned entries = 0;
	uint64_t pruned;

	uint64_t first = say(1, 1, 1).seq;
	for (uint32_t i = 100; i < 2000; i++)
		say(i, i, 1);
	uint64_t again = say(1, 1, 2).seq;
	memory_log_range(&log_, &key, first - 1, again, count_entry, &entries, &pruned);
	ck_assert_uint_eq(entries, 1);
	ck_assert_uint_ge(pruned, first);
	ck_assert_uint_lt(pruned, again);
}
END_TEST

/* Topics come and go with all that was counted for them. */
START_TEST(topics_count)
{
	char text[TOPIC_MAX];
	uint8_t id[PERSON_ID] = {1};

	memset(text, 't', sizeof(text));
	for (uint32_t i = 0; i < 5000; i++) {
		struct stream_key key = room_key(i % 300);
		struct log_entry e = entry(&key, id, i + 1);
		e.kind = SAID_TOPIC;
		e.text = (struct span){.text = text, .length = (uint16_t)(i * 37 % TOPIC_MAX)};
		append(&e);
		ck_assert_uint_le(log_.bytes, KEEP_BYTES);
	}
	/* When all of it is dropped, nothing is left over. */
	ck_assert_uint_gt(log_.bytes, 0);
	memory_log_fini(&log_);
	ck_assert_uint_eq(log_.bytes, 0);
	set_up();
}
END_TEST

Suite *memory_log_suite(void)
{
	Suite *s = suite_create("memory_log");
	TCase *t = tcase_create("bounds");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, strangers_do_not_fill_it);
	tcase_add_test(t, who_still_speaks_is_known);
	tcase_add_test(t, the_idle_are_known_for_a_while);
	tcase_add_test(t, a_forgotten_room_has_a_gap);
	tcase_add_test(t, coming_back_from_idle);
	tcase_add_test(t, topics_count);
	suite_add_tcase(s, t);
	return s;
}
