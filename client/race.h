/*
 * The score of a race: numbered messages over TCP and as datagrams, and what came back.
 *
 * Each way has the same numbers at the same times. Of each number it is known when it was
 * sent and how long it took to come back, and from that everything else follows: what is
 * missing is lost when it is not back after RACE_LOST_US (RACE_LOST_TCP_US), what comes after a higher number
 * is late, what comes again counts as twice. In a race that was cut short, what was under
 * way then is not lost.
 *
 * Pure; one thread at a time. Times are microseconds on the monotonic clock.
 */
#ifndef LANCHAT_RACE_H
#define LANCHAT_RACE_H

#include <stddef.h>
#include <stdint.h>

#define RACE_COUNT      100   /* messages each way, where nobody says how many */
#define RACE_COUNT_MOST 10000 /* as the server relays at most */
#define RACE_SIZE       200   /* bytes of a datagram, where nobody says */
/* What somebody's program sends back of another's race, each way; more is for those who ask for it here. */
#define RACE_GUEST_COUNT 1000
#define RACE_GUEST_BYTES ((size_t)16 * 1024 * 1024)

#define RACE_EVERY_US 10000 /* between two numbers */
#define RACE_LOST_US  2000000
/* TCP sends again what was lost, so there it is late; a server that does not relay it can lose it all the
 * same. */
#define RACE_LOST_TCP_US 10000000
/* A copy of what came back last may be a moment behind it. */
#define RACE_COPY_US 200000

enum race_way {
	RACE_TCP,
	RACE_UDP,
	RACE_WAYS,
};

struct race;

/* NULL: no memory. `count` is at least 1. */
struct race *race_new(uint32_t count);
void race_free(struct race *r); /* NULL is allowed */

/* When the next number is due: INT64_MAX when all have been sent. The first is due at once. */
int64_t race_due(const struct race *r);

/* The next number, which is sent by both ways now. Only when one is due. */
uint32_t race_next(struct race *r, int64_t now);

/* A number came back; one that was not sent is ignored. */
void race_back(struct race *r, enum race_way way, uint32_t number, int64_t now);

/* One of those that came back came again, as a copy that the network made. */
void race_copy(struct race *r, enum race_way way, uint32_t number);

/* It goes no further: from now on nothing more is lost. */
void race_cut(struct race *r, int64_t now);

/* When there is nothing more to wait for: all is back, or lost, and a copy of the last would have come;
 * INT64_MAX: not known yet. */
int64_t race_end(const struct race *r, int64_t now);

/* One way, as of now. */
struct race_score {
	uint32_t count;   /* that will be sent in all */
	uint32_t sent;    /* so far */
	uint32_t arrived; /* came back, each counted once */
	uint32_t lost;
	uint32_t late;
	uint32_t twice;
	uint32_t p50_us, p99_us; /* there and back, of those that arrived; 0: none did */
};
void race_score(const struct race *r, enum race_way way, int64_t now, struct race_score *out);

/* How far each number has come, for drawing: `columns` marks of the numbers in order, several of them
 * in one mark where there are more. */
enum race_mark {
	RACE_MARK_NONE, /* not sent */
	RACE_MARK_WAIT, /* under way */
	RACE_MARK_BACK,
	RACE_MARK_LOST, /* one of them is */
};
void race_marks(const struct race *r, enum race_way way, int64_t now, enum race_mark *out,
	uint32_t columns);

/* "100 messages of 200 bytes ... " is the caller's; this is one way in words: "97 of 100 arrived, 3 lost,
 * 0 late, 0 twice, p50 0.2 ms, p99 0.9 ms", cut to `size`; those that nobody waited for are told behind
 * the lost. Returns `out`. */
char *race_print(const struct race_score *s, char *out, size_t size);

/* How many messages of so many bytes a race with somebody else may have, so that all are sent back. */
uint32_t race_guest_count(uint16_t size);

#endif
