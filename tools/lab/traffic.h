/*
 * Numbered messages from one socket to another, one after the other at a pace: both ends are played by
 * the same thread, which takes what comes while it waits for the next one to be due.
 *
 * A message is text: its number from 1 in seven digits, then filler. TCP, which knows no messages, is cut into
 * pieces of the messages' size again where it is read.
 */
#ifndef LANCHAT_LAB_TRAFFIC_H
#define LANCHAT_LAB_TRAFFIC_H

#include "tools/lab/stage.h"

#define TRAFFIC_LEAST 8 /* bytes of a message */
#define TRAFFIC_MOST  65507

struct traffic {
	enum side side;
	int from, to;     /* connected sockets, or, of UDP, the client's that is */
	uint32_t count;   /* messages */
	uint32_t size;    /* bytes of each */
	unsigned pace_us; /* between two of them; 0: as fast as it can be */
	unsigned burst;   /* so many at a time, then until the wire has taken them; 0: no matter */
	const char *why;  /* of the first that is sent */
	void (*got)(void *of, uint32_t number); /* each, in the order in which they came; or NULL */
	void *of;
};

/* 0 when all have come (TCP), or all that the wire did not lose (UDP); ERR_TIMEOUT: nothing
 * has moved for STAGE_PATIENCE_MS, or the stage is past its bound, and TCP still tries: then what has not
 * come is still waited for; ERR_CLOSED: the stream ended; ERR_SYSTEM, with errno; ERR_STOPPING;
 * ERR_MEMORY. What was sent and received is in the stage's score. */
int traffic_run(struct stage *s, const struct traffic *t);

/* Assert of a stream, of which traffic_run returned `result`, and with it `error` as errno, that every
 * message came, once and in order. */
void traffic_check_stream(struct stage *s, int result, int error, const char *text);

/* "half within 20 ms, 99 % within 45 ms", or that none came. */
#define TRAFFIC_LATENCY 96
const char *traffic_latency(const struct score *x, char out[TRAFFIC_LATENCY]);

/* The number of the message at `bytes`, from 0, where it says one more; -1: it is none. */
int64_t traffic_number(const void *bytes, size_t length);

/* Make one, without a terminator. */
void traffic_make(void *bytes, size_t size, uint32_t number);

#endif
