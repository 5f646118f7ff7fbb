#include "server/store_read.h"

#include "common/err.h"
#include "common/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Columns of the statements that read entries: RANGE, ALL, ENTRY. */
enum column {
	COLUMN_SEQ,
	COLUMN_TIME,
	COLUMN_INSTANCE,
	COLUMN_COUNTER,
	COLUMN_PERSON,
	COLUMN_KIND,
	COLUMN_TO, /* NULL in a room */
	COLUMN_NICK,
	COLUMN_TO_NICK,
	COLUMN_TEXT,
	COLUMN_PREV,
	COLUMN_PREV_TO,
	COLUMN_STREAM_KEY,
	COLUMN_STREAM_NAME,
};

/* What an entry points to while its reader looks at it. */
struct row {
	uint8_t instance[INSTANCE_ID], person[PERSON_ID], to[PERSON_ID];
	struct stream_key key;
	struct log_entry entry;
};

static bool read_key(sqlite3_stmt *t, int column, struct stream_key *key)
{
	const void *bytes = sqlite3_column_blob(t, column);
	int length = sqlite3_column_bytes(t, column);

	if (!bytes || length < 2 || (size_t)length > sizeof(key->bytes))
		return false;
	key->length = (uint8_t)length;
	memcpy(key->bytes, bytes, (size_t)length);
	return true;
}

/* A file that somebody has changed may have any text; what goes to clients is clean all the same, and
 * one bad row does not close a room. --verify tells of it. */
static struct span sound(struct span text, size_t least, size_t most, const char *instead)
{
	if (text.length >= least && text.length <= most && utf8_is_line(text.text, text.length))
		return text;
	return span_of(instead);
}

/* False where a row is not what we write. */
static bool read_row(sqlite3_stmt *t, struct row *row)
{
	bool direct = sqlite3_column_type(t, COLUMN_TO) != SQLITE_NULL;
	uint64_t kind = store_int(t, COLUMN_KIND);

	if ((kind >= SAID_KINDS && kind != SAID_ACT) ||
		!store_blob(t, COLUMN_INSTANCE, row->instance, INSTANCE_ID) ||
		!store_blob(t, COLUMN_PERSON, row->person, PERSON_ID) ||
		(direct && !store_blob(t, COLUMN_TO, row->to, PERSON_ID)) ||
		!read_key(t, COLUMN_STREAM_KEY, &row->key))
		return false;
	row->entry = (struct log_entry){
		.room = direct ? NULL : &row->key,
		.room_name =
			direct ? span_of("") : store_room_name(t, COLUMN_STREAM_NAME, &row->key),
		.to = direct ? row->to : NULL,
		.person = row->person,
		.instance = row->instance,
		.counter = store_int(t, COLUMN_COUNTER),
		.kind = (enum said_kind)kind,
		.nick = sound(store_text(t, COLUMN_NICK), 1, NICK_MAX, "?"),
		.to_nick = direct ? sound(store_text(t, COLUMN_TO_NICK), 1, NICK_MAX, "?")
				  : span_of(""),
		.text = sound(store_text(t, COLUMN_TEXT), kind != SAID_TOPIC,
			kind == SAID_TOPIC ? TOPIC_MAX : TEXT_MAX, "(damaged)"),
		.seq = store_int(t, COLUMN_SEQ),
		.time = store_int(t, COLUMN_TIME),
		.prev = store_int(t, COLUMN_PREV),
		.prev_to = store_int(t, COLUMN_PREV_TO),
	};
	return true;
}

static int read_rows(sqlite3_stmt *t, engine_reader *reader, void *context, bool *any)
{
	struct row row;
	int r;

	while ((r = store_step(t)) == 1) {
		if (any)
			*any = true;
		bool good = read_row(t, &row);
		if (!good || !reader(context, &row.entry)) {
			(void)sqlite3_reset(t);
			return good ? 0 : ERR_DAMAGED;
		}
	}
	return r;
}

/* ---- entries ---- */

