#include "server/store_verify_private.h"

#include "common/err.h"
#include "server/store.h"
#include "server/words.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#define LONGEST  32768 /* bytes of a word that FTS5 keeps */
#define SAMPLES  1000  /* entries, about, that are searched for */
#define SEARCHED 32    /* words of each */

/* ---- sizes ---- */

/* The sizes of one entry's columns, in words: numbers of seven bits a byte, the highest first. */
static void take_sizes(struct verifier *v, sqlite3_stmt *t, void *state)
{
	const uint8_t *bytes = sqlite3_column_blob(t, 0);
	int length = sqlite3_column_bytes(t, 0);
	uint64_t *sum = state, value = 0;

	for (int i = 0; i < length; i++) {
		value = value << 7 | (bytes[i] & 0x7f);
		if (bytes[i] & 0x80)
			continue;
		*sum += value;
		value = 0;
	}
	v->report->indexed++;
}

/* Read the whole index, and see that it has as many words as the entries that it knows. */
static int check_sizes(struct verifier *v)
{
	uint64_t expected = 0, findings = v->report->findings;
	int r = verify_each(v, "SELECT sz FROM words_docsize", take_sizes, &expected);

	if (r == 0)
		r = verify_number(v, "SELECT total(cnt) FROM temp.vocabulary", &v->report->words);
	if (r == 0 && v->report->findings == findings && v->report->words != expected)
		verify_found(v, "the index has %" PRIu64 " words of entries that have %" PRIu64,
			v->report->words, expected);
	return r;
}

/* ---- the words themselves ---- */

/* The index is read in the order of its words, and the entries in that of their numbers. So each
 * entry has a sum of hashes, of every word with its place: what the index has is taken away from what
 * the text has, and nothing is left. */
struct sums {
	uint64_t *of; /* owned; entry `first` has the first */
	uint64_t first, count;
	uint64_t
		others; /* of acts before the first; and of entries that are not in the log, which is a
			    finding already */
};

/* FNV-1a of the word and its place, stirred so that sums of a few do not cancel out. */
static uint64_t hash(char column, uint64_t place, const char *word, size_t length)
{
	uint64_t h = 14695981039346656037U ^ (uint8_t)column;

	h = (h ^ place) * 1099511628211U;
	for (size_t i = 0; i < length && i < LONGEST; i++)
		h = (h ^ (uint8_t)word[i]) * 1099511628211U;
	h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9U;
	h = (h ^ h >> 27) * 0x94d049bb133111ebU;
	return h ^ h >> 31;
}

static uint64_t *sum_of(struct sums *s, uint64_t seq)
{
	return seq - s->first < s->count ? &s->of[seq - s->first] : &s->others;
}

/* Add what a column has, with a blank between any two words. */
static void add_words(uint64_t *sum, char column, const char *words)
{
	for (uint64_t place = 0; *words; place++) {
		size_t length = strcspn(words, " ");
		*sum += hash(column, place, words, length);
		words += length + (words[length] == ' ');
	}
}

/* Columns: seq, stream, other, text. */
static void take_text(struct verifier *v, sqlite3_stmt *t, void *state)
{
	struct sums *sums = state;
	char streams[64];
	uint64_t other = store_int(t, 2), *sum = sum_of(sums, store_int(t, 0));
	char *folded = words_fold(store_text(t, 3));

	(void)v;
	if (other)
		snprintf(
			streams, sizeof(streams), "s%" PRIu64 " s%" PRIu64, store_int(t, 1), other);
	else
		snprintf(streams, sizeof(streams), "s%" PRIu64, store_int(t, 1));
	add_words(sum, 's', streams);
	if (folded)
		add_words(sum, 't', folded);
	free(folded);
}

/* Columns: doc, col, offset, term. */
static void take_word(struct verifier *v, sqlite3_stmt *t, void *state)
{
	const char *column = (const char *)sqlite3_column_text(t, 1);
	const char *word = (const char *)sqlite3_column_text(t, 3);
	size_t length = (size_t)sqlite3_column_bytes(t, 3);

	(void)v;
	if (column && word)
		*sum_of(state, store_int(t, 0)) -= hash(*column, store_int(t, 2), word, length);
}

