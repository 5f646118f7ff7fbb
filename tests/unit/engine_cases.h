/*
 * What every engine must do, as test cases over a factory: order, numbers, chains,
 * ids that count once, reading, rooms, searching, people, nicks, acts, many threads. And the log
 * with which they do it, for the tests of what one engine does.
 *
 * For a test's own thread but for what it says itself.
 */
#ifndef LANCHAT_TESTS_ENGINE_CASES_H
#define LANCHAT_TESTS_ENGINE_CASES_H

#include "server/act.h"
#include "server/engine.h"

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Make an empty log that may keep `keep_bytes` at least. */
typedef int engine_factory(
	size_t keep_bytes, engine_applied *applied, void *context, struct engine **out);

/* From now on all logs are made by this factory: for the unchecked fixture of a case. */
void engine_cases_use(engine_factory *factory);

/* Add the cases to a suite; `setup` is their unchecked fixture, and uses a factory. */
void engine_cases_add(Suite *s, void (*setup)(void));

/* The same by subject, each in a file of its own. */
void engine_cases_order(Suite *s, void (*setup)(void));
void engine_cases_ids(Suite *s, void (*setup)(void));
void engine_cases_read(Suite *s, void (*setup)(void));
void engine_cases_rooms(Suite *s, void (*setup)(void));
void engine_cases_search(Suite *s, void (*setup)(void));
void engine_cases_people(Suite *s, void (*setup)(void));
void engine_cases_nicks(Suite *s, void (*setup)(void));
void engine_cases_acts(Suite *s, void (*setup)(void));
void engine_cases_threads(Suite *s, void (*setup)(void));

/* A log under test, and what was applied to it. */
struct applied {
	uint64_t seq, time, counter, prev, prev_to;
	uint8_t instance, person; /* their first bytes */
};
struct log {
	struct engine *engine;
	struct applied *applied; /* in the order of the calls */
	size_t count, size;
};
void log_open(struct log *l, size_t keep_bytes);

/* What a log's engine is given to call: it notes what was applied to the log, its context. */
void log_applied(void *context, const struct log_entry *e);

/* The ids of person and instance number `who`. */
const uint8_t *log_instance(int who);
const uint8_t *log_person(int who);

void log_close(struct log *l);

/* Entries by person and instance number `who`, of 256. */
struct log_entry log_said(
	const struct stream_key *room, int who, uint64_t counter, const char *text);
struct log_entry log_direct(int from, int to, uint64_t counter, const char *text);

/* Append one; log_accept demands that it is new and gets this number. */
struct append_result log_append(struct log *l, struct log_entry e);
void log_accept(struct log *l, struct log_entry e, uint64_t seq);

/* Do something: an act in a stream of acts. */
struct append_result log_act(
	struct log *l, int who, const struct stream_key *stream, const struct act *a);

/* Demand that it was accepted (CODE_NONE), or refused with that code. */
void log_check(struct append_result r, enum code code);

/* Take or release a nick; demand that. */
void log_name(struct log *l, int who, enum act_verb verb, const char *nick, enum code code);

/* What a reader was given: of each entry its number, the one before it, the text. */
#define LOG_PAGE 512
struct page {
	size_t count, most;
	uint64_t seqs[LOG_PAGE], prevs[LOG_PAGE];
	char texts[LOG_PAGE][32];
};

/* A reader that adds to a page, which says how many it wants at most. */
bool log_on_read(void *context, const struct log_entry *e);

/* Read a stream, at most `most` entries; returns what was pruned of it. */
uint64_t log_read(struct log *l, const struct stream_key *key, uint64_t after, uint64_t upto,
	size_t most, struct page *p);

/* The number of the oldest entry that a stream has, 0 where it has none; `*floor`: what was pruned. */
uint64_t log_oldest(struct log *l, const struct stream_key *key, uint64_t *floor);

/* Demand this of engine_last. */
void log_check_last(
	struct log *l, const struct stream_key *key, uint32_t count, uint64_t last, uint64_t after);

#endif
