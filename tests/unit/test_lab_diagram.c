/*
 * The diagram of a small journal: everything is there, what was dropped is marked, and a long one is
 * bounded. A real parser reads it as part of a page.
 */
#include "tools/lab/lab_diagram.h"

#include "tools/report/page.h"

#include <check.h>
#include <netinet/in.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MS UINT64_C(1000000)

static struct journal *j;
static struct ladder *ladder;
static struct lab_diagram *diagram;
static char *svg; /* what was drawn */

static void setup(void)
{
	j = journal_new();
	ladder = ladder_new(j, SIDE_TCP);
	diagram = NULL;
	svg = NULL;
	ck_assert(j && ladder);
}

static void teardown(void)
{
	lab_diagram_free(diagram);
	ladder_free(ladder);
	journal_free(j);
	free(svg);
}

static uint64_t enter(
	uint8_t from, enum flow_kind kind, uint32_t seq, struct fate fate, uint64_t ms)
{
	struct journal_packet p = {
		.host = from,
		.to_host = from ? 0 : 1,
		.packet = {.protocol = IPPROTO_TCP,
			.payload_length = 64,
			.length = 104,
			.window = 1000},
		.note = {.kind = kind, .relative_seq = seq, .relative_ack = seq},
		.fate = fate,
	};
	int64_t number = journal_packet(j, SIDE_TCP, ms * MS, &p);

	ck_assert_int_ge(number, 0);
	return (uint64_t)number;
}

static void arrive(uint64_t of, bool second, uint64_t ms)
{
	ck_assert_int_ge(journal_arrival(j, SIDE_TCP, ms * MS, of, second), 0);
}

