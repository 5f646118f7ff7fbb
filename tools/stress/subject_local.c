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
#define SILENT_MOST    1000 /* ms, after which it is told what is waited for */

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

/* ---- waiting for it ---- */

struct wait {
	const char *what; /* lanchatd has to do */
	int most;         /* ms, as it is told */
	int64_t deadline; /* clock_ms */
	int64_t tell_at;  /* the same; INT64_MAX: it was told */
};

static struct wait begin_wait(const struct subject *s, const char *what, int most, int later)
{
	int64_t now = clock_ms();

	return (struct wait){.what = what,
		.most = most,
		.deadline = now + most + later,
		.tell_at = s->tell ? now + SILENT_MOST : INT64_MAX};
}

/* Until one of them can be read; false: it is the deadline. */
static bool wait_for(const struct subject *s, struct wait *w, struct pollfd *fds, nfds_t count)
{
	for (;;) {
		int64_t until = w->tell_at < w->deadline ? w->tell_at : w->deadline;
		int n = poll(fds, count, clock_poll_timeout(until));
		int64_t now = clock_ms();

		if (n > 0)
			return true;
		if (now >= w->deadline || (n < 0 && errno != EINTR))
			return false;
		if (now < w->tell_at)
			continue;
		fprintf(s->tell, "waiting for lanchatd to %s, %d s at most\n", w->what,
			(w->most + 999) / 1000);
		(void)fflush(s->tell);
		w->tell_at = INT64_MAX;
	}
}

/* The next packet of the keeper's. false: there is none. */
static bool hear(const struct subject *s, void *out, size_t size)
{
	return recv(s->channel, out, size, MSG_DONTWAIT) == (ssize_t)size;
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

static int not_ready(const struct subject *s, const struct wait *w, char *error, size_t size)
{
	(void)snprintf(error, size, "lanchatd was not ready within %d s%s", (w->most + 999) / 1000,
		subject_state(s->pid) == 'T' ? ": somebody has stopped it (SIGSTOP)" : "");
	return ERR_TIMEOUT;
}

/* Wait until it is there, or has ended. */
static int await(struct subject *s, const struct subject_options *o, int watch, const char *ports,
	struct net_address *at, char *error, size_t size)
{
	struct wait w =
		begin_wait(s, "be ready", o->patience > 0 ? o->patience : START_PATIENCE, 0);
	struct pollfd fds[] = {{.fd = watch, .events = POLLIN},
		{.fd = s->channel, .events = POLLIN},
		{.fd = o->stop > 0 ? o->stop : -1, .events = POLLIN}};
	struct keeper_report report;

	while (!read_address(ports, at)) {
		if (!wait_for(s, &w, fds, sizeof fds / sizeof fds[0]))
			return not_ready(s, &w, error, size);
		if (fds[2].revents) {
			(void)snprintf(error, size, "stopped before lanchatd was ready");
			return ERR_CLOSED;
		}
		drain(watch);
		if (!fds[1].revents)
			continue;
		if (hear(s, &report, sizeof report))
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
	struct wait w = begin_wait(s, "be started", START_PATIENCE, 0);
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
	struct pollfd p = {.fd = s->channel, .events = POLLIN};
	if (!wait_for(s, &w, &p, 1) || !hear(s, &server, sizeof server)) {
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

/* It may have warned of the reason. */
static void give_up(struct subject *s, int r, char *error, size_t size)
{
	char trouble[SUBJECT_TROUBLE] = "";
	size_t used = strlen(error);

	subject_listen(s, trouble);
	(void)subject_end(s, NULL, 0);
	if (r == ERR_TIMEOUT && *trouble)
		(void)snprintf(error + used, size - used, ": %s", trouble);
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
	s->tell = o->tell;
	int r = make_folder(s, &watch, error, size);
	(void)snprintf(ports, sizeof ports, "%s/" PORT_FILE, s->folder);
	if (r == 0)
		r = launch(s, o, ports, error, size);
	if (r == 0)
		r = await(s, o, watch, ports, &address, error, size);
	net_close(watch);
	if (r == 0 && subject_take(s, s->pid) != 0) {
		(void)snprintf(error, size, "lanchatd has ended");
		r = ERR_SYSTEM;
	}
	if (r) {
		give_up(s, r, error, size);
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
	struct wait w = begin_wait(s, "end", END_PATIENCE, KEEPER_LATER);
	struct pollfd p = {.fd = s->channel, .events = POLLIN};
	struct keeper_report report = {0};
	int r = 0;

	net_shutdown(s->channel, SHUT_WR);
	if (!wait_for(s, &w, &p, 1) || !hear(s, &report, sizeof report)) {
		/* Somebody killed it, and the kernel told the server to end. */
		(void)kill(s->keeper, SIGKILL);
		(void)snprintf(error, size, "it is not known how lanchatd ended");
		r = ERR_SYSTEM;
	} else if (!report.asked || report.killed || report.status != 0) {
		explain(&report, beside_log(report.said), error, size);
		r = ERR_SYSTEM;
	}
	if (s->trouble)
		log_escape(report.trouble, strlen(report.trouble), s->trouble, SUBJECT_TROUBLE);
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
