/*
 * The engine: one ordered log of everything that is kept.
 *
 * Every entry has a sequence number; numbers rise over all rooms together, so
 * inside one room they have gaps. An entry belongs to one stream, its room's, or,
 * when it is a direct message, to two: the inboxes of the person who wrote it and
 * of the one it is for. In each of its streams it carries the number of the entry
 * before it, so that a reader can tell a gap that matters from one that does not.
 *
 * Engines differ in where the log lives; the rest of the server cannot tell which
 * one it has. Calls may come from any thread. Appends of many threads are put
 * in order here, and each is applied in that order by one thread at a time.
 */
#ifndef LANCHAT_SERVER_ENGINE_H
#define LANCHAT_SERVER_ENGINE_H

#include "common/message.h"
#include "common/name.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENGINE_LOG_ID 16

/* What a stream is called: 'r' and a room's folded name, or 'i' and a person's id. */
#define STREAM_KEY_MAX NAME_FOLDED_MAX
struct stream_key {
	uint8_t length;
	uint8_t bytes[STREAM_KEY_MAX];
};

/* The key of a room (ERR_TEXT, ERR_TOO_BIG for a name that cannot be one), of a person's inbox. */
int stream_key_room(const char *name, size_t length, struct stream_key *key);
void stream_key_inbox(const uint8_t person[PERSON_ID], struct stream_key *key);
int stream_key_compare(const struct stream_key *a, const struct stream_key *b);

/* One entry. Whoever appends fills the first part; text is borrowed for the length of the call. */
struct log_entry {
	const struct stream_key *room; /* NULL for a direct message */
	const uint8_t *to;             /* of a direct message: the other person's id */
	const uint8_t *person;         /* who says it */
	const uint8_t *instance;       /* the client instance that counts */
	uint64_t counter;
	enum said_kind kind;
	struct span nick;
	struct span to_nick; /* of a direct message */
	struct span text;
	/* The engine fills the rest. */
	uint64_t seq;
	uint64_t time;    /* microseconds since 1970, UTC; for people, not for order */
	uint64_t prev;    /* before it in its room, or in the writer's inbox */
	uint64_t prev_to; /* before it in the other person's inbox */
};

enum append_status {
	APPEND_OK,
	APPEND_REJECTED, /* it may not stand: `code` says why */
	APPEND_RETRY,    /* not known to be kept; the same id may be sent again */
	APPEND_TOO_BIG,  /* there is no room for an entry of this size */
};

struct append_result {
	enum append_status status;
	bool duplicate; /* OK: the id had been accepted before, and was not appended again */
	uint64_t seq;   /* OK: its number; 0 for a duplicate whose number is no longer known */
	enum code code; /* REJECTED */
};

/* Called for each entry that was accepted, in the order of the log, by one thread at a time, before
 * engine_append returns to whoever appended it. It may take locks of the fan-out; it must not touch
 * a socket, nor call the engine. The entry is borrowed. */
typedef void engine_applied(void *context, const struct log_entry *e);

/* Called by engine_range for each entry; false stops. It runs under the engine's lock: it may copy
 * or encode, nothing else. */
typedef bool engine_reader(void *context, const struct log_entry *e);

struct engine;

/* What an engine is made of. */
struct engine_class {
	const char *name;
	bool kept; /* does the log outlive the server? */
	void (*close)(struct engine *e);
	int (*append)(struct engine *e, struct log_entry *entries, size_t count, int64_t deadline,
		struct append_result *results);
	int (*range)(struct engine *e, const struct stream_key *key, uint64_t after, uint64_t upto,
		engine_reader *reader, void *context, uint64_t *pruned);
	int (*last)(struct engine *e, const struct stream_key *key, uint32_t count, uint64_t *last,
		uint64_t *after);
	uint64_t (*accepted)(struct engine *e, const uint8_t *instance, const uint8_t *person);
};

/* The part that all engines begin with. */
struct engine {
	const struct engine_class *class;
	uint8_t log_id[ENGINE_LOG_ID]; /* constant: another log has another one */
	engine_applied *applied;
	void *context;
};

/* The log in this process's memory, at most about `keep_bytes` of it, oldest dropped first. It is
 * gone when the server ends. ERR_MEMORY. */
int engine_open_memory(
	size_t keep_bytes, engine_applied *applied, void *context, struct engine **out);

/* Wake every waiter (RETRY), then free. Nobody may call the engine any more. NULL is allowed. */
void engine_close(struct engine *e);

/* Append `count` entries, all of one client instance, in order. Blocks until they are in the log
 * and applied, or `deadline` (clock_ms) passed. One result each; after a RETRY all that follow are
 * RETRY. Returns 0, or ERR_MEMORY with every result RETRY. */
int engine_append(struct engine *e, struct log_entry *entries, size_t count, int64_t deadline,
	struct append_result *results);

/* Read a stream's entries with after < seq <= upto, in order. `*pruned` becomes the number of the
 * newest entry of this stream that is no longer kept, 0 if there is none. */
int engine_range(struct engine *e, const struct stream_key *key, uint64_t after, uint64_t upto,
	engine_reader *reader, void *context, uint64_t *pruned);

/* A stream's last number (0: none yet), and the number after which its last `count` entries
 * begin. */
int engine_last(struct engine *e, const struct stream_key *key, uint32_t count, uint64_t *last,
	uint64_t *after);

/* The highest counter accepted from a person's client instance; 0 when there is none. */
uint64_t engine_accepted(struct engine *e, const uint8_t *instance, const uint8_t *person);

#endif
