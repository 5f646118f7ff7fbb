/*
 * Privileges: which user is meant, and that there is no way back from becoming them.
 */
#include "server/privileges.h"

#include "common/err.h"
#include "tests/unit/confined.h"

#include <check.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ERRORS   256
#define STRANGER 54321 /* an id that has no entry */
#define BINDING  0x400 /* CAP_NET_BIND_SERVICE */

/* ---- who ---- */

START_TEST(nobody_is_named)
{
	struct privileges p;
	char error[ERRORS];

	ck_assert_int_eq(privileges_find(NULL, &p, error, sizeof(error)), 0);
	ck_assert(!p.change);
	ck_assert_int_eq(privileges_become(&p, error, sizeof(error)), 0);
}
END_TEST

static const char *const unknown[] = {
	"", "no such user", "-1", "+1", " 1", "1x", "4294967295", "99999999999999999999"};

START_TEST(no_such_user)
{
	struct privileges p = {.uid = 7};
	char error[ERRORS] = "";

	ck_assert_int_eq(privileges_find(unknown[_i], &p, error, sizeof(error)), ERR_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(error, "--user"));
	ck_assert_ptr_null(strchr(error, '\n'));
	ck_assert_uint_eq(p.uid, 7);
}
END_TEST

START_TEST(oneself)
{
	struct privileges p;
	char error[ERRORS], number[16];

	snprintf(number, sizeof(number), "%lu", (unsigned long)geteuid());
	ck_assert_int_eq(privileges_find(number, &p, error, sizeof(error)), 0);
	ck_assert_uint_eq(p.uid, geteuid());
	ck_assert(!p.change);
}
END_TEST

START_TEST(by_name_and_by_number)
{
	const struct passwd *entry = getpwnam("nobody");
	struct privileges p;
	char error[ERRORS], number[16];

	if (geteuid() != 0 || !entry)
		return;
	uid_t uid = entry->pw_uid;
	gid_t gid = entry->pw_gid;
	snprintf(number, sizeof(number), "%lu", (unsigned long)uid);
	for (int i = 0; i < 2; i++) {
		const char *wanted = i ? number : "nobody";
		ck_assert_int_eq(privileges_find(wanted, &p, error, sizeof(error)), 0);
		ck_assert(p.change);
		ck_assert_uint_eq(p.uid, uid);
		ck_assert_uint_eq(p.gid, gid);
		ck_assert_str_eq(p.name, wanted);
	}
}
END_TEST

/* ---- becoming ---- */

/* A line of /proc/self/status in base 16; all bits: it cannot be read. */
static unsigned long long capabilities(const char *set)
{
	char line[128];
	unsigned long long found = ~0ULL;
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, set, strlen(set)) == 0)
			found = strtoull(strchr(line, ':') + 1, NULL, 16);
	}
	if (f)
		(void)fclose(f);
	return found;
}

static int become(void *context)
{
	struct privileges p;
	char error[ERRORS];
	uid_t u[3];
	gid_t g[3];

	(void)context;
	/* Groups that must not stay. */
	if (geteuid() != 0 || setgroups(2, (const gid_t[]){0, 4}) != 0)
		return CONFINED_SKIP;
	if (privileges_find("54321", &p, error, sizeof(error)) != 0 || !p.change)
		return 1;
	if (privileges_become(&p, error, sizeof(error)) != 0)
		return strstr(error, strerror(EINVAL)) ? CONFINED_SKIP : 2;
	if (getresuid(&u[0], &u[1], &u[2]) != 0 || getresgid(&g[0], &g[1], &g[2]) != 0)
		return 3;
	for (int i = 0; i < 3; i++) {
		if (u[i] != STRANGER || g[i] != STRANGER)
			return 4;
	}
	if (getgroups(0, NULL) != 0)
		return 5;
	if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0 || setgroups(0, NULL) == 0)
		return 6;
	if (capabilities("CapPrm") != BINDING || capabilities("CapEff") != BINDING ||
		capabilities("CapInh") != 0)
		return 7;
	if (privileges_are_roots() || privileges_drop() != 0)
		return 8;
	if (capabilities("CapPrm") != 0 || capabilities("CapEff") != 0)
		return 9;
	/* Once more gives up nothing, and is no error. */
	return privileges_drop() == 0 ? 0 : 10;
}

START_TEST(there_is_no_way_back)
{
	int answer = confined_run(become, NULL);

	ck_assert_msg(answer == 0 || answer == CONFINED_SKIP, "%d", answer);
}
END_TEST

/* Root keeps what it needs for the files of others, and nothing that is the machine's. */
static int drop_as_root(void *context)
{
	(void)context;
	if (geteuid() != 0)
		return CONFINED_SKIP;
	if (privileges_drop() != 0)
		return 1;
	return (capabilities("CapEff") & ~0xbULL) == 0 ? 0 : 2;
}

START_TEST(root_drops_most)
{
	int answer = confined_run(drop_as_root, NULL);

	ck_assert_msg(answer == 0 || answer == CONFINED_SKIP, "%d", answer);
}
END_TEST

/* Their home, and nothing of root's. */
START_TEST(home)
{
	struct privileges p = {.change = false, .home = "/there"};

	ck_assert_int_eq(setenv("HOME", "/roots", 1), 0);
	ck_assert_int_eq(setenv("XDG_DATA_HOME", "/roots/data", 1), 0);
	privileges_take_home(&p);
	ck_assert_str_eq(getenv("HOME"), "/roots");
	ck_assert_str_eq(getenv("XDG_DATA_HOME"), "/roots/data");
	p.change = true;
	privileges_take_home(&p);
	ck_assert_str_eq(getenv("HOME"), "/there");
	ck_assert_ptr_null(getenv("XDG_DATA_HOME"));
	p.home[0] = '\0';
	privileges_take_home(&p);
	ck_assert_ptr_null(getenv("HOME"));
}
END_TEST

Suite *privileges_suite(void)
{
	Suite *s = suite_create("privileges");
	TCase *c = tcase_create("who"), *b = tcase_create("becoming");

	if (geteuid() != 0)
		printf("privileges: SKIP of becoming another user, which takes root\n");
	tcase_add_test(c, nobody_is_named);
	tcase_add_loop_test(c, no_such_user, 0, sizeof(unknown) / sizeof(unknown[0]));
	tcase_add_test(c, oneself);
	tcase_add_test(c, by_name_and_by_number);
	suite_add_tcase(s, c);
	tcase_add_test(b, there_is_no_way_back);
	tcase_add_test(b, root_drops_most);
	tcase_add_test(b, home);
	suite_add_tcase(s, b);
	return s;
}
