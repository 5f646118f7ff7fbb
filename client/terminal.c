#define NCURSES_WIDECHAR 1
#include "client/terminal.h"

#include "common/clock.h"
#include "common/err.h"

#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

/* Bracketed paste and mouse presses in the SGR form, on and off. */
static const char modes_on[] = "\033[?2004h\033[?1000h\033[?1006h";
static const char modes_off[] = "\033[?1006l\033[?1000l\033[?2004l";

#define RING_MS 1000

struct terminal {
	SCREEN *screen;
	int colours;
	bool gone;
	int64_t rang; /* clock_ms */
};

/*
 * What a crash handler needs. It cannot be given a pointer, so this is the one place in the client
 * that is not in a struct; it is written while no handler is installed.
 */
static struct {
	struct termios modes;
	char restore[256];
	size_t length;
} rescue;

static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
#define CRASHES (sizeof crashes / sizeof crashes[0])

/* Only what signal-safety(7) allows. The handler is gone by now: raising again ends the program. */
static void on_crash(int number)
{
	ssize_t n = write(STDOUT_FILENO, rescue.restore, rescue.length);

	(void)n;
	tcsetattr(STDIN_FILENO, TCSANOW, &rescue.modes);
	raise(number);
}

static void add_capability(const char *name)
{
	const char *value = tigetstr(name);
	size_t length;

	/* tigetstr returns (char *)-1 for a name that is no string. */
	if (!value || value == (const char *)-1)
		return;
	length = strlen(value);
	if (rescue.length + length > sizeof rescue.restore)
		return;
	memcpy(rescue.restore + rescue.length, value, length);
	rescue.length += length;
}

static void watch_crashes(void)
{
	struct sigaction action = {.sa_handler = on_crash, .sa_flags = (int)SA_RESETHAND};

	rescue.length = sizeof modes_off - 1;
	memcpy(rescue.restore, modes_off, rescue.length);
	add_capability("sgr0");
	add_capability("cnorm");
	add_capability("rmcup");
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < CRASHES; i++)
		sigaction(crashes[i], &action, NULL);
}

static void forget_crashes(void)
{
	for (size_t i = 0; i < CRASHES; i++)
		signal(crashes[i], SIG_DFL);
}

/* Sequences that curses does not know of. What a terminal that is gone does not take is lost. */
static void send(const char *sequences)
{
	(void)fputs(sequences, stdout);
	(void)fflush(stdout);
}

/* ---- will this terminal do? ---- */

/* Names and texts are UTF-8. Where no locale was chosen, C.UTF-8 is; a locale of another encoding
 * was chosen for a terminal that speaks it, and would show nonsense. */
static int check_locale(const struct terminal_user *user, char *error, size_t size)
{
	setlocale(LC_CTYPE, "");
	if (strcmp(nl_langinfo(CODESET), "UTF-8") == 0)
		return 0;
	if (strncmp(nl_langinfo(CODESET), "ANSI_X3.4", 9) == 0 && setlocale(LC_CTYPE, "C.UTF-8"))
		return 0;
	(void)snprintf(error, size,
		"the terminal's encoding is %s, and %s needs UTF-8: try LC_ALL=C.UTF-8 %s, in a "
		"terminal that is set to UTF-8",
		nl_langinfo(CODESET), user->program, user->program);
	return ERR_ARGUMENT;
}

static int check_terminal(const struct terminal_user *user, char *error, size_t size)
{
	const char *name = getenv("TERM");
	int status = 0;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		(void)snprintf(error, size,
			"stdin and stdout must be a terminal; for scripts there is `%s`",
			user->without);
		return ERR_ARGUMENT;
	}
	if (!name || name[0] == '\0') {
		(void)snprintf(error, size,
			"TERM is not set, so the kind of terminal is unknown; try `TERM=xterm "
			"%s`, or `%s`",
			user->program, user->without);
		return ERR_ARGUMENT;
	}
	if (setupterm(NULL, STDOUT_FILENO, &status) != OK) {
		(void)snprintf(error, size,
			"the terminal TERM=%.64s is not known here; try `TERM=xterm %s`, or `%s`",
			name, user->program, user->without);
		return ERR_ARGUMENT;
	}
	const char *move = tigetstr("cup");
	bool capable = move && move != (const char *)-1;
	del_curterm(cur_term);
	if (capable)
		return 0;
	(void)snprintf(error, size,
		"the terminal TERM=%.64s cannot place its cursor, which panes need; `%s` works "
		"there",
		name, user->without);
	return ERR_ARGUMENT;
}