static int find_floor(struct store *s, const struct stream_key *key, uint64_t *id, uint64_t *pruned)
{
	sqlite3_stmt *t = store_statement(s, STORE_FLOOR);

	*id = *pruned = 0;
	store_bind_blob(t, 1, key->bytes, key->length);
	int r = store_step(t);
	if (r != 1)
		return r;
	*id = store_int(t, 0);
	*pruned = store_int(t, 1);
	(void)sqlite3_reset(t);
	return 0;
}

int store_range(struct store *s, const struct stream_key *key, uint64_t after, uint64_t upto,
	engine_reader *reader, void *context, uint64_t *pruned)
{
	uint64_t id;

	/* The floor first: what is pruned after that is missing from the page, but its floor is
	 * higher next time. Read the other way round, a gap could go untold. */
	int r = store_error(sqlite3_exec(s->db, "BEGIN", NULL, NULL, NULL));
	if (r)
		return r;
	r = find_floor(s, key, &id, pruned);
	if (r == 0 && id) {
		sqlite3_stmt *t = store_statement(s, STORE_RANGE);
		store_bind_int(t, 1, id);
		store_bind_int(t, 2, after);
		store_bind_int(t, 3, upto);
		r = read_rows(t, reader, context, NULL);
	}
	(void)sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL);
	return r;
}

int store_all(struct store *s, uint64_t after, engine_reader *reader, void *context)
{
	sqlite3_stmt *t = store_statement(s, STORE_ALL);

	store_bind_int(t, 1, after);
	return read_rows(t, reader, context, NULL);
}

int store_entry(struct store *s, uint64_t seq, engine_reader *reader, void *context)
{
	sqlite3_stmt *t = store_statement(s, STORE_ENTRY);
	bool any = false;

	store_bind_int(t, 1, seq);
	int r = read_rows(t, reader, context, &any);
	(void)sqlite3_reset(t);
	return r == 0 && !any ? ERR_NOT_FOUND : r;
}

/* ---- places in a stream ---- */

/* The number after which the last `count` entries below `before` begin. */
static int count_back(struct store *s, uint64_t id, uint64_t pruned, uint64_t before,
	uint32_t count, uint64_t *after)
{
	sqlite3_stmt *t = store_statement(s, STORE_BACK);

	*after = pruned;
	store_bind_int(t, 1, id);
	store_bind_int(t, 2, before);
	store_bind_int(t, 3, count);
	int r = store_one(t, after);
	return r < 0 ? r : 0;
}

int store_before(struct store *s, const struct stream_key *key, uint64_t before, uint32_t count,
	uint64_t *after)
{
	uint64_t id, pruned;
	int r = find_floor(s, key, &id, &pruned);

	*after = pruned;
	return r || !id ? r : count_back(s, id, pruned, before, count, after);
}

int store_last(struct store *s, const struct stream_key *key, uint32_t count, uint64_t *last,
	uint64_t *after)
{
	uint64_t id, pruned;

	*last = *after = 0;
	int r = find_floor(s, key, &id, &pruned);
	if (r || !id)
		return r;
	sqlite3_stmt *t = store_statement(s, STORE_LAST_OF_STREAM);
	store_bind_int(t, 1, id);
	r = store_one(t, last);
	*after = *last;
	if (r < 0 || count == 0)
		return r < 0 ? r : 0;
	/* What was appended since is not counted. */
	return count_back(s, id, pruned, *last + 1, count, after);
}

static int time_of(struct store *s, uint64_t at_least, uint64_t *seq, uint64_t *time)
{
	sqlite3_stmt *t = store_statement(s, STORE_TIME_FROM);

	store_bind_int(t, 1, at_least);
	int r = store_step(t);
	if (r == 1) {
		*seq = store_int(t, 0);
		*time = store_int(t, 1);
		(void)sqlite3_reset(t);
	}
	return r;
}

