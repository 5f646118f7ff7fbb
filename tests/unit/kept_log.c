#include "tests/unit/kept_log.h"

#include "server/store.h"

#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char kept_folder[64];
const struct engine_config kept_plain = {.folder = kept_folder, .sync = SYNC_OFF};

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static void remove_folder(void)
{
	if (kept_folder[0])
		nftw(kept_folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	kept_folder[0] = '\0';
}

void kept_new_folder(void)
{
	if (!kept_folder[0])
		atexit(remove_folder);
	remove_folder();
	snprintf(kept_folder, sizeof(kept_folder), "/tmp/lanchat-engine-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(kept_folder));
}

int kept_open(const struct engine_config *config, engine_applied *applied, void *context,
	struct engine **out)
{
	char error[512] = "";
	int r = engine_open_sqlite(config, applied, context, out, error, sizeof(error));

	if (r)
		fprintf(stderr, "%s\n", error);
	return r;
}

static int make(size_t keep_bytes, engine_applied *applied, void *context, struct engine **out)
{
	struct engine_config config = {.folder = kept_folder, .sync = SYNC_OFF};

	(void)keep_bytes; /* it keeps more than that */
	kept_new_folder();
	return kept_open(&config, applied, context, out);
}

void kept_use(void)
{
	engine_cases_use(make);
}

void kept_reopen_with(struct log *l, const struct engine_config *config)
{
	uint8_t id[ENGINE_LOG_ID];

	memcpy(id, l->engine->log_id, sizeof(id));
	engine_close(l->engine);
	ck_assert_int_eq(kept_open(config, log_applied, l, &l->engine), 0);
	ck_assert_mem_eq(l->engine->log_id, id, sizeof(id));
}

void kept_reopen(struct log *l)
{
	kept_reopen_with(l, &kept_plain);
}

void kept_say_many(struct log *l, const struct stream_key *key, uint64_t from, uint64_t to)
{
	for (uint64_t i = from; i <= to; i++)
		log_accept(l, log_said(key, 1, i, "some words"), i);
}

void kept_sql(const char *text)
{
	char path[128];
	char *error = NULL;
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/" STORE_FILE, kept_folder);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	/* What the engine does when nothing is said may be going on. */
	ck_assert_int_eq(sqlite3_busy_timeout(db, 20000), SQLITE_OK);
	int r = sqlite3_exec(db, text, NULL, NULL, &error);
	ck_assert_msg(r == SQLITE_OK, "%s: %s", text, error);
	sqlite3_close(db);
}

void kept_shell(const char *how)
{
	char command[256];

	snprintf(command, sizeof(command), how, kept_folder);
	ck_assert_int_eq(system(command), 0);
}
