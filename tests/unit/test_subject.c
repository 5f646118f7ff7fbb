/*
 * The subject: lanchatd of this build, and programs that misbehave in its place.
 *
 * Whatever happens to the server, to its keeper or to the program that started them, the server ends
 * and nothing is left of its folder.
 */
#include "tools/stress/subject_private.h"

#include "common/err.h"
#include "server/instrumented.h"
#include "tools/stress/subject_keeper.h"

#include <arpa/inet.h>
#include <check.h>
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECONDS  60
#define PATIENCE (SECONDS * 1000)

static char base[64];
static char error[KEEPER_SAID + 256];
static struct subject *s;
static struct net_address at;

static void setup(void)
{
	snprintf(base, sizeof base, "/tmp/lanchat-test-subject-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(base));
	ck_assert_int_eq(setenv("TMPDIR", base, 1), 0);
	error[0] = '\0';
}

/* Nothing is left in it. */
static void teardown(void)
{
	ck_assert_int_eq(rmdir(base), 0);
}

static void start(const struct subject_options *o)
{
	ck_assert_msg(subject_start(o, &at, &s, error, sizeof error) == 0, "%s", error);
}

static int watch_process(pid_t pid)
{
	int fd = pidfd_open(pid, 0);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static void wait_for(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	ck_assert_int_eq(poll(&p, 1, PATIENCE), 1);
}

/* ---- lanchatd ---- */

static const struct subject_options ways[] = {
	{.history = "off", .plaintext = true, .clients = 10},
	{.history = "off", .limits = true},
	{.history = "os", .plaintext = true},
	{.history = "full"},
	{.history = NULL, .limits = true, .plaintext = true},
};

START_TEST(as_told)
{
	const struct subject_options *o = &ways[_i];
	struct subject_sample sample = {0};
	struct subject *found;
	int client;

	start(o);
	int ended = watch_process(subject_pid(s));
	const char *command = subject_command(s);
	ck_assert_ptr_nonnull(strstr(command, "lanchatd --data "));
	ck_assert_int_eq(strstr(command, " --plaintext") != NULL, o->plaintext);
	ck_assert_int_eq(strstr(command, " --rate off") != NULL, !o->limits);
	ck_assert_int_eq(strstr(command, " --history off") != NULL,
		o->history && strcmp(o->history, "off") == 0);

	int r = net_connect(&at, &client);
	if (r == ERR_AGAIN) {
		struct pollfd p = {.fd = client, .events = POLLOUT};
		ck_assert_int_eq(poll(&p, 1, PATIENCE), 1);
		r = net_connect_result(client);
	}
	ck_assert_int_eq(r, 0);
	net_close(client);

	ck_assert_int_eq(subject_look(s, &sample), 0);
	ck_assert_uint_gt(sample.cpu_ns, 0);
	ck_assert_uint_gt(sample.resident, 1 << 20);
	ck_assert_uint_gt(sample.threads, 1);
	ck_assert_uint_gt(sample.descriptors, 3);

	ck_assert_int_eq(subject_find(&at, &found), 0);
	ck_assert_int_eq(subject_pid(found), subject_pid(s));
	ck_assert_str_eq(subject_command(found), command);
	/* It was not started by this one: it goes on. */
	ck_assert_int_eq(subject_end(found, error, sizeof error), 0);
	ck_assert_int_eq(subject_look(s, &sample), 0);

	ck_assert_msg(subject_end(s, error, sizeof error) == 0, "%s", error);
	wait_for(ended);
	net_close(ended);
}
END_TEST

START_TEST(two_at_once)
{
	struct subject_options o = {.history = "off", .plaintext = true};
	struct net_address other_at;
	struct subject *other;

	start(&o);
	ck_assert_int_eq(subject_start(&o, &other_at, &other, error, sizeof error), 0);
	ck_assert(!net_equal(&at, &other_at));
	ck_assert_int_ne(subject_pid(s), subject_pid(other));
	ck_assert_int_eq(subject_end(s, NULL, 0), 0);
	ck_assert_int_eq(subject_end(other, NULL, 0), 0);
	ck_assert_int_eq(subject_end(NULL, error, sizeof error), 0);
}
END_TEST

static const struct {
	struct subject_options options;
	const char *says;
} wrong[] = {
	{{.history = "sometimes"}, "sometimes"},
	{{.program = "/nonexistent/lanchatd"}, "cannot run /nonexistent/lanchatd: No such file"},
	{{.program = "/"}, "cannot run /: Permission denied"},
	{{.program = "/bin/true"}, "ended by itself with status 0"},
	{{.clients = (size_t)1 << 40}, "descriptors are needed"},
};

START_TEST(not_to_be_started)
{
	struct subject *untouched = NULL;

	ck_assert_int_eq(subject_start(&wrong[_i].options, &at, &untouched, error, sizeof error),
		ERR_SYSTEM);
	ck_assert_msg(strstr(error, wrong[_i].says) != NULL, "%s", error);
	ck_assert_ptr_null(strchr(error, '\n'));
	ck_assert_ptr_null(untouched);
}
END_TEST

START_TEST(no_folder_to_be_had)
{
	struct subject_options o = {.history = "off"};
	char name[400];

	ck_assert_int_eq(setenv("TMPDIR", "/nonexistent", 1), 0);
	ck_assert_int_eq(subject_start(&o, &at, &s, error, sizeof error), ERR_SYSTEM);
	ck_assert_ptr_nonnull(strstr(error, "/nonexistent"));
	memset(name, 'x', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	ck_assert_int_eq(setenv("TMPDIR", name, 1), 0);
	ck_assert_int_eq(subject_start(&o, &at, &s, error, sizeof error), ERR_SYSTEM);
	ck_assert_ptr_nonnull(strstr(error, "too long"));
}
END_TEST

/* ---- what dies ---- */

START_TEST(the_server_dies)
{
	struct subject_options o = {.history = "full", .plaintext = true};
	struct subject_sample sample;

	start(&o);
	ck_assert_int_eq(kill(subject_pid(s), SIGSEGV), 0);
	wait_for(s->ended);
	ck_assert_int_eq(subject_look(s, &sample), ERR_CLOSED);
	ck_assert_int_eq(subject_end(s, error, sizeof error), ERR_SYSTEM);
	ck_assert_ptr_nonnull(strstr(error, "lanchatd "));
#if !SANITIZED
	ck_assert_ptr_nonnull(strstr(error, "was ended by signal 11"));
#endif
}
END_TEST

START_TEST(the_keeper_dies)
{
	struct subject_options o = {.history = "full", .plaintext = true};

	start(&o);
	ck_assert_int_eq(kill(s->keeper, SIGKILL), 0);
	wait_for(s->ended);
	ck_assert_int_eq(subject_end(s, error, sizeof error), ERR_SYSTEM);
	ck_assert_str_eq(error, "it is not known how lanchatd ended");
}
END_TEST

/* SIGTERM and ^C are not for the keeper: who started it decides. */
START_TEST(the_keeper_is_told_to_end)
{
	struct subject_options o = {.history = "off", .plaintext = true};
	struct subject_sample sample;

	start(&o);
	ck_assert_int_eq(kill(s->keeper, SIGTERM), 0);
	ck_assert_int_eq(kill(s->keeper, SIGINT), 0);
	ck_assert_int_eq(kill(s->keeper, SIGHUP), 0);
	ck_assert_int_eq(subject_look(s, &sample), 0);
	ck_assert_msg(subject_end(s, error, sizeof error) == 0, "%s", error);
}
END_TEST

static bool is_empty(const char *folder)
{
	int entries = 0;
	DIR *d = opendir(folder);

	ck_assert_ptr_nonnull(d);
	while (readdir(d))
		entries++;
	ck_assert_int_eq(closedir(d), 0);
	return entries == 2; /* . and .. */
}

/* The whole of the program is killed: no handler of its own can clean up. */
START_TEST(who_started_it_dies)
{
	struct subject_options o = {.history = "full", .plaintext = true};
	int told[2];
	pid_t server = 0;
	char events[4096];

	int gone = inotify_init1(IN_CLOEXEC);
	ck_assert_int_ge(inotify_add_watch(gone, base, IN_DELETE | IN_ONLYDIR), 0);
	ck_assert_int_eq(pipe(told), 0);
	pid_t starter = fork();
	if (starter == 0) {
		if (subject_start(&o, &at, &s, error, sizeof error) == 0)
			server = subject_pid(s);
		(void)!write(told[1], &server, sizeof server);
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(told[0], &server, sizeof server), sizeof server);
	ck_assert_int_gt(server, 0);
	int ended = watch_process(server);
	ck_assert_int_eq(kill(starter, SIGKILL), 0);
	ck_assert_int_eq(waitpid(starter, NULL, 0), starter);
	wait_for(ended);
	/* Not only the server's folder: what uses temporary files deletes them here too. */
	while (!is_empty(base)) {
		wait_for(gone);
		ck_assert_int_gt(read(gone, events, sizeof events), 0);
	}
	net_close(ended);
	net_close(gone);
}
END_TEST

/* ---- programs in lanchatd's place ---- */

static char script[96];

/* A shell script that is told --port-file as the sixth word. */
static void write_script(const char *body)
{
	snprintf(script, sizeof script, "%s/script", base);
	FILE *f = fopen(script, "we");
	ck_assert_ptr_nonnull(f);
	fprintf(f, "#!/bin/sh\n%s", body);
	ck_assert_int_eq(fchmod(fileno(f), 0700), 0);
	ck_assert_int_eq(fclose(f), 0);
}

/* More than a pipe takes, were it not read; and the end of it is what is kept, in whole lines. */
START_TEST(it_says_much)
{
	struct subject_options o = {.program = script};

	write_script("i=0\n"
		     "while [ $i -lt 20000 ]; do echo \"line $i\" >&2; i=$((i + 1)); done\n"
		     "trap 'echo the last word >&2; exit 3' TERM\n"
		     "echo 127.0.0.1:9 > \"$6\"\n"
		     "while :; do sleep 60 & wait; done\n");
	start(&o);
	ck_assert_uint_eq(net_port(&at), 9);
	ck_assert_int_eq(subject_end(s, error, sizeof error), ERR_SYSTEM);
	const char *head = "lanchatd ended with status 3: line ";
	ck_assert_msg(strncmp(error, head, strlen(head)) == 0, "%s", error);
	ck_assert_ptr_nonnull(strstr(error, "\nline 19999\nthe last word\n"));
	ck_assert_uint_lt(strlen(error), KEEPER_SAID + strlen(head));
	ck_assert_uint_gt(strlen(error), KEEPER_SAID / 2);
	ck_assert_int_eq(unlink(script), 0);
}
END_TEST

START_TEST(its_reason_not_to_start)
{
	struct subject_options o = {.program = script};

	write_script("echo one >&2; echo the reason >&2; exit 1\n");
	ck_assert_int_eq(subject_start(&o, &at, &s, error, sizeof error), ERR_SYSTEM);
	ck_assert_str_eq(error, "lanchatd ended by itself with status 1: the reason");
	ck_assert_int_eq(unlink(script), 0);
}
END_TEST

/* It is let go on, to end in good order. */
START_TEST(it_was_stopped)
{
	struct subject_options o = {.history = "off", .plaintext = true};

	start(&o);
	ck_assert_int_eq(kill(subject_pid(s), SIGSTOP), 0);
	ck_assert_msg(subject_end(s, error, sizeof error) == 0, "%s", error);
}
END_TEST

/* It is told after a while what is waited for; and why that was in vain. */
START_TEST(it_is_never_ready)
{
	struct subject_options o = {.program = script, .patience = 1100};
	char told[128] = "";

	o.tell = tmpfile();
	ck_assert_ptr_nonnull(o.tell);
	write_script("echo '2026-11-28T12:00:00.000Z warning a clue' >&2\nkill -STOP $$\n");
	/* However long it takes to get there. */
	do {
		rewind(o.tell);
		ck_assert_int_eq(subject_start(&o, &at, &s, error, sizeof error), ERR_TIMEOUT);
		o.patience *= 2;
	} while (o.patience < PATIENCE && !strstr(error, "stopped"));
	ck_assert_ptr_nonnull(
		strstr(error, "s: somebody has stopped it (SIGSTOP): warning a clue"));
	rewind(o.tell);
	ck_assert_ptr_nonnull(fgets(told, sizeof told, o.tell));
	ck_assert_msg(strncmp(told, "waiting for lanchatd to be ready, ", 34) == 0, "%s", told);
	ck_assert_int_eq(fclose(o.tell), 0);
	ck_assert_int_eq(unlink(script), 0);
}
END_TEST

/* Whoever started it does not want it any more. */
START_TEST(it_is_not_waited_for)
{
	struct subject_options o = {.program = script};
	int stop[2];

	ck_assert_int_eq(pipe(stop), 0);
	ck_assert_int_eq(write(stop[1], "", 1), 1);
	o.stop = stop[0];
	write_script("while :; do sleep 60 & wait; done\n");
	ck_assert_int_eq(subject_start(&o, &at, &s, error, sizeof error), ERR_CLOSED);
	ck_assert_str_eq(error, "stopped before lanchatd was ready");
	ck_assert_int_eq(close(stop[0]), 0);
	ck_assert_int_eq(close(stop[1]), 0);
	ck_assert_int_eq(unlink(script), 0);
}
END_TEST

START_TEST(it_does_not_want_to_end)
{
	char *const arguments[] = {script, NULL};
	char folder[96], ready[128];
	struct keeper_order order = {
		.arguments = arguments, .folder = folder, .descriptors = 10, .patience = 1};
	struct keeper_report report;
	pid_t keeper, server;
	int channel;

	snprintf(folder, sizeof folder, "%s/folder", base);
	snprintf(ready, sizeof ready, "%s/ready", folder);
	ck_assert_int_eq(mkdir(folder, 0700), 0);
	ck_assert_int_eq(mkfifo(ready, 0600), 0);
	write_script("trap '' TERM\n"
		     "echo ready > \"${0%script}folder/ready\"\n"
		     "while :; do read -r line < \"${0%script}folder/ready\"; done\n");
	ck_assert_int_eq(keeper_start(&order, &keeper, &channel), 0);
	ck_assert_int_eq(recv(channel, &server, sizeof server, 0), sizeof server);
	char line[16];
	FILE *f = fopen(ready, "re");
	ck_assert_ptr_nonnull(f);
	ck_assert_ptr_nonnull(fgets(line, sizeof line, f));
	ck_assert_int_eq(fclose(f), 0);
	net_shutdown(channel, SHUT_WR);
	ck_assert_int_eq(recv(channel, &report, sizeof report, 0), sizeof report);
	ck_assert(report.asked);
	ck_assert(report.killed);
	ck_assert(WIFSIGNALED(report.status));
	ck_assert_int_eq(WTERMSIG(report.status), SIGKILL);
	ck_assert_int_eq(waitpid(keeper, NULL, 0), keeper);
	net_close(channel);
	ck_assert_int_eq(unlink(script), 0);
}
END_TEST

/* It is told to end before it has become the server: that is not lost. */
START_TEST(it_ends_at_once)
{
	char program[] = "sleep", time[] = "60";
	char *const arguments[] = {program, time, NULL};
	char folder[96];
	struct keeper_order order = {
		.arguments = arguments, .folder = folder, .descriptors = 10, .patience = 10000};
	struct keeper_report report;
	pid_t keeper, server;
	int channel;

	snprintf(folder, sizeof folder, "%s/folder", base);
	ck_assert_int_eq(mkdir(folder, 0700), 0);
	ck_assert_int_eq(keeper_start(&order, &keeper, &channel), 0);
	net_shutdown(channel, SHUT_WR);
	ck_assert_int_eq(recv(channel, &server, sizeof server, 0), sizeof server);
	ck_assert_int_eq(recv(channel, &report, sizeof report, 0), sizeof report);
	ck_assert(report.asked);
	ck_assert(!report.killed);
	ck_assert(WIFSIGNALED(report.status));
	ck_assert_int_eq(WTERMSIG(report.status), SIGTERM);
	ck_assert_int_eq(waitpid(keeper, NULL, 0), keeper);
	net_close(channel);
}
END_TEST

/* ---- finding one ---- */

/* A listener of this process on 127.0.0.1, ::1, the wildcards, or the wildcard of both. */
static const struct {
	const char *listens, *asked; /* hosts */
	bool both;                   /* not IPV6_V6ONLY */
	bool found;
} listeners[] = {
	{"127.0.0.1", "127.0.0.1", false, true},
	{"0.0.0.0", "127.0.0.1", false, true},
	{"127.0.0.1", "127.0.0.2", false, false},
	{"::1", "::1", false, true},
	{"::", "::1", false, true},
	{"::1", "127.0.0.1", false, false},
	{"::", "127.0.0.1", true, true},
	/* TEST-NET-1, RFC 5737: another machine, whose port is the same. */
	{"0.0.0.0", "192.0.2.1", false, false},
};

START_TEST(listeners_of_this_process)
{
	struct net_address bound;
	const char *why;
	size_t count;
	struct subject *found = NULL;

	ck_assert_int_eq(
		net_resolve(listeners[_i].listens, 0, SOCK_STREAM, true, &at, 1, &count, &why), 0);
	int fd = socket(at.u.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), only = 0;
	if (fd < 0)
		return; /* a machine without IPv6 */
	only = !listeners[_i].both;
	if (at.u.any.sa_family == AF_INET6)
		ck_assert_int_eq(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only), 0);
	if (bind(fd, &at.u.any, at.length) != 0) {
		net_close(fd);
		return; /* the same */
	}
	ck_assert_int_eq(net_local(fd, &bound), 0);
	ck_assert_int_eq(net_resolve(listeners[_i].asked, net_port(&bound), SOCK_STREAM, false, &at,
				 1, &count, &why),
		0);
	/* Bound is not listening. */
	ck_assert_int_eq(subject_find(&at, &found), ERR_NOT_FOUND);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(subject_find(&at, &found), listeners[_i].found ? 0 : ERR_NOT_FOUND);
	if (found)
		ck_assert_int_eq(subject_pid(found), getpid());
	ck_assert_int_eq(subject_end(found, NULL, 0), 0);
	net_close(fd);
}
END_TEST

/* A parent that has the socket too, as systemd has with socket activation. */
START_TEST(the_youngest_of_several)
{
	struct net_address bound;
	struct subject *found;
	const char *why;
	size_t count;
	int fd, alive[2];

	ck_assert_int_eq(net_resolve("127.0.0.1", 0, SOCK_STREAM, true, &at, 1, &count, &why), 0);
	ck_assert_int_eq(net_listen(&at, 1, 0, &fd), 0);
	ck_assert_int_eq(net_local(fd, &bound), 0);
	ck_assert_int_eq(pipe(alive), 0);
	pid_t child = fork();
	if (child == 0) {
		char byte;

		(void)close(alive[1]);
		(void)!read(alive[0], &byte, 1);
		_exit(0);
	}
	ck_assert_int_eq(subject_find(&bound, &found), 0);
	ck_assert_int_eq(subject_pid(found), child);
	ck_assert_int_eq(close(alive[1]), 0);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	struct subject_sample sample;
	ck_assert_int_eq(subject_look(found, &sample), ERR_CLOSED);
	ck_assert_int_eq(subject_end(found, NULL, 0), 0);
	net_close(fd);
}
END_TEST

/* What is told is true: of this process it is known. */
START_TEST(looking_at_this_process)
{
	struct subject_sample before, after;
	struct timespec used;
	size_t size = 64 << 20;

	s = subject_new();
	ck_assert_ptr_nonnull(s);
	ck_assert_int_eq(subject_take(s, getpid()), 0);
	ck_assert_int_eq(subject_look(s, &before), 0);
	int fd = dup(0);
	char *much = malloc(size);
	ck_assert_ptr_nonnull(much);
	for (size_t i = 0; i < size; i += 1024)
		((volatile char *)much)[i] = 1;
	ck_assert_int_eq(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used), 0);
	ck_assert_int_eq(subject_look(s, &after), 0);
	ck_assert_uint_ge(
		after.cpu_ns, (uint64_t)used.tv_sec * 1000000000 + (uint64_t)used.tv_nsec);
	ck_assert_uint_ge(after.resident, before.resident + size);
	ck_assert_uint_eq(after.descriptors, before.descriptors + 1);
	ck_assert_uint_eq(after.threads, before.threads);
	/* Without the clock: the ticks that it has had. */
	s->has_clock = false;
	ck_assert_int_eq(subject_look(s, &before), 0);
	uint64_t tick = 1000000000 / (uint64_t)sysconf(_SC_CLK_TCK);
	ck_assert_uint_ge(before.cpu_ns + 2 * tick, after.cpu_ns);
	free(much);
	ck_assert_int_eq(close(fd), 0);
	ck_assert_int_eq(subject_end(s, NULL, 0), 0);
}
END_TEST

Suite *subject_suite(void)
{
	Suite *suite = suite_create("subject");
	TCase *c = tcase_create("subject");

	tcase_set_timeout(c, SECONDS);
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_loop_test(c, as_told, 0, (int)(sizeof ways / sizeof ways[0]));
	tcase_add_test(c, two_at_once);
	tcase_add_loop_test(c, not_to_be_started, 0, (int)(sizeof wrong / sizeof wrong[0]));
	tcase_add_test(c, no_folder_to_be_had);
	tcase_add_test(c, the_server_dies);
	tcase_add_test(c, the_keeper_dies);
	tcase_add_test(c, the_keeper_is_told_to_end);
	tcase_add_test(c, who_started_it_dies);
	tcase_add_test(c, it_says_much);
	tcase_add_test(c, its_reason_not_to_start);
	tcase_add_test(c, it_was_stopped);
	tcase_add_test(c, it_is_never_ready);
	tcase_add_test(c, it_is_not_waited_for);
	tcase_add_test(c, it_does_not_want_to_end);
	tcase_add_loop_test(c, it_ends_at_once, 0, 20);
	tcase_add_loop_test(
		c, listeners_of_this_process, 0, (int)(sizeof listeners / sizeof listeners[0]));
	tcase_add_test(c, the_youngest_of_several);
	tcase_add_test(c, looking_at_this_process);
	suite_add_tcase(suite, c);
	return suite;
}
