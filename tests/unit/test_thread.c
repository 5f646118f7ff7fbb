/*
 * Starting threads: name, argument, result, and a machine without room.
 */
#include "server/thread.h"

#include "common/err.h"

#include <check.h>
#include <errno.h>
#include <string.h>

static void *ask_name(void *argument)
{
	char *name = argument;

	return pthread_getname_np(pthread_self(), name, 16) == 0 ? name : NULL;
}

static const struct {
	const char *given, *name;
} names[] = {
	{"a", "a"},
	{"123456789012345", "123456789012345"},
	{"1234567890123456", "123456789012345"},
};

START_TEST(named_and_joined)
{
	pthread_t thread;
	char name[16] = "";
	void *result;

	ck_assert_int_eq(thread_start(&thread, names[_i].given, thread_stack(), ask_name, name), 0);
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	ck_assert_ptr_eq(result, name);
	ck_assert_str_eq(name, names[_i].name);
}
END_TEST

START_TEST(no_room_for_one_more)
{
	pthread_t thread;
	char name[16] = "";

	errno = 0;
	ck_assert_int_eq(
		thread_start(&thread, "huge", (size_t)1 << 50, ask_name, name), ERR_SYSTEM);
	ck_assert_int_ne(errno, 0);
}
END_TEST

Suite *thread_suite(void)
{
	Suite *s = suite_create("thread");
	TCase *c = tcase_create("thread");

	tcase_add_loop_test(c, named_and_joined, 0, sizeof(names) / sizeof(names[0]));
	tcase_add_test(c, no_room_for_one_more);
	suite_add_tcase(s, c);
	return s;
}
