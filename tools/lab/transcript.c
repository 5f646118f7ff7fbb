#include "tools/lab/transcript.h"

#include "tools/lab/alike.h"
#include "tools/lab/call_text.h"
#include "tools/lab/columns.h"

#include <inttypes.h>
#include <string.h>

#define LINE 1024

static const char *const hosts[] = {"client", "server", "third"};
static const char *const sides[] = {"TCP", "UDP", "both"};

/* A side's column, for what tells of calls. */
struct column {
	struct columns *columns;
	int side;
};

struct teller {
	struct columns columns;
	struct column column[SIDES];
	struct alike alike[SIDES];
};

/* ---- calls ---- */

static void tell_more(void *of, const char *words)
{
	struct column *c = of;
	char line[LINE];

	snprintf(line, sizeof(line), "        %s", words);
	columns_add(c->columns, c->side, 8, line);
}

static void tell_call(struct teller *t, enum side side, const struct journal_call *c)
{
	char line[LINE];
	int n = snprintf(line, sizeof(line), "%-7s %s(%s) = %ld%s%s",
		c->host < sizeof(hosts) / sizeof(hosts[0]) ? hosts[c->host] : "?", c->operation,
		c->arguments, c->result, c->error ? " " : "",
		c->error ? call_text_error(c->error) : "");

	if (side == SIDE_BOTH) {
		columns_wide(&t->columns, "", line);
		if (c->why)
			columns_wide(&t->columns, "          ", c->why);
		return;
	}
	if (n < 0 || alike_is_more(&t->alike[side], c))
		return;
	columns_add(&t->columns, (int)side, 10, line);
	if (c->why) {
		snprintf(line, sizeof(line), "          %s", c->why);
		columns_add(&t->columns, (int)side, 10, line);
	}
}

/* ---- words ---- */

static void tell_words(struct teller *t, enum side side, const char *text)
{
	if (side == SIDE_BOTH) {
		alike_end(&t->alike[SIDE_TCP]);
		alike_end(&t->alike[SIDE_UDP]);
		columns_wide(&t->columns, "* ", text);
		return;
	}
	char line[LINE];
	alike_end(&t->alike[side]);
	snprintf(line, sizeof(line), "* %s", text);
	columns_add(&t->columns, (int)side, 2, line);
}

static void tell_journal(const struct journal *j, FILE *out, size_t width)
{
	struct teller t = {0};
	const struct journal_entry *x;

	columns_init(&t.columns, out, width);
	for (int side = 0; side < SIDES; side++) {
		t.column[side] = (struct column){&t.columns, side};
		t.alike[side].tell = tell_more;
		t.alike[side].of = &t.column[side];
	}
	for (uint64_t i = 0; (x = journal_at(j, i)) != NULL; i++) {
		if (x->kind == JOURNAL_CALL)
			tell_call(&t, x->side, &x->of.call);
		else if (x->kind == JOURNAL_WORDS)
			tell_words(&t, x->side, x->of.words.text);
	}
	alike_end(&t.alike[SIDE_TCP]);
	alike_end(&t.alike[SIDE_UDP]);
	columns_flush(&t.columns);
}

/* ---- a scenario ---- */

static int put_network(const struct impairment *i, char *out, size_t size)
{
	int n = snprintf(out, size, "delay %g ms", (double)i->delay_ns / 1e6);
	const struct {
		const char *format;
		double value;
	} parts[] = {{", jitter %g ms", (double)i->jitter_ns / 1e6},
		{", loss %g %%", i->loss * 100}, {", twice %g %%", i->duplicate * 100},
		{", overtaken %g %%", i->reorder * 100}, {", %g kbit/s", (double)i->rate_bps / 1e3},
		{", queue %g bytes", (double)i->queue_bytes}};

	for (size_t k = 0; k < sizeof(parts) / sizeof(parts[0]) && n > 0 && (size_t)n < size; k++) {
		if (parts[k].value > 0)
			n += snprintf(out + n, size - (size_t)n, parts[k].format, parts[k].value);
	}
	return n;
}

