/*
 * Logging: the shape of a line, escaping, levels, and lines of several threads.
 */
#include "common/log.h"

#include "common/err.h"
#include "common/lock.h"

#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static FILE *file;

static void setup(void)
{
	file = tmpfile();
	ck_assert_ptr_nonnull(file);
	log_set_file(file);
	log_set_level(LOG_LEVEL_DEBUG);
}

static void teardown(void)
{
	log_set_file(NULL);
	log_set_format(LOG_TEXT);
	(void)fclose(file);
}

/* All that was logged so far; the caller frees it. */
static char *logged(void)
{
	off_t size = lseek(fileno(file), 0, SEEK_END);
	char *text = malloc((size_t)size + 1);

	ck_assert_ptr_nonnull(text);
	ck_assert_int_eq(pread(fileno(file), text, (size_t)size, 0), size);
	text[size] = '\0';
	return text;
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; (text = strchr(text, '\n')); text++)
		n++;
	return n;
}

/* ---- escaping ---- */

static const struct {
	const char *text;
	size_t length;
	const char *escaped;
} escapes[] = {
	{"", 0, ""}, {"plain", 5, "plain"}, {"a\nb\tc\rd", 7, "a\\nb\\tc\\rd"},
	{"back\\slash", 10, "back\\\\slash"}, {"\033[31m", 5, "\\x1b[31m"}, {"\0", 1, "\\x00"},
	{"\x7f", 1, "\\x7f"}, {"привет", 12, "привет"},
	{"\xe6\xbc\xa2\xf0\x9f\x98\x80", 7, "\xe6\xbc\xa2\xf0\x9f\x98\x80"}, {"\xff", 1, "\\xff"},
	{"\xc2", 1, "\\xc2"}, {"\xe2\x82", 2, "\\xe2\\x82"}, {"\xc0\x80", 2, "\\xc0\\x80"},
	{"\xc2\x9b", 2, "\\xc2\\x9b"},          /* C1: a terminal may take it for ESC [ */
	{"\xe2\x80\xae", 3, "\\xe2\\x80\\xae"}, /* right-to-left override */
};

START_TEST(escape)
{
	char out[64];

	ck_assert_ptr_eq(log_escape(escapes[_i].text, escapes[_i].length, out, sizeof(out)), out);
	ck_assert_str_eq(out, escapes[_i].escaped);
}
END_TEST

/* Every size of the buffer: terminated, inside it, and no escape or character cut in two. */
START_TEST(escape_is_cut_between_characters)
{
	static const char text[] = "a\n\xd0\xbf\x01z";
	static const char *const fits[] = {"", "", "a", "a", "a\\n", "a\\n", "a\\n\xd0\xbf",
		"a\\n\xd0\xbf", "a\\n\xd0\xbf", "a\\n\xd0\xbf", "a\\n\xd0\xbf\\x01",
		"a\\n\xd0\xbf\\x01z"};

	for (size_t size = 0; size < sizeof(fits) / sizeof(fits[0]); size++) {
		char *out = malloc(size + 1); /* one more, for malloc(0) */
		ck_assert_ptr_nonnull(out);
		out[size] = '#';
		log_escape(text, sizeof(text) - 1, out, size);
		ck_assert_int_eq(out[size], '#');
		if (size > 0)
			ck_assert_str_eq(out, fits[size]);
		free(out);
	}
}
END_TEST

/* ---- lines ---- */

START_TEST(line_has_time_level_and_text)
{
	int year, month, day, hour, minute, second, milli, end = 0;

	log_info("hello %d", 42);
	char *text = logged();
	ck_assert_int_eq(sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ info    hello 42%n", &year,
				 &month, &day, &hour, &minute, &second, &milli, &end),
		7);
	ck_assert_int_gt(end, 0);
	ck_assert_str_eq(text + end, "\n");
	ck_assert_int_ge(year, 2024);
	free(text);
}
END_TEST

START_TEST(nobody_forges_a_line)
{
	log_warning("nick: %s", "x\n2026-01-01T00:00:00.000Z error   fire\033[2J");
	char *text = logged();
	ck_assert_uint_eq(count_lines(text), 1);
	ck_assert_ptr_null(strchr(text, '\033'));
	ck_assert_ptr_nonnull(strstr(text, "x\\n2026"));
	free(text);
}
END_TEST

