#include "common/lookalike.h"

#include "common/err.h"
#include "common/name.h"
#include "common/utf8.h"

#include <stdint.h>
#include <string.h>
#include <utf8proc.h>

#define CODES_MAX ((size_t)512) /* that a name may become on the way */

/* What characters look like, in rising order. */
static const struct {
	utf8proc_int32_t character;
	const char *looks;
} table[] = {
#define LOOKS(character_, looks_) {.character = (character_), .looks = (looks_)},
#include "common/confusables.def"
#undef LOOKS
};

#define ROWS (sizeof(table) / sizeof(table[0]))

/* What stands for a character; NULL: itself. */
static const char *find(utf8proc_int32_t character)
{
	size_t low = 0, high = ROWS;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (table[middle].character < character)
			low = middle + 1;
		else
			high = middle;
	}
	return low < ROWS && table[low].character == character ? table[low].looks : NULL;
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

/* Put in place of each character what it looks like. */
static int draw(const utf8proc_int32_t *codes, size_t count, char *out, size_t *used)
{
	int r = 0;

	*used = 0;
	*out = '\0';
	for (size_t i = 0; i < count && r == 0; i++) {
		const char *looks = find(codes[i]);
		if (looks)
			r = put(out, used, looks, strlen(looks));
		else
			r = put_code(out, used, codes[i]);
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
	if (n < 0)
		return (int)n;
	used = 0;
	*out = '\0';
	for (utf8proc_ssize_t i = 0; i < n && r == 0; i++)
		r = put_code(out, &used, codes[i]);
	return r;
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
