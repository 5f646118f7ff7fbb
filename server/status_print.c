#include "server/status_print.h"

#include "common/json.h"

#include <inttypes.h>
#include <string.h>

const char *const status_format_names[STATUS_FORMATS] = {
	[STATUS_TEXT] = "text",
	[STATUS_JSON] = "json",
	[STATUS_OPENMETRICS] = "openmetrics",
};

#define KIND_COUNTER true
#define KIND_GAUGE   false
const struct status_row status_rows[] = {
#define NUMBER(kind, field, decimals, unit, help)                                                  \
	{#field, unit, help, offsetof(struct status, field), decimals, KIND_##kind},
#include "server/status.def"
#undef NUMBER
};
_Static_assert(sizeof(status_rows) / sizeof(status_rows[0]) == STATUS_ROWS, "as many as declared");

uint64_t status_value(const struct status *s, const struct status_row *row)
{
	uint64_t value;

	memcpy(&value, (const char *)s + row->offset, sizeof(value));
	return value;
}

static uint64_t mean(const struct histogram_view *v)
{
	return v->count ? v->sum / v->count : 0;
}

/* ---- JSON ---- */

/* "max-clients" as a key. */
static void json_key(const char *name, char *out, size_t size)
{
	snprintf(out, size, "%s", name);
	for (char *c = out; *c; c++) {
		if (*c == '-')
			*c = '_';
	}
}

static void json_rates(struct json *j, const struct status *s)
{
	char key[32];

	json_object_begin(j, "per_second");
	for (size_t i = 0; i < STATUS_RATES; i++) {
		json_object_begin(j, status_rate_names[i]);
		for (size_t k = 0; k < STATUS_SPANS; k++) {
			snprintf(key, sizeof(key), "last_%us", status_spans[k]);
			json_fixed(j, key, s->rates[i][k], 3);
		}
		json_object_end(j);
	}
	json_object_end(j);
}

static void json_appends(struct json *j, const struct histogram_view *v)
{
	json_object_begin(j, "append_microseconds");
	json_unsigned(j, "count", v->count);
	json_unsigned(j, "sum", v->sum);
	json_unsigned(j, "mean", mean(v));
	json_unsigned(j, "p50", histogram_quantile(v, 0.5));
	json_unsigned(j, "p90", histogram_quantile(v, 0.9));
	json_unsigned(j, "p99", histogram_quantile(v, 0.99));
	json_unsigned(j, "max", v->most);
	json_object_end(j);
}

static void print_json(const struct status *s, FILE *out)
{
	char key[64];
	struct json j;

	json_begin(&j, out);
	json_text(&j, "name", s->name);
	json_text(&j, "version", s->version);
	json_unsigned(&j, "pid", s->pid);
	json_text(&j, "log", s->log);
	json_text(&j, "log_health", status_health_names[s->health]);
	for (size_t i = 0; i < STATUS_ROWS; i++) {
		uint64_t value = status_value(s, &status_rows[i]);
		if (value == STATUS_UNKNOWN)
			json_null(&j, status_rows[i].name);
		else
			json_fixed(&j, status_rows[i].name, value, status_rows[i].decimals);
	}
	json_object_begin(&j, "refused");
	for (size_t i = 0; i < REFUSALS; i++)
		json_unsigned(&j, status_refusal_names[i], s->refusals[i]);
	json_object_end(&j);
	json_object_begin(&j, "limits");
	for (unsigned i = 0; i < LIMITS; i++) {
		json_key(limit_name((enum limit)i), key, sizeof(key));
		json_unsigned(&j, key, s->limits[i]);
	}
	json_object_end(&j);
	json_rates(&j, s);
	json_appends(&j, &s->appends);
	json_end(&j);
}

/* ---- words ---- */

#define LABEL "%-13s "

static void print_bytes(uint64_t bytes, FILE *out)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		value /= 1024;
		unit++;
	}
	if (bytes == STATUS_UNKNOWN)
		fprintf(out, "unknown");
	else
		fprintf(out, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

static void print_count(uint64_t count, FILE *out)
{
	if (count == STATUS_UNKNOWN)
		fprintf(out, "unknown");
	else
		fprintf(out, "%" PRIu64, count);
}

static void print_us(uint64_t us, FILE *out)
{
	if (us < 1000)
		fprintf(out, "%" PRIu64 " us", us);
	else if (us < 1000000)
		fprintf(out, "%.1f ms", (double)us / 1e3);
	else
		fprintf(out, "%.1f s", (double)us / 1e6);
}

/* Those that are not 0, by name. */
static void print_named(const char *label, const char *const *names, const uint64_t *counts,
	size_t count, FILE *out)
{
	const char *before = "";

	fprintf(out, LABEL, label);
	for (size_t i = 0; i < count; i++) {
		if (!counts[i])
			continue;
		fprintf(out, "%s%" PRIu64 " %s", before, counts[i], names[i]);
		before = ", ";
	}
	fprintf(out, *before ? "\n" : "none\n");
}

static void print_uptime(const struct status *s, FILE *out)
{
	uint64_t seconds = s->uptime_seconds / 1000;
	char began[JSON_TIME_MAX];

	json_print_time(s->start_time_seconds * 1000, began);
	fprintf(out,
		LABEL "%" PRIu64 " d %02" PRIu64 ":%02" PRIu64 ":%02" PRIu64 ", since %.19sZ\n",
		"up", seconds / 86400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60, began);
}

static void print_rates(const struct status *s, FILE *out)
{
	for (size_t k = 0; k < STATUS_SPANS; k++) {
		char label[32];
		snprintf(label, sizeof(label), "last %u s", status_spans[k]);
		fprintf(out, LABEL, label);
		for (size_t i = 0; i < STATUS_RATES; i++) {
			bool bytes = i >= STATUS_RATE_RECEIVED_BYTES;
			static const char *const words[STATUS_RATES] = {
				"connections", "messages", "deliveries", "in", "out"};
			if (bytes)
				print_bytes(s->rates[i][k] / 1000, out);
			else
				fprintf(out, "%.1f", (double)s->rates[i][k] / 1000);
			fprintf(out, " %s%s", words[i], i + 1 < STATUS_RATES ? ", " : "");
		}
		fprintf(out, " a second\n");
	}
}

static void print_appends(const struct histogram_view *v, FILE *out)
{
	static const struct {
		const char *name;
		double part;
	} parts[] = {{"half within ", 0.5}, {", 90 % within ", 0.9}, {", 99 % within ", 0.99}};

	fprintf(out, LABEL, "kept");
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		fprintf(out, "%s", parts[i].name);
		print_us(histogram_quantile(v, parts[i].part), out);
	}
	fprintf(out, ", all within ");
	print_us(v->most, out);
	fprintf(out, "\n");
}

