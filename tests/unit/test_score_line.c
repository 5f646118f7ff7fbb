/*
 * Counters: each is shown, and each that is shown is explained.
 */
#include "tools/lab/score_line.h"

#include <check.h>
#include <stdbool.h>
#include <string.h>

static void line_is(const struct items *i, const char *text)
{
	char out[ITEMS_LINE];

	ck_assert_str_eq(items_row(i, ITEMS_LINE, 0, out), text);
}

START_TEST(messages)
{
	struct score x = {
		.sent = 6, .received = 1, .lost = 2, .twice = 3, .late = 4, .in_flight = 5};
	struct items i;

	histogram_view_add(&x.latency_us, 20000);
	score_line_messages(&x, &i);
	line_is(&i, "sent 6  received 1  lost 2  twice 3  late 4  waiting 5  p50 20.0 ms  "
		    "p99 20.0 ms");
	x.received = 0;
	score_line_messages(&x, &i);
	line_is(&i, "sent 6  received 0  lost 2  twice 3  late 4  waiting 5  p50 -  p99 -");
}
END_TEST

/* Nothing numbered is no count of 0: datagrams may well have been sent and lost. */
START_TEST(none_numbered)
{
	struct score x = {0};
	struct items i;

	score_line_messages(&x, &i);
	line_is(&i, "sent -  received -  lost -  twice -  late -  waiting -  p50 -  p99 -");
}
END_TEST

static const struct wire_counts counts = {.sent = 1,
	.lost = 2,
	.overflowed = 3,
	.duplicated = 4,
	.reordered = 5,
	.retransmitted = 6,
	.duplicate_acks = 7};

START_TEST(packets)
{
	size_t in_flight = 8;
	struct items i;

	score_line_packets(SIDE_TCP, &counts, &in_flight, 0, &i);
	line_is(&i, "packets 1  dropped 2  no room 3  doubled 4  overtaken 5  on the wire 8  "
		    "dup ACKs 7  resent 6");
	score_line_packets(SIDE_TCP, &counts, &in_flight, 9, &i);
	line_is(&i, "packets 1  dropped 2  no room 3  doubled 4  overtaken 5  on the wire 8  "
		    "dup ACKs 7  resent 6  TCP_INFO 9");
	score_line_packets(SIDE_UDP, &counts, &in_flight, 0, &i);
	line_is(&i, "packets 1  dropped 2  no room 3  doubled 4  overtaken 5  on the wire 8");
}
END_TEST

/* A relay sees datagrams, and bytes of streams, but no packets. */
START_TEST(no_wire)
{
	struct items i;

	score_line_packets(SIDE_UDP, &counts, NULL, 0, &i);
	line_is(&i, "packets 1  dropped 2  no room 3  doubled 4  overtaken 5");
	score_line_packets(SIDE_TCP, &counts, NULL, 9, &i);
	ck_assert_uint_eq(i.count, 0);
}
END_TEST

/* In the order in which they are shown. */
START_TEST(explained)
{
	struct score x = {.received = 1};
	struct items first, second;
	size_t in_flight = 0, count, at = 0;
	const struct score_term *terms = score_line_terms(&count);

	score_line_messages(&x, &first);
	score_line_packets(SIDE_TCP, &counts, &in_flight, 1, &second);
	ck_assert_uint_eq(first.count + second.count, count);
	for (; at < count; at++) {
		const char *item =
			at < first.count ? first.text[at] : second.text[at - first.count];
		size_t length = strlen(terms[at].name);
		ck_assert_msg(strncmp(item, terms[at].name, length) == 0 && item[length] == ' ',
			"\"%s\" is explained as \"%s\"", item, terms[at].name);
		ck_assert_uint_gt(strlen(terms[at].meaning), 0);
	}
}
END_TEST

Suite *score_line_suite(void)
{
	Suite *suite = suite_create("score_line");
	TCase *tests = tcase_create("score_line");

	tcase_add_test(tests, messages);
	tcase_add_test(tests, none_numbered);
	tcase_add_test(tests, packets);
	tcase_add_test(tests, no_wire);
	tcase_add_test(tests, explained);
	suite_add_tcase(suite, tests);
	return suite;
}
