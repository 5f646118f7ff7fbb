/*
 * A status in its three forms: the words and the JSON as a whole, OpenMetrics line by line against
 * what the specification asks for.
 */
#include "server/status_print.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct status status;

/* Each row has a number of its own, so that none can stand for another. */
static void setup(void)
{
	static struct histogram h;

	memset(&status, 0, sizeof(status));
	memset(&h, 0, sizeof(h));
	snprintf(status.name, sizeof(status.name), "%s", "Room \"12\"\\");
	status.version = "1.2";
	status.log = "sqlite";
	status.health = ENGINE_FULL;
	status.pid = 77;
	for (size_t i = 0; i < STATUS_ROWS; i++) {
		uint64_t value = 100 + i;
		memcpy((char *)&status + status_rows[i].offset, &value, sizeof(value));
	}
	status.start_time_seconds = 1795375514123;
	status.uptime_seconds = 93784056;
	status.memory_resident_bytes = 5 << 20;
	status.memory_allocated_bytes = 1536;
	status.descriptors = STATUS_UNKNOWN;
	status.log_entries = 231;
	status.refusals[REFUSAL_PENALTY] = 2;
	status.refusals[REFUSAL_STOPPING] = 3;
	status.limits[LIMIT_MAX_FAULTS] = 2;
	status.limits[LIMIT_IDLE] = 9;
	status.rates[STATUS_RATE_MESSAGES][0] = 1234567;
	status.rates[STATUS_RATE_SENT_BYTES][1] = 2048000;
	histogram_add(&h, 100, 98);
	histogram_add(&h, 3000, 1);
	histogram_add(&h, 2500000, 1);
	histogram_merge(&status.appends, &h);
}

static char *printed(enum status_format format)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(f);
	status_print(&status, format, f);
	ck_assert_int_eq(ferror(f), 0);
	ck_assert_int_eq(fclose(f), 0);
	return text;
}

START_TEST(words)
{
	char *text = printed(STATUS_TEXT);

	ck_assert_str_eq(text,
		"server        Room \"12\"\\, lanchatd 1.2, process 77\n"
		"up            1 d 02:03:04, since 2026-11-22T19:25:14Z\n"
		"connections   102 now, 104 of them not logged in; 103 at most; 105 accepted in "
		"all, 106 logins, 107 faults\n"
		"refused       2 penalty, 3 stopping\n"
		"limits hit    2 max-faults, 9 idle\n"
		"people        108; rooms: 109 open, 110 known\n"
		"messages      111 accepted, 112 known already, 113 refused, 114 to be sent again; "
		"115 deliveries\n"
		"traffic       116 B in, 117 B out\n"
		"last 10 s     0.0 connections, 1234.6 messages, 0.0 deliveries, 0 B in, 0 B out a "
		"second\n"
		"last 60 s     0.0 connections, 0.0 messages, 0.0 deliveries, 0 B in, 2.0 KiB out "
		"a second\n"
		"kept          half within 101 us, 90 % within 101 us, 99 % within 3.0 ms, all "
		"within 2.5 s\n"
		"log           sqlite, full, 120 B; 231 messages in 118 transactions, 2.0 in each\n"
		"memory        5.0 MiB resident, 1.5 KiB allocated, 123 B of frames on their way; "
		"unknown descriptors, 125 threads\n"
		"beacon        126 announcements, 127 queries, 128 answered, 129 dropped, 130 "
		"strange packets\n"
		"lanes         131 open; datagrams: 132 in, 133 out, 134 strange, 135 forged, 136 "
		"replayed, 137 dropped\n");
	free(text);
}
END_TEST

START_TEST(nothing_yet)
{
	memset(&status, 0, sizeof(status));
	status.version = status.log = "";
	char *text = printed(STATUS_TEXT);
	ck_assert_ptr_nonnull(strstr(text, "\nrefused       none\n"));
	ck_assert_ptr_nonnull(strstr(text, "\nlimits hit    none\n"));
	ck_assert_ptr_nonnull(strstr(text, "0 messages in 0 transactions\n"));
	free(text);
}
END_TEST

