#include "client/mention.h"

#include "common/message.h"
#include "common/name.h"
#include "common/utf8.h"

#include <stdint.h>
#include <string.h>
#include <utf8proc.h>

/* Letters, digits and marks make words; so do the other characters that nicks may have, but those
 * also stand around words: "[anna]" names anna, and "[anna]" may be a nick itself. */
static bool is_letter(uint32_t c)
{
	switch (utf8proc_category((utf8proc_int32_t)c)) {
	case UTF8PROC_CATEGORY_LU:
	case UTF8PROC_CATEGORY_LL:
	case UTF8PROC_CATEGORY_LT:
	case UTF8PROC_CATEGORY_LM:
	case UTF8PROC_CATEGORY_LO:
	case UTF8PROC_CATEGORY_MN:
	case UTF8PROC_CATEGORY_MC:
	case UTF8PROC_CATEGORY_ND:
	case UTF8PROC_CATEGORY_NL:
		return true;
	default:
		return false;
	}
}

static bool folds_to(const char *text, size_t length, const char *key)
{
	char folded[NAME_FOLDED_MAX];

	return name_fold(text, length, folded) == 0 && strcmp(folded, key) == 0;
}

/* Does a word that starts at `text` fold to `key`? Folding changes lengths, so each end of a word
 * is tried, up to the longest that a nick can be. */
static bool starts_with_nick(const char *text, size_t length, const char *key)
{
	uint32_t c;

	for (size_t end = 0; end < length && end <= NICK_MAX;) {
		size_t n = utf8_decode(text + end, length - end, &c);
		if (n == 0 || c == ' ')
			return false;
		end += n;
		bool inside = end < length && is_letter(c) &&
			      utf8_decode(text + end, length - end, &c) > 0 && is_letter(c);
		if (!inside && folds_to(text, end, key))
			return true;
	}
	return false;
}

bool mention_find(const char *text, const char *nick)
{
	char key[NAME_FOLDED_MAX];
	size_t length = strlen(text);
	bool after_letter = false;
	uint32_t c;

	if (nick[0] == '\0' || name_fold(nick, strlen(nick), key) < 0)
		return false;
	for (size_t at = 0; at < length;) {
		size_t n = utf8_decode(text + at, length - at, &c);
		if (n == 0) {
			after_letter = false;
			at++;
			continue;
		}
		bool letter = is_letter(c);
		if (c != ' ' && !(after_letter && letter) &&
			starts_with_nick(text + at, length - at, key))
			return true;
		after_letter = letter;
		at += n;
	}
	return false;
}
