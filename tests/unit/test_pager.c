/*
 * Paging: a pager against a room in an array, whatever the page length, with breaks,
 * with messages that come meanwhile, and with old ones pruned before and meanwhile.
 */
#include "client/pager.h"

#include "common/err.h"

#include <check.h>
#include <string.h>

#define MOST 1000

/* A room: numbers 10, 20, 30...; each is said at the time of its number. */
struct room {
	uint64_t pruned; /* the newest that is not kept */
	uint64_t last;   /* the newest there is */
	size_t page;     /* entries in one answer */
};

/* Answer as a server does: those of (pruned, last] that the question means. */
static struct event answer(
	const struct room *r, const struct pager_question *q, struct event entries[MOST])
{
	size_t limit = q->limit < r->page ? q->limit : r->page;
	struct event page = {.type = EVENT_HISTORY, .entries = entries, .seq = r->pruned};

	for (uint64_t seq = r->pruned + 10; seq <= r->last; seq += 10) {
		bool fits = q->from == HISTORY_AFTER   ? seq > q->value
			    : q->from == HISTORY_SINCE ? seq >= q->value
						       : q->value == 0 || seq < q->value;
		if (fits && page.count == limit && q->from != HISTORY_BEFORE) {
			page.flag = true;
			break;
		}
		if (fits && page.count == limit) {
			/* The last ones are wanted. */
			page.flag = true;
			memmove(entries, entries + 1, --page.count * sizeof(*entries));
		}
		if (fits)
			entries[page.count++] = (struct event){.type = EVENT_MESSAGE, .seq = seq};
	}
	return page;
}

static struct event entries[MOST];

/* Ask once; the number of entries taken is added to `*sum` of their numbers and count. */
static struct pager_gap turn(struct pager *p, const struct room *r, uint64_t *last, size_t *count)
{
	struct pager_question q;
	struct pager_gap gap;
	size_t take;

	ck_assert(pager_next(p, &q));
	struct event page = answer(r, &q, entries);
	ck_assert_int_eq(pager_take(p, &page, &gap, &take), 0);
	for (size_t i = 0; i < take; i++) {
		ck_assert_uint_gt(entries[i].seq, *last);
		*last = entries[i].seq;
	}
	*count += take;
	return gap;
}

static const struct {
	uint64_t since, pruned, last;
	uint64_t first;    /* the first to come; 0: none */
	size_t count;      /* how many come */
	uint64_t gap_last; /* told as missing; 0: nothing is */
	bool any;
} cases[] = {
	{0, 0, 0, 0, 0, 0, false},
	{0, 0, 10, 10, 1, 0, true},
	{0, 0, 1000, 10, 100, 0, true},
	{0, 100, 1000, 110, 90, 100, true},
	{0, 100, 100, 0, 0, 100, false}, /* all was pruned */
	{500, 0, 1000, 500, 51, 0, true},
	{501, 0, 1000, 510, 50, 0, true},
	{1, 0, 1000, 10, 100, 0, true},
	{500, 100, 1000, 500, 51, 0, true},   /* what is missing is older */
	{105, 100, 1000, 110, 90, 100, true}, /* what is missing may be of that time */
	{50, 100, 1000, 110, 90, 100, true},
	{2000, 0, 1000, 0, 0, 0, true}, /* all is older */
	{2000, 100, 1000, 0, 0, 0, true},
	{2000, 100, 100, 0, 0, 100, false},
	{2000, 0, 0, 0, 0, 0, false},
};

static const size_t lengths[] = {1, 3, 50, 99, 100, 101, LIST_MAX};

START_TEST(test_cases)
{
	for (size_t k = 0; k < sizeof(lengths) / sizeof(lengths[0]); k++) {
		struct room room = {cases[_i].pruned, cases[_i].last, lengths[k]};
		struct pager_question q;
		struct pager p;
		uint64_t last = 0, gap_last = 0;
		size_t count = 0;

		pager_init(&p, cases[_i].since);
		while (pager_next(&p, &q)) {
			/* A question that a break left without an answer is asked again. */
			struct pager_gap gap = turn(&p, &room, &last, &count);
			ck_assert(gap.last == 0 || gap_last == 0);
			ck_assert_uint_eq(gap.after, 0);
			gap_last += gap.last;
		}
		ck_assert_uint_eq(count, cases[_i].count);
		ck_assert_uint_eq(p.count, count);
		ck_assert_uint_eq(p.first, cases[_i].first);
		ck_assert_uint_eq(last, count > 0 ? cases[_i].last : 0);
		ck_assert_uint_eq(gap_last, cases[_i].gap_last);
		ck_assert_int_eq(p.any, cases[_i].any);
	}
}
END_TEST

/* What is said while we read comes too; what is pruned under our eyes is told. */
START_TEST(test_meanwhile)
{
	struct room room = {0, 100, 5};
	struct pager_gap gap;
	struct pager p;
	uint64_t last = 0;
	size_t count = 0;

	pager_init(&p, _i ? 10 : 0);
	turn(&p, &room, &last, &count);
	ck_assert_uint_eq(last, 50);
	room.last = 200;
	gap = turn(&p, &room, &last, &count);
	ck_assert_uint_eq(last, 100);
	ck_assert_uint_eq(gap.last, 0);
	/* Up to what was read: nothing is missing. */
	room.pruned = 100;
	gap = turn(&p, &room, &last, &count);
	ck_assert_uint_eq(last, 150);
	ck_assert_uint_eq(gap.last, 0);
	room.pruned = 160;
	gap = turn(&p, &room, &last, &count);
	ck_assert_uint_eq(last, 200);
	ck_assert_uint_eq(gap.after, 150);
	ck_assert_uint_eq(gap.last, 160);
	ck_assert_uint_eq(count, 19);
	ck_assert_int_eq(p.stage, PAGER_DONE);
}
END_TEST

/* More, and nothing with it: it would never end. */
START_TEST(test_nonsense)
{
	struct event page = {.type = EVENT_HISTORY, .flag = true};
	struct pager_gap gap;
	struct pager p;
	size_t take;

	pager_init(&p, 0);
	ck_assert_int_eq(pager_take(&p, &page, &gap, &take), ERR_PROTOCOL);
}
END_TEST

Suite *pager_suite(void)
{
	Suite *s = suite_create("pager");
	TCase *t = tcase_create("pager");

	tcase_add_loop_test(t, test_cases, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_loop_test(t, test_meanwhile, 0, 2);
	tcase_add_test(t, test_nonsense);
	suite_add_tcase(s, t);
	return s;
}
