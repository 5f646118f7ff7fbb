#include "client/highlight.h"

#include "common/utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#define WORD_BYTES 256 /* longer words are not highlighted */
#define WORD_CODES 256

struct word {
	utf8proc_int32_t codes[WORD_CODES]; /* folded */
	size_t count;
};

static bool is_word_code(uint32_t c)
{
	switch (utf8proc_category((utf8proc_int32_t)c)) {
	case UTF8PROC_CATEGORY_LU:
	case UTF8PROC_CATEGORY_LL:
	case UTF8PROC_CATEGORY_LT:
	case UTF8PROC_CATEGORY_LM:
	case UTF8PROC_CATEGORY_LO:
	case UTF8PROC_CATEGORY_MN:
	case UTF8PROC_CATEGORY_MC:
	case UTF8PROC_CATEGORY_ME:
	case UTF8PROC_CATEGORY_ND:
	case UTF8PROC_CATEGORY_NL:
	case UTF8PROC_CATEGORY_NO:
		return true;
	default:
		return false;
	}
}

/* Is it of a script that is written without blanks? */
static bool stands_alone(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} scripts[] = {
		{0x0e00, 0x0eff}, /* Thai, Lao */
		{0x1000, 0x109f}, /* Burmese */
		{0x1780, 0x17ff}, /* Khmer */
		{0x3005, 0x30ff}, /* Hiragana, Katakana */
		{0x3400, 0x9fff}, /* Han */
		{0xf900, 0xfaff},
		{0x20000, 0x3ffff},
	};

	for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
		if (c >= scripts[i].first && c <= scripts[i].last)
			return true;
	}
	return false;
}

static size_t next_code(const char *text, size_t length, uint32_t *c)
{
	size_t n = utf8_decode(text, length, c);

	if (n > 0)
		return n;
	*c = 0xfffd;
	return 1;
}

/* The word at or after `at`: false when there is none. */
static bool next_word(const char *text, size_t length, size_t at, size_t *from, size_t *end)
{
	uint32_t c;
	size_t n = 0;

	for (; at < length; at += n) {
		n = next_code(text + at, length - at, &c);
		if (is_word_code(c))
			break;
	}
	if (at >= length)
		return false;
	*from = at;
	*end = at + n;
	for (bool alone = stands_alone(c); !alone && *end < length; *end += n) {
		n = next_code(text + *end, length - *end, &c);
		if (!is_word_code(c) || stands_alone(c))
			break;
	}
	return true;
}

static bool fold(const char *text, size_t length, struct word *out)
{
	const utf8proc_option_t how = UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE | UTF8PROC_CASEFOLD |
				      UTF8PROC_IGNORE | UTF8PROC_STRIPMARK;

	if (length > WORD_BYTES)
		return false;
	utf8proc_ssize_t count = utf8proc_decompose((const utf8proc_uint8_t *)text,
		(utf8proc_ssize_t)length, out->codes, WORD_CODES, how);
	if (count <= 0 || count > WORD_CODES)
		return false;
	out->count = (size_t)count;
	return true;
}

static bool begins(const struct word *word, const struct word *with)
{
	return word->count >= with->count &&
	       memcmp(word->codes, with->codes, with->count * sizeof with->codes[0]) == 0;
}

static bool is_wanted(const struct word *word, const char *words)
{
	struct word wanted;
	size_t from, end, length = strlen(words);

	for (size_t at = 0; next_word(words, length, at, &from, &end); at = end) {
		if (!fold(words + from, end - from, &wanted) || !begins(word, &wanted))
			continue;
		/* What goes on after the last word is still it. */
		if (word->count == wanted.count || end == length)
			return true;
	}
	return false;
}

bool highlight_next(const char *text, size_t at, const char *words, size_t *from, size_t *end)
{
	struct word word;
	size_t length = strlen(text);

	for (; next_word(text, length, at, from, end); at = *end) {
		if (fold(text + *from, *end - *from, &word) && is_wanted(&word, words))
			return true;
	}
	return false;
}
