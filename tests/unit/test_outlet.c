/*
 * Outlets: whole frames whatever the socket takes, replies that wait and their
 * bound, and being blocked. The surroundings are fakes that only count.
 */
#include "server/outlet.h"

#include "common/err.h"
#include "server/pump.h"
#include "tests/unit/bench.h"
#include "tests/unit/entries.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* ---- replies ---- */

START_TEST(replies_wait_for_a_push)
{
	struct bench b;
	uint8_t frame[SAID_FRAME_MAX];

	bench_open(&b, 0, 0);
	for (uint64_t i = 1; i <= 3; i++) {
		size_t length = entry_passing(i, frame);
		ck_assert_int_eq(outlet_reply(b.outlet, frame, length), 0);
		bench_expect(&b, frame, length);
	}
	ck_assert_uint_eq(outlet_pending(b.outlet), b.length);
	ck_assert_uint_eq(peer_drain(&b.peer), 0);
	outlet_push(b.outlet);
	bench_check(&b);
	ck_assert_uint_eq(b.blocked, 0);
	bench_close(&b);
}
END_TEST

START_TEST(replies_are_bounded)
{
	struct bench b;
	size_t length = 1024;
	uint8_t *frame = calloc(1, FRAME_MAX);

	ck_assert_ptr_nonnull(frame);
	bench_open(&b, 0, 0);
	for (size_t i = 0; i < OUTLET_REPLIES / length; i++) {
		ck_assert_int_eq(outlet_reply(b.outlet, frame, length), 0);
		bench_expect(&b, frame, length);
	}
	ck_assert_int_eq(outlet_reply(b.outlet, frame, 1), ERR_FULL);
	ck_assert_uint_eq(outlet_pending(b.outlet), OUTLET_REPLIES);
	outlet_push(b.outlet);
	bench_check(&b);
	/* Into an empty one goes any frame, and after it nothing that would be too much. */
	frame[0] = 1;
	ck_assert_int_eq(outlet_reply(b.outlet, frame, FRAME_MAX), 0);
	bench_expect(&b, frame, FRAME_MAX);
	ck_assert_int_eq(outlet_reply(b.outlet, frame, FRAME_MAX), ERR_FULL);
	bench_check((outlet_push(b.outlet), &b));
	bench_close(&b);
	free(frame);
}
END_TEST

START_TEST(replies_through_a_small_socket)
{
	struct bench b;
	uint8_t frame[SAID_FRAME_MAX];
	size_t length;

	bench_open(&b, 2400, 0);
	for (uint64_t i = 1; i < 500; i++) {
		length = entry_frame(i, 0, (size_t)(i * 31 % 900) + 1, frame);
		if (outlet_reply(b.outlet, frame, length) == 0)
			bench_expect(&b, frame, length);
		if (i % 7 == 0)
			outlet_push(b.outlet);
		if (i % 50 == 0)
			bench_drain(&b);
	}
	outlet_push(b.outlet);
	ck_assert_uint_gt(b.blocked, 0);
	bench_check(&b);
	bench_close(&b);
}
END_TEST

START_TEST(nothing_after_close)
{
	struct bench b;
	struct member *m = NULL;
	uint8_t frame[SAID_FRAME_MAX];

	bench_open(&b, 0, 0);
	ck_assert_int_eq(outlet_reply(b.outlet, frame, entry_passing(1, frame)), 0);
	outlet_close(b.outlet);
	outlet_close(b.outlet);
	ck_assert_int_eq(outlet_reply(b.outlet, frame, entry_passing(1, frame)), ERR_CLOSED);
	ck_assert_int_eq(member_join(b.outlet, b.feed, 0, &m), ERR_CLOSED);
	ck_assert_ptr_null(m);
	ck_assert_ptr_null(feed_members(b.feed));
	outlet_push(b.outlet);
	outlet_writable(b.outlet);
	ck_assert_uint_eq(peer_drain(&b.peer), 0);
	ck_assert_uint_eq(outlet_pending(b.outlet), 0);
	bench_close(&b);
}
END_TEST

START_TEST(a_peer_that_went_away)
{
	struct bench b;
	struct member *m;
	uint8_t frame[SAID_FRAME_MAX];

	bench_open(&b, 0, 0);
	ck_assert_int_eq(member_join(b.outlet, b.feed, 0, &m), 0);
	peer_close(&b.peer);
	bench_publish(&b, 1, 100);
	ck_assert(pump_feed(b.feed, 1));
	ck_assert_int_eq(outlet_reply(b.outlet, frame, entry_passing(1, frame)), ERR_CLOSED);
	bench_publish(&b, 2, 100);
	ck_assert(pump_feed(b.feed, 1));
	bench_leave(m);
	bench_close(&b);
}
END_TEST

/* ---- partial writes ---- */

#define CUT_TEXT  64 /* so that a frame has an odd number of bytes */
#define CUT_FRAME (ENTRY_BARE + CUT_TEXT)

/* A Unix socket takes a few parts that each have SO_SNDBUF's value less 64 bytes, so raising it byte
 * by byte moves the cut through a whole frame. Where it fell is measured, not believed. */
