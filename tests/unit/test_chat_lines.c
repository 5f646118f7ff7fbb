/*
 * What was said and what is read: once, in order, by both.
 */
#include "tools/lab/chat_lines.h"

#include "common/err.h"

#include <check.h>
#include <string.h>

static struct chat_lines l;

static void setup(void)
{
	memset(&l, 0, sizeof(l));
	ck_assert_int_eq(chat_lines_say(&l, 0, "one"), 0);
	ck_assert_int_eq(chat_lines_say(&l, 1, "two"), 1);
	ck_assert_int_eq(chat_lines_say(&l, 0, "one"), 2); /* the same again is another line */
	ck_assert_int_eq(chat_lines_say(&l, 0, "three"), 3);
}

static void teardown(void)
{
	chat_lines_fini(&l);
}

START_TEST(script)
{
	static const char *const bad[] = {"", "a", "a:", "a: ", "c: hello", "hello", "ab: hello",
		"a: \x1b[2J", "a: \xff", "A: hello"};
	const char *text;
	int who;

	ck_assert_int_eq(chat_lines_read("a: hello", &who, &text), 0);
	ck_assert_int_eq(who, 0);
	ck_assert_str_eq(text, "hello");
	ck_assert_int_eq(chat_lines_read("b:b: hello", &who, &text), 0);
	ck_assert_int_eq(who, 1);
	ck_assert_str_eq(text, "b: hello");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_msg(chat_lines_read(bad[i], &who, &text) == ERR_ARGUMENT, "%s", bad[i]);
		ck_assert(chat_lines_is_nothing(bad[i]) == !*bad[i]);
	}
	ck_assert(chat_lines_is_nothing(" \t"));
	ck_assert(chat_lines_is_nothing("# a: hello"));
	ck_assert(chat_lines_is_nothing("  # hello"));
	ck_assert(!chat_lines_is_nothing("a: # hello"));
}
END_TEST

static void read_all(int by)
{
	ck_assert_int_eq(chat_lines_print(&l, by, "[lobby] b: two"), 1);
	ck_assert_int_eq(chat_lines_print(&l, by, "[lobby] a: one"), 0);
	ck_assert_int_eq(chat_lines_print(&l, by, "[lobby] a: one"), 2);
	ck_assert(!chat_lines_good(&l, by));
	ck_assert_int_eq(chat_lines_print(&l, by, "[lobby] a: three"), 3);
}

START_TEST(good)
{
	read_all(0);
	ck_assert(chat_lines_good(&l, 0));
	ck_assert(!chat_lines_all(&l));
	ck_assert(chat_lines_same_order(&l));
	read_all(1);
	ck_assert(chat_lines_good(&l, 1));
	ck_assert(chat_lines_all(&l));
	ck_assert(chat_lines_same_order(&l));
	ck_assert_int_eq(chat_lines_who(&l, 1), 1);
	ck_assert_int_eq(chat_lines_who(&l, 3), 0);
}
END_TEST

START_TEST(another_order)
{
	read_all(0);
	(void)chat_lines_print(&l, 1, "[lobby] a: one");
	(void)chat_lines_print(&l, 1, "[lobby] b: two");
	ck_assert(!chat_lines_same_order(&l));
}
END_TEST

START_TEST(wrong)
{
	/* The third before the second. */
	ck_assert_int_eq(chat_lines_print(&l, 0, "[lobby] a: three"), -1);
	ck_assert_uint_eq(l.seen[0].late, 1);
	read_all(0);
	ck_assert(!chat_lines_good(&l, 0));
	/* Once more. */
	read_all(1);
	ck_assert_int_eq(chat_lines_print(&l, 1, "[lobby] b: two"), -1);
	ck_assert_uint_eq(l.seen[1].twice, 1);
	ck_assert(!chat_lines_good(&l, 1));
}
END_TEST

START_TEST(strange)
{
	static const char *const lines[] = {"", "[lobby]", "[lobby] c: one", "[other] a: one",
		"[lobby] a: what nobody said", "[lobby] * a waves", "a: one"};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		ck_assert_int_eq(chat_lines_print(&l, 0, lines[i]), -1);
		ck_assert_msg(l.seen[0].strange == i + 1, "%s", lines[i]);
	}
	read_all(0);
	ck_assert(!chat_lines_good(&l, 0));
}
END_TEST

Suite *chat_lines_suite(void);

Suite *chat_lines_suite(void)
{
	Suite *s = suite_create("chat_lines");
	TCase *t = tcase_create("chat_lines");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, script);
	tcase_add_test(t, good);
	tcase_add_test(t, another_order);
	tcase_add_test(t, wrong);
	tcase_add_test(t, strange);
	suite_add_tcase(s, t);
	return s;
}
