/*
 * The truth about one log: everything that was ever in it, in order.
 *
 * It sits between the server and its engine: it notes what is applied, also what
 * is pruned later, and makes some appends fail in the ways in which they can
 * fail: full, outcome unknown and not kept, outcome unknown and kept. Everything
 * else goes to the engine as it is.
 *
 * A truth outlives the engine where the log does. Appends come from the server's
 * threads, questions from the test's; a lock inside guards the rest.
 */
#ifndef LANCHAT_TESTS_TRUTH_H
#define LANCHAT_TESTS_TRUTH_H

#include "common/lock.h"
#include "server/engine.h"
#include "tests/property/verdict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STREAMS_MOST 16

enum fault {
	FAULT_NONE,
	FAULT_FULL,   /* rejected: DISK_FULL */
	FAULT_LOST,   /* RETRY, and not in the log */
	FAULT_UNTOLD, /* RETRY, and in the log all the same */
	FAULT_COUNT,
};

/* An entry as it was applied. */
struct fact {
	uint64_t seq, prev, prev_to;
	unsigned author; /* the first byte of its instance */
	uint64_t counter;
	int stream; /* of the room, or the writer's inbox */
	int other;  /* the other person's inbox, or -1 */
	uint8_t person[PERSON_ID];
	char *text;  /* owned */
	bool pruned; /* as of when the engine was closed last */
};

struct truth {
	/* Constant. */
	struct stream_key streams[STREAMS_MOST];
	size_t stream_count;
	struct verdict *verdict; /* borrowed */

	/* As attached; constant while the server runs. */
	struct engine_class class;
	const struct engine_class *real;
	engine_applied *applied;
	void *context;
	struct engine *engine; /* NULL: not attached */

	struct lock lock;
	/* guarded by lock */
	struct fact **facts; /* owned, by rising number */
	size_t count, size;
	enum fault fault;    /* of entries to come */
	unsigned fault_wait; /* entries that pass before it strikes */
	unsigned fault_left; /* entries that it strikes */
};

/* Nothing is in the log yet. `streams` are copied; facts name them by their index. */
struct truth *truth_new(const struct stream_key *streams, size_t count, struct verdict *verdict);
void truth_free(struct truth *t);

/* The next engine that this thread opens has this log. (The linker puts wrappers in the place of the
 * functions that open one.) */
void truth_expect(struct truth *t);

/* The engine is about to be closed. */
void truth_detach(struct truth *t);

/* After `wait` more entries, let `count` fail. */
void truth_set_fault(struct truth *t, enum fault fault, unsigned wait, unsigned count);

/* The first entry of a stream above a number; NULL when there is none. What it returns stays valid
 * as long as the truth. */
const struct fact *truth_next(struct truth *t, int stream, uint64_t after);

/* The number of a stream's last entry that is not above `upto`; 0 when there is none. */
uint64_t truth_last(struct truth *t, int stream, uint64_t upto);

/* The number before a stream's last `count` entries that are not above `upto`. */
uint64_t truth_before(struct truth *t, int stream, uint64_t upto, uint32_t count);

/* The entry of that id; NULL when it never was in the log. */
const struct fact *truth_find(struct truth *t, unsigned author, uint64_t counter);

/* Is it still in the engine, or was it, when that was closed? */
bool truth_is_kept(struct truth *t, int stream, uint64_t seq);

#endif