/* ---- taking it over ---- */

static void begin_colours(struct terminal *t, bool wanted)
{
	if (!wanted || !has_colors() || start_color() == ERR)
		return;
	/* The terminal's own colours stay as the background and the usual text. */
	if (use_default_colors() == ERR)
		return;
	t->colours = COLORS;
}

static int take_over(struct terminal *t, bool colour)
{
	t->screen = newterm(NULL, stdout, stdin);
	if (!t->screen)
		return ERR_SYSTEM;
	set_term(t->screen);
	raw();
	noecho();
	nonl();
	typeahead(-1);   /* keys are not for curses to look at */
	def_prog_mode(); /* what terminal_return goes back to */
	begin_colours(t, colour);
	watch_crashes();
	terminal_resized(t);
	send(modes_on);
	return 0;
}

int terminal_open(const struct terminal_user *user, struct terminal **out, char *error, size_t size)
{
	int err = check_terminal(user, error, size);

	if (err == 0)
		err = check_locale(user, error, size);
	if (err < 0)
		return err;
	if (tcgetattr(STDIN_FILENO, &rescue.modes) < 0) {
		(void)snprintf(
			error, size, "the terminal's modes cannot be read: %s", strerror(errno));
		return ERR_SYSTEM;
	}
	struct terminal *t = calloc(1, sizeof *t);
	if (!t) {
		(void)snprintf(error, size, "out of memory");
		return ERR_MEMORY;
	}
	t->rang = INT64_MIN / 2;
	err = take_over(t, user->colour);
	if (err < 0) {
		(void)snprintf(error, size, "the terminal cannot be used: %s", strerror(errno));
		free(t);
		return err;
	}
	*out = t;
	return 0;
}

void terminal_leave(struct terminal *t)
{
	(void)t;
	send(modes_off);
	endwin();
	/* What was written may still wait in a terminal that is slow; modes change after it. */
	tcsetattr(STDIN_FILENO, TCSADRAIN, &rescue.modes);
}

void terminal_return(struct terminal *t)
{
	/* Somebody may have changed the modes meanwhile: these are the ones to give back. In the background,
	 * they are those of whoever has the terminal now. */
	if (tcgetpgrp(STDIN_FILENO) == getpgrp())
		tcgetattr(STDIN_FILENO, &rescue.modes);
	terminal_resized(t);
	terminal_redraw(t);
}

void terminal_suspend(struct terminal *t, bool whole_group)
{
	sigset_t stop;

	terminal_leave(t);
	if (whole_group)
		(void)kill(0, SIGTSTP);
	else
		(void)raise(SIGTSTP);
	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	(void)signal(SIGTSTP, SIG_DFL); /* curses has its own handler, for programs without one */
	(void)pthread_sigmask(SIG_UNBLOCK, &stop, NULL);
	/* Here it stops, and here it goes on. */
	(void)pthread_sigmask(SIG_BLOCK, &stop, NULL);
	terminal_return(t);
}

void terminal_close(struct terminal *t)
{
	if (!t)
		return;
	if (!t->gone)
		terminal_leave(t);
	forget_crashes();
	delscreen(t->screen);
	free(t);
}

bool terminal_is_gone(const struct terminal *t)
{
	return t->gone;
}

int terminal_read(struct terminal *t, char *buffer, size_t size, size_t *got)
{
	ssize_t n;

	do {
		n = read(STDIN_FILENO, buffer, size);
	} while (n < 0 && errno == EINTR);
	if (n > 0) {
		*got = (size_t)n;
		return 0;
	}
	if (n < 0 && errno == EAGAIN)
		return ERR_AGAIN;
	t->gone = true; /* EIO: hung up; 0: closed */
	return ERR_CLOSED;
}

void terminal_resized(struct terminal *t)
{
	struct winsize size;

	(void)t;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row == 0 || size.ws_col == 0)
		return;
	resizeterm(size.ws_row, size.ws_col);
}

void terminal_redraw(struct terminal *t)
{
	(void)t;
	reset_prog_mode();
	clearok(curscr, TRUE);
	send(modes_on);
}

void terminal_ring(struct terminal *t)
{
	int64_t now = clock_ms();

	if (now - t->rang < RING_MS)
		return;
	t->rang = now;
	beep();
}

int terminal_colours(const struct terminal *t)
{
	return t->colours;
}