static int compare_words(struct verifier *v, struct sums *sums)
{
	int r = verify_each(v,
		"SELECT seq, stream, other, text FROM entry"
		" WHERE seq <= (SELECT value FROM meta WHERE name = 'indexed') ORDER BY seq",
		take_text, sums);

	if (r == 0)
		r = verify_each(
			v, "SELECT doc, col, offset, term FROM temp.instances", take_word, sums);
	for (uint64_t i = 0; i < sums->count && r == 0; i++) {
		if (sums->of[i])
			verify_found(v, "entry %" PRIu64 ": the index of words has others than it",
				sums->first + i);
	}
	return r;
}

/* ---- finding them ---- */

/* The entry as a search finds it, by its first words one after the other: NULL where it has none, or
 * memory is out. For free(). */
static char *search_for(struct span text)
{
	char *folded = words_fold(text), *search = NULL;
	size_t end = 0, words = 0;

	while (folded && folded[end] && (folded[end] != ' ' || ++words < SEARCHED))
		end++;
	if (end && asprintf(&search, "text : \"%.*s\"", (int)end, folded) < 0)
		search = NULL;
	free(folded);
	return search;
}

/* Columns: seq, text. `state`: the statement that searches. */
static void take_sample(struct verifier *v, sqlite3_stmt *t, void *state)
{
	sqlite3_stmt *find = state;
	char *search = search_for(store_text(t, 1));

	if (!search)
		return;
	(void)sqlite3_bind_text(find, 1, search, -1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(find, 2, sqlite3_column_int64(t, 0));
	if (sqlite3_step(find) != SQLITE_ROW)
		verify_found(v, "entry %" PRIu64 ": the index of words does not find it",
			store_int(t, 0));
	(void)sqlite3_reset(find);
	(void)sqlite3_clear_bindings(find);
	free(search);
}

/* The words are there; are they found? Tried with some entries. */
static int check_searches(struct verifier *v)
{
	sqlite3_stmt *find;
	char sql[256];
	int code = sqlite3_prepare_v2(
		v->db, "SELECT 1 FROM words WHERE words MATCH ? AND rowid = ?", -1, &find, NULL);

	if (code != SQLITE_OK)
		return store_error(code);
	snprintf(sql, sizeof(sql),
		"SELECT seq, text FROM entry WHERE seq %% %" PRIu64 " = 0"
		" AND seq <= (SELECT value FROM meta WHERE name = 'indexed')",
		v->report->entries / SAMPLES + 1);
	int r = verify_each(v, sql, take_sample, find);
	(void)sqlite3_finalize(find);
	return r;
}

/* ---- all of it ---- */

static void take_rules(struct verifier *v, sqlite3_stmt *t, void *state)
{
	(void)v;
	*(bool *)state = span_equal(store_text(t, 0), utf8proc_version());
}

/* An index that was made by other rules is made anew when a server starts. */
static int same_rules(struct verifier *v, bool *same)
{
	*same = false;
	return verify_each(v, "SELECT value FROM meta WHERE name = 'folded'", take_rules, same);
}

static int check_words(struct verifier *v)
{
	struct verify_report *p = v->report;
	struct sums sums = {.first = p->first, .count = p->entries};
	bool whole = p->entries && p->last - p->first + 1 == p->entries;
	bool same;
	int r = same_rules(v, &same);

	/* Pruning leaves holes between old acts alone. Other ones are damage enough. */
	if (r == 0 && !whole)
		r = verify_number(
			v, "SELECT coalesce(min(seq), 0) FROM entry WHERE kind <> 16", &sums.first);
	if (r == 0 && !whole)
		r = verify_number(v,
			"SELECT count(*) FROM entry WHERE seq >="
			" (SELECT min(seq) FROM entry WHERE kind <> 16)",
			&sums.count);
	if (r || !same || sums.count == 0 || p->last - sums.first + 1 != sums.count)
		return r;
	sums.of = calloc(sums.count, sizeof(sums.of[0]));
	if (!sums.of)
		return ERR_MEMORY;
	uint64_t findings = p->findings;
	r = compare_words(v, &sums);
	free(sums.of);
	return r || p->findings > findings ? r : check_searches(v);
}

int verify_words(struct verifier *v)
{
	static const char vocabulary[] =
		"CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab(main, words, row);"
		"CREATE VIRTUAL TABLE temp.instances USING fts5vocab(main, words, instance)";
	int code = sqlite3_exec(v->db, vocabulary, NULL, NULL, NULL);

	if (code != SQLITE_OK)
		return store_error(code);
	int r = check_sizes(v);
	return r ? r : check_words(v);
}
