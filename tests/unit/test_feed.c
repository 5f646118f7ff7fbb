/*
 * Feeds: the window, its pieces, places in it, members, and who pumps.
 *
 * The test keeps a copy of everything published and of where each number begins,
 * and holds every answer of the feed against it.
 */
#include "server/feed.h"

#include "common/err.h"
#include "server/member.h"
#include "tests/unit/entries.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES_MAX 4000

/* A feed, and what it should be. */
struct copy {
	struct segment_budget budget;
	struct feed *feed;
	uint8_t *bytes; /* everything published */
	size_t size;
	uint64_t head;
	uint64_t before; /* the last number before the feed */
	uint64_t version;
	size_t count;
	struct {
		uint64_t seq, start;
	} numbered[FRAMES_MAX]; /* the frames with numbers */
};

static struct copy *copy_new(size_t bound, uint64_t last_seq)
{
	struct copy *c = calloc(1, sizeof(*c));
	struct stream_key key = entry_room("r");

	ck_assert_ptr_nonnull(c);
	c->budget.bound = bound;
	c->before = last_seq;
	atomic_init(&c->budget.bytes, 0);
	c->feed = feed_new(&key, "r", &c->budget, last_seq);
	ck_assert_ptr_nonnull(c->feed);
	return c;
}

static void copy_free(struct copy *c)
{
	feed_unref(c->feed);
	ck_assert_uint_eq(atomic_load(&c->budget.bytes), 0);
	free(c->bytes);
	free(c);
}

static void note(struct copy *c, const uint8_t *frame, size_t length, uint64_t seq)
{
	if (c->head + length > c->size) {
		c->size = 2 * (c->head + length);
		c->bytes = realloc(c->bytes, c->size);
		ck_assert_ptr_nonnull(c->bytes);
	}
	memcpy(c->bytes + c->head, frame, length);
	if (seq) {
		ck_assert_uint_lt(c->count, FRAMES_MAX);
		c->numbered[c->count].seq = seq;
		c->numbered[c->count++].start = c->head;
	}
	c->head += length;
}

static void publish(struct copy *c, uint64_t seq, size_t text)
{
	uint8_t frame[SAID_FRAME_MAX];
	size_t length = entry_frame(seq, 0, text, frame);

	note(c, frame, length, seq);
	feed_publish(c->feed, frame, length, seq);
}

static void publish_passing(struct copy *c)
{
	uint8_t frame[SAID_FRAME_MAX];
	size_t length = entry_passing(++c->version, frame);

	note(c, frame, length, 0);
	feed_publish_presence(c->feed, frame, length, c->version, 1);
}

/* The pieces from `from` on are what was published from there to the head. */
static void check_pieces(const struct copy *c, const struct feed_window *w, uint64_t from)
{
	struct iovec pieces[FEED_SEGMENTS];
	int n = feed_window_pieces(w, from, pieces);
	uint64_t at = from;

	ck_assert_int_le(n, FEED_SEGMENTS);
	for (int i = 0; i < n; i++) {
		ck_assert_uint_gt(pieces[i].iov_len, 0);
		ck_assert_uint_le(at + pieces[i].iov_len, w->head);
		ck_assert_mem_eq(pieces[i].iov_base, c->bytes + at, pieces[i].iov_len);
		at += pieces[i].iov_len;
	}
	ck_assert_uint_eq(at, w->head);
}

static void check_window(const struct copy *c)
{
	struct feed_window w;
	size_t held = 0;

	feed_window_take(c->feed, &w);
	ck_assert_uint_eq(w.head, c->head);
	ck_assert_uint_le(w.tail, w.head);
	for (size_t i = 0; i < w.count; i++)
		held += w.segments[i]->size;
	ck_assert_uint_le(held, FEED_BYTES);
	check_pieces(c, &w, w.tail);
	check_pieces(c, &w, w.head);
	check_pieces(c, &w, w.tail + (w.head - w.tail) / 3);
	feed_window_release(&w);
}

/* For every number from 0 to one past the last: the place is where the next number begins, and the
 * history is asked exactly when the window does not have all the later ones. */
