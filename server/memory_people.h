/*
 * What is known about people besides the log, in memory: where they are members, how far
 * they have read, who had which nick last. See struct note of engine.h.
 *
 * Of places and of nicks a fixed number is kept, each; beyond it the one of which nothing
 * was noted longest is forgotten.
 *
 * Not locked: see engine_memory.c.
 */
#ifndef LANCHAT_SERVER_MEMORY_PEOPLE_H
#define LANCHAT_SERVER_MEMORY_PEOPLE_H

#include "server/engine.h"
#include "server/tree.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#define MEMORY_PEOPLE_MOST 65536 /* places, and nicks */

struct memory_people {
	size_t most; /* constant */
	struct tree places, nicks;
	TAILQ_HEAD(, known_place) old_places;
	TAILQ_HEAD(, known_nick) old_nicks; /* both longest untouched first */
	size_t place_count, nick_count;
};

void memory_people_init(struct memory_people *p, size_t most);
void memory_people_fini(struct memory_people *p);

/* As the engine's calls of these names. */
int memory_people_note(struct memory_people *p, const struct note *n);

/* Somebody is a member of a room no longer; nothing can fail. */
void memory_people_part(
	struct memory_people *p, const uint8_t *person, const struct stream_key *room);

void memory_people_places(const struct memory_people *p, const uint8_t *person,
	engine_place_reader *reader, void *context);
uint64_t memory_people_read_position(
	const struct memory_people *p, const uint8_t *person, const struct stream_key *key);
int memory_people_person(const struct memory_people *p, const char *folded,
	uint8_t person[PERSON_ID], char nick[NICK_MAX + 1]);

#endif
