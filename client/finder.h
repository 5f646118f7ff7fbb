/*
 * Finding servers: a live list of those that the network announces.
 *
 * A finder has one thread, which asks (at 0, 60, 250 and 1000 ms, then every 5 s),
 * listens for answers, announcements and goodbyes on every suitable interface,
 * probes servers that fell silent and drops those that are gone. One server is
 * one row, however many interfaces it was seen on. The list is bounded, and so is
 * what one source may add to it. A row proves nothing: the server's key does,
 * when connecting.
 *
 * finder_fd becomes readable when the list may have changed; finder_list copies
 * it. Functions are for one thread, the owner's.
 */
#ifndef LANCHAT_FINDER_H
#define LANCHAT_FINDER_H

#include "common/message.h"
#include "common/net.h"
#include "common/options.h"

#include <stddef.h>
#include <stdint.h>

#define FINDER_ROWS      64 /* servers listed at most */
#define FINDER_ADDRESSES 8  /* addresses of one server at most */

struct finder;

struct finder_config {
	const struct option_list *interfaces;     /* globs; NULL or empty: all that suit */
	const struct option_list *not_interfaces; /* globs; NULL or empty: none left out */
	uint16_t port;                            /* 0: NET_PORT */
};

/* One server. */
struct finder_row {
	uint8_t server[32];             /* its id, as claimed */
	uint8_t instance[16];           /* of this start of it */
	char name[SERVER_NAME_MAX + 1]; /* clean text */
	uint32_t people;                /* logged in now */
	uint32_t people_max;            /* how many may be */
	uint16_t version_low, version_high;
	int64_t rtt_us;     /* of the last answer; -1 when only announced so far */
	int64_t first_seen; /* clock_ms */
	struct net_address addresses[FINDER_ADDRESSES]; /* for TCP, the best one first */
	size_t address_count;
};

/* Start looking. ERR_SYSTEM, ERR_MEMORY. An interface that cannot be used is skipped. */
int finder_start(const struct finder_config *config, struct finder **out);

/* Stop and free; NULL is allowed. */
void finder_stop(struct finder *f);

/* Readable (poll) after the list changed, until finder_list is called. */
int finder_fd(const struct finder *f);

/* Copy the rows, oldest first, at most `most`; returns how many. */
size_t finder_list(struct finder *f, struct finder_row *rows, size_t most);

/* What to show as the name of a server: one that has none, or one of nothing but blanks, would be an empty
 * place in a list. Borrowed from the row, or constant; any thread. */
const char *finder_row_name(const struct finder_row *row);

/* Ask again now, as after a resume from sleep or when somebody presses a key. */
void finder_refresh(struct finder *f);

#endif
