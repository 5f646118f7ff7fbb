#include "server/store_words.h"

#include "common/clock.h"
#include "common/err.h"
#include "server/store_read.h"
#include "server/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#define PROGRESS 1000 /* of SQLite's steps between two looks at the clock */

/* ---- indexing ---- */

/* What the column `streams` has for an entry. */
static struct span streams_of(char *out, size_t size, uint64_t stream, uint64_t other)
{
	if (other)
		snprintf(out, size, "s%" PRIu64 " s%" PRIu64, stream, other);
	else
		snprintf(out, size, "s%" PRIu64, stream);
	return span_of(out);
}

/* Add an entry's words, or take them away by the same values. */
static int put_words(struct store *s, enum store_statement which, uint64_t seq, uint64_t stream,
	uint64_t other, struct span text)
{
	char streams[64];
	char *folded = words_fold(text);
	sqlite3_stmt *t = store_statement(s, which);

	if (!folded)
		return ERR_MEMORY;
	store_bind_int(t, 1, seq);
	store_bind_text(t, 2, streams_of(streams, sizeof(streams), stream, other));
	if (t)
		(void)sqlite3_bind_text(t, 3, folded, -1, SQLITE_STATIC);
	int r = store_run(t);
	free(folded);
	return r;
}

int store_indexed(struct store *s, uint64_t *seq)
{
	sqlite3_stmt *t = store_statement(s, STORE_META);

	*seq = 0;
	store_bind_text(t, 1, span_of("indexed"));
	int r = store_one(t, seq);
	return r < 0 ? r : 0;
}

static int set_indexed(struct store *s, uint64_t seq)
{
	sqlite3_stmt *t = store_statement(s, STORE_SET_META);

	store_bind_text(t, 1, span_of("indexed"));
	store_bind_int(t, 2, seq);
	return store_run(t);
}

static int index_some(struct store *s, uint32_t most, uint64_t *seq)
{
	sqlite3_stmt *t = store_statement(s, STORE_TO_INDEX);
	int r;

	store_bind_int(t, 1, *seq);
	store_bind_int(t, 2, most);
	while ((r = store_step(t)) == 1) {
		*seq = store_int(t, 0);
		r = put_words(s, STORE_ADD_WORDS, *seq, store_int(t, 1), store_int(t, 2),
			store_text(t, 3));
		if (r) {
			(void)sqlite3_reset(t);
			return r;
		}
	}
	return r ? r : set_indexed(s, *seq);
}

int store_index(struct store *s, uint32_t most, uint64_t *seq)
{
	uint64_t reached = *seq;
	int r = store_begin(s);

	if (r == 0)
		r = index_some(s, most, &reached);
	if (r == 0)
		r = store_commit(s);
	if (r)
		store_rollback(s);
	else
		*seq = reached;
	return r;
}

/* The rules' version is a text, the one of utf8proc. True when the index was made by them. */
static int same_rules(struct store *s, bool *same)
{
	sqlite3_stmt *t = store_statement(s, STORE_META);

	*same = false;
	store_bind_text(t, 1, span_of("folded"));
	int r = store_step(t);
	if (r != 1)
		return r;
	struct span rules = store_text(t, 0);
	*same = span_equal(rules, utf8proc_version());
	(void)sqlite3_reset(t);
	return 0;
}

static int forget_words(struct store *s)
{
	int r = store_run(store_statement(s, STORE_FORGET_WORDS));

	if (r == 0)
		r = set_indexed(s, 0);
	if (r)
		return r;
	sqlite3_stmt *t = store_statement(s, STORE_SET_META);
	store_bind_text(t, 1, span_of("folded"));
	store_bind_text(t, 2, span_of(utf8proc_version()));
	return store_run(t);
}

int store_index_check(struct store *s)
{
	bool same;
	int r = same_rules(s, &same);

	if (r || same)
		return r;
	r = store_begin(s);
	if (r == 0)
		r = forget_words(s);
	if (r == 0)
		r = store_commit(s);
	if (r)
		store_rollback(s);
	return r;
}

int store_unindex(struct store *s, uint64_t seq, uint64_t stream, uint64_t other, struct span text)
{
	return put_words(s, STORE_DROP_WORDS, seq, stream, other, text);
}

int store_index_shrink(struct store *s)
{
	return store_run(store_statement(s, STORE_SHRINK_WORDS));
}

int store_index_tidy(struct store *s)
{
	return store_run(store_statement(s, STORE_MERGE_WORDS));
}

/* ---- searching ---- */

/* The streams and the words as an expression of FTS5; allocated. `*r` says why it is NULL. */
static char *expression(struct store *s, const struct search *what, int *r)
{
	struct words_search words;
	size_t size = what->stream_count * 28 + 64, used;
	uint64_t id;

	*r = words_parse(what->words, &words);
	if (*r)
		return NULL;
	char *text = words_expression(&words, "text");
	words_fini(&words);
	char *all = text ? malloc(size + strlen(text)) : NULL;
	*r = all ? 0 : ERR_MEMORY;
	used = all ? (size_t)snprintf(all, size, "streams : (\"none\"") : 0;
	for (size_t i = 0; i < what->stream_count && *r == 0; i++) {
		*r = store_find_stream(s, &what->streams[i], &id);
		if (*r == 0 && id)
			used += (size_t)snprintf(
				all + used, size - used, " OR \"s%" PRIu64 "\"", id);
	}
	if (*r == 0)
		snprintf(all + used, size - used + strlen(text), ") AND %s", text);
	free(text);
	if (*r == 0)
		return all;
	free(all);
	return NULL;
}

static int is_late(void *context)
{
	return clock_ms() > *(const int64_t *)context;
}

static int find(struct store *s, const char *match, const struct search *what,
	engine_reader *reader, void *context)
{
	sqlite3_stmt *t = store_statement(s, STORE_SEARCH);
	int r;

	if (t)
		(void)sqlite3_bind_text(t, 1, match, -1, SQLITE_STATIC);
	store_bind_int(t, 2, what->before);
	store_bind_int(t, 3, what->limit);
	while ((r = store_step(t)) == 1) {
		r = store_entry(s, store_int(t, 0), reader, context);
		if (r && r != ERR_NOT_FOUND) {
			(void)sqlite3_reset(t);
			return r;
		}
	}
	return r;
}

int store_search(struct store *s, const struct search *what, engine_reader *reader, void *context)
{
	int64_t deadline = what->deadline;
	int r;
	char *match = expression(s, what, &r);

	if (!match)
		return r;
	sqlite3_progress_handler(s->db, PROGRESS, is_late, &deadline);
	r = find(s, match, what, reader, context);
	sqlite3_progress_handler(s->db, 0, NULL, NULL);
	free(match);
	return r;
}
