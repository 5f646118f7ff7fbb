#include "server/store_copy.h"

#include "common/err.h"
#include "common/identity.h"
#include "server/store.h"
#include "server/store_look.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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

/* Its next number would mean another entry in the log that it was copied from: so it is another log from
 * there on, and remembers where that is. The newest entry is never pruned, and has the last number that
 * was given out. */
static int part(struct store *s, char *error, size_t size)
{
	int r = store_begin(s);

	if (r == 0)
		r = store_run(store_statement(s, STORE_ADD_ANCESTOR));
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

int store_copy_anew(const char *path, char *error, size_t size)
{
	struct store *s = NULL;
	int r = store_open(path, true, &s, error, size);

	if (r)
		return r;
	r = part(s, error, size);
	if (r == 0)
		r = make_single(s->db, error, size);
	store_close(s);
	return r ? r : sync_file(path, error, size);
}