START_TEST(long_text_is_cut)
{
	char *longer = malloc(100001);

	ck_assert_ptr_nonnull(longer);
	memset(longer, '\n', 100000); /* grows when escaped */
	longer[100000] = '\0';
	log_error("%s", longer);
	memset(longer, 'x', 100000);
	log_error("%s", longer);
	char *text = logged();
	ck_assert_uint_eq(count_lines(text), 2);
	ck_assert_uint_lt(strlen(text), 5000);
	ck_assert_int_eq(text[strlen(text) - 1], '\n');
	free(text);
	free(longer);
}
END_TEST

START_TEST(errno_is_kept)
{
	errno = ENOENT;
	log_error("it failed: %s", strerror(errno));
	ck_assert_int_eq(errno, ENOENT);
	char *text = logged();
	ck_assert_ptr_nonnull(strstr(text, "it failed: No such file"));
	free(text);
}
END_TEST

/* ---- JSON ---- */

/* A line without its time, which is checked to be one. */
static const char *after_time(const char *line)
{
	int parts[6], micro, end = 0;

	ck_assert_int_eq(
		sscanf(line, "{\"time\":\"%4d-%2d-%2dT%2d:%2d:%2d.%6dZ\",%n", &parts[0], &parts[1],
			&parts[2], &parts[3], &parts[4], &parts[5], &micro, &end),
		7);
	ck_assert_int_gt(end, 0);
	return line + end;
}

START_TEST(json_has_members)
{
	log_set_format(LOG_JSON);
	log_warning("x\n%s", "\"\033\xff\\");
	char *text = logged();
	ck_assert_str_eq(after_time(text), "\"level\":\"warning\",\"message\":\"x\\n\\\"\\u001b"
					   "\xef\xbf\xbd\\\\\"}\n");
	free(text);
}
END_TEST

START_TEST(json_says_whom_it_is_about)
{
	static const struct {
		struct log_about about;
		const char *members;
	} cases[] = {
		{{"[::1]:5", "an\"na"}, "\"peer\":\"[::1]:5\",\"nick\":\"an\\\"na\","},
		{{"[::1]:5", ""}, "\"peer\":\"[::1]:5\","},
		{{NULL, "anna"}, "\"nick\":\"anna\","},
		{{NULL, NULL}, ""},
	};
	char expected[128];

	log_set_format(LOG_JSON);
	log_about(LOG_LEVEL_INFO, &cases[_i].about, "logged %s", "in");
	char *text = logged();
	snprintf(expected, sizeof(expected), "\"level\":\"info\",%s\"message\":\"logged in\"}\n",
		cases[_i].members);
	ck_assert_str_eq(after_time(text), expected);
	free(text);
}
END_TEST

/* In text, the words say it. */
START_TEST(text_says_no_more_than_the_words)
{
	log_about(LOG_LEVEL_INFO, &(struct log_about){"peer", "nick"}, "words");
	char *text = logged();
	ck_assert_ptr_nonnull(strstr(text, "Z info    words\n"));
	free(text);
}
END_TEST

/* Whatever is in it, the longest line is whole: it ends as it should, and is one. */
START_TEST(json_is_cut_inside_its_message)
{
	static const char *const fillings[] = {"\n", "x", "\xff", "\"", "\x01", "\xd0\xbf"};
	char nick[49], *longer = malloc(100001);

	ck_assert_ptr_nonnull(longer);
	memset(nick, 1, sizeof(nick) - 1);
	nick[sizeof(nick) - 1] = '\0';
	size_t length = strlen(fillings[_i]);
	for (size_t i = 0; i + length <= 100000; i += length)
		memcpy(longer + i, fillings[_i], length);
	longer[100000] = '\0';
	log_set_format(LOG_JSON);
	log_about(LOG_LEVEL_ERROR, &(struct log_about){"peer", nick}, "%s", longer);
	char *text = logged();
	ck_assert_uint_eq(count_lines(text), 1);
	ck_assert_str_eq(text + strlen(text) - 3, "\"}\n");
	size_t backslashes = 0;
	while (text[strlen(text) - 4 - backslashes] == '\\')
		backslashes++;
	ck_assert_uint_eq(
		backslashes % 2, 0); /* else the quotation mark would be one of the text */
	ck_assert_ptr_nonnull(strstr(after_time(text), "\"message\":\""));
	free(text);
	free(longer);
}
END_TEST

