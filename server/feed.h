/*
 * Feeds: a bounded window of recent frames, and those who want them.
 *
 * A room has one feed, and so has the inbox of each person who is here. Frames
 * are published at the head in the order of the log; the window reaches back from
 * there over a bounded number of segments. A place in the feed is a position: how
 * many bytes had been published before it. Whoever is at a position inside the
 * window can go on from memory; whoever is behind its tail reads the history.
 *
 * Two kinds of frames go through a feed: those with a sequence number, which the
 * history has as well, and passing ones (presence), which it does not.
 *
 * Any thread may call these functions. A feed's lock is held only to look and to
 * link, never while sending.
 */
#ifndef LANCHAT_SERVER_FEED_H
#define LANCHAT_SERVER_FEED_H

#include "common/message.h"
#include "server/engine.h"
#include "server/segment.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define FEED_SEGMENTS 16           /* in a window at most */
#define FEED_BYTES    (256 * 1024) /* in a window at most */

struct feed;
struct member;

/* What there is to send at one moment: references to segments, taken under the lock and used
 * without it. */
struct feed_window {
	struct segment *segments[FEED_SEGMENTS];
	uint32_t used[FEED_SEGMENTS];
	uint64_t start[FEED_SEGMENTS];
	size_t count;
	uint64_t tail, head; /* positions: frames from tail on are here, head is the next */
	uint64_t last_seq;   /* the newest number published */
	uint64_t entries;    /* with a number that were published so far */
	uint64_t version;    /* of the presence told so far */
	uint32_t people;
};

/* The members at one moment, immutable and counted. */
struct member_set {
	atomic_uint refs;
	size_t count;
	struct member *members[];
};

/* A feed with one reference, the caller's. `name` is what frames call it: a room's name, "" for an
 * inbox. `last_seq` is the last number that the history has for it. NULL when memory is out. */
struct feed *feed_new(const struct stream_key *key, const char *name, struct segment_budget *budget,
	uint64_t last_seq);
struct feed *feed_ref(struct feed *f);
void feed_unref(struct feed *f);

const struct stream_key *feed_key(const struct feed *f);
const char *feed_name(const struct feed *f);

/* Append one frame. `seq` is its number, 0 for a passing one; a number that is not above the last
 * is ignored. When memory is out, the window is emptied instead, and everyone reads on from the
 * history. */
void feed_publish(struct feed *f, const uint8_t *frame, size_t length, uint64_t seq);

/* A passing frame that also changes what the window tells of presence. */
void feed_publish_presence(
	struct feed *f, const uint8_t *frame, size_t length, uint64_t version, uint32_t people);

/* How many people are in the room now, for the window to tell. */
void feed_set_people(struct feed *f, uint32_t people);

/* The position of what is published next. */
uint64_t feed_head(struct feed *f);

uint64_t feed_last_seq(struct feed *f);

/* Take the window; feed_window_release gives the references back. */
void feed_window_take(struct feed *f, struct feed_window *w);
void feed_window_release(struct feed_window *w);

/* The window's bytes from position `from` (tail <= from <= head) on, as at most FEED_SEGMENTS
 * pieces; returns how many. */
int feed_window_pieces(const struct feed_window *w, uint64_t from, struct iovec *pieces);

/* The byte at a position inside the window, and in `*left` how many follow it in one piece. */
const uint8_t *feed_window_at(const struct feed_window *w, uint64_t position, size_t *left);

/* Where one who has everything up to `seq` goes on: a position, and how many entries were published
 * before it; or ERR_NOT_FOUND when the window does not reach back that far. */
int feed_locate(struct feed *f, uint64_t seq, uint64_t *position, uint64_t *entries);

/* Let go of the segments of a feed in which nothing was published since the last call: an idle feed
 * has none. Returns true when there are none left. */
bool feed_rest(struct feed *f);

/* Members: the feed takes a reference. ERR_MEMORY. Removing one that is not there does nothing. */
int feed_add(struct feed *f, struct member *m);
void feed_remove(struct feed *f, struct member *m);

/* The members now; NULL when there are none or memory is out. */
struct member_set *feed_members(struct feed *f);
void member_set_unref(struct member_set *s);

/* The members one after the other, without memory: the one before place `*at` (SIZE_MAX: the last one)
 * as a reference of the caller's, and its place; NULL when there is none left. Whoever is a member all
 * the while is met; others may be, once or twice. */
struct member *feed_member_before(struct feed *f, size_t *at);

/* Who pumps: true when the caller is now the one who has to. False: somebody else does, and will
 * look again. feed_pump_end returns false when the caller has to look again. */
bool feed_pump_begin(struct feed *f);
bool feed_pump_end(struct feed *f);

/* Stop being the one who pumps, whether or not somebody asked to look again. */
void feed_pump_give_up(struct feed *f);

#endif
