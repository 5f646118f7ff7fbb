#include "server/store_verify_private.h"

#include "common/err.h"
#include "server/store.h"
#include "server/store_look.h"
#include "server/store_schema.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

void verify_found(struct verifier *v, const char *format, ...)
{
	uint64_t at = v->report->findings++;
	va_list arguments;

	if (at >= VERIFY_SHOWN)
		return;
	va_start(arguments, format);
	(void)vsnprintf(v->report->shown[at], VERIFY_TEXT, format, arguments);
	va_end(arguments);
}

/* ---- reading ---- */

int verify_each(struct verifier *v, const char *sql, verify_reader *reader, void *state)
{
	sqlite3_stmt *t;
	int code = sqlite3_prepare_v2(v->db, sql, -1, &t, NULL);

	if (code == SQLITE_OK) {
		while ((code = sqlite3_step(t)) == SQLITE_ROW)
			reader(v, t, state);
		(void)sqlite3_finalize(t);
	}
	int r = store_error(code);
	if (r != ERR_DAMAGED && code != SQLITE_ERROR)
		return r;
	verify_found(v, "it cannot be read to the end: %s", sqlite3_errmsg(v->db));
	return 0;
}

static void take_number(struct verifier *v, sqlite3_stmt *t, void *state)
{
	(void)v;
	*(uint64_t *)state = store_int(t, 0);
}

int verify_number(struct verifier *v, const char *sql, uint64_t *value)
{
	return verify_each(v, sql, take_number, value);
}

/* ---- the pages ---- */

static void take_fault(struct verifier *v, sqlite3_stmt *t, void *state)
{
	const char *text = (const char *)sqlite3_column_text(t, 0);

	(void)state;
	if (!text || strcmp(text, "ok") == 0)
		return;
	/* Where the schema itself is damaged, one row has many lines. */
	while (*text) {
		int length = (int)strcspn(text, "\n");
		if (strncmp(text, "*** in database", 15) != 0)
			verify_found(v, "database: %.*s", length, text);
		text += length + (text[length] == '\n');
	}
}

static int check_pages(struct verifier *v)
{
	return verify_each(v, "PRAGMA integrity_check(1000)", take_fault, NULL);
}

/* ---- entries, by number ---- */

struct walk {
	uint64_t seq, time;
	bool said; /* there was one that is no act: pruning leaves holes between acts alone */
};

static void take_entry(struct verifier *v, sqlite3_stmt *t, void *state)
{
	struct walk *last = state;
	uint64_t seq = store_int(t, 0), time = store_int(t, 1);

	if (sqlite3_column_int64(t, 0) <= 0)
		verify_found(v, "entry %lld: no such number may be",
			(long long)sqlite3_column_int64(t, 0));
	if (v->report->entries == 0)
		v->report->first = seq;
	else if (last->said && seq == last->seq + 2)
		verify_found(v, "entry %" PRIu64 " is missing", last->seq + 1);
	else if (last->said && seq != last->seq + 1)
		verify_found(v, "entries %" PRIu64 " to %" PRIu64 " are missing", last->seq + 1,
			seq - 1);
	if (time < last->time)
		verify_found(v, "entry %" PRIu64 " is older than the one before it", seq);
	int kind = sqlite3_column_int(t, 2);
	if (kind != SAID_ACT && (kind < SAID_TEXT || kind > SAID_TOPIC))
		verify_found(v, "entry %" PRIu64 ": kind %d is unknown", seq, kind);
	*last = (struct walk){.seq = seq, .time = time, .said = last->said || kind != SAID_ACT};
	v->report->last = seq;
	v->report->entries++;
}

static int check_entries(struct verifier *v)
{
	struct walk last = {0};

	return verify_each(v, "SELECT seq, time, kind FROM entry ORDER BY seq", take_entry, &last);
}

/* ---- ids ---- */

struct id {
	uint64_t instance, counter, seq;
};

