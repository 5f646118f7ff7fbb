/*
 * The table of servers that a finder has heard of.
 *
 * Pure: packets and the time go in, rows come out, so everything about it can be
 * tested with a made-up clock. A server is one row, told apart by its id, its
 * instance and its commitment; each address that its beacons came from is one
 * address of the row, forgotten when it falls silent. Rows in all, rows that one
 * source may have made, addresses in a row and packets that a source may send are
 * bounded.
 *
 * The table is its owner's, who locks if more than one thread uses it.
 */
#ifndef LANCHAT_FINDER_TABLE_H
#define LANCHAT_FINDER_TABLE_H

#include "client/finder.h"
#include "common/beacon.h"
#include "common/net.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Rows that packets from one address may make. */
#define FINDER_ROWS_A_SOURCE 16
/* A server that was silent for so long is asked whether it is still there. */
#define FINDER_SILENCE_MS 2400
/* How long a server that said goodbye is not believed to be back: its last packets may overtake each
 * other. A restarted server is another instance, so nobody waits for this. */
#define FINDER_GRAVE_MS 10000

struct finder_table;

/* How a packet came. */
struct finder_origin {
	struct net_address from;
	bool loopback;     /* over the loopback interface */
	bool bridge;       /* over a bridge, so rather not the shortest way */
	int64_t rtt_us;    /* how long the answer took; -1 when nobody asked */
	uint32_t question; /* which one it answers */
};

/* The heap's; NULL when memory is out. */
struct finder_table *finder_table_new(int64_t now_ms);
void finder_table_free(struct finder_table *t);

/* Take in a decoded packet (queries mean nothing here). True when the list changed. */
bool finder_table_hear(struct finder_table *t, const struct beacon *b,
	const struct finder_origin *origin, int64_t now_ms);

/* Forget what has been silent for too long. True when the list changed. */
bool finder_table_expire(struct finder_table *t, int64_t now_ms);

/* The beacon addresses to be asked now, because their server has been silent; each is given out once
 * per silence. Returns how many, at most `most`. */
size_t finder_table_silent(
	struct finder_table *t, int64_t now_ms, struct net_address *out, size_t most);

/* The host of this beacon address, asked at `asked_ms`, said that nobody has the port: forget the
 * addresses that were learned from there, unless they were heard since, and the server with the last
 * of them. True when the list changed. */
bool finder_table_refused(struct finder_table *t, const struct net_address *at, int64_t asked_ms);

/* When finder_table_expire or finder_table_silent will have something to do; INT64_MAX: never. */
int64_t finder_table_deadline(const struct finder_table *t);

/* Copy the rows, oldest first, at most `most`; returns how many. */
size_t finder_table_list(const struct finder_table *t, struct finder_row *rows, size_t most);

#endif
