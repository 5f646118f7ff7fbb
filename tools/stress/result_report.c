#include "tools/stress/result.h"

#include "tools/report/page.h"
#include "tools/stress/figure.h"
#include "tools/stress/result_plots.h"

#include <inttypes.h>
#include <string.h>

#define TEXT 64

static void add_highlights(struct page *page, const struct result *r)
{
	char delivered[FIGURE_MAX], p50[FIGURE_MAX], p99[FIGURE_MAX], memory[FIGURE_MAX];
	double each = result_rss_per_client(r);
	struct page_fact facts[] = {
		{"delivered a second", figure_about(result_delivered_per_s(r), delivered)},
		{"half of them within", NULL},
		{"99 % within", NULL},
		{"memory for each client", NULL},
	};

	if (r->latency.count > 0) {
		facts[1].value = figure_time(histogram_quantile(&r->latency, 0.5), p50);
		facts[2].value = figure_time(histogram_quantile(&r->latency, 0.99), p99);
	}
	if (each > 0)
		facts[3].value = figure_bytes((uint64_t)each, memory);
	page_highlights(page, facts, sizeof facts / sizeof facts[0]);
}

/* What only some loads have. */
static void add_manner(struct page *page, const struct result *r)
{
	char duration[TEXT], ramp[TEXT], churn[FIGURE_MAX], slow[TEXT], quit[TEXT];
	const struct page_fact facts[] = {
		{"for", duration},
		{"all connect within", r->ramp > 0 ? ramp : NULL},
		{"leave and return, a second", r->churn > 0 ? figure_about(r->churn, churn) : NULL},
		{"read slowly", r->slow_percent > 0 ? slow : NULL},
		{"quit midway", r->quit_percent > 0 ? quit : NULL},
	};

	(void)snprintf(duration, sizeof duration, "%.1f s", r->duration);
	(void)snprintf(ramp, sizeof ramp, "%.1f s", r->ramp);
	(void)snprintf(slow, sizeof slow, "%u %%", r->slow_percent);
	(void)snprintf(quit, sizeof quit, "%u %%", r->quit_percent);
	page_facts(page, facts, sizeof facts / sizeof facts[0]);
}

/* Where and when, and of what. */
static void add_place(struct page *page, const struct result *r)
{
	char cores[FIGURE_MAX];
	const struct page_fact facts[] = {
		{"date", r->date[0] ? r->date : NULL},
		{"machine", r->machine[0] ? r->machine : NULL},
		{"its cores", r->cores > 0 ? figure_count(r->cores, cores) : NULL},
		{"measured by", "lanchat-stress " LANCHAT_VERSION},
		{"the server says it is", r->agent[0] ? r->agent : NULL},
	};

	page_heading(page, "Where and when");
	page_facts(page, facts, sizeof facts / sizeof facts[0]);
}

/* What was wrong, none of it too, and who went as they were told to. */
static void add_wrong(struct page *page, const struct result *r)
{
	char lost[FIGURE_MAX], doubled[FIGURE_MAX], reordered[FIGURE_MAX], foreign[FIGURE_MAX];
	char gone[FIGURE_MAX], churned[FIGURE_MAX], quit[FIGURE_MAX];
	const struct page_fact facts[] = {
		{"lost", figure_count(r->lost, lost)},
		{"doubled", figure_count(r->doubled, doubled)},
		{"out of order", figure_count(r->reordered, reordered)},
		{"foreign", figure_count(r->foreign, foreign)},
		{"disconnected", figure_count(r->disconnected, gone)},
		{"left and returned", figure_count(r->churned, churned)},
		{"quit midway, as told to", figure_count(r->quit, quit)},
	};

	page_facts(page, facts, sizeof facts / sizeof facts[0]);
}

static void add_asked(struct page *page, const struct result *r)
{
	char clients[FIGURE_MAX], rooms[FIGURE_MAX], senders[FIGURE_MAX], size[FIGURE_MAX];
	char pace[FIGURE_MAX], seed[TEXT];
	struct page_fact facts[] = {
		{"server", r->server},
		{"protocol", r->protocol},
		{"conditions", r->conditions},
		{"scenario", r->scenario},
		{"clients", figure_count(r->clients, clients)},
		{"rooms", figure_count(r->rooms, rooms)},
		{"senders", figure_count(r->senders, senders)},
		{"bytes of a message", figure_count(r->size, size)},
		{"messages a second", r->rate > 0 ? figure_about(r->rate, pace) : NULL},
		{"on their way, of each sender",
			r->rate > 0 ? NULL : figure_count(r->window, pace)},
		{"seed", seed},
	};

	(void)snprintf(seed, sizeof seed, "%" PRIu64, r->seed);
	page_heading(page, "What was asked for");
	page_facts(page, facts, sizeof facts / sizeof facts[0]);
	add_manner(page, r);
}

