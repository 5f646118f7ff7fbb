#include "common/text.h"

#include "common/utf8.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#define REPLACEMENT   0xfffdU
#define DOTTED_CIRCLE 0x25ccU /* stands under a mark that has nothing to sit on */
#define EMOJI_STYLE   0xfe0fU /* VS16: what comes before is shown as an emoji */

#define MARKS_MAX 8 /* zero-width code points that a drawn cluster keeps */

/* Code points with columns in one cluster: three times what any emoji has. The bound keeps a hostile
 * chain, which a terminal draws as many characters, from counting as one. */
#define BASES_MAX 16

/* One code point of input, or one byte that is not part of any. */
struct unit {
	uint32_t c;
	size_t size;
	bool clean; /* well-formed, and may be drawn */
};

static struct unit next_unit(const char *text, size_t length)
{
	struct unit u = {.c = REPLACEMENT};

	u.size = utf8_decode(text, length, &u.c);
	u.clean = u.size > 0 && utf8_is_clean(u.c);
	if (u.size == 0)
		u.size = 1;
	return u;
}

static bool is_printable_ascii(char c)
{
	return c >= 0x20 && c < 0x7f;
}

/* ---- widths ---- */

/* Columns of a clean code point by itself: what terminals do where utf8proc says something else. */
static int unit_columns(uint32_t c)
{
	const utf8proc_property_t *p = utf8proc_get_property((utf8proc_int32_t)c);

	if (c == 0xad) /* the soft hyphen: only a hint where to hyphenate */
		return 0;
	switch (p->category) {
	case UTF8PROC_CATEGORY_MC: /* spacing marks, as the name says */
		return 1;
	case UTF8PROC_CATEGORY_CF: /* the Arabic number signs can be seen */
		return p->boundclass == UTF8PROC_BOUNDCLASS_PREPEND ? 1 : p->charwidth;
	case UTF8PROC_CATEGORY_CN: /* where next year's emoji and ideographs will be */
		return (c >= 0x1f300 && c <= 0x1faff) || c >= 0x20000 ? 2 : 1;
	default:
		break;
	}
	/* Medial and final jamo join the initial one, which has the columns for all. */
	if (p->boundclass == UTF8PROC_BOUNDCLASS_V || p->boundclass == UTF8PROC_BOUNDCLASS_T)
		return 0;
	return p->charwidth;
}

static bool is_spacing_mark(uint32_t c)
{
	return utf8proc_category((utf8proc_int32_t)c) == UTF8PROC_CATEGORY_MC;
}

/* Can VS16 make this an emoji? */
static bool takes_emoji_style(uint32_t c)
{
	if (c == '#' || c == '*' || (c >= '0' && c <= '9')) /* keycaps */
		return true;
	return utf8proc_get_property((utf8proc_int32_t)c)->boundclass ==
	       UTF8PROC_BOUNDCLASS_EXTENDED_PICTOGRAPHIC;
}

/* Columns of something that is not clean: as text_sanitize will show it. */
static int unclean_columns(uint32_t c)
{
	return c == '\n' ? 0 : 1;
}

/* Columns of a cluster none of whose parts has any: a mark alone is shown on a circle. */
static int baseless_columns(uint32_t first)
{
	return utf8proc_get_property((utf8proc_int32_t)first)->ignorable ||
			       utf8proc_category((utf8proc_int32_t)first) == UTF8PROC_CATEGORY_CF
		       ? 0
		       : 1;
}

/* ---- clusters ---- */

size_t text_cluster(const char *text, size_t length, int *columns)
{
	utf8proc_int32_t state = 0;
	int ignored;

	if (!columns)
		columns = &ignored;
	*columns = 0;
	if (length == 0)
		return 0;
	if (is_printable_ascii(text[0]) && (length == 1 || is_printable_ascii(text[1]))) {
		*columns = 1;
		return 1;
	}
	struct unit u = next_unit(text, length);
	if (!u.clean) {
		*columns = unclean_columns(u.c);
		return u.size;
	}
	uint32_t first = u.c;
	size_t at = u.size;
	int sum = unit_columns(first);
	for (int bases = 1; at < length;) {
		struct unit next = next_unit(text + at, length - at);
		if (!next.clean || utf8proc_grapheme_break_stateful(
					   (utf8proc_int32_t)u.c, (utf8proc_int32_t)next.c, &state))
			break;
		int more = unit_columns(next.c);
		if (more > 0 && ++bases > BASES_MAX)
			break;
		/* A vowel or sign beside what has two columns already gets one of its own: a terminal
		 * gives it one, and in two columns it would not be seen. */
		if (is_spacing_mark(next.c) && sum + more > 2)
			break;
		sum += more;
		if (next.c == EMOJI_STYLE && takes_emoji_style(u.c))
			sum = 2;
		u = next;
		at += next.size;
	}
	if (sum == 0)
		sum = baseless_columns(first);
	*columns = sum > 2 ? 2 : sum;
	return at;
}