static void check_places(const struct copy *c)
{
	struct feed_window w;
	uint64_t last = c->count ? c->numbered[c->count - 1].seq : 0;
	size_t next = 0; /* the first frame with a number above `seq` */

	feed_window_take(c->feed, &w);
	for (uint64_t seq = 0; seq <= last + 1; seq++) {
		uint64_t position = UINT64_MAX, entries = UINT64_MAX;
		while (next < c->count && c->numbered[next].seq <= seq)
			next++;
		int r = feed_locate(c->feed, seq, &position, &entries);
		ck_assert_uint_eq(entries, r == 0 ? next : UINT64_MAX);
		if (next == c->count) {
			ck_assert_int_eq(r, 0);
			ck_assert_uint_eq(position, c->head);
		} else if (seq >= c->before && c->numbered[next].start >= w.tail) {
			ck_assert_int_eq(r, 0);
			ck_assert_uint_eq(position, c->numbered[next].start);
		} else {
			ck_assert_int_eq(r, ERR_NOT_FOUND);
			ck_assert_uint_eq(position, UINT64_MAX);
		}
	}
	feed_window_release(&w);
}

START_TEST(an_empty_feed)
{
	struct copy *c = copy_new(1 << 20, 41);
	uint64_t position = 1, entries = 1;

	check_window(c);
	ck_assert_str_eq(feed_name(c->feed), "r");
	ck_assert_uint_eq(feed_last_seq(c->feed), 41);
	ck_assert_int_eq(feed_locate(c->feed, 40, &position, &entries), ERR_NOT_FOUND);
	ck_assert_int_eq(feed_locate(c->feed, 41, &position, &entries), 0);
	ck_assert_uint_eq(entries, 0);
	ck_assert_uint_eq(position, 0);
	ck_assert(feed_rest(c->feed));
	copy_free(c);
}
END_TEST

START_TEST(known_numbers_are_ignored)
{
	struct copy *c = copy_new(1 << 20, 41);
	uint8_t frame[SAID_FRAME_MAX];
	struct feed_window w;

	feed_publish(c->feed, frame, entry_frame(40, 0, 1, frame), 40);
	feed_publish(c->feed, frame, entry_frame(41, 0, 1, frame), 41);
	feed_window_take(c->feed, &w);
	ck_assert_uint_eq(w.head, 0);
	feed_window_release(&w);
	publish(c, 42, 1);
	check_window(c);
	check_places(c);
	copy_free(c);
}
END_TEST

START_TEST(every_place_at_every_moment)
{
	struct copy *c = copy_new(1 << 24, 0);

	/* Numbers with gaps, passing frames among them, and enough to fill the window many times
	 * over in segments of every size. */
	for (uint64_t seq = 3; seq < 1200; seq += 1 + seq % 3) {
		if (seq % 4 == 0)
			publish_passing(c);
		publish(c, seq, (size_t)(seq * 37 % 2000));
		if (seq < 60 || seq % 17 == 0) {
			check_window(c);
			check_places(c);
		}
	}
	check_places(c);
	copy_free(c);
}
END_TEST

/* Text lengths around what fills a segment to its last byte. */
START_TEST(frames_of_all_sizes)
{
	struct copy *c = copy_new(1 << 24, 0);
	uint64_t seq = 0;

	for (size_t text = 1; text <= TEXT_MAX; text += 65)
		publish(c, ++seq, text);
	for (size_t left = 0; left < 3; left++) {
		ck_assert(!feed_rest(c->feed));
		ck_assert(feed_rest(c->feed));
		/* The first segment to its last byte, or to a few before it. */
		publish(c, ++seq, SEGMENT_SMALLEST - 2 * ENTRY_BARE - 1 - left);
		publish(c, ++seq, 1);
		check_window(c);
		publish(c, ++seq, 1);
		check_window(c);
		check_places(c);
	}
	publish(c, ++seq, TEXT_MAX);
	check_window(c);
	check_places(c);
	copy_free(c);
}
END_TEST