/* Times never fall along the log, so the place is found by halving, without an index on them. */
int store_since(struct store *s, const struct stream_key *key, uint64_t time, uint64_t *after)
{
	uint64_t id, pruned = 0, low, high, unused, seq = 0, at = 0;
	int r = store_last(s, key, 0, &high, &unused);

	if (r == 0)
		r = find_floor(s, key, &id, &pruned);
	*after = pruned;
	if (r || !id)
		return r;
	low = pruned;
	/* All up to `low` are earlier; nothing above `high` is of the stream. */
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		r = time_of(s, middle + 1, &seq, &at);
		if (r < 0)
			return r;
		if (r == 0 || at >= time)
			high = middle;
		else
			low = seq;
	}
	*after = low > pruned ? low : pruned;
	return 0;
}

/* ---- rooms ---- */

static void copy_text(char *out, size_t size, struct span text)
{
	snprintf(out, size, "%.*s", (int)text.length, text.text);
}

static void read_room(sqlite3_stmt *t, const struct stream_key *key, struct room_record *out)
{
	copy_text(out->name, sizeof(out->name), store_room_name(t, 1, key));
	copy_text(out->topic, sizeof(out->topic), sound(store_text(t, 2), 0, TOPIC_MAX, ""));
	copy_text(
		out->topic_nick, sizeof(out->topic_nick), sound(store_text(t, 3), 0, NICK_MAX, ""));
	out->topic_time = store_int(t, 4);
	out->last = store_int(t, 5);
	/* Where one of both says so, whatever became of the other. Longer than any text is no charter. */
	out->closed = store_int(t, 7) != STORE_LISTED_OPEN ||
		      charter_text_is_closed(store_text(t, 6)) ||
		      sqlite3_column_bytes(t, 6) > UINT16_MAX;
}

int store_room(struct store *s, const struct stream_key *key, struct room_record *out)
{
	sqlite3_stmt *t = store_statement(s, STORE_ROOM);

	store_bind_blob(t, 1, key->bytes, key->length);
	int r = store_step(t);
	if (r != 1)
		return r ? r : ERR_NOT_FOUND;
	read_room(t, key, out);
	(void)sqlite3_reset(t);
	return out->last && out->name[0] ? 0 : ERR_NOT_FOUND;
}

int store_rooms(struct store *s, const struct stream_key *after, bool all, uint32_t limit,
	engine_room_reader *reader, void *context)
{
	static const uint8_t first[] = {'r'};
	sqlite3_stmt *t = store_statement(s, all ? STORE_ROOMS : STORE_ROOMS_OPEN);
	struct stream_key key;
	struct room_record room;
	int r;

	store_bind_blob(t, 1, after ? after->bytes : first, after ? after->length : sizeof(first));
	store_bind_int(t, 2, limit);
	while ((r = store_step(t)) == 1) {
		if (!read_key(t, 0, &key)) {
			(void)sqlite3_reset(t);
			return ERR_DAMAGED;
		}
		read_room(t, &key, &room);
		if (!reader(context, &key, &room)) {
			(void)sqlite3_reset(t);
			return 0;
		}
	}
	return r;
}

/* ---- other logs ---- */

static int add_ancestor(sqlite3_stmt *t, struct engine_ancestor **list, size_t *count)
{
	struct engine_ancestor *longer = realloc(*list, (*count + 1) * sizeof(*longer));

	if (!longer)
		return ERR_MEMORY;
	*list = longer;
	longer[*count].upto = store_int(t, 1);
	/* What is no id is nobody's; --verify tells of it. */
	*count += store_blob(t, 0, longer[*count].log_id, ENGINE_LOG_ID);
	return 0;
}

int store_ancestors(struct store *s, struct engine_ancestor **out, size_t *count)
{
	sqlite3_stmt *t = store_statement(s, STORE_ANCESTORS);
	int r;

	*out = NULL;
	*count = 0;
	while ((r = store_step(t)) == 1) {
		r = add_ancestor(t, out, count);
		if (r) {
			(void)sqlite3_reset(t);
			break;
		}
	}
	if (r) {
		free(*out);
		*out = NULL;
		*count = 0;
	}
	return r;
}
