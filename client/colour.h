/*
 * Colours of nicks: the same nick has the same colour, on every day and screen.
 *
 * The palettes hold colours that can be read on black and on white alike: each
 * has a contrast of at least 3.5 to 1 with both (a test computes it), of eight
 * colours as xterm has them, for a program cannot know what a user made of them.
 * Pure; any thread.
 */
#ifndef LANCHAT_COLOUR_H
#define LANCHAT_COLOUR_H

#include <stddef.h>

#define COLOUR_MOST 16 /* colours in the largest palette */

/* The palette for a terminal of that many colours, as terminal colour numbers; `*count` of them,
 * 0 when the terminal has too few. */
const short *colour_palette(int terminal_colours, size_t *count);

/* Which of `count` (at least 1) colours a nick has. */
size_t colour_of_nick(const char *nick, size_t count);

#endif
