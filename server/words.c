#include "server/words.h"

#include "common/err.h"
#include "common/utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* Where a text is, code point by code point. */
enum place {
	BETWEEN, /* words, or before the first one */
	IN_WORD,
	IN_RUN, /* of characters each of which is a word */
};

/* A text in its folded form. */
struct codes {
	utf8proc_int32_t *at; /* owned */
	size_t count;
};

/* Scripts that are written without blanks, by blocks: Han and Kana, and those whose lines break where
 * a dictionary says (class SA of Unicode's line breaking, UAX 14). In rising order. */
static const struct {
	utf8proc_int32_t first, last;
} unspaced[] = {
	{0x0e00, 0x0eff},   /* Thai, Lao */
	{0x1000, 0x109f},   /* Myanmar */
	{0x1780, 0x17ff},   /* Khmer */
	{0x1950, 0x19df},   /* Tai Le, New Tai Lue */
	{0x1a20, 0x1aaf},   /* Tai Tham */
	{0x2e80, 0x2fdf},   /* Han radicals */
	{0x3005, 0x3007},   /* Han repetition and closing marks, zero */
	{0x3021, 0x3029},   /* Hangzhou numerals */
	{0x3031, 0x30ff},   /* Hangzhou tens, Hiragana, Katakana */
	{0x31f0, 0x31ff},   /* more Katakana */
	{0x3400, 0x4dbf},   /* Han */
	{0x4e00, 0x9fff},   /* Han */
	{0xa9e0, 0xa9ff},   /* more Myanmar */
	{0xaa60, 0xaadf},   /* more Myanmar, Tai Viet */
	{0xf900, 0xfaff},   /* Han for compatibility */
	{0x11700, 0x1174f}, /* Ahom */
	{0x1aff0, 0x1b16f}, /* more Kana */
	{0x20000, 0x3ffff}, /* more Han */
};

static bool is_unspaced(utf8proc_int32_t c)
{
	size_t i = 0;

	while (i < sizeof(unspaced) / sizeof(unspaced[0]) && c > unspaced[i].last)
		i++;
	return i < sizeof(unspaced) / sizeof(unspaced[0]) && c >= unspaced[i].first;
}

/* ---- folding ---- */

static bool is_mark(utf8proc_category_t category)
{
	return category >= UTF8PROC_CATEGORY_MN && category <= UTF8PROC_CATEGORY_ME;
}

/* A mark without which its letter is still taken for the same: accents, points of Hebrew and Arabic,
 * rings around. Those that spell stay: vowel signs, voiced Kana, tones of Thai. Told apart by their
 * combining classes (Unicode, UAX 44, table 15). */
static bool is_diacritic(utf8proc_int32_t c)
{
	const utf8proc_property_t *p = utf8proc_get_property(c);
	int position = p->combining_class;

	if (p->category == UTF8PROC_CATEGORY_ME)
		return true;
	return p->category == UTF8PROC_CATEGORY_MN &&
	       (position == 1 || (position >= 10 && position <= 36) || position >= 200);
}

/* Leave out the diacritics, but not the one that makes й of и. */
static void drop_diacritics(struct codes *codes)
{
	const utf8proc_int32_t i = 0x438, breve = 0x306;
	utf8proc_int32_t letter = 0;
	size_t kept = 0;

	for (size_t at = 0; at < codes->count; at++) {
		utf8proc_int32_t c = codes->at[at];
		bool short_i = letter == i && c == breve;
		if (is_diacritic(c) && !short_i)
			continue;
		if (short_i || !is_mark(utf8proc_category(c)))
			letter = c;
		codes->at[kept++] = c;
	}
	codes->count = kept;
}

/* The code points of a text, casefolded and taken apart; none where it is not UTF-8. ERR_MEMORY. */
static int decompose(struct span text, struct codes *out)
{
	const utf8proc_option_t options = UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD |
					  UTF8PROC_IGNORE | UTF8PROC_STABLE;
	/* Hardly ever does a text become more code points than it has bytes. */
	utf8proc_ssize_t room = text.length;

	for (;;) {
		utf8proc_int32_t *at = malloc(((size_t)room + 1) * sizeof(*at));
		if (!at)
			return ERR_MEMORY;
		utf8proc_ssize_t n = utf8proc_decompose(
			(const utf8proc_uint8_t *)text.text, text.length, at, room, options);
		if (n <= room) {
			*out = (struct codes){.at = at, .count = n > 0 ? (size_t)n : 0};
			return 0;
		}
		free(at);
		room = n;
	}
}

/* NFKC_Casefold without diacritics. ERR_MEMORY. */
static int fold(struct span text, struct codes *out)
{
	int r = decompose(text, out);
	if (r)
		return r;
	drop_diacritics(out);
	utf8proc_ssize_t n = utf8proc_normalize_utf32(
		out->at, (utf8proc_ssize_t)out->count, UTF8PROC_COMPOSE | UTF8PROC_STABLE);
	out->count = n > 0 ? (size_t)n : 0;
	return 0;
}

/* ---- cutting ---- */

static bool belongs_to_words(utf8proc_category_t category)
{
	return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO;
}

/* The bytes that write_words may need. */
static size_t words_size(const struct codes *codes)
{
	return codes->count * 5 + 1;
}

