#include "server/log_writer.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "server/ballast.h"
#include "server/log_queue.h"
#include "server/store_prune.h"
#include "server/store_read.h"
#include "server/store_people.h"
#include "server/store_words.h"
#include "server/store_write.h"
#include "server/thread.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRY_AGAIN_MS 1000  /* after which a disk that was full or failed is looked at again */
#define PRUNE_MS     5000  /* between two looks at what is too old or too much */
#define INDEX_QUIET  250   /* milliseconds without a message, after which words are indexed */
#define INDEX_CHUNK  200   /* entries in one transaction of the index */
#define INDEX_BEHIND 20000 /* entries behind, from which on the index goes on under load too */
#define STACKS       4     /* of a session's stack: SQLite needs more of it */

struct log_writer {
	struct engine_config config; /* constant, as are the next four */
	char *path;                  /* owned */
	engine_applied *applied;
	void *context;
	pthread_t thread;

	struct log_queue queue;
	atomic_int health; /* enum engine_health */
	atomic_uint_fast64_t commits, entries;

	/* The thread's own. */
	struct ballast *ballast;
	struct store *store; /* NULL while it could not be opened anew */
	struct store_writer memory;
	uint64_t applied_seq;
	uint64_t indexed_seq;
	struct kept_note *notes; /* that could not be written yet */
	int64_t try_at, prune_at, index_at;
};

/* ---- health ---- */

static enum engine_health health(struct log_writer *w)
{
	return (enum engine_health)atomic_load(&w->health);
}

static void set_health(struct log_writer *w, enum engine_health now)
{
	static const char *const said[] = {
		[ENGINE_WELL] = "the log is well again",
		[ENGINE_FULL] = "the disk is full: nothing can be kept until there is room",
		[ENGINE_BROKEN] = "the log could not be written: it is opened anew",
		[ENGINE_DAMAGED] =
			"the log is damaged: nothing more is kept until a backup is restored",
	};

	if (health(w) == now)
		return;
	atomic_store(&w->health, (int)now);
	if (now == ENGINE_WELL)
		log_info("%s", said[now]);
	else
		log_error("%s: %s: %s", w->path, said[now],
			w->store ? sqlite3_errmsg(w->store->db) : "");
}

/* Some calls of SQLite give no better reason than that of the system. */
static int reason(const struct log_writer *w, int r)
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
		set_health(w, ENGINE_FULL);
		/* Our own state may take the ballast's room, and a checkpoint frees some. */
		ballast_release(w->ballast);
		(void)sqlite3_wal_checkpoint_v2(
			w->store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
		break;
	case ERR_DAMAGED:
		set_health(w, ENGINE_DAMAGED);
		break;
	case ERR_MEMORY:
	case ERR_TIMEOUT:
		return; /* the next one may do */
	default:
		set_health(w, ENGINE_BROKEN);
		break;
	}
	w->try_at = clock_ms() + TRY_AGAIN_MS;
}

/* Undo, and forget what was remembered of it. */
static void undo(struct log_writer *w, int r)
{
	fail(w, r);
	store_rollback(w->store);
	r = store_writer_reset(&w->memory, w->store);
	if (r)
		fail(w, reason(w, r));
}

/* ---- one transaction ---- */

static int write_entry(struct log_writer *w, struct log_entry *e, struct append_result *result)
{
	int r = store_decide(&w->memory, e, result);

	if (r != 1)
		return r;
	r = store_append(&w->memory, e);
	*result = (struct append_result){.status = APPEND_OK, .seq = e->seq};
	return r;
}

static int write_batches(struct log_writer *w, struct batch *batches)
{
	for (struct batch *b = batches; b; b = b->next) {
		for (size_t i = 0; i < b->count; i++) {
			int r = write_entry(w, &b->entries[i], &b->results[i]);
			if (r)
				return r;
		}
	}
	return 0;
}

static int write_notes(struct log_writer *w, const struct kept_note *notes)
{
	int r = 0;

	for (; notes && r == 0; notes = notes->next)
		r = store_note(w->store, &notes->note);
	return r;
}

static int write_all(struct log_writer *w, const struct work *work)
{
	int r = store_begin(w->store);

	if (r == 0)
		r = write_batches(w, work->batches);
	if (r == 0)
		r = write_notes(w, w->notes);
	if (r == 0)
		r = store_commit(w->store);
	if (r) {
		r = reason(w, r);
		undo(w, r);
	}
	return r;
}

