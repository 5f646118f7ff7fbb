/*
 * Status: what the server is doing, at one moment.
 *
 * A status is a plain value: status_print.h turns it into text, JSON or OpenMetrics. It is gathered
 * from where the numbers are, each with its own lock taken for a moment, so it is no snapshot of all of
 * them at once; each counter by itself never goes back.
 *
 * A watch is the thread that gathers: it takes a sample every second, so that there are rates of the
 * last seconds, and has the files of /proc open from the start, when there are descriptors.
 */
#ifndef LANCHAT_SERVER_STATUS_H
#define LANCHAT_SERVER_STATUS_H

#include "common/histogram.h"
#include "common/message.h"
#include "server/engine.h"
#include "server/limits.h"
#include "server/metrics.h"
#include "server/rates.h"

#include <stdint.h>

#define STATUS_UNKNOWN   UINT64_MAX /* a number that could not be had */
#define STATUS_SAMPLE_MS 1000       /* between two samples */

struct chat;
struct clients;
struct listeners;
struct announcer;
struct lanes;

enum status_rate {
	STATUS_RATE_CONNECTIONS,
	STATUS_RATE_MESSAGES,
	STATUS_RATE_DELIVERIES,
	STATUS_RATE_RECEIVED_BYTES,
	STATUS_RATE_SENT_BYTES,
	STATUS_RATES,
};
_Static_assert(STATUS_RATES == RATES_OF, "as many as rates.h keeps");

/* The spans that rates are told of, in seconds. */
#define STATUS_SPANS 2
extern const unsigned status_spans[STATUS_SPANS];

/* The names of rates and refusals, as in JSON and OpenMetrics. */
extern const char *const status_rate_names[STATUS_RATES];
extern const char *const status_refusal_names[REFUSALS];
extern const char *const status_health_names[];
#define STATUS_HEALTHS 4

struct status {
	char name[SERVER_NAME_MAX + 1];
	const char *version; /* constant, as is the next */
	const char *log;     /* where it is: an engine's name */
	enum engine_health health;
	unsigned pid;
#define NUMBER(kind, field, decimals, unit, help) uint64_t field;
#include "server/status.def"
#undef NUMBER
	uint64_t refusals[REFUSALS];
	uint64_t limits[LIMITS];
	uint64_t rates[STATUS_RATES][STATUS_SPANS]; /* thousandths of one a second */
	struct histogram_view appends;              /* microseconds */
};

/* Borrowed; all of it outlives the watch. `announcer` may be NULL: there is no beacon; and `lanes`:
 * there are none. */
struct status_sources {
	struct chat *chat;
	struct clients *clients;
	const struct listeners *listeners;
	const struct announcer *announcer;
	struct lanes *lanes;
};

struct status_watch;

/* The time runs from here. ERR_MEMORY. */
int status_watch_new(const struct status_sources *sources, struct status_watch **out);
void status_watch_free(struct status_watch *w); /* NULL is allowed */

/* Take a sample for the rates; every STATUS_SAMPLE_MS. `now` is clock_ms. One thread, as the next. */
void status_sample(struct status_watch *w, int64_t now);

/* The status of now. It is the watch's, until the next call. */
const struct status *status_gather(struct status_watch *w, int64_t now);

#endif
