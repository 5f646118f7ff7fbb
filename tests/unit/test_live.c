/*
 * The line while a load runs: on a pseudo-terminal of some widths, and where there is none.
 */
#include "tools/stress/live.h"

#include "common/clock.h"

#include <check.h>
#include <fcntl.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct live_state connecting = {
	.phase = "connecting", .done = 0.55, .up = 5000, .clients = 10000, .connects_per_s = 11812};
static const struct live_state running = {.phase = "running",
	.done = 0.81,
	.seconds = 8.1,
	.of_seconds = 10,
	.up = 10000,
	.clients = 10000,
	.sent_per_s = 12345,
	.delivered_per_s = 5.6e6,
	.p50_us = 870,
	.p99_us = 3100};

#define CONNECTING "connecting  [#####.....]  5,000 of 10,000 clients  11,812/s"
#define RUNNING                                                                                    \
	"running     [########..]  8.1 of 10.0 s  10,000 up  12,345 sent/s  5.60 M delivered/s"    \
	"  p50 870 us  p99 3.1 ms"

START_TEST(whole_lines)
{
	char line[LIVE_LINE];
	struct live_state s = running;

	ck_assert_str_eq(live_line(&connecting, LIVE_LINE, line), CONNECTING);
	ck_assert_str_eq(live_line(&running, LIVE_LINE, line), RUNNING);
	s.faults = 1234;
	s.up = 9999;
	ck_assert_ptr_nonnull(strstr(live_line(&s, LIVE_LINE, line),
		"  9,999 of 10,000 clients  1,234 WRONG  12,345 sent"));
	/* What is not told, and what is out of bounds. */
	s = (struct live_state){.phase = "ending", .done = 7};
	ck_assert_str_eq(live_line(&s, LIVE_LINE, line), "ending      [##########]  0 up");
	s.done = -1;
	ck_assert_str_eq(live_line(&s, LIVE_LINE, line), "ending      [..........]  0 up");
	/* The longest of each. */
	s = (struct live_state){.phase = "connecting",
		.done = 1,
		.seconds = 1e9,
		.of_seconds = 1e9,
		.up = UINT32_MAX - 1,
		.clients = UINT32_MAX,
		.connects_per_s = 1e300,
		.sent_per_s = 1e300,
		.delivered_per_s = 1e300,
		.p50_us = UINT32_MAX,
		.p99_us = UINT32_MAX,
		.faults = UINT64_MAX};
	ck_assert_uint_lt(strlen(live_line(&s, LIVE_LINE, line)), LIVE_LINE - 1);
}
END_TEST

/* What is least important goes first, and what the run is for stays. */
START_TEST(made_to_fit)
{
	char line[LIVE_LINE];
	struct live_state s = running;

	ck_assert_str_eq(live_line(&s, 79, line),
		"running  8.1 of 10.0 s  10,000 up  5.60 M delivered/s  p50 870 us  p99 3.1 ms");
	ck_assert_str_eq(live_line(&s, 104, line),
		"running     [####.]  8.1 of 10.0 s  10,000 up  12,345 sent/s  5.60 M delivered/s"
		"  p50 870 us  p99 3.1 ms");
	s.phase = "waiting for the rest";
	s.faults = 1234567;
	s.up = 9000;
	for (size_t columns = 64; columns < LIVE_LINE; columns++) {
		(void)live_line(&s, columns, line);
		ck_assert_uint_le(strlen(line), columns);
		ck_assert_ptr_nonnull(strstr(line, "  1,234,567 WRONG"));
		ck_assert_ptr_nonnull(strstr(line, "  p50 870 us  p99 3.1 ms"));
	}
}
END_TEST

/* Clients and how much there is, rather than the time and what is not known yet. */
START_TEST(narrow)
{
	char line[LIVE_LINE];
	struct live_state s = running;

	ck_assert_str_eq(live_line(&s, 31, line), "running  p50 870 us  p99 3.1 ms");
	ck_assert_str_eq(live_line(&s, 30, line), "running 10,000 up 5.60 M/s");
	ck_assert_str_eq(live_line(&s, 19, line), "running 10,000 up");
	ck_assert_str_eq(live_line(&connecting, 19, line), "connecting 5,000 up");
	/* In its first second. */
	s.sent_per_s = s.delivered_per_s = 0;
	s.p50_us = s.p99_us = 0;
	ck_assert_str_eq(live_line(&s, 19, line), "running 10,000 up");
	s = running;
	s.phase = "waiting for the rest";
	s.up = 3;
	s.p50_us = 7;
	ck_assert_str_eq(live_line(&s, 26, line), "waiting 3 up 5.60 M/s 7 us");
	s.faults = 1234;
	ck_assert_str_eq(live_line(&s, 26, line), "waiting 1,234 WRONG 3 up");
	/* What has no room makes room for what has. */
	ck_assert_str_eq(live_line(&s, 18, line), "waiting 3 up 7 us");
	/* Where not even that has any, it is cut by whoever shows it. */
	ck_assert_str_eq(live_line(&s, 5, line), "waiting");
}
END_TEST

