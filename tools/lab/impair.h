/*
 * What a bad network does to a packet: pure, and the same for the same seed.
 *
 * One impairer is one direction of the wire: its chances, its queue, and when the line is free again.
 * A packet is first weighed against the MTU, then takes its chances (loss), then waits in the queue of
 * a line of limited rate (tail drop), then travels: delay, plus jitter, plus, where it is reordered, as
 * long again as the delay, but IMPAIR_OVERTAKE_NS at least, in which others may overtake it. A
 * duplicate travels by itself, with a jitter of its own.
 *
 * Jitter alone reorders nothing: a packet arrives no earlier than one that entered before it, as in
 * netem with a rate. Those that are reordered, and duplicates, hold up nobody.
 *
 * Every packet draws the same number of random numbers whatever comes of it, so a change of one
 * impairment leaves the fate of others as it was.
 *
 * Times are nanoseconds of any clock that does not go back. One thread.
 */
#ifndef LANCHAT_LAB_IMPAIR_H
#define LANCHAT_LAB_IMPAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMPAIR_OVERTAKE_NS 5000000

struct impairment {
	double loss, duplicate, reorder; /* chances, 0 to 1 */
	uint64_t delay_ns;               /* one way */
	uint64_t jitter_ns;              /* evenly spread over delay - jitter to delay + jitter */
	uint64_t rate_bps;               /* bits a second, IP headers included; 0: unlimited */
	uint32_t queue_bytes;            /* that wait for the line, or are on it; 0: no bound */
	uint32_t mtu;                    /* bytes of an IP packet; 0: it is not weighed */
};

enum fate_kind {
	FATE_CARRIED,
	FATE_LOST,     /* by chance */
	FATE_SCRIPTED, /* a script, or a hand, picked it */
	FATE_OVERFLOW, /* the queue was full */
	FATE_UNPLUGGED,
	FATE_TOO_LONG, /* for the MTU */
};

struct fate {
	enum fate_kind kind;
	bool reordered;
	uint8_t copies;     /* 0 unless carried; 2: duplicated */
	uint64_t due_ns[2]; /* when each arrives */
	uint64_t queued_ns; /* how much of the first's journey was waiting for the line */
	/* How much longer each takes than the delay and, on a line of limited rate, its own time on it:
	 * because of jitter, the queue, those before it, or being reordered. */
	uint64_t late_ns[2];
};

struct impairer {
	struct impairment now;
	uint64_t random[4];    /* xoshiro256** */
	uint64_t line_free_ns; /* the last bit of what was queued has left then */
	uint64_t last_due_ns;  /* of those that keep their order */
};

void impairer_init(struct impairer *p, const struct impairment *how, uint64_t seed);

/* Other chances from the next packet on; what travels already is not changed, nor overtaken. */
void impairer_set(struct impairer *p, const struct impairment *how);

/* The fate of a packet of `length` bytes that enters the wire now. One that finds the line free is
 * carried whatever the bound of the queue. */
struct fate impairer_decide(struct impairer *p, uint64_t now_ns, size_t length);

/* The fate of one that somebody else drops, for that reason: it draws its random numbers, and takes no
 * room on the line. */
struct fate impairer_drop(struct impairer *p, enum fate_kind why);

/* "lost by chance": why it was not carried; of static duration. */
const char *fate_words(enum fate_kind kind);

#endif