START_TEST(json)
{
	char *text = printed(STATUS_JSON);

	ck_assert_str_eq(text,
		"{\"name\":\"Room "
		"\\\"12\\\"\\\\\",\"version\":\"1.2\",\"pid\":77,\"log\":\"sqlite\","
		"\"log_health\":\"full\",\"start_time_seconds\":1795375514.123,"
		"\"uptime_seconds\":93784.056,\"connections\":102,\"connections_most\":103,"
		"\"connections_logging_in\":104,\"connections_accepted\":105,\"logins\":106,"
		"\"faults\":107,\"persons\":108,\"rooms_open\":109,\"rooms_known\":110,"
		"\"messages_accepted\":111,\"messages_duplicate\":112,\"messages_refused\":113,"
		"\"messages_retried\":114,\"deliveries\":115,\"received_bytes\":116,"
		"\"sent_bytes\":117,\"log_transactions\":118,\"log_entries\":231,\"log_bytes\":120,"
		"\"memory_resident_bytes\":5242880,\"memory_allocated_bytes\":1536,"
		"\"memory_window_bytes\":123,\"descriptors\":null,\"threads\":125,"
		"\"beacon_announcements\":126,\"beacon_queries\":127,\"beacon_answers\":128,"
		"\"beacon_dropped\":129,\"beacon_strange\":130,"
		"\"lanes\":131,\"lane_received\":132,\"lane_sent\":133,\"lane_strange\":134,"
		"\"lane_forged\":135,\"lane_replayed\":136,\"lane_dropped\":137,"
		"\"refused\":{\"full\":0,\"per_address\":0,\"logging_in\":0,\"penalty\":2,"
		"\"resources\":0,\"stopping\":3},"
		"\"limits\":{\"max_clients\":0,\"max_per_address\":0,\"max_logging_in\":0,"
		"\"max_faults\":2,\"rate\":0,\"max_rooms\":0,\"rooms_each\":0,\"max_rooms_per_"
		"address\":0,"
		"\"max_owned_rooms\":0,\"max_members\":0,\"max_nick_length\":0,\"max_topic_"
		"length\":0,\"max_text_length\":0,"
		"\"handshake_timeout\":0,\"login_timeout\":0,\"frame_timeout\":0,\"idle\":9},"
		"\"per_second\":{\"connections\":{\"last_10s\":0.000,\"last_60s\":0.000},"
		"\"messages\":{\"last_10s\":1234.567,\"last_60s\":0.000},"
		"\"deliveries\":{\"last_10s\":0.000,\"last_60s\":0.000},"
		"\"received_bytes\":{\"last_10s\":0.000,\"last_60s\":0.000},"
		"\"sent_bytes\":{\"last_10s\":0.000,\"last_60s\":2048.000}},"
		"\"append_microseconds\":{\"count\":100,\"sum\":2512800,\"mean\":25128,\"p50\":101,"
		"\"p90\":101,\"p99\":3007,\"max\":2500000}}\n");
	free(text);
}
END_TEST

/* ---- OpenMetrics ---- */

/* The family that a sample belongs to is the one that was declared last. */
struct family {
	char name[64], type[200];
	bool helped;
};

static void take_comment(struct family *f, const char *line)
{
	char keyword[8], name[64], rest[200];

	ck_assert_int_eq(sscanf(line, "# %7s %63s %199[^\n]", keyword, name, rest), 3);
	if (strcmp(keyword, "TYPE") == 0) {
		*f = (struct family){0};
		snprintf(f->name, sizeof(f->name), "%s", name);
		snprintf(f->type, sizeof(f->type), "%s", rest);
		return;
	}
	ck_assert_str_eq(name, f->name);
	if (strcmp(keyword, "UNIT") == 0) {
		ck_assert_uint_gt(strlen(name), strlen(rest) + 1);
		ck_assert_str_eq(name + strlen(name) - strlen(rest), rest);
		ck_assert_int_eq(name[strlen(name) - strlen(rest) - 1], '_');
	} else {
		ck_assert_str_eq(keyword, "HELP");
		f->helped = true;
	}
}

static bool suffix_fits(const char *type, const char *suffix)
{
	static const struct {
		const char *type, *suffix;
	} allowed[] = {
		{"counter", "_total"},
		{"gauge", ""},
		{"info", "_info"},
		{"stateset", ""},
		{"histogram", "_bucket"},
		{"histogram", "_count"},
		{"histogram", "_sum"},
	};

	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		if (strcmp(allowed[i].type, type) == 0 && strcmp(allowed[i].suffix, suffix) == 0)
			return true;
	}
	return false;
}

static void take_sample(const struct family *f, const char *line)
{
	char name[128];
	size_t length = strcspn(line, "{ ");

	ck_assert_uint_lt(length, sizeof(name));
	memcpy(name, line, length);
	name[length] = '\0';
	ck_assert_msg(strncmp(name, f->name, strlen(f->name)) == 0, "%s in %s", name, f->name);
	ck_assert_msg(suffix_fits(f->type, name + strlen(f->name)), "%s is no %s", name, f->type);
	ck_assert(f->helped);
	char *end;
	(void)strtod(strrchr(line, ' ') + 1, &end);
	ck_assert_str_eq(end, "");
}

START_TEST(openmetrics)
{
	char *text = printed(STATUS_OPENMETRICS), *rest = text, *line;
	struct family family = {0};
	size_t samples = 0;

	ck_assert_str_eq(text + strlen(text) - 6, "# EOF\n");
	text[strlen(text) - 6] = '\0';
	while ((line = strsep(&rest, "\n")) != NULL && *line) {
		if (*line == '#')
			take_comment(&family, line);
		else
			take_sample(&family, line);
		samples += *line != '#';
	}
	/* All rows but the one that is not known, and the families with labels. */
	ck_assert_uint_eq(samples, 1 + STATUS_HEALTHS + STATUS_ROWS - 1 + REFUSALS + LIMITS +
					   STATUS_RATES * STATUS_SPANS + 20 + 3 + 1);
	free(text);
}
END_TEST