/* What was committed becomes visible, in the order of the log. */
static void apply_batches(struct log_writer *w, const struct batch *batches)
{
	uint64_t count = 0;

	for (const struct batch *b = batches; b; b = b->next) {
		for (size_t i = 0; i < b->count; i++) {
			if (b->results[i].status != APPEND_OK || b->results[i].duplicate)
				continue;
			assert(b->entries[i].seq == w->applied_seq + 1);
			w->applied(w->context, &b->entries[i]);
			w->applied_seq = b->entries[i].seq;
			count++;
		}
	}
	if (count) {
		atomic_fetch_add(&w->commits, 1);
		atomic_fetch_add(&w->entries, count);
		w->index_at = clock_ms() + INDEX_QUIET;
	}
}

/* What becomes of an entry that cannot be written. One that is in the log already is a duplicate all
 * the same. */
static struct append_result refusal(struct log_writer *w, const struct log_entry *e, int r)
{
	struct append_result result = {.status = APPEND_RETRY};
	enum engine_health h = health(w);

	if (!w->store || h == ENGINE_BROKEN || store_decide(&w->memory, e, &result) < 0)
		return (struct append_result){.status = APPEND_RETRY};
	if (result.status != APPEND_RETRY)
		return result;
	if (r == ERR_FULL || h == ENGINE_FULL)
		result = (struct append_result){.status = APPEND_REJECTED, .code = CODE_DISK_FULL};
	else if (r == ERR_DAMAGED || h == ENGINE_DAMAGED)
		result = (struct append_result){.status = APPEND_REJECTED, .code = CODE_DAMAGED};
	return result;
}

static void refuse_batches(struct log_writer *w, struct batch *batches, int r)
{
	for (struct batch *b = batches; b; b = b->next) {
		bool retry = false;
		for (size_t i = 0; i < b->count; i++) {
			b->results[i] = (struct append_result){.status = APPEND_RETRY};
			if (!retry)
				b->results[i] = refusal(w, &b->entries[i], r);
			retry = b->results[i].status == APPEND_RETRY;
		}
	}
}

static void add_notes(struct log_writer *w, struct kept_note *notes)
{
	struct kept_note **end = &w->notes;
	size_t count = 0;

	while (*end) {
		end = &(*end)->next;
		count++;
	}
	if (count < LOG_QUEUE_NOTES)
		*end = notes;
	else
		kept_notes_free(notes); /* the disk has been full for long */
}

static void drop_notes(struct log_writer *w)
{
	kept_notes_free(w->notes);
	w->notes = NULL;
}

