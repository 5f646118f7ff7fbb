/*
 * Marks: what is written is read again, and what is damaged at any place is none.
 */
#include "tools/stress/mark.h"

#include "common/err.h"

#include <check.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const struct mark marks[] = {
	{.run = 0, .sender = 0, .counter = 1, .due = 0, .lag = 0},
	{.run = 0x00abcd,
		.sender = 0x12345,
		.counter = 0x6789abcd,
		.due = 0xef0123456789,
		.lag = 0x12345678},
	{.run = MARK_RUNS - 1,
		.sender = MARK_SENDERS - 1,
		.counter = UINT32_MAX,
		.due = MARK_DUE_MAX,
		.lag = MARK_LAG_MAX},
};
#define MARKS ((int)(sizeof(marks) / sizeof(marks[0])))

static void assert_same(const struct mark *a, const struct mark *b)
{
	ck_assert_uint_eq(a->run, b->run);
	ck_assert_uint_eq(a->sender, b->sender);
	ck_assert_uint_eq(a->counter, b->counter);
	ck_assert_uint_eq(a->due, b->due);
	ck_assert_uint_eq(a->lag, b->lag);
}

START_TEST(its_text)
{
	char text[40];

	text[36] = '!';
	mark_write(&marks[1], text, 36);
	ck_assert_mem_eq(text, "LAKvNASNFBniavN7wEjRWeJSNFZ4heLAKvNA!", 37);
}
END_TEST

START_TEST(written_and_read)
{
	for (size_t size = MARK_LENGTH; size < MARK_LENGTH + 40; size++) {
		struct mark again;
		char *text = malloc(size);
		ck_assert_ptr_nonnull(text);
		mark_write(&marks[_i], text, size);
		ck_assert_int_eq(mark_read(text, size, &again), 0);
		assert_same(&again, &marks[_i]);
		for (size_t i = MARK_LENGTH; i < size; i++)
			ck_assert_int_eq(text[i], text[i % MARK_LENGTH]);
		free(text);
	}
}
END_TEST

/* The beginning of a message, and from any place on the end of the next. */
START_TEST(torn)
{
	enum {
		SIZE = 3 * MARK_LENGTH + 7
	};
	char one[SIZE], other[SIZE];
	struct mark m = marks[1];

	mark_write(&m, one, SIZE);
	m.counter++;
	mark_write(&m, other, SIZE);
	for (size_t at = 1; at < SIZE; at++) {
		char text[SIZE];
		memcpy(text, one, at);
		memcpy(text + at, other + at, SIZE - at);
		bool same = memcmp(text, one, SIZE) == 0 || memcmp(text, other, SIZE) == 0;
		ck_assert_int_eq(mark_read(text, SIZE, &m), same ? 0 : ERR_PROTOCOL);
	}
}
END_TEST

START_TEST(every_truncation)
{
	char text[MARK_LENGTH];

	mark_write(&marks[_i], text, sizeof(text));
	for (size_t length = 0; length < sizeof(text); length++) {
		struct mark m = {.run = 77};
		char *exact = malloc(length > 0 ? length : 1);
		ck_assert_ptr_nonnull(exact);
		memcpy(exact, text, length);
		ck_assert_int_eq(mark_read(exact, length, &m), ERR_PROTOCOL);
		ck_assert_uint_eq(m.run, 77);
		free(exact);
	}
}
END_TEST

/* At each place, each other byte: what is no digit is found always, and another digit nearly so. */
START_TEST(every_other_byte)
{
	enum {
		SIZE = MARK_LENGTH + 5
	};
	unsigned unfound = 0;

	for (size_t at = 0; at < SIZE; at++) {
		for (int byte = 0; byte < 256; byte++) {
			char text[SIZE];
			struct mark m = {.run = 77};
			mark_write(&marks[_i], text, sizeof(text));
			if (text[at] == (char)byte)
				continue;
			text[at] = (char)byte;
			int r = mark_read(text, sizeof(text), &m);
			bool digit = byte == '-' || byte == '_' || (byte < 128 && isalnum(byte));
			if (r == 0 && digit && at > 0 && at < MARK_LENGTH) {
				char again[SIZE];
				mark_write(&m, again, sizeof(again));
				ck_assert_mem_eq(again, text, sizeof(text));
				unfound++;
				continue;
			}
			ck_assert_int_eq(r, ERR_PROTOCOL);
			ck_assert_uint_eq(m.run, 77);
		}
	}
	/* Of 29 * 63. */
	ck_assert_uint_le(unfound, 5);
}
END_TEST

/* The first message of a sender has number 1, and there are only so many senders: also where the check is
 * right. */
START_TEST(no_such_number)
{
	unsigned read = 0;

	for (unsigned i = 0; i < 4096; i++) {
		static const char digits[] =
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
		char none[MARK_LENGTH + 1] = "LAKvNASNFAAAAAA7wEjRWeJSNFZ4..";
		char strange[MARK_LENGTH + 1] = "LAKvN____BniavN7wEjRWeJSNFZ4..";
		char large[MARK_LENGTH + 1] = "LAKvNASNF_____-7wEjRWeJSNFZ4..";
		char good[MARK_LENGTH + 1] = "LAKvNASNFBniavN7wEjRWeJSNFZ4..";
		char *const texts[] = {none, strange, large, good};
		for (size_t k = 0; k < 4; k++) {
			struct mark m;
			texts[k][MARK_LENGTH - 2] = digits[i / 64];
			texts[k][MARK_LENGTH - 1] = digits[i % 64];
			int r = mark_read(texts[k], MARK_LENGTH, &m);
			ck_assert(r == ERR_PROTOCOL || k == 3);
			read += r == 0;
		}
	}
	ck_assert_uint_eq(read, 1);
}
END_TEST

Suite *mark_suite(void)
{
	Suite *s = suite_create("mark");
	TCase *t = tcase_create("mark");

	tcase_add_test(t, its_text);
	tcase_add_loop_test(t, written_and_read, 0, MARKS);
	tcase_add_test(t, torn);
	tcase_add_loop_test(t, every_truncation, 0, MARKS);
	tcase_add_loop_test(t, every_other_byte, 0, MARKS);
	tcase_add_test(t, no_such_number);
	suite_add_tcase(s, t);
	return s;
}
