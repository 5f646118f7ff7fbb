/*
 * Which numbers were there already: a window over the newest ones.
 *
 * Datagrams come in any order, some twice, and some because somebody recorded them and
 * sends them again. Of the newest REPLAY_WINDOW numbers each is remembered; whatever is
 * older counts as known. The bits are a ring of words of which one more is kept than
 * the window needs, so that moving on clears whole words and shifts nothing: RFC 6479.
 *
 * Numbers begin at 1; 0 is never new. Pure; a plain value for one thread, and zeroed
 * storage is one that has seen nothing.
 */
#ifndef LANCHAT_REPLAY_H
#define LANCHAT_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#define REPLAY_WINDOW 1024
#define REPLAY_WORDS  (REPLAY_WINDOW / 64 + 1)

struct replay {
	uint64_t newest; /* 0: none yet */
	uint64_t seen[REPLAY_WORDS];
};

/* Is the number new, as far as is known? Asked before a datagram is believed, so it changes nothing. */
bool replay_is_new(const struct replay *r, uint64_t number);

/* Was it there, without a doubt? What is older than the window is neither this nor new. */
bool replay_was_there(const struct replay *r, uint64_t number);

/* A number that is new was there, and is who it says. True: it is the newest so far. */
bool replay_take(struct replay *r, uint64_t number);

#endif