static void do_work(struct log_writer *w, struct work *work)
{
	add_notes(w, work->notes);
	if (!work->batches && !w->notes)
		return;
	int r = health(w) == ENGINE_WELL ? write_all(w, work) : ERR_STOPPING;
	if (r == 0) {
		drop_notes(w);
		apply_batches(w, work->batches);
	} else {
		refuse_batches(w, work->batches, r);
	}
	log_queue_done(&w->queue, work->batches);
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

static int open_store(struct log_writer *w, char *error, size_t size)
{
	int r = store_open(w->path, true, &w->store, error, size);

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

	store_close(w->store);
	w->store = NULL;
	int r = open_store(w, error, sizeof(error));
	if (r == 0)
		r = store_error(sqlite3_wal_checkpoint_v2(
			w->store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL));
	if (r == 0)
		r = store_all(w->store, w->applied_seq, apply_one, w);
	if (r == 0)
		set_health(w, ENGINE_WELL);
	else if (r == ERR_DAMAGED)
		set_health(w, ENGINE_DAMAGED);
	else
		log_warning("%s: still not to be written: %s", w->path,
			w->store ? sqlite3_errmsg(w->store->db) : error);
}

static void try_again(struct log_writer *w)
{
	static const struct work nothing;

	w->try_at = clock_ms() + TRY_AGAIN_MS;
	if (health(w) == ENGINE_BROKEN) {
		open_anew(w);
	} else if (health(w) == ENGINE_FULL) {
		/* Our own state goes into the ballast's room while there is no other. */
		if (w->notes && write_all(w, &nothing) == 0)
			drop_notes(w);
		if (ballast_take(w->ballast) == 0)
			set_health(w, ENGINE_WELL);
	}
}

/* ---- what can wait ---- */

static void index_some(struct log_writer *w, bool asked)
{
	uint64_t behind = w->memory.seq - w->indexed_seq;

	if (health(w) != ENGINE_WELL) {
		log_queue_indexed(&w->queue);
		return;
	}
	if (behind && (asked || behind > INDEX_BEHIND || clock_ms() >= w->index_at)) {
		int r = store_index(w->store, INDEX_CHUNK, &w->indexed_seq);
		if (r)
			undo(w, reason(w, r));
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

static void prune_some(struct log_writer *w)
{
	uint64_t dropped;
	bool more;

	if (!has_limits(w) || health(w) != ENGINE_WELL || clock_ms() < w->prune_at)
		return;
	int r = store_prune(w->store, &w->config, &dropped, &more);
	if (r == 0 && dropped)
		r = store_writer_reset(&w->memory, w->store);
	if (r)
		undo(w, reason(w, r));
	w->prune_at = clock_ms() + (more && r == 0 ? 0 : PRUNE_MS);
}

/* When there is something to do that nobody asks for. */
static int64_t next_time(const struct log_writer *w)
{
	enum engine_health h = (enum engine_health)atomic_load(&w->health);
	int64_t next = INT64_MAX;

	if (h == ENGINE_FULL || h == ENGINE_BROKEN)
		return w->try_at;
	if (h == ENGINE_DAMAGED)
		return next;
	if (w->memory.seq > w->indexed_seq)
		next = w->index_at;
	if (has_limits(w) && w->prune_at < next)
		next = w->prune_at;
	return next;
}

static void *run(void *argument)
{
	struct log_writer *w = argument;
	struct work work;

	while (log_queue_take(&w->queue, next_time(w), &work)) {
		do_work(w, &work);
		if (health(w) != ENGINE_WELL && clock_ms() >= w->try_at)
			try_again(w);
		index_some(w, work.index);
		prune_some(w);
	}
	return NULL;
}

/* ---- life ---- */

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

static int open_log(struct log_writer *w, const struct engine_config *config, const char *path,
	uint8_t log_id[ENGINE_LOG_ID], char *error, size_t size)
{
	w->path = strdup(path);
	if (!w->path)
		return ERR_MEMORY;
	int r = ballast_open(config->folder, &w->ballast);
	if (r)
		return r;
	r = open_store(w, error, size);
	if (r == 0)
		r = read_log_id(w->store, log_id);
	if (r == ERR_DAMAGED && !*error)
		snprintf(error, size, "it has no id");
	w->applied_seq = w->memory.seq;
	if (!ballast_held(w->ballast)) {
		atomic_store(&w->health, ENGINE_FULL);
		w->try_at = clock_ms() + TRY_AGAIN_MS;
	}
	return r;
}

static void free_writer(struct log_writer *w)
{
	kept_notes_free(w->notes);
	store_close(w->store);
	ballast_close(w->ballast);
	log_queue_fini(&w->queue);
	free(w->path);
	free(w);
}

int log_writer_start(const struct engine_config *config, const char *path, engine_applied *applied,
	void *context, uint8_t log_id[ENGINE_LOG_ID], struct log_writer **out, char *error,
	size_t size)
{
	struct log_writer *w = calloc(1, sizeof(*w));

	*error = '\0';
	if (!w)
		return ERR_MEMORY;
	w->config = *config;
	w->applied = applied;
	w->context = context;
	log_queue_init(&w->queue);
	atomic_init(&w->health, ENGINE_WELL);
	int r = open_log(w, config, path, log_id, error, size);
	if (r == 0)
		r = thread_start(&w->thread, "log", STACKS * thread_stack(), run, w);
	if (r) {
		free_writer(w);
		return r;
	}
	*out = w;
	return 0;
}

void log_writer_stop(struct log_writer *w)
{
	if (!w)
		return;
	log_queue_stop(&w->queue);
	PTHREAD_OK(pthread_join(w->thread, NULL));
	/* Notes that waited for room take the ballast's. */
	if (w->notes && w->store)
		(void)write_all(w, &(struct work){0});
	free_writer(w);
}

/* ---- for others ---- */

int log_writer_append(struct log_writer *w, struct log_entry *entries, size_t count,
	int64_t deadline, struct append_result *results)
{
	struct batch b = {.entries = entries, .results = results, .count = count};

	log_queue_append(&w->queue, &b, deadline);
	return 0;
}

int log_writer_note(struct log_writer *w, const struct note *n)
{
	return log_queue_note(&w->queue, n);
}

enum engine_health log_writer_health(struct log_writer *w)
{
	return health(w);
}

int log_writer_index(struct log_writer *w, int64_t deadline)
{
	return log_queue_index(&w->queue, deadline);
}

void log_writer_commits(struct log_writer *w, uint64_t *commits, uint64_t *entries)
{
	*commits = atomic_load(&w->commits);
	*entries = atomic_load(&w->entries);
}
