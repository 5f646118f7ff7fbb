#include "tests/unit/engine_cases.h"

#include "common/clock.h"
#include "common/err.h"
#include "tests/unit/entries.h"

#include <string.h>

#define SECOND 1000

/* Where an entry of the log below stands. */
enum where {
	ROOM_A,
	ROOM_B,
	FROM_1_TO_2,
	FROM_1_TO_1,
	FROM_2_TO_3,
};

/* In this order, so that the first has the number 1. */
static const struct {
	enum where where;
	const char *text;
} said[] = {
	{ROOM_A, "Tea at four"},       /* 1 */
	{ROOM_B, "tea, please"},       /* 2 */
	{FROM_1_TO_2, "more tea?"},    /* 3 */
	{ROOM_A, "four o'clock"},      /* 4 */
	{ROOM_A, "чай и ёлка"},        /* 5 */
	{ROOM_B, "Ёлка!"},             /* 6 */
	{FROM_1_TO_1, "buy tea"},      /* 7 */
	{ROOM_A, "teapot"},            /* 8 */
	{FROM_2_TO_3, "secret tea"},   /* 9 */
	{ROOM_A, "four cups of tea"},  /* 10 */
	{ROOM_B, "cafe\u0301 or TEA"}, /* 11 */
};
#define SAID (sizeof(said) / sizeof(said[0]))

static struct stream_key streams[3]; /* a, b, the inbox of person 1 */

static void fill(struct log *l)
{
	streams[0] = entry_room("a");
	streams[1] = entry_room("b");
	stream_key_inbox(log_person(1), &streams[2]);
	for (size_t i = 0; i < SAID; i++) {
		struct log_entry e = said[i].where == ROOM_A || said[i].where == ROOM_B
					     ? log_said(&streams[said[i].where], 1, i + 1, "")
					     : log_direct(1, 2, i + 1, "");
		if (said[i].where == FROM_1_TO_1)
			e.to = log_person(1);
		if (said[i].where == FROM_2_TO_3) {
			e.person = log_person(2);
			e.instance = log_instance(2);
			e.to = log_person(3);
		}
		e.room_name = span_of(said[i].where == ROOM_A ? "A" : "B");
		e.text = span_of(said[i].text);
		log_accept(l, e, i + 1);
	}
}

/* Search; what is found goes to the page, which has room for `most`. */
static int look_for(struct log *l, const char *words, const struct stream_key *where, size_t count,
	uint64_t before, uint32_t limit, size_t most, struct page *p)
{
	struct search what = {
		.streams = where,
		.stream_count = count,
		.words = span_of(words),
		.before = before,
		.limit = limit,
		.deadline = clock_ms() + 30 * SECOND,
	};

	memset(p, 0, sizeof(*p));
	p->most = most;
	return engine_search(l->engine, &what, log_on_read, p);
}

/* Which of the log's numbers are found, newest first, in the streams from `first` on. */
static const struct {
	const char *words;
	size_t first, count;
	uint64_t before;
	uint32_t limit;
	uint64_t seqs[8];
} searches[] = {
	{"tea ", 0, 3, UINT64_MAX, 10, {11, 10, 7, 3, 2, 1}},
	{"tea", 0, 3, UINT64_MAX, 10, {11, 10, 8, 7, 3, 2, 1}},
	{"tea ", 0, 1, UINT64_MAX, 10, {10, 1}},
	{"tea ", 1, 1, UINT64_MAX, 10, {11, 2}},
	{"tea ", 2, 1, UINT64_MAX, 10, {7, 3}},
	{"tea ", 1, 2, UINT64_MAX, 10, {11, 7, 3, 2}},
	{"tea ", 0, 0, UINT64_MAX, 10, {0}},
	{"tea ", 0, 3, UINT64_MAX, 2, {11, 10}},
	{"tea ", 0, 3, UINT64_MAX, 0, {0}},
	{"tea ", 0, 3, 12, 10, {11, 10, 7, 3, 2, 1}},
	{"tea ", 0, 3, 11, 10, {10, 7, 3, 2, 1}},
	{"tea ", 0, 3, 10, 2, {7, 3}},
	{"tea ", 0, 3, 2, 10, {1}},
	{"tea ", 0, 3, 1, 10, {0}},
	{"tea ", 0, 3, 0, 10, {0}},
	{"FOUR tea", 0, 3, UINT64_MAX, 10, {10, 1}},
	{"\"tea at four\"", 0, 3, UINT64_MAX, 10, {1}},
	{"\"four tea\"", 0, 3, UINT64_MAX, 10, {0}},
	{"ЕЛКА", 0, 3, UINT64_MAX, 10, {6, 5}},
	{"ёлка чай", 0, 3, UINT64_MAX, 10, {5}},
	{"cafe", 0, 3, UINT64_MAX, 10, {11}},
	{"secret", 0, 3, UINT64_MAX, 10, {0}},
	{"nothing", 0, 3, UINT64_MAX, 10, {0}},
	{"none", 0, 3, UINT64_MAX, 10, {0}},
	{"s1", 0, 3, UINT64_MAX, 10, {0}},
};

START_TEST(found_newest_first)
{
	struct log l;
	struct page p;
	size_t expected = 0;

	log_open(&l, 1 << 20);
	fill(&l);
	ck_assert_int_eq(
		look_for(&l, searches[_i].words, streams + searches[_i].first, searches[_i].count,
			searches[_i].before, searches[_i].limit, LOG_PAGE, &p),
		0);
	for (; searches[_i].seqs[expected]; expected++)
		ck_assert_uint_eq(p.seqs[expected], searches[_i].seqs[expected]);
	ck_assert_uint_eq(p.count, expected);
	log_close(&l);
}
END_TEST

