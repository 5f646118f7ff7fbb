/*
 * The result in its forms: derived figures, the table, and files that another reader of JSON, CSV and
 * XML, Python's, finds what was in the result in.
 */
#include "tools/stress/result.h"

#include "common/err.h"
#include "tests/unit/result_sample.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char base[64], path[96];
static struct result *r;

static void setup(void)
{
	snprintf(base, sizeof base, "/tmp/lanchat-test-result-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(base));
	snprintf(path, sizeof path, "%s/result", base);
	r = result_sample_new();
}

/* Nothing but the file is left, if that one. */
static void teardown(void)
{
	result_sample_free(r);
	(void)unlink(path);
	ck_assert_int_eq(rmdir(base), 0);
}

/* Have Python look at the file: 0 where all it is to assert holds. */
static void python(const char *script)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		(void)execlp("python3", "python3", "-c", script, path, (char *)NULL);
		_exit(127);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "python3 disagrees");
}

static char *table(void)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	ck_assert_ptr_nonnull(out);
	result_table(r, out);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

static void expect_in_table(const char *line)
{
	char *text = table();

	ck_assert_msg(strstr(text, line) != NULL, "there is no \"%s\" in:\n%s", line, text);
	free(text);
}

/* ---- figures ---- */

START_TEST(derived)
{
	ck_assert_double_eq(result_sent_per_s(r), 500);
	ck_assert_double_eq(result_delivered_per_s(r), 1500);
	r->sent_late = 100;
	ck_assert_double_eq(result_sent_per_s(r), 450);
	expect_in_table("sent            900 in 2.0 s, 450/s\n");
	r->sent_late = 0;
	ck_assert_double_eq(result_connects_per_s(r), 6);
	ck_assert_double_eq(result_cpu_ns_per_delivery(r), 2000);
	ck_assert_double_eq(result_rss_per_client(r), 1 << 20);
	/* What is not known, or cannot be. */
	r->seconds = r->load_seconds = r->connect_seconds = 0;
	ck_assert_double_eq(result_delivered_per_s(r), 0);
	ck_assert_double_eq(result_connects_per_s(r), 0);
	r->joined.resident = r->before.resident - 1;
	ck_assert_double_eq(result_rss_per_client(r), 0);
	r->joined.resident = r->before.resident + 1;
	r->connected = 0;
	ck_assert_double_eq(result_rss_per_client(r), 0);
	r->delivered = 0;
	ck_assert_double_eq(result_cpu_ns_per_delivery(r), 0);
	r->delivered = 1;
	r->seen = false;
	ck_assert_double_eq(result_cpu_ns_per_delivery(r), 0);
}
END_TEST

/* ---- the table ---- */

static const char *const lines[] = {
	"server          127.0.0.1:4711, lanchat\n",
	"it says it is   lanchatd/9.9\n",
	"measured on     Linux 6.1 x86_64, 2 cores; 2026-11-27T12:00:00Z, lanchat-stress ",
	"asked for       3 clients in 1 room, 2 senders, 64 bytes a message\n",
	"2.5 messages/s in all; scenario burst, seed 18446744073709551615\n",
	"                for 2.0 s, connecting within 0.5 s, 7/s leave and return, 5 % read "
	"slowly, "
	"10 % quit midway\n",
	"connecting      3 of 3 clients in 0.50 s, 6/s; 0 refused\n",
	"sent            1,000 in 2.0 s, 500/s\n",
	"delivered       3,000, 1,500/s\n",
	"acknowledged    1,000\n",
	"bytes           293.0 KiB in, 97.7 KiB out\n",
	"latency                  p50         p90         p99       p99.9         max\n",
	"  from when due        20 us       20 us       20 us      5.00 s      5.00 s\n",
	"  from sending         10 us       10 us       10 us       10 us       10 us\n",
	"  acknowledged         31 us       31 us       31 us       31 us       31 us\n",
	"server            no clients  all joined        most  at the end\n",
	"  memory            10.0 MiB    13.0 MiB    14.0 MiB    12.0 MiB\n",
	"  threads                  9          12          13           9\n",
	"  descriptors             20          23          24          20\n",
	"  each client   1.0 MiB of memory, 200.00 us of CPU to let it in\n",
	"  CPU           0.00 of a core, 2.00 us for each delivery\n",
	"  command       lanchatd --data <here>\n",
	"own CPU         0.25 of a core, waiting for one 0.00 of the time\n",
	"wrong           0 lost, 0 doubled, 0 out of order, 0 foreign\n",
	"PASSED          every message came to everybody once and in order\n",
};

