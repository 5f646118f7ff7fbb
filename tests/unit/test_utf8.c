/*
 * UTF-8: the decoder against another one, and what counts as clean.
 */
#include "common/utf8.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* Decode from a block of exactly `length` bytes, so that reading past the end is noticed. */
static size_t decode_exact(const char *text, size_t length, uint32_t *c)
{
	char *copy = malloc(length);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, text, length);
	size_t n = utf8_decode(copy, length, c);
	free(copy);
	return n;
}

/* ---- decoding ---- */

START_TEST(every_code_point)
{
	for (uint32_t c = 0; c <= 0x110000; c++) {
		char bytes[5] = "";
		uint32_t decoded = 0x55;
		bool scalar = c < 0xd800 || (c > 0xdfff && c <= 0x10ffff);
		size_t size = utf8_encode(c, bytes);
		size_t got = utf8_decode(bytes, size, &decoded);
		/* Four bytes have room for what is no code point. */
		if (got != (scalar ? size : 0) || decoded != (scalar ? c : 0x55))
			ck_abort_msg("U+%04X: %zu bytes give U+%04X", c, got, decoded);
		for (size_t cut = 1; scalar && cut < size; cut++)
			if (utf8_decode(bytes, cut, &decoded) != 0)
				ck_abort_msg("U+%04X cut to %zu bytes", c, cut);
	}
}
END_TEST

/* Every first and second byte, with third and fourth ones at the edges, against utf8proc. */
START_TEST(same_as_utf8proc)
{
	static const uint8_t edges[] = {0x00, 0x7f, 0x80, 0xbf, 0xc0, 0xff};

	for (unsigned i = 0; i < 0x10000; i++) {
		for (unsigned j = 0; j < 36; j++) {
			const uint8_t bytes[4] = {
				(uint8_t)(i >> 8), (uint8_t)i, edges[j / 6], edges[j % 6]};
			uint32_t ours = 0;
			utf8proc_int32_t theirs;
			size_t n = utf8_decode((const char *)bytes, 4, &ours);
			utf8proc_ssize_t m = utf8proc_iterate(bytes, 4, &theirs);
			if (n != (m < 0 ? 0 : (size_t)m) || (n && ours != (uint32_t)theirs))
				ck_abort_msg("%02x %02x %02x %02x", bytes[0], bytes[1], bytes[2],
					bytes[3]);
		}
	}
}
END_TEST

/* Unicode, table 3-7, and what the usual attacks make of it. */
static const struct {
	const char *text;
	size_t length;
	bool valid;
} sequences[] = {
	{"", 0, true},
	{"\0", 1, true},
	{"\x7f", 1, true},
	{"\x80", 1, false},             /* nothing continues */
	{"\xc0\x80", 2, false},         /* overlong NUL */
	{"\xc0\xaf", 2, false},         /* overlong / */
	{"\xc1\xbf", 2, false},         /* overlong */
	{"\xc2\x80", 2, true},          /* U+0080 */
	{"\xdf\xbf", 2, true},          /* U+07FF */
	{"\xe0\x9f\xbf", 3, false},     /* overlong */
	{"\xe0\xa0\x80", 3, true},      /* U+0800 */
	{"\xed\x9f\xbf", 3, true},      /* U+D7FF */
	{"\xed\xa0\x80", 3, false},     /* the first surrogate */
	{"\xed\xbf\xbf", 3, false},     /* the last one */
	{"\xee\x80\x80", 3, true},      /* U+E000 */
	{"\xef\xbf\xbf", 3, true},      /* U+FFFF */
	{"\xf0\x8f\xbf\xbf", 4, false}, /* overlong */
	{"\xf0\x90\x80\x80", 4, true},  /* U+10000 */
	{"\xf4\x8f\xbf\xbf", 4, true},  /* U+10FFFF */
	{"\xf4\x90\x80\x80", 4, false}, /* U+110000 */
	{"\xf5\x80\x80\x80", 4, false},
	{"\xf8\x88\x80\x80\x80", 5, false},
	{"\xfe", 1, false},
	{"\xff", 1, false},
	{"\xe2\x82", 2, false},             /* cut */
	{"\xe2\x82\x41", 3, false},         /* cut by a letter */
	{"\xf0\x9f\x98", 3, false},         /* cut */
	{"\xd0\xd0\xb0", 3, false},         /* begins twice */
	{"plain text of 16", 16, true},     /* whole words of the fast path */
	{"plain text of 1\xff", 16, false}, /* the last byte of a word */
	{"\xffplain text of 16", 17, false},
};