bool text_is_syllable(const char *cluster, size_t length)
{
	struct unit u = next_unit(cluster, length);

	if (!u.clean || unit_columns(u.c) != 1)
		return false;
	switch (utf8proc_category((utf8proc_int32_t)u.c)) {
	case UTF8PROC_CATEGORY_LU:
	case UTF8PROC_CATEGORY_LL:
	case UTF8PROC_CATEGORY_LT:
	case UTF8PROC_CATEGORY_LM:
	case UTF8PROC_CATEGORY_LO:
	case UTF8PROC_CATEGORY_MC:
		return true;
	default:
		return false;
	}
}

/* The byte at which the code point begins whose last byte is before `at`. */
static size_t unit_before(const char *text, size_t at)
{
	size_t start = at - 1;

	while (start > 0 && at - start < 4 && ((unsigned char)text[start] & 0xc0) == 0x80)
		start--;
	return start;
}

/* Does this stand alone unless something is attached to it: a letter, an ideograph, a blank? */
static bool is_ordinary(const char *text, size_t from, size_t to)
{
	struct unit u = next_unit(text + from, to - from);

	return u.clean && u.size == to - from &&
	       utf8proc_get_property((utf8proc_int32_t)u.c)->boundclass ==
		       UTF8PROC_BOUNDCLASS_OTHER;
}

size_t text_cluster_before(const char *text, size_t at)
{
	size_t start = at;
	bool ordinary = false; /* what begins at `start` */

	/* Whether a cluster ends at a place depends on what comes before it, but between two ordinary
	 * characters one always does (rule GB999): from there on it can be found forwards. */
	while (start > 0) {
		size_t from = unit_before(text, start);
		bool is = is_ordinary(text, from, start);
		if (is && ordinary)
			break;
		ordinary = is;
		start = from;
	}
	for (;;) {
		size_t n = text_cluster(text + start, at - start, NULL);
		if (start + n >= at)
			return start;
		start += n;
	}
}

size_t text_columns(const char *text, size_t length)
{
	size_t sum = 0;

	for (size_t at = 0; at < length;) {
		int columns;
		at += text_cluster(text + at, length - at, &columns);
		sum += (size_t)columns;
	}
	return sum;
}

size_t text_fit(const char *text, size_t length, size_t columns, size_t *used)
{
	size_t sum = 0;
	size_t at = 0;

	while (at < length) {
		int more;
		size_t n = text_cluster(text + at, length - at, &more);
		if (sum + (size_t)more > columns)
			break;
		sum += (size_t)more;
		at += n;
	}
	*used = sum;
	return at;
}

/* ---- drawing ---- */

/* Copy a cluster of clean code points without the marks that are too many. Returns the end. */
static char *copy_cluster(char *out, const char *text, size_t length)
{
	int marks = 0;

	if (unit_columns(next_unit(text, length).c) == 0)
		out += utf8_encode(DOTTED_CIRCLE, out);
	for (size_t at = 0; at < length;) {
		struct unit u = next_unit(text + at, length - at);
		if (unit_columns(u.c) > 0 || marks++ < MARKS_MAX) {
			memcpy(out, text + at, u.size);
			out += u.size;
		}
		at += u.size;
	}
	return out;
}

static char *sanitize_unclean(char *out, char c, bool newlines)
{
	if (c == '\t')
		*out++ = ' ';
	else if (c == '\n' && newlines)
		*out++ = '\n';
	else
		out += utf8_encode(REPLACEMENT, out);
	return out;
}

char *text_sanitize(const char *text, size_t length, int newlines)
{
	/* The worst are a byte that becomes U+FFFD (3 bytes), and a mark of 2 bytes that gets a
	 * circle of 3. */
	char *clean = length < SIZE_MAX / 3 ? malloc(length * 3 + 1) : NULL;
	char *out = clean;

	if (!clean)
		return NULL;
	for (size_t at = 0; at < length;) {
		int columns;
		size_t n = text_cluster(text + at, length - at, &columns);
		if (!next_unit(text + at, n).clean)
			out = sanitize_unclean(out, text[at], newlines != 0);
		else if (columns > 0) /* the rest cannot be seen */
			out = copy_cluster(out, text + at, n);
		at += n;
	}
	*out = '\0';
	return clean;
}
