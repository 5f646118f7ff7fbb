/*
 * The thread that writes the log.
 *
 * Whoever appends waits in a queue; the thread takes all that wait and makes one
 * transaction of it (group commit), so that many senders share the wait for the disk.
 * Only then are the entries applied, in order, and their senders woken: what anybody
 * can see is kept.
 *
 * In between it does what can wait: it brings the index of words up to date, lets the
 * oldest entries go, and when the disk was full or failed, tries whether it is well
 * again. Each in small steps, because somebody may be about to say something.
 *
 * Any thread may call these functions, but for starting and stopping.
 */
#ifndef LANCHAT_SERVER_LOG_WRITER_H
#define LANCHAT_SERVER_LOG_WRITER_H

#include "server/engine.h"

#include <stddef.h>
#include <stdint.h>

struct log_writer;

/* Open the log for writing and start the thread. Errors as engine_open_sqlite; `log_id` is the
 * log's. */
int log_writer_start(const struct engine_config *config, const char *path, engine_applied *applied,
	void *context, uint8_t log_id[ENGINE_LOG_ID], struct log_writer **out, char *error,
	size_t size);

/* Write what waits, end the thread, close the log. NULL is allowed. */
void log_writer_stop(struct log_writer *w);

/* As engine_append, engine_note, engine_health, engine_stats. */
int log_writer_append(struct log_writer *w, struct log_entry *entries, size_t count,
	int64_t deadline, struct append_result *results);
int log_writer_note(struct log_writer *w, const struct note *n);
enum engine_health log_writer_health(struct log_writer *w);
void log_writer_stats(const struct log_writer *w, struct engine_stats *out);

/* Wait until the index of words has everything that was accepted before this call. ERR_TIMEOUT. */
int log_writer_index(struct log_writer *w, int64_t deadline);

#endif
