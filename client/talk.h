/*
 * The chat screen: talking through one server.
 *
 * It owns the link, the model, the input line and what is open over the panes. The
 * application's loop brings it keys, tells it when the link has something or the
 * time has come, has it drawn, and asks what the user wishes. One thread.
 */
#ifndef LANCHAT_TALK_H
#define LANCHAT_TALK_H

#include "client/app.h"
#include "client/canvas.h"
#include "client/keyring.h"
#include "client/keys.h"
#include "client/locate.h"
#include "client/terminal.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What the user wants of the application. */
enum talk_wish {
	TALK_STAY,
	TALK_QUIT,
	TALK_DISCOVER, /* back to the list of servers */
	TALK_CONNECT,  /* to another server: talk_server */
	TALK_FAILED,   /* there never was a connection (talk_trouble), and nothing has been written:
			  go back, if there is something to go back to, or stay while it goes on */
	TALK_SUSPEND,
};

struct talk;

/* Begin to talk through the server at `where`. The config, the terminal, the canvas and the passwords,
 * to which it adds what the user types, are borrowed and must outlive it. ERR_MEMORY, ERR_SYSTEM. */
int talk_start(const struct app_config *config, const struct location *where, struct terminal *t,
	struct canvas *c, struct keyring *passwords, struct talk **out);

/* Say goodbye (within a second) and free; NULL is allowed. */
void talk_stop(struct talk *t);

/* Print what was written and never reached the server, a line each, so that it is not lost. */
void talk_print_unsent(const struct talk *t, FILE *f);

/* Readable when talk_events has something to do. */
int talk_fd(const struct talk *t);

/* Take in what the link has brought; at most so much that keys are not kept waiting. */
void talk_events(struct talk *t);

void talk_input(struct talk *t, const struct input *in);
void talk_draw(struct talk *t);

/* When (clock_ms) talk_tick has something to do or another picture is due; INT64_MAX: never. */
int64_t talk_deadline(const struct talk *t);
void talk_tick(struct talk *t);

/* What the user wishes; asking makes it TALK_STAY again. */
enum talk_wish talk_wish(struct talk *t);

/* Where to, after TALK_CONNECT. Borrowed. */
const char *talk_server(const struct talk *t);

/* There is no such server, for this reason: the user is told, and the command is in the line again. */
void talk_refuse_server(struct talk *t, const char *why);

/* Why there is no connection. Borrowed. */
const char *talk_trouble(const struct talk *t);

#endif
