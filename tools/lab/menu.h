/*
 * The menu: the scenarios, one to choose, and what came of those that were played.
 *
 * It plays all of them by itself where it is told to, as fast as they are. The canvas is borrowed. One
 * thread.
 */
#ifndef LANCHAT_LAB_MENU_H
#define LANCHAT_LAB_MENU_H

#include "tools/lab/lab_options.h"
#include "tools/lab/lab_screen.h"

struct menu;

/* `settings` is borrowed. `no_hosts` is NULL, or says why there can be no hosts but loopback; borrowed
 * too. ERR_MEMORY. */
int menu_new(struct canvas *c, const struct lab_settings *settings, const char *no_hosts,
	struct menu **out);
void menu_free(struct menu *m);

void menu_input(struct menu *m, const struct input *in);

/* What it wishes since it was last asked; a scenario that is to be played is not among that. */
enum lab_wish menu_wish(struct menu *m);

/* Is one to be played, since it was last asked? Then `*out` is how, and `*stands` whether it stands still
 * before its first packet. */
bool menu_play(struct menu *m, struct stage_options *out, bool *stands);

/* A sentence for the last line; and what came of the scenario of that number. */
void menu_say(struct menu *m, const char *text);
void menu_tell(struct menu *m, int number, const struct lab_verdict *v);

/* Readable when there is something to do: then menu_events. -1: never. */
int menu_fd(const struct menu *m);
void menu_events(struct menu *m);

void menu_draw(struct menu *m);

#endif
