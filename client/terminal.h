/*
 * The terminal: taking it over, giving it back on every way out.
 *
 * Curses draws (client/canvas.h); keys are read raw and told apart by
 * client/keys.h. terminal_close, a crash, and a stop by Ctrl-Z all restore the
 * terminal. There is one terminal, so there is one struct terminal at a time; one
 * thread.
 *
 * Sources: curs_initscr(3X), curs_kernel(3X), termios(3), signal-safety(7), and
 * xterm's ctlseqs for bracketed paste (2004) and the mouse (1000, 1006).
 */
#ifndef LANCHAT_TERMINAL_H
#define LANCHAT_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

struct terminal;

/* Who wants it, for the sentences that say why it will not do. */
struct terminal_user {
	const char *program; /* "lanchat" */
	const char *without; /* "lanchat --pipe": what does without a terminal */
	bool colour;         /* it is wanted */
};

/* Take over the terminal on stdin and stdout. Nothing has changed on failure: ERR_ARGUMENT,
 * ERR_MEMORY or ERR_SYSTEM with one sentence in `error` that says why this terminal will not do. */
int terminal_open(
	const struct terminal_user *user, struct terminal **out, char *error, size_t size);

/* Give it back; NULL is allowed. */
void terminal_close(struct terminal *t);

/* Give it back for a while, as for Ctrl-Z, and take it over again. */
void terminal_leave(struct terminal *t);
void terminal_return(struct terminal *t);

/* Stop, as Ctrl-Z does to programs that leave it alone, and return here when it goes on: this program, or
 * all of its group. Where nobody could wake it again (there is no shell), the kernel ignores the signal, and
 * it goes on at once. SIGTSTP must be blocked. */
void terminal_suspend(struct terminal *t, bool whole_group);

/* Is it gone: hung up, or closed from the other side? */
bool terminal_is_gone(const struct terminal *t);

/* Read what keys there are. 0 with `*got` > 0; ERR_AGAIN; ERR_CLOSED: the terminal is gone. */
int terminal_read(struct terminal *t, char *buffer, size_t size, size_t *got);

/* Its size may have changed. */
void terminal_resized(struct terminal *t);

/* Set all modes again, in case another program changed them; the next update draws every cell. */
void terminal_redraw(struct terminal *t);

/* Ring, at most once a second. */
void terminal_ring(struct terminal *t);

/* How many colours it has; 0 where none are wanted. */
int terminal_colours(const struct terminal *t);

#endif
