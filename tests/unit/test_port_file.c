/*
 * The port file: there whole or not at all, and gone in the end under whichever name.
 */
#include "server/port_file.h"

#include "common/err.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ERRORS 256

static char base[64], path[80], other[96];
static struct net_address addresses[2];

static void setup(void)
{
	char made[] = "/tmp/lanchat-test-ports-XXXXXX";

	ck_assert_ptr_nonnull(mkdtemp(made));
	snprintf(base, sizeof(base), "%s", made);
	snprintf(path, sizeof(path), "%s/ports", base);
	snprintf(other, sizeof(other), "%s.new", path);
	addresses[0].u.v4 = (struct sockaddr_in){.sin_family = AF_INET,
		.sin_port = htons(81),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	addresses[0].length = sizeof(addresses[0].u.v4);
	addresses[1].u.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6,
		.sin6_port = htons(82),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT};
	addresses[1].length = sizeof(addresses[1].u.v6);
}

/* Nothing is left. */
static void teardown(void)
{
	ck_assert_int_eq(rmdir(base), 0);
}

static bool exists(const char *name)
{
	return access(name, F_OK) == 0;
}

START_TEST(published)
{
	struct port_file f;
	char error[ERRORS], text[128] = "";

	ck_assert_int_eq(port_file_write(&f, path, addresses, 2, error, sizeof(error)), 0);
	ck_assert(!exists(path));
	ck_assert_int_eq(port_file_publish(&f, error, sizeof(error)), 0);
	ck_assert(!exists(other));
	FILE *in = fopen(path, "r");
	ck_assert_ptr_nonnull(in);
	ck_assert_uint_gt(fread(text, 1, sizeof(text) - 1, in), 0);
	ck_assert_int_eq(fclose(in), 0);
	ck_assert_str_eq(text, "127.0.0.1:81\n[::1]:82\n");
	port_file_remove(&f);
	port_file_remove(&f);
}
END_TEST

START_TEST(never_published)
{
	struct port_file f;
	char error[ERRORS];

	ck_assert_int_eq(port_file_write(&f, path, addresses, 1, error, sizeof(error)), 0);
	ck_assert(exists(other));
	port_file_remove(&f);
}
END_TEST

START_TEST(none_wanted)
{
	struct port_file f;
	char error[ERRORS];

	ck_assert_int_eq(port_file_write(&f, NULL, addresses, 2, error, sizeof(error)), 0);
	ck_assert_int_eq(port_file_publish(&f, error, sizeof(error)), 0);
	port_file_remove(&f);
}
END_TEST

START_TEST(not_to_be_written)
{
	struct port_file f;
	char error[ERRORS] = "";

	/* A folder stands in its way, under either name. */
	ck_assert_int_eq(mkdir(other, 0700), 0);
	ck_assert_int_eq(port_file_write(&f, path, addresses, 1, error, sizeof(error)), ERR_SYSTEM);
	ck_assert_ptr_nonnull(strstr(error, path));
	port_file_remove(&f);
	ck_assert_int_eq(rmdir(other), 0);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(port_file_write(&f, path, addresses, 1, error, sizeof(error)), 0);
	ck_assert_int_eq(port_file_publish(&f, error, sizeof(error)), ERR_SYSTEM);
	ck_assert_ptr_nonnull(strstr(error, path));
	port_file_remove(&f);
	ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

Suite *port_file_suite(void)
{
	Suite *s = suite_create("port_file");
	TCase *c = tcase_create("port_file");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, published);
	tcase_add_test(c, never_published);
	tcase_add_test(c, none_wanted);
	tcase_add_test(c, not_to_be_written);
	suite_add_tcase(s, c);
	return s;
}
