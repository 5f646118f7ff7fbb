/*
 * A server that loses, doubles, misplaces or damages a message now and then, for lanchat-stress to find out.
 *
 * It is lanchatd with two functions in place of others (the linker's --wrap): what is published in a
 * room, and what number it has. The normal server has nothing of it. $LANCHAT_FAULT is "drop", "double",
 * "reorder" or "damage" (of the last byte), and $LANCHAT_FAULT_EVERY says how many messages there are
 * between two faults. What is out of order changes places with the next one in its room, whoever's that
 * is; where none comes before the next fault, it is lost.
 */
#include "common/bytes.h"
#include "common/frame.h"
#include "common/lock.h"
#include "common/message.h"
#include "server/feed.h"
#include "server/said.h"

#include <stdlib.h>
#include <string.h>

void __real_feed_publish(struct feed *f, const uint8_t *frame, size_t length, uint64_t seq);
void __wrap_feed_publish(struct feed *f, const uint8_t *frame, size_t length, uint64_t seq);
uint64_t __real_said_frame_seq(const uint8_t *frame);
uint64_t __wrap_said_frame_seq(const uint8_t *frame);

#define PREV (FRAME_HEADER + 8) /* of a SAID, behind its number: that of the one before it */

static const char *fault;
static unsigned long every;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void read_wish(void)
{
	const char *n = getenv("LANCHAT_FAULT_EVERY");

	fault = getenv("LANCHAT_FAULT");
	every = n ? strtoul(n, NULL, 10) : 10000;
}

/* Once more, or late, with its own number. The server sees a passing message, or it would find that the
 * numbers do not rise: it knows these by a message that comes after itself. */
uint64_t __wrap_said_frame_seq(const uint8_t *frame)
{
	uint64_t seq = __real_said_frame_seq(frame);

	if (bytes_u16(frame + 4) != MESSAGE_SAID)
		return seq;
	return bytes_u64(frame + PREV) == seq ? 0 : seq;
}

static void publish_again(struct feed *f, const uint8_t *frame, size_t length)
{
	uint8_t *copy = malloc(length);

	if (!copy)
		abort();
	memcpy(copy, frame, length);
	bytes_put_u64(copy + PREV, bytes_u64(copy + FRAME_HEADER));
	__real_feed_publish(f, copy, length, 0);
	free(copy);
}

static void publish_damaged(struct feed *f, const uint8_t *frame, size_t length, uint64_t seq)
{
	uint8_t *copy = malloc(length);

	if (!copy)
		abort();
	memcpy(copy, frame, length);
	copy[length - 1] ^= 1;
	__real_feed_publish(f, copy, length, seq);
	free(copy);
}

/* The engine's thread, one message at a time. */
void __wrap_feed_publish(struct feed *f, const uint8_t *frame, size_t length, uint64_t seq)
{
	static uint8_t held[FRAME_MAX];
	static size_t held_length;
	static struct feed *held_for;
	static unsigned long count;

	PTHREAD_OK(pthread_once(&once, read_wish));
	bool now = fault && seq && ++count % every == 0;
	if (now && strcmp(fault, "drop") == 0)
		return;
	if (now && strcmp(fault, "damage") == 0) {
		publish_damaged(f, frame, length, seq);
		return;
	}
	if (now && strcmp(fault, "reorder") == 0) {
		memcpy(held, frame, length);
		held_length = length;
		held_for = f;
		return;
	}
	__real_feed_publish(f, frame, length, seq);
	if (now && strcmp(fault, "double") == 0)
		publish_again(f, frame, length);
	if (held_for == f && seq) {
		publish_again(f, held, held_length);
		held_for = NULL;
	}
}
