/*
 * Hosts that are namespaces of this process; and who may not have them is told what to do about it.
 */
#include "tools/lab/site_private.h"

#include "common/err.h"
#include "tests/unit/confined.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

static struct site *site;

/* False: not here, and why is printed. */
static bool make(enum site_medium medium, size_t hosts)
{
	char reason[SITE_REASON];
	int r = site_enter(reason);

	if (r == 0)
		r = site_new(medium, hosts, &site, reason);
	if (r == ERR_REFUSED)
		printf("site: SKIP, %s\n", reason);
	else
		ck_assert_int_eq(r, 0);
	return r == 0;
}

static void unmake(void)
{
	site_free(site);
	site = NULL;
}

/* ---- hosts ---- */

static struct sockaddr_in address(size_t host, uint16_t port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = site_address(site, host)};
}

static int bound(size_t host, size_t to)
{
	struct sockaddr_in a = address(to, 7000);
	int fd = site_socket(site, host, AF_INET, SOCK_DGRAM, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	ck_assert_int_eq(errno, EADDRNOTAVAIL);
	(void)close(fd);
	return -1;
}

/* Each has its own address and nobody else's; and nothing of this is where the test is. */
START_TEST(each_has_its_address)
{
	size_t hosts = _i == SITE_BROADCAST ? 3 : 2;

	if (!make((enum site_medium)_i, hosts))
		return;
	ck_assert_uint_eq(site_hosts(site), hosts);
	ck_assert_int_eq(site_medium(site), _i);
	ck_assert_str_eq(inet_ntoa(site_address(site, 1)), "10.83.19.2");
	for (size_t host = 0; host < hosts; host++) {
		ck_assert_int_ne(fcntl(site_device(site, host), F_GETFL) & O_NONBLOCK, 0);
		for (size_t to = 0; to < hosts; to++) {
			int fd = bound(host, to);
			ck_assert_int_eq(fd >= 0, host == to);
			if (fd >= 0)
				(void)close(fd);
		}
	}
	ck_assert_uint_eq(if_nametoindex(SITE_DEVICE), 0);
	unmake();
}
END_TEST

/* What a host sends comes out of its device, whole and with its checksum made. */
START_TEST(what_is_sent_is_on_the_device)
{
	uint8_t packet[2048];

	if (!make(SITE_POINT_TO_POINT, 2))
		return;
	struct sockaddr_in to = address(1, 7000);
	int fd = bound(0, 0);
	ck_assert_int_eq(sendto(fd, "hello", 5, 0, (struct sockaddr *)&to, sizeof(to)), 5);
	struct pollfd device = {.fd = site_device(site, 0), .events = POLLIN};
	ck_assert_int_eq(poll(&device, 1, 5000), 1);
	ck_assert_int_eq(read(device.fd, packet, sizeof(packet)), 33);
	ck_assert_mem_eq(packet + 12, "\x0a\x53\x13\x01\x0a\x53\x13\x02", 8);
	ck_assert_mem_eq(packet + 28, "hello", 5);
	(void)close(fd);
	unmake();
}
END_TEST

START_TEST(another_mtu)
{
	if (!make(SITE_POINT_TO_POINT, 2))
		return;
	ck_assert_int_eq(site_set_mtu(site, 1, 600), 0);
	int fd = site_socket(site, 1, AF_INET, SOCK_DGRAM, 0);
	struct ifreq r = {.ifr_name = SITE_DEVICE};
	ck_assert_int_eq(ioctl(fd, SIOCGIFMTU, &r), 0);
	ck_assert_int_eq(r.ifr_mtu, 600);
	ck_assert_int_eq(site_set_mtu(site, 1, 10), ERR_SYSTEM);
	ck_assert_int_eq(errno, EINVAL);
	(void)close(fd);
	unmake();
}
END_TEST

START_TEST(so_many_hosts)
{
	struct site *none = NULL;
	char reason[SITE_REASON];

	ck_assert_int_eq(site_new(SITE_POINT_TO_POINT, 3, &none, reason), ERR_ARGUMENT);
	ck_assert_int_eq(site_new(SITE_BROADCAST, 4, &none, reason), ERR_ARGUMENT);
	ck_assert_int_eq(site_new(SITE_BROADCAST, 1, &none, reason), ERR_ARGUMENT);
	ck_assert_ptr_null(none);
	site_free(NULL);
}
END_TEST

/* ---- programs ---- */

START_TEST(a_program_on_a_host)
{
	char *print[] = {"cat", "/proc/net/fib_trie", NULL};
	char text[8192];
	size_t length = 0;
	ssize_t got;
	int ends[2], status;

	if (!make(SITE_POINT_TO_POINT, 2))
		return;
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	pid_t child = site_spawn(site, 1, print, (int[3]){-1, ends[1], 2});
	ck_assert_int_gt(child, 0);
	(void)close(ends[1]);
	while ((got = read(ends[0], text + length, sizeof(text) - 1 - length)) > 0)
		length += (size_t)got;
	text[length] = '\0';
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_assert_ptr_nonnull(strstr(text, "10.83.19.2\n"));
	ck_assert_ptr_null(strstr(text, "10.83.19.1\n"));
	(void)close(ends[0]);

	/* One that is not there is not started. */
	char *none[] = {"/nowhere/no program", NULL};
	ck_assert_int_eq(site_spawn(site, 1, none, (int[3]){-1, -1, -1}), ERR_SYSTEM);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	unmake();
}
END_TEST

/* What is standard may be given in any order. */
START_TEST(descriptors_trade_places)
{
	char *print[] = {"sh", "-c", "echo out; echo err >&2", NULL};
	char text[16] = "";
	int ends[2];

	if (!make(SITE_POINT_TO_POINT, 2))
		return;
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	int kept = fcntl(1, F_DUPFD_CLOEXEC, 3);
	ck_assert_int_eq(dup2(ends[1], 1), 1);
	/* Its error is our output, which is the pipe; its output goes nowhere. */
	pid_t child = site_spawn(site, 0, print, (int[3]){-1, -1, 1});
	ck_assert_int_eq(dup2(kept, 1), 1);
	(void)close(ends[1]);
	ck_assert_int_gt(child, 0);
	ck_assert_int_eq(read(ends[0], text, sizeof(text) - 1), 4);
	ck_assert_str_eq(text, "err\n");
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	(void)close(ends[0]);
	(void)close(kept);
	unmake();
}
END_TEST

/* A program whose starter has gone does not stay behind. */
static int start_and_go(void *context)
{
	char *sleep[] = {"sleep", "1000", NULL};
	int *end = context;

	/* Its end of the pipe is closed when it has ended. */
	pid_t child = site_spawn(site, 0, sleep, (int[3]){-1, end[1], -1});
	return child > 0 ? 0 : 1;
}

START_TEST(programs_end_with_us)
{
	int ends[2];
	char byte;

	if (!make(SITE_POINT_TO_POINT, 2))
		return;
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	ck_assert_int_eq(confined_run(start_and_go, ends), 0);
	(void)close(ends[1]);
	ck_assert_int_eq(read(ends[0], &byte, 1), 0);
	(void)close(ends[0]);
	unmake();
}
END_TEST

/* ---- ordinary users ---- */

/* A /dev/net of our own, in which everybody may open the device; or nobody has it. */
static bool other_dev_net(bool there)
{
	if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		mount("none", "/dev/net", "tmpfs", 0, "mode=755") != 0)
		return false;
	if (!there)
		return true;
	return mknod("/dev/net/tun", S_IFCHR | 0666, makedev(10, 200)) == 0 &&
	       chmod("/dev/net/tun", 0666) == 0;
}