START_TEST(cut_at_every_byte)
{
	bool seen[CUT_FRAME] = {false};

	for (int buffer = 2400; buffer < 2400 + 2 * CUT_FRAME; buffer++) {
		struct bench b;
		struct member *m;
		bench_open(&b, buffer, 0);
		ck_assert_int_eq(member_join(b.outlet, b.feed, 0, &m), 0);
		bench_expect_caught_up(&b, 0);
		bench_drain(&b);
		size_t before = b.length;
		for (uint64_t seq = 1; seq <= 120; seq++)
			bench_publish(&b, seq, CUT_TEXT);
		ck_assert(pump_feed(b.feed, 1));
		ck_assert(atomic_load(&b.outlet->blocked));
		ck_assert_uint_eq(b.blocked, 1);
		seen[(peer_drain(&b.peer) - before) % CUT_FRAME] = true;
		/* What waits is the rest of one frame: the segments are not needed for it. */
		ck_assert_uint_lt(outlet_pending(b.outlet), CUT_FRAME);
		bench_check(&b);
		ck_assert_uint_eq(m->sent, 120);
		bench_leave(m);
		bench_close(&b);
	}
	for (size_t i = 0; i < CUT_FRAME; i++)
		ck_assert_msg(seen[i], "no frame was cut after %zu bytes", i);
}
END_TEST

/* The rest of a cut frame comes before replies, and frames of two feeds are not mixed. */
START_TEST(a_cut_frame_stays_whole)
{
	struct stream_key key = entry_room("s");

	for (int buffer = 2400; buffer < 2500; buffer += 7) {
		struct bench b;
		struct member *first, *second;
		struct frame f;
		union message m;
		uint64_t sent[2] = {0, 0}, replies = 0;
		uint8_t frame[SAID_FRAME_MAX];
		bench_open(&b, buffer, 0);
		struct feed *other = feed_new(&key, "s", &b.budget, 0);
		ck_assert_int_eq(member_join(b.outlet, b.feed, 0, &first), 0);
		ck_assert_int_eq(member_join(b.outlet, other, 0, &second), 0);
		for (uint64_t seq = 1; seq <= 150; seq++) {
			feed_publish(seq % 2 ? b.feed : other, frame,
				entry_frame(seq, 0, seq % 90, frame), seq);
			if (seq % 10 == 0)
				ck_assert_int_eq(
					outlet_reply(b.outlet, frame, entry_passing(seq, frame)),
					0);
			if (seq % 3 == 0)
				pump_feed(seq % 2 ? b.feed : other, 1);
			if (seq % 30 == 0)
				bench_drain(&b);
		}
		outlet_push(b.outlet);
		bench_drain(&b);
		outlet_push(b.outlet);
		bench_drain(&b);
		while (b.peer.start < b.peer.end) {
			ck_assert_int_eq(peer_take(&b.peer, 1, 0, &f, &m), 0);
			if (f.type == MESSAGE_SAID) {
				ck_assert_uint_gt(m.said.seq, sent[m.said.seq % 2]);
				ck_assert(entry_text_is(m.said.seq, m.said.text));
				sent[m.said.seq % 2] = m.said.seq;
			}
			replies += f.type == MESSAGE_PRESENCE;
		}
		ck_assert_uint_eq(sent[0], 150);
		ck_assert_uint_eq(sent[1], 149);
		ck_assert_uint_eq(replies, 15);
		bench_leave(first);
		bench_leave(second);
		feed_unref(other);
		bench_close(&b);
	}
}
END_TEST

START_TEST(busy_is_marked_not_waited_for)
{
	struct bench b;
	struct member *m;

	bench_open(&b, 0, 0);
	ck_assert_int_eq(member_join(b.outlet, b.feed, 0, &m), 0);
	bench_expect_caught_up(&b, 0);
	bench_publish(&b, 1, 10);
	/* Somebody else has the outlet: the pump comes back at once, and leaves a mark. */
	ck_assert_int_eq(pthread_mutex_lock(&b.outlet->lock.mutex), 0);
	ck_assert(pump_feed(b.feed, 1));
	outlet_push(b.outlet);
	ck_assert(atomic_load(&b.outlet->again));
	ck_assert_int_eq(pthread_mutex_unlock(&b.outlet->lock.mutex), 0);
	/* Whoever uses the outlet next sees to it. */
	outlet_pending(b.outlet);
	bench_check(&b);
	bench_leave(m);
	bench_close(&b);
}
END_TEST

Suite *outlet_suite(void)
{
	Suite *s = suite_create("outlet");
	TCase *replies = tcase_create("replies");
	TCase *partial = tcase_create("partial");

	tcase_add_test(replies, replies_wait_for_a_push);
	tcase_add_test(replies, replies_are_bounded);
	tcase_add_test(replies, replies_through_a_small_socket);
	tcase_add_test(replies, nothing_after_close);
	tcase_add_test(replies, a_peer_that_went_away);
	suite_add_tcase(s, replies);
	tcase_set_timeout(partial, 60);
	tcase_add_test(partial, cut_at_every_byte);
	tcase_add_test(partial, a_cut_frame_stays_whole);
	tcase_add_test(partial, busy_is_marked_not_waited_for);
	suite_add_tcase(s, partial);
	return s;
}
