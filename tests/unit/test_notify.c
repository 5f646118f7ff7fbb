/*
 * Notifying: where to, and what arrives there.
 */
#include "server/notify.h"

#include "common/err.h"
#include "common/log.h"

#include <check.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LONGEST 107 /* sun_path without a terminator */

static const struct {
	const char *text;
	int result;
	size_t length; /* of the path, or of the name with its NUL in front */
} texts[] = {
	{"/run/notify", 0, 12},
	{"@name", 0, 5},
	{"", ERR_ARGUMENT, 0},
	{"/", ERR_ARGUMENT, 0},
	{"@", ERR_ARGUMENT, 0},
	{"relative", ERR_ARGUMENT, 0},
	{"vsock:2:1234", ERR_ARGUMENT, 0},
};

START_TEST(addresses)
{
	struct sockaddr_un a;
	socklen_t length = 99;

	int r = notify_address(texts[_i].text, &a, &length);
	ck_assert_int_eq(r, texts[_i].result);
	if (r) {
		ck_assert_uint_eq(length, 99);
		return;
	}
	ck_assert_int_eq(a.sun_family, AF_UNIX);
	ck_assert_uint_eq(length, offsetof(struct sockaddr_un, sun_path) + texts[_i].length);
	ck_assert_int_eq(a.sun_path[0], texts[_i].text[0] == '@' ? '\0' : '/');
	ck_assert_str_eq(a.sun_path + 1, texts[_i].text + 1);
}
END_TEST

START_TEST(the_longest)
{
	char text[LONGEST + 2];
	struct sockaddr_un a;
	socklen_t length;

	memset(text, 'x', sizeof(text));
	text[0] = '/';
	text[LONGEST] = '\0';
	ck_assert_int_eq(notify_address(text, &a, &length), 0);
	ck_assert_uint_eq(length, sizeof(a));
	text[LONGEST] = 'x';
	text[LONGEST + 1] = '\0';
	ck_assert_int_eq(notify_address(text, &a, &length), ERR_ARGUMENT);
}
END_TEST

/* A manager's socket, of a name or in a folder. */
static int listen_at(const char *text)
{
	struct sockaddr_un a;
	socklen_t length;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(notify_address(text, &a, &length), 0);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&a, length), 0);
	return fd;
}

static void expect(int fd, const char *wanted)
{
	char got[2048] = "";
	ssize_t n = recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT);

	ck_assert_int_ge(n, 0);
	ck_assert_str_eq(got, wanted);
}

START_TEST(sending)
{
	char text[64], longest[2000], cut[1024];
	struct notify n;

	snprintf(text, sizeof(text), "%s/lanchat-test-notify-%ld", _i ? "@" : "/tmp",
		(long)getpid());
	int fd = listen_at(text);
	ck_assert_int_eq(setenv("NOTIFY_SOCKET", text, 1), 0);
	notify_open(&n);
	ck_assert_int_ge(n.fd, 0);
	ck_assert_int_ne(fcntl(n.fd, F_GETFD) & FD_CLOEXEC, 0);
	ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
	notify_send(&n, "READY=1\nMAINPID=%d", 7);
	expect(fd, "READY=1\nMAINPID=7");
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	notify_send(&n, "%s", longest);
	memset(cut, 'x', sizeof(cut));
	cut[sizeof(cut) - 1] = '\0';
	expect(fd, cut);
	notify_close(&n);
	notify_send(&n, "READY=1");
	ck_assert_int_eq((int)recv(fd, cut, sizeof(cut), MSG_DONTWAIT), -1);
	ck_assert_int_eq(close(fd), 0);
	(void)unlink(text);
}
END_TEST

/* Neither is an error: the server works without anybody who listens. */
static const char *const nobody[] = {NULL, "", "relative", "/tmp/lanchat-there-is-no-such-socket"};

START_TEST(nobody_listens)
{
	struct notify n = {.fd = 99};

	log_set_file(NULL);
	if (nobody[_i])
		ck_assert_int_eq(setenv("NOTIFY_SOCKET", nobody[_i], 1), 0);
	else
		ck_assert_int_eq(unsetenv("NOTIFY_SOCKET"), 0);
	notify_open(&n);
	ck_assert_int_eq(n.fd, -1);
	notify_send(&n, "READY=1");
	notify_close(&n);
}
END_TEST

Suite *notify_suite(void)
{
	Suite *s = suite_create("notify");
	TCase *c = tcase_create("notify");

	tcase_add_loop_test(c, addresses, 0, sizeof(texts) / sizeof(texts[0]));
	tcase_add_test(c, the_longest);
	tcase_add_loop_test(c, sending, 0, 2);
	tcase_add_loop_test(c, nobody_listens, 0, sizeof(nobody) / sizeof(nobody[0]));
	suite_add_tcase(s, c);
	return s;
}
