/*
 * Sites: the servers that the discovery screen lists, and what to do about them.
 *
 * It keeps what the finder found, sorted by name, and which row is chosen (by the
 * server, not by its place, for rows come and go), and decides by the clock: where
 * there is and was just one server, to join it; where there is none, to say why
 * that may be, or to host one. A user who presses a key decides for himself from
 * then on. The caller owns the storage; one thread.
 */
#ifndef LANCHAT_SITES_H
#define LANCHAT_SITES_H

#include "client/finder.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SITES_SETTLE_MS  1000 /* after this long, one server is the only one */
#define SITES_NOTICE_MS  700  /* and it has been on the screen this long */
#define SITES_NOTHING_MS 1500 /* after this long, there seems to be none */

enum sites_advice {
	SITES_LOOK, /* go on looking */
	SITES_JOIN, /* join the only server there is */
	SITES_HOST, /* there is none: host one */
};

struct sites {
	struct finder_row rows[FINDER_ROWS]; /* by name, then by address */
	size_t count;
	size_t chosen;   /* < count, unless there are none */
	int64_t started; /* clock_ms: when looking began */
	int64_t alone;   /* since when there is exactly one server */
	bool touched;    /* the user has pressed a key */
	bool several;    /* there was a choice */
	bool host;       /* host one where there is none */
};

/* Begin. */
void sites_init(struct sites *s, int64_t now, bool host);

/* The finder's list as it is now, in whatever order. */
void sites_update(struct sites *s, const struct finder_row *rows, size_t count, int64_t now);

/* Choose another row, as far as there are any. */
void sites_move(struct sites *s, long by);

/* Which part of the list is on a screen: from the server `top` on, `count` of them; and at which line. */
struct sites_shown {
	size_t top, count;
	int line;
};

/* Show as many as there are `lines` (at least 1). The part moves no further than it takes to see the chosen
 * one and to leave no line empty, so that what was clicked stays where it is. */
void sites_show(const struct sites *s, struct sites_shown *shown, size_t lines);

/* Does the server speak a version of the protocol that this client speaks? */
bool sites_is_compatible(const struct finder_row *row);

/* Is there one server, which will be joined unless the user presses a key? */
bool sites_will_join(const struct sites *s);

/* What to do now; and when (clock_ms) to ask again; INT64_MAX: when something changes. */
enum sites_advice sites_decide(const struct sites *s, int64_t now);
int64_t sites_deadline(const struct sites *s, int64_t now);

/* Has it been looked for long enough to say that there is nothing? */
bool sites_is_nothing(const struct sites *s, int64_t now);

#endif
