#include "server/store.h"

#include "common/err.h"
#include "server/store_schema.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUSY_MS 5000 /* a backup or a checkpoint of another process may hold a lock for a moment */

static const char *const statement_text[] = {
#define STATEMENT(NAME, sql) sql,
#include "server/store_statements.def"
#undef STATEMENT
};

int store_error(int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_FULL:
		return ERR_FULL;
	case SQLITE_NOMEM:
		return ERR_MEMORY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_SCHEMA:
		return ERR_DAMAGED;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_INTERRUPT:
		return ERR_TIMEOUT;
	default:
		return ERR_SYSTEM;
	}
}

/* ---- life ---- */

/* Whatever a statement needs is there, or it is no log of ours: better found now than later. By who writes,
 * which is opened first; who reads prepares each when it is first wanted, as there are many of them. */
static int prepare_all(struct store *s, char *error, size_t size)
{
	for (int i = 0; i < STORE_STATEMENTS; i++) {
		if (store_statement(s, (enum store_statement)i))
			continue;
		int r = store_error(sqlite3_errcode(s->db));
		snprintf(error, size, "%s", sqlite3_errmsg(s->db));
		return r == ERR_SYSTEM ? ERR_DAMAGED : r;
	}
	return 0;
}

static int configure(struct store *s, char *error, size_t size)
{
	/* Checked sums of cells cost little and stop a damaged page from being believed. */
	static const char always[] = "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"
				     "PRAGMA foreign_keys = OFF;"
				     /* The sandbox has no place for files of SQLite's own. */
				     "PRAGMA temp_store = MEMORY";
	/* Who reads has the system's copy near, loses all pages whenever something was written, and
	 * there are several of them: as many as SQLite gets at once. Who writes has 8 MiB, and gives
	 * them back when it rests. */
	static const char reading[] = "PRAGMA cache_size = 20";
	static const char writing[] = "PRAGMA cache_size = -8192";
	(void)sqlite3_extended_result_codes(s->db, 1);
	(void)sqlite3_busy_timeout(s->db, BUSY_MS);
	(void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	int code = sqlite3_exec(s->db, always, NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_exec(s->db, s->writable ? writing : reading, NULL, NULL, NULL);
	if (code != SQLITE_OK) {
		snprintf(error, size, "%s", sqlite3_errmsg(s->db));
		return store_error(code);
	}
	int r = s->writable ? store_schema_migrate(s->db, error, size)
			    : store_schema_check(s->db, error, size);
	return r || !s->writable ? r : prepare_all(s, error, size);
}

/* What people write to each other is nobody else's to read, and SQLite gives the files beside the
 * database its mode. Where it cannot be made, SQLite says why. */
static void make_private(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd >= 0)
		(void)close(fd);
}

int store_open(const char *path, bool writable, struct store **out, char *error, size_t size)
{
	/* One thread at a time uses a store, so SQLite needs no locks of its own. */
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
	struct store *s = calloc(1, sizeof(*s));

	if (!s) {
		snprintf(error, size, "out of memory");
		return ERR_MEMORY;
	}
	s->writable = writable;
	flags |= writable ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
	if (writable)
		make_private(path);
	int code = sqlite3_open_v2(path, &s->db, flags, NULL);
	int r = store_error(code);
	if (r)
		snprintf(error, size, "%s", s->db ? sqlite3_errmsg(s->db) : "out of memory");
	else
		r = configure(s, error, size);
	if (r) {
		store_close(s);
		return r;
	}
	*out = s;
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	for (int i = 0; i < STORE_STATEMENTS; i++)
		(void)sqlite3_finalize(s->statements[i]);
	(void)sqlite3_close(s->db);
	free(s);
}

/* ---- statements ---- */

sqlite3_stmt *store_statement(struct store *s, enum store_statement which)
{
	if (!s->statements[which])
		(void)sqlite3_prepare_v3(s->db, statement_text[which], -1,
			SQLITE_PREPARE_PERSISTENT, &s->statements[which], NULL);
	return s->statements[which];
}

/* A value that could not be bound, for want of memory, makes the next step fail by itself: SQLite takes
 * it for NULL, which no column allows, or finds no row. */

void store_bind_int(sqlite3_stmt *t, int at, uint64_t value)
{
	/* Numbers count entries and microseconds: far below 2^63. Larger ones come only from
	 * clients, as positions and counters, and mean "above everything". */
	if (t)
		(void)sqlite3_bind_int64(
			t, at, value > INT64_MAX ? INT64_MAX : (sqlite3_int64)value);
}

void store_bind_blob(sqlite3_stmt *t, int at, const void *bytes, size_t length)
{
	if (t)
		(void)sqlite3_bind_blob64(t, at, bytes, length, SQLITE_STATIC);
}

void store_bind_text(sqlite3_stmt *t, int at, struct span text)
{
	if (t)
		(void)sqlite3_bind_text64(
			t, at, text.text ? text.text : "", text.length, SQLITE_STATIC, SQLITE_UTF8);
}

int store_run(sqlite3_stmt *t)
{
	if (!t)
		return ERR_MEMORY;
	int code = sqlite3_step(t);
	(void)sqlite3_reset(t);
	(void)sqlite3_clear_bindings(t);
	return store_error(code);
}

int store_step(sqlite3_stmt *t)
{
	if (!t)
		return ERR_MEMORY;
	int code = sqlite3_step(t);
	if (code == SQLITE_ROW)
		return 1;
	(void)sqlite3_reset(t);
	(void)sqlite3_clear_bindings(t);
	return store_error(code);
}

int store_one(sqlite3_stmt *t, uint64_t *value)
{
	int r = store_step(t);

	if (r != 1)
		return r;
	if (sqlite3_column_type(t, 0) != SQLITE_NULL)
		*value = store_int(t, 0);
	(void)sqlite3_reset(t);
	(void)sqlite3_clear_bindings(t);
	return 1;
}

uint64_t store_int(sqlite3_stmt *t, int column)
{
	sqlite3_int64 value = sqlite3_column_int64(t, column);

	return value < 0 ? 0 : (uint64_t)value;
}

struct span store_text(sqlite3_stmt *t, int column)
{
	const char *text = (const char *)sqlite3_column_text(t, column);
	int length = sqlite3_column_bytes(t, column);

	if (!text || length > UINT16_MAX)
		return (struct span){.text = "", .length = 0};
	return (struct span){.text = text, .length = (uint16_t)length};
}

struct span store_room_name(sqlite3_stmt *t, int column, const struct stream_key *key)
{
	struct span name = store_text(t, column);

	if (key->bytes[0] != 'r')
		return span_of("");
	if (name_check(name.text, name.length, ROOM_NAME_MAX) == 0)
		return name;
	size_t length = key->length - 1U;
	return (struct span){.text = (const char *)key->bytes + 1,
		.length = (uint16_t)(length > ROOM_NAME_MAX ? ROOM_NAME_MAX : length)};
}

bool store_blob(sqlite3_stmt *t, int column, uint8_t *out, size_t length)
{
	const void *bytes = sqlite3_column_blob(t, column);

	if (!bytes || (size_t)sqlite3_column_bytes(t, column) != length)
		return false;
	memcpy(out, bytes, length);
	return true;
}

/* ---- transactions ---- */

int store_begin(struct store *s)
{
	return store_run(store_statement(s, STORE_BEGIN));
}

int store_commit(struct store *s)
{
	return store_run(store_statement(s, STORE_COMMIT));
}

void store_rollback(struct store *s)
{
	/* After some errors SQLite has done so by itself. */
	if (!sqlite3_get_autocommit(s->db))
		(void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

/* ---- rows of streams and people ---- */

static int find(sqlite3_stmt *t, const void *key, size_t length, uint64_t *id)
{
	*id = 0;
	store_bind_blob(t, 1, key, length);
	int r = store_one(t, id);
	return r < 0 ? r : 0;
}

int store_find_stream(struct store *s, const struct stream_key *key, uint64_t *id)
{
	return find(store_statement(s, STORE_FIND_STREAM), key->bytes, key->length, id);
}

int store_find_person(struct store *s, const uint8_t *person, uint64_t *id)
{
	return find(store_statement(s, STORE_FIND_PERSON), person, PERSON_ID, id);
}

static int added(struct store *s, sqlite3_stmt *t, uint64_t *id)
{
	int r = store_run(t);

	if (r == 0)
		*id = (uint64_t)sqlite3_last_insert_rowid(s->db);
	return r;
}

int store_need_stream(struct store *s, const struct stream_key *key, struct span name, uint64_t *id)
{
	int r = store_find_stream(s, key, id);

	if (r || *id)
		return r;
	sqlite3_stmt *t = store_statement(s, STORE_ADD_STREAM);
	store_bind_blob(t, 1, key->bytes, key->length);
	store_bind_text(t, 2, name);
	return added(s, t, id);
}

int store_need_person(struct store *s, const uint8_t *person, uint64_t *id)
{
	int r = store_find_person(s, person, id);

	if (r || *id)
		return r;
	sqlite3_stmt *t = store_statement(s, STORE_ADD_PERSON);
	store_bind_blob(t, 1, person, PERSON_ID);
	return added(s, t, id);
}