/* As if it had been shown so long ago; how long the calls between take is nobody's promise. */
static void shown_ago(struct live *l, int64_t ms)
{
	ck_assert_int_le(l->shown_at, clock_ms());
	l->shown_at = clock_ms() - ms;
}

/* ---- where there is no terminal ---- */

START_TEST(into_a_file)
{
	FILE *f = tmpfile();
	char text[1024];
	struct live l;

	ck_assert_ptr_nonnull(f);
	live_init(&l, f);
	live_show(&l, &connecting);
	shown_ago(&l, 5000);
	live_show(&l, &connecting); /* too soon */
	live_show(&l, &running);    /* another phase is told of at once */
	shown_ago(&l, 5000);
	live_show(&l, &running);
	shown_ago(&l, 10000);
	live_show(&l, &running);
	live_end(&l); /* nothing to end */
	rewind(f);
	text[fread(text, 1, sizeof text - 1, f)] = '\0';
	ck_assert_str_eq(text, CONNECTING "\n" RUNNING "\n" RUNNING "\n");
	ck_assert_int_eq(fclose(f), 0);
	/* Quiet. */
	live_init(&l, NULL);
	live_show(&l, &running);
	live_end(&l);
	ck_assert(!l.drawn);
}
END_TEST

/* ---- on a terminal ---- */

static int master;
static FILE *screen;

static void open_terminal(unsigned short columns)
{
	struct winsize w = {.ws_row = 24, .ws_col = columns};
	int slave;

	ck_assert_int_eq(openpty(&master, &slave, NULL, NULL, &w), 0);
	ck_assert_int_eq(fcntl(master, F_SETFL, O_NONBLOCK), 0);
	screen = fdopen(slave, "w");
	ck_assert_ptr_nonnull(screen);
	ck_assert_int_eq(setenv("TERM", "vt100", 1), 0);
}

static void close_terminal(void)
{
	ck_assert_int_eq(fclose(screen), 0);
	ck_assert_int_eq(close(master), 0);
}

/* What has come to it: a pseudo-terminal hands on what was written before the write has ended. */
static const char *seen(void)
{
	static char text[4096];
	ssize_t n = read(master, text, sizeof text - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static const unsigned short widths[] = {0, 1, 2, 20, 80, 81, 111, 400};

START_TEST(cut_to_the_width)
{
	int columns = widths[_i] > 0 ? widths[_i] - 1 : 79;
	char expected[512], line[LIVE_LINE];
	struct live l;

	open_terminal(widths[_i]);
	live_init(&l, screen);
	live_show(&l, &running);
	snprintf(expected, sizeof expected, "\r%.*s\033[K", columns,
		live_line(&running, (size_t)columns, line));
	ck_assert_str_eq(seen(), expected);
	shown_ago(&l, -60000);
	live_show(&l, &running); /* too soon, as are other phases */
	live_show(&l, &connecting);
	ck_assert_str_eq(seen(), "");
	l.shown_at = 0;
	live_show(&l, &running);
	ck_assert_str_eq(seen(), expected);
	live_end(&l);
	ck_assert_str_eq(seen(), "\r\n"); /* by the terminal's own onlcr */
	live_end(&l);
	ck_assert_str_eq(seen(), "");
	close_terminal();
}
END_TEST

/* It was made wider in the meantime. */
START_TEST(another_width)
{
	struct winsize w = {.ws_row = 24, .ws_col = 30};
	char expected[64];
	struct live l;

	open_terminal(10);
	live_init(&l, screen);
	live_show(&l, &connecting);
	ck_assert_str_eq(seen(), "\rconnectin\033[K");
	ck_assert_int_eq(ioctl(master, TIOCSWINSZ, &w), 0);
	shown_ago(&l, 100);
	live_show(&l, &connecting);
	snprintf(expected, sizeof expected, "\r%.29s\033[K", "connecting 5,000 up 11,812/s");
	ck_assert_str_eq(seen(), expected);
	close_terminal();
}
END_TEST

static const char *const dumb[] = {"dumb", "", NULL};

START_TEST(a_dumb_terminal)
{
	struct live l;

	open_terminal(80);
	ck_assert_int_eq(dumb[_i] ? setenv("TERM", dumb[_i], 1) : unsetenv("TERM"), 0);
	live_init(&l, screen);
	live_show(&l, &connecting);
	live_end(&l);
	ck_assert_str_eq(seen(), CONNECTING "\r\n");
	close_terminal();
}
END_TEST

Suite *live_suite(void)
{
	Suite *s = suite_create("live");
	TCase *c = tcase_create("live");

	tcase_add_test(c, whole_lines);
	tcase_add_test(c, made_to_fit);
	tcase_add_test(c, narrow);
	tcase_add_test(c, into_a_file);
	tcase_add_loop_test(c, cut_to_the_width, 0, (int)(sizeof widths / sizeof widths[0]));
	tcase_add_test(c, another_width);
	tcase_add_loop_test(c, a_dumb_terminal, 0, (int)(sizeof dumb / sizeof dumb[0]));
	suite_add_tcase(s, c);
	return s;
}
