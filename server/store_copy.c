#include "server/store_copy.h"

#include "common/err.h"
#include "common/identity.h"
#include "server/store.h"
#include "server/store_look.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fail(sqlite3 *db, int code, char *error, size_t size)
{
	snprintf(error, size, "%s", db ? sqlite3_errmsg(db) : sqlite3_errstr(code));
	return store_error(code);
}

/* One step for all pages: in between, a writer would make the copy begin anew. */
static int copy_pages(sqlite3 *from, sqlite3 *to, char *error, size_t size)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");

	if (!b)
		return fail(to, sqlite3_errcode(to), error, size);
	int code = sqlite3_backup_step(b, -1);
	int end = sqlite3_backup_finish(b);
	if (code == SQLITE_DONE)
		return 0;
	return fail(to, end != SQLITE_OK ? end : code, error, size);
}

/* The copy says of itself, as its original does, that it has a write-ahead log. Without one it can be
 * read where nothing can be written. */
static int make_single(sqlite3 *db, char *error, size_t size)
{
	int code = sqlite3_exec(db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);

	return code == SQLITE_OK ? 0 : fail(db, code, error, size);
}

static int sync_file(const char *path, char *error, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r = fd >= 0 && fsync(fd) == 0 ? 0 : ERR_SYSTEM;

	if (r)
		snprintf(error, size, "%s", strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	return r;
}

static int fill(sqlite3 *from, sqlite3 *to, uint64_t *entries, char *error, size_t size)
{
	/* What is left of a copy that failed is thrown away, so it needs no journal. */
	static const char quickly[] = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF";
	int code = sqlite3_exec(to, quickly, NULL, NULL, NULL);

	if (code != SQLITE_OK)
		return fail(to, code, error, size);
	int r = copy_pages(from, to, error, size);
	if (r == 0)
		r = make_single(to, error, size);
	if (r)
		return r;
	r = store_look_number(to, "SELECT count(*) FROM entry", entries);
	if (r)
		snprintf(error, size, "%s", sqlite3_errmsg(to));
	return r;
}

int store_copy(const char *from, const char *to, uint64_t *entries, char *error, size_t size)
{
	sqlite3 *source = NULL, *target = NULL;
	int r = store_look(from, &source, error, size);

	if (r)
		return r;
	int code = sqlite3_open_v2(to, &target, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (code == SQLITE_OK)
		r = fill(source, target, entries, error, size);
	else
		r = fail(target, code, error, size);
	(void)sqlite3_close(target);
	(void)sqlite3_close(source);
	return r ? r : sync_file(to, error, size);
}

/* ---- another log ---- */

static int set_id(struct store *s)
{
	uint8_t id[ENGINE_LOG_ID];
	sqlite3_stmt *t = store_statement(s, STORE_SET_META);

	identity_random(id, sizeof(id));
	store_bind_text(t, 1, span_of("log"));
	store_bind_blob(t, 2, id, sizeof(id));
	return store_run(t);
}

/* ---- the log whose place it takes ---- */

#define KIN_MOST 1000 /* restores that are looked back at */

/* The log itself, and those that it was a copy of; each is it up to a number. */
struct kin {
	struct engine_ancestor list[KIN_MOST];
	size_t count;
};

static void collect(sqlite3 *db, const char *sql, struct kin *k)
{
	sqlite3_stmt *t = NULL;

	/* An older version has no such table. */
	if (sqlite3_prepare_v2(db, sql, -1, &t, NULL) != SQLITE_OK)
		return;
	while (k->count < KIN_MOST && sqlite3_step(t) == SQLITE_ROW) {
		struct engine_ancestor *a = &k->list[k->count];
		const void *id = sqlite3_column_blob(t, 0);
		sqlite3_int64 upto = sqlite3_column_int64(t, 1);
		if (!id || sqlite3_column_bytes(t, 0) != ENGINE_LOG_ID || upto < 0)
			continue;
		memcpy(a->log_id, id, ENGINE_LOG_ID);
		a->upto = (uint64_t)upto;
		k->count++;
	}
	sqlite3_finalize(t);
}

/* Whatever is wrong with it is no reason not to restore: then nobody comes from it. */
static void read_kin(const char *replaced, struct kin *k)
{
	char unused[256];
	sqlite3 *db = NULL;

	k->count = 0;
	if (access(replaced, F_OK) != 0 || store_look(replaced, &db, unused, sizeof(unused)) != 0)
		return;
	collect(db, "SELECT value, 9223372036854775807 FROM meta WHERE name = 'log'", k);
	collect(db, "SELECT log, upto FROM ancestor", k);
	(void)sqlite3_close(db);
}

/* Up to which number both logs are one, as far as a log is known that both come from; false: none. */
static int find_common(struct store *s, const struct kin *k, bool *found, uint64_t *common)
{
	sqlite3_stmt *t = store_statement(s, STORE_PARTED);

	*found = false;
	*common = 0;
	for (size_t i = 0; i < k->count; i++) {
		store_bind_blob(t, 1, k->list[i].log_id, ENGINE_LOG_ID);
		int r = store_step(t);
		if (r < 0)
			return r;
		if (r == 0)
			continue;
		uint64_t upto = store_int(t, 0);
		(void)sqlite3_reset(t);
		if (k->list[i].upto < upto)
			upto = k->list[i].upto;
		if (!*found || upto > *common)
			*common = upto;
		*found = true;
	}
	return 0;
}

/* What is one with the log that is replaced up to a number is one with this one up to it or to where
 * these two part, whichever is lower. */
static int add_kin(struct store *s, const struct kin *k)
{
	sqlite3_stmt *t = store_statement(s, STORE_ADD_KIN);
	uint64_t common;
	bool found;
	int r = find_common(s, k, &found, &common);

	for (size_t i = 0; r == 0 && found && i < k->count; i++) {
		uint64_t upto = k->list[i].upto < common ? k->list[i].upto : common;
		store_bind_blob(t, 1, k->list[i].log_id, ENGINE_LOG_ID);
		store_bind_int(t, 2, upto);
		r = store_run(t);
	}
	return r;
}

/* Its next number would mean another entry in the log that it was copied from: so it is another log from
 * there on, and remembers where that is. The newest entry is never pruned, and has the last number that
 * was given out. */
static int part(struct store *s, const struct kin *k, char *error, size_t size)
{
	int r = store_begin(s);

	if (r == 0)
		r = store_run(store_statement(s, STORE_ADD_ANCESTOR));
	if (r == 0)
		r = add_kin(s, k);
	if (r == 0)
		r = set_id(s);
	if (r == 0)
		r = store_commit(s);
	if (r) {
		snprintf(error, size, "%s", sqlite3_errmsg(s->db));
		store_rollback(s);
	}
	return r;
}

int store_copy_anew(const char *path, const char *replaced, char *error, size_t size)
{
	struct store *s = NULL;
	struct kin *k = malloc(sizeof(*k));

	if (!k) {
		snprintf(error, size, "out of memory");
		return ERR_MEMORY;
	}
	read_kin(replaced, k);
	int r = store_open(path, true, &s, error, size);
	if (r == 0) {
		r = part(s, k, error, size);
		if (r == 0)
			r = make_single(s->db, error, size);
		store_close(s);
	}
	free(k);
	return r ? r : sync_file(path, error, size);
}
