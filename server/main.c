/*
 * lanchatd: options, signals, and the loop that waits for them.
 */
#include "common/clock.h"
#include "common/err.h"
#include "common/fingerprint.h"
#include "common/log.h"
#include "common/standard_streams.h"
#include "common/trace.h"
#include "server/invite.h"
#include "server/maintenance.h"
#include "server/privileges.h"
#include "server/server.h"
#include "server/service.h"
#include "server/settings.h"
#include "server/tunables.h"
#include "server/values.h"
#include "server/status_ask.h"

#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define ERROR_LINE  2048 /* a line may name a path more than once */
#define INVITATIONS 8    /* addresses printed at most */

enum {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2
};

/* --while-clients: how long the last one may be away, and the first one may take to come. */
#define LAST_LEFT_MS  2000
#define FIRST_COME_MS 30000

/* The command line, kept for reading the options again. */
struct arguments {
	int count;
	char **values;
};

static int fail(int status, const char *error)
{
	fprintf(stderr, "lanchatd: %s\n", error);
	return status;
}

/* The status for what a function returned, and its error told. */
static int outcome(int r, const char *error)
{
	if (r == 0)
		return EXIT_DONE;
	return fail(r == ERR_ARGUMENT ? EXIT_USAGE : EXIT_FAILED, error);
}

/* The last word of a server that does not start, for whoever reads its log. */
static int fail_logged(const struct settings *t, int status, const char *error)
{
	if (t->log_format != LOG_JSON)
		return fail(status, error);
	log_error("%s", error);
	return status;
}

static int load(const struct arguments *a, struct settings *t, char *error, size_t size)
{
	int rest;
	int r = options_load(
		settings_table(), t, "config", a->count, a->values, &rest, error, size);

	if (r == 0 && rest < a->count) {
		snprintf(
			error, size, "'%s' is not an option; see lanchatd --help", a->values[rest]);
		options_fini(settings_table(), t);
		return ERR_ARGUMENT;
	}
	return r;
}

/* As many descriptors as the machine allows us: each client takes one. */
static void raise_limits(long clients)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) != 0)
		return;
	l.rlim_cur = l.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &l);
	if (l.rlim_max != RLIM_INFINITY && (rlim_t)clients + 64 > l.rlim_max)
		log_warning("%lu descriptors are not enough for %ld clients: see ulimit -Hn",
			(unsigned long)l.rlim_max, clients);
}

