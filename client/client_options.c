#include "client/client_options.h"

#include "client/locate.h"
#include "client/when.h"
#include "client/xdg.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "common/message.h"
#include "common/name.h"
#include "common/net.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIELD(name) offsetof(struct client_settings, name)

static const char *const log_levels[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
	NULL,
};

static const struct option_spec rows[] = {
	{.name = "nick",
		.letter = 'n',
		.kind = OPTION_TEXT,
		.offset = FIELD(nick),
		.argument = "NAME",
		.help = "What the others call you (default: $USER). Where the nick is taken, the "
			"next free one is used.",
		.file = true},
	{.name = "room",
		.letter = 'r',
		.kind = OPTION_LIST,
		.offset = FIELD(rooms),
		.argument = "ROOM",
		.help = "A room to join; may be given several times (default: lobby).",
		.file = true},
	{.name = "history",
		.kind = OPTION_NUMBER,
		.offset = FIELD(history),
		.most = 100000,
		.argument = "N",
		.help = "How many earlier messages to get when joining a room (default: 200; with "
			"--pipe none).",
		.file = true},
	{.name = "pipe",
		.letter = 'p',
		.kind = OPTION_FLAG,
		.offset = FIELD(pipe),
		.help = "No screen: each line of stdin is a message to the first room, each event "
			"a line on stdout."},
	{.name = "json",
		.letter = 'j',
		.kind = OPTION_FLAG,
		.offset = FIELD(json),
		.help = "With --pipe, --export or --discover: one JSON object a line."},
	{.name = "resume",
		.kind = OPTION_FLAG,
		.offset = FIELD(resume),
		.help = "With --pipe: begin with everything said since the last line that an "
			"earlier run with --resume printed."},
	{.name = "until",
		.kind = OPTION_NUMBER,
		.offset = FIELD(until),
		.most = LONG_MAX,
		.argument = "N",
		.help = "With --pipe: do not end before N messages of the joined rooms have been "
			"printed, one's own included."},
	{.name = "linger",
		.kind = OPTION_NUMBER,
		.offset = FIELD(linger),
		.most = 1000000000,
		.argument = "SECONDS",
		.help = "With --pipe: stay this long after stdin has ended."},
	{.name = "export",
		.letter = 'e',
		.kind = OPTION_TEXT,
		.offset = FIELD(export_room),
		.argument = "ROOM",
		.help = "Print all that the server keeps of ROOM, oldest first, and end; @ means "
			"the direct messages from and to you."},
	{.name = "text",
		.kind = OPTION_FLAG,
		.offset = FIELD(text),
		.help = "With --export: a line of text for each message, with date and time; this "
			"is the default."},
	{.name = "since",
		.kind = OPTION_TEXT,
		.offset = FIELD(since),
		.argument = "TIME",
		.help = "With --export: only what was said since TIME, for example 2026-11-20, "
			"2026-11-20T14:30, 14:30, 90m, 2h, 3d or 2w."},
	{.name = "discover",
		.letter = 'd',
		.kind = OPTION_FLAG,
		.offset = FIELD(discover),
		.help = "Print the servers on the network, each as soon as it is found."},
	{.name = "timeout",
		.letter = 't',
		.kind = OPTION_NUMBER,
		.offset = FIELD(timeout),
		.most = 1000000,
		.argument = "SECONDS",
		.help = "With --discover: how long to look (default: 2; 0: until interrupted). "
			"With --pipe or --export: how long to try to connect, at first and after a "
			"break (default: 10)."},
	{.name = "interface",
		.letter = 'i',
		.kind = OPTION_LIST,
		.offset = FIELD(interfaces),
		.argument = "GLOB",
		.help = "Look for servers on these network interfaces alone; repeatable.",
		.file = true},
	{.name = "not-interface",
		.kind = OPTION_LIST,
		.offset = FIELD(not_interfaces),
		.argument = "GLOB",
		.help = "Do not look for servers on these interfaces; repeatable.",
		.file = true},
	{.name = "host",
		.kind = OPTION_FLAG,
		.offset = FIELD(host),
		.help = "If no server is found, start one here and join it; it ends with its last "
			"client."},
	{.name = "stay",
		.kind = OPTION_FLAG,
		.offset = FIELD(stay),
		.help = "With --host: the server goes on when the last client leaves.",
		.file = true},
	{.name = "plaintext",
		.kind = OPTION_FLAG,
		.offset = FIELD(plaintext),
		.help = "Connect without TLS, to a server that was started so: anybody on the "
			"network can read along, and nobody can prove who they are.",
		.file = true},
	{.name = "password-file",
		.kind = OPTION_TEXT,
		.offset = FIELD(password_file),
		.argument = "FILE",
		.help = "The first line of FILE is the server's password, where it wants one.",
		.file = true},
	{.name = "fingerprint",
		.kind = OPTION_FLAG,
		.offset = FIELD(fingerprint),
		.help = "Print the fingerprint of your key, by which others know you."},
	{.name = "forget",
		.kind = OPTION_TEXT,
		.offset = FIELD(forget),
		.argument = "SERVER",
		.help = "Forget the key of the server at HOST:PORT, or of that name, because it "
			"has a new one."},
	{.name = "export-identity",
		.kind = OPTION_TEXT,
		.offset = FIELD(export_identity),
		.argument = "FILE",
		.help = "Write your key to FILE, encrypted with a passphrase, to be the same "
			"person on another machine."},
	{.name = "import-identity",
		.kind = OPTION_TEXT,
		.offset = FIELD(import_identity),
		.argument = "FILE",
		.help = "Take over the key that --export-identity wrote."},
	{.name = "no-state",
		.kind = OPTION_FLAG,
		.offset = FIELD(no_state),
		.help = "Keep nothing on disk for the next run: neither what could not be sent yet "
			"nor how far was read.",
		.file = true},
	{.name = "trace",
		.kind = OPTION_FLAG,
		.offset = FIELD(trace),
		.help = "Narrate the socket calls on stderr as they happen."},
	{.name = "log-level",
		.kind = OPTION_CHOICE,
		.offset = FIELD(log_level),
		.initial = "warning",
		.argument = "LEVEL",
		.help = "What to log on stderr.",
		.choices = log_levels,
		.file = true},
	{.name = "config",
		.kind = OPTION_TEXT,
		.offset = FIELD(config),
		.argument = "FILE",
		.help = "Read options from FILE, one `name value` a line "
			"(default: $XDG_CONFIG_HOME/lanchat/config, if there is one)."},
	{.name = "help",
		.letter = 'h',
		.kind = OPTION_FLAG,
		.offset = FIELD(help),
		.help = "Print this help."},
	{.name = "version",
		.letter = 'V',
		.kind = OPTION_FLAG,
		.offset = FIELD(version),
		.help = "Print the version."},
};

