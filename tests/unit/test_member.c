/*
 * Memberships: where one begins, when it is told that it has everything, falling
 * behind and coming back, with the history readers played by the test. What they
 * do with threads of their own is in test_pump.c.
 */
#include "server/member.h"

#include "common/err.h"
#include "server/pump.h"
#include "tests/unit/bench.h"

#include <check.h>
#include <string.h>

/* Bring the queued membership on, as catchup.c does: entries of `text` bytes each, at most `page` of
 * them at a time. Stops when it is live, or its socket is full. */
static void read_history(struct bench *b, size_t text, uint64_t page)
{
	struct member *m = b->queued;
	uint64_t after, upto;
	uint8_t bytes[32 * SAID_FRAME_MAX];

	b->queued = NULL;
	while (member_next(m, &after, &upto) == MEMBER_NEXT_READ) {
		size_t length = 0;
		uint64_t seq = after;
		ck_assert_uint_lt(after, upto);
		while (seq < upto && seq < after + page) {
			seq++;
			length += entry_frame(seq, seq - 1, text, bytes + length);
		}
		if (!member_deliver(m, bytes, length, seq))
			break;
	}
	member_unref(m);
}

static void expect_entries(struct bench *b, uint64_t from, uint64_t to, size_t text)
{
	uint8_t frame[SAID_FRAME_MAX];

	for (uint64_t seq = from; seq <= to; seq++)
		bench_expect(b, frame, entry_frame(seq, seq - 1, text, frame));
}

/* Everything up to `after`, of 20 entries of which the window has those above 10. */
static const struct {
	uint64_t after, begins;
	bool live;
} joins[] = {
	{0, 0, false},
	{9, 9, false},
	{10, 10, true},
	{11, 11, true},
	{19, 19, true},
	{20, 20, true},
	{21, 20, true}, /* nobody has more than there is */
	{UINT64_MAX, 20, true},
};

START_TEST(joining)
{
	struct bench b;
	struct member *m;

	bench_open(&b, 0, 10);
	for (uint64_t seq = 11; seq <= 20; seq++)
		bench_publish_quietly(&b, seq, 50);
	ck_assert_int_eq(member_join(b.outlet, b.feed, joins[_i].after, &m), 0);
	ck_assert_uint_eq(m->sent, joins[_i].live ? 20 : joins[_i].begins);
	ck_assert_uint_eq(b.behind, joins[_i].live ? 0 : 1);
	if (b.queued)
		read_history(&b, 50, 3);
	expect_entries(&b, joins[_i].begins + 1, 20, 50);
	bench_expect_caught_up(&b, 20);
	bench_check(&b);
	/* From then on it is live, and told nothing twice. */
	bench_publish(&b, 21, 50);
	ck_assert(pump_feed(b.feed, 1));
	bench_check(&b);
	bench_leave(m);
	bench_close(&b);
}
END_TEST

START_TEST(reply_before_the_first_frame)
{
	struct bench b;
	struct member *m;
	uint8_t frame[SAID_FRAME_MAX];
	size_t length = entry_passing(1, frame);

	bench_open(&b, 0, 0);
	ck_assert_int_eq(outlet_reply(b.outlet, frame, length), 0);
	bench_expect(&b, frame, length);
	bench_publish(&b, 1, 10);
	ck_assert_int_eq(member_join(b.outlet, b.feed, 0, &m), 0);
	bench_expect_caught_up(&b, 1);
	bench_check(&b);
	bench_leave(m);
	bench_close(&b);
}
END_TEST

/* Twice what a socket takes at once, about, with buffers of these sizes: the end of what there is to
 * send is cut in many places. */
#define CUT_TEXT    230
#define CUT_ENTRIES 30
#define CUT_LEAST   2400
#define CUT_MOST    2600

/* The word that this was all follows however the socket cut what came before it, with nothing more
 * being published. */
START_TEST(caught_up_follows_a_cut)
{
	unsigned last_cut = 0;

	for (int buffer = CUT_LEAST; buffer <= CUT_MOST; buffer++) {
		struct bench b;
		struct member *m;
		bench_open(&b, buffer, 0);
		for (uint64_t seq = 1; seq <= CUT_ENTRIES; seq++)
			bench_publish(&b, seq, CUT_TEXT);
		ck_assert_int_eq(member_join(b.outlet, b.feed, 0, &m), 0);
		peer_drain(&b.peer);
		outlet_writable(b.outlet);
		last_cut += m->sent == CUT_ENTRIES && outlet_pending(b.outlet) > 0;
		bench_expect_caught_up(&b, CUT_ENTRIES);
		bench_check(&b);
		bench_leave(m);
		bench_close(&b);
	}
	ck_assert_uint_gt(last_cut, 0);
}
END_TEST

/* The same through the history. */
START_TEST(caught_up_follows_a_cut_page)
{
	for (int buffer = CUT_LEAST; buffer <= CUT_MOST; buffer++) {
		struct bench b;
		struct member *m;
		bench_open(&b, buffer, CUT_ENTRIES);
		expect_entries(&b, 1, CUT_ENTRIES, CUT_TEXT);
		bench_expect_caught_up(&b, CUT_ENTRIES);
		ck_assert_int_eq(member_join(b.outlet, b.feed, 0, &m), 0);
		while (b.queued) {
			read_history(&b, CUT_TEXT, CUT_ENTRIES);
			bench_drain(&b);
		}
		bench_check(&b);
		bench_leave(m);
		bench_close(&b);
	}
}
END_TEST

