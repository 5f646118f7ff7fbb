/*
 * What acts add up to, in memory: charters, and who owns which nick.
 *
 * Of nicks, of rooms' charters and of what these have in all, a fixed number is kept; beyond it there
 * are no new ones, and of the spellings of a nick the last one alone counts. (A log that outlives the server has no such bound.)
 *
 * Not locked: see engine_memory.c.
 */
#ifndef LANCHAT_SERVER_MEMORY_ACTS_H
#define LANCHAT_SERVER_MEMORY_ACTS_H

#include "common/lookalike.h"
#include "server/engine.h"
#include "server/tree.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#define MEMORY_ACTS_MOST 65536

struct memory_acts {
	size_t most; /* constant */
	struct charter server;
	struct tree rooms, looks, owners;
	TAILQ_HEAD(, ruled_room) all_rooms;
	TAILQ_HEAD(, owned_nick) all_nicks;
	size_t room_count, nick_count, look_count;
	size_t standings; /* of all rooms */
};

void memory_acts_init(struct memory_acts *m, size_t most);
void memory_acts_fini(struct memory_acts *m);

/* What the rules say to an entry that has its time. `said`: something was said in the room that it is
 * about. CODE_LIST_FULL, too: no more rooms, or nicks, can be remembered. */
enum code memory_acts_decide(const struct memory_acts *m, const struct log_entry *e, bool said);

/* Change what an entry of kind SAID_ACT changes. ERR_MEMORY: nothing has changed. */
int memory_acts_apply(struct memory_acts *m, const struct log_entry *e);

/* As the engine's calls of these names. */
int memory_acts_charter(
	const struct memory_acts *m, const struct stream_key *key, struct charter *out);
bool memory_acts_closed(const struct memory_acts *m, const struct stream_key *key);
int memory_acts_owner(const struct memory_acts *m, const char *look, uint8_t person[PERSON_ID],
	char nick[NICK_MAX + 1]);

#endif
