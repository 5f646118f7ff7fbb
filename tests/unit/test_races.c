/*
 * Races: who may send whom what, and when they are over.
 */
#include "server/races.h"

#include "common/err.h"
#include "common/net.h"
#include "tests/unit/peer.h"

#include <check.h>
#include <stdio.h>

#define PEOPLE 4

static struct races *races;
static struct peer peers[PEOPLE];
static struct outlet *outlets[PEOPLE];
static const struct race_plan plan = {.tag = 9, .nick = "ben", .count = 5, .size = 200};

static void on_blocked(void *context, struct outlet *o)
{
	(void)context;
	(void)o;
}

static const struct outlet_hooks hooks = {.blocked = on_blocked};

static void setup(void)
{
	races = races_new();
	ck_assert_ptr_nonnull(races);
	for (int i = 0; i < PEOPLE; i++) {
		struct stream *s;
		int fd;
		ck_assert_int_eq(peer_open(&peers[i], 0, &fd), 0);
		ck_assert_int_eq(stream_new_plain(fd, &s), 0);
		ck_assert_int_eq(outlet_new(s, &hooks, &outlets[i]), 0);
	}
}

static void teardown(void)
{
	races_free(races);
	for (int i = 0; i < PEOPLE; i++) {
		/* Nobody else has a reference any more. */
		ck_assert_uint_eq(atomic_load(&outlets[i]->refs), 1);
		outlet_unref(outlets[i]);
		peer_close(&peers[i]);
	}
}

static uint32_t ask(int from, int to, int64_t now)
{
	uint32_t number = 0;

	ck_assert_int_eq(races_ask(races, outlets[from], outlets[to], &plan, now, &number), 0);
	ck_assert_uint_gt(number, 0);
	return number;
}

static int accept_it(int who, uint32_t number)
{
	struct outlet *from;
	struct race_plan asked;
	int r = races_accept(races, number, outlets[who], 0, &from, &asked);

	if (r == 0) {
		ck_assert_uint_eq(asked.tag, plan.tag);
		outlet_unref(from);
	}
	return r;
}

static bool goes(uint32_t number, int from, int to, bool back, uint32_t index, int64_t now)
{
	struct outlet *o = races_other(races, number, outlets[from], back, index, now);

	ck_assert(!o || o == outlets[to]);
	outlet_unref(o);
	return o != NULL;
}

START_TEST(test_agreed)
{
	uint32_t number = ask(0, 1, 0);

	ck_assert(!goes(number, 0, 1, false, 0, 0));
	ck_assert_int_eq(accept_it(2, number), ERR_NOT_FOUND);
	ck_assert_int_eq(accept_it(0, number), ERR_NOT_FOUND);
	ck_assert_int_eq(accept_it(1, number + 1), ERR_NOT_FOUND);
	ck_assert_int_eq(accept_it(1, 0), ERR_NOT_FOUND);
	ck_assert_int_eq(accept_it(1, number), 0);
	ck_assert_int_eq(accept_it(1, number), ERR_NOT_FOUND);
	ck_assert(goes(number, 0, 1, false, 4, 0));
	ck_assert(goes(number, 1, 0, true, 4, 0));
	ck_assert(!goes(number, 0, 1, true, 4, 0));
	ck_assert(!goes(number, 1, 0, false, 4, 0));
	ck_assert(!goes(number, 2, 1, false, 4, 0));
	ck_assert(!goes(number, 0, 1, false, 5, 0));
	ck_assert(!goes(0, 0, 1, false, 0, 0));
}
END_TEST

/* What was sent to somebody: RACE_OVER with the race and the code, or the ERROR about its tag. */
static void expect_over(int who, uint32_t number, enum code code)
{
	union message m;

	ck_assert_int_eq(peer_expect(&peers[who], MESSAGE_RACE_OVER, &m), 0);
	ck_assert_uint_eq(m.race_over.race, number);
	ck_assert_uint_eq(m.race_over.code, code);
}

