#include "tests/unit/log_folder.h"

#include "common/clock.h"
#include "server/store.h"
#include "tests/unit/entries.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void log_folder_new(struct log_folder *f)
{
	snprintf(f->path, sizeof(f->path), "/tmp/lanchat-test-log-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(f->path));
	engine_cases_use(NULL); /* gives people their ids; logs are opened here */
	snprintf(f->log, sizeof(f->log), "%s/" STORE_FILE, f->path);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

void log_folder_remove(struct log_folder *f)
{
	(void)nftw(f->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *log_folder_file(const struct log_folder *f, const char *name, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s/%s", f->path, name);
	return out;
}

void log_folder_open(struct log_folder *f, uint64_t keep_messages, struct log *l)
{
	struct engine_config config = {
		.folder = f->path, .sync = SYNC_OFF, .keep_messages = keep_messages};
	char error[1024] = "";

	*l = (struct log){0};
	int r = engine_open_sqlite(&config, log_applied, l, &l->engine, error, sizeof(error));
	ck_assert_msg(r == 0, "%s", error);
}

static bool ignore(void *context, const struct log_entry *e)
{
	(void)context;
	(void)e;
	return true;
}

/* A search waits for the index. */
void log_folder_index(struct log *l, const struct stream_key *room)
{
	struct search what = {
		.streams = room,
		.stream_count = 1,
		.words = span_of("nothing"),
		.before = UINT64_MAX,
		.limit = 1,
		.deadline = clock_ms() + 10000,
	};

	ck_assert_int_eq(engine_search(l->engine, &what, ignore, NULL), 0);
}

static struct log_entry entry(const struct stream_key *a, const struct stream_key *b, uint64_t i)
{
	int who = (int)(i % 3) + 1;
	uint64_t counter = i / 3 + 1;

	switch (i % 8) {
	case 3:
		return log_direct(who, 4, counter, "a secret");
	case 5:
		return log_direct(who, who, counter, "a note to myself");
	case 6:
		return log_said(b, who, counter, "words in b");
	default:
		return log_said(a, who, counter, "some words in a");
	}
}

void log_folder_fill(struct log *l)
{
	struct stream_key a = entry_room("a"), b = entry_room("b");

	for (uint64_t i = 0; i < LOG_FOLDER_ENTRIES; i++) {
		struct log_entry e = entry(&a, &b, i);
		if (i == 9)
			e.kind = SAID_TOPIC;
		log_accept(l, e, i + 1);
	}
	struct note n = {.kind = NOTE_READ,
		.person = log_person(1),
		.stream = &a,
		.name = span_of("a"),
		.seq = 5};
	ck_assert_int_eq(engine_note(l->engine, &n), 0);
	log_folder_index(l, &a);
}

void log_folder_make(struct log_folder *f)
{
	struct log l;

	log_folder_open(f, 0, &l);
	log_folder_fill(&l);
	log_close(&l);
}

void log_folder_sql(const char *path, const char *sql)
{
	char *error = NULL;
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	int r = sqlite3_exec(db, sql, NULL, NULL, &error);
	ck_assert_msg(r == SQLITE_OK, "%s: %s", sql, error);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

static sqlite3_stmt *ask(const char *path, const char *sql, sqlite3 **db)
{
	sqlite3_stmt *t;

	ck_assert_int_eq(sqlite3_open_v2(path, db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(*db, sql, -1, &t, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(t), SQLITE_ROW);
	return t;
}

void log_folder_id(const char *path, uint8_t id[ENGINE_LOG_ID])
{
	sqlite3 *db;
	sqlite3_stmt *t = ask(path, "SELECT value FROM meta WHERE name = 'log'", &db);

	ck_assert(store_blob(t, 0, id, ENGINE_LOG_ID));
	(void)sqlite3_finalize(t);
	(void)sqlite3_close(db);
}

uint64_t log_folder_count(const char *path)
{
	sqlite3 *db;
	sqlite3_stmt *t = ask(path, "SELECT count(*) FROM entry", &db);
	uint64_t count = store_int(t, 0);

	(void)sqlite3_finalize(t);
	(void)sqlite3_close(db);
	return count;
}

uint8_t *log_folder_bytes(const char *path, size_t *size)
{
	FILE *in = fopen(path, "r");

	ck_assert_msg(in != NULL, "%s", path);
	ck_assert_int_eq(fseek(in, 0, SEEK_END), 0);
	*size = (size_t)ftell(in);
	rewind(in);
	uint8_t *bytes = malloc(*size + 1);
	ck_assert_ptr_nonnull(bytes);
	ck_assert_uint_eq(fread(bytes, 1, *size, in), *size);
	ck_assert_int_eq(fclose(in), 0);
	return bytes;
}

void log_folder_write(const char *path, const void *bytes, size_t size)
{
	FILE *out = fopen(path, "w");

	ck_assert_ptr_nonnull(out);
	ck_assert_uint_eq(fwrite(bytes, 1, size, out), size);
	ck_assert_int_eq(fclose(out), 0);
}

static bool ends_in(const char *name, const char *end)
{
	size_t length = strlen(name), part = strlen(end);

	return length >= part && strcmp(name + length - part, end) == 0;
}

size_t log_folder_find(const struct log_folder *f, const char *prefix, char path[PATH_MAX])
{
	DIR *d = opendir(f->path);
	size_t count = 0;

	ck_assert_ptr_nonnull(d);
	for (struct dirent *e; (e = readdir(d));) {
		if (strncmp(e->d_name, prefix, strlen(prefix)) != 0 || ends_in(e->d_name, "-wal") ||
			ends_in(e->d_name, "-shm"))
			continue;
		count++;
		(void)log_folder_file(f, e->d_name, path);
	}
	(void)closedir(d);
	return count;
}
