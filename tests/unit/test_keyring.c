/*
 * The keyring: a password for each place, for no other, and gone when it is forgotten.
 */
#include "client/keyring.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static struct keyring ring;

static void setup(void)
{
	ring = (struct keyring){0};
}

/* Is the text anywhere in the keyring's memory? */
static bool has(const char *text)
{
	return memmem(&ring, sizeof ring, text, strlen(text)) != NULL;
}

START_TEST(each_place_its_own)
{
	ck_assert_ptr_null(keyring_find(&ring, "a:1"));
	keyring_put(&ring, "a:1", "one");
	keyring_put(&ring, "a:2", "two");
	ck_assert_str_eq(keyring_find(&ring, "a:1"), "one");
	ck_assert_str_eq(keyring_find(&ring, "a:2"), "two");
	ck_assert_ptr_null(keyring_find(&ring, "a:"));
	keyring_put(&ring, "a:1", "uno");
	ck_assert_str_eq(keyring_find(&ring, "a:1"), "uno");
	ck_assert(!has("one"));
	ck_assert_uint_eq(ring.count, 2);
}
END_TEST

START_TEST(forgotten)
{
	keyring_put(&ring, "a:1", "one");
	keyring_put(&ring, "a:2", "two");
	keyring_forget(&ring, "a:3");
	keyring_forget(&ring, "a:1");
	ck_assert_ptr_null(keyring_find(&ring, "a:1"));
	ck_assert_str_eq(keyring_find(&ring, "a:2"), "two");
	ck_assert(!has("one"));
	keyring_wipe(&ring);
	ck_assert_ptr_null(keyring_find(&ring, "a:2"));
	ck_assert(!has("two"));
}
END_TEST

START_TEST(the_first_goes_first)
{
	char place[16];

	for (unsigned i = 0; i <= KEYRING_MOST; i++) {
		(void)snprintf(place, sizeof place, "a:%u", i);
		keyring_put(&ring, place, i == 0 ? "oldest" : "another");
	}
	ck_assert_uint_eq(ring.count, KEYRING_MOST);
	ck_assert_ptr_null(keyring_find(&ring, "a:0"));
	ck_assert(!has("oldest"));
	ck_assert_str_eq(keyring_find(&ring, "a:1"), "another");
	ck_assert_str_eq(keyring_find(&ring, place), "another");
}
END_TEST

Suite *keyring_suite(void)
{
	Suite *s = suite_create("keyring");
	TCase *t = tcase_create("places");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, each_place_its_own);
	tcase_add_test(t, forgotten);
	tcase_add_test(t, the_first_goes_first);
	suite_add_tcase(s, t);
	return s;
}