static void print_log(const struct status *s, FILE *out)
{
	fprintf(out, LABEL "%s, %s, ", "log", s->log, status_health_names[s->health]);
	print_bytes(s->log_bytes, out);
	fprintf(out, "; %" PRIu64 " messages in %" PRIu64 " transactions", s->log_entries,
		s->log_transactions);
	if (s->log_transactions)
		fprintf(out, ", %.1f in each",
			(double)s->log_entries / (double)s->log_transactions);
	fprintf(out, "\n");
}

static void print_memory(const struct status *s, FILE *out)
{
	fprintf(out, LABEL, "memory");
	print_bytes(s->memory_resident_bytes, out);
	fprintf(out, " resident, ");
	print_bytes(s->memory_allocated_bytes, out);
	fprintf(out, " allocated, ");
	print_bytes(s->memory_window_bytes, out);
	fprintf(out, " of frames on their way; ");
	print_count(s->descriptors, out);
	fprintf(out, " descriptors, ");
	print_count(s->threads, out);
	fprintf(out, " threads\n");
}

static void print_text(const struct status *s, FILE *out)
{
	const char *names[LIMITS];

	for (unsigned i = 0; i < LIMITS; i++)
		names[i] = limit_name((enum limit)i);
	fprintf(out, LABEL "%s, lanchatd %s, process %u\n", "server", s->name, s->version, s->pid);
	print_uptime(s, out);
	fprintf(out,
		LABEL "%" PRIu64 " now, %" PRIu64 " of them not logged in; %" PRIu64
		      " at most; %" PRIu64 " accepted in all, %" PRIu64 " logins, %" PRIu64
		      " faults\n",
		"connections", s->connections, s->connections_logging_in, s->connections_most,
		s->connections_accepted, s->logins, s->faults);
	print_named("refused", status_refusal_names, s->refusals, REFUSALS, out);
	print_named("limits hit", names, s->limits, LIMITS, out);
	fprintf(out, LABEL "%" PRIu64 "; rooms: %" PRIu64 " open, %" PRIu64 " known\n", "people",
		s->persons, s->rooms_open, s->rooms_known);
	fprintf(out,
		LABEL "%" PRIu64 " accepted, %" PRIu64 " known already, %" PRIu64
		      " refused, %" PRIu64 " to be sent again; %" PRIu64 " deliveries\n",
		"messages", s->messages_accepted, s->messages_duplicate, s->messages_refused,
		s->messages_retried, s->deliveries);
	fprintf(out, LABEL, "traffic");
	print_bytes(s->received_bytes, out);
	fprintf(out, " in, ");
	print_bytes(s->sent_bytes, out);
	fprintf(out, " out\n");
	print_rates(s, out);
	print_appends(&s->appends, out);
	print_log(s, out);
	print_memory(s, out);
	fprintf(out,
		LABEL "%" PRIu64 " announcements, %" PRIu64 " queries, %" PRIu64
		      " answered, %" PRIu64 " dropped, %" PRIu64 " strange packets\n",
		"beacon", s->beacon_announcements, s->beacon_queries, s->beacon_answers,
		s->beacon_dropped, s->beacon_strange);
	fprintf(out,
		LABEL "%" PRIu64 " open; datagrams: %" PRIu64 " in, %" PRIu64 " out, %" PRIu64
		      " strange, %" PRIu64 " forged, %" PRIu64 " replayed, %" PRIu64 " dropped\n",
		"lanes", s->lanes, s->lane_received, s->lane_sent, s->lane_strange, s->lane_forged,
		s->lane_replayed, s->lane_dropped);
}

void status_print(const struct status *s, enum status_format format, FILE *out)
{
	switch (format) {
	case STATUS_TEXT:
		print_text(s, out);
		return;
	case STATUS_JSON:
		print_json(s, out);
		return;
	case STATUS_OPENMETRICS:
		status_print_openmetrics(s, out);
		return;
	}
}