static void rule(FILE *out, size_t width, char sign)
{
	for (size_t i = 0; i < width; i++)
		(void)putc(sign, out);
	(void)putc('\n', out);
}

void transcript_begin(const struct stage_options *o, FILE *out, size_t width)
{
	const struct scenario *x = o->scenario;
	struct columns c;
	char line[LINE];

	columns_init(&c, out, width);
	rule(out, c.width, '=');
	snprintf(line, sizeof(line), "%d. %s (%s)", x->number, x->title, x->name);
	columns_wide(&c, "", line);
	columns_wide(&c, "   ", x->about);
	int n = snprintf(line, sizeof(line),
		"%s: ", o->loopback ? "a relay on loopback, in place of hosts" : "the network");
	if (n > 0)
		(void)put_network(&o->impaired, line + n, sizeof(line) - (size_t)n);
	columns_wide(&c, "   ", line);
	columns_fini(&c);
}

static void tell_wire(const struct outcome *o, struct columns *c)
{
	char line[LINE];

	for (int side = 0; side < SIDES; side++) {
		const struct wire_counts *w = &o->wire[side];
		if (w->sent == 0)
			continue;
		snprintf(line, sizeof(line),
			"%s: %" PRIu64 " packets, %" PRIu64 " lost, %" PRIu64
			" found the queue full, %" PRIu64 " doubled, %" PRIu64
			" overtaken; %" PRIu64 " retransmissions",
			sides[side], w->sent, w->lost, w->overflowed, w->duplicated, w->reordered,
			w->retransmitted);
		columns_wide(c, o->options.loopback ? "relay   " : "wire    ", line);
	}
}

static void tell_checks(const struct outcome *o, struct columns *c)
{
	static const char *const signs[] = {[VERDICT_FAILED] = "FAILED  ",
		[VERDICT_HELD] = "ok      ",
		[VERDICT_OPEN] = "NOT SHOWN  "};
	char line[LINE];

	for (size_t i = 0; i < o->checks_count; i++) {
		const struct outcome_check *k = &o->checks[i];
		snprintf(line, sizeof(line), "%-4s %s: %s", sides[k->side], k->text, k->measured);
		columns_wide(c, signs[k->verdict], line);
	}
}

void transcript_end(const struct outcome *o, const struct journal *j, FILE *out, size_t width)
{
	struct columns c;
	char line[LINE];

	columns_init(&c, out, width);
	if (j) {
		columns_add(&c, 0, 0, "TCP");
		columns_add(&c, 1, 0, "UDP");
		columns_flush(&c);
		rule(out, c.width, '-');
		tell_journal(j, out, width);
		rule(out, c.width, '-');
		tell_wire(o, &c);
		tell_checks(o, &c);
	}
	if (!o->shown)
		columns_wide(&c, "NOT SHOWN  ", o->reason);
	else if (o->error) {
		snprintf(line, sizeof(line), "it did not come to its end: %s", outcome_error(o));
		columns_wide(&c, "FAILED  ", line);
	}
	columns_fini(&c);
}

void transcript_total(const struct outcome *all, size_t count, uint64_t seed, FILE *out)
{
	size_t held = 0, failed = 0, open = 0, missing = 0, broken = 0;

	for (size_t i = 0; i < count; i++) {
		held += all[i].held;
		failed += all[i].failed;
		open += all[i].open;
		missing += !all[i].shown;
		broken += all[i].shown && all[i].error != 0;
	}
	fprintf(out, "%zu scenario%s, %zu assertion%s held, %zu failed", count,
		count == 1 ? "" : "s", held, held == 1 ? "" : "s", failed);
	if (open)
		fprintf(out, ", %zu not shown", open);
	if (broken)
		fprintf(out, ", %zu did not come to an end", broken);
	if (missing)
		fprintf(out, "; %zu scenario%s not shown", missing, missing == 1 ? "" : "s");
	fprintf(out, " (seed %" PRIu64 ")\n", seed);
}
