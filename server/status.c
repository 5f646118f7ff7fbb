#include "server/status.h"

#include "common/clock.h"
#include "common/err.h"
#include "server/announcer.h"
#include "server/chat.h"
#include "server/clients.h"
#include "server/lanes.h"
#include "server/listeners.h"
#include "server/process.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const unsigned status_spans[STATUS_SPANS] = {10, 60};

const char *const status_rate_names[STATUS_RATES] = {
	[STATUS_RATE_CONNECTIONS] = "connections",
	[STATUS_RATE_MESSAGES] = "messages",
	[STATUS_RATE_DELIVERIES] = "deliveries",
	[STATUS_RATE_RECEIVED_BYTES] = "received_bytes",
	[STATUS_RATE_SENT_BYTES] = "sent_bytes",
};

const char *const status_refusal_names[REFUSALS] = {
	[REFUSAL_FULL] = "full",
	[REFUSAL_PER_ADDRESS] = "per_address",
	[REFUSAL_LOGGING_IN] = "logging_in",
	[REFUSAL_PENALTY] = "penalty",
	[REFUSAL_RESOURCES] = "resources",
	[REFUSAL_STOPPING] = "stopping",
};

const char *const status_health_names[STATUS_HEALTHS] = {
	[ENGINE_WELL] = "well",
	[ENGINE_FULL] = "full",
	[ENGINE_BROKEN] = "broken",
	[ENGINE_DAMAGED] = "damaged",
};

struct status_watch {
	struct status_sources sources; /* constant, as are the next two */
	int64_t began;                 /* clock_ms */
	uint64_t began_wall;           /* milliseconds since 1970 */
	struct process process;
	struct rates rates;
	struct status status;
};

int status_watch_new(const struct status_sources *sources, struct status_watch **out)
{
	struct status_watch *w = calloc(1, sizeof(*w));

	if (!w)
		return ERR_MEMORY;
	w->sources = *sources;
	w->began = clock_ms();
	w->began_wall = clock_wall_us() / 1000;
	process_open(&w->process);
	status_sample(w, w->began);
	*out = w;
	return 0;
}

void status_watch_free(struct status_watch *w)
{
	if (!w)
		return;
	process_close(&w->process);
	free(w);
}

/* ---- rates ---- */

static const enum metric rate_metrics[STATUS_RATES] = {
	[STATUS_RATE_CONNECTIONS] = METRIC_CONNECTIONS,
	[STATUS_RATE_MESSAGES] = METRIC_ACCEPTED,
	[STATUS_RATE_DELIVERIES] = METRIC_DELIVERIES,
	[STATUS_RATE_RECEIVED_BYTES] = METRIC_BYTES_IN,
	[STATUS_RATE_SENT_BYTES] = METRIC_BYTES_OUT,
};

void status_sample(struct status_watch *w, int64_t now)
{
	uint64_t counters[METRICS], sample[STATUS_RATES];

	metrics_read(chat_metrics(w->sources.chat), counters);
	for (size_t i = 0; i < STATUS_RATES; i++)
		sample[i] = counters[rate_metrics[i]];
	rates_sample(&w->rates, now, sample);
}

/* ---- gathering, by where it comes from ---- */

static void gather_metrics(struct status_watch *w, int64_t now)
{
	struct metrics *m = chat_metrics(w->sources.chat);
	struct status *s = &w->status;
	uint64_t c[METRICS];

	metrics_read(m, c);
	metrics_read_appends(m, &s->appends);
	s->connections_accepted = c[METRIC_CONNECTIONS];
	s->logins = c[METRIC_LOGINS];
	s->faults = c[METRIC_FAULTS];
	s->messages_accepted = c[METRIC_ACCEPTED];
	s->messages_duplicate = c[METRIC_DUPLICATES];
	s->messages_refused = c[METRIC_REFUSED];
	s->messages_retried = c[METRIC_RETRIED];
	s->deliveries = c[METRIC_DELIVERIES];
	s->received_bytes = c[METRIC_BYTES_IN];
	s->sent_bytes = c[METRIC_BYTES_OUT];
	memcpy(s->refusals, c + METRIC_REFUSAL, sizeof(s->refusals));
	memcpy(s->limits, c + METRIC_LIMIT, sizeof(s->limits));
	s->refusals[REFUSAL_RESOURCES] += listeners_refused(w->sources.listeners);
	for (size_t i = 0; i < STATUS_RATES; i++) {
		for (size_t j = 0; j < STATUS_SPANS; j++)
			s->rates[i][j] = rates_per_second(&w->rates, now, i, c[rate_metrics[i]],
				(int64_t)status_spans[j] * 1000);
	}
}

static void gather_chat(struct status_watch *w)
{
	struct chat *c = w->sources.chat;
	struct engine *e = chat_engine(c);
	struct status *s = &w->status;
	struct hub_numbers rooms;
	struct engine_stats log;
	struct policy policy;

	chat_policy(c, &policy);
	snprintf(s->name, sizeof(s->name), "%s", policy.name);
	hub_numbers(chat_hub(c), &rooms);
	engine_stats(e, &log);
	s->persons = people_count(chat_people(c));
	s->rooms_open = rooms.open;
	s->rooms_known = rooms.known;
	s->log = e->class->name;
	s->health = engine_health(e);
	s->log_transactions = log.transactions;
	s->log_entries = log.entries;
	s->log_bytes = log.bytes;
	s->memory_window_bytes = chat_window_bytes(c);
}

static void gather_clients(struct status_watch *w)
{
	struct clients_numbers n;

	clients_numbers(w->sources.clients, &n);
	w->status.connections = n.now;
	w->status.connections_most = n.most;
	w->status.connections_logging_in = n.logging_in;
}

static void gather_process(struct status_watch *w)
{
	struct mallinfo2 heap = mallinfo2();
	struct process_numbers n;

	process_read(&w->process, &n);
	w->status.pid = (unsigned)getpid();
	w->status.memory_resident_bytes = n.resident;
	/* With another allocator than the C library's, this one has nothing. */
	uint64_t allocated = heap.uordblks + heap.hblkhd;
	w->status.memory_allocated_bytes = allocated ? allocated : STATUS_UNKNOWN;
	w->status.threads = n.threads;
	w->status.descriptors = n.descriptors;
}

static void gather_beacon(struct status_watch *w)
{
	struct announcer_numbers n = {0};

	if (w->sources.announcer)
		announcer_numbers(w->sources.announcer, &n);
	w->status.beacon_announcements = n.announcements;
	w->status.beacon_queries = n.queries;
	w->status.beacon_answers = n.answers;
	w->status.beacon_dropped = n.dropped;
	w->status.beacon_strange = n.strange;
}

static void gather_lanes(struct status_watch *w)
{
	struct lanes_numbers n = {0};

	if (w->sources.lanes)
		lanes_numbers(w->sources.lanes, &n);
	w->status.lanes = n.lanes;
	w->status.lane_received = n.received;
	w->status.lane_sent = n.sent;
	w->status.lane_strange = n.strange;
	w->status.lane_forged = n.forged;
	w->status.lane_replayed = n.replayed;
	w->status.lane_dropped = n.dropped;
}

const struct status *status_gather(struct status_watch *w, int64_t now)
{
	w->status.version = LANCHAT_VERSION;
	w->status.uptime_seconds = (uint64_t)(now - w->began);
	w->status.start_time_seconds = w->began_wall;
	gather_metrics(w, now);
	gather_clients(w);
	gather_chat(w);
	gather_process(w);
	gather_beacon(w);
	gather_lanes(w);
	return &w->status;
}