START_TEST(no_words_to_look_for)
{
	static const char *const words[] = {"", " ", "\"\"", "!?", "*"};
	struct log l;
	struct page p;

	log_open(&l, 1 << 20);
	fill(&l);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		ck_assert_int_eq(look_for(&l, words[i], streams, 3, UINT64_MAX, 10, LOG_PAGE, &p),
			ERR_ARGUMENT);
	log_close(&l);
}
END_TEST

START_TEST(the_reader_has_enough)
{
	struct log l;
	struct page p;

	log_open(&l, 1 << 20);
	fill(&l);
	/* It refuses the third. */
	ck_assert_int_eq(look_for(&l, "tea ", streams, 3, UINT64_MAX, 10, 2, &p), 0);
	ck_assert_uint_eq(p.count, 2);
	ck_assert_uint_eq(p.seqs[1], 10);
	log_close(&l);
}
END_TEST

static bool on_whole(void *context, const struct log_entry *e)
{
	const struct stream_key *room = context;

	if (room) {
		ck_assert_int_eq(stream_key_compare(e->room, room), 0);
		ck_assert(span_equal(e->room_name, "A"));
		ck_assert_ptr_null(e->to);
	} else {
		ck_assert_ptr_null(e->room);
		ck_assert_mem_eq(e->to, log_person(2), PERSON_ID);
		ck_assert(span_equal(e->to_nick, "other"));
	}
	ck_assert_mem_eq(e->person, log_person(1), PERSON_ID);
	ck_assert_mem_eq(e->instance, log_instance(1), INSTANCE_ID);
	ck_assert_uint_eq(e->counter, e->seq);
	ck_assert(span_equal(e->nick, "nick"));
	ck_assert(span_equal(e->text, said[e->seq - 1].text));
	ck_assert_uint_gt(e->time, 0);
	return true;
}

START_TEST(whole_entries_are_found)
{
	struct log l;
	struct search what = {
		.streams = streams,
		.stream_count = 3,
		.words = span_of("four tea"),
		.before = UINT64_MAX,
		.limit = 10,
		.deadline = clock_ms() + 30 * SECOND,
	};

	log_open(&l, 1 << 20);
	fill(&l);
	ck_assert_int_eq(engine_search(l.engine, &what, on_whole, &streams[0]), 0);
	what.words = span_of("more");
	ck_assert_int_eq(engine_search(l.engine, &what, on_whole, NULL), 0);
	log_close(&l);
}
END_TEST

/* Each entry as soon as it was acknowledged, and one that is in two of the streams once. */
START_TEST(found_at_once_and_once)
{
	struct stream_key both[2];
	struct log l;
	struct page p;

	stream_key_inbox(log_person(1), &both[0]);
	stream_key_inbox(log_person(2), &both[1]);
	log_open(&l, 1 << 20);
	for (uint64_t i = 1; i <= 50; i++) {
		log_accept(&l, log_direct(1, 2, i, "once"), i);
		ck_assert_int_eq(
			look_for(&l, "once", both, 2, UINT64_MAX, UINT32_MAX, LOG_PAGE, &p), 0);
		ck_assert_uint_eq(p.count, i);
		ck_assert_uint_eq(p.seqs[0], i);
		ck_assert_uint_eq(p.seqs[p.count - 1], 1);
	}
	log_close(&l);
}
END_TEST

/* More than a page of an engine holds, sparse and dense. */
START_TEST(found_far_back)
{
	struct stream_key a = entry_room("a"), b = entry_room("b");
	struct stream_key where[2] = {a, b};
	struct log l;
	struct page p;

	log_open(&l, 1 << 22);
	for (uint64_t i = 1; i <= 1000; i++)
		log_accept(
			&l, log_said(i % 3 ? &a : &b, 1, i, i % 100 ? "dense" : "dense rare"), i);
	ck_assert_int_eq(look_for(&l, "rare", where, 2, UINT64_MAX, 100, LOG_PAGE, &p), 0);
	ck_assert_uint_eq(p.count, 10);
	for (size_t i = 0; i < p.count; i++)
		ck_assert_uint_eq(p.seqs[i], 1000 - 100 * i);
	ck_assert_int_eq(look_for(&l, "dense", where, 2, 901, 400, LOG_PAGE, &p), 0);
	ck_assert_uint_eq(p.count, 400);
	for (size_t i = 0; i < p.count; i++)
		ck_assert_uint_eq(p.seqs[i], 900 - i);
	ck_assert_int_eq(look_for(&l, "rare", &b, 1, UINT64_MAX, 1, LOG_PAGE, &p), 0);
	ck_assert_uint_eq(p.seqs[0], 900);
	log_close(&l);
}
END_TEST

void engine_cases_search(Suite *s, void (*setup)(void))
{
	TCase *t = tcase_create("search");

	tcase_add_unchecked_fixture(t, setup, NULL);
	tcase_set_timeout(t, 30);
	tcase_add_loop_test(t, found_newest_first, 0, sizeof(searches) / sizeof(searches[0]));
	tcase_add_test(t, no_words_to_look_for);
	tcase_add_test(t, the_reader_has_enough);
	tcase_add_test(t, whole_entries_are_found);
	tcase_add_test(t, found_at_once_and_once);
	tcase_add_test(t, found_far_back);
	suite_add_tcase(s, t);
}
