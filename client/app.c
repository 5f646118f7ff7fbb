#include "client/app.h"

#include "client/canvas.h"
#include "client/hosting.h"
#include "client/keyring.h"
#include "client/keys.h"
#include "client/locate.h"
#include "client/seek.h"
#include "client/talk.h"
#include "client/terminal.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/net.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* One screen or the other: seek or talk is there, the other one is NULL. */
struct app {
	const struct app_config *config; /* borrowed */
	struct terminal *terminal;
	struct canvas *canvas;
	struct keys keys;
	struct seek *seek;
	struct talk *talk;
	bool from_list;                /* talk was begun from the list of servers, */
	char typed[NET_HOST_MAX + 64]; /* by an address that was typed there; or empty */
	struct keyring passwords;
	struct hosting *hosting; /* a server is being started */
	bool any_port;           /* and the usual port is in use */
	int signals;             /* signalfd */
	sigset_t before;         /* the signal mask that was found */
	int64_t key_at;          /* clock_ms: when the last bytes came from the terminal */
	bool over;
	int status;
	char error[512]; /* for stderr, once the terminal is restored */
};

enum {
	POLL_KEYS,
	POLL_SIGNALS,
	POLL_SCREEN, /* the link or the finder */
	POLL_HOSTING,
	POLLED = POLL_HOSTING + HOSTING_FDS,
};

static void finish(struct app *a, int status)
{
	a->over = true;
	a->status = status;
}

static void give_up(struct app *a, const char *what, int err)
{
	(void)snprintf(a->error, sizeof a->error, "%s: %s", what, err_text(err));
	finish(a, 1);
}

/* ---- from one screen to the other ---- */

static void show_seek(struct app *a, bool by_itself)
{
	talk_stop(a->talk);
	a->talk = NULL;
	int err = seek_start(a->config, by_itself, a->terminal, a->canvas, &a->seek);
	if (err < 0)
		give_up(a, "cannot look for servers", err);
}

/* `typed`: the address as it was typed in the list, or "". */
static void show_talk(struct app *a, const struct location *where, const char *typed)
{
	struct talk *before = a->talk;

	a->from_list = a->seek != NULL;
	(void)snprintf(a->typed, sizeof a->typed, "%s", typed);
	hosting_free(a->hosting);
	a->hosting = NULL;
	a->talk = NULL;
	/* Goodbye first: the same nick may be wanted again. */
	talk_stop(before);
	int err = talk_start(a->config, where, a->terminal, a->canvas, &a->passwords, &a->talk);
	if (err < 0) {
		give_up(a, "cannot connect", err);
		return;
	}
	seek_stop(a->seek);
	a->seek = NULL;
}

/* The server that was chosen cannot be talked to: back to the list, to choose again. Without a list,
 * it is tried on. */
static void choose_again(struct app *a)
{
	char text[2048];

	if (!a->from_list)
		return;
	(void)snprintf(text, sizeof text, "No connection: %s", talk_trouble(a->talk));
	show_seek(a, false);
	if (!a->seek)
		return;
	if (a->typed[0])
		seek_type(a->seek, a->typed);
	seek_say(a->seek, text);
}

/* Where the text says. An address is looked up when connecting; a name is looked for on the network,
 * which takes a moment. */
static int locate(struct app *a, const char *text, struct location *out, char *error, size_t size)
{
	*out = (struct location){0};
	if (locate_is_name(text))
		return locate_server(text, a->config->data_folder, a->config->interfaces,
			a->config->not_interfaces, out, error, size);
	int err = net_parse(text, NET_PORT, out->host, &out->port);
	if (err == 0 && out->host[0] == '\0')
		err = ERR_ARGUMENT;
	if (err < 0)
		(void)snprintf(error, size,
			"\"%s\" is no address: HOST, HOST:PORT or [IPv6]:PORT is wanted", text);
	return err;
}

static void host(struct app *a)
{
	char error[512];

	if (a->hosting)
		return;
	int err = hosting_start(a->config->server_program, a->config->stay, a->any_port,
		a->config->tls == NULL, &a->hosting, error, sizeof error);
	seek_say(a->seek, err < 0 ? error : "Starting a server on this machine...");
}

