#include "tests/unit/engine_cases.h"

#include "tests/unit/entries.h"

/* Ten entries of one room at 2, 4, ... 20; another room has the odd numbers. */
static const struct {
	uint64_t after, upto;
	size_t most, count;
	uint64_t first;
} ranges[] = {
	{0, UINT64_MAX, LOG_PAGE, 10, 2},
	{0, 20, LOG_PAGE, 10, 2},
	{0, 19, LOG_PAGE, 9, 2},
	{1, 20, LOG_PAGE, 10, 2},
	{2, 20, LOG_PAGE, 9, 4},
	{18, 20, LOG_PAGE, 1, 20},
	{19, 20, LOG_PAGE, 1, 20},
	{20, 20, LOG_PAGE, 0, 0},
	{20, UINT64_MAX, LOG_PAGE, 0, 0},
	{UINT64_MAX, UINT64_MAX, LOG_PAGE, 0, 0},
	{5, 5, LOG_PAGE, 0, 0},
	{6, 3, LOG_PAGE, 0, 0},
	{0, 0, LOG_PAGE, 0, 0},
	{0, 20, 3, 3, 2},
	{4, 20, 1, 1, 6},
	{4, 20, 0, 0, 0},
};

static void fill_two_rooms(struct log *l, const struct stream_key *a, const struct stream_key *b)
{
	for (uint64_t i = 1; i <= 20; i++)
		log_accept(l, log_said(i % 2 ? b : a, 1, i, "x"), i);
}

START_TEST(reading)
{
	struct stream_key a = entry_room("a"), b = entry_room("b");
	struct log l;
	struct page p;

	log_open(&l, 1 << 20);
	fill_two_rooms(&l, &a, &b);
	ck_assert_uint_eq(
		log_read(&l, &a, ranges[_i].after, ranges[_i].upto, ranges[_i].most, &p), 0);
	ck_assert_uint_eq(p.count, ranges[_i].count);
	for (size_t i = 0; i < p.count; i++)
		ck_assert_uint_eq(p.seqs[i], ranges[_i].first + 2 * i);
	log_close(&l);
}
END_TEST

START_TEST(the_last_few)
{
	struct stream_key a = entry_room("a"), b = entry_room("b"), none = entry_room("none");
	struct log l;
	struct page p;

	log_open(&l, 1 << 20);
	log_check_last(&l, &a, 5, 0, 0);
	fill_two_rooms(&l, &a, &b);
	log_check_last(&l, &a, 0, 20, 20);
	for (uint32_t count = 1; count < 10; count++) {
		log_check_last(&l, &a, count, 20, 20 - 2 * count);
		log_read(&l, &a, 20 - 2 * count, UINT64_MAX, LOG_PAGE, &p);
		ck_assert_uint_eq(p.count, count);
	}
	log_check_last(&l, &a, 10, 20, 0);
	log_check_last(&l, &a, 11, 20, 0);
	log_check_last(&l, &a, UINT32_MAX, 20, 0);
	log_check_last(&l, &none, 10, 0, 0);
	ck_assert_uint_eq(log_read(&l, &none, 0, UINT64_MAX, LOG_PAGE, &p), 0);
	ck_assert_uint_eq(p.count, 0);
	log_close(&l);
}
END_TEST

/* Pages that end below a number, of the same log: the numbers of room a from `first` to `last`. */
static const struct {
	uint64_t before;
	uint32_t count;
	uint64_t first, last;
} pages[] = {
	{UINT64_MAX, 3, 16, 20},
	{UINT64_MAX, 100, 2, 20},
	{UINT64_MAX, UINT32_MAX, 2, 20},
	{21, 3, 16, 20},
	{20, 3, 14, 18},
	{19, 3, 14, 18},
	{19, 1, 18, 18},
	{8, 3, 2, 6},
	{8, 4, 2, 6},
	{8, 2, 4, 6},
	{4, 5, 2, 2},
	{3, 5, 2, 2},
	{2, 5, 0, 0},
	{1, 5, 0, 0},
	{0, 5, 0, 0},
	{20, 0, 0, 0},
};

