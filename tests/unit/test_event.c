/*
 * Events: lists, and the queue between two threads. Nothing is lost or doubled,
 * and the descriptor is readable whenever something waits.
 */
#include "client/event.h"

#include "common/lock.h"

#include <check.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

#define MANY 20000

static bool readable(const struct event_queue *q)
{
	struct pollfd fd = {.fd = q->fd, .events = POLLIN};

	return poll(&fd, 1, 0) == 1;
}

static struct event *numbered(uint64_t number)
{
	struct event *e = event_new(EVENT_RTT);

	ck_assert_ptr_nonnull(e);
	e->number = number;
	return e;
}

static void fill(struct event_list *l, uint64_t from, uint64_t to)
{
	for (uint64_t n = from; n < to; n++)
		event_list_add(l, numbered(n));
}

static void expect(struct event *e, uint64_t number)
{
	ck_assert_ptr_nonnull(e);
	ck_assert_uint_eq(e->number, number);
	event_free(e);
}

START_TEST(test_list)
{
	struct event_list a = {0};
	struct event_list b = {0};

	event_list_move(&a, &b);
	ck_assert_ptr_null(event_list_take(&a));
	fill(&b, 0, 3);
	event_list_move(&a, &b);
	ck_assert_uint_eq(b.count, 0);
	fill(&b, 3, 5);
	event_list_move(&a, &b);
	ck_assert_uint_eq(a.count, 5);
	event_list_drop_last(&a);
	for (uint64_t n = 0; n < 4; n++)
		expect(event_list_take(&a), n);
	ck_assert_ptr_null(event_list_take(&a));
	fill(&a, 0, 1);
	event_list_drop_last(&a);
	ck_assert_ptr_null(a.head);
	ck_assert_ptr_null(a.tail);
	fill(&a, 0, 4);
	event_list_fini(&a);
}
END_TEST

START_TEST(test_queue)
{
	struct event_queue q;
	struct event_list batch = {0};
	bool drained;

	ck_assert_int_eq(event_queue_init(&q), 0);
	ck_assert(!readable(&q));
	ck_assert_ptr_null(event_queue_take(&q, &drained));
	fill(&batch, 0, 3);
	event_queue_put(&q, &batch);
	for (uint64_t n = 0; n < 3; n++) {
		ck_assert(readable(&q));
		expect(event_queue_take(&q, &drained), n);
		ck_assert(!drained);
	}
	ck_assert_ptr_null(event_queue_take(&q, &drained));
	ck_assert(!readable(&q));
	event_queue_put(&q, &batch); /* empty: nobody is woken */
	ck_assert(!readable(&q));
	event_queue_fini(&q);
}
END_TEST

START_TEST(test_full)
{
	struct event_queue q;
	struct event_list batch = {0};
	bool drained;

	ck_assert_int_eq(event_queue_init(&q), 0);
	fill(&batch, 0, EVENT_QUEUE_MOST);
	event_queue_put(&q, &batch);
	ck_assert(!event_queue_full(&q));
	fill(&batch, EVENT_QUEUE_MOST, EVENT_QUEUE_MOST + 1);
	event_queue_put(&q, &batch);
	ck_assert(event_queue_full(&q));
	expect(event_queue_take(&q, &drained), 0);
	ck_assert(drained);
	ck_assert(!event_queue_full(&q));
	event_queue_fini(&q); /* frees the rest */
}
END_TEST