static void check_hosting(struct app *a)
{
	struct location where = {.host = "127.0.0.1", .own = true};
	char error[512];

	int err = hosting_check(a->hosting, &where.port, error, sizeof error);
	if (err == ERR_AGAIN)
		return;
	if (err == 0) {
		show_talk(a, &where, "");
		return;
	}
	hosting_free(a->hosting);
	a->hosting = NULL;
	if (err == ERR_EXISTS && !a->any_port) {
		/* Whoever has the port may be a server that has just begun to announce itself, and
		 * is joined then. If none is found, or the user saw some and wants another one,
		 * another port will do. */
		a->any_port = true;
		if (seek_has_servers(a->seek))
			host(a);
		else
			seek_again(a->seek);
		return;
	}
	seek_say(a->seek, error);
}

/* ---- what the screens wish ---- */

static void heed_seek(struct app *a)
{
	struct location where;
	char error[512];

	switch (seek_wish(a->seek)) {
	case SEEK_STAY:
		break;
	case SEEK_QUIT:
		finish(a, 0);
		break;
	case SEEK_JOIN:
		seek_where(a->seek, &where);
		show_talk(a, &where, "");
		break;
	case SEEK_ADDRESS:
		if (locate(a, seek_address(a->seek), &where, error, sizeof error) == 0)
			show_talk(a, &where, seek_address(a->seek));
		else
			seek_say(a->seek, error);
		break;
	case SEEK_HOST:
		host(a);
		break;
	case SEEK_SUSPEND:
		terminal_suspend(a->terminal, true);
		break;
	}
}

static void heed_talk(struct app *a)
{
	struct location where;
	char error[512];

	switch (talk_wish(a->talk)) {
	case TALK_STAY:
		break;
	case TALK_QUIT:
		finish(a, 0);
		break;
	case TALK_DISCOVER:
		show_seek(a, false);
		break;
	case TALK_CONNECT:
		if (locate(a, talk_server(a->talk), &where, error, sizeof error) == 0)
			show_talk(a, &where, "");
		else
			talk_refuse_server(a->talk, error);
		break;
	case TALK_FAILED:
		choose_again(a);
		break;
	case TALK_SUSPEND:
		terminal_suspend(a->terminal, true);
		break;
	}
}

static void heed(struct app *a)
{
	if (a->seek)
		heed_seek(a);
	else if (a->talk)
		heed_talk(a);
}

/* ---- what comes in ---- */

static void take_input(struct app *a, const struct input *in)
{
	if (in->kind == INPUT_NONE || a->over)
		return;
	if (a->seek)
		seek_input(a->seek, in);
	else
		talk_input(a->talk, in);
	heed(a);
}

static void take_keys(struct app *a, const struct input *in)
{
	take_input(a, in);
	if (in->kind == INPUT_PASTE)
		keys_wipe(&a->keys);
}

static void read_keys(struct app *a)
{
	char bytes[16384];
	struct input in;
	size_t got = 0;

	int err = terminal_read(a->terminal, bytes, sizeof bytes, &got);
	if (err == ERR_CLOSED)
		finish(a, 1);
	int64_t now = clock_ms();
	if (keys_break(&a->keys, bytes, got, now - a->key_at, &in)) {
		take_keys(a, &in);
		return;
	}
	a->key_at = now;
	for (size_t at = 0; at < got;) {
		at += keys_feed(&a->keys, bytes + at, got - at, &in);
		take_keys(a, &in);
	}
	/* It may have been a password. */
	explicit_bzero(bytes, got);
}

static void read_signals(struct app *a)
{
	struct signalfd_siginfo info;

	while (read(a->signals, &info, sizeof info) == sizeof info) {
		switch (info.ssi_signo) {
		case SIGWINCH:
			terminal_resized(a->terminal);
			break;
		case SIGTSTP:
			terminal_suspend(a->terminal, false);
			break;
		case SIGCONT: /* another window's size may have been told to others meanwhile */
			terminal_resized(a->terminal);
			terminal_redraw(a->terminal);
			break;
		default: /* SIGINT, SIGTERM, SIGHUP, SIGQUIT */
			finish(a, 0);
			break;
		}
	}
}

static void tick(struct app *a)
{
	struct input in;

	if (keys_is_waiting(&a->keys) && clock_ms() >= a->key_at + KEYS_ESCAPE_MS) {
		keys_timeout(&a->keys, &in);
		take_input(a, &in);
	}
	if (a->seek)
		seek_tick(a->seek);
	else if (a->talk)
		talk_tick(a->talk);
	heed(a);
}

/* ---- the loop ---- */

