/*
 * The calls of both sides, side by side.
 */
#include "tools/lab/alike.h"
#include "tools/lab/call_text.h"
#include "tools/lab/ladder_text.h"
#include "tools/lab/lab_report_private.h"

#include <stdio.h>

#define TIME 32
#define LINE 1024

static void tell_more(void *of, const char *line)
{
	page_item(of, &(struct page_item){.when = "", .words = line});
}

static char *put_time(const struct journal_entry *x, char out[TIME])
{
	snprintf(out, TIME, "%.1f", (double)x->time_ns / 1e6);
	return out;
}

static void add_call(struct page *page, struct alike *alike, const struct journal_entry *x)
{
	const struct journal_call *c = &x->of.call;
	char line[LINE], time[TIME];

	if (!c->why && alike_is_more(alike, c))
		return;
	snprintf(line, sizeof(line), "%s(%s) = %ld%s%s", c->operation, c->arguments, c->result,
		c->error ? " " : "", c->error ? call_text_error(c->error) : "");
	page_item(page, &(struct page_item){.when = put_time(x, time),
				.who = ladder_host(c->host),
				.code = line,
				.words = c->why});
}

/* Entries from `from` to before `to` of that side. */
static void add_side(
	struct page *page, const struct journal *j, enum side side, uint64_t from, uint64_t to)
{
	struct alike alike = {.tell = tell_more, .of = page};
	char time[TIME];

	for (uint64_t i = from; i < to; i++) {
		const struct journal_entry *x = journal_at(j, i);
		if (x->side != side)
			continue;
		if (x->kind == JOURNAL_CALL) {
			add_call(page, &alike, x);
		} else if (x->kind == JOURNAL_WORDS) {
			alike_end(&alike);
			page_item(page, &(struct page_item){.when = put_time(x, time),
						.words = x->of.words.text});
		}
	}
	alike_end(&alike);
}

static bool is_told(const struct journal_entry *x)
{
	return x->kind == JOURNAL_CALL || x->kind == JOURNAL_WORDS;
}

static void add_sides(struct page *page, const struct journal *j, uint64_t from, uint64_t to)
{
	bool some = false;

	for (uint64_t i = from; i < to && !some; i++)
		some = is_told(journal_at(j, i));
	if (!some)
		return;
	page_sides_begin(page, "TCP");
	add_side(page, j, SIDE_TCP, from, to);
	page_sides_next(page, "UDP");
	add_side(page, j, SIDE_UDP, from, to);
	page_sides_end(page);
}

static void add_both(struct page *page, const struct journal_entry *x)
{
	char line[LINE];

	if (x->kind == JOURNAL_WORDS) {
		page_paragraph(page, x->of.words.text);
		return;
	}
	snprintf(line, sizeof(line), "%s  %s(%s) = %ld%s%s%s%s", ladder_host(x->of.call.host),
		x->of.call.operation, x->of.call.arguments, x->of.call.result,
		x->of.call.error ? " " : "",
		x->of.call.error ? call_text_error(x->of.call.error) : "",
		x->of.call.why ? "\n" : "", x->of.call.why ? x->of.call.why : "");
	page_command(page, line);
}

void report_calls(struct page *page, const struct journal *j)
{
	uint64_t from = 0, count = journal_count(j);

	/* What is of both sides stands between, over the whole width. */
	for (uint64_t i = 0; i < count; i++) {
		const struct journal_entry *x = journal_at(j, i);
		if (x->side != SIDE_BOTH || !is_told(x))
			continue;
		add_sides(page, j, from, i);
		add_both(page, x);
		from = i + 1;
	}
	add_sides(page, j, from, count);
}