static void expect_refused(int who, enum code code)
{
	union message m;

	ck_assert_int_eq(peer_expect(&peers[who], MESSAGE_ERROR, &m), 0);
	ck_assert_uint_eq(m.error.tag, plan.tag);
	ck_assert_uint_eq(m.error.code, code);
	ck_assert_uint_eq(m.error.fatal, 0);
}

static void expect_nothing(int who)
{
	ck_assert_uint_eq(peer_drain(&peers[who]), 0);
}

START_TEST(test_over)
{
	uint32_t first = ask(0, 1, 0), second;

	ck_assert_int_eq(accept_it(1, first), 0);
	/* Another one of the same ends it. */
	second = ask(0, 3, 0);
	ck_assert(!goes(first, 0, 1, false, 0, 0));
	expect_over(1, first, CODE_NONE);
	expect_nothing(0);
	ck_assert_int_eq(accept_it(3, second), 0);
	/* And so does the end of either. */
	races_forget(races, outlets[3]);
	ck_assert(!goes(second, 0, 3, false, 0, 0));
	expect_over(0, second, CODE_QUIT);
	expect_nothing(3);
	/* Whoever waits for an answer knows no number yet. */
	(void)ask(0, 2, 0);
	races_forget(races, outlets[2]);
	expect_refused(0, CODE_QUIT);
	second = ask(0, 2, 0);
	ck_assert_int_eq(accept_it(2, second), 0);
	races_forget(races, outlets[0]);
	expect_over(2, second, CODE_QUIT);
}
END_TEST

/* When nothing goes any more, and at last anyway. */
START_TEST(test_time)
{
	uint32_t number = ask(0, 1, 0);
	int64_t now = 0;

	ck_assert_int_eq(accept_it(1, number), 0);
	for (; now < RACE_MS; now += RACE_IDLE_MS - 1)
		ck_assert(goes(number, 0, 1, false, 0, now));
	ck_assert(!goes(number, 0, 1, false, 0, RACE_MS));
	expect_over(0, number, CODE_TIMEOUT);
	expect_over(1, number, CODE_TIMEOUT);
	number = ask(0, 1, 0);
	ck_assert_int_eq(accept_it(1, number), 0);
	ck_assert(!goes(number, 0, 1, false, 0, RACE_IDLE_MS));
	expect_over(0, number, CODE_TIMEOUT);
}
END_TEST

/* Also where nobody asks. */
START_TEST(test_time_passes)
{
	uint32_t number = ask(0, 1, 0);
	int64_t next = 0;

	(void)ask(2, 3, 1000);
	ck_assert_int_eq(accept_it(1, number), 0);
	races_tick(races, RACE_IDLE_MS - 1, &next);
	ck_assert_int_eq(next, RACE_IDLE_MS);
	expect_nothing(0);
	races_tick(races, next, &next);
	expect_over(0, number, CODE_TIMEOUT);
	expect_over(1, number, CODE_TIMEOUT);
	ck_assert_int_eq(next, RACE_IDLE_MS + 1000);
	races_tick(races, next, &next);
	expect_refused(2, CODE_TIMEOUT);
	ck_assert_int_eq(next, INT64_MAX);
}
END_TEST

/* One at a time: whoever is being raced is not raced by another one, and the first goes on. */
START_TEST(test_one_at_a_time)
{
	uint32_t first = ask(0, 1, 0), waiting = ask(3, 1, 0), number;

	ck_assert_int_eq(accept_it(1, first), 0);
	ck_assert_int_eq(races_ask(races, outlets[2], outlets[1], &plan, 1, &number), ERR_EXISTS);
	ck_assert_int_eq(accept_it(1, waiting), ERR_EXISTS);
	ck_assert(goes(first, 0, 1, false, 0, 0));
	/* What was only asked for stands in nobody's way, and whoever is raced may race. */
	number = ask(1, 2, 0);
	ck_assert_int_eq(accept_it(2, number), 0);
	/* Nobody else can end it. */
	races_end(races, first, outlets[2], CODE_NONE);
	ck_assert(goes(first, 0, 1, false, 0, 0));
	races_end(races, first, outlets[0], CODE_NONE);
	expect_over(1, first, CODE_NONE);
	ck_assert(!goes(first, 0, 1, false, 0, 0));
	ck_assert_int_eq(accept_it(1, waiting), 0);
	races_end(races, waiting, outlets[1], CODE_NONE);
	expect_over(3, waiting, CODE_NONE);
	/* Whoever is asked may say no. */
	number = ask(0, 3, 0);
	races_end(races, number, outlets[3], CODE_RACE_TOO_MUCH);
	expect_refused(0, CODE_RACE_TOO_MUCH);
	expect_nothing(3);
}
END_TEST

