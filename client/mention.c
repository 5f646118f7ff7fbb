#include "client/mention.h"

#include "common/message.h"
#include "common/name.h"
#include "common/utf8.h"

#include <stdint.h>
#include <string.h>
#include <utf8proc.h>

#define FOLDS_MOST 1000 /* for one text: more than there are words in a long one */

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

/* Does a text fold to `key`, or (`*begins`) to what `key` begins with? */
static bool folds_to(const char *text, size_t length, const char *key, bool *begins)
{
	char folded[NAME_FOLDED_MAX];

	*begins = false;
	if (name_fold(text, length, folded) != 0)
		return false;
	size_t n = strlen(folded);
	*begins = strncmp(folded, key, n) == 0;
	return *begins && key[n] == '\0';
}

static char small(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Is what comes at `at` such that nothing before it folds otherwise for it? A mark may, ASCII does not. */
static bool is_apart(const char *text, size_t length, size_t at)
{
	return at == length || (unsigned char)text[at] < 0x80;
}

/* Does a word that starts at `text` fold to `key`? Folding changes lengths, so each end of a word
 * is tried, up to the longest that a nick can be; but ASCII folds byte by byte, and is looked at so, and
 * `*folds` more are tried at most, or a line of dots would cost a tenth of a second. */
static bool starts_with_nick(const char *text, size_t length, const char *key, unsigned *folds)
{
	bool plain = true, begins;
	uint32_t c;

	for (size_t end = 0; end < length && end <= NICK_MAX;) {
		size_t n = utf8_decode(text + end, length - end, &c);
		if (n == 0 || c == ' ')
			return false;
		plain = plain && c < 0x80 && is_apart(text, length, end + 1);
		if (plain && small(text[end]) != key[end])
			return false;
		end += n;
		bool inside = end < length && is_letter(c) &&
			      utf8_decode(text + end, length - end, &c) > 0 && is_letter(c);
		if (inside)
			continue;
		if (plain && key[end] == '\0')
			return true;
		if (plain)
			continue;
		if (*folds == 0)
			return false;
		--*folds;
		if (folds_to(text, end, key, &begins))
			return true;
		if (!begins && is_apart(text, length, end))
			return false;
	}
	return false;
}

bool mention_find(const char *text, const char *nick)
{
	char key[NAME_FOLDED_MAX];
	size_t length = strlen(text);
	bool after_letter = false;
	unsigned folds = FOLDS_MOST;
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
			starts_with_nick(text + at, length - at, key, &folds))
			return true;
		after_letter = letter;
		at += n;
	}
	return false;
}
