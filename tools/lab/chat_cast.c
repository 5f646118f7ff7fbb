#include "tools/lab/chat_cast.h"

#include "common/clock.h"
#include "common/err.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define START_PATIENCE_MS 20000
#define END_PATIENCE_MS   5000
#define SLICE_MS          50 /* how long until it is noticed that the stage was stopped */
#define PORT_FILE         "addresses"
#define WORD              (PATH_MAX + 64)
#define WORDS             40

char *chat_cast_address(char out[NET_ADDRESS_MAX])
{
	struct in_addr a = site_address(NULL, SERVER_HOST);
	char text[INET_ADDRSTRLEN] = "";

	(void)inet_ntop(AF_INET, &a, text, sizeof(text));
	(void)snprintf(out, NET_ADDRESS_MAX, "%s:" CHAT_PORT, text);
	return out;
}

/* ---- a command line ---- */

struct command {
	char *words[WORDS + 1]; /* borrowed */
	size_t count;
	char home[4][WORD], program[PATH_MAX];
};

static void add(struct command *c, char *word)
{
	if (c->count < WORDS)
		c->words[c->count++] = word;
}

/* A program of ours that finds nothing of whoever started this one, and leaves nothing with them. */
static void begin(struct command *c, const struct chat_cast *cast, const char *name)
{
	static const char *const homes[] = {
		"HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"};
	static char env[] = "env";

	c->count = 0;
	add(c, env);
	for (size_t i = 0; i < sizeof(homes) / sizeof(homes[0]); i++) {
		(void)snprintf(c->home[i], sizeof(c->home[i]), "%s=%s/%s", homes[i],
			cast->folder.path, name);
		add(c, c->home[i]);
	}
}

static void add_program(struct command *c, const char *name)
{
	chat_program_find(name, c->program);
	add(c, c->program);
}

static void add_all(struct command *c, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add(c, (char *)(uintptr_t)words[i]);
}

/* ---- the server ---- */

static void ignore(void *of, const char *line)
{
	(void)of;
	(void)line;
}

/* What it said last, which is why it ended. */
static void keep_last(void *of, const char *line)
{
	(void)snprintf(of, 256, "%s", line);
}

static void tell_end(struct chat_program *p, const char *name, char *error, size_t size)
{
	char last[256] = "", status[CHAT_STATUS];

	while (p->error.fd >= 0 && chat_reader_take(&p->error, keep_last, last) == 0 &&
		p->error.used)
		;
	(void)snprintf(error, size, "%s %s%s%s", name, chat_program_status(p, status),
		*last ? ": " : "", last);
}

/* It writes the file once it takes connections. */
static int await_server(struct chat_cast *c, struct stage *s, int watch, char *error, size_t size)
{
	int64_t deadline = clock_ms() + START_PATIENCE_MS;
	char path[PATH_MAX + 16], events[4096];

	(void)snprintf(path, sizeof(path), "%s/" PORT_FILE, c->folder.path);
	while (access(path, F_OK) != 0) {
		struct pollfd fds[] = {{watch, POLLIN, 0}, {c->server.ended, POLLIN, 0}};
		(void)poll(fds, 2, SLICE_MS);
		if (stage_stopped(s))
			return ERR_STOPPING;
		while (read(watch, events, sizeof(events)) > 0)
			;
		if (chat_program_over(&c->server)) {
			tell_end(&c->server, "lanchatd", error, size);
			return ERR_CLOSED;
		}
		if (clock_ms() >= deadline) {
			(void)snprintf(error, size, "lanchatd was not ready within %d s",
				START_PATIENCE_MS / 1000);
			return ERR_TIMEOUT;
		}
	}
	return 0;
}

static int start(struct chat_program *p, struct stage *s, size_t host, struct command *c,
	const char *name, char *error, size_t size)
{
	c->words[c->count] = NULL;
	if (chat_program_start(p, stage_site(s), host, c->words) == 0)
		return 0;
	(void)snprintf(error, size, "cannot start %s: %s", name, strerror(errno));
	return ERR_SYSTEM;
}