START_TEST(table_lines)
{
	expect_in_table(lines[_i]);
}
END_TEST

START_TEST(table_of_what_went_wrong)
{
	char *text = table();

	ck_assert_ptr_null(strstr(text, "WARNING"));
	free(text);
	r->own_cpu = 0.97;
	r->lost = 1234;
	r->disconnected = 5;
	r->seen = false;
	r->acknowledge = (struct histogram_view){.count = 0};
	r->rate = 0;
	r->window = 8;
	expect_in_table("\nWARNING: this program had no CPU to spare");
	expect_in_table("own CPU         0.97 of a core, waiting");
	expect_in_table("wrong           1,234 lost, ");
	expect_in_table("5 connections ended that should not have\n");
	expect_in_table("FAILED          1,234 lost, 5 disconnected\n");
	expect_in_table("acknowledged    -\n");
	expect_in_table(
		"  acknowledged             -           -           -           -           -\n");
	expect_in_table("8 of each sender on their way at most");
	expect_in_table("\nserver          not on this machine");
	text = table();
	ck_assert_ptr_null(strstr(text, "from when due"));
	free(text);
}
END_TEST

START_TEST(table_of_nothing)
{
	result_free(r);
	*r = (struct result){0};
	expect_in_table("FAILED          nothing was delivered\n");
	r->seen = true;
	expect_in_table("  each client   - of memory, - of CPU to let it in\n");
	expect_in_table("  CPU           - of a core, - for each delivery\n");
	expect_in_table("  memory                   -           -           -           -\n");
}
END_TEST

/* ---- for programs ---- */

START_TEST(json)
{
	ck_assert_int_eq(result_json(r, path), 0);
	python("import json, sys\n"
	       "r = json.loads(open(sys.argv[1], encoding='utf-8').read())\n"
	       "def be(key, value): assert r[key] == value, (key, r[key])\n"
	       "be('conditions', 'plaintext, \"quoted\" <&> \\ufffd')\n"
	       "be('seed', 2 ** 64 - 1); be('rate', 2.5); be('window', None)\n"
	       "be('delivered_per_s', 1500); be('sent_per_s', 500); be('connects_per_s', 6)\n"
	       "be('server_cpu_ns_per_delivery', 2000); be('server_rss_bytes_per_client', 1 << "
	       "20)\n"
	       "be('latency_us', {'count': 3000, 'mean': 50019.8, 'p50': 20, 'p90': 20, 'p99': "
	       "20,\n"
	       "   'p999': 5000000, 'max': 5000000})\n"
	       "be('service_us', {'count': 3000, 'mean': 10, 'p50': 10, 'p90': 10, 'p99': 10,\n"
	       "   'p999': 10, 'max': 10})\n"
	       "assert r['acknowledge_us']['p50'] == 31\n"
	       "for name in 'lost doubled reordered foreign disconnected refused'.split():\n"
	       "    be(name, 0)\n"
	       "be('date', '2026-11-27T12:00:00Z'); be('server_version', 'lanchatd/9.9')\n"
	       "be('kernel', 'Linux 6.1 x86_64'); be('cores', 2)\n"
	       "assert r['version'][0].isdigit()\n"
	       "be('sound', True); be('own_cpu', 0.25)\n"
	       "be('server_most', {'cpu_ns': 3000, 'rss_bytes': 14 << 20, 'threads': 13,\n"
	       "   'descriptors': 24})\n"
	       "assert len(r['by_second']) == 2 and r['by_second'][0]['p50_us'] == 20\n"
	       "assert r['by_second'][1]['max_us'] is None and r['by_second'][1]['delivered'] == "
	       "0\n"
	       "be('by_client', [{'delivered': 1000, 'mean_us': 25, 'max_us': 30, 'slow': False},\n"
	       "   {'delivered': 2000, 'mean_us': 0, 'max_us': 5000000, 'slow': False},\n"
	       "   {'delivered': 0, 'mean_us': None, 'max_us': None, 'slow': True}])\n");
}
END_TEST

