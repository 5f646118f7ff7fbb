/*
 * The desk: the line in which whoever watches the chat types what one of the two says.
 *
 * What is typed goes through a pipe to the scenario, a line for each Enter. Keys that it has no use for are
 * not taken. One thread; zeroed and desk_init, it is closed.
 */
#ifndef LANCHAT_LAB_DESK_H
#define LANCHAT_LAB_DESK_H

#include "client/canvas.h"
#include "client/editor.h"
#include "client/keys.h"

struct desk {
	int speak, listen; /* both ends of the pipe; -1: closed */
	int who;           /* whose line is typed: chat_lines.h */
	bool typing;
	struct editor editor;
	size_t from; /* the first byte that is seen */
};

void desk_init(struct desk *d);

/* A new pipe, of which `listen` is for the scenario; what was there is closed. ERR_SYSTEM. */
int desk_open(struct desk *d);
void desk_close(struct desk *d);
void desk_fini(struct desk *d);

/* Was it for the desk? Then it is done. */
bool desk_input(struct desk *d, const struct input *in);

/* Draw it over the first line of `r`. */
void desk_draw(struct desk *d, struct canvas *c, struct rect r);

#endif
