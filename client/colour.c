#include "client/colour.h"

#include "common/name.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

/* Of xterm's colour cube, whose values are the same everywhere: green, teal, blue, indigo, ... */
static const short many[COLOUR_MOST] = {
	28, 162, 32, 130, 98, 64, 167, 30, 164, 100, 63, 166, 67, 160, 134, 132};

/* Red and magenta: of the first eight, whose values the user chooses, those that usual themes, and xterm
 * without one, keep readable. Green, yellow and cyan drown in white, and blue in black. */
static const short few[] = {1, 5};

const short *colour_palette(int terminal_colours, size_t *count)
{
	if (terminal_colours >= 256) {
		*count = COLOUR_MOST;
		return many;
	}
	*count = terminal_colours >= 8 ? sizeof few / sizeof few[0] : 0;
	return few;
}

size_t colour_of_nick(const char *nick, size_t count)
{
	char key[NAME_FOLDED_MAX];
	uint32_t hash = 2166136261U; /* FNV-1a */

	assert(count > 0);
	if (name_fold(nick, strlen(nick), key) == 0)
		nick = key;
	for (; *nick; nick++)
		hash = (hash ^ (uint8_t)*nick) * 16777619U;
	/* The low bits of FNV are its weakest. */
	return (hash ^ (hash >> 16)) % count;
}
