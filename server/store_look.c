#include "server/store_look.h"

#include "common/clock.h"
#include "common/err.h"
#include "server/store.h"
#include "server/store_schema.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUSY_MS  5000
#define SMALLEST 512   /* bytes of a database: a page */
#define HEADER   100   /* bytes of a database's */
#define PROGRESS 10000 /* of SQLite's steps between two looks at the clock */

int store_look_number(sqlite3 *db, const char *sql, uint64_t *value)
{
	sqlite3_stmt *t;
	int code = sqlite3_prepare_v2(db, sql, -1, &t, NULL);

	if (code == SQLITE_OK) {
		code = sqlite3_step(t);
		if (code == SQLITE_ROW)
			*value = store_int(t, 0);
		int end = sqlite3_finalize(t);
		code = end != SQLITE_OK ? end : code;
	}
	return store_error(code);
}

/* ---- opening ---- */

enum content {
	CONTENT_LOG,
	CONTENT_NONE,
	/* Whoever began to make it was interrupted: there is a transaction to be rolled back, which a log
	 * has only before it is in WAL mode. */
	CONTENT_BEGUN,
};

static int recognise(sqlite3 *db, enum content *content, char *error, size_t size)
{
	static const char careful[] = "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON";
	uint64_t application = 0, version = 0, objects = 0;
	int r = store_error(sqlite3_exec(db, careful, NULL, NULL, NULL));

	if (r == 0)
		r = store_look_number(db, "PRAGMA application_id", &application);
	if (r == 0)
		r = store_look_number(db, "PRAGMA user_version", &version);
	if (r == 0)
		r = store_look_number(db, "SELECT count(*) FROM sqlite_schema", &objects);
	*content = CONTENT_LOG;
	if (r && sqlite3_extended_errcode(db) == SQLITE_READONLY_ROLLBACK)
		*content = CONTENT_BEGUN;
	else if (r == 0 && application == 0 && version == 0 && objects == 0)
		*content = CONTENT_NONE;
	if (*content != CONTENT_LOG)
		return 0;
	if (r) {
		snprintf(error, size, "%s", sqlite3_errmsg(db));
		return r;
	}
	if (application != STORE_APPLICATION || version < 1) {
		snprintf(error, size, "it is not a log of lanchatd");
		return ERR_DAMAGED;
	}
	if (version > (uint64_t)store_schema_version()) {
		snprintf(error, size,
			"it is of a newer lanchatd (version %d; this one knows %d): use that one",
			(int)version, store_schema_version());
		return ERR_DAMAGED;
	}
	return 0;
}

static int connect_to(const char *path, sqlite3 **out, char *error, size_t size)
{
	sqlite3 *db = NULL;
	int code = sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);

	if (code != SQLITE_OK) {
		snprintf(error, size, "%s", db ? sqlite3_errmsg(db) : "out of memory");
		(void)sqlite3_close(db);
		return store_error(code);
	}
	(void)sqlite3_extended_result_codes(db, 1);
	(void)sqlite3_busy_timeout(db, BUSY_MS);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	*out = db;
	return 0;
}

/* Is there a file of that name, with something in it? Where memory is out: perhaps. */
static bool is_beside(const char *path, const char *suffix)
{
	char *beside = NULL;
	struct stat st;

	if (asprintf(&beside, "%s%s", path, suffix) < 0)
		return true;
	bool there = stat(beside, &st) == 0 && st.st_size > 0; /* readers leave empty ones */
	free(beside);
	return there;
}

bool store_look_orphan(const char *path)
{
	return access(path, F_OK) != 0 && errno == ENOENT && is_beside(path, "-wal");
}

static int check_orphan(const char *path, char *error, size_t size)
{
	if (!store_look_orphan(path))
		return 0;
	snprintf(error, size, "it is missing, and its write-ahead log is not");
	return ERR_DAMAGED;
}

/* What SQLite must not be given, because it would tidy up: it takes an empty database for a new one,
 * and removes the write-ahead log beside it. */
static int check_size(const char *path, off_t bytes, char *error, size_t size)
{
	if (bytes >= SMALLEST)
		return 0;
	if (bytes > 0) {
		snprintf(error, size, "file is not a database");
		return ERR_DAMAGED;
	}
	if (!is_beside(path, "-wal"))
		return 0;
	snprintf(error, size, "it is empty, and its write-ahead log is not");
	return ERR_DAMAGED;
}

/* While a writer has it open, or after a crash, the file may have another size than it says. */
static bool is_alone(const char *path)
{
	return !is_beside(path, "-wal") && !is_beside(path, "-journal");
}

