/*
 * The result of a run, as plain values, and the forms in which it is told.
 *
 * result_table.c prints it for people, result_json.c and result_csv.c for programs, result_report.c
 * makes a page of it. Names in JSON and CSV are documented in lanchat-stress(1) and do not change.
 *
 * One thread.
 */
#ifndef LANCHAT_STRESS_RESULT_H
#define LANCHAT_STRESS_RESULT_H

#include "common/histogram.h"
#include "tools/stress/subject.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* One second of it, or the part of one at the end: what there was of each in it. */
struct result_second {
	uint64_t at_ms; /* since the load began: the end of it */
	uint32_t up;    /* clients that are in their rooms */
	uint64_t sent, delivered, bytes;
	uint32_t p50_us, p99_us, most_us; /* of what was delivered in it */
	uint64_t server_cpu_ns;
	uint64_t server_resident;  /* bytes at its end */
	uint32_t own_cpu_permille; /* of one core */
};

/* One client, over all of its connections. */
struct result_client {
	uint64_t delivered;
	uint32_t mean_us, most_us; /* both 0: not known, as it came and went, or got nothing */
	bool slow;                 /* it was told to read slowly */
};

struct result {
	/* What was asked for. */
	const char *scenario; /* NULL: none by name */
	const char *protocol;
	char server[160];     /* where, as the user may write it */
	char conditions[160]; /* TLS or plaintext, how it keeps history, limits: what is in force */
	char agent[64];       /* what the server says that it is; "": it says nothing */
	char date[32];        /* when it began, UTC: "2026-11-27T12:00:00Z" */
	char machine[128];    /* system, release and processor of the machine that this runs on */
	uint32_t cores;       /* of it; 0: not known */
	uint64_t seed;
	uint32_t clients, rooms, senders;
	uint32_t size;   /* bytes of a message */
	double rate;     /* messages a second in all; 0: by window */
	uint32_t window; /* of each sender's messages may be on their way; 0: by rate */

	double duration, ramp; /* seconds */
	double churn;          /* a second */
	unsigned slow_percent, quit_percent;

	/* Connecting. */
	uint32_t connected;     /* at least once, and came into their rooms */
	double connect_seconds; /* from the first to the last of them */
	uint32_t refused;       /* connections that the server did not let in */
	double connect_pause;   /* seconds of that time in which this program was not let run */

	/* The load. */
	double load_seconds; /* how long messages were sent */
	double seconds;      /* until the last delivery, or as long as that where it is more */
	uint64_t sent, acknowledged, delivered, bytes_in, bytes_out;
	uint64_t
		late; /* of those delivered: to who read slowly or was away, when the load was over */
	uint64_t unsent; /* by rate: what was due and could not be sent in time */
	uint64_t
		sent_late; /* of `sent` and of `unsent`: what could be sent when the load was over */
	double waited_in_vain; /* by window: part of their time in which senders waited for what did not
				  come, 0 to 1 */
	bool stopped;          /* from outside, before all was done */
	bool no_end;           /* messages still came when they were no longer waited for */
	uint64_t outstanding; /* where either is so: deliveries that were to come then */
	bool partly_away; /* some left, and are not told by the protocol what was said meanwhile */
	double waited; /* seconds in which nothing came any more, and it ended for that; 0: it did not */
	uint64_t gaps; /* that the server told of: it no longer had what a client was to get */
	uint64_t unacknowledged; /* messages without the acknowledgement of their own */
	uint64_t lost, doubled, reordered, foreign;
	uint64_t disconnected;      /* connections that ended and should not have */
	uint64_t senders_out;       /* of these: of clients that speak */
	uint64_t lost_disconnected; /* of those lost: to or of these */
	uint64_t churned, quit;
	struct histogram_view latency;     /* microseconds, from when a message was to be sent */
	struct histogram_view service;     /* the same, from when it was sent */
	struct histogram_view acknowledge; /* microseconds to the acknowledgement; maybe empty */

	/* The two programs. */
	double own_cpu;  /* of one core, while the load ran, 0 to 1 */
	double own_wait; /* part of that time in which it was ready to run, and had no core */
	double own_pause; /* seconds of the load, and of waiting for the rest, in which it was not let run
			      at all, as by a signal */
	bool seen;        /* the server is on this machine: the next are known */
	char command[512]; /* of it */
	struct subject_sample before, joined, most,
		after; /* without clients; with all of them, at rest;
							      the most there was; at the end */
	uint64_t
		server_cpu_ns; /* while the load ran, and until the steady ones had all of it; 0: not known */
	uint64_t
		server_load_cpu_ns; /* while messages were sent, which took load_seconds; the same */
	uint64_t connect_cpu_ns;    /* while they came */

	struct result_second *by_second; /* owned */
	size_t seconds_count;
	struct result_client *by_client; /* owned; `clients` of them, or NULL */
};

/* Free what it has, not `r` itself. */
void result_free(struct result *r);

/* Lost, doubled, out of order or foreign: none. */
bool result_is_sound(const struct result *r);

#define RESULT_VERDICT 384

/* Is it sound, did everybody come, was nobody thrown out, and did anything come at all? `out` says so
 * in a sentence, or what is wrong. */
bool result_verdict(const struct result *r, char out[RESULT_VERDICT]);

/* What there is to say beside the verdict, of how much the figures are worth: the one with number `i`, from
 * 0 on, as a sentence. False: there are not so many. */
bool result_warning(const struct result *r, unsigned i, char out[RESULT_VERDICT]);

/* How much of one core the server had while messages were sent; 0: not known. */
double result_server_cpu(const struct result *r);

/* Of the load: messages and deliveries a second, CPU nanoseconds of the server for each delivery, its
 * resident bytes for each client at rest; clients let in a second. 0 where it is not known. */
double result_sent_per_s(const struct result *r);
double result_delivered_per_s(const struct result *r);
double result_cpu_ns_per_delivery(const struct result *r);
double result_rss_per_client(const struct result *r);
double result_connects_per_s(const struct result *r);

/* How long a second was, in milliseconds: more than one where this program could not look at the clock,
 * and less at the end. */
uint32_t result_second_ms(const struct result *r, size_t i);

/* Print it to a terminal or a file. Write errors show in ferror. */
void result_table(const struct result *r, FILE *out);

/* Write a file whole or not at all. ERR_SYSTEM with errno, ERR_MEMORY. "-" is stdout; what is no regular
 * file (/dev/stdout, a pipe) is written as it comes. */
int result_json(const struct result *r, const char *path);
int result_csv(const struct result *r, const char *path);

/* The same as a page (tools/report/page.h). Moreover ERR_NOT_FOUND: gnuplot, which draws its plots, is
 * not there; and other failures of plot_svg. */
int result_report(const struct result *r, const char *path);

#endif