/* As a program that nobody starts: one that was root once is not let at its own /proc. */
static bool become_nobody(void)
{
	return setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
	       setresuid(NOBODY, NOBODY, NOBODY) == 0 && prctl(PR_SET_DUMPABLE, 1) == 0;
}

/* Where it is allowed, an ordinary user has hosts too, and still is who he was. */
static int enter_as_nobody(void *context)
{
	char reason[SITE_REASON] = "";
	struct site_facts facts;

	(void)context;
	if (geteuid() != 0 || !other_dev_net(true) || !become_nobody())
		return CONFINED_SKIP;
	if (site_enter(reason) != 0) {
		site_facts(&facts);
		printf("site: SKIP of ordinary users, %s\n", reason);
		(void)fflush(stdout);
		/* The thread sanitizer has a thread of its own, with which no user namespace is made. */
		return strstr(reason, "has threads already") || facts.userns_clone == 0 ||
				       facts.apparmor == 1 || facts.user_namespaces == 0 ||
				       facts.seccomp == 2
			       ? CONFINED_SKIP
			       : 1;
	}
	if (geteuid() != NOBODY || getegid() != NOBODY)
		return 2;
	if (site_new(SITE_BROADCAST, 3, &site, reason) != 0)
		return 3;
	int fd = bound(2, 2);
	if (fd < 0)
		return 4;
	unmake();
	return 0;
}

START_TEST(an_ordinary_user)
{
	int answer = confined_run(enter_as_nobody, NULL);

	ck_assert_msg(answer == 0 || answer == CONFINED_SKIP, "%d", answer);
}
END_TEST

static int enter_without_device(void *context)
{
	char reason[SITE_REASON] = "";
	bool *nobody = context;

	if (geteuid() != 0 || !other_dev_net(false) || (*nobody && !become_nobody()))
		return CONFINED_SKIP;
	if (site_enter(reason) != ERR_REFUSED)
		return 1;
	if (!strstr(reason, "/dev/net/tun"))
		return CONFINED_SKIP; /* it did not come that far here */
	return strstr(reason, "sudo modprobe tun") ? 0 : 2;
}

