#include "common/utf8.h"

#include <string.h>
#include <utf8proc.h>

/* Seven bits in every byte of a word, to look at eight bytes at once. */
#define EACH_BYTE(b) (UINT64_C(0x0101010101010101) * (b))

static bool is_continuation(char byte)
{
	return ((uint8_t)byte & 0xc0) == 0x80;
}

/* The sequence that `first` begins: how many bytes, the bits that the first one gives, and the least
 * code point that needs so many (RFC 3629 section 3). 0 when nothing begins with that byte. */
static size_t begin(uint8_t first, uint32_t *bits, uint32_t *least)
{
	if (first < 0xc2 || first > 0xf4)
		return 0;
	if (first < 0xe0) {
		*bits = first & 0x1fU;
		*least = 0x80;
		return 2;
	}
	if (first < 0xf0) {
		*bits = first & 0x0fU;
		*least = 0x800;
		return 3;
	}
	*bits = first & 0x07U;
	*least = 0x10000;
	return 4;
}

static bool is_scalar(uint32_t c)
{
	return c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
}

size_t utf8_decode(const char *text, size_t length, uint32_t *c)
{
	uint8_t first = (uint8_t)text[0];
	uint32_t value;
	uint32_t least;

	if (first < 0x80) {
		*c = first;
		return 1;
	}
	size_t size = begin(first, &value, &least);
	if (size == 0 || size > length)
		return 0;
	for (size_t i = 1; i < size; i++) {
		if (!is_continuation(text[i]))
			return 0;
		value = value << 6 | ((uint8_t)text[i] & 0x3fU);
	}
	if (value < least || !is_scalar(value))
		return 0;
	*c = value;
	return size;
}

size_t utf8_encode(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

bool utf8_is_clean(uint32_t c)
{
	if (c < 0x80)
		return c >= 0x20 && c != 0x7f;
	if (c < 0xa0) /* C1 */
		return false;
	if (c == 0x2028 || c == 0x2029) /* line and paragraph separators */
		return false;
	/* Embeddings, overrides and isolates can make the rest of a line read as something else. The
	 * marks U+061C, U+200E and U+200F cannot, and honest right-to-left text has them. */
	if ((c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069))
		return false;
	if ((c >= 0xfdd0 && c <= 0xfdef) || (c & 0xfffe) == 0xfffe) /* noncharacters */
		return false;
	return is_scalar(c);
}

/* Can this clean code point beyond ASCII be seen? One that utf8proc does not know yet counts as visible: both ends
 * must agree about names in messages even if their tables are of different years. */
static bool is_visible(uint32_t c)
{
	if (c == 0x2800) /* a Braille pattern without dots counts as a symbol */
		return false;
	const utf8proc_property_t *p = utf8proc_get_property((utf8proc_int32_t)c);
	return !p->ignorable && p->category != UTF8PROC_CATEGORY_ZS &&
	       p->category != UTF8PROC_CATEGORY_CF;
}

static bool in_block(uint32_t c)
{
	return c == '\n' || utf8_is_clean(c);
}

static bool in_name(uint32_t c)
{
	return utf8_is_clean(c) && is_visible(c);
}

static bool anything(uint32_t c)
{
	(void)c;
	return true;
}

/* How many bytes at the start are printable ASCII. It looks at eight together while it can. */
static size_t printable_run(const char *text, size_t length)
{
	size_t at = 0;

	for (uint64_t word; length - at >= sizeof(word); at += sizeof(word)) {
		memcpy(&word, text + at, sizeof(word));
		/* The top bit of some byte is set by: a byte below 0x20 (the lowest such one cannot be
		 * hidden by a borrow), 0x7f, or a byte that is no ASCII. */
		uint64_t bad = (word - EACH_BYTE(0x20)) | (word + EACH_BYTE(0x01)) | word;
		if (bad & EACH_BYTE(0x80))
			break;
	}
	while (at < length && text[at] >= 0x20 && text[at] < 0x7f)
		at++;
	return at;
}

/* Is the text well-formed, and `allowed` true of all its code points but printable ASCII? */
static bool all_but_ascii(const char *text, size_t length, bool (*allowed)(uint32_t c))
{
	uint32_t c;

	for (size_t at = 0; at < length;) {
		at += printable_run(text + at, length - at);
		if (at == length)
			break;
		size_t n = utf8_decode(text + at, length - at, &c);
		if (n == 0 || !allowed(c))
			return false;
		at += n;
	}
	return true;
}

bool utf8_is_valid(const char *text, size_t length)
{
	return all_but_ascii(text, length, anything);
}

/* Every message passes here, and most are ASCII. */
bool utf8_is_line(const char *text, size_t length)
{
	return all_but_ascii(text, length, utf8_is_clean);
}

bool utf8_is_block(const char *text, size_t length)
{
	return all_but_ascii(text, length, in_block);
}

bool utf8_is_name(const char *text, size_t length)
{
	/* Of printable ASCII just the blank is not for names. */
	return all_but_ascii(text, length, in_name) && (!length || !memchr(text, ' ', length));
}
