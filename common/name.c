#include "common/name.h"

#include "common/err.h"
#include "common/text.h"
#include "common/utf8.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* Code points that a name may become before they are composed again. */
#define CODES_MAX ((size_t)2 * NAME_FOLDED_MAX)

/* What has a meaning beside names: in commands, mentions, lists of names and the shell. */
static const char refused[] = "#@~,:!\" ";
static const char beginners[] = "_[]{}\\|^`-";

/* Scripts whose letters pass for each other's: the Cyrillic a looks like the Latin one. By blocks;
 * what is no letter in a block does not matter. */
enum script {
	SCRIPT_OTHER,
	SCRIPT_LATIN,
	SCRIPT_GREEK,
	SCRIPT_COPTIC,
	SCRIPT_CYRILLIC,
	SCRIPT_ARMENIAN,
	SCRIPT_CHEROKEE,
	SCRIPT_LISU,
};

static const struct {
	uint32_t first, last;
	enum script script;
} blocks[] = {
	{0x0041, 0x02af, SCRIPT_LATIN},
	{0x0370, 0x03e1, SCRIPT_GREEK},
	{0x03e2, 0x03ef, SCRIPT_COPTIC},
	{0x03f0, 0x03ff, SCRIPT_GREEK},
	{0x0400, 0x052f, SCRIPT_CYRILLIC},
	{0x0530, 0x058f, SCRIPT_ARMENIAN},
	{0x13a0, 0x13ff, SCRIPT_CHEROKEE},
	{0x1c80, 0x1c8f, SCRIPT_CYRILLIC},
	{0x1d00, 0x1d25, SCRIPT_LATIN},
	{0x1d26, 0x1d2a, SCRIPT_GREEK},
	{0x1d2b, 0x1d2b, SCRIPT_CYRILLIC},
	{0x1d2c, 0x1dbf, SCRIPT_LATIN},
	{0x1e00, 0x1eff, SCRIPT_LATIN},
	{0x1f00, 0x1fff, SCRIPT_GREEK},
	{0x2c60, 0x2c7f, SCRIPT_LATIN},
	{0x2c80, 0x2cff, SCRIPT_COPTIC},
	{0x2de0, 0x2dff, SCRIPT_CYRILLIC},
	{0xa4d0, 0xa4ff, SCRIPT_LISU},
	{0xa640, 0xa69f, SCRIPT_CYRILLIC},
	{0xa720, 0xa7ff, SCRIPT_LATIN},
	{0xab30, 0xab64, SCRIPT_LATIN},
	{0xab70, 0xabbf, SCRIPT_CHEROKEE},
	{0x1df00, 0x1dfff, SCRIPT_LATIN},
	{0x1e030, 0x1e08f, SCRIPT_CYRILLIC},
};

static enum script script_of(uint32_t c)
{
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		if (c >= blocks[i].first && c <= blocks[i].last)
			return blocks[i].script;
	}
	return SCRIPT_OTHER;
}

/* Letters, marks and digits make words; everything else stands between them. */
static bool in_word(uint32_t c)
{
	utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)c);

	return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO;
}

/* Is there a word in letters of two such scripts? Between words it is allowed, because people do
 * name rooms so, with a hyphen. */
static bool mixes_scripts(const char *name, size_t length)
{
	enum script word = SCRIPT_OTHER;
	uint32_t c;

	for (size_t at = 0; at < length;) {
		size_t n = utf8_decode(name + at, length - at, &c);
		if (n == 0)
			return true;
		at += n;
		if (!in_word(c)) {
			word = SCRIPT_OTHER;
			continue;
		}
		enum script script = script_of(c);
		if (script == SCRIPT_OTHER)
			continue;
		if (word != SCRIPT_OTHER && word != script)
			return true;
		word = script;
	}
	return false;
}

static bool may_begin(uint32_t c)
{
	if (c < 0x80 && c != 0 && strchr(beginners, (int)c))
		return true;
	switch (utf8proc_category((utf8proc_int32_t)c)) {
	case UTF8PROC_CATEGORY_LU:
	case UTF8PROC_CATEGORY_LL:
	case UTF8PROC_CATEGORY_LT:
	case UTF8PROC_CATEGORY_LM:
	case UTF8PROC_CATEGORY_LO:
	case UTF8PROC_CATEGORY_ND:
		return true;
	default:
		return false;
	}
}

/* Drawn as nothing by what it is for, though it counts as a mark, a letter or a symbol. */
static bool is_blank(uint32_t c)
{
	static const uint32_t blanks[] = {
		0xfffc,  /* stands for an object that is not text */
		0x13441, /* Egyptian hieroglyph full blank */
		0x13442, /* and half blank */
		0x16fe4, /* Khitan small script filler */
		0x1d159, /* musical symbol null notehead */
	};

	for (size_t i = 0; i < sizeof(blanks) / sizeof(blanks[0]); i++) {
		if (c == blanks[i])
			return true;
	}
	return false;
}

/* Does this code point mean the same to everybody, now and next year? Private ones never do, and
 * how one folds that is not assigned yet is not known. */
