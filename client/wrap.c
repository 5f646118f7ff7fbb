#include "client/wrap.h"

#include "common/text.h"

#include <stdbool.h>

/* The best place to cut that has been passed: the row ends at `end`, the next begins at `next`. */
struct cut {
	size_t end, next;
	bool known;
};

static size_t skip_blanks(const char *text, size_t length, size_t at)
{
	while (at < length && text[at] == ' ')
		at++;
	return at;
}

size_t wrap_row(const char *text, size_t length, size_t from, size_t columns, size_t *end)
{
	struct cut cut = {0};
	size_t used = 0;
	bool was_wide = false, inked = false;

	for (size_t at = from; at < length;) {
		int width;
		size_t n = text_cluster(text + at, length - at, &width);
		bool blank = text[at] == ' ';
		bool wide = width == 2 && !text_is_syllable(text + at, n);

		if (blank && !(cut.known && cut.next == at))
			cut = (struct cut){.end = at, .next = at + 1, .known = inked};
		else if (blank)
			cut.next = at + 1;
		else if ((wide || was_wide) && inked && cut.next != at)
			cut = (struct cut){.end = at, .next = at, .known = true};
		used += (size_t)width;
		/* Blanks may hang over the edge: they end the row without being shown. */
		if (used > columns && !blank && at > from) {
			if (!cut.known)
				cut = (struct cut){.end = at, .next = at};
			*end = cut.end;
			return skip_blanks(text, length, cut.next);
		}
		inked |= !blank;
		was_wide = wide;
		at += n;
	}
	*end = length;
	/* Blanks that hang over at the very end of the text. */
	while (*end > from && used > columns && text[*end - 1] == ' ') {
		(*end)--;
		used--;
	}
	return length;
}

size_t wrap_find(const char *text, size_t length, size_t first, size_t rest, size_t row)
{
	size_t at = 0, end;

	for (size_t i = 0; i < row && at < length; i++)
		at = wrap_row(text, length, at, i == 0 ? first : rest, &end);
	return at;
}

size_t wrap_count(const char *text, size_t length, size_t first, size_t rest)
{
	size_t at = 0, end, rows = 0;

	do {
		at = wrap_row(text, length, at, rows == 0 ? first : rest, &end);
		rows++;
	} while (at < length);
	return rows;
}
