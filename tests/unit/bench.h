/*
 * A bench for the sending side: an outlet, its far end, one feed, and fakes of
 * what an outlet asks for (being told of room in the socket, being brought on from
 * the history), which only count.
 *
 * The bench keeps what has to arrive, byte by byte. For one thread; failures end
 * the test.
 */
#ifndef LANCHAT_TESTS_BENCH_H
#define LANCHAT_TESTS_BENCH_H

#include "server/outlet.h"
#include "tests/unit/entries.h"
#include "tests/unit/peer.h"

struct bench {
	struct peer peer;
	struct outlet *outlet;
	struct outlet_hooks hooks;
	unsigned blocked, behind; /* calls of the hooks */
	struct member *queued;    /* given to the history readers, with their reference; or NULL */
	struct segment_budget budget;
	struct feed *feed; /* of the room "r" */
	uint8_t *bytes;    /* what is to arrive; owned */
	size_t length, size;
};

/* `buffer` as for peer_open; `last_seq` as for feed_new. */
void bench_open(struct bench *b, int buffer, uint64_t last_seq);
void bench_close(struct bench *b);

/* A frame has to arrive after all those before. */
void bench_expect(struct bench *b, const uint8_t *frame, size_t length);
void bench_expect_caught_up(struct bench *b, uint64_t last);

/* Publish entry `seq` with `text` bytes in the feed; bench_publish expects it as well. */
void bench_publish_quietly(struct bench *b, uint64_t seq, size_t text);
void bench_publish(struct bench *b, uint64_t seq, size_t text);

/* Receive everything, doing the drain thread's part. */
void bench_drain(struct bench *b);

/* All that was expected has arrived, nothing else has, and nothing waits. */
void bench_check(struct bench *b);

/* Leave the feed and let go of the membership. */
void bench_leave(struct member *m);

#endif
