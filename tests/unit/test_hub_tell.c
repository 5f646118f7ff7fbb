/*
 * The hub: telling at once or in time, and many threads that come and go.
 */
#include "tests/unit/hall.h"

#include "common/clock.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>

static unsigned pumped;

static void count_pump(void *context, struct feed *f)
{
	ck_assert_ptr_eq(context, &pumped);
	ck_assert_ptr_nonnull(f);
	pumped++;
}

static bool tell(struct room *r)
{
	int64_t again;

	return hub_tell(hub, r, &again);
}

START_TEST(now_or_in_time)
{
	struct room *r = hall_room("r");
	struct room_session a = hall_session("a"), b = hall_session("b");
	int64_t again;

	ck_assert(!hub_tell(hub, r, &again)); /* nothing to tell */
	ck_assert_int_eq(again, INT64_MAX);
	ck_assert_int_eq(room_enter(r, &a, 0), 0);
	ck_assert(hub_tell(hub, r, &again));
	ck_assert_int_eq(again, INT64_MAX);
	ck_assert_int_eq(room_enter(r, &b, 0), 0);
	ck_assert(!tell(r));
	ck_assert(!hub_tell(hub, r, &again));
	int64_t began = clock_ms();
	ck_assert_int_le(again, began + ROOM_TELL_EVERY);
	int64_t next = hub_tick(hub, began - 1, count_pump, &pumped);
	ck_assert_uint_eq(pumped, 0);
	ck_assert_int_le(next, began + ROOM_TELL_EVERY);
	next = hub_tick(hub, next, count_pump, &pumped);
	ck_assert_uint_eq(pumped, 1);
	ck_assert_int_gt(next, began + ROOM_TELL_EVERY); /* nothing waits any more */
	hub_tick(hub, next, count_pump, &pumped);
	ck_assert_uint_eq(pumped, 1);
	hub_leave(hub, r);
}
END_TEST

/* A room may vanish while something waits to be told, and the hub while it does. */
START_TEST(gone_before_it_was_told)
{
	struct room *r = hall_room("r"), *other = hall_room("other");
	struct room_session a = hall_session("a");

	for (int i = 0; i < 2; i++) {
		struct room *x = i ? other : r;
		ck_assert_int_eq(room_enter(x, &a, 0), 0);
		ck_assert(tell(x));
		room_leave(x, &a, "");
		ck_assert(!tell(x));
	}
	hub_leave(hub, r);
	hub_tick(hub, clock_ms() + ROOM_TELL_EVERY, count_pump, &pumped);
	ck_assert_uint_eq(pumped, 2);
	ck_assert_int_eq(room_enter(other, &a, 0), 0);
	tell(other);
	room_leave(other, &a, "");
	tell(other);
	hub_leave(hub, other);
}
END_TEST

/* ---- many threads ---- */

#define THREADS 4

static atomic_bool done;

static void *come_and_go(void *argument)
{
	char nick[8] = "";
	struct room_session me = hall_session(nick);

	snprintf(nick, sizeof(nick), "t%d", *(const int *)argument);
	for (int i = 0; i < 400; i++) {
		struct room *r;
		if (hub_open(hub, span_of(i % 3 ? "busy" : "calm"), &r) != CODE_NONE)
			return argument;
		if (room_enter(r, &me, 0) != 0)
			return argument;
		tell(r);
		room_leave(r, &me, "");
		tell(r);
		hub_leave(hub, r);
	}
	return NULL;
}

static void drop(void *context, struct feed *f)
{
	(void)context;
	(void)f;
}

static void *keep_ticking(void *argument)
{
	/* Faster than time, so that there is much to tell. */
	int64_t now = clock_ms();

	(void)argument;
	while (!atomic_load(&done)) {
		hub_tick(hub, now += ROOM_TELL_EVERY, drop, NULL);
		hub_rest(hub);
	}
	return NULL;
}

START_TEST(at_once)
{
	static const int numbers[THREADS] = {0, 1, 2, 3};
	pthread_t threads[THREADS], ticker;
	void *wrong;

	ck_assert_int_eq(pthread_create(&ticker, NULL, keep_ticking, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, come_and_go,
					 (void *)(uintptr_t)&numbers[i]),
			0);
	for (int i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_join(threads[i], &wrong), 0);
		ck_assert_ptr_null(wrong);
	}
	atomic_store(&done, true);
	ck_assert_int_eq(pthread_join(ticker, NULL), 0);
	ck_assert_uint_eq(hall_total(), 0);
}
END_TEST

static void setup(void)
{
	pumped = 0;
	hall_setup();
}

Suite *hub_tell_suite(void)
{
	Suite *s = suite_create("hub_tell");
	TCase *c = tcase_create("hub_tell");

	tcase_add_checked_fixture(c, setup, hall_teardown);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, now_or_in_time);
	tcase_add_test(c, gone_before_it_was_told);
	tcase_add_test(c, at_once);
	suite_add_tcase(s, c);
	return s;
}
