/*
 * What memory_log.c and memory_read.c share: the log's streams and instances.
 */
#ifndef LANCHAT_SERVER_MEMORY_LOG_PRIVATE_H
#define LANCHAT_SERVER_MEMORY_LOG_PRIVATE_H

#include "server/memory_log.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

/* A client instance that has appended: its high-water mark is what makes ids count once. */
struct author {
	uint8_t instance[INSTANCE_ID]; /* first: its key in the tree */
	uint8_t person[PERSON_ID];     /* the first to use the instance; nobody else may */
	uint64_t accepted;             /* the highest counter */
	uint64_t pruned;               /* the highest counter whose entry was dropped */
	struct ring ring;              /* empty while it is in the list of the idle */
	TAILQ_ENTRY(author) idle;
};

/* A room's topic. */
struct topic {
	uint64_t time;
	char nick[NICK_MAX + 1];
	uint16_t length;
	char text[];
};

struct log_stream {
	struct stream_key key; /* first: its key in the tree */
	struct ring ring;      /* empty while the stream is in the list of the idle */
	uint64_t last, pruned;
	char name[ROOM_NAME_MAX + 1]; /* of a room, as it was shown the first time */
	struct topic *topic;          /* owned; NULL: nobody ever set one */
	bool open;                    /* it is among memory_log.open_rooms */
	TAILQ_ENTRY(log_stream) idle;
};

#endif