const struct option_table client_option_table = {
	.program = "lanchat",
	.usage = "[OPTION]... [SERVER]",
	.about = "Chat with the people on your network. SERVER is HOST, HOST:PORT, [IPV6]:PORT or "
		 "the name that a server announces; without it, the servers on the network are "
		 "listed, or the only one is joined.",
	.rows = rows,
	.count = sizeof(rows) / sizeof(rows[0]),
	.footer = "Exit status: 0 done, 1 failed, 2 bad usage.\n",
};

/* ---- the config file ---- */

/* The path of the default config file, allocated; NULL when there is no such file. */
static char *default_config(void)
{
	char path[PATH_MAX];

	if (xdg_path(XDG_CONFIG, "config", path, sizeof(path)) != 0 || access(path, F_OK) != 0)
		return NULL;
	return strdup(path);
}

/* Fields without a default in the table that must tell "not given" from 0. */
static void init(struct client_settings *settings)
{
	*settings = (struct client_settings){
		.history = CLIENT_NOT_GIVEN,
		.until = CLIENT_NOT_GIVEN,
		.linger = CLIENT_NOT_GIVEN,
		.timeout = CLIENT_NOT_GIVEN,
	};
}

/* ---- what belongs together ---- */

struct rule {
	bool broken;
	const char *complaint;
};

/* What is done instead of chatting. */
static int count_jobs(const struct client_settings *s)
{
	return s->fingerprint + (s->forget != NULL) + (s->export_identity != NULL) +
	       (s->import_identity != NULL);
}

static int check_together(const struct client_settings *s, char *error, size_t size)
{
	bool exporting = s->export_room != NULL;
	int jobs = count_jobs(s);
	bool scripted = s->pipe || s->discover || exporting;
	const struct rule rules[] = {
		{s->pipe && s->discover, "--pipe and --discover are two different things to do"},
		{s->pipe && exporting, "--pipe and --export are two different things to do"},
		{s->discover && exporting,
			"--discover and --export are two different things to do"},
		{s->json && !scripted, "--json needs --pipe, --export or --discover"},
		{s->text && !exporting, "--text needs --export"},
		{s->text && s->json, "--text and --json are two different forms"},
		{s->since && !exporting, "--since needs --export"},
		{s->resume && !s->pipe, "--resume needs --pipe"},
		{s->resume && s->no_state, "--no-state leaves --resume nothing to go by"},
		{s->until != CLIENT_NOT_GIVEN && !s->pipe, "--until needs --pipe"},
		{s->linger != CLIENT_NOT_GIVEN && !s->pipe, "--linger needs --pipe"},
		{s->timeout != CLIENT_NOT_GIVEN && !scripted,
			"--timeout needs --pipe, --export or --discover"},
		{s->pipe && s->timeout == 0, "--timeout 0 leaves --pipe no time to connect"},
		{exporting && s->timeout == 0, "--timeout 0 leaves --export no time to connect"},
		{s->host && scripted, "--host is for the full-screen client"},
		{jobs > 1 || (jobs > 0 && (scripted || s->server)),
			"--fingerprint, --forget, --export-identity and --import-identity are each "
			"all that is done then"},
		{s->discover && s->server, "--discover takes no SERVER"},
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (rules[i].broken) {
			snprintf(error, size, "%s", rules[i].complaint);
			return ERR_ARGUMENT;
		}
	}
	return 0;
}

