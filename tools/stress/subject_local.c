#include "tools/stress/subject_private.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "tools/stress/subject_keeper.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PORT_FILE      "addresses"
#define START_PATIENCE 10000 /* ms */
#define END_PATIENCE   30000 /* ms, of the keeper with the server */
#define KEEPER_LATER   10000 /* ms: how much longer the keeper may take than that */
#define ARGUMENTS_MAX  48

/* All that a client can run into is off: server/limits.def, and the rooms that one server may have. */
static const char *const unlimited[] = {
	"--max-clients",
	"--max-per-address",
	"--max-logging-in",
	"--max-faults",
	"--rate",
	"--rate-burst",
	"--max-rooms",
	"--rooms-each",
	"--max-rooms-per-address",
	"--max-owned-rooms",
	"--max-members",
	"--handshake-timeout",
	"--login-timeout",
	"--frame-timeout",
	"--idle",
};

/* A command line that is being put together. What it points to outlives it. */
struct command {
	const char *words[ARGUMENTS_MAX];
	size_t count;
};

static void add(struct command *c, const char *word, const char *value)
{
	c->words[c->count++] = word;
	if (value)
		c->words[c->count++] = value;
}

static void fill_command(struct command *c, const struct subject_options *o, const char *program,
	const char *data, const char *ports)
{
	add(c, program, NULL);
	add(c, "--data", data);
	add(c, "--listen", "127.0.0.1:0");
	add(c, "--port-file", ports);
	add(c, "--no-beacon", NULL);
	if (o->history && strcmp(o->history, "off") == 0)
		add(c, "--history", "off");
	else if (o->history)
		add(c, "--sync", o->history);
	if (o->plaintext)
		add(c, "--plaintext", NULL);
	for (size_t i = 0; !o->limits && i < sizeof unlimited / sizeof unlimited[0]; i++)
		add(c, unlimited[i], "off");
}