int chat_cast_open(struct chat_cast *c, struct stage *s, char *error, size_t size)
{
	struct command command = {0};
	char address[NET_ADDRESS_MAX], data[PATH_MAX + 16], ports[PATH_MAX + 16];

	*c = (struct chat_cast){.folder.lock = -1,
		.server = {.ended = -1, .input = -1, .out.fd = -1, .error.fd = -1}};
	for (int i = 0; i < CHAT_PEOPLE; i++)
		c->client[i] = c->server;
	int e = chat_folder_make(&c->folder, sizeof(PORT_FILE) + 16);
	if (e) {
		(void)snprintf(error, size, "cannot make a folder: %s", strerror(errno));
		return e;
	}
	(void)snprintf(data, sizeof(data), "%s/server", c->folder.path);
	(void)snprintf(ports, sizeof(ports), "%s/" PORT_FILE, c->folder.path);
	/* Whoever is slow here is so because of the network, which is the point. */
	const char *words[] = {"--plaintext", "--no-beacon", "--name", "lab", "--listen",
		chat_cast_address(address), "--port-file", ports, "--data", data, "--history",
		"off", "--login-timeout", "off", "--frame-timeout", "off", "--idle", "off",
		"--ping", "off", "--log-level", "error"};
	begin(&command, c, "server");
	add_program(&command, "lanchatd");
	add_all(&command, words, sizeof(words) / sizeof(words[0]));
	int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch < 0 ||
		inotify_add_watch(watch, c->folder.path, IN_CLOSE_WRITE | IN_MOVED_TO) < 0) {
		(void)snprintf(error, size, "cannot watch %s: %s", c->folder.path, strerror(errno));
		e = ERR_SYSTEM;
	}
	if (e == 0)
		e = start(&c->server, s, SERVER_HOST, &command, "lanchatd", error, size);
	if (e == 0)
		e = await_server(c, s, watch, error, size);
	net_close(watch);
	return e;
}

/* ---- the clients ---- */

int chat_cast_enter(struct chat_cast *c, struct stage *s, char *error, size_t size)
{
	char address[NET_ADDRESS_MAX];
	int e = 0;

	for (int i = 0; i < CHAT_PEOPLE && e == 0; i++) {
		struct command command = {0};
		/* Whoever comes later gets what was said before, so nobody has to wait for the other. */
		const char *words[] = {"--pipe", "--plaintext", "--no-state", "--nick",
			chat_name(i), "--room", CHAT_ROOM, "--history", "100000", "--timeout",
			"120", chat_cast_address(address)};
		begin(&command, c, chat_name(i));
		add_program(&command, "lanchat");
		add_all(&command, words, sizeof(words) / sizeof(words[0]));
		e = start(&c->client[i], s, CLIENT_HOST, &command, "lanchat", error, size);
	}
	return e;
}

/* Read what it still says, for a full pipe would hold it up. */
static void drain(struct chat_program *p)
{
	int64_t deadline = clock_ms() + END_PATIENCE_MS;

	while (!chat_program_await(p, SLICE_MS) && clock_ms() < deadline) {
		(void)chat_reader_take(&p->out, ignore, NULL);
		(void)chat_reader_take(&p->error, ignore, NULL);
	}
}

void chat_cast_close(struct chat_cast *c)
{
	for (int i = 0; i < CHAT_PEOPLE; i++)
		chat_program_end_input(&c->client[i]);
	for (int i = 0; i < CHAT_PEOPLE; i++) {
		if (c->client[i].pid > 0)
			drain(&c->client[i]);
		chat_program_end(&c->client[i], END_PATIENCE_MS);
		chat_program_fini(&c->client[i]);
	}
	chat_program_end(&c->server, END_PATIENCE_MS);
	chat_program_fini(&c->server);
	chat_folder_remove(&c->folder);
}