static void take_id(struct verifier *v, sqlite3_stmt *t, void *state)
{
	struct id *last = state;
	struct id id = {store_int(t, 0), store_int(t, 1), store_int(t, 2)};

	if (sqlite3_column_type(t, 3) == SQLITE_NULL)
		verify_found(v, "entry %" PRIu64 ": its instance %" PRIu64 " is unknown", id.seq,
			id.instance);
	else if (id.counter <= store_int(t, 3) && store_int(t, 4) != SAID_ACT)
		verify_found(v,
			"entry %" PRIu64 ": its counter %" PRIu64 " is not above those that were "
			"dropped (%" PRIu64 ")",
			id.seq, id.counter, store_int(t, 3));
	if (id.instance == last->instance && id.counter == last->counter)
		verify_found(v, "entries %" PRIu64 " and %" PRIu64 " have the same id", last->seq,
			id.seq);
	else if (id.instance == last->instance && id.seq < last->seq)
		verify_found(v,
			"entries %" PRIu64 " and %" PRIu64 " of one instance are in disorder",
			id.seq, last->seq);
	*last = id;
}

static int check_ids(struct verifier *v)
{
	struct id last = {0};

	return verify_each(v,
		"SELECT e.instance, e.counter, e.seq, i.pruned, e.kind FROM entry AS e"
		" LEFT JOIN instance AS i ON i.id = e.instance"
		" ORDER BY e.instance, e.counter, e.seq",
		take_id, &last);
}

/* ---- streams ---- */

struct link {
	uint64_t stream, seq;
};

/* Columns: stream, seq, prev, what the stream has dropped, is the entry there, is it in this stream. */
static void take_link(struct verifier *v, sqlite3_stmt *t, void *state)
{
	struct link *last = state;
	struct link link = {store_int(t, 0), store_int(t, 1)};
	uint64_t prev = store_int(t, 2), pruned = store_int(t, 3);
	bool first = link.stream != last->stream || v->report->links == 0;
	uint64_t before = first ? pruned : last->seq;

	v->report->links++;
	*last = link;
	if (sqlite3_column_type(t, 3) == SQLITE_NULL) {
		verify_found(v, "stream %" PRIu64 " has entry %" PRIu64 " and is unknown",
			link.stream, link.seq);
		return;
	}
	if (!store_int(t, 4))
		verify_found(v, "stream %" PRIu64 ": its entry %" PRIu64 " is missing", link.stream,
			link.seq);
	else if (!store_int(t, 5))
		verify_found(v, "stream %" PRIu64 " has entry %" PRIu64 ", which belongs to others",
			link.stream, link.seq);
	if (link.seq <= pruned)
		verify_found(v,
			"stream %" PRIu64 " has entry %" PRIu64 " below its floor, %" PRIu64,
			link.stream, link.seq, pruned);
	else if (prev != before)
		verify_found(v,
			"stream %" PRIu64 ": before entry %" PRIu64 " comes %" PRIu64
			", and not %" PRIu64 " as it says",
			link.stream, link.seq, before, prev);
}

static int check_links(struct verifier *v)
{
	struct link last = {0};

	return verify_each(v,
		"SELECT c.stream, c.seq, c.prev, s.pruned, e.seq IS NOT NULL,"
		" e.stream = c.stream OR ifnull(e.other = c.stream, 0)"
		" FROM chain AS c LEFT JOIN stream AS s ON s.id = c.stream"
		" LEFT JOIN entry AS e ON e.seq = c.seq ORDER BY c.stream, c.seq",
		take_link, &last);
}

/* ---- what must not be ---- */

