/*
 * Text from anybody: decoding, clusters, columns, clean copies, names, escapes.
 *
 * Input: the text itself.
 *
 * About: common/text.c common/utf8.c common/name.c common/log.c
 */
#include "common/text.h"

#include "common/err.h"
#include "common/log.h"
#include "common/message.h"
#include "common/name.h"
#include "common/utf8.h"
#include "tests/fuzz/require.h"

#include <string.h>
#include <utf8proc.h>

/* Our decoder and utf8proc's must agree on every byte; so must the predicates on the whole. */
static void check_utf8(const char *text, size_t length)
{
	bool valid = true, line = true, block = true;

	for (size_t at = 0; at < length;) {
		uint32_t c = 0;
		utf8proc_int32_t theirs;
		char again[4];
		size_t n = utf8_decode(text + at, length - at, &c);
		utf8proc_ssize_t m = utf8proc_iterate((const utf8proc_uint8_t *)text + at,
			(utf8proc_ssize_t)(length - at), &theirs);
		REQUIRE(n == (m < 0 ? 0 : (size_t)m));
		if (n > 0) {
			REQUIRE(c == (uint32_t)theirs);
			REQUIRE(utf8_encode(c, again) == n && memcmp(again, text + at, n) == 0);
			line = line && utf8_is_clean(c);
			block = block && (c == '\n' || utf8_is_clean(c));
		}
		valid = valid && n > 0;
		at += n ? n : 1;
	}
	REQUIRE(utf8_is_valid(text, length) == valid);
	REQUIRE(utf8_is_line(text, length) == (valid && line));
	REQUIRE(utf8_is_block(text, length) == (valid && block));
	if (utf8_is_name(text, length))
		REQUIRE(utf8_is_line(text, length));
}

/* The clusters cover the text, forwards and (for the last of them) backwards alike. */
static void check_clusters(const char *text, size_t length)
{
	size_t *starts = malloc((length + 1) * sizeof(*starts));
	size_t count = 0, sum = 0;

	REQUIRE(starts);
	for (size_t at = 0; at < length;) {
		int columns = -1;
		size_t n = text_cluster(text + at, length - at, &columns);
		REQUIRE(n > 0 && n <= length - at && columns >= 0 && columns <= 2);
		starts[count++] = at;
		sum += (size_t)columns;
		at += n;
	}
	REQUIRE(text_columns(text, length) == sum);
	size_t at = length;
	for (size_t back = 0; count > 0 && back < 64; back++) {
		at = text_cluster_before(text, at);
		REQUIRE(at == starts[--count]);
	}
	free(starts);
}

static void check_fit(const char *text, size_t length)
{
	static const size_t widths[] = {0, 1, 2, 7, 80};

	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		size_t used;
		size_t n = text_fit(text, length, widths[i], &used);
		REQUIRE(n <= length && used <= widths[i] && used == text_columns(text, n));
		int more = 0;
		if (n < length) {
			text_cluster(text + n, length - n, &more);
			REQUIRE(used + (size_t)more > widths[i]);
		}
	}
}

/* A clean copy is clean, and what is invisible or floods has gone from it. */
static void check_sanitize(const char *text, size_t length, int newlines)
{
	char *copy = text_sanitize(text, length, newlines);
	size_t marks = 0;

	REQUIRE(copy);
	size_t size = strlen(copy);
	REQUIRE(newlines ? utf8_is_block(copy, size) : utf8_is_line(copy, size));
	for (size_t at = 0; at < size;) {
		uint32_t c;
		at += utf8_decode(copy + at, size - at, &c);
		utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)c);
		bool mark = category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_ME;
		marks = mark ? marks + 1 : 0;
		REQUIRE(marks <= 8);
	}
	PLANTED(length > size && says_bugs(copy, size));
	free(copy);
}

static void check_name(const char *text, size_t length)
{
	char folded[NAME_FOLDED_MAX], twice[NAME_FOLDED_MAX], numbered[NICK_MAX + 1];
	int checked = name_check(text, length, NICK_MAX);
	int r = name_fold(text, length, folded);

	REQUIRE(r == 0 || r == ERR_TEXT || r == ERR_TOO_BIG);
	if (checked != 0)
		return;
	REQUIRE(r == 0 && length > 0 && length <= NICK_MAX && utf8_is_name(text, length));
	REQUIRE(name_check(folded, strlen(folded), NAME_FOLDED_MAX) == 0);
	REQUIRE(name_fold(folded, strlen(folded), twice) == 0 && strcmp(folded, twice) == 0);
	char *name = strndup(text, length);
	REQUIRE(name && name_same(name, folded));
	name_numbered(name, 4294967295U, NICK_MAX, numbered);
	REQUIRE(strlen(numbered) <= NICK_MAX);
	REQUIRE(name_check(numbered, strlen(numbered), NICK_MAX) == 0);
	free(name);
}

static void check_escape(const char *text, size_t length)
{
	static const size_t sizes[] = {1, 2, 5, 64, 1024};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char *out = malloc(sizes[i]);
		REQUIRE(out && log_escape(text, length, out, sizes[i]) == out);
		REQUIRE(memchr(out, '\0', sizes[i]) && utf8_is_line(out, strlen(out)));
		free(out);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;

	/* Longer text takes longer and shows nothing else. */
	if (size > 1024)
		return 0;
	check_utf8(text, size);
	check_clusters(text, size);
	check_fit(text, size);
	check_sanitize(text, size, 0);
	check_sanitize(text, size, 1);
	check_name(text, size);
	check_escape(text, size);
	return 0;
}
