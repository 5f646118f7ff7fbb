#include "tools/lab/lab_report.h"

#include "common/err.h"
#include "tools/lab/lab_report_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TEXT 64
#define LINE 1024

struct lab_report {
	struct page *page; /* owned */
};

int lab_report_open(
	struct lab_report **out, const char *path, const char *command, char *error, size_t size)
{
	struct lab_report *r = calloc(1, sizeof(*r));

	if (!r) {
		snprintf(error, size, "%s", err_text(ERR_MEMORY));
		return ERR_MEMORY;
	}
	int e = page_open(&r->page, path, "TCP beside UDP",
		"The same messages over the same bad network, on the kernel's own sockets.", error,
		size);
	if (e) {
		free(r);
		return e;
	}
	page_command(r->page, command);
	*out = r;
	return 0;
}

void lab_report_discard(struct lab_report *r)
{
	if (!r)
		return;
	page_discard(r->page);
	free(r);
}

/* ---- what it was played on ---- */

static const char *if_any(double value, const char *unit, char out[TEXT])
{
	if (!(value > 0))
		return NULL;
	(void)snprintf(out, TEXT, "%.10g%s", value, unit);
	return out;
}

static void add_settings(struct page *page, const struct outcome *o)
{
	const struct impairment *i = &o->options.impaired;
	char delay[TEXT], jitter[TEXT], loss[TEXT], doubled[TEXT], overtaken[TEXT], rate[TEXT];
	char queue[TEXT], mtu[TEXT], count[TEXT], size[TEXT], seed[TEXT], took[TEXT];
	struct page_fact facts[] = {
		{"hosts", o->options.loopback ? "addresses of loopback, with a relay"
					      : "network namespaces, with a wire"},
		{"delay, each way", if_any((double)i->delay_ns / 1e6, " ms", delay)},
		{"jitter", if_any((double)i->jitter_ns / 1e6, " ms", jitter)},
		{"lost by chance", if_any(i->loss * 100, " %", loss)},
		{"doubled", if_any(i->duplicate * 100, " %", doubled)},
		{"overtaken", if_any(i->reorder * 100, " %", overtaken)},
		{"rate of the line", if_any((double)i->rate_bps / 1e3, " kbit/s", rate)},
		{"its queue", if_any(i->queue_bytes, " bytes", queue)},
		{"largest packet", if_any(i->mtu ? i->mtu : SITE_MTU, " bytes", mtu)},
		{"messages", if_any(o->options.count, "", count)},
		{"bytes of a message", if_any(o->options.size, "", size)},
		{"seed", seed},
		{"took", if_any((double)o->milliseconds, " ms", took)},
	};
	struct page_fact given[sizeof(facts) / sizeof(facts[0])];
	size_t n = 0;

	(void)snprintf(seed, sizeof(seed), "%" PRIu64, o->options.seed);
	for (size_t k = 0; k < sizeof(facts) / sizeof(facts[0]); k++) {
		if (facts[k].value)
			given[n++] = facts[k];
	}
	page_facts(page, given, n);
}

/* ---- what was counted ---- */

static void add_count(struct page *page, const char *name, uint64_t tcp, uint64_t udp)
{
	char a[TEXT], b[TEXT];
	const char *cells[] = {name, a, b};

	(void)snprintf(a, sizeof(a), "%" PRIu64, tcp);
	(void)snprintf(b, sizeof(b), "%" PRIu64, udp);
	page_row(page, cells);
}

/* A dash for a side whose messages have no numbers. */
static void add_numbered(struct page *page, const char *name, const struct score *t, uint64_t tcp,
	const struct score *u, uint64_t udp)
{
	char a[TEXT], b[TEXT];
	const char *cells[] = {name, t->sent ? a : NULL, u->sent ? b : NULL};

	(void)snprintf(a, sizeof(a), "%" PRIu64, tcp);
	(void)snprintf(b, sizeof(b), "%" PRIu64, udp);
	page_row(page, cells);
}

static void add_time(struct page *page, const char *name, const struct outcome *o, double part)
{
	char texts[SIDES][TEXT];
	const char *cells[1 + SIDES] = {name};

	for (int side = 0; side < SIDES; side++) {
		const struct histogram_view *v = &o->score[side].latency_us;
		uint64_t us = part < 1 ? histogram_quantile(v, part) : v->most;
		if (v->count == 0)
			continue;
		(void)snprintf(texts[side], TEXT, "%.1f", (double)us / 1e3);
		cells[1 + side] = texts[side];
	}
	page_row(page, cells);
}

