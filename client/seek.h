/*
 * The discovery screen: a live list of servers, and a line for an address.
 *
 * It owns the finder, and what is typed. The application's loop brings it keys,
 * tells it when the list has changed or the time has come, has it drawn, and asks
 * what the user wishes. One thread.
 */
#ifndef LANCHAT_SEEK_H
#define LANCHAT_SEEK_H

#include "client/app.h"
#include "client/canvas.h"
#include "client/keys.h"
#include "client/locate.h"
#include "client/terminal.h"

#include <stdbool.h>
#include <stdint.h>

enum seek_wish {
	SEEK_STAY,
	SEEK_QUIT,
	SEEK_JOIN,    /* the server at seek_where */
	SEEK_ADDRESS, /* the server that is named by seek_address */
	SEEK_HOST,    /* a server on this machine */
	SEEK_SUSPEND,
};

struct seek;

/* Begin to look. `by_itself`: the only server there is is joined without a key press, and with
 * config->host one is hosted where there is none. The rest is borrowed and must outlive it.
 * ERR_MEMORY. Where looking is impossible (ERR_SYSTEM inside), the screen says so and an address can
 * still be typed. */
int seek_start(const struct app_config *config, bool by_itself, struct terminal *t,
	struct canvas *c, struct seek **out);

/* NULL is allowed. */
void seek_stop(struct seek *s);

/* Readable when seek_events has something to do; -1: never. */
int seek_fd(const struct seek *s);
void seek_events(struct seek *s);

void seek_input(struct seek *s, const struct input *in);
void seek_draw(struct seek *s);

/* When (clock_ms) seek_tick has something to do; INT64_MAX: never. */
int64_t seek_deadline(const struct seek *s);
void seek_tick(struct seek *s);

/* What the user wishes; asking makes it SEEK_STAY again. */
enum seek_wish seek_wish(struct seek *s);

/* Where to, after SEEK_JOIN; and the address as typed, after SEEK_ADDRESS. */
void seek_where(const struct seek *s, struct location *out);
const char *seek_address(const struct seek *s);

/* Put an address into the line, as if it had been typed. */
void seek_type(struct seek *s, const char *address);

/* Are there servers in the list? */
bool seek_has_servers(const struct seek *s);

/* Look for some time again before something is done by itself: a server has just come up here. */
void seek_again(struct seek *s);

/* Say what happened, below the list; NULL: nothing. What was done by itself is not done again. */
void seek_say(struct seek *s, const char *text);

#endif