/* As a page, which the checker must like. */
static void check_page(void)
{
	char path[] = "/tmp/lanchat-test-diagram-XXXXXX", error[320];
	char program[] = "python3", script[] = "tests/unit/report_check.py";
	char *arguments[] = {program, script, path, NULL};
	const struct page_drawing drawing = {.title = "t",
		.width = LAB_DIAGRAM_WIDTH,
		.height = lab_diagram_height(diagram),
		.draw = lab_diagram_draw,
		.context = diagram};
	struct page *page;
	pid_t pid;
	int status, fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(close(fd), 0);
	ck_assert_int_eq(page_open(&page, path, "t", NULL, error, sizeof(error)), 0);
	page_figure(page, &drawing);
	ck_assert_int_eq(page_close(page, NULL, error, sizeof(error)), 0);
	ck_assert_int_eq(posix_spawnp(&pid, program, NULL, NULL, arguments, environ), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void draw_some(size_t hosts, size_t first, size_t notable, uint64_t packets)
{
	const struct lab_diagram_bounds bounds = {first, notable, packets, NULL};
	size_t size;

	(void)ladder_read(ladder);
	ck_assert_int_eq(lab_diagram_new(&diagram, ladder, hosts, &bounds), 0);
	FILE *out = open_memstream(&svg, &size);
	ck_assert_ptr_nonnull(out);
	ck_assert_int_eq(lab_diagram_draw(out, "id", diagram), 0);
	ck_assert_int_eq(fclose(out), 0);
	check_page();
}

static void draw(size_t hosts, size_t first, size_t notable)
{
	draw_some(hosts, first, notable, 0);
}

static unsigned count(const char *what)
{
	unsigned n = 0;

	for (const char *p = svg; (p = strstr(p, what)) != NULL; p += strlen(what))
		n++;
	return n;
}

static const struct fate carried = {.kind = FATE_CARRIED, .copies = 1};

START_TEST(empty)
{
	draw(2, 10, 10);
	ck_assert_uint_eq(lab_diagram_packets(diagram), 0);
	ck_assert_uint_eq(count("<g class=\"packet\">"), 0);
	ck_assert_uint_eq(count(">client<"), 1);
	ck_assert_uint_eq(count(">server<"), 1);
}
END_TEST

/* Every packet is an arrow and a label with its times. */
START_TEST(all_there)
{
	uint64_t syn = enter(0, FLOW_SYN, 0, carried, 1);

	arrive(syn, false, 21);
	uint64_t data = enter(0, FLOW_DATA, 1, carried, 30);
	(void)enter(0, FLOW_DATA, 65, (struct fate){.kind = FATE_SCRIPTED}, 35);
	arrive(data, false, 50);
	uint64_t twice =
		enter(0, FLOW_DATA, 129, (struct fate){.kind = FATE_CARRIED, .copies = 2}, 60);
	arrive(twice, false, 80);
	arrive(twice, true, 82);
	uint64_t late = enter(1, FLOW_ACK, 65,
		(struct fate){.kind = FATE_CARRIED, .copies = 1, .reordered = true}, 90);
	arrive(late, false, 135);
	(void)enter(0, FLOW_RETRANSMISSION, 65, carried, 140);
	draw(2, 100, 100);

	ck_assert_uint_eq(lab_diagram_packets(diagram), 6);
	ck_assert_uint_eq(lab_diagram_shown(diagram), 6);
	ck_assert_uint_eq(count("<g class=\"packet\">"), 6);
	ck_assert_uint_eq(count(">SYN<"), 1);
	ck_assert_uint_eq(count(">data 1..64<"), 1);
	ck_assert_uint_eq(count(">data 129..192, doubled<"), 1);
	ck_assert_uint_eq(count(">ACK 65, overtaken<"), 1);
	ck_assert_uint_eq(count(">retransmission 65..128<"), 1);
	/* The dropped one, and no other, has a cross (besides the legend's), is struck out, and says why. */
	ck_assert_uint_eq(count("class=\"struck\""), 1);
	ck_assert_uint_eq(count(">data 65..128<"), 1);
	ck_assert_uint_eq(count(">dropped: on purpose<"), 1);
	ck_assert_uint_eq(count("class=\"cross\""), 2);
	ck_assert_uint_eq(count(">on its way at the end<"), 1);
	/* Heads: two of the doubled one, none of the dropped one. */
	ck_assert_uint_eq(count("<path class=\"arrow s1 copy\""), 2);
	static const char *const times[] = {"1.0", "21.0", "30.0", "35.0", "50.0", "60.0", "80.0",
		"82.0", "90.0", "135.0", "140.0"};
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		char text[16];
		snprintf(text, sizeof(text), ">%s<", times[i]);
		ck_assert_msg(count(text) == 1, "%s: %u", text, count(text));
	}
	ck_assert_uint_eq(count("left out"), 0);
}
END_TEST

/* Arrows go down: nothing arrives above where it was sent. */
START_TEST(downwards)
{
	for (uint32_t i = 0; i < 50; i++) {
		uint64_t n = enter(i % 2, FLOW_DATA, 1 + 64 * i, carried, i * 10);
		arrive(n, false, i * 10 + 9);
	}
	draw(2, 100, 0);
	unsigned arrows = 0;
	const char *behind = strstr(svg, "<g class=\"packet\">");
	for (const char *p = behind; p && (p = strstr(p, "<path class=\"arrow ")) != NULL; p++) {
		double x, y, to_x, to_y;
		const char *at = strstr(p, "d=\"M");
		ck_assert_int_eq(sscanf(at, "d=\"M%lf,%lfL%lf,%lf", &x, &y, &to_x, &to_y), 4);
		ck_assert(to_y > y);
		ck_assert(y < lab_diagram_height(diagram) && to_y < lab_diagram_height(diagram));
		arrows++;
	}
	ck_assert_uint_eq(arrows, 50);
}
END_TEST

/* The first ten, then three of those that went wrong; how many are missing where is said. */
START_TEST(bounded)
{
	for (uint32_t i = 0; i < 1000; i++) {
		bool lost = i % 100 == 99;
		uint64_t n = enter(0, FLOW_DATA, 1 + 64 * i,
			lost ? (struct fate){.kind = FATE_LOST} : carried, i);
		if (!lost)
			arrive(n, false, i);
	}
	draw(2, 10, 3);
	ck_assert_uint_eq(lab_diagram_packets(diagram), 1000);
	ck_assert_uint_eq(lab_diagram_shown(diagram), 13);
	ck_assert_uint_eq(count("<g class=\"packet\">"), 13);
	ck_assert_uint_eq(count(">dropped: lost by chance<"), 3);
	ck_assert_uint_eq(count(">89 packets left out<"), 1);
	ck_assert_uint_eq(count(">99 packets left out<"), 2);
	ck_assert_uint_eq(count(">700 packets left out<"), 1);
	ck_assert_int_lt(lab_diagram_height(diagram), 1500);
	ck_assert_uint_lt(strlen(svg), 20000);
}
END_TEST

/* Where all have room together, none is left out. */
START_TEST(just_bounded)
{
	for (uint32_t i = 0; i < 13; i++)
		(void)enter(0, FLOW_DATA, 1 + 64 * i, carried, i);
	draw(2, 10, 3);
	ck_assert_uint_eq(lab_diagram_shown(diagram), 13);
	ck_assert_uint_eq(count("left out"), 0);
}
END_TEST

/* What comes on the wire after those that are told of is left alone, arrivals too. */
START_TEST(until)
{
	uint64_t one = enter(0, FLOW_DATA, 1, carried, 10);
	arrive(one, false, 20);
	uint64_t two = enter(0, FLOW_DATA, 65, carried, 30);
	uint64_t three = enter(1, FLOW_ACK, 65, carried, 40);
	arrive(two, false, 50);
	arrive(three, false, 60);
	draw_some(2, 10, 3, 2);
	ck_assert_uint_eq(lab_diagram_packets(diagram), 2);
	ck_assert_uint_eq(lab_diagram_shown(diagram), 2);
	ck_assert_uint_eq(count("<g class=\"packet\">"), 2);
	ck_assert_uint_eq(count(">on its way at the end<"), 1);
	ck_assert_uint_eq(count(">50.0<"), 0);
	ck_assert_uint_eq(count("left out"), 0);
}
END_TEST

START_TEST(three_hosts)
{
	struct journal_packet p = {
		.host = 2, .to_host = 0, .note = {.kind = FLOW_DATAGRAM}, .fate = carried};

	ck_assert_int_ge(journal_packet(j, SIDE_TCP, MS, &p), 0);
	draw(3, 10, 10);
	ck_assert_uint_eq(count(">third<"), 1);
	ck_assert_uint_eq(count("<g class=\"packet\">"), 1);
}
END_TEST

Suite *lab_diagram_suite(void);

Suite *lab_diagram_suite(void)
{
	Suite *s = suite_create("lab_diagram");
	TCase *t = tcase_create("lab_diagram");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, empty);
	tcase_add_test(t, all_there);
	tcase_add_test(t, downwards);
	tcase_add_test(t, bounded);
	tcase_add_test(t, just_bounded);
	tcase_add_test(t, until);
	tcase_add_test(t, three_hosts);
	suite_add_tcase(s, t);
	return s;
}