static void add_came(struct page *page, const struct result *r)
{
	char connected[FIGURE_MAX], rate[FIGURE_MAX], refused[FIGURE_MAX], sent[FIGURE_MAX];
	char acknowledged[FIGURE_MAX], delivered[FIGURE_MAX], in[FIGURE_MAX], out[FIGURE_MAX];
	char own[TEXT];
	const struct page_fact facts[] = {
		{"clients that came", figure_count(r->connected, connected)},
		{"let in a second", figure_about(result_connects_per_s(r), rate)},
		{"refused", figure_count(r->refused, refused)},
		{"sent", figure_count(r->sent, sent)},
		{"acknowledged", r->acknowledge.count > 0
					 ? figure_count(r->acknowledged, acknowledged)
					 : NULL},
		{"delivered", figure_count(r->delivered, delivered)},
		{"bytes received", figure_bytes(r->bytes_in, in)},
		{"bytes sent", figure_bytes(r->bytes_out, out)},
		{"CPU of lanchat-stress", own},
	};

	(void)snprintf(own, sizeof own, "%.0f %% of a core, waiting for one %.0f %% of the time",
		r->own_cpu * 100, r->own_wait * 100);
	page_heading(page, "What came of it");
	page_facts(page, facts, sizeof facts / sizeof facts[0]);
	add_wrong(page, r);
}

static void add_times(struct page *page, const char *name, const struct histogram_view *v)
{
	static const double parts[] = {0.5, 0.9, 0.99, 0.999};
	char texts[5][FIGURE_MAX];
	const char *cells[6] = {name};

	for (size_t i = 0; i < 4 && v->count > 0; i++)
		cells[i + 1] = figure_count(histogram_quantile(v, parts[i]), texts[i]);
	if (v->count > 0)
		cells[5] = figure_count(v->most, texts[4]);
	page_row(page, cells);
}

static void add_latency(struct page *page, const struct result *r)
{
	static const struct page_column columns[] = {{"microseconds", false}, {"p50", true},
		{"p90", true}, {"p99", true}, {"p99.9", true}, {"max", true}};

	page_heading(page, "Latency");
	page_table_begin(page, NULL, columns, sizeof columns / sizeof columns[0]);
	add_times(page, r->rate > 0 ? "from when it was due" : "from sending", &r->latency);
	if (r->rate > 0)
		add_times(page, "from sending", &r->service);
	add_times(page, "acknowledged", &r->acknowledge);
	page_table_end(page);
	plots_latency(page, r);
}

static void add_sample(struct page *page, const char *name, const struct subject_sample *s)
{
	char memory[FIGURE_MAX], threads[FIGURE_MAX], descriptors[FIGURE_MAX];
	const char *cells[] = {name, s->resident > 0 ? figure_bytes(s->resident, memory) : NULL,
		s->threads > 0 ? figure_count(s->threads, threads) : NULL,
		s->descriptors > 0 ? figure_count(s->descriptors, descriptors) : NULL};

	page_row(page, cells);
}

static void add_server(struct page *page, const struct result *r)
{
	static const struct page_column columns[] = {
		{"", false}, {"memory", true}, {"threads", true}, {"descriptors", true}};
	char cores[TEXT], each[TEXT];
	struct page_fact facts[] = {{"CPU", NULL}, {"CPU for each delivery", NULL}};

	page_heading(page, "The server's process");
	if (!r->seen) {
		page_paragraph(page, "It is on another machine, or another user's: what it used is "
				     "not known.");
		return;
	}
	if (result_server_cpu(r) > 0) {
		(void)snprintf(cores, sizeof cores, "%.2f of a core", result_server_cpu(r));
		facts[0].value = cores;
	}
	if (r->delivered > 0) {
		(void)snprintf(each, sizeof each, "%.2f us", result_cpu_ns_per_delivery(r) / 1000);
		facts[1].value = each;
	}
	page_facts(page, facts, sizeof facts / sizeof facts[0]);
	page_table_begin(page, NULL, columns, sizeof columns / sizeof columns[0]);
	add_sample(page, "without clients", &r->before);
	add_sample(page, "with all, at rest", &r->joined);
	add_sample(page, "the most", &r->most);
	add_sample(page, "at the end", &r->after);
	page_table_end(page);
	page_command(page, r->command);
}

static void add_parts(struct page *page, const struct result *r)
{
	char verdict[RESULT_VERDICT], warning[RESULT_VERDICT];
	bool good = result_verdict(r, verdict);

	page_verdict(page, good ? PAGE_PASSED : PAGE_FAILED, verdict);
	for (unsigned i = 0; result_warning(r, i, warning); i++)
		page_verdict(page, PAGE_NOTED, warning);
	add_highlights(page, r);
	add_asked(page, r);
	add_came(page, r);
	add_latency(page, r);
	plots_over_time(page, r);
	plots_by_client(page, r);
	add_server(page, r);
	add_place(page, r);
}

int result_report(const struct result *r, const char *path)
{
	struct page *page;
	char error[512];

	int e = page_open(&page, path, "A load on a chat server", r->server, error, sizeof error);
	if (e)
		return e;
	add_parts(page, r);
	return page_close(page, "lanchat-stress " LANCHAT_VERSION, error, sizeof error);
}