static int64_t deadline(const struct app *a)
{
	int64_t at = a->seek ? seek_deadline(a->seek) : talk_deadline(a->talk);

	/* While a server is being started, nothing else is done by itself. */
	if (a->hosting)
		at = INT64_MAX;
	if (keys_is_waiting(&a->keys) && a->key_at + KEYS_ESCAPE_MS < at)
		at = a->key_at + KEYS_ESCAPE_MS;
	return at;
}

static void draw(struct app *a)
{
	if (a->seek)
		seek_draw(a->seek);
	else
		talk_draw(a->talk);
	canvas_show(a->canvas);
}

static void wait_for_something(struct app *a, struct pollfd fds[POLLED])
{
	fds[POLL_KEYS] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
	fds[POLL_SIGNALS] = (struct pollfd){.fd = a->signals, .events = POLLIN};
	fds[POLL_SCREEN] = (struct pollfd){
		.fd = a->seek ? seek_fd(a->seek) : talk_fd(a->talk), .events = POLLIN};
	for (int i = 0; i < HOSTING_FDS; i++)
		fds[POLL_HOSTING + i] = (struct pollfd){.fd = -1};
	if (a->hosting)
		hosting_poll(a->hosting, &fds[POLL_HOSTING]);
	if (poll(fds, POLLED, clock_poll_timeout(deadline(a))) < 0)
		for (int i = 0; i < POLLED; i++)
			fds[i].revents = 0;
}

static void turn(struct app *a)
{
	struct pollfd fds[POLLED];

	draw(a);
	wait_for_something(a, fds);
	if (fds[POLL_SIGNALS].revents)
		read_signals(a);
	if (fds[POLL_SCREEN].revents && a->seek)
		seek_events(a->seek);
	else if (fds[POLL_SCREEN].revents)
		talk_events(a->talk);
	if (a->hosting && (fds[POLL_HOSTING].revents || fds[POLL_HOSTING + 1].revents))
		check_hosting(a);
	if (fds[POLL_KEYS].revents && !a->over)
		read_keys(a);
	if (!a->over)
		tick(a);
}

/* ---- from start to end ---- */

static int block_signals(struct app *a)
{
	sigset_t ours;

	sigemptyset(&ours);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGHUP);
	sigaddset(&ours, SIGQUIT);
	sigaddset(&ours, SIGTSTP);
	sigaddset(&ours, SIGCONT);
	sigaddset(&ours, SIGWINCH);
	/* Threads that are started later inherit the mask, so signals come here alone. */
	(void)pthread_sigmask(SIG_BLOCK, &ours, &a->before);
	a->signals = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
	return a->signals < 0 ? ERR_SYSTEM : 0;
}

static int start(struct app *a)
{
	struct location where;

	/* Before the terminal is taken over, so that a mistake is told on a line of its own. */
	if (a->config->server &&
		locate(a, a->config->server, &where, a->error, sizeof a->error) < 0)
		return ERR_NOT_FOUND;
	const struct terminal_user user = {"lanchat", "lanchat --pipe", a->config->colour};
	int err = terminal_open(&user, &a->terminal, a->error, sizeof a->error);
	if (err < 0)
		return err;
	err = canvas_new(a->terminal, &a->canvas);
	if (err < 0) {
		give_up(a, "cannot draw", err);
		return err;
	}
	if (a->config->server)
		show_talk(a, &where, "");
	else
		show_seek(a, true);
	return 0;
}

int app_run(const struct app_config *config)
{
	struct app a = {.config = config, .signals = -1, .status = 1};

	if (block_signals(&a) < 0)
		give_up(&a, "cannot receive signals", ERR_SYSTEM);
	else if (start(&a) == 0)
		while (!a.over)
			turn(&a);
	/* The terminal first: saying goodbye to a server that does not answer takes a second. */
	if (a.terminal)
		canvas_free(a.canvas);
	terminal_close(a.terminal);
	if (a.talk)
		talk_print_unsent(a.talk, stderr);
	talk_stop(a.talk);
	seek_stop(a.seek);
	hosting_free(a.hosting);
	keys_fini(&a.keys);
	keyring_wipe(&a.passwords);
	net_close(a.signals);
	(void)pthread_sigmask(SIG_SETMASK, &a.before, NULL);
	if (a.error[0])
		(void)fprintf(stderr, "lanchat: %s\n", a.error);
	return a.status;
}
