/*
 * The tree, in particular what comes after a key, whether or not it is there.
 */
#include "server/tree.h"

#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define KEYS 500

Suite *tree_suite(void);

struct thing {
	uint32_t key;
	uint32_t value;
};

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static struct tree tree = {.compare = compare};
static bool there[KEYS + 1];

static void check_all(void)
{
	uint32_t next = KEYS;

	/* From above, so that the next one that is there is known. */
	for (uint32_t key = KEYS; key-- > 0;) {
		const struct thing *after = tree_after(&tree, &key);
		const struct thing *found = tree_find(&tree, &key);
		if (next == KEYS)
			ck_assert_ptr_null(after);
		else
			ck_assert_uint_eq(after->key, next);
		ck_assert_int_eq(found != NULL, there[key]);
		if (found)
			ck_assert_uint_eq(found->value, key * 3);
		next = there[key] ? key : next;
	}
}

START_TEST(things_come_and_go)
{
	uint32_t random = (uint32_t)_i;

	check_all();
	for (int round = 0; round < 2000; round++) {
		random = random * 1664525 + 1013904223;
		uint32_t key = (random >> 12) % KEYS;
		if (there[key]) {
			struct thing *t = tree_find(&tree, &key);
			tree_remove(&tree, t);
			free(t);
		} else {
			struct thing *t = tree_add(&tree, &key, sizeof(key), sizeof(*t));
			ck_assert_ptr_nonnull(t);
			ck_assert_uint_eq(t->key, key);
			ck_assert_uint_eq(t->value, 0);
			t->value = key * 3;
		}
		there[key] = !there[key];
		if (round % 50 == 0)
			check_all();
	}
	for (uint32_t key = 0; key < KEYS; key++) {
		struct thing *t = tree_find(&tree, &key);
		if (t) {
			tree_remove(&tree, t);
			free(t);
		}
		there[key] = false;
	}
	ck_assert_ptr_null(tree.root);
}
END_TEST

/* A thing in two trees at once: what one of them does is nothing to the other. */
START_TEST(in_two)
{
	struct thing things[10] = {0};
	struct tree all = {.compare = compare}, even = {.compare = compare};
	uint32_t first = 0, missing = 4;

	for (uint32_t i = 0; i < 10; i++) {
		things[i].key = i;
		ck_assert(tree_put(&all, &things[i]));
		if (i % 2 == 0)
			ck_assert(tree_put(&even, &things[i]));
	}
	ck_assert_ptr_eq(tree_after(&even, &first), &things[2]);
	tree_remove(&even, &things[4]);
	ck_assert_ptr_null(tree_find(&even, &missing));
	ck_assert_ptr_eq(tree_find(&all, &missing), &things[4]);
	ck_assert_ptr_eq(tree_after(&even, &things[2]), &things[6]);
	for (uint32_t i = 0; i < 10; i++) {
		tree_remove(&all, &things[i]);
		if (i % 2 == 0 && i != 4)
			tree_remove(&even, &things[i]);
	}
	ck_assert_ptr_null(all.root);
	ck_assert_ptr_null(even.root);
}
END_TEST

Suite *tree_suite(void)
{
	Suite *s = suite_create("tree");
	TCase *t = tcase_create("tree");

	tcase_add_loop_test(t, things_come_and_go, 0, 3);
	tcase_add_test(t, in_two);
	suite_add_tcase(s, t);
	return s;
}
