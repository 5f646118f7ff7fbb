/*
 * Mentions: does a text name somebody?
 *
 * It does where the nick stands as a word of its own, in whatever case or width:
 * "anna: hi", "(Anna)" and "@anna" name anna; "annabel" does not. Pure; any thread.
 */
#ifndef LANCHAT_MENTION_H
#define LANCHAT_MENTION_H

#include <stdbool.h>

/* Is `nick` named in `text`? Both are terminated. False for a nick that cannot be one. */
bool mention_find(const char *text, const char *nick);

#endif
