/*
 * A paste: what was pasted, made ready to be put in or to be asked about.
 *
 * One line goes into the input. Several are shown with their number first, and
 * sent, edited or dropped as the user says. The text is cleaned; blank lines at
 * its ends go. The caller owns the storage; one thread.
 */
#ifndef LANCHAT_PASTE_H
#define LANCHAT_PASTE_H

#include <stdbool.h>
#include <stddef.h>

struct paste {
	char *text; /* owned, clean, lines separated by \n; NULL: there is none */
	size_t lines;
	size_t longest; /* bytes of the longest line */
	size_t bytes;   /* that were pasted in all */
	bool cut;       /* what is above the limit was left out */
};

/* Take `length` raw bytes, of `total` that were pasted. ERR_MEMORY. */
int paste_init(struct paste *p, const char *bytes, size_t length, size_t total);
void paste_fini(struct paste *p);

/* Line `index`, borrowed, with its length; NULL when there are not so many. */
const char *paste_line(const struct paste *p, size_t index, size_t *length);

#endif
