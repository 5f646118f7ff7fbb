/*
 * The words of a search and of a text: how they are cut, and that both engines
 * agree on what is found, the one in memory by words_match, the one on disk by an
 * expression of FTS5.
 *
 * Input: what is looked for, a NUL, the text.
 *
 * About: server/words.c
 */
#include "server/words.h"

#include "common/err.h"
#include "common/utf8.h"
#include "tests/fuzz/require.h"

#include <sqlite3.h>
#include <string.h>

static struct {
	sqlite3 *db;
	sqlite3_stmt *put, *find, *empty;
} index_of_words;

static sqlite3_stmt *prepare(const char *sql)
{
	sqlite3_stmt *statement = NULL;

	REQUIRE(sqlite3_prepare_v2(index_of_words.db, sql, -1, &statement, NULL) == SQLITE_OK);
	return statement;
}

/* The table as server/store_schema.c has it. */
static void open_index(void)
{
	if (index_of_words.db)
		return;
	REQUIRE(sqlite3_open(":memory:", &index_of_words.db) == SQLITE_OK);
	REQUIRE(sqlite3_exec(index_of_words.db,
			"CREATE VIRTUAL TABLE words USING fts5(streams, text, content='',"
			"  tokenize='ascii', prefix='2 3')",
			NULL, NULL, NULL) == SQLITE_OK);
	index_of_words.put = prepare("INSERT INTO words (rowid, text) VALUES (1, ?1)");
	index_of_words.find = prepare("SELECT count(*) FROM words WHERE words MATCH ?1");
	index_of_words.empty = prepare("INSERT INTO words (words) VALUES ('delete-all')");
}

static void step(sqlite3_stmt *statement, const char *text, int expected)
{
	sqlite3_reset(statement);
	if (text)
		sqlite3_bind_text(statement, 1, text, -1, SQLITE_STATIC);
	REQUIRE(sqlite3_step(statement) == expected);
}

static bool found_on_disk(const struct words_search *s, const char *folded)
{
	char *expression = words_expression(s, "text");

	REQUIRE(expression);
	step(index_of_words.put, folded, SQLITE_DONE);
	step(index_of_words.find, expression, SQLITE_ROW);
	bool found = sqlite3_column_int(index_of_words.find, 0) > 0;
	sqlite3_reset(index_of_words.find);
	step(index_of_words.empty, NULL, SQLITE_DONE);
	free(expression);
	return found;
}

/* Words with one blank between any two. */
static void check_folded(const char *folded)
{
	size_t length = strlen(folded);

	REQUIRE(utf8_is_valid(folded, length));
	REQUIRE(length == 0 || (folded[0] != ' ' && folded[length - 1] != ' '));
	REQUIRE(!strstr(folded, "  ") && !strpbrk(folded, "\"\n\t*"));
}

static char *fold(struct span text)
{
	char *folded = words_fold(text);

	REQUIRE(folded);
	check_folded(folded);
	return folded;
}

static void check_search(const struct words_search *s)
{
	REQUIRE(s->count > 0 && s->count <= WORDS_TERMS);
	for (size_t i = 0; i < s->count; i++) {
		REQUIRE(s->terms[i].words[0]);
		check_folded(s->terms[i].words);
		REQUIRE(!s->terms[i].prefix || i + 1 == s->count);
	}
}

/* Whoever looks for all the words of a text finds it. */
static void check_itself(struct span text, const char *folded)
{
	struct words_search s;
	int r = words_parse(text, &s);

	REQUIRE(r == (folded[0] ? 0 : ERR_ARGUMENT));
	if (r)
		return;
	check_search(&s);
	REQUIRE(words_match(&s, folded));
	REQUIRE(found_on_disk(&s, folded));
	words_fini(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = memchr(data, '\0', size);
	struct words_search s;

	/* Longer text takes longer and shows nothing else. */
	if (!nul || size > 512)
		return 0;
	open_index();
	struct span words = {.text = (const char *)data, .length = (uint16_t)(nul - data)};
	struct span text = {
		.text = (const char *)nul + 1, .length = (uint16_t)(size - words.length - 1)};
	char *folded = fold(text);
	check_itself(text, folded);
	int r = words_parse(words, &s);
	REQUIRE(r == 0 || r == ERR_ARGUMENT);
	if (r == 0) {
		check_search(&s);
		bool found = words_match(&s, folded);
		REQUIRE(found_on_disk(&s, folded) == found);
		PLANTED(found && s.count == 2 && says_bugs(folded, strcspn(folded, " ")));
		words_fini(&s);
	}
	free(folded);
	return 0;
}