static void add_messages(struct page *page, const struct outcome *o,
	const struct page_column columns[], const struct score *t, const struct score *u)
{
	if (t->sent + u->sent == 0)
		return;
	page_table_begin(page, "Numbered messages", columns, 3);
	add_numbered(page, "sent", t, t->sent, u, u->sent);
	add_numbered(page, "received", t, t->received, u, u->received);
	add_numbered(page, "lost", t, t->lost, u, u->lost);
	add_numbered(page, "still waiting at the end", t, t->in_flight, u, u->in_flight);
	add_numbered(page, "received twice", t, t->twice, u, u->twice);
	add_numbered(page, "received after a later one", t, t->late, u, u->late);
	add_time(page, "half of them within, ms", o, 0.5);
	add_time(page, "99 % within, ms", o, 0.99);
	add_time(page, "the slowest, ms", o, 1);
	page_table_end(page);
}

static void add_packets(struct page *page, const struct outcome *o,
	const struct page_column columns[], const struct wire_counts *t,
	const struct wire_counts *u)
{
	page_table_begin(page, o->options.loopback ? "What the relay did" : "Packets, both ways",
		columns, 3);
	add_count(page, "sent", t->sent, u->sent);
	add_count(page, "arrived", t->arrived, u->arrived);
	add_count(page, "lost", t->lost, u->lost);
	add_count(page, "found the queue full", t->overflowed, u->overflowed);
	add_count(page, "doubled", t->duplicated, u->duplicated);
	add_count(page, "overtaken", t->reordered, u->reordered);
	add_count(page, "retransmissions", t->retransmitted, u->retransmitted);
	add_count(page, "duplicate ACKs", t->duplicate_acks, u->duplicate_acks);
	add_count(page, "bytes", t->bytes, u->bytes);
	page_table_end(page);
}

static void add_counts(struct page *page, const struct outcome *o)
{
	static const struct page_column columns[] = {{"", false}, {"TCP", true}, {"UDP", true}};

	page_subheading(page, "What was counted");
	add_messages(page, o, columns, &o->score[SIDE_TCP], &o->score[SIDE_UDP]);
	add_packets(page, o, columns, &o->wire[SIDE_TCP], &o->wire[SIDE_UDP]);
}

/* ---- what was asserted ---- */

static void add_checks(struct page *page, const struct outcome *o)
{
	static const char *const sides[] = {"TCP", "UDP", "Both"};
	static const enum page_verdict verdicts[] = {[VERDICT_FAILED] = PAGE_FAILED,
		[VERDICT_HELD] = PAGE_PASSED,
		[VERDICT_OPEN] = PAGE_NOTED};
	char line[LINE];

	page_subheading(page, "What was asserted");
	for (size_t i = 0; i < o->checks_count; i++) {
		const struct outcome_check *k = &o->checks[i];
		(void)snprintf(line, sizeof(line), "%s%s: %s (%s)",
			k->verdict == VERDICT_OPEN ? "not shown: " : "", sides[k->side], k->text,
			k->measured);
		page_verdict(page, verdicts[k->verdict], line);
	}
	if (!o->error)
		return;
	(void)snprintf(line, sizeof(line), "it did not come to its end: %s", outcome_error(o));
	page_verdict(page, PAGE_FAILED, line);
}

/* ---- a scenario ---- */

int lab_report_add(struct lab_report *r, const struct outcome *o, struct stage *s)
{
	const struct scenario *x = o->options.scenario;
	struct page *page = r->page;
	char title[LINE];
	int e = 0;

	(void)snprintf(title, sizeof(title), "%d. %s", x->number, x->title);
	page_heading(page, title);
	page_paragraph(page, x->about);
	if (!o->shown) {
		(void)snprintf(title, sizeof(title), "not shown: %s", o->reason);
		page_verdict(page, PAGE_NOTED, title);
		return 0;
	}
	add_settings(page, o);
	if (s) {
		page_subheading(page, "What both sides did");
		page_paragraph(page, "The numbers are milliseconds from the beginning.");
		report_calls(page, stage_journal(s));
		if (o->options.loopback)
			page_paragraph(page, "Packets are not seen on loopback: there is no wire.");
		e = report_wire(page, o, stage_journal(s));
		if (e == 0)
			e = report_latency(page, o, s);
		add_counts(page, o);
	}
	add_checks(page, o);
	return e;
}

/* ---- the end ---- */

static void add_total(struct page *page, const struct outcome *all, size_t count)
{
	static const struct page_column columns[] = {
		{"scenario", false}, {"", false}, {"held", true}, {"failed", true}};

	page_heading(page, "In all");
	page_table_begin(page, NULL, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < count; i++) {
		const struct outcome *o = &all[i];
		char held[TEXT], failed[TEXT];
		const char *cells[] = {o->options.scenario->title,
			outcome_good(o)  ? "passed"
			: outcome_bad(o) ? "failed"
					 : "not shown",
			held, failed};
		(void)snprintf(held, sizeof(held), "%zu", o->held);
		(void)snprintf(failed, sizeof(failed), "%zu", o->failed);
		page_row(page, cells);
	}
	page_table_end(page);
}

int lab_report_close(
	struct lab_report *r, const struct outcome *all, size_t count, char *error, size_t size)
{
	add_total(r->page, all, count);
	int e = page_close(r->page, "lanchat-lab " LANCHAT_VERSION, error, size);
	free(r);
	return e;
}