/* Write the words, `gap` between any two, but a blank between those of one run; terminated. A mark
 * goes with the letter before it; without one it is nothing. Returns how long all of it is, and in
 * `*end`, unless NULL, where the text ended. */
static size_t write_words(const struct codes *codes, char gap, char *out, enum place *end)
{
	enum place place = BETWEEN;
	size_t length = 0;

	for (size_t i = 0; i < codes->count; i++) {
		utf8proc_int32_t c = codes->at[i];
		utf8proc_category_t category = utf8proc_category(c);
		bool mark = is_mark(category);
		if (!belongs_to_words(category)) {
			place = BETWEEN;
			continue;
		}
		if (mark && place == BETWEEN)
			continue;
		enum place next = mark ? place : is_unspaced(c) ? IN_RUN : IN_WORD;
		if (!mark && length > 0 && (next == IN_RUN || place != next))
			out[length++] = place == IN_RUN && next == IN_RUN ? ' ' : gap;
		length += utf8_encode((uint32_t)c, out + length);
		place = next;
	}
	out[length] = '\0';
	if (end)
		*end = place;
	return length;
}

char *words_fold(struct span text)
{
	struct codes codes;

	if (fold(text, &codes) != 0)
		return NULL;
	char *words = malloc(words_size(&codes));
	if (words) {
		size_t length = write_words(&codes, ' ', words, NULL);
		char *fitting = realloc(words, length + 1);
		if (fitting)
			words = fitting;
	}
	free(codes.at);
	return words;
}

/* ---- searches ---- */

/* Take what was written at `words` with NULs between: a term after each. False: some were left
 * out. */
static bool take_terms(struct words_search *s, const char *words, size_t length)
{
	for (size_t at = 0; at < length; at += strlen(words + at) + 1) {
		if (s->count == WORDS_TERMS)
			return false;
		s->terms[s->count++] = (struct words_term){.words = words + at};
	}
	return true;
}

/* So many words begin with any one letter that finding them all finds nothing. */
static bool may_go_on(const char *word)
{
	size_t first = 1;

	while (((uint8_t)word[first] & 0xc0) == 0x80)
		first++;
	return word[first] != '\0';
}

/* Cut a search into terms: what stands in quotation marks is one, and so is each word and each run
 * outside. A quotation that is never closed goes to the end. */
static void cut_terms(const struct codes *codes, struct words_search *s)
{
	char *out = s->folded;
	bool quoted = false;

	for (size_t first = 0, at = 0; at <= codes->count; at++) {
		if (at < codes->count && codes->at[at] != '"')
			continue;
		struct codes part = {.at = codes->at + first, .count = at - first};
		enum place end;
		size_t length = write_words(&part, quoted ? ' ' : '\0', out, &end);
		bool all = take_terms(s, out, length);
		bool last = at == codes->count && !quoted;
		if (last && all && length > 0 && end != BETWEEN)
			s->terms[s->count - 1].prefix = may_go_on(s->terms[s->count - 1].words);
		out += length + 1;
		first = at + 1;
		quoted = !quoted;
	}
}

int words_parse(struct span words, struct words_search *out)
{
	struct words_search s = {0};
	struct codes codes;

	if (fold(words, &codes) != 0)
		return ERR_MEMORY;
	s.folded = malloc(words_size(&codes));
	if (s.folded)
		cut_terms(&codes, &s);
	free(codes.at);
	if (s.count > 0) {
		*out = s;
		return 0;
	}
	int r = s.folded ? ERR_ARGUMENT : ERR_MEMORY;
	free(s.folded);
	return r;
}

void words_fini(struct words_search *s)
{
	free(s->folded);
	*s = (struct words_search){0};
}

/* Does it stand in `folded` as whole words, apart from how the last one goes on? */
static bool has_term(const char *folded, const struct words_term *t)
{
	size_t length = strlen(t->words);
	const char *at = folded;

	while ((at = strstr(at, t->words))) {
		bool begins = at == folded || at[-1] == ' ';
		bool ends = t->prefix || at[length] == ' ' || at[length] == '\0';
		if (begins && ends)
			return true;
		at++;
	}
	return false;
}

bool words_match(const struct words_search *s, const char *folded)
{
	for (size_t i = 0; i < s->count; i++) {
		if (!has_term(folded, &s->terms[i]))
			return false;
	}
	return true;
}

static char *add(char *to, const char *text)
{
	size_t length = strlen(text);

	memcpy(to, text, length);
	return to + length;
}

/* column : ("one two" AND "pre" * AND ...). Source: sqlite.org/fts5.html, section 3. A word has
 * nothing in it that would have to be quoted twice. */
char *words_expression(const struct words_search *s, const char *column)
{
	static const char open[] = " : (", and[] = " AND ", star[] = " *", close[] = ")";
	size_t size = strlen(column) + sizeof(open) + sizeof(close);

	for (size_t i = 0; i < s->count; i++)
		size += strlen(s->terms[i].words) + 2 + sizeof(and) + sizeof(star);
	char *expression = malloc(size);
	if (!expression)
		return NULL;
	char *to = add(add(expression, column), open);
	for (size_t i = 0; i < s->count; i++) {
		to = add(to, i ? and : "");
		to = add(add(add(to, "\""), s->terms[i].words), "\"");
		to = add(to, s->terms[i].prefix ? star : "");
	}
	*add(to, close) = '\0';
	return expression;
}