START_TEST(test_full)
{
	uint32_t number;
	int64_t now = 0;

	/* Each asks for one at a time, so many are needed: one connection stands for all, whose races
	 * end only as another asks. */
	static struct outlet *many[RACES_MOST];
	for (int i = 0; i < RACES_MOST; i++) {
		ck_assert_int_eq(outlet_new(NULL, NULL, &many[i]), 0);
		atomic_store(&many[i]->closed, true); /* there is no way to tell it anything */
		ck_assert_int_eq(races_ask(races, many[i], outlets[1], &plan, now, &number), 0);
	}
	ck_assert_int_eq(races_ask(races, outlets[0], outlets[1], &plan, now, &number), ERR_FULL);
	/* Those that are over make room. */
	ck_assert_int_eq(
		races_ask(races, outlets[0], outlets[1], &plan, now + RACE_MS, &number), 0);
	for (int i = 0; i < RACES_MOST; i++) {
		ck_assert_uint_eq(atomic_load(&many[i]->refs), 1);
		outlet_unref(many[i]);
	}
}
END_TEST

/* One address takes no more than its share, however many connections it has. */
START_TEST(test_of_one_address)
{
	const char *const hosts[] = {"10.9.0.2", "10.9.0.3", "127.0.0.1"};
	struct net_address from[3];
	static struct outlet *many[RACES_EACH];
	uint32_t number;

	for (int i = 0; i < 3; i++) {
		size_t count;
		const char *why;
		ck_assert_int_eq(
			net_resolve(hosts[i], 7, SOCK_STREAM, false, &from[i], 1, &count, &why), 0);
	}
	for (int i = 0; i < RACES_EACH; i++) {
		ck_assert_int_eq(outlet_new(NULL, NULL, &many[i]), 0);
		atomic_store(&many[i]->closed, true);
		many[i]->peer.address = from[0];
		net_set_port(&many[i]->peer.address, (uint16_t)(i + 1));
		ck_assert_int_eq(races_ask(races, many[i], outlets[1], &plan, 0, &number), 0);
	}
	outlets[0]->peer.address = from[0];
	ck_assert_int_eq(races_ask(races, outlets[0], outlets[1], &plan, 0, &number), ERR_FULL);
	/* Who has asked already asks again. */
	ck_assert_int_eq(races_ask(races, many[0], outlets[1], &plan, 0, &number), 0);
	for (int i = 1; i < 3; i++) {
		outlets[0]->peer.address = from[i];
		ck_assert_int_eq(races_ask(races, outlets[0], outlets[1], &plan, 0, &number), 0);
	}
	races_forget(races, outlets[1]);
	for (int i = 0; i < RACES_EACH; i++) {
		ck_assert_uint_eq(atomic_load(&many[i]->refs), 1);
		outlet_unref(many[i]);
	}
}
END_TEST

Suite *races_suite(void);
Suite *races_suite(void)
{
	Suite *s = suite_create("races");
	TCase *t = tcase_create("races");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_agreed);
	tcase_add_test(t, test_over);
	tcase_add_test(t, test_time);
	tcase_add_test(t, test_time_passes);
	tcase_add_test(t, test_one_at_a_time);
	tcase_add_test(t, test_full);
	tcase_add_test(t, test_of_one_address);
	suite_add_tcase(s, t);
	return s;
}
