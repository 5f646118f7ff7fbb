#include "tools/lab/lab_json.h"

#include "common/json.h"

static const char *const side_names[] = {"tcp", "udp", "both"};

/* A chance with six digits behind the point. */
static void put_chance(struct json *j, const char *key, double chance)
{
	json_fixed(j, key, (uint64_t)(chance * 1e6 + 0.5), 6);
}

static void put_options(struct json *j, const struct stage_options *o)
{
	const struct impairment *i = &o->impaired;

	json_unsigned(j, "count", o->count);
	json_unsigned(j, "size", o->size);
	json_object_begin(j, "network");
	put_chance(j, "loss", i->loss);
	put_chance(j, "duplicate", i->duplicate);
	put_chance(j, "reorder", i->reorder);
	json_fixed(j, "delay_ms", i->delay_ns / 1000, 3);
	json_fixed(j, "jitter_ms", i->jitter_ns / 1000, 3);
	json_unsigned(j, "rate_bps", i->rate_bps);
	json_unsigned(j, "queue_bytes", i->queue_bytes);
	json_unsigned(j, "mtu", i->mtu);
	json_object_end(j);
}

static void put_check(struct json *j, const struct outcome_check *c)
{
	json_object_begin(j, NULL);
	json_text(j, "side", side_names[c->side]);
	if (c->verdict == VERDICT_OPEN)
		json_null(j, "good");
	else
		json_bool(j, "good", c->verdict == VERDICT_HELD);
	json_text(j, "text", c->text);
	json_text(j, "measured", c->measured);
	json_object_end(j);
}

static void put_latency(struct json *j, const struct histogram_view *v)
{
	if (v->count == 0) {
		json_null(j, "latency_us");
		return;
	}
	json_object_begin(j, "latency_us");
	json_unsigned(j, "count", v->count);
	json_unsigned(j, "p50", histogram_quantile(v, 0.5));
	json_unsigned(j, "p90", histogram_quantile(v, 0.9));
	json_unsigned(j, "p99", histogram_quantile(v, 0.99));
	json_unsigned(j, "max", v->most);
	json_object_end(j);
}

static void put_side(struct json *j, const struct outcome *o, enum side side)
{
	const struct score *x = &o->score[side];
	const struct wire_counts *w = &o->wire[side];

	json_object_begin(j, side_names[side]);
	json_unsigned(j, "sent", x->sent);
	json_unsigned(j, "received", x->received);
	json_unsigned(j, "lost", x->lost);
	json_unsigned(j, "twice", x->twice);
	json_unsigned(j, "late", x->late);
	json_unsigned(j, "waiting", x->in_flight);
	if (side == SIDE_TCP && !x->retransmitted_known)
		json_null(j, "retransmitted");
	else
		json_unsigned(j, "retransmitted", x->retransmitted);
	put_latency(j, &x->latency_us);
	json_object_begin(j, "wire");
	json_unsigned(j, "sent", w->sent);
	json_unsigned(j, "arrived", w->arrived);
	json_unsigned(j, "lost", w->lost);
	json_unsigned(j, "overflowed", w->overflowed);
	json_unsigned(j, "duplicated", w->duplicated);
	json_unsigned(j, "reordered", w->reordered);
	json_unsigned(j, "retransmitted", w->retransmitted);
	json_unsigned(j, "duplicate_acks", w->duplicate_acks);
	json_unsigned(j, "bytes", w->bytes);
	json_object_end(j);
	json_object_end(j);
}

static void put_outcome(struct json *j, const struct outcome *o)
{
	const struct scenario *x = o->options.scenario;

	json_object_begin(j, NULL);
	json_unsigned(j, "number", (uint64_t)x->number);
	json_text(j, "name", x->name);
	json_text(j, "title", x->title);
	json_bool(j, "loopback", o->options.loopback);
	put_options(j, &o->options);
	json_bool(j, "shown", o->shown);
	json_text(j, "reason", o->reason[0] ? o->reason : NULL);
	json_text(j, "error", o->error ? outcome_error(o) : NULL);
	json_unsigned(j, "milliseconds", (uint64_t)(o->milliseconds > 0 ? o->milliseconds : 0));
	json_unsigned(j, "held", o->held);
	json_unsigned(j, "failed", o->failed);
	json_unsigned(j, "not_shown", o->open);
	json_array_begin(j, "checks");
	for (size_t i = 0; i < o->checks_count; i++)
		put_check(j, &o->checks[i]);
	json_array_end(j);
	put_side(j, o, SIDE_TCP);
	put_side(j, o, SIDE_UDP);
	json_object_end(j);
}

void lab_json(const struct outcome *all, size_t count, uint64_t seed, int status, FILE *out)
{
	struct json j;
	uint64_t held = 0, failed = 0, open = 0;

	for (size_t i = 0; i < count; i++) {
		held += all[i].held;
		failed += all[i].failed;
		open += all[i].open;
	}
	json_begin(&j, out);
	json_text(&j, "version", LANCHAT_VERSION);
	json_unsigned(&j, "seed", seed);
	json_unsigned(&j, "held", held);
	json_unsigned(&j, "failed", failed);
	json_unsigned(&j, "not_shown", open);
	json_number(&j, "status", status);
	json_array_begin(&j, "scenarios");
	for (size_t i = 0; i < count; i++)
		put_outcome(&j, &all[i]);
	json_array_end(&j);
	json_end(&j);
}
