/*
 * The ring: finding in it wherever it begins, and growing when it has turned.
 */
#include "server/memory_ring.h"

#include <check.h>
#include <stdlib.h>

#define ENTRIES 100

Suite *memory_ring_suite(void);

static struct stored *entries[ENTRIES];

static void set_up(void)
{
	/* Numbers without gaps, times in pairs, counters with gaps. */
	for (size_t i = 0; i < ENTRIES; i++) {
		entries[i] = calloc(1, sizeof(*entries[i]));
		ck_assert_ptr_nonnull(entries[i]);
		entries[i]->seq = i + 1;
		entries[i]->time = 100 + i / 2;
		entries[i]->counter = 3 * i + 1;
	}
}

static void tear_down(void)
{
	for (size_t i = 0; i < ENTRIES; i++)
		free(entries[i]);
}

static void check_ring(const struct ring *r, size_t first, size_t count)
{
	ck_assert_uint_eq(r->count, count);
	for (size_t i = 0; i < count; i++) {
		const struct stored *s = ring_at(r, i);
		ck_assert_ptr_eq(s, entries[first + i]);
		ck_assert_uint_eq(ring_above(r, RING_BY_SEQ, s->seq), i + 1);
		ck_assert_uint_eq(ring_above(r, RING_BY_SEQ, s->seq - 1), i);
		ck_assert_uint_eq(ring_above(r, RING_BY_COUNTER, s->counter), i + 1);
		ck_assert_uint_eq(ring_above(r, RING_BY_COUNTER, s->counter + 1), i + 1);
		ck_assert_uint_eq(ring_above(r, RING_BY_COUNTER, s->counter - 1), i);
		size_t above = ring_above(r, RING_BY_TIME, s->time);
		ck_assert(above == count || ring_at(r, above)->time > s->time);
		ck_assert_uint_eq(ring_at(r, above - 1)->time, s->time);
	}
	ck_assert_uint_eq(ring_above(r, RING_BY_SEQ, 0), 0);
	ck_assert_uint_eq(ring_above(r, RING_BY_TIME, UINT64_MAX), count);
}

/* At most `_i` at a time. */
START_TEST(entries_pass_through)
{
	struct ring ring = {0};
	size_t most = (size_t)_i, first = 0;

	check_ring(&ring, 0, 0);
	for (size_t i = 0; i < ENTRIES; i++) {
		ck_assert_int_eq(ring_reserve(&ring), 0);
		ring_push(&ring, entries[i]);
		if (ring.count > most) {
			ring_drop_first(&ring);
			first++;
		}
		check_ring(&ring, first, i + 1 - first);
	}
	while (ring.count) {
		ring_drop_first(&ring);
		first++;
		check_ring(&ring, first, ENTRIES - first);
	}
	ring_fini(&ring);
	check_ring(&ring, 0, 0);
}
END_TEST

/* It grows while its first entry is in the middle of the slots. */
START_TEST(growing_when_turned)
{
	struct ring ring = {0};
	size_t first = 0;

	for (size_t i = 0; i < ENTRIES; i++) {
		ck_assert_int_eq(ring_reserve(&ring), 0);
		ring_push(&ring, entries[i]);
		if (i % 3 == 0) {
			ring_drop_first(&ring);
			first++;
		}
		check_ring(&ring, first, i + 1 - first);
	}
	ring_fini(&ring);
}
END_TEST

Suite *memory_ring_suite(void)
{
	Suite *s = suite_create("memory_ring");
	TCase *t = tcase_create("ring");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_loop_test(t, entries_pass_through, 0, 20);
	tcase_add_test(t, growing_when_turned);
	suite_add_tcase(s, t);
	return s;
}
