/*
 * Pages: well-formed whatever is written on them, without references, whole or not there.
 */
#include "tools/report/page.h"

#include "common/err.h"
#include "tools/report/markup.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ERRORS 320
#define HOSTILE                                                                                    \
	"</p></pre></title></style><script>alert(1)</script>\" ' & ]]> <!-- \x01\x1b[2J\xff\xc3"   \
	"\xe2\x80\xae\xef\xbf\xbf"

static char folder[64], path[96], error[ERRORS];
static struct page *page;

static struct rlimit file_size;

static void setup(void)
{
	char made[] = "/tmp/lanchat-test-report-XXXXXX";

	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &file_size), 0);
	ck_assert_ptr_nonnull(mkdtemp(made));
	snprintf(folder, sizeof(folder), "%s", made);
	snprintf(path, sizeof(path), "%s/report.html", folder);
}

/* Nothing is left but, perhaps, the report. */
static void teardown(void)
{
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &file_size), 0);
	(void)unlink(path);
	ck_assert_int_eq(rmdir(folder), 0);
}

/* The status of the checker for a file. */
static int check_page(const char *file)
{
	char program[] = "python3", script[] = "tests/unit/report_check.py";
	char *arguments[] = {program, script, strdup(file), NULL};
	pid_t pid;
	int status;

	ck_assert_int_eq(posix_spawnp(&pid, program, NULL, NULL, arguments, environ), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	free(arguments[2]);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static char *read_page(void)
{
	FILE *in = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;

	ck_assert_ptr_nonnull(in);
	ck_assert_int_ge(getdelim(&text, &size, '\0', in), 0);
	ck_assert_int_eq(fclose(in), 0);
	return text;
}

static void begin(const char *title)
{
	ck_assert_msg(page_open(&page, path, title, title, error, sizeof(error)) == 0, "%s", error);
}

static void end(void)
{
	ck_assert_msg(page_close(page, "made by a test", error, sizeof(error)) == 0, "%s", error);
}

static int draw(FILE *out, const char *id, void *context)
{
	fprintf(out,
		"<defs><marker id=\"%s-arrow\"><path d=\"M0,0L8,4L0,8Z\"/></marker></defs>"
		"<path class=\"line s1\" marker-end=\"url(#%s-arrow)\" d=\"M0,0L9,9\"/><text>",
		id, id);
	int r = markup_text(out, context);
	fputs("</text>", out);
	return r;
}

static void write_table(const char *words)
{
	const struct page_column columns[] = {{"who", false}, {words, true}, {"c", true}};
	const char *row[] = {words, "1.5", NULL};

	page_table_begin(page, words, columns, 3);
	page_row(page, row);
	page_row(page, row);
	page_table_end(page);
}

static void write_figures(const char *words)
{
	const struct plot_point points[] = {{0, 1}, {0.5, 2}, {0.99, 7}};
	const struct plot_series series[] = {
		{.name = words, .points = points, .count = 3},
		{.name = "dots", .points = points, .count = 3, .style = PLOT_DOTS},
	};
	const struct plot plot = {.title = words,
		.x = {.label = words, .scale = TICKS_PERCENTILE},
		.y = {.label = "y", .unit = words},
		.series = series,
		.count = 2};
	const struct page_drawing drawing = {.title = words,
		.caption = words,
		.width = 760,
		.height = 100,
		.draw = draw,
		.context = (void *)(uintptr_t)words};

	page_plot(page, &plot, words);
	page_plot(page, &plot, NULL);
	page_figure(page, &drawing);
	page_figure(page, &drawing);
}

/* All that a page can have, with the same words everywhere. */
static void write_everything(const char *words)
{
	const struct page_fact facts[] = {{words, words}, {"b", NULL}};

	page_heading(page, words);
	page_subheading(page, words);
	page_paragraph(page, words);
	page_verdict(page, PAGE_PASSED, words);
	page_verdict(page, PAGE_FAILED, words);
	page_verdict(page, PAGE_NOTED, words);
	page_facts(page, facts, 2);
	page_facts(page, facts, 0);
	page_highlights(page, facts, 2);
	write_table(words);
	write_figures(words);
	page_command(page, words);
}

START_TEST(well_formed)
{
	begin("a title");
	write_everything("plain words");
	end();
	ck_assert_int_eq(check_page(path), 0);
}
END_TEST

START_TEST(hostile_words)
{
	begin(HOSTILE);
	write_everything(HOSTILE);
	end();
	ck_assert_int_eq(check_page(path), 0);
	char *text = read_page();
	ck_assert_ptr_null(strstr(text, "<script"));
	ck_assert_ptr_nonnull(
		strstr(text, "&lt;script&gt;alert(1)&lt;/script&gt;&quot; &#39; &amp; ]]&gt;"));
	free(text);
}
END_TEST

/* The checker finds what it is there for. */
START_TEST(checked)
{
	static const char *const wrong[] = {
		"<p>one</b></p>",
		"<p>&nbsp;</p>",
		"<script></script>",
		"<a href=\"https://example.org/\">x</a>",
		"<p style=\"background: url(x.png)\">x</p>",
		"<p onclick=\"x\">x</p>",
		"<p id=\"a\">x</p><p id=\"a\">x</p>",
		"<svg viewBox=\"0 0 1 1\" width=\"5\" aria-label=\"x\"></svg>",
		"<svg viewBox=\"0 0 1 1\"></svg>",
		"<svg viewBox=\"0 0 1 1\" aria-label=\"x\"><path fill=\"red\"/></svg>",
		"<p class=\"unheard-of\">x</p>",
		"<table><thead><tr><th/></tr></thead><tbody><tr><td/><td/></tr></tbody></table>",
	};
	FILE *out = fopen(path, "w");

	ck_assert_ptr_nonnull(out);
	fprintf(out,
		"<html><head><style>.known { color: red; }</style></head>"
		"<body><h1>x</h1>%s</body></html>",
		(size_t)_i < sizeof(wrong) / sizeof(wrong[0]) ? wrong[_i]
							      : "<p class=\"known\">x</p>");
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_int_eq(check_page(path), (size_t)_i < sizeof(wrong) / sizeof(wrong[0]));
}
END_TEST

START_TEST(content)
{
	const char *row[] = {"anna", "12.50", NULL};
	const struct page_column columns[] = {{"who", false}, {"ms", true}, {"more", true}};

	begin("t");
	page_verdict(page, PAGE_FAILED, "two were lost");
	page_table_begin(page, NULL, columns, 3);
	page_row(page, row);
	page_table_end(page);
	page_command(page, "a\nb <c>");
	end();
	char *text = read_page();
	ck_assert_ptr_nonnull(strstr(text, "<strong>Failed:</strong> two were lost"));
	ck_assert_ptr_nonnull(strstr(text, "<th scope=\"col\" class=\"number\">ms</th>"));
	ck_assert_ptr_nonnull(strstr(text, "<td>anna</td>"));
	ck_assert_ptr_nonnull(strstr(text, "<td class=\"number\">12.50</td>"));
	ck_assert_ptr_nonnull(strstr(text, "<td class=\"number\">\xe2\x80\x93</td>"));
	ck_assert_ptr_nonnull(strstr(text, "<pre>a\nb &lt;c&gt;</pre>"));
	ck_assert_ptr_nonnull(strstr(text, "</html>\n"));
	free(text);
}
END_TEST

/* ---- the file ---- */

static void put_old(void)
{
	FILE *out = fopen(path, "w");

	ck_assert_ptr_nonnull(out);
	fputs("old", out);
	ck_assert_int_eq(fclose(out), 0);
}

static void expect_old(void)
{
	char *text = read_page();

	ck_assert_str_eq(text, "old");
	free(text);
}

/* What was there stays until the new one is whole; teardown finds whatever would be left beside it. */
START_TEST(takes_its_place)
{
	put_old();
	begin("t");
	page_paragraph(page, "new");
	expect_old();
	page_discard(page);
	page_discard(NULL);
	expect_old();
	begin("t");
	end();
	char *text = read_page();
	ck_assert_int_eq(strncmp(text, "<!DOCTYPE html>", 15), 0);
	free(text);
}
END_TEST

/* The new file stands where the link leads, and the link stays. */
START_TEST(through_a_link)
{
	char link[128];
	struct stat s;

	snprintf(link, sizeof(link), "%s/link", folder);
	put_old();
	ck_assert_int_eq(symlink(path, link), 0);
	ck_assert_int_eq(page_open(&page, link, "t", NULL, error, sizeof(error)), 0);
	end();
	ck_assert_int_eq(lstat(link, &s), 0);
	ck_assert(S_ISLNK(s.st_mode));
	ck_assert_int_eq(unlink(link), 0);
	ck_assert_int_eq(check_page(path), 0);
}
END_TEST

/* A pipe is written as it comes, and is still one afterwards. */
START_TEST(special_file)
{
	struct stat s;
	char first[16] = "";

	ck_assert_int_eq(mkfifo(path, 0600), 0);
	int fd = open(path, O_RDWR | O_NONBLOCK);
	ck_assert_int_ge(fd, 0);
	/* All of the page fits, and nobody has to read meanwhile. */
	ck_assert_int_ge(fcntl(fd, F_SETPIPE_SZ, 1 << 20), 1 << 20);
	begin("t");
	end();
	ck_assert_int_eq(read(fd, first, 15), 15);
	ck_assert_str_eq(first, "<!DOCTYPE html>");
	ck_assert_int_eq(close(fd), 0);
	ck_assert_int_eq(stat(path, &s), 0);
	ck_assert(S_ISFIFO(s.st_mode));
}
END_TEST

/* What is in a file that stdout leads to stays in front of the page, and what follows comes behind it. */
START_TEST(on_stdout)
{
	struct stat before, after;
	char first[32] = "";
	int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	int out = dup(STDOUT_FILENO);

	ck_assert_int_eq(write(fd, "before\n", 7), 7);
	ck_assert_int_eq(fstat(fd, &before), 0);
	ck_assert_int_eq(fflush(stdout), 0);
	ck_assert_int_eq(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
	int r = page_open(&page, "-", "t", "", error, sizeof(error));
	if (r == 0)
		r = page_close(page, NULL, error, sizeof(error));
	ck_assert_int_eq(dup2(out, STDOUT_FILENO), STDOUT_FILENO);
	ck_assert_msg(r == 0, "%s", error);
	ck_assert_int_eq(stat(path, &after), 0);
	ck_assert_uint_eq(after.st_ino, before.st_ino);
	ck_assert_int_eq(pread(fd, first, 22, 0), 22);
	ck_assert_str_eq(first, "before\n<!DOCTYPE html>");
	(void)close(out);
	(void)close(fd);
}
END_TEST

START_TEST(full_disk)
{
	uid_t before = geteuid();

	/* Root could rename something over the machine's device, and a mistake here once did. */
	if (before == 0)
		ck_assert_int_eq(seteuid(65534), 0);
	ck_assert_int_ne(faccessat(AT_FDCWD, "/dev", W_OK, AT_EACCESS), 0);
	ck_assert_int_eq(page_open(&page, "/dev/full", "t", NULL, error, sizeof(error)), 0);
	for (int i = 0; i < 500; i++)
		page_paragraph(page, "more than fits into the buffer of a stream, after a while");
	ck_assert_int_eq(page_close(page, NULL, error, sizeof(error)), ERR_SYSTEM);
	ck_assert_str_eq(error, "cannot write '/dev/full': No space left on device");
	if (before == 0)
		ck_assert_int_eq(seteuid(before), 0);
}
END_TEST

/* As a disk that becomes full in between: what was there stays, and nothing is left beside it. */
START_TEST(too_large)
{
	const struct rlimit limit = {16384, file_size.rlim_max};

	put_old();
	(void)signal(SIGXFSZ, SIG_IGN);
	begin("t");
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	for (int i = 0; i < 1000; i++)
		page_paragraph(page, "more than the limit for the size of a file");
	ck_assert_int_eq(page_close(page, NULL, error, sizeof(error)), ERR_SYSTEM);
	ck_assert_ptr_nonnull(strstr(error, "File too large"));
	expect_old();
}
END_TEST

/* The last of it is written by page_close alone; that failure counts as well. */
START_TEST(last_byte)
{
	struct stat s;

	begin("t");
	end();
	ck_assert_int_eq(stat(path, &s), 0);
	const struct rlimit limit = {(rlim_t)s.st_size - 1, file_size.rlim_max};
	put_old();
	(void)signal(SIGXFSZ, SIG_IGN);
	begin("t");
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_int_eq(page_close(page, "made by a test", error, sizeof(error)), ERR_SYSTEM);
	ck_assert_ptr_nonnull(strstr(error, "File too large"));
	expect_old();
}
END_TEST

START_TEST(cannot_open)
{
	ck_assert_int_eq(page_open(&page, "/nowhere/report.html", "t", NULL, error, sizeof(error)),
		ERR_SYSTEM);
	ck_assert_str_eq(error, "cannot write '/nowhere/report.html': No such file or directory");
	ck_assert_int_eq(page_open(&page, folder, "t", NULL, error, sizeof(error)), ERR_SYSTEM);
	ck_assert_ptr_nonnull(strstr(error, "Is a directory"));
}
END_TEST

static int draw_words(FILE *out, const char *id, void *context)
{
	(void)id;
	return fputs(context, out) < 0 ? ERR_SYSTEM : 0;
}

/* In print, where no sheet holds it, in parts that overlap; else once. */
START_TEST(cut_into_sheets)
{
	static char words[] = "<path d=\"M0,0\"/>";
	struct page_drawing drawing = {
		.title = "t", .width = 760, .height = 900, .draw = draw_words, .context = words};

	begin("t");
	page_figure(page, &drawing);
	ck_assert_int_eq(page_close(page, NULL, error, sizeof(error)), 0);
	char *text = read_page();
	ck_assert_ptr_null(strstr(text, "<use"));
	free(text);
	drawing.height = 2000;
	begin("t");
	page_figure(page, &drawing);
	ck_assert_int_eq(page_close(page, NULL, error, sizeof(error)), 0);
	text = read_page();
	const char *at = text;
	int until = 24, y, height;
	for (; (at = strstr(at, "<svg viewBox=\"0 ")) != NULL; at++) {
		if (sscanf(at, "<svg viewBox=\"0 %d 760 %d\" aria-hidden", &y, &height) != 2)
			continue;
		if (height == 2000)
			continue; /* the whole one */
		ck_assert_int_eq(y, until - 24);
		ck_assert_int_le(height, 900);
		until = y + height;
	}
	ck_assert_int_eq(until, 2000);
	free(text);
}
END_TEST

static int fail_to_draw(FILE *out, const char *id, void *context)
{
	(void)out;
	(void)id;
	(void)context;
	return ERR_MEMORY;
}

/* A part that fails fails the page, with its own reason, and there is none. */
START_TEST(failed_part)
{
	const struct plot plot = {.title = "t"};
	const struct page_drawing drawing = {.width = 1, .height = 1, .draw = fail_to_draw};

	begin("t");
	ck_assert_int_eq(setenv("PATH", "/nowhere", 1), 0);
	page_plot(page, &plot, NULL);
	page_figure(page, &drawing);
	page_paragraph(page, "after it");
	ck_assert_int_eq(page_close(page, NULL, error, sizeof(error)), ERR_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(error, "gnuplot-nox"));
	ck_assert_int_ne(access(path, F_OK), 0);
	begin("t");
	page_figure(page, &drawing);
	ck_assert_int_eq(page_close(page, NULL, error, sizeof(error)), ERR_MEMORY);
	ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

Suite *report_page_suite(void)
{
	Suite *s = suite_create("report_page");
	TCase *c = tcase_create("report_page");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, well_formed);
	tcase_add_test(c, hostile_words);
	tcase_add_loop_test(c, checked, 0, 13);
	tcase_add_test(c, content);
	tcase_add_test(c, takes_its_place);
	tcase_add_test(c, through_a_link);
	tcase_add_test(c, special_file);
	tcase_add_test(c, on_stdout);
	tcase_add_test(c, full_disk);
	tcase_add_test(c, too_large);
	tcase_add_test(c, last_byte);
	tcase_add_test(c, cannot_open);
	tcase_add_test(c, cut_into_sheets);
	tcase_add_test(c, failed_part);
	suite_add_tcase(s, c);
	return s;
}
