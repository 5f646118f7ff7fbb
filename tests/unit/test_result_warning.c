/*
 * What is said of a result: whether it is sound, and how much its figures are worth.
 */
#include "tests/unit/result_sample.h"

#include <check.h>
#include <string.h>

static struct result *r;

static void setup(void)
{
	r = result_sample_new();
}

static void teardown(void)
{
	result_sample_free(r);
}

static const struct {
	double own_cpu, own_wait, own_pause, load_seconds, seconds;
	uint64_t unsent, disconnected;
	const char *first, *second; /* how they begin; NULL: there is none */
} warnings[] = {
	{0.75, 0, 0, 2, 2, 0, 0, NULL, NULL},
	{0.9, 0, 0, 2, 2, 0, 0, "this program had 90 % of a core, so it may have been", NULL},
	{0.99, 0, 0, 0.09, 0.09, 0, 0, NULL, NULL}, /* of such a short time */
	{0.91, 0, 0, 2, 2, 0, 0, "this program had no CPU to spare", NULL},
	{0.91, 0.05, 0, 2, 2, 0, 0, "this program had no CPU to spare", NULL},
	{0.5, 0.45, 0, 2, 2, 0, 0, "this program had to wait for a processor 45 % of the time",
		NULL},
	{0.5, 0.35, 0, 2, 2, 0, 0, NULL, NULL},
	{0.75, 0.2, 0, 2, 2, 0, 0, NULL, NULL},
	{0.1, 0, 6.54, 2, 2, 0, 0, "this program was not let run for 6.5 s", NULL},
	{0.1, 0, 0, 2, 2, 11, 0,
		"11 messages that were due had not been sent when the load ended: the rate", NULL},
	{0.1, 0, 0, 2, 2, 10, 0, "10 messages that were due had not been sent when the load ended",
		NULL},
	{0.1, 0, 0, 2, 2, 7, 1,
		"7 messages that were due had not been sent when the load ended: senders", NULL},
	{0.1, 0, 0, 10, 11.9, 0, 0, NULL, NULL},
	{0.1, 0, 0, 10, 12.1, 0, 0, "what was due within 10.0 s took 12.1 s to come", NULL},
	{0.99, 0, 0, 10, 20, 5, 0, "this program had no CPU", "5 messages that were due"},
};

START_TEST(warned_of)
{
	char text[RESULT_VERDICT];

	r->churn = 0;
	r->own_cpu = warnings[_i].own_cpu;
	r->own_wait = warnings[_i].own_wait;
	r->own_pause = warnings[_i].own_pause;
	r->load_seconds = warnings[_i].load_seconds;
	r->by_second[1].at_ms = (uint64_t)(warnings[_i].seconds * 1000);
	r->by_second[1].delivered = 31; /* of 3,000 */
	r->seconds = warnings[_i].seconds;
	r->unsent = warnings[_i].unsent;
	r->disconnected = r->senders_out = warnings[_i].disconnected;
	const char *wanted[] = {warnings[_i].first, warnings[_i].second};
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_int_eq(result_warning(r, i, text), wanted[i] != NULL);
		const char *begins = wanted[i] ? wanted[i] : "";
		ck_assert_msg(strncmp(text, begins, strlen(begins)) == 0, "%s", text);
	}
}
END_TEST

/* A server that held up a few at the end is not behind the rate. */
START_TEST(few_were_late)
{
	char text[RESULT_VERDICT];

	r->churn = 0;
	r->seconds = 5;
	r->by_second[1].at_ms = 5000;
	r->by_second[1].delivered = 30;
	ck_assert(!result_warning(r, 0, text));
	r->by_second[1].delivered = 31;
	ck_assert(result_warning(r, 0, text));
	ck_assert_str_eq(text,
		"what was due within 2.0 s took 5.0 s to come: the rate is more than can "
		"be kept up");
}
END_TEST

/* Whoever was not let run cannot have kept up; and only those who speak are missed where something was not
 * sent. */
START_TEST(no_reason_to_blame)
{
	char text[RESULT_VERDICT];

	r->churn = 0;
	r->unsent = 500;
	r->disconnected = 1;
	ck_assert(result_warning(r, 0, text));
	ck_assert_ptr_nonnull(strstr(text, "the rate is more than can be kept up"));
	r->own_pause = 2;
	r->seconds = 4;
	r->by_second[1].at_ms = 4000;
	r->by_second[1].delivered = 500;
	ck_assert(result_warning(r, 1, text));
	ck_assert_str_eq(text, "500 messages that were due had not been sent when the load ended");
	ck_assert(!result_warning(r, 2, text));
	r->seconds = 6;
	r->by_second[1].at_ms = 6000;
	ck_assert(result_warning(r, 2, text));
}
END_TEST

