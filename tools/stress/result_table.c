#include "tools/stress/result.h"

#include "tools/stress/figure.h"

#include <inttypes.h>
#include <stdarg.h>

#define NAME 16 /* columns of the names at the left */
#define CELL 12

/* "name            what there is of it" */
__attribute__((format(printf, 3, 4))) static void row(
	FILE *out, const char *name, const char *format, ...)
{
	va_list arguments;

	fprintf(out, "%-*s", NAME, name);
	va_start(arguments, format);
	(void)vfprintf(out, format, arguments);
	va_end(arguments);
	(void)fputc('\n', out);
}

static void cells(FILE *out, const char *name, const char *const *texts, size_t count)
{
	fprintf(out, "%-*s", NAME, name);
	for (size_t i = 0; i < count; i++)
		fprintf(out, "%*s", CELL, texts[i]);
	(void)fputc('\n', out);
}

/* What the name of so many ends in. */
static const char *s_of(uint64_t count)
{
	return count == 1 ? "" : "s";
}

/* A real number with so many decimals, and a point in every locale. */
static char *real(double number, unsigned decimals, char out[FIGURE_MAX])
{
	uint64_t one = decimals == 2 ? 100 : 10;
	uint64_t scaled = number > 0 && number < 1e15 ? (uint64_t)(number * (double)one + 0.5) : 0;

	(void)snprintf(out, FIGURE_MAX, "%" PRIu64 ".%0*" PRIu64, scaled / one, (int)decimals,
		scaled % one);
	return out;
}

static void print_length(const struct result *r, FILE *out)
{
	char a[FIGURE_MAX], b[FIGURE_MAX], c[FIGURE_MAX];

	fprintf(out, "%-*sfor %s s", NAME, "", real(r->duration, 1, a));
	if (r->ramp > 0)
		fprintf(out, ", connecting within %s s", real(r->ramp, 1, b));
	if (r->churn > 0)
		fprintf(out, ", %s/s leave and return", figure_about(r->churn, c));
	if (r->slow_percent > 0)
		fprintf(out, ", %u %% read slowly", r->slow_percent);
	if (r->quit_percent > 0)
		fprintf(out, ", %u %% quit midway", r->quit_percent);
	(void)fputc('\n', out);
}

static void print_asked(const struct result *r, FILE *out)
{
	char clients[FIGURE_MAX], rooms[FIGURE_MAX], senders[FIGURE_MAX], size[FIGURE_MAX];
	char pace[FIGURE_MAX];

	row(out, "server", "%s, %s", r->server, r->protocol ? r->protocol : "unknown");
	row(out, "conditions", "%s", r->conditions);
	if (r->agent[0])
		row(out, "it says it is", "%s", r->agent);
	if (r->machine[0])
		row(out, "measured on", "%s, %s cores; %s, lanchat-stress " LANCHAT_VERSION,
			r->machine, r->cores ? figure_count(r->cores, pace) : "unknown", r->date);
	row(out, "asked for", "%s client%s in %s room%s, %s sender%s, %s byte%s a message",
		figure_count(r->clients, clients), s_of(r->clients), figure_count(r->rooms, rooms),
		s_of(r->rooms), figure_count(r->senders, senders), s_of(r->senders),
		figure_count(r->size, size), s_of(r->size));
	if (r->rate > 0)
		row(out, "", "%s messages/s in all; scenario %s, seed %" PRIu64,
			figure_about(r->rate, pace), r->scenario ? r->scenario : "none", r->seed);
	else
		row(out, "", "%s of each sender on their way at most; scenario %s, seed %" PRIu64,
			figure_count(r->window, pace), r->scenario ? r->scenario : "none", r->seed);
	print_length(r, out);
}

static void print_load(const struct result *r, FILE *out)
{
	char a[FIGURE_MAX], b[FIGURE_MAX], c[FIGURE_MAX], d[FIGURE_MAX];

	row(out, "connecting", "%s of %s client%s in %s s, %s/s; %s refused",
		figure_count(r->connected, a), figure_count(r->clients, b), s_of(r->clients),
		real(r->connect_seconds, 2, c), figure_about(result_connects_per_s(r), d),
		figure_count(r->refused, (char[FIGURE_MAX]){0}));
	row(out, "sent", "%s in %s s, %s/s", figure_count(r->sent - r->sent_late, a),
		real(r->load_seconds, 1, b), figure_about(result_sent_per_s(r), c));
	row(out, "delivered", "%s, %s/s", figure_count(r->delivered, a),
		figure_about(result_delivered_per_s(r), b));
	row(out, "acknowledged", "%s",
		r->acknowledge.count > 0 ? figure_count(r->acknowledged, a) : "-");
	row(out, "bytes", "%s in, %s out", figure_bytes(r->bytes_in, a),
		figure_bytes(r->bytes_out, b));
	if (r->churned > 0 || r->quit > 0)
		row(out, "came and went", "%s left and returned, %s quit",
			figure_count(r->churned, a), figure_count(r->quit, b));
}

/* ---- latency ---- */

#define PARTS 4