/* Each row is a finding: "what NUMBER complaint". */
static const struct {
	const char *what, *complaint, *sql;
} wrong[] = {
	{"entry", "its stream is unknown",
		"SELECT seq FROM entry WHERE stream NOT IN (SELECT id FROM stream)"},
	{"entry", "its other stream is unknown",
		"SELECT seq FROM entry WHERE other NOT IN (SELECT id FROM stream)"},
	{"entry", "whom it is for is unknown",
		"SELECT seq FROM entry WHERE recipient NOT IN (SELECT id FROM person)"},
	{"entry", "it is missing in its stream",
		"SELECT seq FROM entry AS e WHERE NOT EXISTS"
		" (SELECT 1 FROM chain WHERE stream = e.stream AND seq = e.seq)"},
	{"entry", "it is missing in its other stream",
		"SELECT seq FROM entry AS e WHERE other IS NOT NULL AND NOT EXISTS"
		" (SELECT 1 FROM chain WHERE stream = e.other AND seq = e.seq)"},
	{"entry", "it is for everybody, and not in a room",
		"SELECT e.seq FROM entry AS e JOIN stream AS s ON s.id = e.stream"
		" WHERE e.recipient IS NULL"
		" AND (e.other IS NOT NULL OR substr(s.key, 1, 1) <> CASE WHEN e.kind <> 16 THEN "
		"x'72'"
		" WHEN s.key = x'6e2a' THEN x'6e' ELSE x'6d' END)"},
	{"a nick of person", "there is no such person",
		"SELECT person FROM nick WHERE person NOT IN (SELECT id FROM person)"},
	{"entry", "it is not in its writer's inbox",
		"SELECT e.seq FROM entry AS e JOIN stream AS s ON s.id = e.stream"
		" JOIN instance AS i ON i.id = e.instance JOIN person AS p ON p.id = i.person"
		" WHERE e.recipient IS NOT NULL"
		" AND (substr(s.key, 1, 1) <> x'69' OR substr(s.key, 2) <> p.key)"},
	{"entry", "it is not in the inbox of whom it is for",
		"SELECT e.seq FROM entry AS e"
		" JOIN stream AS s ON s.id = ifnull(e.other, e.stream)"
		" JOIN person AS p ON p.id = e.recipient"
		" WHERE substr(s.key, 1, 1) <> x'69' OR substr(s.key, 2) <> p.key"},
	{"stream", "its floor is above the oldest entry",
		"SELECT id FROM stream WHERE pruned >="
		" (SELECT min(seq) FROM entry WHERE kind <> 16)"},
	{"entry", "a number in it is none",
		"SELECT seq FROM entry WHERE typeof(time) <> 'integer'"
		" OR typeof(instance) <> 'integer' OR typeof(counter) <> 'integer' OR counter < 1"
		" OR typeof(kind) <> 'integer' OR typeof(stream) <> 'integer'"
		" OR typeof(other) NOT IN ('integer', 'null')"
		" OR typeof(recipient) NOT IN ('integer', 'null')"},
	{"stream", "its floor is none",
		"SELECT id FROM stream WHERE typeof(pruned) <> 'integer' OR pruned < 0"},
	{"stream", "its topic is not the last one that was set",
		"SELECT s.id FROM"
		" (SELECT stream, max(seq) AS seq FROM entry WHERE kind = 3 GROUP BY stream) AS t"
		" JOIN entry AS e ON e.seq = t.seq JOIN stream AS s ON s.id = t.stream"
		" WHERE s.topic IS NOT e.text OR s.topic_nick IS NOT e.nick"
		" OR s.topic_time IS NOT e.time"},
	{"stream", "the time of its topic is none",
		"SELECT id FROM stream WHERE typeof(topic_time) <> 'integer' OR topic_time < 0"},
	{"instance", "the counter that it has dropped is none",
		"SELECT id FROM instance WHERE typeof(pruned) <> 'integer' OR pruned < 0"},
	{"a place of person", "no such number may be read",
		"SELECT person FROM place WHERE typeof(read) <> 'integer' OR read < 0"
		" OR read > (SELECT ifnull(max(seq), 0) FROM entry)"},
	{"a place of person", "it is in the inbox of another, or as its member",
		"SELECT p.person FROM place AS p JOIN stream AS s ON s.id = p.stream"
		" JOIN person AS w ON w.id = p.person WHERE substr(s.key, 1, 1) = x'69'"
		" AND (p.member <> 0 OR substr(s.key, 2) <> w.key)"},
	{"a place of person", "they are neither a member nor none",
		"SELECT person FROM place WHERE member NOT IN (0, 1)"},
	{"the index of words goes to entry", "there is none yet",
		"SELECT value FROM meta WHERE name = 'indexed' AND (typeof(value) <> 'integer'"
		" OR value < 0 OR value > (SELECT ifnull(max(seq), 0) FROM entry))"},
	{"the ancestor up to entry", "its id is none, or the log's own",
		"SELECT upto FROM ancestor WHERE typeof(log) <> 'blob' OR length(log) <> 16"
		" OR log IN (SELECT value FROM meta WHERE name = 'log')"},
	{"the ancestor up to entry", "there is none yet",
		"SELECT upto FROM ancestor WHERE typeof(upto) <> 'integer' OR upto < 0"
		" OR upto > (SELECT ifnull(max(seq), 0) FROM entry)"},
	{"stream", "its key is none",
		"SELECT id FROM stream WHERE typeof(key) <> 'blob' OR NOT"
		" (substr(key, 1, 1) IN (x'72', x'6d') AND length(key) > 1"
		" OR key IN (x'6e2a', x'732a')"
		" OR substr(key, 1, 1) = x'69' AND length(key) = 33)"},
	{"person", "its key is none",
		"SELECT id FROM person WHERE typeof(key) <> 'blob' OR length(key) <> 32"},
	{"instance", "its key is none",
		"SELECT id FROM instance WHERE typeof(key) <> 'blob' OR length(key) <> 16"},
	{"instance", "its person is unknown",
		"SELECT id FROM instance WHERE person NOT IN (SELECT id FROM person)"},
	{"a place of person", "there is no such person",
		"SELECT person FROM place WHERE person NOT IN (SELECT id FROM person)"},
	{"a place in stream", "there is no such stream",
		"SELECT stream FROM place WHERE stream NOT IN (SELECT id FROM stream)"},
	{"entry", "the index of words has not got it",
		"SELECT seq FROM entry WHERE seq <= (SELECT value FROM meta WHERE name = 'indexed')"
		" AND NOT EXISTS (SELECT 1 FROM words_docsize WHERE id = seq)"},
	{"the index of words has entry", "it is not in the log",
		"SELECT id FROM words_docsize"
		" WHERE NOT EXISTS (SELECT 1 FROM entry WHERE seq = id)"},
};