/* Every name is in the manual, and it tells of no other. */
START_TEST(names_in_the_manual)
{
	ck_assert_int_eq(result_json(r, path), 0);
	python("import json, re, sys\n"
	       "def names(value):\n"
	       "    if isinstance(value, dict):\n"
	       "        return set(value) | set().union(*map(names, value.values()))\n"
	       "    return set().union(*map(names, value)) if isinstance(value, list) else set()\n"
	       "page = open('docs/lanchat-stress.1', encoding='utf-8').read()\n"
	       "json_part = page[page.index('.Sh JSON'):page.index('.Sh CSV')]\n"
	       "told = {word for line in re.findall(r'^\\.It Va (.*)$', json_part, re.M)\n"
	       "    for word in line.replace(' ,', '').split()}\n"
	       "there = names(json.load(open(sys.argv[1], encoding='utf-8')))\n"
	       "assert told == there, told ^ there\n");
	ck_assert_int_eq(result_csv(r, path), 0);
	python("import re, sys\n"
	       "page = open('docs/lanchat-stress.1', encoding='utf-8').read()\n"
	       "csv_part = page[page.index('.Sh CSV'):page.index('.Sh EXIT')]\n"
	       "told = [word for line in re.findall(r'^\\.It Va (.*)$', csv_part, re.M)\n"
	       "    for word in line.replace(' ,', '').split()]\n"
	       "there = open(sys.argv[1]).readline().strip().split(',')\n"
	       "assert told == there, (told, there)\n");
}
END_TEST

START_TEST(json_of_nothing)
{
	result_free(r);
	*r = (struct result){0};
	ck_assert_int_eq(result_json(r, path), 0);
	python("import json, sys\n"
	       "r = json.load(open(sys.argv[1], encoding='utf-8'))\n"
	       "for name in ('scenario protocol rate window acknowledged delivered_per_s "
	       "latency_us '\n"
	       "    'service_us acknowledge_us server_command server_cpu_ns server_before '\n"
	       "    'server_cpu_ns_per_delivery server_rss_bytes_per_client "
	       "connect_seconds').split():\n"
	       "    assert r[name] is None, (name, r[name])\n"
	       "assert r['by_second'] == r['by_client'] == [] and r['delivered'] == 0\n");
}
END_TEST

START_TEST(csv)
{
	ck_assert_int_eq(result_csv(r, path), 0);
	python("import csv, sys\n"
	       "rows = list(csv.DictReader(open(sys.argv[1], newline='')))\n"
	       "assert len(rows) == 2, rows\n"
	       "assert rows[0] == dict(at_ms='1000', length_ms='1000', up='3', sent='1000', "
	       "delivered='3000',\n"
	       "    bytes='300000', p50_us='20', p99_us='20', max_us='5000000',\n"
	       "    server_cpu_ns='6000000', server_rss_bytes=str(14 << 20),\n"
	       "    own_cpu_permille='250'), rows[0]\n"
	       "assert rows[1]['p50_us'] == rows[1]['max_us'] == rows[1]['server_rss_bytes'] == "
	       "''\n"
	       "assert rows[1]['own_cpu_permille'] == '0'\n");
	/* This program had no time to end the second in time. */
	r->by_second[1].at_ms = 3500;
	ck_assert_int_eq(result_csv(r, path), 0);
	python("import csv, sys\n"
	       "rows = list(csv.DictReader(open(sys.argv[1], newline='')))\n"
	       "assert [row['length_ms'] for row in rows] == ['1000', '2500'], rows\n");
	r->seen = false;
	r->seconds_count = 1;
	ck_assert_int_eq(result_csv(r, path), 0);
	python("import csv, sys\n"
	       "row, = csv.DictReader(open(sys.argv[1], newline=''))\n"
	       "assert row['server_cpu_ns'] == row['server_rss_bytes'] == ''\n"
	       "assert row['own_cpu_permille'] == '250' and None not in row\n");
}
END_TEST

