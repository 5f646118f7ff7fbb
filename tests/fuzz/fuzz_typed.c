/*
 * What a user types or pipes in: lines out of bytes, however those are cut up, and
 * what each of them means as a command, and its words as a point in time.
 *
 * Input: a byte for the longest line, one for the pieces, then what is typed.
 *
 * About: client/command.c client/lines.c client/when.c
 */
#include "client/command.h"
#include "client/lines.h"
#include "client/when.h"
#include "common/err.h"
#include "common/name.h"
#include "common/utf8.h"
#include "tests/fuzz/require.h"

#include <string.h>

#define NOW INT64_C(1794000000)

/* ---- commands ---- */

static void check_complaint(const char *error)
{
	REQUIRE(error[0]);
	REQUIRE(utf8_is_line(error, strlen(error)));
}

static const struct command_spec *spec_of(enum command_id id, const char *name, size_t length)
{
	const struct command_spec *spec = command_find(name, length);

	REQUIRE(spec && spec->id == id);
	return spec;
}

static void check_arguments(const struct command *c, const struct command_spec *spec)
{
	const char *word = c->word;

	REQUIRE(strlen(word) < COMMAND_WORD_MAX);
	if (spec->shape == SHAPE_NONE)
		REQUIRE(!word[0] && !c->rest[0]);
	if (spec->shape != SHAPE_REST && spec->least >= 1)
		REQUIRE(word[0]);
	if (spec->least == 2 || (spec->shape == SHAPE_REST && spec->least == 1))
		REQUIRE(c->rest[0]);
	if (c->id == COMMAND_NOTICE && word[0] == '#')
		REQUIRE(name_check(word + 1, strlen(word + 1), ROOM_NAME_MAX) == 0);
	else if (word[0] && (spec->shape == SHAPE_NICK || spec->shape == SHAPE_MSG))
		REQUIRE(name_check(word, strlen(word), NICK_MAX) == 0);
	else if (word[0] && spec->shape == SHAPE_ROOM)
		REQUIRE(name_check(word, strlen(word), ROOM_NAME_MAX) == 0);
}

static void check_command(const char *line)
{
	struct command c = {.id = COMMAND_QUIT, .rest = NULL};
	char error[512] = "";
	int r = command_parse(line, &c, error, sizeof(error));

	REQUIRE(r == 0 || r == ERR_ARGUMENT);
	if (r) {
		REQUIRE(line[0] == '/' && line[1] != '/' && !c.rest);
		check_complaint(error);
		return;
	}
	REQUIRE(c.rest >= line && c.rest <= line + strlen(line));
	if (c.id == COMMAND_SAY)
		REQUIRE(c.rest == line + (line[0] == '/') && !c.word[0]);
	else
		check_arguments(&c, spec_of(c.id, line + 1, strcspn(line + 1, " ")));
	r = command_check_text(c.rest, 100, error, sizeof(error));
	REQUIRE(r == (strlen(c.rest) <= 100 ? 0 : ERR_TOO_BIG));
	PLANTED(c.id == COMMAND_NOTICE && c.word[0] == '#' &&
		says_bugs(c.word + 1, strlen(c.word + 1)));
}

static void check_when(const char *text)
{
	int64_t seconds = -1;
	int r = when_parse(text, NOW, &seconds);

	REQUIRE(r == 0 || r == ERR_ARGUMENT);
	REQUIRE(r == 0 ? seconds >= 0 : seconds == -1);
}

/* ---- lines ---- */

/* A digest of the lines so far, and of what was wrong with others. */
struct seen {
	uint64_t hash;
	uint64_t number;
};

static void hash_bytes(struct seen *s, const void *bytes, size_t length)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < length; i++)
		s->hash = (s->hash ^ p[i]) * UINT64_C(1099511628211); /* FNV-1a */
}

static void see(struct seen *s, const struct lines *l, int r, const char *text)
{
	REQUIRE(r == 0 || r == ERR_TEXT || r == ERR_TOO_BIG);
	REQUIRE(l->number == ++s->number);
	hash_bytes(s, &r, sizeof(r));
	if (r)
		return;
	size_t length = strlen(text);
	REQUIRE(length <= l->limit && utf8_is_line(text, length));
	hash_bytes(s, text, length + 1);
	check_command(text);
	check_when(text);
}

static struct seen read_all(const uint8_t *data, size_t size, size_t limit, size_t piece)
{
	struct seen s = {0};
	struct lines l;
	const char *text;

	lines_init(&l, limit);
	for (size_t at = 0; at < size;) {
		size_t used = 0, length = size - at < piece ? size - at : piece;
		/* In a block of its own size, so that reading past it is noticed. */
		char *bytes = malloc(length);
		REQUIRE(bytes);
		memcpy(bytes, data + at, length);
		int r = lines_feed(&l, bytes, length, &used, &text);
		REQUIRE(used > 0 && used <= length);
		if (r != ERR_AGAIN)
			see(&s, &l, r, text);
		else
			REQUIRE(used == length);
		at += used;
		free(bytes);
	}
	int r = lines_end(&l, &text);
	if (r != ERR_AGAIN)
		see(&s, &l, r, text);
	lines_fini(&l);
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	size_t limit = data[0] * (size_t)8;
	struct seen whole = read_all(data + 2, size - 2, limit, size);
	struct seen pieces = read_all(data + 2, size - 2, limit, (size_t)data[1] + 1);
	REQUIRE(whole.number == pieces.number && whole.hash == pieces.hash);
	return 0;
}