START_TEST(frames_larger_than_a_segment)
{
	struct copy *c = copy_new(1 << 24, 0);
	size_t length = SEGMENT_LARGEST + 8;
	uint8_t *frame = calloc(1, length);

	ck_assert_ptr_nonnull(frame);
	frame_encode_header(frame, (uint32_t)(length - FRAME_HEADER), MESSAGE_NOTICE, 0);
	for (int i = 0; i < 12; i++) {
		publish(c, (uint64_t)i + 1, 10);
		note(c, frame, length, 0);
		feed_publish_presence(c->feed, frame, length, (uint64_t)i, 1);
		check_window(c);
		check_places(c);
	}
	free(frame);
	copy_free(c);
}
END_TEST

START_TEST(bytes_stay_while_held)
{
	struct copy *c = copy_new(1 << 24, 0);
	struct feed_window held[8];
	uint64_t seq = 1;

	for (int round = 0; round < 8; round++) {
		for (int i = 0; i < 40; i++, seq++)
			publish(c, seq, (size_t)(seq * 91 % 3000));
		feed_window_take(c->feed, &held[round]);
	}
	/* All of these have been replaced in the feed by now, the last one's as well. */
	for (int i = 0; i < 400; i++, seq++)
		publish(c, seq, 2000);
	for (int round = 0; round < 8; round++) {
		check_pieces(c, &held[round], held[round].tail);
		feed_window_release(&held[round]);
	}
	copy_free(c);
}
END_TEST

START_TEST(a_scarce_budget)
{
	struct copy *c = copy_new(65536, 0);
	struct feed_window held;

	for (uint64_t seq = 1; seq < 200; seq++) {
		publish(c, seq, 1000);
		check_window(c);
		/* One segment may go beyond the bound, for it is asked before there is one more. */
		ck_assert_uint_le(atomic_load(&c->budget.bytes), 65536 + SEGMENT_LARGEST);
	}
	check_places(c);
	/* Somebody else has all there is: the newest frame alone is here, and everything goes on. */
	feed_window_take(c->feed, &held);
	atomic_fetch_add(&c->budget.bytes, 1 << 20);
	for (uint64_t seq = 200; seq < 220; seq++) {
		struct feed_window w;
		publish(c, seq, 3500);
		check_window(c);
		check_places(c);
		feed_window_take(c->feed, &w);
		ck_assert_uint_eq(w.count, 1);
		feed_window_release(&w);
	}
	feed_window_release(&held);
	atomic_fetch_sub(&c->budget.bytes, 1 << 20);
	copy_free(c);
}
END_TEST

START_TEST(rest_lets_go)
{
	struct copy *c = copy_new(1 << 20, 0);
	uint64_t position, entries;

	publish(c, 5, 100);
	ck_assert(!feed_rest(c->feed));
	publish(c, 7, 100);
	ck_assert(!feed_rest(c->feed)); /* published since */
	ck_assert(feed_rest(c->feed));
	ck_assert_uint_eq(atomic_load(&c->budget.bytes), 0);
	check_window(c);
	ck_assert_int_eq(feed_locate(c->feed, 6, &position, &entries), ERR_NOT_FOUND);
	ck_assert_int_eq(feed_locate(c->feed, 7, &position, &entries), 0);
	ck_assert_uint_eq(position, c->head);
	publish_passing(c);
	publish(c, 9, 100);
	check_window(c);
	check_places(c);
	copy_free(c);
}
END_TEST

START_TEST(presence_is_in_the_window)
{
	struct copy *c = copy_new(1 << 20, 0);
	uint8_t frame[SAID_FRAME_MAX];
	struct feed_window w;
	size_t length = entry_passing(9, frame);

	feed_publish_presence(c->feed, frame, length, 9, 17);
	publish(c, 3, 1);
	feed_window_take(c->feed, &w);
	ck_assert_uint_eq(w.version, 9);
	ck_assert_uint_eq(w.people, 17);
	ck_assert_uint_eq(w.last_seq, 3);
	feed_window_release(&w);
	copy_free(c);
}
END_TEST

START_TEST(the_byte_at_a_position)
{
	struct copy *c = copy_new(1 << 20, 0);
	struct feed_window w;
	size_t left;

	for (uint64_t seq = 1; seq < 30; seq++)
		publish(c, seq, 700);
	feed_window_take(c->feed, &w);
	ck_assert_uint_gt(w.count, 1);
	for (uint64_t at = w.tail; at < w.head; at++) {
		ck_assert_uint_eq(*feed_window_at(&w, at, &left), c->bytes[at]);
		ck_assert_uint_gt(left, 0);
		ck_assert_uint_le(at + left, w.head);
	}
	feed_window_release(&w);
	copy_free(c);
}
END_TEST