START_TEST(fewer_came_and_went)
{
	char text[RESULT_VERDICT];

	r->churn = 100;
	r->churned = 179;
	ck_assert(!result_warning(r, 0, text));
	r->churned = 178;
	ck_assert(result_warning(r, 0, text));
	ck_assert_ptr_nonnull(strstr(text, "178 clients left and returned of the 200 that"));
	r->churned = 7;
	r->churn = 0;
	ck_assert(!result_warning(r, 0, text));
}
END_TEST

START_TEST(paused_while_connecting)
{
	char text[RESULT_VERDICT];

	r->churn = 0;
	r->connect_pause = 0.64;
	ck_assert(result_warning(r, 0, text));
	ck_assert_str_eq(text,
		"this program was not let run for 0.6 s while clients connected, which so "
		"took longer");
	ck_assert(!result_warning(r, 1, text));
}
END_TEST

START_TEST(waited_in_vain)
{
	char text[RESULT_VERDICT];

	r->churn = 0;
	r->waited_in_vain = 0.01;
	ck_assert(!result_warning(r, 0, text));
	r->waited_in_vain = 0.98;
	ck_assert(result_warning(r, 0, text));
	ck_assert_ptr_nonnull(strstr(text, "senders waited 98 % of their time for messages that"));
	r->waited_in_vain = 0;
}
END_TEST

START_TEST(lost_with_a_connection)
{
	char text[RESULT_VERDICT];

	r->lost = 1234;
	r->lost_disconnected = 1200;
	r->disconnected = 1;
	ck_assert(!result_verdict(r, text));
	ck_assert_str_eq(text, "1,234 lost (1,200 to or of who was disconnected), 1 disconnected");
}
END_TEST

START_TEST(verdicts)
{
	char text[RESULT_VERDICT];

	ck_assert(result_verdict(r, text));
	ck_assert_str_eq(text, "every message came to everybody once and in order");
	r->no_end = true;
	ck_assert(!result_verdict(r, text));
	ck_assert_str_eq(text, "messages still came when waiting for them ended, and 0 deliveries "
			       "were still to come");
	r->no_end = false;
	r->partly_away = true;
	ck_assert(result_verdict(r, text));
	ck_assert_str_eq(text, "every message came once and in order to everybody who was there");
	r->partly_away = false;
	r->unacknowledged = 3;
	r->gaps = 2;
	r->waited = 10;
	ck_assert(!result_verdict(r, text));
	ck_assert_str_eq(text,
		"3 not acknowledged, 2 times the server no longer had what a client was to get, "
		"nothing more had come for 10 s (--patience)");
	/* Whoever stops it does not wait for them; and that nothing comes after all has is no news. */
	r->gaps = 0;
	r->stopped = true;
	ck_assert(result_verdict(r, text));
	ck_assert_str_eq(text, "stopped early; what came until then came once and in order");
	r->outstanding = 1;
	ck_assert(result_verdict(r, text));
	ck_assert_str_eq(text, "stopped early; what came until then came once and in order, and 1 "
			       "delivery was still "
			       "to come");
	r->outstanding = 0;
	r->stopped = false;
	r->unacknowledged = 0;
	ck_assert(result_verdict(r, text));
	ck_assert_str_eq(text, "every message came to everybody once and in order");
	r->waited = 0;
	r->disconnected = 1;
	ck_assert(!result_verdict(r, text));
	ck_assert(result_is_sound(r));
	ck_assert_str_eq(text, "1 disconnected");
	r->lost = r->doubled = r->reordered = r->foreign = 0;
	uint64_t *each[] = {&r->lost, &r->doubled, &r->reordered, &r->foreign};
	for (size_t i = 0; i < 4; i++) {
		*each[i] = 1;
		ck_assert(!result_is_sound(r));
		*each[i] = 0;
	}
	r->lost = r->doubled = r->reordered = r->foreign = r->disconnected = UINT64_MAX;
	r->connected = 0;
	r->clients = UINT32_MAX;
	r->delivered = 0;
	ck_assert(!result_verdict(r, text));
	ck_assert_ptr_nonnull(strstr(text, ", 4,294,967,295 did not get in, nothing was del"));
	r->clients = 3;
}
END_TEST

Suite *result_warning_suite(void)
{
	Suite *s = suite_create("result_warning");
	TCase *c = tcase_create("result_warning");

	tcase_set_timeout(c, 60);
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, few_were_late);
	tcase_add_test(c, fewer_came_and_went);
	tcase_add_test(c, no_reason_to_blame);
	tcase_add_test(c, lost_with_a_connection);
	tcase_add_test(c, paused_while_connecting);
	tcase_add_test(c, verdicts);
	tcase_add_test(c, waited_in_vain);
	tcase_add_loop_test(c, warned_of, 0, sizeof(warnings) / sizeof(warnings[0]));
	suite_add_tcase(s, c);
	return s;
}