/* Milliseconds of more than 49 days. */
START_TEST(many_days)
{
	r->by_second[0].at_ms = 5000000000;
	r->by_second[1].at_ms = 5000001500;
	ck_assert_int_eq(result_json(r, path), 0);
	python("import json, sys\n"
	       "rows = json.load(open(sys.argv[1]))['by_second']\n"
	       "assert [row['at_ms'] for row in rows] == [5000000000, 5000001500], rows\n"
	       "assert rows[1]['length_ms'] == 1500\n");
	ck_assert_int_eq(result_csv(r, path), 0);
	python("import csv, sys\n"
	       "rows = list(csv.DictReader(open(sys.argv[1])))\n"
	       "assert [row['at_ms'] for row in rows] == ['5000000000', '5000001500'], rows\n");
}
END_TEST

/* ---- the page ---- */

START_TEST(report)
{
	int e = result_report(r, path);

	if (e == ERR_NOT_FOUND)
		return; /* a machine without gnuplot */
	ck_assert_int_eq(e, 0);
	python("import sys, xml.etree.ElementTree as tree\n"
	       "root = tree.parse(sys.argv[1]).getroot()\n"
	       "text = ' '.join(''.join(root.itertext()).split())\n"
	       "for part in ('127.0.0.1:4711', 'plaintext, \"quoted\" <&> \\ufffd', '1,500',\n"
	       "    'lanchatd --data <here>', 'every message came to everybody once',\n"
	       "    'Latency by percentile', 'Latency over time', 'Deliveries over time',\n"
	       "    'CPU over time', 'memory over time', 'lanchatd/9.9', '2026-11-27T12:00:00Z',\n"
	       "    'Linux 6.1 x86_64', 'lost', 'doubled', 'out of order', 'foreign',\n"
	       "    'left and returned 14', 'as told to 1', 'Latency by client', '5,000,000',\n"
	       "    'read slowly', 'quit midway', 'leave and return'):\n"
	       "    assert part in text, part\n"
	       "assert len([e for e in root.iter() if e.tag.endswith('figure')]) == 6\n"
	       "assert 'Left out: 1 that came and went' in text\n"
	       "assert 'told to read slowly' not in text\n");
	r->by_client[2] = (struct result_client){1000, 700, 900, true};
	ck_assert_int_eq(result_report(r, path), 0);
	python("import sys, xml.etree.ElementTree as tree\n"
	       "root = tree.parse(sys.argv[1]).getroot()\n"
	       "text = ' '.join(''.join(root.itertext()).split())\n"
	       "assert 'Left out' not in text\n"
	       "assert 'told to read slowly' in text\n");
}
END_TEST

/* Of a server that has ended nothing is known: its line ends where it did, and does not go to nothing. */
START_TEST(report_of_the_dead)
{
	static const char *const script =
		"import sys, xml.etree.ElementTree as tree\n"
		"figure, = (f for f in tree.parse(sys.argv[1]).getroot().iter()\n"
		"    if f.tag.endswith('figure') and 'CPU over time' in ''.join(f.itertext()))\n"
		"lines = [e.get('class') for e in figure.iter() if e.tag.endswith('path')]\n"
		"of = {name: lines.count('line ' + name) for name in ('s1', 's2')}\n"
		"assert of == {'s1': 3, 's2': 1 + 2 * %d}, of\n"; /* with its name */
	char text[1024];

	for (int alive = 0; alive < 2; alive++) {
		r->by_second[1].server_resident = (uint64_t)alive;
		int e = result_report(r, path);
		if (e == ERR_NOT_FOUND)
			return; /* a machine without gnuplot */
		ck_assert_int_eq(e, 0);
		snprintf(text, sizeof text, script, alive);
		python(text);
	}
}
END_TEST

START_TEST(report_of_nothing)
{
	result_free(r);
	*r = (struct result){.seen = true};
	int e = result_report(r, path);

	if (e == ERR_NOT_FOUND)
		return; /* a machine without gnuplot */
	ck_assert_int_eq(e, 0);
	python("import sys, xml.etree.ElementTree as tree\n"
	       "root = tree.parse(sys.argv[1]).getroot()\n"
	       "assert 'nothing was delivered' in ''.join(root.itertext())\n"
	       "assert not [e for e in root.iter() if e.tag.endswith('figure')]\n");
}
END_TEST

