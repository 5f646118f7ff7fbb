/*
 * What the parts of the log's writer share; nobody else includes this.
 *
 *     log_writer.c   the thread, its transactions, and the calls of others
 *     log_upkeep.c   health, and what can wait: the index of words, pruning
 *
 * Everything below is for the writer's own thread.
 */
#ifndef LANCHAT_SERVER_LOG_WRITER_PRIVATE_H
#define LANCHAT_SERVER_LOG_WRITER_PRIVATE_H

#include "server/ballast.h"
#include "server/log_queue.h"
#include "server/log_writer.h"
#include "server/store_prune.h"
#include "server/store_write.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#define LOG_TRY_AGAIN_MS 1000 /* after which a disk that was full or failed is looked at again */
#define LOG_REST_MS      2000 /* milliseconds between two looks at what memory is kept for */
#define LOG_INDEX_QUIET  250  /* milliseconds without a message, after which words are indexed */

struct log_writer {
	struct engine_config config; /* constant, as are `path` and the four after `inode` */
	char *path;                  /* owned */
	dev_t device;                /* of the database that is open, as is the next */
	ino_t inode;
	uint8_t log_id[ENGINE_LOG_ID];
	engine_applied *applied;
	void *context;
	pthread_t thread;

	struct log_queue queue;
	atomic_int health; /* enum engine_health */
	/* So far; the thread alone adds to them. */
	_Atomic(uint64_t) commits; /* transactions with entries */
	_Atomic(uint64_t) entries;

	/* The thread's own. */
	struct ballast *ballast;
	struct store *store; /* NULL while it could not be opened anew */
	struct store_writer memory;
	uint64_t applied_seq;
	uint64_t indexed_seq;
	struct store_kept kept;
	uint64_t dropped;        /* entries, since the index was last merged for it */
	struct kept_note *notes; /* that could not be written yet */
	unsigned worked;         /* transactions since it was last looked what memory is kept for */
	unsigned unrested;       /* the same since memory was given back, as of that look */
	int64_t try_at, prune_at, index_at, rest_at;
	int64_t clock_ahead; /* microseconds: of the wall clock before that of the machine, as last seen */
	int64_t clock_trusted; /* on that one: until then the wall clock makes nothing too old */
};

/* ---- log_writer.c ---- */

/* Write batches and the notes that wait, in one transaction. An error: nothing was written. */
int writer_write(struct log_writer *w, const struct work *work);

/* The notes have been written. */
void writer_drop_notes(struct log_writer *w);

/* ---- log_upkeep.c ---- */

enum engine_health writer_health(struct log_writer *w);

/* Is the database still under its name? Else it is damaged: SQLite would go on writing to a file that
 * is gone when the server ends. */
void writer_look(struct log_writer *w);

/* A write failed with `r`: undo it, forget what was remembered of it, and see what is to become of
 * later ones. */
void writer_undo(struct log_writer *w, int r);

/* An error of the store, seen more closely: no space is ERR_FULL, however it was told. */
int writer_reason(const struct log_writer *w, int r);

/* Open the database, as config says. Errors as store_open. */
int writer_open_store(struct log_writer *w, char *error, size_t size);

/* What was read and written is kept, which saves reading it again while there is much to do. Each
 * transaction is told by writer_worked; writer_rest looks, if it is time, whether they were few. */
void writer_worked(struct log_writer *w);
void writer_rest(struct log_writer *w);

/* The disk was full or failed: is it well again? */
void writer_try_again(struct log_writer *w);

/* One step for the index of words, if it is time or `asked`; one step of pruning, if it is time. */
void writer_index_some(struct log_writer *w, bool asked);
void writer_prune_some(struct log_writer *w);

/* When there is something to do that nobody asks for; clock_ms. */
int64_t writer_next_time(const struct log_writer *w);

#endif
