#include "common/fingerprint.h"

#include <string.h>

/* The digit at `index`: five bits, the most significant first. */
static char digit(const uint8_t *id, size_t index)
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
	size_t bit = index * 5;
	unsigned two = (unsigned)id[bit / 8] << 8 | id[bit / 8 + 1];

	return digits[two >> (11 - bit % 8) & 31];
}

static char *groups(const uint8_t *id, size_t count, char *out)
{
	size_t at = 0;

	for (size_t i = 0; i < 4 * count; i++) {
		if (i > 0 && i % 4 == 0)
			out[at++] = '-';
		out[at++] = digit(id, i);
	}
	out[at] = '\0';
	return out;
}

char *fingerprint(const uint8_t id[IDENTITY_SIZE], char out[FINGERPRINT_SIZE])
{
	return groups(id, 8, out);
}

char *fingerprint_tag(const uint8_t id[IDENTITY_SIZE], char out[TAG_SIZE])
{
	return groups(id, 2, out);
}