/* lanchatd beside this program, else the one that $PATH leads to. */
static void find_program(char out[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", out, PATH_MAX - 1);

	out[n > 0 ? n : 0] = '\0';
	char *slash = strrchr(out, '/');
	size_t folder = slash ? (size_t)(slash + 1 - out) : 0;
	if (!slash || folder + sizeof "lanchatd" > PATH_MAX) {
		(void)snprintf(out, PATH_MAX, "lanchatd");
		return;
	}
	(void)snprintf(out + folder, PATH_MAX - folder, "lanchatd");
	if (access(out, X_OK) != 0)
		(void)snprintf(out, PATH_MAX, "lanchatd");
}

/* ---- what became of it ---- */

static const char *last_line(char *said)
{
	size_t used = strlen(said);

	while (used > 0 && said[used - 1] == '\n')
		said[--used] = '\0';
	const char *line = strrchr(said, '\n');
	return line ? line + 1 : said;
}

/* "2026-11-28T12:00:00.000Z ..." */
static bool is_of_log(const char *line)
{
	size_t date = strspn(line, "0123456789-");

	return date == 10 && line[date] == 'T';
}

/* What it said beside its log, of which the last lines are there by chance. */
static char *beside_log(char *said)
{
	char *to = said, *next;

	for (char *line = said; *line; line = next) {
		next = line + strcspn(line, "\n");
		next += *next == '\n';
		if (!is_of_log(line)) {
			memmove(to, line, (size_t)(next - line));
			to += next - line;
		}
	}
	*to = '\0';
	return said;
}

/* How it ended, and why, as far as it said so, or its log warned of something. */
static void explain(const struct keeper_report *r, const char *said, char *error, size_t size)
{
	if (!said[0])
		said = r->trouble;
	const char *colon = said[0] ? ": " : "";

	if (r->killed)
		(void)snprintf(error, size, "lanchatd did not end within %d s%s%s",
			END_PATIENCE / 1000, colon, said);
	else if (WIFSIGNALED(r->status))
		(void)snprintf(error, size, "lanchatd was ended by signal %d (%s)%s%s",
			WTERMSIG(r->status), strsignal(WTERMSIG(r->status)), colon, said);
	else
		(void)snprintf(error, size, "lanchatd ended%s with status %d%s%s",
			r->asked ? "" : " by itself", WEXITSTATUS(r->status), colon, said);
}

static void no_process(int why, char *error, size_t size)
{
	(void)snprintf(error, size, "cannot start a process: %s%s", strerror(why),
		why == EAGAIN ? ": see ulimit -u, kernel.pid_max and kernel.threads-max" : "");
}

/* The next packet of the keeper's. false: there comes none, or none by the deadline. */
static bool hear(const struct subject *s, int64_t deadline, void *out, size_t size)
{
	struct pollfd p = {.fd = s->channel, .events = POLLIN};
	int n;

	do
		n = poll(&p, 1, clock_poll_timeout(deadline));
	while (n < 0 && errno == EINTR);
	return n > 0 && recv(s->channel, out, size, MSG_DONTWAIT) == (ssize_t)size;
}

/* ---- starting it ---- */

static int make_folder(struct subject *s, int *watch, char *error, size_t size)
{
	const char *base = getenv("TMPDIR");
	char folder[SUBJECT_FOLDER];

	if (!base || !base[0])
		base = "/tmp";
	int n = snprintf(folder, sizeof folder, "%s/lanchat-stress-XXXXXX", base);
	if (n < 0 || (size_t)n >= sizeof folder || !mkdtemp(folder)) {
		(void)snprintf(error, size, "cannot make a folder in %s: %s", base,
			(size_t)n >= sizeof folder ? strerror(ENAMETOOLONG) : strerror(errno));
		return ERR_SYSTEM;
	}
	memcpy(s->folder, folder, sizeof s->folder);
	*watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (*watch < 0 || inotify_add_watch(*watch, folder, IN_CLOSE_WRITE | IN_MOVED_TO) < 0) {
		(void)snprintf(error, size, "cannot watch %s: %s", folder, strerror(errno));
		return ERR_SYSTEM;
	}
	return 0;
}

/* The first address in the port file; false while there is none. */
static bool read_address(const char *path, struct net_address *at)
{
	char line[128] = "", host[NET_HOST_MAX];
	const char *why;
	uint16_t port = 0;
	size_t count = 0;
	FILE *f = fopen(path, "re");

	if (!f)
		return false;
	bool got = fgets(line, sizeof line, f) != NULL;
	(void)fclose(f);
	line[strcspn(line, "\n")] = '\0';
	return got && net_parse(line, 0, host, &port) == 0 && port != 0 &&
	       net_resolve(host, port, SOCK_STREAM, false, at, 1, &count, &why) == 0;
}

static void drain(int fd)
{
	char events[4096];

	while (read(fd, events, sizeof events) > 0)
		;
}

/* Wait until it is there, or has ended. */
static int await(struct subject *s, int watch, const char *ports, struct net_address *at,
	char *error, size_t size)
{
	int64_t deadline = clock_ms() + START_PATIENCE;
	struct pollfd fds[2] = {
		{.fd = watch, .events = POLLIN}, {.fd = s->channel, .events = POLLIN}};
	struct keeper_report report;

	while (!read_address(ports, at)) {
		int n = poll(fds, 2, clock_poll_timeout(deadline));
		if (n == 0) {
			(void)snprintf(error, size, "lanchatd was not ready within %d s",
				START_PATIENCE / 1000);
			return ERR_TIMEOUT;
		}
		drain(watch);
		if (n < 0 || !fds[1].revents)
			continue;
		if (hear(s, deadline, &report, sizeof report))
			explain(&report, last_line(beside_log(report.said)), error, size);
		else
			(void)snprintf(error, size, "cannot start a process");
		return ERR_SYSTEM;
	}
	return 0;
}

static int launch(struct subject *s, const struct subject_options *o, const char *ports,
	char *error, size_t size)
{
	char program[PATH_MAX], data[SUBJECT_FOLDER + 8];
	struct command c = {.count = 0};
	/* execv(3) takes them without const, and changes nothing. */
	union {
		const char **words;
		char *const *arguments;
	} u = {.words = c.words};
	struct keeper_order order = {.arguments = u.arguments,
		.folder = s->folder,
		.descriptors = o->clients + SUBJECT_SPARE,
		.patience = END_PATIENCE};
	pid_t server;

	if (!o->program)
		find_program(program);
	(void)snprintf(data, sizeof data, "%s/data", s->folder);
	fill_command(&c, o, o->program ? o->program : program, data, ports);
	if (keeper_start(&order, &s->keeper, &s->channel) != 0) {
		no_process(errno, error, size);
		return ERR_SYSTEM;
	}
	/* By its first word; where it had no process to start, that is why. */
	if (!hear(s, clock_ms() + START_PATIENCE, &server, sizeof server)) {
		(void)snprintf(error, size, "cannot start a process");
		return ERR_SYSTEM;
	}
	if (server <= 0) {
		no_process(-server, error, size);
		return ERR_SYSTEM;
	}
	s->pid = server;
	return 0;
}

int subject_start(const struct subject_options *o, struct net_address *at, struct subject **out,
	char *error, size_t size)
{
	char ports[SUBJECT_FOLDER + sizeof PORT_FILE + 1];
	struct net_address address;
	struct subject *s = subject_new();
	int watch = -1;

	if (!s) {
		(void)snprintf(error, size, "out of memory");
		return ERR_MEMORY;
	}
	int r = make_folder(s, &watch, error, size);
	(void)snprintf(ports, sizeof ports, "%s/" PORT_FILE, s->folder);
	if (r == 0)
		r = launch(s, o, ports, error, size);
	if (r == 0)
		r = await(s, watch, ports, &address, error, size);
	net_close(watch);
	if (r == 0 && subject_take(s, s->pid) != 0) {
		(void)snprintf(error, size, "lanchatd has ended");
		r = ERR_SYSTEM;
	}
	if (r) {
		(void)subject_end(s, NULL, 0);
		return r;
	}
	*at = address;
	*out = s;
	return 0;
}

/* ---- ending it ---- */

/* The keeper is told to end it, and removes the folder before it ends itself. */
static int end_by_keeper(struct subject *s, char *error, size_t size)
{
	struct keeper_report report;
	int r = 0;

	net_shutdown(s->channel, SHUT_WR);
	if (!hear(s, clock_ms() + END_PATIENCE + KEEPER_LATER, &report, sizeof report)) {
		/* Somebody killed it, and the kernel told the server to end. */
		(void)kill(s->keeper, SIGKILL);
		(void)snprintf(error, size, "it is not known how lanchatd ended");
		r = ERR_SYSTEM;
	} else if (!report.asked || report.killed || report.status != 0) {
		explain(&report, beside_log(report.said), error, size);
		r = ERR_SYSTEM;
	} else if (s->trouble) {
		log_escape(report.trouble, strlen(report.trouble), s->trouble, SUBJECT_TROUBLE);
	}
	while (waitpid(s->keeper, NULL, 0) < 0 && errno == EINTR)
		;
	return r;
}

int subject_end(struct subject *s, char *error, size_t size)
{
	char nowhere[KEEPER_SAID];
	int r = 0;

	if (!s)
		return 0;
	if (s->keeper > 0)
		r = end_by_keeper(s, error ? error : nowhere, error ? size : sizeof nowhere);
	/* In case that the keeper could not. */
	if (s->folder[0])
		keeper_remove(s->folder);
	subject_free(s);
	return r;
}
