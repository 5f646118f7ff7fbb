/*
 * The JSON writer: escapes, broken UTF-8, numbers, times, arrays.
 */
#include "common/json.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static char *written;
static size_t written_length;
static FILE *out;
static struct json json;

static void setup(void)
{
	out = open_memstream(&written, &written_length);
	ck_assert_ptr_nonnull(out);
	json_begin(&json, out);
}

static void teardown(void)
{
	fclose(out);
	free(written);
}

static void expect(const char *text)
{
	json_end(&json);
	fflush(out);
	ck_assert_str_eq(written, text);
}

static const struct {
	const char *text;
	size_t length;
	const char *json;
} strings[] = {
	{"", 0, "{\"t\":\"\"}\n"},
	{"hello", 5, "{\"t\":\"hello\"}\n"},
	{"\"\\/", 3, "{\"t\":\"\\\"\\\\/\"}\n"},
	{"a\nb\tc", 5, "{\"t\":\"a\\nb\\tc\"}\n"},
	{"\0\x1f\x7f", 3, "{\"t\":\"\\u0000\\u001f\\u007f\"}\n"},
	{"\xc2\x9b", 2, "{\"t\":\"\\u009b\"}\n"},     /* C1 */
	{"\xe2\x80\xae", 3, "{\"t\":\"\\u202e\"}\n"}, /* direction override */
	{"\xd0\xbf\xf0\x9f\x98\x80", 6, "{\"t\":\"\xd0\xbf\xf0\x9f\x98\x80\"}\n"},
	{"\xf0\x9f\xbf\xbe", 4, "{\"t\":\"\\ud83f\\udffe\"}\n"}, /* noncharacter U+1FFFE */
	{"a\xff"
	 "b",
		3,
		"{\"t\":\"a\xef\xbf\xbd"
		"b\"}\n"},
	{"\xc0\x80", 2, "{\"t\":\"\xef\xbf\xbd\xef\xbf\xbd\"}\n"},
	{"\xe2\x82", 2, "{\"t\":\"\xef\xbf\xbd\xef\xbf\xbd\"}\n"},
};

START_TEST(test_strings)
{
	json_text_n(&json, "t", strings[_i].text, strings[_i].length);
	expect(strings[_i].json);
}
END_TEST

/* The same into memory. */
START_TEST(test_escaping)
{
	char into[128], whole[160];

	ck_assert_ptr_eq(
		json_escape(strings[_i].text, strings[_i].length, into, sizeof(into)), into);
	snprintf(whole, sizeof(whole), "{\"t\":\"%s\"}\n", into);
	ck_assert_str_eq(whole, strings[_i].json);
}
END_TEST

/* Every size of the buffer: terminated, inside it, and no escape or character cut in two. */
START_TEST(test_escaping_is_cut)
{
	static const char text[] = "a\"\xd0\xbf\x01\xf0\x9f\xbf\xbe\xff";
	static const char *const pieces[] = {
		"a", "\\\"", "\xd0\xbf", "\\u0001", "\\ud83f\\udffe", "\xef\xbf\xbd"};

	for (size_t size = 0; size < 40; size++) {
		char expected[64] = "", *into = malloc(size + 1);
		ck_assert_ptr_nonnull(into);
		into[size] = '#';
		for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
			if (strlen(expected) + strlen(pieces[i]) >= size)
				break;
			strcat(expected, pieces[i]);
		}
		json_escape(text, sizeof(text) - 1, into, size);
		ck_assert_int_eq(into[size], '#');
		if (size > 0)
			ck_assert_str_eq(into, expected);
		free(into);
	}
}
END_TEST

START_TEST(test_objects_and_fractions)
{
	json_object_begin(&json, "none");
	json_object_end(&json);
	json_object_begin(&json, "some");
	json_fixed(&json, "a", 1234567, 6);
	json_fixed(&json, "b", 7, 3);
	json_fixed(&json, "c", UINT64_MAX, 0);
	json_fixed(&json, "d", UINT64_MAX, 9);
	json_object_end(&json);
	json_null(&json, "after");
	expect("{\"none\":{},\"some\":{\"a\":1.234567,\"b\":0.007,\"c\":18446744073709551615,"
	       "\"d\":18446744073.709551615},\"after\":null}\n");
}
END_TEST

START_TEST(test_members)
{
	static const uint8_t bytes[] = {0x00, 0x9f, 0xff};

	json_text(&json, "a", NULL);
	json_null(&json, "b");
	json_bool(&json, "c", true);
	json_bool(&json, "d", false);
	json_number(&json, "e", INT64_MIN);
	json_unsigned(&json, "f", UINT64_MAX);
	json_hex(&json, "g", bytes, sizeof(bytes));
	expect("{\"a\":null,\"b\":null,\"c\":true,\"d\":false,\"e\":-9223372036854775808,"
	       "\"f\":18446744073709551615,\"g\":\"009fff\"}\n");
}
END_TEST

START_TEST(test_empty)
{
	expect("{}\n");
}
END_TEST

START_TEST(test_arrays)
{
	json_array_begin(&json, "none");
	json_array_end(&json);
	json_array_begin(&json, "two");
	json_array_text(&json, "a");
	json_array_text(&json, "\"");
	json_array_end(&json);
	json_array_begin(&json, "mixed");
	json_unsigned(&json, NULL, 7);
	json_object_begin(&json, NULL);
	json_object_end(&json);
	json_object_begin(&json, NULL);
	json_null(&json, "n");
	json_object_end(&json);
	json_fixed(&json, NULL, 15, 1);
	json_array_end(&json);
	json_null(&json, "after");
	expect("{\"none\":[],\"two\":[\"a\",\"\\\"\"],\"mixed\":[7,{},{\"n\":null},1.5],"
	       "\"after\":null}\n");
}
END_TEST

static const struct {
	uint64_t us;
	const char *text;
} times[] = {
	{0, "1970-01-01T00:00:00.000000Z"},
	{951782400000001, "2000-02-29T00:00:00.000001Z"},
	{1795375514123456, "2026-11-22T19:25:14.123456Z"},
	{253402300799999999, "9999-12-31T23:59:59.999999Z"},
	{253402300800000000, "9999-12-31T23:59:59.999999Z"},
	{UINT64_MAX, "9999-12-31T23:59:59.999999Z"},
};

START_TEST(test_times)
{
	char text[JSON_TIME_MAX];

	ck_assert_str_eq(json_print_time(times[_i].us, text), times[_i].text);
}
END_TEST

Suite *json_suite(void)
{
	Suite *s = suite_create("json");
	TCase *t = tcase_create("json");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, test_strings, 0, sizeof(strings) / sizeof(strings[0]));
	tcase_add_loop_test(t, test_escaping, 0, sizeof(strings) / sizeof(strings[0]));
	tcase_add_test(t, test_escaping_is_cut);
	tcase_add_test(t, test_objects_and_fractions);
	tcase_add_test(t, test_members);
	tcase_add_test(t, test_empty);
	tcase_add_test(t, test_arrays);
	tcase_add_loop_test(t, test_times, 0, sizeof(times) / sizeof(times[0]));
	suite_add_tcase(s, t);
	return s;
}
