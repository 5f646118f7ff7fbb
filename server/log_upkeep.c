#include "server/log_writer_private.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "server/store_prune.h"
#include "server/store_read.h"
#include "server/store_words.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define PRUNE_MS      5000 /* between two looks at what is too old or too much */
#define HOUR_US       (INT64_C(3600) * 1000000)
#define DAY_US        (24 * HOUR_US)
#define CLOCK_STEP_US HOUR_US   /* more than anybody's clock gains between two looks */
#define SHRINK_AFTER  1000      /* entries that were let go, after which the index is merged */
#define INDEX_CHUNK   200       /* entries in one transaction of the index */
#define REST_FROM     (1 << 17) /* bytes of pages: fewer are kept */
#define REST_BUSY     200       /* transactions in LOG_REST_MS, from which on pages are of use */
#define INDEX_BEHIND  20000     /* entries behind, from which on the index goes on under load too */

/* ---- health ---- */

enum engine_health writer_health(struct log_writer *w)
{
	return (enum engine_health)atomic_load(&w->health);
}

static void writer_set_health(struct log_writer *w, enum engine_health now)
{
	static const char *const said[] = {
		[ENGINE_WELL] = "the log is well again",
		[ENGINE_FULL] = "the disk is full: nothing can be kept until there is room",
		[ENGINE_BROKEN] = "the log could not be written: it is opened anew",
		[ENGINE_DAMAGED] =
			"the log is damaged: nothing more is kept until a backup is restored",
	};

	if (writer_health(w) == now)
		return;
	atomic_store(&w->health, (int)now);
	if (now == ENGINE_WELL)
		log_info("%s", said[now]);
	else
		log_error("%s: %s: %s", w->path, said[now],
			w->store ? sqlite3_errmsg(w->store->db) : "");
}

/* Some calls of SQLite give no better reason than that of the system. */
int writer_reason(const struct log_writer *w, int r)
{
	if (r != ERR_SYSTEM)
		return r;
	int error = sqlite3_system_errno(w->store->db);
	return error == ENOSPC || error == EDQUOT ? ERR_FULL : r;
}

