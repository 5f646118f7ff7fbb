/*
 * Books of servers: who was entered is found, everybody else stays, and several who
 * write at once do not lose what another one has written.
 */
#include "client/address_book.h"

#include "common/err.h"

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define BOOK "book"

static char folder[64], path[96];

static void setup(void)
{
	snprintf(folder, sizeof(folder), "/tmp/lanchat-book-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/" BOOK, folder);
}

static int remove_one(const char *name, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(name);
}

static void teardown(void)
{
	(void)nftw(folder, remove_one, 4, FTW_DEPTH | FTW_PHYS);
}

/* A server by a number. */
static const uint8_t *server(int number)
{
	static uint8_t id[IDENTITY_SIZE];

	memset(id, 0, sizeof(id));
	id[0] = (uint8_t)number;
	id[1] = (uint8_t)(number >> 8);
	return id;
}

/* The number of the server at an address; -1: none is known. */
static int known(const char *address)
{
	uint8_t id[IDENTITY_SIZE];

	return book_find(folder, BOOK, address, id) == 0 ? id[0] + 256 * id[1] : -1;
}

static size_t line_count(void)
{
	FILE *f = fopen(path, "re");
	size_t count = 0;
	int c;

	ck_assert_ptr_nonnull(f);
	while ((c = getc(f)) != EOF)
		count += c == '\n';
	ck_assert_int_eq(fclose(f), 0);
	return count;
}

START_TEST(test_entries)
{
	ck_assert_int_eq(known("a:1"), -1);
	ck_assert_int_eq(book_put(folder, BOOK, "a:1", server(1)), 0);
	ck_assert_int_eq(book_put(folder, BOOK, "b:2", server(2)), 0);
	ck_assert_int_eq(book_put(folder, BOOK, "a:1", server(3)), 0);
	ck_assert_int_eq(known("a:1"), 3);
	ck_assert_int_eq(known("b:2"), 2);
	ck_assert(book_has(folder, BOOK, server(3)) && !book_has(folder, BOOK, server(1)));
	ck_assert_uint_eq(line_count(), 2);
	ck_assert_int_eq(book_remove(folder, BOOK, "a:1"), 0);
	ck_assert_int_eq(book_remove(folder, BOOK, "a:1"), ERR_NOT_FOUND);
	ck_assert_int_eq(known("b:2"), 2);
	ck_assert_int_eq(book_put(folder, BOOK, "a\nb", server(1)), ERR_ARGUMENT);
	ck_assert_int_eq(book_put(folder, BOOK, "a\x07", server(1)), ERR_ARGUMENT);
	ck_assert_int_eq(book_put(folder, BOOK, "", server(1)), ERR_ARGUMENT);
}
END_TEST

START_TEST(test_oldest_goes)
{
	FILE *f = fopen(path, "we");

	ck_assert_ptr_nonnull(f);
	for (int i = 999; i >= 0; i--)
		fprintf(f, "%02x%02x%060d h:%d\n", i & 255, i >> 8, 0, i);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(book_put(folder, BOOK, "new:1", server(5000)), 0);
	ck_assert_uint_eq(line_count(), 1000);
	ck_assert_int_eq(known("h:0"), -1);
	ck_assert_int_eq(known("h:1"), 1);
	ck_assert_int_eq(known("h:999"), 999);
	ck_assert_int_eq(known("new:1"), 5000);
}
END_TEST

static const char *const damages[] = {
	"%s0 a:1\n",            /* an id that is too long */
	"%.63s a:1\n",          /* or too short */
	"%s a:1\r\n",           /* by an editor */
	"%s\ta:1\n",            /* another one */
	"\xef\xbb\xbf%s a:1\n", /* or one that begins with a byte order mark */
	"%s \n",                /* without an address */
	"%s a:1",               /* the disk was full */
	"%.10s",
};