static const char *const openmetrics_lines[] = {
	"lanchatd_info{name=\"Room \\\"12\\\"\\\\\",version=\"1.2\",log=\"sqlite\"} 1\n",
	"lanchatd_log_health{lanchatd_log_health=\"well\"} 0\n",
	"lanchatd_log_health{lanchatd_log_health=\"full\"} 1\n",
	"# TYPE lanchatd_connections gauge\n# HELP lanchatd_connections Connections now.\n"
	"lanchatd_connections 102\n",
	"# TYPE lanchatd_received_bytes counter\n# UNIT lanchatd_received_bytes bytes\n",
	"lanchatd_received_bytes_total 116\n",
	"lanchatd_uptime_seconds 93784.056\n",
	"lanchatd_refused_total{reason=\"penalty\"} 2\n",
	"lanchatd_limit_hits_total{limit=\"max-faults\"} 2\n",
	"lanchatd_recent_rate{of=\"messages\",last=\"10s\"} 1234.567\n",
	"lanchatd_append_seconds_bucket{le=\"0.000064\"} 0\n"
	"lanchatd_append_seconds_bucket{le=\"0.000128\"} 98\n",
	"{le=\"0.002048\"} 98\nlanchatd_append_seconds_bucket{le=\"0.004096\"} 99\n",
	"{le=\"2.097152\"} 99\nlanchatd_append_seconds_bucket{le=\"4.194304\"} 100\n",
	"{le=\"33.554432\"} 100\nlanchatd_append_seconds_bucket{le=\"+Inf\"} 100\n"
	"lanchatd_append_seconds_count 100\nlanchatd_append_seconds_sum 2.512800\n",
	"lanchatd_append_longest_seconds 2.500000\n# EOF\n",
};

START_TEST(openmetrics_has)
{
	char *text = printed(STATUS_OPENMETRICS);

	ck_assert_msg(strstr(text, openmetrics_lines[_i]), "no %s", openmetrics_lines[_i]);
	ck_assert_ptr_null(strstr(text, "descriptors")); /* not known */
	free(text);
}
END_TEST

/* Names stay fit for JSON and OpenMetrics. */
START_TEST(rows)
{
	const struct status_row *row = &status_rows[_i];

	ck_assert_uint_eq(strspn(row->name, "abcdefghijklmnopqrstuvwxyz_"), strlen(row->name));
	ck_assert_msg(!strstr(row->name, "_total") && !strstr(row->name, "_count") &&
			      !strstr(row->name, "_info"),
		"%s", row->name);
	ck_assert_uint_gt(strlen(row->help), 5);
	ck_assert_ptr_null(strpbrk(row->help, "\n\\"));
	for (int i = 0; i < _i; i++)
		ck_assert_str_ne(status_rows[i].name, row->name);
}
END_TEST

/* ---- the manual ---- */

static void check_word(const char *page, const char *word)
{
	const char *at = page;
	size_t length = strlen(word);

	while ((at = strstr(at, word)) != NULL) {
		bool begins = at[-1] == ' ';
		bool ends = at[length] == ' ' || at[length] == '\n';
		if (begins && ends)
			return;
		at += length;
	}
	ck_abort_msg("docs/lanchatd.8 does not tell of %s", word);
}

/* Each name that programs go by stands in the page. */
START_TEST(all_is_in_the_manual)
{
	static const char *const others[] = {"name", "version", "log", "log_health", "pid",
		"refused", "limits", "per_second", "append_microseconds", "last_10s", "last_60s",
		"p50", "p90", "p99", "max", "mean", "sum", "count"};
	FILE *in = fopen("docs/lanchatd.8", "r");
	char *page = NULL, key[64];
	size_t size = 0;

	ck_assert_msg(in, "run the tests in the project's folder");
	ck_assert_int_gt(getdelim(&page, &size, '\0', in), 0);
	(void)fclose(in);
	for (size_t i = 0; i < STATUS_ROWS; i++)
		check_word(page, status_rows[i].name);
	for (size_t i = 0; i < REFUSALS; i++)
		check_word(page, status_refusal_names[i]);
	for (size_t i = 0; i < STATUS_RATES; i++)
		check_word(page, status_rate_names[i]);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		check_word(page, others[i]);
	for (unsigned i = 0; i < LIMITS; i++) {
		snprintf(key, sizeof(key), "%s", limit_name((enum limit)i));
		for (char *c = key; *c; c++)
			*c = *c == '-' ? '_' : *c;
		check_word(page, key);
	}
	free(page);
}
END_TEST

Suite *status_print_suite(void);

Suite *status_print_suite(void)
{
	Suite *s = suite_create("status_print");
	TCase *c = tcase_create("status_print");

	tcase_add_checked_fixture(c, setup, NULL);
	tcase_add_test(c, words);
	tcase_add_test(c, nothing_yet);
	tcase_add_test(c, json);
	tcase_add_test(c, openmetrics);
	tcase_add_loop_test(
		c, openmetrics_has, 0, sizeof(openmetrics_lines) / sizeof(openmetrics_lines[0]));
	tcase_add_loop_test(c, rows, 0, STATUS_ROWS);
	tcase_add_test(c, all_is_in_the_manual);
	suite_add_tcase(s, c);
	return s;
}
