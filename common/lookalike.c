#include "common/lookalike.h"

#include "common/err.h"
#include "common/name.h"
#include "common/utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#define CODES_MAX ((size_t)512) /* that a name may become on the way */

/* What characters look like, in rising order. */
static const struct looking {
	utf8proc_int32_t character;
	const char *looks;
} table[] = {
#define LOOKS(character_, looks_) {.character = (character_), .looks = (looks_)},
#include "common/confusables.def"
#undef LOOKS
};

#define ROWS (sizeof(table) / sizeof(table[0]))

/* Marks that are no difference, in rising order: nobody can be expected to know them, and what does not
 * know them draws them as it likes, often as nothing. */
static const struct marks {
	utf8proc_int32_t first, last;
} faint[] = {
#define MARKS(first_, last_) {.first = (first_), .last = (last_)},
#include "common/faint_marks.def"
#undef MARKS
};

#define FAINT (sizeof(faint) / sizeof(faint[0]))

static int compare_marks(const void *key, const void *range)
{
	utf8proc_int32_t c = *(const utf8proc_int32_t *)key;
	const struct marks *m = range;

	return c < m->first ? -1 : c > m->last;
}

static bool is_faint(utf8proc_int32_t character)
{
	return bsearch(&character, faint, FAINT, sizeof(faint[0]), compare_marks) != NULL;
}

static int compare_looks(const void *key, const void *row)
{
	utf8proc_int32_t c = *(const utf8proc_int32_t *)key;
	const struct looking *l = row;

	return c < l->character ? -1 : c > l->character;
}

/* What stands for a character; NULL: itself. */
static const char *find(utf8proc_int32_t character)
{
	const struct looking *l = bsearch(&character, table, ROWS, sizeof(table[0]), compare_looks);

	return l ? l->looks : NULL;
}

/* Take a text apart into at most CODES_MAX code points; how many, or an error. */
static utf8proc_ssize_t decompose(
	const char *text, size_t length, bool fold, utf8proc_int32_t *codes)
{
	const utf8proc_option_t options =
		UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_IGNORE | UTF8PROC_STABLE;
	utf8proc_ssize_t n =
		utf8proc_decompose((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)length, codes,
			(utf8proc_ssize_t)CODES_MAX, fold ? options | UTF8PROC_CASEFOLD : options);

	if (n < 0)
		return ERR_TEXT;
	return n > (utf8proc_ssize_t)CODES_MAX ? ERR_TOO_BIG : n;
}

static int put(char *out, size_t *used, const char *text, size_t length)
{
	if (length >= LOOK_MAX - *used)
		return ERR_TOO_BIG;
	memcpy(out + *used, text, length);
	*used += length;
	out[*used] = '\0';
	return 0;
}

static int put_code(char *out, size_t *used, utf8proc_int32_t code)
{
	char one[4] = "";
	size_t length = utf8_encode((uint32_t)code, one);

	return put(out, used, one, length);
}

/* Put in place of each character what it looks like, and nothing for what is faint. */
static int draw(const utf8proc_int32_t *codes, size_t count, char *out, size_t *used)
{
	int r = 0;

	*used = 0;
	*out = '\0';
	for (size_t i = 0; i < count && r == 0; i++) {
		const char *looks = find(codes[i]);
		if (is_faint(codes[i]))
			continue;
		if (looks)
			r = put(out, used, looks, strlen(looks));
		else
			r = put_code(out, used, codes[i]);
	}
	return r;
}

#define DOT_ABOVE   0x0307
#define CLASS_ABOVE 230 /* of marks that stand above: UAX 44, Canonical_Combining_Class */

static bool is_mark(utf8proc_int32_t c)
{
	utf8proc_category_t category = utf8proc_category(c);

	return category >= UTF8PROC_CATEGORY_MN && category <= UTF8PROC_CATEGORY_ME;
}

/* Letters and digits: of a mark on anything else, as a stroke through a hyphen, nothing is seen. */
static bool bears_marks(utf8proc_int32_t c)
{
	utf8proc_category_t category = utf8proc_category(c);

	return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO;
}

/* Those with a dot of their own that are left once others look like them: UAX 44, Soft_Dotted. */
static bool has_dot(utf8proc_int32_t c)
{
	return c == 'i' || c == 'j' || c == 0x029d || c == 0x1d96 || c == 0x1df1a;
}

/* Put the characters there but for the marks that are hidden by what they stand on: a dot on an i is where
 * one is already (UTS 39 5.4). */
static int put_seen(const utf8proc_int32_t *codes, size_t count, char out[LOOK_MAX])
{
	utf8proc_int32_t base = 'x';
	bool dotted = false;
	size_t used = 0;
	int r = 0;

	*out = '\0';
	for (size_t i = 0; i < count && r == 0; i++) {
		if (!is_mark(codes[i])) {
			base = codes[i];
			dotted = has_dot(base);
		} else if (!bears_marks(base) || (dotted && codes[i] == DOT_ABOVE)) {
			continue;
		} else if (utf8proc_get_property(codes[i])->combining_class == CLASS_ABOVE) {
			dotted = false;
		}
		r = put_code(out, &used, codes[i]);
	}
	return r;
}

static int look_of(const char *name, size_t length, char out[LOOK_MAX])
{
	utf8proc_int32_t codes[CODES_MAX];
	char drawn[LOOK_MAX];
	size_t used;

	utf8proc_ssize_t n = decompose(name, length, false, codes);
	if (n < 0)
		return (int)n;
	int r = draw(codes, (size_t)n, drawn, &used);
	if (r)
		return r;
	/* What stands for a character may be a capital. */
	n = decompose(drawn, used, true, codes);
	return n < 0 ? (int)n : put_seen(codes, (size_t)n, out);
}

int looks_of(const char *name, size_t length, struct looks *out)
{
	char folded[NAME_FOLDED_MAX];

	int r = name_fold(name, length, folded);
	if (r == 0)
		r = look_of(folded, strlen(folded), out->at[0]);
	if (r == 0)
		r = look_of(name, length, out->at[1]);
	out->count = r == 0 && strcmp(out->at[0], out->at[1]) == 0 ? 1 : LOOKS_MAX;
	return r;
}

bool looks_meet(const struct looks *a, const struct looks *b)
{
	for (size_t i = 0; i < a->count; i++) {
		for (size_t j = 0; j < b->count; j++) {
			if (strcmp(a->at[i], b->at[j]) == 0)
				return true;
		}
	}
	return false;
}