/* The bytes that a database's header speaks of; 0 where it says nothing that can be. Source:
 * sqlite.org/fileformat.html, section 1.3. */
static uint64_t size_by_header(const uint8_t *header)
{
	const uint8_t *pages = header + 28;
	uint64_t page = (uint64_t)header[16] << 8 | header[17];
	uint64_t count = (uint64_t)pages[0] << 24 | (uint64_t)pages[1] << 16 |
			 (uint64_t)pages[2] << 8 | pages[3];

	if (memcmp(header, "SQLite format 3", 16) != 0)
		return 0;
	return (page == 1 ? 65536 : page) * count;
}

int store_look_size(const char *path, char *error, size_t size)
{
	uint8_t header[HEADER];
	struct stat st;
	int r = check_orphan(path, error, size);

	if (r || !is_alone(path))
		return r;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return 0; /* whoever opens it next says why */
	bool read = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		    pread(fd, header, sizeof(header), 0) == (ssize_t)sizeof(header);
	(void)close(fd);
	uint64_t expected = read ? size_by_header(header) : 0;
	/* A writer may have come meanwhile. */
	if (expected == 0 || expected == (uint64_t)st.st_size || !is_alone(path))
		return 0;
	snprintf(error, size, "it has %lld bytes where %" PRIu64 " belong: it was cut or added to",
		(long long)st.st_size, expected);
	return ERR_DAMAGED;
}

static int look(const char *path, sqlite3 **out, enum content *content, char *error, size_t size)
{
	struct stat st;
	sqlite3 *db = NULL;
	int r = check_orphan(path, error, size);

	if (r)
		return r;
	if (stat(path, &st) != 0) {
		snprintf(error, size, "%s", strerror(errno));
		return errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM;
	}
	if (!S_ISREG(st.st_mode)) {
		snprintf(error, size, "it is not a file");
		return ERR_DAMAGED;
	}
	r = check_size(path, st.st_size, error, size);
	if (r == 0)
		r = store_look_size(path, error, size);
	if (r == 0)
		r = connect_to(path, &db, error, size);
	if (r)
		return r;
	r = recognise(db, content, error, size);
	if (r) {
		(void)sqlite3_close(db);
		return r;
	}
	*out = db;
	return 0;
}

int store_look(const char *path, sqlite3 **out, char *error, size_t size)
{
	sqlite3 *db = NULL;
	enum content content = CONTENT_LOG;
	int r = look(path, &db, &content, error, size);

	if (r == 0 && content != CONTENT_LOG) {
		snprintf(error, size, "%s",
			content == CONTENT_NONE
				? STORE_EMPTY
				: "its making was interrupted: start the server on it once");
		(void)sqlite3_close(db);
		return ERR_DAMAGED;
	}
	if (r == 0)
		*out = db;
	return r;
}

/* ---- looking over ---- */

static int is_late(void *context)
{
	return clock_ms() > *(const int64_t *)context;
}

/* What one row says is wrong, in one line. A row may begin with one that says where: "*** in database
 * main ***", which tells nobody anything. */
static void first_fault(const char *said, char *error, size_t size)
{
	const char *next = strchr(said, '\n');

	if (strncmp(said, "*** in database", 15) == 0 && next && next[1])
		said = next + 1;
	snprintf(error, size, "%.*s", (int)strcspn(said, "\n"), said);
}

/* The first thing that is wrong, if anything is. */
static int quick_check(sqlite3 *db, char *error, size_t size)
{
	sqlite3_stmt *t;
	int code = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &t, NULL);

	if (code == SQLITE_OK) {
		code = sqlite3_step(t);
		const char *said =
			code == SQLITE_ROW ? (const char *)sqlite3_column_text(t, 0) : NULL;
		if (said && strcmp(said, "ok") != 0) {
			first_fault(said, error, size);
			code = SQLITE_CORRUPT;
		} else if (store_error(code)) {
			snprintf(error, size, "%s", sqlite3_errmsg(db));
		}
		(void)sqlite3_finalize(t);
	} else {
		snprintf(error, size, "%s", sqlite3_errmsg(db));
	}
	return store_error(code);
}

int store_look_over(const char *path, int64_t deadline, char *error, size_t size)
{
	sqlite3 *db = NULL;
	enum content content = CONTENT_LOG;
	int r = look(path, &db, &content, error, size);

	if (r)
		return r;
	sqlite3_progress_handler(db, PROGRESS, is_late, &deadline);
	r = content == CONTENT_LOG ? quick_check(db, error, size) : 0;
	(void)sqlite3_close(db);
	return r == ERR_TIMEOUT ? 0 : r;
}