static bool is_public(uint32_t c)
{
	utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)c);

	return category != UTF8PROC_CATEGORY_CN && category != UTF8PROC_CATEGORY_CO;
}

/* May a name be spelt like this, its length aside? */
static bool is_allowed(const char *name, size_t length)
{
	uint32_t c;

	if (!utf8_is_name(name, length))
		return false;
	for (size_t at = 0; at < length;) {
		size_t n = utf8_decode(name + at, length - at, &c);
		if ((at == 0 && !may_begin(c)) || !is_public(c) || is_blank(c) ||
			(c < 0x80 && strchr(refused, (int)c)))
			return false;
		at += n;
	}
	return length > 0;
}

int name_check(const char *name, size_t length, size_t most)
{
	char folded[NAME_FOLDED_MAX];

	if (length == 0)
		return ERR_ARGUMENT;
	if (length > most)
		return ERR_TOO_BIG;
	if (!is_allowed(name, length))
		return ERR_TEXT;
	int r = name_fold(name, length, folded);
	if (r)
		return r;
	/* A wide # is as bad as #, and a few letters fold to a blank with something on it. */
	length = strlen(folded);
	return is_allowed(folded, length) && !mixes_scripts(folded, length) ? 0 : ERR_TEXT;
}

const char *name_fault(const char *name, size_t length)
{
	char folded[NAME_FOLDED_MAX];

	if (length == 0)
		return "it is empty";
	if (name_fold(name, length, folded) == 0 && is_allowed(name, length) &&
		mixes_scripts(folded, strlen(folded)))
		return "a word in it has letters of two scripts, which look alike";
	return "it begins with a letter, a digit or one of _[]{}\\|^`- and has no blanks, no "
	       "invisible signs and none of # @ ~ , : ! \" in it";
}

static bool is_ascii(const char *name, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)name[i] >= 0x80)
			return false;
	}
	return true;
}

/* Of ASCII, folding changes the capitals and nothing else. */
static void fold_ascii(const char *name, size_t length, char *out)
{
	for (size_t i = 0; i < length; i++) {
		char c = name[i];
		out[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	out[length] = '\0';
}

int name_fold(const char *name, size_t length, char *out)
{
	/* The composed form is written over the code points; with room for a terminator. */
	utf8proc_int32_t codes[CODES_MAX + 1];
	const utf8proc_option_t decompose =
		UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE;

	if (length > CODES_MAX)
		return ERR_TOO_BIG;
	if (!utf8_is_name(name, length))
		return ERR_TEXT;
	/* Most names are, and the tables cost a login more than all else about them. */
	if (length < NAME_FOLDED_MAX && is_ascii(name, length)) {
		fold_ascii(name, length, out);
		return 0;
	}
	utf8proc_ssize_t n = utf8proc_decompose((const utf8proc_uint8_t *)name,
		(utf8proc_ssize_t)length, codes, (utf8proc_ssize_t)CODES_MAX, decompose);
	if (n < 0)
		return ERR_TEXT;
	if (n > (utf8proc_ssize_t)CODES_MAX)
		return ERR_TOO_BIG;
	n = utf8proc_reencode(codes, n, UTF8PROC_COMPOSE | UTF8PROC_STABLE);
	if (n < 0)
		return ERR_TEXT;
	if (n >= NAME_FOLDED_MAX)
		return ERR_TOO_BIG;
	memcpy(out, codes, (size_t)n + 1);
	return 0;
}

bool name_same(const char *a, const char *b)
{
	char folded_a[NAME_FOLDED_MAX];
	char folded_b[NAME_FOLDED_MAX];

	if (name_fold(a, strlen(a), folded_a) != 0 || name_fold(b, strlen(b), folded_b) != 0)
		return false;
	return strcmp(folded_a, folded_b) == 0;
}

bool name_same_text(const char *a, const char *b)
{
	const utf8proc_option_t options = UTF8PROC_NULLTERM | UTF8PROC_STABLE | UTF8PROC_COMPOSE |
					  UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE;
	utf8proc_uint8_t *x = NULL, *y = NULL;

	if (strcmp(a, b) == 0)
		return true;
	bool same = utf8proc_map((const utf8proc_uint8_t *)a, 0, &x, options) >= 0 &&
		    utf8proc_map((const utf8proc_uint8_t *)b, 0, &y, options) >= 0 &&
		    strcmp((const char *)x, (const char *)y) == 0;
	free(x);
	free(y);
	return same;
}

char *name_numbered(const char *name, unsigned number, size_t most, char *out)
{
	char digits[16];
	size_t keep = strlen(name);

	int wrote = snprintf(digits, sizeof(digits), "%u", number);
	assert(wrote > 0 && (size_t)wrote < sizeof(digits) && (size_t)wrote <= most);
	size_t tail = (size_t)wrote;
	while (keep > most - tail)
		keep = text_cluster_before(name, keep);
	memcpy(out, name, keep);
	memcpy(out + keep, digits, tail + 1);
	return out;
}