/* Signals arrive at one place: blocked before the first thread starts, read from a descriptor. */
static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return -1;
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	(void)sigaction(SIGPIPE, &ignore, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void tell_ready(const struct settings *t, const struct server *s)
{
	struct net_address addresses[INVITATIONS];
	char text[NET_ADDRESS_MAX], key[FINGERPRINT_SIZE];
	size_t count = server_invite(s, addresses, INVITATIONS);
	bool link_local = false;

	printf("%s is ready. On this network, join it with:\n    lanchat%s\n", server_name(s),
		t->plaintext ? " --plaintext" : "");
	printf("or by its address:\n");
	for (size_t i = 0; i < count; i++) {
		printf("    lanchat %s%s\n", t->plaintext ? "--plaintext " : "",
			net_print(&addresses[i], text));
		link_local |= invite_is_link_local(&addresses[i]);
	}
	if (link_local)
		printf("(After the %% comes the network interface of whoever joins, as it is "
		       "called there.)\n");
	if (t->plaintext)
		printf("Connections are PLAINTEXT: anybody on the network can read along.\n");
	else
		printf("Its key is %s\n", fingerprint(server_id(s), key));
	(void)fflush(stdout);
}

/* The options again. What is wrong changes nothing. */
static void reload(const struct arguments *a, struct server *s, struct settings *t)
{
	char error[ERROR_LINE];
	struct settings again = {0};

	int r = load(a, &again, error, sizeof(error));
	if (r == 0)
		r = server_reload(s, &again, error, sizeof(error));
	if (r) {
		log_error("not reloaded: %s", error);
		options_fini(settings_table(), &again);
		return;
	}
	const char *fixed = settings_fixed_difference(t, &again);
	/* This line is the first of the new shape; whether it is told, the old level says. */
	log_set_format((enum log_format)again.log_format);
	if (fixed)
		log_warning("reloaded, but --%s takes effect at the next start", fixed);
	else
		log_info("reloaded");
	log_set_level((enum log_level)again.log_level);
	options_fini(settings_table(), &again);
}

/* When --while-clients ends the server: INT64_MAX while somebody is here. */
static int64_t end_without_clients(const struct settings *t, struct server *s, int64_t *since)
{
	if (!t->while_clients)
		return INT64_MAX;
	if (server_clients(s) > 0) {
		*since = INT64_MAX;
		return INT64_MAX;
	}
	if (*since == INT64_MAX)
		*since = clock_ms() + LAST_LEFT_MS;
	return *since;
}

/* Until a signal, or the last client, ends it. */
static void serve(const struct arguments *a, struct server *s, struct service *service,
	struct settings *t, int signals)
{
	struct pollfd p[3] = {
		{.fd = signals, .events = POLLIN},
		{.fd = server_fd(s), .events = POLLIN},
		{.fd = service_fd(service), .events = POLLIN},
	};
	int64_t end = clock_ms() + FIRST_COME_MS;
	struct signalfd_siginfo info;

	for (;;) {
		int64_t deadline = end_without_clients(t, s, &end);
		int64_t next = server_next(s);
		/* A client that comes tells nobody here, so the count is looked at when time is up. */
		(void)poll(p, 3, clock_poll_timeout(deadline < next ? deadline : next));
		service_turn(service);
		if (clock_ms() >= deadline && !p[1].revents && server_clients(s) == 0) {
			log_info("the last client has left");
			return;
		}
		if (p[1].revents)
			end = INT64_MAX; /* somebody came, even if it was for a moment */
		if (p[1].revents || clock_ms() >= next)
			server_reap(s);
		while (read(signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
			if (info.ssi_signo != SIGHUP)
				return;
			service_reloading(service);
			reload(a, s, t);
			service_reloaded(service);
		}
	}
}

static int run(const struct arguments *a, struct settings *t)
{
	char error[ERROR_LINE];
	struct server *s;
	struct service service;

	tunables_apply(a->values);
	int signals = open_signals();

	if (signals < 0)
		return fail(EXIT_FAILED, strerror(errno));
	if (service_open(&service) != 0) {
		(void)close(signals);
		return fail(EXIT_FAILED, strerror(errno));
	}
	raise_limits(t->max_clients > 0 ? t->max_clients : 0);
	tunables_set();
	int r = server_start(t, &s, error, sizeof(error));
	if (r) {
		service_close(&service);
		(void)close(signals);
		return fail_logged(t, r == ERR_ARGUMENT ? EXIT_USAGE : EXIT_FAILED, error);
	}
	tell_ready(t, s);
	service_ready(&service, s);
	serve(a, s, &service, t, signals);
	log_info("shutting down");
	service_stopping(&service);
	server_stop(s);
	service_close(&service);
	(void)close(signals);
	return EXIT_DONE;
}

/* What was printed is all there was to do. */
static int told(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EXIT_DONE;
	return fail(EXIT_FAILED, "cannot write to stdout");
}

static int decide(const struct arguments *a, struct settings *t)
{
	char error[ERROR_LINE];

	if (t->help) {
		options_help(settings_table(), stdout);
		return told();
	}
	if (t->version) {
		printf("lanchatd %s\n", LANCHAT_VERSION);
		return told();
	}
	if (status_ask_check(t, error, sizeof(error)) != 0)
		return fail(EXIT_USAGE, error);
	if (t->check_config) {
		int r = maintenance_check(t, error, sizeof(error));
		if (r == 0)
			r = values_check(t, error, sizeof(error));
		if (r)
			return outcome(r, error);
		printf("the options are right\n");
		return told();
	}
	log_set_level((enum log_level)t->log_level);
	if (t->status) {
		int r = status_ask(t, stdout, error, sizeof(error));
		return outcome(r, error);
	}
	if (maintenance_asked(t)) {
		struct privileges user;
		int r = privileges_find(t->user, &user, error, sizeof(error));
		if (r == 0)
			r = privileges_become(&user, error, sizeof(error));
		if (r == 0)
			r = maintenance_run(t, stdout, error, sizeof(error));
		if (r)
			(void)fflush(stdout); /* what was found comes before what it means */
		return r ? outcome(r, error) : told();
	}
	log_set_format((enum log_format)t->log_format);
	if (t->trace)
		trace_start(stderr);
	return run(a, t);
}

int main(int argc, char **argv)
{
	struct arguments a = {.count = argc, .values = argv};
	struct settings t = {0};
	char error[ERROR_LINE];

	(void)standard_streams_keep();
	(void)setlocale(LC_CTYPE, "");
	int r = load(&a, &t, error, sizeof(error));
	if (r)
		return fail(r == ERR_MEMORY ? EXIT_FAILED : EXIT_USAGE, error);
	int status = decide(&a, &t);
	options_fini(settings_table(), &t);
	return status;
}