/* A server sends a list of two hundred in one frame, and many of them. */
START_TEST(test_full_of_items)
{
	struct event_queue q;
	struct event_list batch = {0};
	bool drained;

	ck_assert_int_eq(event_queue_init(&q), 0);
	for (size_t i = 0; i <= EVENT_QUEUE_MOST / (LIST_MAX + 1); i++) {
		ck_assert(!event_queue_full(&q));
		struct event *e = event_new(EVENT_MEMBERS);
		ck_assert_ptr_nonnull(e);
		e->people = calloc(LIST_MAX, sizeof(*e->people));
		ck_assert_ptr_nonnull(e->people);
		e->count = LIST_MAX;
		event_list_add(&batch, e);
		event_queue_put(&q, &batch);
	}
	ck_assert(event_queue_full(&q));
	event_free(event_queue_take(&q, &drained));
	ck_assert(drained);
	ck_assert(!event_queue_full(&q));
	/* How many people are in a room is no list of them. */
	struct event *joined = event_new(EVENT_JOINED);
	ck_assert_ptr_nonnull(joined);
	joined->count = 1000000;
	event_list_add(&batch, joined);
	event_queue_put(&q, &batch);
	ck_assert(!event_queue_full(&q));
	event_queue_fini(&q);
}
END_TEST

/* Or long texts. */
START_TEST(test_full_of_text)
{
	char text[8001];
	struct event_queue q;
	struct event_list batch = {0};
	size_t bytes = 0;
	bool drained;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ck_assert_int_eq(event_queue_init(&q), 0);
	while (!event_queue_full(&q)) {
		struct event *e = event_new(EVENT_NOTICE);
		ck_assert_ptr_nonnull(e);
		ck_assert_int_eq(event_set(&e->text, text), 0);
		event_list_add(&batch, e);
		event_queue_put(&q, &batch);
		bytes += sizeof(text);
	}
	ck_assert_uint_le(bytes, (EVENT_QUEUE_MOST + 100) * EVENT_TEXT_PART);
	event_free(event_queue_take(&q, &drained));
	ck_assert(drained);
	event_queue_fini(&q);
}
END_TEST

static void *put_many(void *argument)
{
	struct event_queue *q = argument;
	struct event_list batch = {0};

	for (uint64_t n = 0; n < MANY; n++) {
		struct event *e = event_new(EVENT_RTT);
		if (!e)
			break;
		e->number = n;
		event_list_add(&batch, e);
		if (n % 7 == 0)
			event_queue_put(q, &batch);
	}
	event_queue_put(q, &batch);
	return NULL;
}

START_TEST(test_two_threads)
{
	struct event_queue q;
	pthread_t thread;
	uint64_t next = 0;

	ck_assert_int_eq(event_queue_init(&q), 0);
	PTHREAD_OK(pthread_create(&thread, NULL, put_many, &q));
	while (next < MANY) {
		struct pollfd fd = {.fd = q.fd, .events = POLLIN};
		bool drained;

		ck_assert_int_eq(poll(&fd, 1, 10000), 1);
		struct event *e = event_queue_take(&q, &drained);
		if (e)
			expect(e, next++);
	}
	PTHREAD_OK(pthread_join(thread, NULL));
	event_queue_fini(&q);
}
END_TEST

/* Lists in an event go with it; the sanitizers see what is left. */
START_TEST(test_free)
{
	struct event *e = event_new(EVENT_HISTORY);

	ck_assert_ptr_nonnull(e);
	e->count = 2;
	e->entries = calloc(2, sizeof(*e->entries));
	e->places = calloc(2, sizeof(*e->places));
	ck_assert(e->entries && e->places);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(event_set(&e->entries[i].text, "words"), 0);
		ck_assert_int_eq(event_set(&e->places[i].room, "lobby"), 0);
	}
	event_free(e);
	event_free(NULL);
}
END_TEST

Suite *event_suite(void)
{
	Suite *s = suite_create("event");
	TCase *t = tcase_create("event");

	tcase_add_test(t, test_list);
	tcase_add_test(t, test_free);
	tcase_add_test(t, test_queue);
	tcase_add_test(t, test_full);
	tcase_add_test(t, test_full_of_items);
	tcase_add_test(t, test_full_of_text);
	tcase_add_test(t, test_two_threads);
	suite_add_tcase(s, t);
	return s;
}
