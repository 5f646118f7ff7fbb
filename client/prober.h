/*
 * Asking servers that fell silent, each over a socket connected to it alone.
 *
 * Only such a socket is told by the kernel that the other host has nobody at the
 * port any more, which is how a killed server leaves the list early. A question
 * that gets no reply in time is dropped: silence proves nothing. For the finder's
 * thread.
 */
#ifndef LANCHAT_PROBER_H
#define LANCHAT_PROBER_H

#include "common/beacon.h"
#include "common/net.h"

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

#define PROBER_MAX 32 /* questions under way */

struct prober_question {
	int fd; /* owned; -1: free */
	struct net_address peer;
	int64_t asked_ms;
};

struct prober {
	struct prober_question questions[PROBER_MAX];
};

void prober_init(struct prober *p);
void prober_fini(struct prober *p);

/* Send `packet`, a query, to `peer`. Dropped when it cannot be sent or too many are under way. */
void prober_ask(struct prober *p, const struct net_address *peer, const uint8_t packet[BEACON_SIZE],
	int64_t now_ms);

/* What to poll for (-1 in free places), and until when. */
void prober_poll(const struct prober *p, struct pollfd fds[PROBER_MAX]);
int64_t prober_deadline(const struct prober *p);

/* The next reply; the question is over then and copied to `*q`, without its descriptor. 0: an answer,
 * in `packet`; ERR_REFUSED: nobody is there; ERR_AGAIN: there are no more replies now, and questions
 * that waited too long are dropped. */
int prober_next(
	struct prober *p, int64_t now_ms, struct prober_question *q, uint8_t packet[BEACON_SIZE]);

#endif
