/*
 * A status as OpenMetrics 1.0: the families, each with its TYPE, UNIT where it has one, and HELP
 * before its samples.
 */
#include "server/status_print.h"

#include <inttypes.h>

#define PREFIX "lanchatd_"

/* The bounds of the histogram's buckets are powers of two, in microseconds: 64 us to 33 s. */
#define LEAST_BITS 6
#define MOST_BITS  25

static void family(
	const char *name, const char *type, const char *unit, const char *help, FILE *out)
{
	fprintf(out, "# TYPE " PREFIX "%s %s\n", name, type);
	if (*unit)
		fprintf(out, "# UNIT " PREFIX "%s %s\n", name, unit);
	fprintf(out, "# HELP " PREFIX "%s %s\n", name, help);
}

/* A label's value: quotes, backslashes and newlines are escaped, and nothing else. */
static void label_value(const char *text, FILE *out)
{
	for (; *text; text++) {
		if (*text == '\n')
			fputs("\\n", out);
		else if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else
			putc(*text, out);
	}
}

/* A number that counts parts of one: 1500 with 3 decimals is 1.500. */
static void number(uint64_t value, unsigned decimals, FILE *out)
{
	uint64_t one = 1;

	for (unsigned i = 0; i < decimals; i++)
		one *= 10;
	fprintf(out, "%" PRIu64, value / one);
	if (decimals > 0)
		fprintf(out, ".%0*" PRIu64, (int)decimals, value % one);
	putc('\n', out);
}

static void print_info(const struct status *s, FILE *out)
{
	fprintf(out, "# TYPE lanchatd info\n# HELP lanchatd The server.\nlanchatd_info{name=\"");
	label_value(s->name, out);
	fprintf(out, "\",version=\"");
	label_value(s->version, out);
	fprintf(out, "\",log=\"");
	label_value(s->log, out);
	fprintf(out, "\"} 1\n");
}

static void print_health(const struct status *s, FILE *out)
{
	family("log_health", "stateset", "", "How well the log can be written.", out);
	for (unsigned i = 0; i < STATUS_HEALTHS; i++)
		fprintf(out, PREFIX "log_health{" PREFIX "log_health=\"%s\"} %d\n",
			status_health_names[i], i == (unsigned)s->health);
}

static void print_row(const struct status *s, const struct status_row *row, FILE *out)
{
	uint64_t value = status_value(s, row);

	if (value == STATUS_UNKNOWN)
		return;
	family(row->name, row->counter ? "counter" : "gauge", row->unit, row->help, out);
	fprintf(out, PREFIX "%s%s ", row->name, row->counter ? "_total" : "");
	number(value, row->decimals, out);
}

static void print_labelled(const struct status *s, FILE *out)
{
	family("refused", "counter", "", "Connections that were refused, by the reason.", out);
	for (size_t i = 0; i < REFUSALS; i++)
		fprintf(out, PREFIX "refused_total{reason=\"%s\"} %" PRIu64 "\n",
			status_refusal_names[i], s->refusals[i]);
	family("limit_hits", "counter", "", "Times that a limit was reached, by its option.", out);
	for (unsigned i = 0; i < LIMITS; i++)
		fprintf(out, PREFIX "limit_hits_total{limit=\"%s\"} %" PRIu64 "\n",
			limit_name((enum limit)i), s->limits[i]);
	family("recent_rate", "gauge", "", "How many a second, over the last seconds.", out);
	for (size_t i = 0; i < STATUS_RATES; i++) {
		for (size_t k = 0; k < STATUS_SPANS; k++) {
			fprintf(out, PREFIX "recent_rate{of=\"%s\",last=\"%us\"} ",
				status_rate_names[i], status_spans[k]);
			number(s->rates[i][k], 3, out);
		}
	}
}

static void print_appends(const struct histogram_view *v, FILE *out)
{
	family("append_seconds", "histogram", "seconds",
		"From when a message was understood to its acknowledgement.", out);
	for (unsigned bits = LEAST_BITS; bits <= MOST_BITS; bits++) {
		uint64_t us = UINT64_C(1) << bits;
		/* Times are whole microseconds, cut: those below the bound were at most it. */
		fprintf(out,
			PREFIX "append_seconds_bucket{le=\"%" PRIu64 ".%06" PRIu64 "\"} %" PRIu64
			       "\n",
			us / 1000000, us % 1000000, histogram_below(v, bits));
	}
	fprintf(out, PREFIX "append_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n", v->count);
	fprintf(out, PREFIX "append_seconds_count %" PRIu64 "\n", v->count);
	fprintf(out, PREFIX "append_seconds_sum ");
	number(v->sum, 6, out);
	family("append_longest_seconds", "gauge", "seconds", "The longest of these.", out);
	fprintf(out, PREFIX "append_longest_seconds ");
	number(v->most, 6, out);
}

void status_print_openmetrics(const struct status *s, FILE *out)
{
	print_info(s, out);
	print_health(s, out);
	for (size_t i = 0; i < STATUS_ROWS; i++)
		print_row(s, &status_rows[i], out);
	print_labelled(s, out);
	print_appends(&s->appends, out);
	fprintf(out, "# EOF\n");
}
