/*
 * Before there was one file for all, each instance's file (state.h) had positions of its own, and a
 * program went by those of whichever file it got. They are moved here once.
 *
 * The furthest position of a room counts, of the log that the file written last knows: up to there
 * some program has printed. A file that another process has, or that is damaged, is left out.
 */
#include "client/positions_private.h"

#include "client/database.h"
#include "client/state_folder.h"
#include "common/err.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* The log of a file's positions; false: it has none, or cannot be read. */
static bool read_log(sqlite3 *db, uint8_t log[INSTANCE_ID])
{
	static const char text[] = "SELECT log FROM meta WHERE EXISTS (SELECT 1 FROM position)";
	sqlite3_stmt *t = NULL;
	bool found = sqlite3_prepare_v2(db, text, -1, &t, NULL) == SQLITE_OK &&
		     sqlite3_step(t) == SQLITE_ROW && sqlite3_column_blob(t, 0) &&
		     sqlite3_column_bytes(t, 0) == INSTANCE_ID;

	if (found)
		memcpy(log, sqlite3_column_blob(t, 0), INSTANCE_ID);
	sqlite3_finalize(t);
	return found;
}

/* Some, or none: what cannot be read is as a room that was never read. */
static void copy(sqlite3 *from, struct positions *to)
{
	sqlite3_stmt *t = NULL;

	if (sqlite3_prepare_v2(from, "SELECT room, seq FROM position", -1, &t, NULL) != SQLITE_OK)
		return;
	while (sqlite3_step(t) == SQLITE_ROW) {
		const char *room = (const char *)sqlite3_column_text(t, 0);
		sqlite3_int64 seq = sqlite3_column_int64(t, 1);
		uint64_t before = 0;
		bool had = room && positions_get(to, room, &before) == 0;
		if (room && seq >= 0 && (!had || (uint64_t)seq > before))
			positions_put(to, room, (uint64_t)seq);
	}
	sqlite3_finalize(t);
}

static int import_one(struct positions *p, const char *path)
{
	uint8_t log[INSTANCE_ID];
	sqlite3 *db = NULL;
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
	int r = 0;

	if (sqlite3_open_v2(path, &db, flags, NULL) == SQLITE_OK && read_log(db, log)) {
		if (!p->log_known)
			positions_set_log(p, log, UINT64_MAX);
		positions_begin(p);
		if (memcmp(p->log, log, sizeof(log)) == 0)
			copy(db, p);
		r = positions_end(p) ? 0 : database_error(sqlite3_errcode(p->db));
	}
	(void)sqlite3_close(db);
	return r;
}

static int forget_one(struct positions *p, const char *path)
{
	sqlite3 *db = NULL;
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;

	(void)p;
	if (sqlite3_open_v2(path, &db, flags, NULL) == SQLITE_OK)
		(void)database_run(db, "DELETE FROM position");
	(void)sqlite3_close(db);
	return 0;
}

static int for_each(
	struct positions *p, const char *folder, int (*one)(struct positions *p, const char *path))
{
	struct state_file *list;
	char path[PATH_MAX];
	size_t count;
	int r = state_folder_list(folder, &list, &count);

	if (r)
		return r;
	for (size_t i = 0; i < count && r == 0; i++) {
		r = state_folder_path(path, folder, list[i].name, ".db");
		if (r == 0)
			r = one(p, path);
	}
	free(list);
	return r;
}

int positions_import(struct positions *p, const char *folder)
{
	return for_each(p, folder, import_one);
}

void positions_imported(struct positions *p, const char *folder)
{
	(void)for_each(p, folder, forget_one);
}