/* ---- members ---- */

/* Members for a list: nothing here looks into them but at their index. */
static struct member *fake_member(struct feed *f)
{
	struct member *m = calloc(1, sizeof(*m));

	ck_assert_ptr_nonnull(m);
	atomic_init(&m->refs, 1);
	m->feed = feed_ref(f);
	return m;
}

static bool in_set(const struct member_set *s, const struct member *m)
{
	for (size_t i = 0; s && i < s->count; i++) {
		if (s->members[i] == m)
			return true;
	}
	return false;
}

#define MEMBERS 40

START_TEST(sets_are_of_their_moment)
{
	struct copy *c = copy_new(1 << 20, 0);
	struct member *members[MEMBERS];
	bool inside[MEMBERS] = {false};
	unsigned random = 12345;

	ck_assert_ptr_null(feed_members(c->feed));
	for (size_t i = 0; i < MEMBERS; i++)
		members[i] = fake_member(c->feed);
	for (int step = 0; step < 2000; step++) {
		random = random * 1103515245u + 12345u;
		size_t i = random / 65536 % MEMBERS;
		struct member_set *before = feed_members(c->feed);
		bool was = in_set(before, members[i]);
		ck_assert_int_eq(was, inside[i]);
		/* Removing one that is not there does nothing. */
		if (inside[i] || step % 5 == 0)
			feed_remove(c->feed, members[i]);
		else
			ck_assert_int_eq(feed_add(c->feed, members[i]), 0);
		inside[i] = !inside[i] && step % 5 != 0;
		ck_assert_int_eq(in_set(before, members[i]), was);
		member_set_unref(before);
	}
	struct member_set *all = feed_members(c->feed);
	for (size_t i = 0; i < MEMBERS; i++) {
		ck_assert_int_eq(in_set(all, members[i]), inside[i]);
		feed_remove(c->feed, members[i]);
	}
	ck_assert_ptr_null(feed_members(c->feed));
	member_set_unref(all);
	for (size_t i = 0; i < MEMBERS; i++) {
		ck_assert_uint_eq(atomic_load(&members[i]->refs), 1);
		member_unref(members[i]);
	}
	copy_free(c);
}
END_TEST

START_TEST(one_pumps)
{
	struct copy *c = copy_new(1 << 20, 0);

	ck_assert(feed_pump_begin(c->feed));
	ck_assert(feed_pump_end(c->feed));
	ck_assert(feed_pump_begin(c->feed));
	ck_assert(!feed_pump_begin(c->feed));
	ck_assert(!feed_pump_begin(c->feed));
	ck_assert(!feed_pump_end(c->feed)); /* look again, once for both */
	ck_assert(feed_pump_end(c->feed));
	ck_assert(feed_pump_begin(c->feed));
	ck_assert(!feed_pump_begin(c->feed));
	feed_pump_give_up(c->feed);
	ck_assert(feed_pump_begin(c->feed));
	ck_assert(feed_pump_end(c->feed));
	copy_free(c);
}
END_TEST

Suite *feed_suite(void)
{
	Suite *s = suite_create("feed");
	TCase *window = tcase_create("window");
	TCase *members = tcase_create("members");

	tcase_set_timeout(window, 60);
	tcase_add_test(window, an_empty_feed);
	tcase_add_test(window, known_numbers_are_ignored);
	tcase_add_test(window, every_place_at_every_moment);
	tcase_add_test(window, frames_of_all_sizes);
	tcase_add_test(window, frames_larger_than_a_segment);
	tcase_add_test(window, bytes_stay_while_held);
	tcase_add_test(window, a_scarce_budget);
	tcase_add_test(window, rest_lets_go);
	tcase_add_test(window, presence_is_in_the_window);
	tcase_add_test(window, the_byte_at_a_position);
	suite_add_tcase(s, window);
	tcase_add_test(members, sets_are_of_their_moment);
	tcase_add_test(members, one_pumps);
	suite_add_tcase(s, members);
	return s;
}