START_TEST(well_formed)
{
	ck_assert(utf8_is_valid(sequences[_i].text, sequences[_i].length) == sequences[_i].valid);
	if (sequences[_i].length > 0 && !sequences[_i].valid) {
		ck_assert(!utf8_is_line(sequences[_i].text, sequences[_i].length));
		ck_assert(!utf8_is_block(sequences[_i].text, sequences[_i].length));
		ck_assert(!utf8_is_name(sequences[_i].text, sequences[_i].length));
	}
}
END_TEST

START_TEST(cut_off_at_the_end)
{
	static const char text[] = "\xf0\x9f\x98\x80";
	uint32_t c = 0;

	for (size_t length = 1; length < 4; length++)
		ck_assert_uint_eq(decode_exact(text, length, &c), 0);
	ck_assert_uint_eq(decode_exact(text, 4, &c), 4);
	ck_assert_uint_eq(c, 0x1f600);
	ck_assert_uint_eq(decode_exact("\xd0\xb0", 2, &c), 2);
	ck_assert_uint_eq(c, 0x430);
}
END_TEST

/* ---- clean text ---- */

enum place {
	NOWHERE,
	BLOCK, /* in blocks alone */
	LINE,  /* in lines and blocks */
	NAME,  /* everywhere */
};

/* Ranges of code points, and where they may be. The ends of each are tried. */
static const struct {
	uint32_t first, last;
	enum place place;
} ranges[] = {
	{0x0000, 0x0009, NOWHERE},
	{'\n', '\n', BLOCK},
	{0x000b, 0x001f, NOWHERE},
	{' ', ' ', LINE},
	{'!', '~', NAME},
	{0x007f, 0x009f, NOWHERE}, /* DEL and C1 */
	{0x00a0, 0x00a0, LINE},    /* no-break space */
	{0x00a1, 0x00ac, NAME},
	{0x00ad, 0x00ad, LINE}, /* soft hyphen */
	{0x00ae, 0x0377, NAME}, /* with the combining marks; U+034F is below */
	{0x034f, 0x034f, LINE}, /* combining grapheme joiner */
	{0x0378, 0x0379, NAME}, /* not assigned yet */
	{0x061c, 0x061c, LINE}, /* Arabic letter mark */
	{0x115f, 0x1160, LINE}, /* Hangul fillers */
	{0x1680, 0x1680, LINE}, /* Ogham space */
	{0x180b, 0x180f, LINE}, /* Mongolian selectors */
	{0x2000, 0x200f, LINE}, /* blanks, zero-width ones, marks of direction */
	{0x2010, 0x2027, NAME},
	{0x2028, 0x202e, NOWHERE}, /* separators, embeddings, overrides */
	{0x202f, 0x202f, LINE},
	{0x2060, 0x2064, LINE},    /* word joiner, invisible operators */
	{0x2066, 0x2069, NOWHERE}, /* isolates */
	{0x206a, 0x206f, LINE},
	{0x2800, 0x2800, LINE}, /* a blank that calls itself a symbol */
	{0x2801, 0x28ff, NAME},
	{0x3000, 0x3000, LINE},
	{0x3164, 0x3164, LINE},
	{0xe000, 0xf8ff, NAME}, /* private use */
	{0xfdd0, 0xfdef, NOWHERE},
	{0xfe00, 0xfe0f, LINE}, /* variation selectors */
	{0xfeff, 0xfeff, LINE}, /* byte order mark */
	{0xffa0, 0xffa0, LINE},
	{0xfff9, 0xfffb, LINE},
	{0xfffd, 0xfffd, NAME},
	{0xfffe, 0xffff, NOWHERE},
	{0x1f600, 0x1f600, NAME},
	{0x1fffe, 0x1ffff, NOWHERE},
	{0xe0001, 0xe0001, LINE}, /* a tag */
	{0xe0020, 0xe007f, LINE},
	{0xe0100, 0xe01ef, LINE},
	{0xf0000, 0xffffd, NAME},
	{0x10fffe, 0x10ffff, NOWHERE},
};

