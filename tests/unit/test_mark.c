/*
 * Marks: what is written is read again, and what is damaged at any place is none.
 */
#include "tools/stress/mark.h"

#include "common/err.h"

#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const struct mark marks[] = {
	{.run = 0, .sender = 0, .counter = 1, .due = 0},
	{.run = 0x00abcd, .sender = 0x12345, .counter = 0x6789abcd, .due = 0xef01234567},
	{.run = MARK_RUNS - 1,
		.sender = MARK_SENDERS - 1,
		.counter = UINT32_MAX,
		.due = (UINT64_C(1) << 40) - 1},
};
#define MARKS ((int)(sizeof(marks) / sizeof(marks[0])))

static void assert_same(const struct mark *a, const struct mark *b)
{
	ck_assert_uint_eq(a->run, b->run);
	ck_assert_uint_eq(a->sender, b->sender);
	ck_assert_uint_eq(a->counter, b->counter);
	ck_assert_uint_eq(a->due, b->due);
}

START_TEST(its_text)
{
	char text[40];

	text[36] = '!';
	mark_write(&marks[1], text, 36);
	ck_assert_mem_eq(text, "L00abcd123456789abcdef01234567......!", 37);
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
			ck_assert_int_eq(text[i], '.');
		free(text);
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

/* At each place, each byte that is none of its digits. */
START_TEST(every_other_byte)
{
	for (size_t at = 0; at < MARK_LENGTH; at++) {
		for (int byte = 0; byte < 256; byte++) {
			char text[MARK_LENGTH];
			struct mark m = {.run = 77};
			mark_write(&marks[_i], text, sizeof(text));
			text[at] = (char)byte;
			bool good = at == 0 ? byte == 'L'
					    : byte != 0 && strchr("0123456789abcdef", byte);
			int r = mark_read(text, sizeof(text), &m);
			if (!good) {
				ck_assert_int_eq(r, ERR_PROTOCOL);
				ck_assert_uint_eq(m.run, 77);
			} else if (r == 0) {
				char again[MARK_LENGTH];
				mark_write(&m, again, sizeof(again));
				ck_assert_mem_eq(again, text, sizeof(text));
			}
		}
	}
}
END_TEST

/* The first message of a sender has number 1. */
START_TEST(no_counter)
{
	struct mark m;

	ck_assert_int_eq(mark_read("L00abcd1234500000001ef01234567", MARK_LENGTH, &m), 0);
	ck_assert_int_eq(
		mark_read("L00abcd1234500000000ef01234567", MARK_LENGTH, &m), ERR_PROTOCOL);
}
END_TEST

Suite *mark_suite(void)
{
	Suite *s = suite_create("mark");
	TCase *t = tcase_create("mark");

	tcase_add_test(t, its_text);
	tcase_add_loop_test(t, written_and_read, 0, MARKS);
	tcase_add_loop_test(t, every_truncation, 0, MARKS);
	tcase_add_loop_test(t, every_other_byte, 0, MARKS);
	tcase_add_test(t, no_counter);
	suite_add_tcase(s, t);
	return s;
}