/* A write failed. What is to become of later ones? */
static void fail(struct log_writer *w, int r)
{
	switch (r) {
	case ERR_FULL:
		writer_set_health(w, ENGINE_FULL);
		/* Our own state may take the ballast's room, and a checkpoint frees some. */
		ballast_release(w->ballast);
		(void)sqlite3_wal_checkpoint_v2(
			w->store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
		break;
	case ERR_DAMAGED:
		writer_set_health(w, ENGINE_DAMAGED);
		break;
	case ERR_MEMORY:
	case ERR_TIMEOUT:
		return; /* the next one may do */
	default:
		writer_set_health(w, ENGINE_BROKEN);
		break;
	}
	w->try_at = clock_ms() + LOG_TRY_AGAIN_MS;
}

/* Where it cannot be looked at, writing will tell. */
static bool is_there(const struct log_writer *w)
{
	struct stat st;

	return stat(w->path, &st) == 0 ? st.st_dev == w->device && st.st_ino == w->inode
				       : errno != ENOENT;
}

void writer_look(struct log_writer *w)
{
	if (writer_health(w) != ENGINE_WELL || is_there(w))
		return;
	log_error("%s was taken away or replaced while the server uses it", w->path);
	writer_set_health(w, ENGINE_DAMAGED);
}

/* Undo, and forget what was remembered of it. */
void writer_undo(struct log_writer *w, int r)
{
	fail(w, r);
	store_rollback(w->store);
	r = store_writer_reset(&w->memory, w->store);
	if (r == 0)
		return;
	fail(w, writer_reason(w, r));
	if (writer_health(w) == ENGINE_DAMAGED)
		return;
	/* It is not known which number comes next, so nothing may be appended before the log has been
	 * opened anew. */
	writer_set_health(w, ENGINE_BROKEN);
	w->try_at = clock_ms() + LOG_TRY_AGAIN_MS;
}

/* ---- being well again ---- */

static bool apply_one(void *context, const struct log_entry *e)
{
	struct log_writer *w = context;

	w->applied(w->context, e);
	w->applied_seq = e->seq;
	return true;
}

static int set_sync(struct log_writer *w)
{
	static const char *const pragmas[] = {
		[SYNC_FULL] = "PRAGMA synchronous = FULL",
		[SYNC_OS] = "PRAGMA synchronous = NORMAL",
		[SYNC_OFF] = "PRAGMA synchronous = OFF",
	};

	return store_error(sqlite3_exec(w->store->db, pragmas[w->config.sync], NULL, NULL, NULL));
}

static int read_log_id(struct store *s, uint8_t log_id[ENGINE_LOG_ID])
{
	sqlite3_stmt *t = store_statement(s, STORE_META);

	store_bind_text(t, 1, span_of("log"));
	int r = store_step(t);
	if (r != 1)
		return r ? r : ERR_DAMAGED;
	bool good = store_blob(t, 0, log_id, ENGINE_LOG_ID);
	(void)sqlite3_reset(t);
	return good ? 0 : ERR_DAMAGED;
}

int writer_open_store(struct log_writer *w, char *error, size_t size)
{
	struct stat st;
	int r = store_open(w->path, true, &w->store, error, size);

	w->kept = (struct store_kept){0};
	if (r == 0 && stat(w->path, &st) == 0) {
		w->device = st.st_dev;
		w->inode = st.st_ino;
	}
	if (r == 0)
		r = read_log_id(w->store, w->log_id);
	if (r == ERR_DAMAGED && !*error)
		snprintf(error, size, "it has no id");
	if (r == 0)
		r = set_sync(w);
	if (r == 0)
		r = store_index_check(w->store);
	if (r == 0)
		r = store_indexed(w->store, &w->indexed_seq);
	if (r == 0)
		r = store_writer_reset(&w->memory, w->store);
	if (r && w->store) {
		if (!*error)
			snprintf(error, size, "%s", sqlite3_errmsg(w->store->db));
		store_close(w->store);
		w->store = NULL;
	}
	return r;
}

/* After an fsync that failed, nobody knows what the disk has of the write-ahead log. So it is moved
 * into the database and begun anew, and what had been committed without our knowing is applied. */
static void open_anew(struct log_writer *w)
{
	char error[256] = "";

	if (!is_there(w)) {
		log_error("%s was taken away or replaced while the server uses it", w->path);
		writer_set_health(w, ENGINE_DAMAGED);
		return;
	}
	store_close(w->store);
	w->store = NULL;
	int r = writer_open_store(w, error, sizeof(error));
	if (r == 0)
		r = store_error(sqlite3_wal_checkpoint_v2(
			w->store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL));
	if (r == 0)
		r = store_all(w->store, w->applied_seq, apply_one, w);
	/* It may have been full before. */
	if (r == 0)
		writer_set_health(w, ballast_held(w->ballast) ? ENGINE_WELL : ENGINE_FULL);
	else if (r == ERR_DAMAGED)
		writer_set_health(w, ENGINE_DAMAGED);
	else
		log_warning("%s: still not to be written: %s", w->path,
			w->store ? sqlite3_errmsg(w->store->db) : error);
}

void writer_try_again(struct log_writer *w)
{
	static const struct work nothing;

	w->try_at = clock_ms() + LOG_TRY_AGAIN_MS;
	if (writer_health(w) == ENGINE_BROKEN) {
		open_anew(w);
	} else if (writer_health(w) == ENGINE_FULL) {
		/* Our own state goes into the ballast's room while there is no other. */
		if (w->notes && writer_write(w, &nothing) == 0)
			writer_drop_notes(w);
		/* That may have found worse. */
		if (writer_health(w) == ENGINE_FULL && ballast_take(w->ballast) == 0)
			writer_set_health(w, ENGINE_WELL);
	}
}

/* ---- what can wait ---- */

void writer_index_some(struct log_writer *w, bool asked)
{
	uint64_t behind = w->memory.seq - w->indexed_seq;

	if (writer_health(w) != ENGINE_WELL) {
		log_queue_indexed(&w->queue);
		return;
	}
	if (behind && (asked || behind > INDEX_BEHIND || clock_ms() >= w->index_at)) {
		int r = store_index(w->store, INDEX_CHUNK, &w->indexed_seq);
		writer_worked(w);
		if (r)
			writer_undo(w, writer_reason(w, r));
		behind = w->memory.seq - w->indexed_seq;
		if (behind == 0)
			(void)store_index_tidy(w->store);
	}
	if (behind == 0 && asked)
		log_queue_indexed(&w->queue);
}

static bool has_limits(const struct log_writer *w)
{
	return w->config.keep_bytes || w->config.keep_messages || w->config.keep_days;
}

/* A clock that goes ahead in one step may be wrong, and what is dropped for it does not come back when it is
 * put right. Somebody has a day to do so. */
static bool is_clock_new(struct log_writer *w)
{
	int64_t now = clock_boot_us(), ahead = (int64_t)clock_wall_us() - now;

	if (w->clock_ahead && ahead > w->clock_ahead + CLOCK_STEP_US) {
		log_warning("the clock has gone ahead by %" PRId64 " hours: nothing is too old "
			    "(keep-days) for a day; if the clock is wrong, put it right",
			(ahead - w->clock_ahead) / HOUR_US);
		w->clock_trusted = now + DAY_US;
	}
	w->clock_ahead = ahead;
	return now < w->clock_trusted;
}

void writer_prune_some(struct log_writer *w)
{
	uint64_t dropped;
	bool more;

	if (!has_limits(w) || writer_health(w) != ENGINE_WELL || clock_ms() < w->prune_at)
		return;
	struct engine_config config = w->config;
	if (config.keep_days && is_clock_new(w))
		config.keep_days = 0;
	int r = store_prune(w->store, &config, &w->kept, &dropped, &more);
	writer_worked(w);
	if (r == 0 && dropped)
		r = store_writer_reset(&w->memory, w->store);
	w->dropped += dropped;
	/* The index of words only grows by what is taken out of it, until it is merged. */
	if (r == 0 && !more && w->dropped >= SHRINK_AFTER) {
		r = store_index_shrink(w->store);
		w->dropped = 0;
	}
	if (r)
		writer_undo(w, writer_reason(w, r));
	w->prune_at = clock_ms() + (more && r == 0 ? 0 : PRUNE_MS);
}

/* ---- rest ---- */

void writer_worked(struct log_writer *w)
{
	w->worked++;
	if (w->rest_at == INT64_MAX)
		w->rest_at = clock_ms() + LOG_REST_MS;
}

static bool keeps_pages(struct log_writer *w)
{
	int used = 0, most = 0;

	return sqlite3_db_status(w->store->db, SQLITE_DBSTATUS_CACHE_USED, &used, &most, 0) ==
		       SQLITE_OK &&
	       used >= REST_FROM;
}

/* What is freed are holes in the heap, which go back to the system only by malloc_trim(3); and what is
 * left between them, as the charters of rooms that were met, keeps a page each. */
static void give_back(struct log_writer *w)
{
	(void)sqlite3_db_release_memory(w->store->db);
	int r = store_writer_reset(&w->memory, w->store);
	if (r)
		writer_undo(w, writer_reason(w, r));
	(void)malloc_trim(0);
	w->unrested = 0;
}

/* Somebody says something now and then on every server, so it is not waited for that nobody does. */
void writer_rest(struct log_writer *w)
{
	int64_t now = clock_ms();

	if (now < w->rest_at)
		return;
	bool busy = w->worked >= REST_BUSY;
	w->unrested += w->worked;
	w->worked = 0;
	w->rest_at = busy ? now + LOG_REST_MS : INT64_MAX;
	if (busy || writer_health(w) != ENGINE_WELL)
		return;
	if (w->unrested >= REST_BUSY || keeps_pages(w))
		give_back(w);
}

/* When there is something to do that nobody asks for. */
int64_t writer_next_time(const struct log_writer *w)
{
	enum engine_health h = (enum engine_health)atomic_load(&w->health);
	int64_t next = INT64_MAX;

	if (h == ENGINE_FULL || h == ENGINE_BROKEN)
		return w->try_at;
	if (h == ENGINE_DAMAGED)
		return next;
	next = w->rest_at;
	if (w->memory.seq > w->indexed_seq && w->index_at < next)
		next = w->index_at;
	if (has_limits(w) && w->prune_at < next)
		next = w->prune_at;
	return next;
}