START_TEST(traces)
{
	errno = ENOENT;
	log_trace(file, "two\nlines", 9);
	log_set_format(LOG_JSON);
	log_trace(file, "two\nlines", 9);
	ck_assert_int_eq(errno, ENOENT);
	char *text = logged();
	ck_assert_int_eq(strncmp(text, "two\nlines\n", 10), 0);
	ck_assert_str_eq(
		after_time(text + 10), "\"level\":\"trace\",\"message\":\"two\\nlines\"}\n");
	free(text);
}
END_TEST

/* ---- levels ---- */

static const char *const level_names[] = {"error", "warning", "info", "debug"};

START_TEST(level_lets_through_what_is_as_grave)
{
	enum log_level level;

	ck_assert_int_eq(log_level_parse(level_names[_i], &level), 0);
	ck_assert_int_eq(level, _i);
	log_set_level(level);
	log_error("error");
	log_warning("warning");
	log_info("info");
	log_debug("debug");
	char *text = logged();
	ck_assert_uint_eq(count_lines(text), (size_t)_i + 1);
	free(text);
}
END_TEST

START_TEST(unknown_levels)
{
	static const char *const names[] = {"", "Error", "err", "errors", "4", "trace"};
	enum log_level level = LOG_LEVEL_WARNING;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_int_eq(log_level_parse(names[i], &level), ERR_ARGUMENT);
	ck_assert_int_eq(level, LOG_LEVEL_WARNING);
}
END_TEST

START_TEST(no_file_no_lines)
{
	log_set_file(NULL);
	log_error("nobody reads this");
	log_set_file(file);
	char *text = logged();
	ck_assert_str_eq(text, "");
	free(text);
}
END_TEST

/* ---- threads ---- */

#define THREADS 4
#define LINES   500

static void *log_many(void *argument)
{
	for (int i = 0; i < LINES; i++) {
		log_info("thread %s says what it always says", (const char *)argument);
		log_set_level(LOG_LEVEL_DEBUG);
	}
	return NULL;
}

START_TEST(lines_of_threads_do_not_mix)
{
	static char *names[THREADS] = {"one", "two", "three", "four"};
	pthread_t threads[THREADS];
	char *rest = NULL;
	size_t lines = 0;

	for (size_t i = 0; i < THREADS; i++)
		PTHREAD_OK(pthread_create(&threads[i], NULL, log_many, names[i]));
	for (size_t i = 0; i < THREADS; i++)
		PTHREAD_OK(pthread_join(threads[i], NULL));
	char *text = logged();
	for (char *l = strtok_r(text, "\n", &rest); l; l = strtok_r(NULL, "\n", &rest), lines++) {
		ck_assert_ptr_nonnull(strstr(l, "Z info    thread "));
		ck_assert_ptr_eq(strstr(l, " always says"), l + strlen(l) - strlen(" always says"));
	}
	ck_assert_uint_eq(lines, THREADS * LINES);
	free(text);
}
END_TEST

Suite *log_suite(void);

Suite *log_suite(void)
{
	Suite *s = suite_create("log");
	TCase *c = tcase_create("log");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_loop_test(c, escape, 0, (int)(sizeof(escapes) / sizeof(escapes[0])));
	tcase_add_test(c, escape_is_cut_between_characters);
	tcase_add_test(c, line_has_time_level_and_text);
	tcase_add_test(c, nobody_forges_a_line);
	tcase_add_test(c, long_text_is_cut);
	tcase_add_test(c, errno_is_kept);
	tcase_add_test(c, json_has_members);
	tcase_add_loop_test(c, json_says_whom_it_is_about, 0, 4);
	tcase_add_test(c, text_says_no_more_than_the_words);
	tcase_add_loop_test(c, json_is_cut_inside_its_message, 0, 6);
	tcase_add_test(c, traces);
	tcase_add_loop_test(c, level_lets_through_what_is_as_grave, 0, 4);
	tcase_add_test(c, unknown_levels);
	tcase_add_test(c, no_file_no_lines);
	tcase_add_test(c, lines_of_threads_do_not_mix);
	suite_add_tcase(s, c);
	return s;
}
