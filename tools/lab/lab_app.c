#include "tools/lab/lab_app.h"

#include "client/canvas.h"
#include "client/keys.h"
#include "client/terminal.h"
#include "common/clock.h"
#include "common/err.h"
#include "tools/lab/lab_screen.h"
#include "tools/lab/menu.h"
#include "tools/lab/run.h"

#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct lab_app {
	struct terminal *terminal;
	struct canvas *canvas;
	struct keys keys;
	struct menu *menu;         /* NULL: there is but one scenario */
	struct lab_screen *screen; /* NULL: the menu is shown */
	bool ascii;
	int signals; /* signalfd */
	sigset_t before;
	int64_t key_at; /* clock_ms: when the last bytes came from the terminal */
	bool over;
	int status;
	char error[512]; /* for stderr, once the terminal is restored */
};

enum {
	POLL_KEYS,
	POLL_SIGNALS,
	POLL_PLAYER,
	POLLED,
};

static void finish(struct lab_app *a, int status)
{
	a->over = true;
	a->status = status;
}

/* Has this terminal lines of box drawing? Not where the locale is another than UTF-8, and not where it
 * says that it is one of those that were before it. */
static bool is_ascii(void)
{
	static const char *const old[] = {"vt", "ansi", "dumb", "sun", "wyse"};
	const char *name = getenv("TERM");

	(void)setlocale(LC_CTYPE, "");
	if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
		return true;
	for (size_t i = 0; name && i < sizeof(old) / sizeof(old[0]); i++) {
		if (strncmp(name, old[i], strlen(old[i])) == 0)
			return true;
	}
	return false;
}

/* ---- from one screen to the other ---- */

static void show_menu(struct lab_app *a)
{
	lab_screen_stop(a->screen);
	a->screen = NULL;
}

static void show_scenario(struct lab_app *a, const struct stage_options *o, bool stands)
{
	char reason[SITE_REASON];

	if (lab_screen_start(a->canvas, a->ascii, o, stands, &a->screen, reason) != 0)
		menu_say(a->menu, reason);
}

static void heed(struct lab_app *a)
{
	struct stage_options o;
	struct lab_verdict v;
	bool stands;

	if (a->screen && a->menu) {
		lab_screen_verdict(a->screen, &v);
		menu_tell(a->menu, lab_screen_number(a->screen), &v);
	}
	switch (a->screen ? lab_screen_wish(a->screen) : menu_wish(a->menu)) {
	case LAB_WISH_STAY:
		break;
	case LAB_WISH_LEAVE:
		if (a->menu)
			show_menu(a);
		else
			finish(a, RUN_GOOD);
		break;
	case LAB_WISH_QUIT:
		finish(a, RUN_GOOD);
		break;
	case LAB_WISH_REDRAW:
		terminal_redraw(a->terminal);
		break;
	case LAB_WISH_SUSPEND:
		terminal_suspend(a->terminal, true);
		break;
	}
	if (!a->screen && menu_play(a->menu, &o, &stands))
		show_scenario(a, &o, stands);
}

/* ---- what comes in ---- */

static void take_input(struct lab_app *a, const struct input *in)
{
	if (in->kind == INPUT_NONE || a->over)
		return;
	if (a->screen)
		lab_screen_input(a->screen, in);
	else
		menu_input(a->menu, in);
	heed(a);
}

static void read_keys(struct lab_app *a)
{
	char bytes[4096];
	struct input in;
	size_t got = 0;

	if (terminal_read(a->terminal, bytes, sizeof(bytes), &got) == ERR_CLOSED)
		finish(a, RUN_FAILED);
	int64_t now = clock_ms();
	if (keys_break(&a->keys, bytes, got, now - a->key_at, &in)) {
		take_input(a, &in);
		return;
	}
	a->key_at = now;
	for (size_t at = 0; at < got;) {
		at += keys_feed(&a->keys, bytes + at, got - at, &in);
		take_input(a, &in);
	}
}

static void read_signals(struct lab_app *a)
{
	struct signalfd_siginfo info;

	while (read(a->signals, &info, sizeof(info)) == sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGWINCH:
			terminal_resized(a->terminal);
			break;
		case SIGTSTP:
			terminal_suspend(a->terminal, false);
			break;
		case SIGCONT:
			terminal_redraw(a->terminal);
			break;
		default: /* SIGINT, SIGTERM, SIGHUP, SIGQUIT */
			finish(a, RUN_FAILED);
			break;
		}
	}
}

static void tick(struct lab_app *a)
{
	struct input in;

	if (keys_is_waiting(&a->keys) && clock_ms() >= a->key_at + KEYS_ESCAPE_MS) {
		keys_timeout(&a->keys, &in);
		take_input(a, &in);
	}
}

/* ---- the loop ---- */

