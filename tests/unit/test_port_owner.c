/*
 * Who listens on a port: this process, as the kernel tells it.
 */
#include "server/port_owner.h"

#include "common/err.h"
#include "common/net.h"

#include <arpa/inet.h>
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct net_address loopback(int family)
{
	struct net_address a = {0};

	if (family == AF_INET) {
		a.length = sizeof(a.u.v4);
		a.u.v4.sin_family = AF_INET;
		a.u.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	} else {
		a.length = sizeof(a.u.v6);
		a.u.v6.sin6_family = AF_INET6;
		a.u.v6.sin6_addr = in6addr_loopback;
	}
	return a;
}

static const int families[] = {AF_INET, AF_INET6};

START_TEST(ourselves)
{
	struct net_address a = loopback(families[_i]), bound;
	char owner[128] = "", process[64];
	int fd;

	if (net_listen(&a, 1, 0, &fd) != 0)
		return; /* a machine without IPv6 */
	ck_assert_int_eq(net_local(fd, &bound), 0);
	ck_assert_int_eq(port_owner(&bound, owner, sizeof(owner)), 0);
	snprintf(process, sizeof(process), "(process %d)", (int)getpid());
	ck_assert_ptr_nonnull(strstr(owner, process));
	/* A short place for it gets what fits, terminated. */
	char brief[8];
	ck_assert_int_eq(port_owner(&bound, brief, sizeof(brief)), 0);
	ck_assert_uint_lt(strlen(brief), sizeof(brief));
	net_close(fd);
	/* A port that nobody listens on any more. */
	snprintf(owner, sizeof(owner), "untouched");
	ck_assert_int_eq(port_owner(&bound, owner, sizeof(owner)), ERR_NOT_FOUND);
	ck_assert_str_eq(owner, "untouched");
}
END_TEST

/* The owner of one address of a port, of two that have one each; and of any of them, for who wants all. */
START_TEST(each_of_two_addresses)
{
	struct net_address here = loopback(AF_INET), there = here, all = here, bound;
	char owner[128] = "", process[64];
	int fd, ready[2];

	there.u.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
	ck_assert_int_eq(net_listen(&here, 1, 0, &fd) != 0, 0);
	ck_assert_int_eq(net_local(fd, &bound), 0);
	net_set_port(&there, net_port(&bound));
	ck_assert_int_eq(pipe(ready), 0);
	pid_t other = fork();
	ck_assert_int_ge(other, 0);
	if (other == 0) {
		int its;
		char c = net_listen(&there, 1, 0, &its) == 0 ? 'y' : 'n';
		net_close(fd);
		(void)!write(ready[1], &c, 1);
		pause();
		_exit(0);
	}
	char c = 0;
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	ck_assert_int_eq(c, 'y');
	ck_assert_int_eq(port_owner(&bound, owner, sizeof(owner)), 0);
	snprintf(process, sizeof(process), "(process %d)", (int)getpid());
	ck_assert_ptr_nonnull(strstr(owner, process));
	ck_assert_int_eq(port_owner(&there, owner, sizeof(owner)), 0);
	snprintf(process, sizeof(process), "(process %d)", (int)other);
	ck_assert_ptr_nonnull(strstr(owner, process));
	all.u.v4.sin_addr.s_addr = htonl(INADDR_ANY);
	net_set_port(&all, net_port(&bound));
	ck_assert_int_eq(port_owner(&all, owner, sizeof(owner)), 0);
	net_set_port(&here, net_port(&bound));
	here.u.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 2);
	ck_assert_int_eq(port_owner(&here, owner, sizeof(owner)), ERR_NOT_FOUND);
	(void)kill(other, SIGKILL);
	ck_assert_int_eq(waitpid(other, NULL, 0), other);
	(void)close(ready[0]);
	(void)close(ready[1]);
	net_close(fd);
}
END_TEST

START_TEST(bound_is_not_listening)
{
	struct net_address a = loopback(AF_INET), bound;
	char owner[128];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(net_bind(fd, &a), 0);
	ck_assert_int_eq(net_local(fd, &bound), 0);
	ck_assert_int_eq(port_owner(&bound, owner, sizeof(owner)), ERR_NOT_FOUND);
	net_close(fd);
}
END_TEST

Suite *port_owner_suite(void)
{
	Suite *s = suite_create("port_owner");
	TCase *c = tcase_create("port_owner");

	tcase_add_loop_test(c, ourselves, 0, sizeof(families) / sizeof(families[0]));
	tcase_add_test(c, each_of_two_addresses);
	tcase_add_test(c, bound_is_not_listening);
	suite_add_tcase(s, c);
	return s;
}