struct complaint {
	const char *what, *text;
};

static void take_wrong(struct verifier *v, sqlite3_stmt *t, void *state)
{
	const struct complaint *c = state;

	verify_found(v, "%s %" PRIu64 ": %s", c->what, store_int(t, 0), c->text);
}

static int check_wrong(struct verifier *v)
{
	int r = 0;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]) && r == 0; i++) {
		struct complaint c = {wrong[i].what, wrong[i].complaint};
		r = verify_each(v, wrong[i].sql, take_wrong, &c);
	}
	return r;
}

static int check_id_of_log(struct verifier *v)
{
	uint64_t count = 0;
	int r = verify_number(v,
		"SELECT count(*) FROM meta WHERE name = 'log' AND typeof(value) = 'blob'"
		" AND length(value) = 16",
		&count);

	if (r == 0 && count != 1)
		verify_found(v, "the log has no id");
	return r;
}

/* ---- all of it ---- */

static int count_rest(struct verifier *v)
{
	struct verify_report *p = v->report;
	int r = verify_number(
		v, "SELECT count(*) FROM stream WHERE substr(key, 1, 1) = x'72'", &p->rooms);

	if (r == 0)
		r = verify_number(v, "SELECT count(*) FROM stream WHERE substr(key, 1, 1) = x'69'",
			&p->inboxes);
	if (r == 0)
		r = verify_number(v, "SELECT count(*) FROM person", &p->people);
	if (r == 0)
		r = verify_number(v, "SELECT count(*) FROM instance", &p->instances);
	if (r == 0)
		r = verify_number(v, "SELECT count(*) FROM place", &p->places);
	return r;
}

static int check_all(struct verifier *v)
{
	static int (*const checks[])(struct verifier *) = {
		check_pages,
		verify_schema,
		check_id_of_log,
		check_entries,
		check_ids,
		check_links,
		check_wrong,
		verify_content,
		verify_words,
		count_rest,
	};
	/* One transaction for reading: everything is seen as it was at its beginning. */
	int r = store_error(
		sqlite3_exec(v->db, "PRAGMA cache_size = -65536; BEGIN", NULL, NULL, NULL));

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]) && r == 0; i++)
		r = checks[i](v);
	return r;
}

int store_verify(const char *path, struct verify_report *report, char *error, size_t size)
{
	struct store *s = NULL;
	int r = store_look_size(path, error, size);

	if (r == 0)
		r = store_open(path, false, &s, error, size);
	if (r)
		return r;
	*report = (struct verify_report){.version = (uint64_t)store_schema_version()};
	struct verifier v = {.db = s->db, .report = report};
	r = check_all(&v);
	if (r)
		snprintf(error, size, "%s", sqlite3_errmsg(s->db));
	store_close(s);
	return r;
}
