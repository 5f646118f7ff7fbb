/*
 * Who listens on a port: this process, as the kernel tells it.
 */
#include "server/port_owner.h"

#include "common/err.h"
#include "common/net.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <string.h>
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
	ck_assert_int_eq(port_owner(net_port(&bound), owner, sizeof(owner)), 0);
	snprintf(process, sizeof(process), "(process %d)", (int)getpid());
	ck_assert_ptr_nonnull(strstr(owner, process));
	/* A short place for it gets what fits, terminated. */
	char brief[8];
	ck_assert_int_eq(port_owner(net_port(&bound), brief, sizeof(brief)), 0);
	ck_assert_uint_lt(strlen(brief), sizeof(brief));
	net_close(fd);
	/* A port that nobody listens on any more. */
	snprintf(owner, sizeof(owner), "untouched");
	ck_assert_int_eq(port_owner(net_port(&bound), owner, sizeof(owner)), ERR_NOT_FOUND);
	ck_assert_str_eq(owner, "untouched");
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
	ck_assert_int_eq(port_owner(net_port(&bound), owner, sizeof(owner)), ERR_NOT_FOUND);
	net_close(fd);
}
END_TEST

Suite *port_owner_suite(void)
{
	Suite *s = suite_create("port_owner");
	TCase *c = tcase_create("port_owner");

	tcase_add_loop_test(c, ourselves, 0, sizeof(families) / sizeof(families[0]));
	tcase_add_test(c, bound_is_not_listening);
	suite_add_tcase(s, c);
	return s;
}