START_TEST(no_device)
{
	bool nobody = _i == 1;
	int answer = confined_run(enter_without_device, &nobody);

	ck_assert_msg(answer == 0 || answer == CONFINED_SKIP, "%d", answer);
}
END_TEST

/* ---- what is missing, in words ---- */

static const struct {
	struct site_failure failed;
	struct site_facts facts;
	const char *says;
} missing[] = {
	{{SITE_STEP_USER, EPERM}, {.userns_clone = 0, .user_namespaces = 9},
		"unshare(CLONE_NEWUSER): Operation not permitted; user namespaces are for root "
		"alone here: "
		"sudo sysctl kernel.unprivileged_userns_clone=1"},
	{{SITE_STEP_USER, ENOSPC}, {.userns_clone = 1},
		"sudo sysctl user.max_user_namespaces=10000"},
	{{SITE_STEP_USER, EPERM}, {.userns_clone = -1, .user_namespaces = 0},
		"sudo sysctl user.max_user_namespaces=10000"},
	{{SITE_STEP_USER, EPERM}, {.userns_clone = 1, .user_namespaces = 1, .seccomp = 2},
		"a seccomp filter keeps this process from it; in a container it takes --cap-add "
		"NET_ADMIN"},
	{{SITE_STEP_USER, EPERM}, {.userns_clone = -1, .user_namespaces = 1}, "run it with sudo"},
	{{SITE_STEP_MAP, EACCES}, {.apparmor = 1},
		"writing the map of the user namespace: Permission denied; AppArmor keeps ordinary "
		"users "
		"from it: sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"},
	{{SITE_STEP_NAMESPACE, EPERM}, {.apparmor = 1, .net_namespaces = 9},
		"sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"},
	{{SITE_STEP_NAMESPACE, ENOSPC}, {.net_namespaces = 9},
		"sudo sysctl user.max_net_namespaces=10000"},
	{{SITE_STEP_NAMESPACE, EINVAL}, {.net_namespaces = 9}, "CONFIG_NET_NS"},
	{{SITE_STEP_USER, EINVAL}, {.user_namespaces = 9}, "or the process has threads already"},
	{{SITE_STEP_NAMESPACE, EPERM}, {.root = true, .net_namespaces = 9},
		"root has not all its rights here; in a container"},
	{{SITE_STEP_DESCRIPTOR, ENOENT}, {0}, "sudo mount -t proc proc /proc"},
	{{SITE_STEP_OPEN, ENOENT}, {0},
		"open /dev/net/tun: No such file or directory; the driver is not loaded: sudo "
		"modprobe tun"},
	{{SITE_STEP_OPEN, EACCES}, {0}, "sudo chmod 0666 /dev/net/tun"},
	{{SITE_STEP_OPEN, EPERM}, {0}, "--device /dev/net/tun"},
	{{SITE_STEP_DEVICE, EPERM}, {0},
		"ioctl(TUNSETIFF): Operation not permitted; in a container"},
	{{SITE_STEP_INTERFACE, EINVAL}, {0}, "setting up the interface: Invalid argument"},
	{{SITE_STEP_THREAD, EAGAIN}, {0}, "cannot be started: Resource temporarily unavailable"},
};

START_TEST(what_is_missing)
{
	char reason[SITE_REASON];

	site_explain(&missing[_i].failed, &missing[_i].facts, reason);
	ck_assert_msg(strstr(reason, missing[_i].says), "%s", reason);
	ck_assert_uint_lt(strlen(reason), SITE_REASON - 100);
}
END_TEST

Suite *site_suite(void)
{
	Suite *suite = suite_create("site");
	TCase *tests = tcase_create("site");

	if (geteuid() != 0)
		printf("site: SKIP of the ways of other users, which take root\n");
	tcase_set_timeout(tests, 30);
	tcase_add_loop_test(tests, each_has_its_address, SITE_POINT_TO_POINT, SITE_BROADCAST + 1);
	tcase_add_test(tests, what_is_sent_is_on_the_device);
	tcase_add_test(tests, another_mtu);
	tcase_add_test(tests, so_many_hosts);
	tcase_add_test(tests, a_program_on_a_host);
	tcase_add_test(tests, descriptors_trade_places);
	tcase_add_test(tests, programs_end_with_us);
	tcase_add_test(tests, an_ordinary_user);
	tcase_add_loop_test(tests, no_device, 0, 2);
	tcase_add_loop_test(tests, what_is_missing, 0, sizeof(missing) / sizeof(missing[0]));
	suite_add_tcase(suite, tests);
	return suite;
}