START_TEST(blocked_while_joining)
{
	struct bench b;
	struct member *first, *m;

	bench_open(&b, 2400, 0);
	struct stream_key key = entry_room("s");
	struct feed *other = feed_new(&key, "s", &b.budget, 0);
	ck_assert_int_eq(member_join(b.outlet, b.feed, 0, &first), 0);
	bench_expect_caught_up(&b, 0);
	for (uint64_t seq = 1; seq <= 30; seq++)
		bench_publish(&b, seq, 400);
	ck_assert(pump_feed(b.feed, 1));
	ck_assert(atomic_load(&b.outlet->blocked));
	/* Nothing of it can go now, neither the frames of the other room nor the word. */
	uint8_t frame[SAID_FRAME_MAX];
	feed_publish(other, frame, entry_frame(31, 0, 10, frame), 31);
	ck_assert_int_eq(member_join(b.outlet, other, 0, &m), 0);
	ck_assert_uint_eq(b.blocked, 1);
	bench_drain(&b);
	struct frame f;
	union message got;
	uint64_t last = 0;
	bool caught_up = false;
	while (b.peer.start < b.peer.end) {
		ck_assert_int_eq(peer_take(&b.peer, 1, 0, &f, &got), 0);
		if (f.type == MESSAGE_SAID)
			ck_assert_uint_eq(got.said.seq, ++last);
		else if (span_equal(got.caught_up.room, "s"))
			caught_up = got.caught_up.last == 31;
	}
	ck_assert_uint_eq(last, 31);
	ck_assert(caught_up);
	bench_leave(first);
	bench_leave(m);
	feed_unref(other);
	bench_close(&b);
}
END_TEST

/* Who reads nothing while the window goes on costs nothing, and comes back by the history. */
START_TEST(falling_behind)
{
	struct bench b;
	struct member *m;
	uint64_t seq = 0;

	bench_open(&b, 4000, 0);
	ck_assert_int_eq(member_join(b.outlet, b.feed, 0, &m), 0);
	bench_expect_caught_up(&b, 0);
	while (seq < 3000) {
		bench_publish(&b, ++seq, 200);
		ck_assert(pump_feed(b.feed, 1));
	}
	ck_assert_uint_eq(b.blocked, 1);
	ck_assert_uint_eq(b.behind, 0); /* nobody looks until there is room */
	ck_assert_uint_lt(outlet_pending(b.outlet), SAID_FRAME_MAX);
	ck_assert_uint_le(atomic_load(&b.budget.bytes), FEED_BYTES);
	int readings = 0;
	for (;;) {
		bench_drain(&b);
		if (!b.queued)
			break;
		readings++;
		read_history(&b, 200, 20);
	}
	ck_assert_int_gt(readings, 1);
	bench_expect_caught_up(&b, seq); /* for what passed meanwhile, it has to ask */
	bench_check(&b);
	bench_publish(&b, ++seq, 200);
	ck_assert(pump_feed(b.feed, 1));
	bench_check(&b);
	bench_leave(m);
	bench_close(&b);
}
END_TEST

START_TEST(leaving_while_queued)
{
	struct bench b;
	struct member *m;
	uint64_t after, upto;

	bench_open(&b, 0, 20);
	ck_assert_int_eq(member_join(b.outlet, b.feed, 3, &m), 0);
	ck_assert_ptr_eq(b.queued, m);
	bench_leave(m);
	/* The reader still holds it, and sees that it is gone. */
	ck_assert_int_eq(member_next(b.queued, &after, &upto), MEMBER_NEXT_DONE);
	ck_assert(!member_deliver(b.queued, NULL, 0, 20));
	member_unref(b.queued);
	bench_check(&b);
	bench_close(&b);
}
END_TEST

START_TEST(leaving_between_set_and_send)
{
	struct bench b;
	struct member *m;
	struct feed_window w;

	bench_open(&b, 0, 0);
	ck_assert_int_eq(member_join(b.outlet, b.feed, 0, &m), 0);
	bench_expect_caught_up(&b, 0);
	bench_publish_quietly(&b, 1, 10);
	struct member_set *set = feed_members(b.feed);
	feed_window_take(b.feed, &w);
	bench_leave(m);
	outlet_push_member(set->members[0]->outlet, set->members[0], &w);
	feed_window_release(&w);
	member_set_unref(set);
	bench_check(&b);
	bench_close(&b);
}
END_TEST

/* A window taken before others sent more: nothing is sent twice, and no word is told early. */
START_TEST(an_older_window)
{
	struct bench b;
	struct member *m;
	struct feed_window w;

	bench_open(&b, 0, 0);
	ck_assert_int_eq(member_join(b.outlet, b.feed, 0, &m), 0);
	bench_expect_caught_up(&b, 0);
	bench_publish(&b, 1, 10);
	feed_window_take(b.feed, &w);
	bench_publish(&b, 2, 10);
	ck_assert(pump_feed(b.feed, 1));
	outlet_push_member(b.outlet, m, &w);
	feed_window_release(&w);
	bench_check(&b);
	bench_leave(m);
	bench_close(&b);
}
END_TEST

Suite *member_suite(void)
{
	Suite *s = suite_create("member");
	TCase *c = tcase_create("member");

	tcase_set_timeout(c, 60);
	tcase_add_loop_test(c, joining, 0, sizeof(joins) / sizeof(joins[0]));
	tcase_add_test(c, reply_before_the_first_frame);
	tcase_add_test(c, caught_up_follows_a_cut);
	tcase_add_test(c, caught_up_follows_a_cut_page);
	tcase_add_test(c, blocked_while_joining);
	tcase_add_test(c, falling_behind);
	tcase_add_test(c, leaving_while_queued);
	tcase_add_test(c, leaving_between_set_and_send);
	tcase_add_test(c, an_older_window);
	suite_add_tcase(s, c);
	return s;
}