static int64_t deadline(const struct lab_app *a)
{
	int64_t at = a->screen ? lab_screen_deadline(a->screen) : INT64_MAX;

	if (keys_is_waiting(&a->keys) && a->key_at + KEYS_ESCAPE_MS < at)
		at = a->key_at + KEYS_ESCAPE_MS;
	return at;
}

static void turn(struct lab_app *a)
{
	struct pollfd fds[POLLED] = {
		[POLL_KEYS] = {.fd = STDIN_FILENO, .events = POLLIN},
		[POLL_SIGNALS] = {.fd = a->signals, .events = POLLIN},
		[POLL_PLAYER] = {.fd = a->screen ? lab_screen_fd(a->screen) : menu_fd(a->menu),
			.events = POLLIN},
	};

	if (a->screen)
		lab_screen_draw(a->screen);
	else
		menu_draw(a->menu);
	canvas_show(a->canvas);
	if (poll(fds, POLLED, clock_poll_timeout(deadline(a))) < 0)
		return;
	if (fds[POLL_SIGNALS].revents)
		read_signals(a);
	if (fds[POLL_PLAYER].revents && !a->screen)
		menu_events(a->menu);
	if (fds[POLL_KEYS].revents && !a->over)
		read_keys(a);
	if (!a->over)
		tick(a);
}

/* ---- from start to end ---- */

static int block_signals(struct lab_app *a)
{
	static const int ours[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH};
	sigset_t set;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		(void)sigaddset(&set, ours[i]);
	(void)pthread_sigmask(SIG_BLOCK, &set, &a->before);
	(void)signal(SIGPIPE, SIG_IGN);
	a->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return a->signals < 0 ? ERR_SYSTEM : 0;
}

static int start_only(struct lab_app *a, const struct lab_settings *settings, const char *no_hosts,
	const struct scenario *only)
{
	struct stage_options o;
	char reason[SITE_REASON] = "";
	int e = lab_options_stage(settings, only, &o, a->error, sizeof(a->error));

	if (no_hosts)
		o.loopback = true;
	if (e == 0)
		e = lab_screen_start(a->canvas, a->ascii, &o, false, &a->screen, reason);
	if (e && *reason)
		(void)snprintf(a->error, sizeof(a->error), "%s", reason);
	return e;
}

static int start(struct lab_app *a, const struct lab_settings *settings, const char *no_hosts,
	const struct scenario *only)
{
	const char *no_colour = getenv("NO_COLOR");
	const struct terminal_user user = {
		"lanchat-lab", "lanchat-lab run NAME", !(no_colour && no_colour[0])};

	a->ascii = is_ascii();
	int e = terminal_open(&user, &a->terminal, a->error, sizeof(a->error));
	if (e)
		return e;
	e = canvas_new(a->terminal, &a->canvas);
	if (e == 0 && a->ascii)
		canvas_ascii(a->canvas);
	if (e == 0 && !only)
		e = menu_new(a->canvas, settings, no_hosts, &a->menu);
	else if (e == 0)
		e = start_only(a, settings, no_hosts, only);
	if (e && !a->error[0])
		(void)snprintf(a->error, sizeof(a->error), "%s", err_text(e));
	return e;
}

/* Of what was watched last. */
static int keep_run(struct lab_app *a, struct keep *keep)
{
	struct outcome o = {0};
	int e = lab_screen_keep(a->screen, keep, &o);

	if (e)
		(void)snprintf(a->error, sizeof(a->error), "%s", err_text(e));
	else
		a->status = keep_publish(keep, &o, 1, a->status ? a->status : run_judge(&o, 1));
	outcome_fini(&o);
	return e;
}

static int run(const struct lab_settings *settings, const char *no_hosts,
	const struct scenario *only, struct keep *keep)
{
	struct lab_app a = {.signals = -1, .status = RUN_FAILED};

	if (block_signals(&a) != 0)
		(void)snprintf(a.error, sizeof(a.error), "cannot receive signals");
	else if (start(&a, settings, no_hosts, only) == 0)
		while (!a.over)
			turn(&a);
	/* The terminal first: what plays takes a moment to end. */
	if (a.terminal)
		canvas_free(a.canvas);
	terminal_close(a.terminal);
	if (a.over && a.screen && keep && keep_any(settings) && keep_run(&a, keep) != 0)
		a.status = RUN_FAILED;
	lab_screen_stop(a.screen);
	menu_free(a.menu);
	keys_fini(&a.keys);
	net_close(a.signals);
	(void)pthread_sigmask(SIG_SETMASK, &a.before, NULL);
	if (a.error[0])
		(void)fprintf(stderr, "lanchat-lab: %s\n", a.error);
	return a.status;
}

int lab_app_run(const struct lab_settings *settings, const char *no_hosts)
{
	return run(settings, no_hosts, NULL, NULL);
}

int lab_app_one(const struct lab_settings *settings, const struct scenario *only,
	const char *no_hosts, struct keep *keep)
{
	return run(settings, no_hosts, only, keep);
}
