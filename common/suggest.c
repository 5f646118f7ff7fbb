#include "common/suggest.h"

#include <string.h>

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Edits that make `a` into `b`: insert, delete, replace, swap neighbours. The optimal string
 * alignment distance, with the last three rows of its table. */
static size_t distance(const char *a, size_t length_a, const char *b, size_t length_b)
{
	size_t rows[3][SUGGEST_WORD_MAX + 1];

	for (size_t j = 0; j <= length_b; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= length_a; i++) {
		size_t *row = rows[i % 3];
		const size_t *above = rows[(i + 2) % 3];
		const size_t *higher = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= length_b; j++) {
			size_t replace = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
			row[j] = least(replace, least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], higher[j - 2] + 1);
		}
	}
	return rows[length_a % 3][length_b];
}

void suggest_begin(struct suggestion *s, const char *word, size_t length)
{
	/* A third of the letters wrong is still a typing mistake; more is another word. */
	*s = (struct suggestion){.word = word, .length = length, .distance = (length + 2) / 3 + 1};
	if (length == 0 || length > SUGGEST_WORD_MAX)
		s->distance = 0;
}

void suggest_offer(struct suggestion *s, const char *candidate)
{
	size_t length = strlen(candidate);

	if (s->distance == 0 || length > SUGGEST_WORD_MAX)
		return;
	size_t d = distance(s->word, s->length, candidate, length);
	if (d >= s->distance)
		return;
	s->distance = d;
	s->nearest = candidate;
}
