/*
 * What happened is written down once, in one order, while others read.
 */
#include "tools/lab/journal.h"

#include "common/clock.h"
#include "common/err.h"
#include "server/instrumented.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct journal *j;

static void make(void)
{
	j = journal_new();
	ck_assert_ptr_nonnull(j);
}

static void unmake(void)
{
	journal_free(j);
}

static const struct journal_entry *at(uint64_t number)
{
	const struct journal_entry *e = journal_at(j, number);

	ck_assert_ptr_nonnull(e);
	ck_assert_uint_eq(e->number, number);
	return e;
}

START_TEST(empty)
{
	ck_assert_uint_eq(journal_count(j), 0);
	ck_assert_ptr_null(journal_at(j, 0));
	ck_assert_ptr_null(journal_at(j, UINT64_MAX));
	ck_assert_uint_eq(journal_wait(j, 0, 0), 0);
	ck_assert(!journal_full(j));
	journal_free(NULL);
}
END_TEST

/* Every kind keeps what it was given, when what it was given is gone. */
START_TEST(every_kind)
{
	char text[] = "four", other[] = "words";
	uint8_t bytes[] = {1, 2, 3, 4, 5};
	struct journal_packet p = {.host = 1,
		.to_host = 2,
		.packet = {.payload = bytes + 2, .payload_length = 3},
		.note = {.kind = FLOW_DATAGRAM},
		.fate = {.kind = FATE_LOST},
		.bytes = bytes,
		.length = sizeof(bytes)};
	struct journal_call c = {.host = 1,
		.fd = 7,
		.result = -1,
		.error = 11,
		.operation = text,
		.arguments = other};

	ck_assert_int_eq(journal_packet(j, SIDE_UDP, 123, &p), 0);
	ck_assert_int_eq(journal_arrival(j, SIDE_UDP, 456, 0, true), 1);
	ck_assert_int_eq(journal_call(j, SIDE_TCP, &c), 2);
	ck_assert_int_eq(journal_words(j, SIDE_BOTH, text), 3);
	ck_assert_int_eq(journal_check(j, SIDE_TCP, true, text, other), 4);
	memset(text, 'x', 4);
	memset(other, 'x', 5);
	memset(bytes, 0, sizeof(bytes));

	const struct journal_packet *kept = &at(0)->of.packet;
	ck_assert_int_eq(at(0)->kind, JOURNAL_PACKET);
	ck_assert_uint_eq(at(0)->time_ns, 123);
	ck_assert_mem_eq(kept->bytes, "\1\2\3\4\5", 5);
	ck_assert_ptr_eq(kept->packet.payload, kept->bytes + 2);
	ck_assert_int_eq(kept->fate.kind, FATE_LOST);
	ck_assert_uint_eq(at(1)->time_ns, 456);
	ck_assert(at(1)->of.arrival.of == 0 && at(1)->of.arrival.second);
	ck_assert_str_eq(at(2)->of.call.operation, "four");
	ck_assert_str_eq(at(2)->of.call.arguments, "words");
	ck_assert_ptr_null(at(2)->of.call.why);
	ck_assert_int_eq(at(2)->of.call.error, 11);
	ck_assert_str_eq(at(3)->of.words.text, "four");
	ck_assert_int_eq(at(3)->side, SIDE_BOTH);
	ck_assert_str_eq(at(4)->of.check.text, "four");
	ck_assert_str_eq(at(4)->of.check.measured, "words");
	ck_assert(at(4)->of.check.verdict == VERDICT_HELD);
	ck_assert_uint_le(at(2)->time_ns, at(3)->time_ns);
	ck_assert_uint_le(at(3)->time_ns, journal_now(j));
}
END_TEST

START_TEST(the_wall_clock)
{
	int64_t began = journal_wall_start(j), now = (int64_t)clock_wall_us();

	ck_assert_int_gt(began, 1000000LL * 3600 * 24 * 365 * 50);
	ck_assert_int_lt(llabs(now - began), 60000000);
}
END_TEST

/* ---- threads ---- */

#define WRITERS 4
#define READERS 3
#define EACH    (SANITIZED ? 1000 : 5000)

static void *write_words(void *argument)
{
	char text[64];

	for (int i = 0; i < EACH; i++) {
		(void)snprintf(text, sizeof(text), "%d %d", *(int *)argument, i);
		if (journal_words(j, SIDE_BOTH, text) < 0)
			return text[0] ? "not written" : "";
	}
	return NULL;
}