START_TEST(clean_ranges)
{
	const uint32_t ends[] = {ranges[_i].first, ranges[_i].last};
	enum place place = ranges[_i].place;

	for (size_t i = 0; i < 2; i++) {
		char text[32] = "letters";
		size_t length = 7 + utf8_encode(ends[i], text + 7);
		length += utf8_encode('z', text + length);
		ck_assert(utf8_is_clean(ends[i]) == (place >= LINE));
		ck_assert(utf8_is_line(text, length) == (place >= LINE));
		ck_assert(utf8_is_block(text, length) == (place >= BLOCK));
		ck_assert_msg(utf8_is_name(text, length) == (place == NAME), "U+%04X", ends[i]);
	}
}
END_TEST

/* The fast path looks at eight bytes: one bad byte at each place, at each length. */
START_TEST(one_bad_byte_anywhere)
{
	static const char bad[] = {0x00, 0x01, 0x1f, 0x7f, (char)0x80, (char)0xff};

	for (size_t length = 1; length <= 40; length++) {
		char *text = malloc(length);
		ck_assert_ptr_nonnull(text);
		for (size_t i = 0; i < length; i++)
			text[i] = (char)(i % 2 ? ' ' : '~');
		ck_assert(utf8_is_line(text, length));
		for (size_t at = 0; at < length; at++) {
			char good = text[at];
			for (size_t i = 0; i < sizeof(bad); i++) {
				text[at] = bad[i];
				ck_assert(!utf8_is_line(text, length));
				ck_assert(!utf8_is_block(text, length));
			}
			text[at] = '\n';
			ck_assert(!utf8_is_line(text, length));
			ck_assert(utf8_is_block(text, length));
			text[at] = good;
		}
		free(text);
	}
}
END_TEST

/* The fast path agrees with looking at each byte, for all words of two kinds of bytes. */
START_TEST(words_of_two_bytes)
{
	static const char pairs[][2] = {
		{0x1f, 0x20}, {0x20, 0x7e}, {0x7e, 0x7f}, {0x00, 0x7e}, {0x20, 0x7f}, {0x00, 0x20}};

	for (unsigned mask = 0; mask < 256; mask++) {
		char word[8];
		bool clean = true;
		for (unsigned i = 0; i < 8; i++) {
			word[i] = pairs[_i][mask >> i & 1];
			clean = clean && utf8_is_clean((uint8_t)word[i]);
		}
		ck_assert(utf8_is_line(word, 8) == clean);
	}
}
END_TEST

START_TEST(nothing_is_clean)
{
	ck_assert(utf8_is_valid(NULL, 0));
	ck_assert(utf8_is_line(NULL, 0));
	ck_assert(utf8_is_block(NULL, 0));
	ck_assert(utf8_is_name(NULL, 0));
	ck_assert(!utf8_is_clean(0xd800));
	ck_assert(!utf8_is_clean(0x110000));
	ck_assert(!utf8_is_clean(UINT32_MAX));
}
END_TEST

Suite *utf8_suite(void)
{
	Suite *s = suite_create("utf8");
	TCase *decoding = tcase_create("decoding");
	TCase *clean = tcase_create("clean");

	tcase_set_timeout(decoding, 30);
	tcase_add_test(decoding, every_code_point);
	tcase_add_test(decoding, same_as_utf8proc);
	tcase_add_loop_test(
		decoding, well_formed, 0, (int)(sizeof(sequences) / sizeof(sequences[0])));
	tcase_add_test(decoding, cut_off_at_the_end);
	suite_add_tcase(s, decoding);
	tcase_add_loop_test(clean, clean_ranges, 0, (int)(sizeof(ranges) / sizeof(ranges[0])));
	tcase_add_test(clean, one_bad_byte_anywhere);
	tcase_add_loop_test(clean, words_of_two_bytes, 0, 6);
	tcase_add_test(clean, nothing_is_clean);
	suite_add_tcase(s, clean);
	return s;
}