/* Who was met at an address of which nothing can be read is not known, rather than nobody. */
START_TEST(test_damaged)
{
	char text[256], id[2 * IDENTITY_SIZE + 1], before[512];
	uint8_t found[IDENTITY_SIZE];
	FILE *f = fopen(path, "we");

	ck_assert_ptr_nonnull(f);
	memset(id, '0', sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	fprintf(f, "%s b:2\n\n", id);
	fprintf(f, damages[_i], id);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(book_find(folder, BOOK, "b:2", found), 0);
	ck_assert_int_eq(book_find(folder, BOOK, "a:1", found), ERR_DAMAGED);
	ck_assert_int_eq(book_meet(folder, BOOK, "a:1", server(1), found), ERR_DAMAGED);
	/* And nothing of it is lost that somebody could correct. */
	ck_assert_int_eq(book_remove(folder, BOOK, "b:2"), ERR_DAMAGED);
	ck_assert_int_eq(book_remove(folder, BOOK, "a:1"), ERR_DAMAGED);
	f = fopen(path, "re");
	ck_assert_ptr_nonnull(f);
	size_t length = fread(text, 1, sizeof(text), f);
	ck_assert_int_eq(fclose(f), 0);
	int n = snprintf(before, sizeof(before), "%s b:2\n\n", id);
	n += snprintf(before + n, sizeof(before) - (size_t)n, damages[_i], id);
	ck_assert_uint_eq(length, (size_t)n);
	ck_assert_mem_eq(text, before, length);
}
END_TEST

/* The end of a line that is too long was taken for a line of its own, with NULs in it or without. */
START_TEST(test_long_line)
{
	FILE *f = fopen(path, "we");

	ck_assert_ptr_nonnull(f);
	for (int i = 0; i < 576; i++)
		fputc(_i == 0 ? 'x' : '\0', f);
	fprintf(f, "%064d a:1\n%064d b:2\n", 1, 0);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(known("a:1"), -1);
	ck_assert_int_eq(known("b:2"), 0);
	ck_assert_int_eq(book_put(folder, BOOK, "c:3", server(3)), 0);
	ck_assert_int_eq(known("b:2"), 0);
	ck_assert_uint_eq(line_count(), 2);
}
END_TEST

/* Who is met where somebody is known already does not take that place. */
START_TEST(test_meet)
{
	uint8_t found[IDENTITY_SIZE];

	ck_assert_int_eq(book_meet(folder, BOOK, "a:1", server(1), found), 0);
	ck_assert_int_eq(book_meet(folder, BOOK, "a:1", server(2), found), ERR_EXISTS);
	ck_assert_mem_eq(found, server(1), IDENTITY_SIZE);
	ck_assert_int_eq(book_meet(folder, BOOK, "b:2", server(2), found), 0);
	ck_assert_int_eq(known("a:1"), 1);
	ck_assert_int_eq(known("b:2"), 2);
	ck_assert_uint_eq(line_count(), 2);
}
END_TEST

/* ---- several at once ---- */

#define WRITERS 4
#define EACH    25

/* Each process enters servers of its own, and all of them one that they share. */
static void write_many(int writer)
{
	char address[32];
	int r = 0;

	for (int i = 0; i < EACH && r == 0; i++) {
		snprintf(address, sizeof(address), "w%d:%d", writer, i);
		r = book_put(folder, BOOK, address, server(writer));
		if (r == 0)
			r = book_put(folder, BOOK, "shared:1", server(99));
	}
	_exit(r == 0 ? 0 : 1);
}

START_TEST(test_many_writers)
{
	pid_t writers[WRITERS];
	char address[32];
	int status;

	for (int w = 0; w < WRITERS; w++) {
		writers[w] = fork();
		ck_assert_int_ge(writers[w], 0);
		if (writers[w] == 0)
			write_many(w);
	}
	for (int w = 0; w < WRITERS; w++) {
		ck_assert_int_eq(waitpid(writers[w], &status, 0), writers[w]);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_uint_eq(line_count(), WRITERS * EACH + 1);
	ck_assert_int_eq(known("shared:1"), 99);
	for (int w = 0; w < WRITERS; w++) {
		for (int i = 0; i < EACH; i++) {
			snprintf(address, sizeof(address), "w%d:%d", w, i);
			ck_assert_int_eq(known(address), w);
		}
	}
}
END_TEST

/* Many meet somebody else at one address at once: the first is who is known there, and all others are
 * told so. The status of each is the number of the one that it found. */
START_TEST(test_meet_at_once)
{
	pid_t writers[WRITERS];
	uint8_t found[IDENTITY_SIZE] = {0};
	int status, winners = 0;

	for (int w = 0; w < WRITERS; w++) {
		writers[w] = fork();
		ck_assert_int_ge(writers[w], 0);
		if (writers[w] != 0)
			continue;
		int r = book_meet(folder, BOOK, "a:1", server(w + 1), found);
		_exit(r == 0 ? w + 1 : r == ERR_EXISTS ? found[0] : 0);
	}
	for (int w = 0; w < WRITERS; w++) {
		ck_assert_int_eq(waitpid(writers[w], &status, 0), writers[w]);
		ck_assert(WIFEXITED(status));
		ck_assert_int_eq(WEXITSTATUS(status), known("a:1"));
		winners += WEXITSTATUS(status) == w + 1;
	}
	ck_assert_int_eq(winners, 1);
	ck_assert_uint_eq(line_count(), 1);
}
END_TEST

Suite *address_book_suite(void)
{
	Suite *s = suite_create("address_book");
	TCase *t = tcase_create("address_book");

	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_entries);
	tcase_add_test(t, test_oldest_goes);
	tcase_add_loop_test(t, test_damaged, 0, sizeof(damages) / sizeof(damages[0]));
	tcase_add_loop_test(t, test_long_line, 0, 2);
	tcase_add_test(t, test_meet);
	tcase_add_test(t, test_many_writers);
	tcase_add_test(t, test_meet_at_once);
	suite_add_tcase(s, t);
	return s;
}