static void print_times(FILE *out, const char *name, const struct histogram_view *v)
{
	static const double parts[PARTS] = {0.5, 0.9, 0.99, 0.999};
	char figures[PARTS + 1][FIGURE_MAX];
	const char *texts[PARTS + 1];

	for (size_t i = 0; i < PARTS; i++)
		texts[i] = v->count == 0 ? "-"
					 : figure_time(histogram_quantile(v, parts[i]), figures[i]);
	texts[PARTS] = v->count == 0 ? "-" : figure_time(v->most, figures[PARTS]);
	cells(out, name, texts, PARTS + 1);
}

static void print_latency(const struct result *r, FILE *out)
{
	static const char *const heads[PARTS + 1] = {"p50", "p90", "p99", "p99.9", "max"};

	(void)fputc('\n', out);
	cells(out, "latency", heads, PARTS + 1);
	print_times(out, r->rate > 0 ? "  from when due" : "  from sending", &r->latency);
	if (r->rate > 0)
		print_times(out, "  from sending", &r->service);
	print_times(out, "  acknowledged", &r->acknowledge);
}

/* ---- the two programs ---- */

/* One figure of each sample; unknown where it is 0. */
static void print_samples(const struct result *r, FILE *out, const char *name,
	void (*print)(const struct subject_sample *s, char figure[FIGURE_MAX]))
{
	const struct subject_sample *samples[] = {&r->before, &r->joined, &r->most, &r->after};
	char figures[4][FIGURE_MAX];
	const char *texts[4];

	for (size_t i = 0; i < 4; i++) {
		(void)snprintf(figures[i], FIGURE_MAX, "-");
		print(samples[i], figures[i]);
		texts[i] = figures[i];
	}
	cells(out, name, texts, 4);
}

static void print_resident(const struct subject_sample *s, char figure[FIGURE_MAX])
{
	if (s->resident > 0)
		(void)figure_bytes(s->resident, figure);
}

static void print_threads(const struct subject_sample *s, char figure[FIGURE_MAX])
{
	if (s->threads > 0)
		(void)figure_count(s->threads, figure);
}

static void print_descriptors(const struct subject_sample *s, char figure[FIGURE_MAX])
{
	if (s->descriptors > 0)
		(void)figure_count(s->descriptors, figure);
}

/* "1.23 us" of CPU, which may be less than a microsecond. */
static const char *cpu_each(double ns, char out[FIGURE_MAX])
{
	char us[FIGURE_MAX];

	if (!(ns > 0))
		return "-";
	if (ns >= 1e6)
		return figure_time((uint64_t)(ns / 1000 + 0.5), out);
	(void)snprintf(out, FIGURE_MAX, "%.16s us", real(ns / 1000, 2, us));
	return out;
}

static void print_server(const struct result *r, FILE *out)
{
	static const char *const heads[] = {"no clients", "all joined", "most", "at the end"};
	char a[FIGURE_MAX], b[FIGURE_MAX], c[FIGURE_MAX];
	double each = result_rss_per_client(r);

	(void)fputc('\n', out);
	if (!r->seen) {
		row(out, "server",
			"not on this machine, or another user's: its CPU and memory are "
			"not known");
		return;
	}
	cells(out, "server", heads, 4);
	print_samples(r, out, "  memory", print_resident);
	print_samples(r, out, "  threads", print_threads);
	print_samples(r, out, "  descriptors", print_descriptors);
	row(out, "  each client", "%s of memory, %s of CPU to let it in",
		each > 0 ? figure_bytes((uint64_t)each, a) : "-",
		cpu_each(r->connected > 0 ? (double)r->connect_cpu_ns / r->connected : 0, b));
	row(out, "  CPU", "%s of a core, %s for each delivery",
		result_server_cpu(r) > 0 ? real(result_server_cpu(r), 2, a) : "-",
		cpu_each(result_cpu_ns_per_delivery(r), c));
	row(out, "  command", "%s", r->command);
}

void result_table(const struct result *r, FILE *out)
{
	char text[RESULT_VERDICT], warning[RESULT_VERDICT], a[FIGURE_MAX], b[FIGURE_MAX],
		c[FIGURE_MAX], d[FIGURE_MAX];
	bool good = result_verdict(r, text);

	print_asked(r, out);
	(void)fputc('\n', out);
	print_load(r, out);
	print_latency(r, out);
	print_server(r, out);
	row(out, "own CPU", "%s of a core, waiting for one %s of the time", real(r->own_cpu, 2, a),
		real(r->own_wait, 2, b));
	for (unsigned i = 0; result_warning(r, i, warning); i++)
		fprintf(out, "WARNING: %s\n", warning);
	(void)fputc('\n', out);
	row(out, "wrong", "%s lost, %s doubled, %s out of order, %s foreign",
		figure_count(r->lost, a), figure_count(r->doubled, b),
		figure_count(r->reordered, c), figure_count(r->foreign, d));
	row(out, "", "%s connection%s ended that should not have", figure_count(r->disconnected, a),
		s_of(r->disconnected));
	row(out, good ? "PASSED" : "FAILED", "%s", text);
}
