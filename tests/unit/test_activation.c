/*
 * Socket activation: for whom descriptors are, how many, and which are fit.
 */
#include "server/activation.h"

#include "common/err.h"
#include "tests/unit/confined.h"

#include <check.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SELF   1234
#define MOST   32
#define ERRORS 256

static const struct {
	const char *pid, *fds;
	int result;
	size_t count;
} values[] = {
	{NULL, NULL, 0, 0}, {"1234", NULL, 0, 0}, {NULL, "1", 0, 0}, {"1234", "0", 0, 0},
	{"1234", "1", 0, 1}, {"1234", "32", 0, 32}, {"1234", "33", ERR_ARGUMENT, 0},
	{"1234", "99999999999999999999", ERR_ARGUMENT, 0}, {"1234", "-1", ERR_ARGUMENT, 0},
	{"1234", "+1", ERR_ARGUMENT, 0}, {"1234", "", ERR_ARGUMENT, 0},
	{"1234", "1 ", ERR_ARGUMENT, 0}, {"", "1", ERR_ARGUMENT, 0}, {"x", "1", ERR_ARGUMENT, 0},
	{"1235", "1", 0, 0}, {"1235", "99", 0, 0}, {"4294968530", "1", 0, 0}, /* 2^32 + 1234 */
};

START_TEST(reading)
{
	size_t count = 99;
	int r = activation_read(values[_i].pid, values[_i].fds, SELF, MOST, &count);

	ck_assert_int_eq(r, values[_i].result);
	ck_assert_uint_eq(count, r ? 99 : values[_i].count);
}
END_TEST

/* ---- taking ---- */

enum kind {
	LISTENING,
	LISTENING_V6,
	NOT_LISTENING,
	DATAGRAMS,
	UNIX,
	NO_SOCKET,
	NOTHING
};

static int make(enum kind kind)
{
	const struct sockaddr_in v4 = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const struct sockaddr_in6 v6 = {
		.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = -1;

	switch (kind) {
	case LISTENING:
	case NOT_LISTENING:
		fd = socket(AF_INET, SOCK_STREAM, 0);
		if (bind(fd, (const struct sockaddr *)&v4, sizeof(v4)) != 0 ||
			(kind == LISTENING && listen(fd, 1) != 0))
			return -1;
		break;
	case LISTENING_V6:
		fd = socket(AF_INET6, SOCK_STREAM, 0);
		if (bind(fd, (const struct sockaddr *)&v6, sizeof(v6)) != 0 || listen(fd, 1) != 0)
			return -1;
		break;
	case DATAGRAMS:
		fd = socket(AF_INET, SOCK_DGRAM, 0);
		break;
	case UNIX:
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (bind(fd, (const struct sockaddr *)&(struct sockaddr){.sa_family = AF_UNIX},
			    sizeof(sa_family_t)) != 0 ||
			listen(fd, 1) != 0)
			return -1;
		break;
	case NO_SOCKET:
		fd = open("/dev/null", O_RDONLY);
		break;
	case NOTHING:
		break;
	}
	return fd;
}

static const struct {
	enum kind kinds[2];
	size_t count;
	int result;
} handed[] = {
	{{LISTENING}, 1, 0},
	{{LISTENING, LISTENING}, 2, 0},
	{{LISTENING, LISTENING_V6}, 2, 0},
	{{NOT_LISTENING}, 1, ERR_ARGUMENT},
	{{DATAGRAMS}, 1, ERR_ARGUMENT},
	{{UNIX}, 1, ERR_ARGUMENT},
	{{NO_SOCKET}, 1, ERR_ARGUMENT},
	{{NOTHING}, 1, ERR_ARGUMENT},
	{{LISTENING, NOT_LISTENING}, 2, ERR_ARGUMENT},
};

static int put(enum kind kind, int wanted)
{
	int fd = make(kind);

	if (kind == NOTHING) {
		(void)close(wanted);
		return 0;
	}
	if (fd < 0)
		return CONFINED_SKIP; /* no IPv6 here */
	if (fd != wanted && (dup2(fd, wanted) != wanted || close(fd) != 0))
		return 1;
	return 0;
}

/* In a process of its own, for it uses the descriptors from 3 on, whatever they were. */
static int take(void *context)
{
	size_t i = *(const size_t *)context, count = 99;
	char pid[16], fds[16], error[ERRORS] = "";

	for (size_t n = 0; n < handed[i].count; n++) {
		int r = put(handed[i].kinds[n], ACTIVATION_FIRST + (int)n);
		if (r)
			return r;
	}
	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	snprintf(fds, sizeof(fds), "%zu", handed[i].count);
	if (setenv("LISTEN_PID", pid, 1) != 0 || setenv("LISTEN_FDS", fds, 1) != 0 ||
		setenv("LISTEN_FDNAMES", "a:b", 1) != 0)
		return 2;
	if (activation_take(MOST, &count, error, sizeof(error)) != handed[i].result)
		return 3;
	if (getenv("LISTEN_PID") || getenv("LISTEN_FDS") || getenv("LISTEN_FDNAMES"))
		return 4;
	if (handed[i].result)
		return count == 99 && strstr(error, "LISTEN_FDS") && !strchr(error, '\n') ? 0 : 5;
	if (count != handed[i].count)
		return 6;
	for (size_t n = 0; n < count; n++) {
		int fd = ACTIVATION_FIRST + (int)n;
		if (!(fcntl(fd, F_GETFD) & FD_CLOEXEC) || !(fcntl(fd, F_GETFL) & O_NONBLOCK))
			return 7;
	}
	/* Another look finds none. */
	return activation_take(MOST, &count, error, sizeof(error)) == 0 && count == 0 ? 0 : 8;
}

START_TEST(taking)
{
	size_t i = (size_t)_i;
	int answer = confined_run(take, &i);

	ck_assert_msg(answer == 0 || answer == CONFINED_SKIP, "%d", answer);
}
END_TEST

Suite *activation_suite(void)
{
	Suite *s = suite_create("activation");
	TCase *c = tcase_create("activation");

	tcase_add_loop_test(c, reading, 0, sizeof(values) / sizeof(values[0]));
	tcase_add_loop_test(c, taking, 0, sizeof(handed) / sizeof(handed[0]));
	suite_add_tcase(s, c);
	return s;
}
