#include "server/log_writer_private.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "server/store_people.h"
#include "server/thread.h"

#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define STACKS 4 /* of a session's stack: SQLite needs more of it */

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

int writer_write(struct log_writer *w, const struct work *work)
{
	int r = store_begin(w->store);

	if (r == 0)
		r = write_batches(w, work->batches);
	if (r == 0)
		r = write_notes(w, w->notes);
	if (r == 0)
		r = store_commit(w->store);
	if (r) {
		r = writer_reason(w, r);
		writer_undo(w, r);
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
		atomic_fetch_add_explicit(&w->commits, 1, memory_order_relaxed);
		atomic_fetch_add_explicit(&w->entries, count, memory_order_relaxed);
		w->index_at = clock_ms() + LOG_INDEX_QUIET;
	}
}

/* What becomes of an entry that cannot be written. One that is in the log already is a duplicate all
 * the same. */
static struct append_result refusal(struct log_writer *w, struct log_entry *e, int r)
{
	struct append_result result = {.status = APPEND_RETRY};
	enum engine_health h = writer_health(w);

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

void writer_drop_notes(struct log_writer *w)
{
	kept_notes_free(w->notes);
	w->notes = NULL;
}

static void do_work(struct log_writer *w, struct work *work)
{
	add_notes(w, work->notes);
	if (!work->batches && !w->notes)
		return;
	writer_look(w);
	int r = writer_health(w) == ENGINE_WELL ? writer_write(w, work) : ERR_STOPPING;
	if (r == 0) {
		writer_drop_notes(w);
		apply_batches(w, work->batches);
	} else {
		refuse_batches(w, work->batches, r);
	}
	log_queue_done(&w->queue, work->batches);
	writer_worked(w);
}

static void *run(void *argument)
{
	struct log_writer *w = argument;
	struct work work;

	while (log_queue_take(&w->queue, writer_next_time(w), &work)) {
		do_work(w, &work);
		if (writer_health(w) != ENGINE_WELL && clock_ms() >= w->try_at)
			writer_try_again(w);
		writer_index_some(w, work.index);
		writer_prune_some(w);
		writer_rest(w);
	}
	return NULL;
}

/* ---- life ---- */

static int open_log(struct log_writer *w, const struct engine_config *config, const char *path,
	char *error, size_t size)
{
	w->path = strdup(path);
	if (!w->path)
		return ERR_MEMORY;
	int r = ballast_open(config->folder, &w->ballast);
	if (r)
		return r;
	r = writer_open_store(w, error, size);
	w->applied_seq = w->memory.seq;
	if (!ballast_held(w->ballast)) {
		atomic_store(&w->health, ENGINE_FULL);
		w->try_at = clock_ms() + LOG_TRY_AGAIN_MS;
	}
	return r;
}

static void free_writer(struct log_writer *w)
{
	kept_notes_free(w->notes);
	store_writer_fini(&w->memory);
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
	int r = open_log(w, config, path, error, size);
	if (r == 0)
		r = thread_start(&w->thread, "log", STACKS * thread_stack(), run, w);
	if (r) {
		free_writer(w);
		return r;
	}
	memcpy(log_id, w->log_id, sizeof(w->log_id));
	*out = w;
	return 0;
}

void log_writer_stop(struct log_writer *w)
{
	if (!w)
		return;
	log_queue_stop(&w->queue);
	PTHREAD_OK(pthread_join(w->thread, NULL));
	struct engine_stats done;
	log_writer_stats(w, &done);
	if (done.transactions)
		log_info("kept %" PRIu64 " messages in %" PRIu64 " transactions", done.entries,
			done.transactions);
	/* Notes that waited for room take the ballast's. */
	if (w->notes && w->store)
		(void)writer_write(w, &(struct work){0});
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
	return writer_health(w);
}

/* Of a file that belongs to the log; 0 where there is none. */
static uint64_t file_bytes(const char *path, const char *suffix)
{
	char name[PATH_MAX];
	struct stat st;

	int n = snprintf(name, sizeof(name), "%s%s", path, suffix);
	if (n < 0 || (size_t)n >= sizeof(name) || stat(name, &st) != 0)
		return 0;
	return (uint64_t)st.st_size;
}

void log_writer_stats(const struct log_writer *w, struct engine_stats *out)
{
	*out = (struct engine_stats){
		.transactions = atomic_load_explicit(&w->commits, memory_order_relaxed),
		.entries = atomic_load_explicit(&w->entries, memory_order_relaxed),
		.bytes = file_bytes(w->path, "") + file_bytes(w->path, "-wal") +
			 file_bytes(w->path, "-shm"),
	};
}

int log_writer_index(struct log_writer *w, int64_t deadline)
{
	return log_queue_index(&w->queue, deadline);
}