/* ---- whole or not at all ---- */

static int (*const writers[])(const struct result *, const char *) = {
	result_json, result_csv, result_report};

START_TEST(a_full_disk)
{
	struct stat st;

	int e = writers[_i](r, "/dev/full");
	int saved = errno;
	if (e == ERR_NOT_FOUND)
		return; /* a machine without gnuplot */
	ck_assert_int_eq(e, ERR_SYSTEM);
	ck_assert_int_eq(saved, ENOSPC);
	ck_assert_int_eq(stat("/dev/full", &st), 0);
	ck_assert(S_ISCHR(st.st_mode));
}
END_TEST

START_TEST(what_was_there_stays)
{
	struct rlimit limit = {10, RLIM_INFINITY};
	char text[16] = "";

	FILE *f = fopen(path, "we");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_gt(fputs("before", f), 0);
	ck_assert_int_eq(fclose(f), 0);
	/* As on a full disk, once so many bytes are written. */
	(void)signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	int e = writers[_i](r, path);
	limit.rlim_cur = RLIM_INFINITY;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_int_lt(e, 0);
	f = fopen(path, "re");
	ck_assert_ptr_nonnull(f);
	ck_assert_ptr_nonnull(fgets(text, sizeof text, f));
	ck_assert_str_eq(text, "before");
	ck_assert_int_eq(fclose(f), 0);
}
END_TEST

START_TEST(no_such_folder)
{
	ck_assert_int_eq(writers[_i](r, "/nonexistent/result"), ERR_SYSTEM);
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(to_stdout)
{
	FILE *out = fopen(path, "we");
	int kept = dup(STDOUT_FILENO);
	struct stat st;

	ck_assert(out && kept >= 0);
	(void)fflush(stdout);
	ck_assert_int_ge(dup2(fileno(out), STDOUT_FILENO), 0);
	int e = writers[_i](r, "-");
	int open_still = fcntl(STDOUT_FILENO, F_GETFD);
	(void)fflush(stdout);
	ck_assert_int_ge(dup2(kept, STDOUT_FILENO), 0);
	ck_assert_int_eq(close(kept), 0);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_int_eq(open_still, 0);
	if (e == ERR_NOT_FOUND)
		return; /* a machine without gnuplot */
	ck_assert_int_eq(e, 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_gt(st.st_size, 100);
}
END_TEST

START_TEST(to_a_full_stdout)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	int kept = dup(STDOUT_FILENO);

	ck_assert(full >= 0 && kept >= 0);
	(void)fflush(stdout);
	ck_assert_int_ge(dup2(full, STDOUT_FILENO), 0);
	int e = result_json(r, "-");
	int saved = errno;
	ck_assert_int_ge(dup2(kept, STDOUT_FILENO), 0);
	clearerr(stdout);
	ck_assert_int_eq(e, ERR_SYSTEM);
	ck_assert_int_eq(saved, ENOSPC);
	ck_assert_int_eq(close(kept), 0);
	ck_assert_int_eq(close(full), 0);
}
END_TEST

Suite *result_suite(void)
{
	Suite *s = suite_create("result");
	TCase *c = tcase_create("result");

	tcase_set_timeout(c, 60);
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, derived);
	tcase_add_loop_test(c, table_lines, 0, (int)(sizeof lines / sizeof lines[0]));
	tcase_add_test(c, table_of_what_went_wrong);
	tcase_add_test(c, table_of_nothing);
	tcase_add_test(c, json);
	tcase_add_test(c, names_in_the_manual);
	tcase_add_test(c, json_of_nothing);
	tcase_add_test(c, csv);
	tcase_add_test(c, many_days);
	tcase_add_test(c, report);
	tcase_add_test(c, report_of_the_dead);
	tcase_add_test(c, report_of_nothing);
	tcase_add_loop_test(c, a_full_disk, 0, 3);
	tcase_add_loop_test(c, what_was_there_stays, 0, 3);
	tcase_add_loop_test(c, no_such_folder, 0, 3);
	tcase_add_loop_test(c, to_stdout, 0, 3);
	tcase_add_test(c, to_a_full_stdout);
	suite_add_tcase(s, c);
	return s;
}