static int check_name(const char *what, const char *name, size_t most, char *error, size_t size)
{
	int r = name_check(name, strlen(name), most);

	if (r == ERR_TOO_BIG)
		snprintf(error, size, "the %s is longer than %zu bytes", what, most);
	else if (r)
		snprintf(error, size, "\"%s\" cannot be a %s: %s", name, what,
			name_fault(name, strlen(name)));
	return r ? ERR_ARGUMENT : 0;
}

/* What looks like an address must be one. The names of servers may have blanks in them. */
static int check_server(const char *server, char *error, size_t size)
{
	char host[NET_HOST_MAX];
	uint16_t port;

	if (server[0] && (locate_is_name(server) || strchr(server, ' ')))
		return 0;
	if (net_parse(server, NET_PORT, host, &port) == 0 && host[0] && port != 0)
		return 0;
	snprintf(error, size,
		"\"%s\" is not HOST, HOST:PORT or [IPV6]:PORT with a port from 1 to 65535", server);
	return ERR_ARGUMENT;
}

static int check_export(const struct client_settings *s, char *error, size_t size)
{
	const char *room = s->export_room;
	int64_t ignored;

	if (s->since && when_parse(s->since, (int64_t)(clock_wall_us() / 1000000), &ignored) != 0) {
		snprintf(error, size,
			"\"%s\" is no time: 2026-11-20, 2026-11-20T14:30, 14:30, 90m, 2h, 3d and "
			"2w are some",
			s->since);
		return ERR_ARGUMENT;
	}
	if (!room || strcmp(room, CLIENT_DIRECT) == 0)
		return 0;
	return check_name("room", room, ROOM_NAME_MAX, error, size);
}

static int check(const struct client_settings *s, char *error, size_t size)
{
	int r = check_together(s, error, size);

	if (r == 0 && s->server)
		r = check_server(s->server, error, size);
	if (r == 0 && s->nick)
		r = check_name("nick", s->nick, NICK_MAX, error, size);
	for (size_t i = 0; r == 0 && i < s->rooms.count; i++)
		r = check_name("room", s->rooms.items[i], ROOM_NAME_MAX, error, size);
	if (r == 0)
		r = check_export(s, error, size);
	return r;
}

/* What is complained of may be anything: it is not to reach the terminal as it is. */
static int cleaned(int r, char *error, size_t size)
{
	char *copy = r ? strdup(error) : NULL;

	if (copy)
		log_escape(copy, strlen(copy), error, size);
	free(copy);
	return r;
}

static int parse(struct client_settings *settings, int argc, char **argv, char *error, size_t size)
{
	const struct option_table *t = &client_option_table;
	int rest;

	int r = options_init(t, settings);
	if (r == 0)
		r = options_parse(t, settings, argc, argv, &rest, error, size);
	if (r)
		return r;
	/* The file comes below the command line, which is therefore read a second time. */
	char *path = settings->config ? strdup(settings->config) : default_config();
	if (path) {
		r = options_read(t, settings, path, error, size);
		free(path);
		if (r == 0)
			r = options_parse(t, settings, argc, argv, &rest, error, size);
		if (r)
			return r;
	}
	if (argc - rest > 1) {
		snprintf(error, size, "one server is enough: \"%s\" is one too many",
			argv[rest + 1]);
		return cleaned(ERR_ARGUMENT, error, size);
	}
	settings->server = argc > rest ? argv[rest] : NULL;
	if (settings->help || settings->version)
		return 0;
	return cleaned(check(settings, error, size), error, size);
}

int client_options_load(
	struct client_settings *settings, int argc, char **argv, char *error, size_t size)
{
	init(settings);
	snprintf(error, size, "out of memory");
	int r = parse(settings, argc, argv, error, size);
	if (r)
		client_options_fini(settings);
	return r;
}

void client_options_fini(struct client_settings *settings)
{
	options_fini(&client_option_table, settings);
	settings->server = NULL;
}