START_TEST(the_page_before)
{
	struct stream_key a = entry_room("a"), b = entry_room("b");
	uint64_t before = pages[_i].before, after = UINT64_MAX;
	struct log l;
	struct page p;

	log_open(&l, 1 << 20);
	fill_two_rooms(&l, &a, &b);
	ck_assert_int_eq(engine_before(l.engine, &a, before, pages[_i].count, &after), 0);
	log_read(&l, &a, after, before ? before - 1 : 0, LOG_PAGE, &p);
	uint64_t expected = pages[_i].first ? (pages[_i].last - pages[_i].first) / 2 + 1 : 0;
	ck_assert_uint_eq(p.count, expected);
	for (size_t i = 0; i < p.count; i++)
		ck_assert_uint_eq(p.seqs[i], pages[_i].first + 2 * i);
	log_close(&l);
}
END_TEST

/* Whoever pages back by what they have reaches the beginning. */
START_TEST(page_by_page_to_the_beginning)
{
	struct stream_key a = entry_room("a"), b = entry_room("b"), none = entry_room("none");
	uint64_t before = UINT64_MAX, after = UINT64_MAX;
	size_t seen = 0;
	struct log l;
	struct page p;

	log_open(&l, 1 << 20);
	ck_assert_int_eq(engine_before(l.engine, &none, UINT64_MAX, 3, &after), 0);
	ck_assert_uint_eq(after, 0);
	fill_two_rooms(&l, &a, &b);
	do {
		ck_assert_int_eq(engine_before(l.engine, &a, before, 3, &after), 0);
		log_read(&l, &a, after, before - 1, LOG_PAGE, &p);
		seen += p.count;
		before = p.count ? p.seqs[0] : before;
	} while (p.count);
	ck_assert_uint_eq(seen, 10);
	ck_assert_uint_eq(before, 2);
	log_close(&l);
}
END_TEST

/* Demand that what begins at `time` is what was said then or later. */
static void check_since(struct log *l, const struct stream_key *key, uint64_t time)
{
	uint64_t after = UINT64_MAX;
	struct page p;
	size_t expected = 0;

	for (size_t i = 0; i < l->count; i++)
		expected += l->applied[i].seq % 2 == 0 && l->applied[i].time >= time;
	ck_assert_int_eq(engine_since(l->engine, key, time, &after), 0);
	log_read(l, key, after, UINT64_MAX, LOG_PAGE, &p);
	ck_assert_uint_eq(p.count, expected);
	if (expected)
		ck_assert_uint_eq(p.seqs[p.count - 1], 20);
}

START_TEST(since_a_time)
{
	struct stream_key a = entry_room("a"), b = entry_room("b"), none = entry_room("none");
	uint64_t after = UINT64_MAX;
	struct log l;

	log_open(&l, 1 << 20);
	fill_two_rooms(&l, &a, &b);
	check_since(&l, &a, 0);
	check_since(&l, &a, UINT64_MAX);
	for (size_t i = 0; i < l.count; i++) {
		check_since(&l, &a, l.applied[i].time - 1);
		check_since(&l, &a, l.applied[i].time);
		check_since(&l, &a, l.applied[i].time + 1);
	}
	ck_assert_int_eq(engine_since(l.engine, &none, 0, &after), 0);
	ck_assert_uint_eq(after, 0);
	log_close(&l);
}
END_TEST

void engine_cases_read(Suite *s, void (*setup)(void))
{
	TCase *t = tcase_create("reading");

	tcase_add_unchecked_fixture(t, setup, NULL);
	tcase_add_loop_test(t, reading, 0, sizeof(ranges) / sizeof(ranges[0]));
	tcase_add_test(t, the_last_few);
	tcase_add_loop_test(t, the_page_before, 0, sizeof(pages) / sizeof(pages[0]));
	tcase_add_test(t, page_by_page_to_the_beginning);
	tcase_add_test(t, since_a_time);
	suite_add_tcase(s, t);
}