/* Each reads all, and sees the words of each writer in their order. */
static void *read_words(void *argument)
{
	int next[WRITERS] = {0}, writer, word;
	uint64_t read = 0;

	(void)argument;
	while (read < (uint64_t)WRITERS * EACH) {
		uint64_t count = journal_wait(j, read, 20000);
		if (count <= read)
			return "waited in vain";
		for (; read < count; read++) {
			const struct journal_entry *e = journal_at(j, read);
			if (!e || e->number != read || e->kind != JOURNAL_WORDS)
				return "not what was written";
			// NOLINTNEXTLINE(cert-err34-c): what was written is known
			if (sscanf(e->of.words.text, "%d %d", &writer, &word) != 2)
				return "other words";
			if (writer < 0 || writer >= WRITERS || next[writer]++ != word)
				return "another order";
		}
	}
	return NULL;
}

START_TEST(many_write_and_many_read)
{
	pthread_t threads[WRITERS + READERS];
	int numbers[WRITERS];

	for (int i = 0; i < WRITERS + READERS; i++) {
		if (i < WRITERS)
			numbers[i] = i;
		ck_assert_int_eq(
			pthread_create(&threads[i], NULL, i < WRITERS ? write_words : read_words,
				i < WRITERS ? &numbers[i] : NULL),
			0);
	}
	for (int i = 0; i < WRITERS + READERS; i++) {
		void *complaint;
		ck_assert_int_eq(pthread_join(threads[i], &complaint), 0);
		ck_assert_msg(!complaint, "%s", (char *)complaint);
	}
	ck_assert_uint_eq(journal_count(j), (uint64_t)WRITERS * EACH);
}
END_TEST

static void *write_one(void *argument)
{
	(void)argument;
	return journal_words(j, SIDE_BOTH, "now") < 0 ? "not written" : NULL;
}

/* Who waits is woken by what is written. */
START_TEST(waiting)
{
	pthread_t thread;
	void *complaint;

	ck_assert_int_eq(pthread_create(&thread, NULL, write_one, NULL), 0);
	ck_assert_uint_eq(journal_wait(j, 0, 20000), 1);
	ck_assert_int_eq(pthread_join(thread, &complaint), 0);
	ck_assert_ptr_null(complaint);
	/* Nothing more comes: it says so when the time is up. */
	ck_assert_uint_eq(journal_wait(j, 1, 1), 1);
}
END_TEST

/* ---- the bounds ---- */

START_TEST(so_many_and_no_more)
{
	int64_t r = 0;
	uint64_t count = 0;

	while ((r = journal_arrival(j, SIDE_TCP, 0, 0, false)) >= 0)
		count++;
	ck_assert_int_eq(r, ERR_FULL);
	ck_assert(journal_full(j));
	ck_assert_uint_eq(count, JOURNAL_ENTRIES - JOURNAL_RESERVE);
	/* There is room for saying so. */
	ck_assert_int_eq(journal_words(j, SIDE_BOTH, "full"), (int64_t)count);
	ck_assert_int_eq(journal_check(j, SIDE_BOTH, false, "a", "b"), (int64_t)count + 1);
	for (count += 2; (r = journal_words(j, SIDE_BOTH, "")) >= 0;)
		count++;
	ck_assert_int_eq(r, ERR_FULL);
	ck_assert_uint_eq(count, JOURNAL_ENTRIES);
	ck_assert_uint_eq(journal_count(j), JOURNAL_ENTRIES);
	ck_assert_str_eq(at(JOURNAL_ENTRIES - JOURNAL_RESERVE)->of.words.text, "full");
}
END_TEST

START_TEST(so_many_bytes_and_no_more)
{
	static uint8_t bytes[65536];
	struct journal_packet p = {.bytes = bytes, .length = sizeof(bytes)};
	uint64_t count = 0;

	while (journal_packet(j, SIDE_UDP, 0, &p) >= 0)
		count++;
	ck_assert_uint_eq(count, JOURNAL_BYTES / sizeof(bytes));
	ck_assert(journal_full(j));
	ck_assert_int_eq(journal_words(j, SIDE_BOTH, "full"), (int64_t)count);
}
END_TEST

Suite *journal_suite(void)
{
	Suite *suite = suite_create("journal");
	TCase *tests = tcase_create("journal");

	tcase_add_checked_fixture(tests, make, unmake);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, empty);
	tcase_add_test(tests, every_kind);
	tcase_add_test(tests, the_wall_clock);
	tcase_add_test(tests, many_write_and_many_read);
	tcase_add_test(tests, waiting);
	tcase_add_test(tests, so_many_and_no_more);
	tcase_add_test(tests, so_many_bytes_and_no_more);
	suite_add_tcase(suite, tests);
	return suite;
}
