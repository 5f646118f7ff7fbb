#include "tools/stress/result_file.h"

#include "common/json.h"

/* A number with thousandths; null where it is not known. */
static void put_real(struct json *j, const char *key, double number, bool known)
{
	if (known && number >= 0 && number < 1e15)
		json_fixed(j, key, (uint64_t)(number * 1000 + 0.5), 3);
	else
		json_null(j, key);
}

static void put_whole(struct json *j, const char *key, uint64_t number, bool known)
{
	if (known)
		json_unsigned(j, key, number);
	else
		json_null(j, key);
}

static void put_times(struct json *j, const char *key, const struct histogram_view *v)
{
	if (v->count == 0) {
		json_null(j, key);
		return;
	}
	json_object_begin(j, key);
	json_unsigned(j, "count", v->count);
	put_real(j, "mean", (double)v->sum / (double)v->count, true);
	json_unsigned(j, "p50", histogram_quantile(v, 0.5));
	json_unsigned(j, "p90", histogram_quantile(v, 0.9));
	json_unsigned(j, "p99", histogram_quantile(v, 0.99));
	json_unsigned(j, "p999", histogram_quantile(v, 0.999));
	json_unsigned(j, "max", v->most);
	json_object_end(j);
}

static void put_asked(struct json *j, const struct result *r)
{
	json_text(j, "scenario", r->scenario);
	json_text(j, "protocol", r->protocol);
	json_text(j, "server", r->server);
	json_text(j, "conditions", r->conditions);
	json_text(j, "date", r->date[0] ? r->date : NULL);
	json_text(j, "version", LANCHAT_VERSION);
	json_text(j, "server_version", r->agent[0] ? r->agent : NULL);
	json_text(j, "kernel", r->machine[0] ? r->machine : NULL);
	put_whole(j, "cores", r->cores, r->cores > 0);
	json_unsigned(j, "seed", r->seed);
	json_unsigned(j, "clients", r->clients);
	json_unsigned(j, "rooms", r->rooms);
	json_unsigned(j, "senders", r->senders);
	json_unsigned(j, "size", r->size);
	put_real(j, "rate", r->rate, r->rate > 0);
	put_whole(j, "window", r->window, r->window > 0);
	put_real(j, "duration_seconds", r->duration, true);
	put_real(j, "ramp_seconds", r->ramp, true);
	put_real(j, "churn_per_s", r->churn, true);
	json_unsigned(j, "slow_percent", r->slow_percent);
	json_unsigned(j, "quit_percent", r->quit_percent);
}

static void put_load(struct json *j, const struct result *r)
{
	char verdict[RESULT_VERDICT];

	json_unsigned(j, "connected", r->connected);
	put_real(j, "connect_seconds", r->connect_seconds, r->connected > 0);
	put_real(j, "connects_per_s", result_connects_per_s(r), r->connect_seconds > 0);
	json_unsigned(j, "refused", r->refused);
	put_real(j, "connect_pause_seconds", r->connect_pause, true);
	put_real(j, "load_seconds", r->load_seconds, true);
	put_real(j, "seconds", r->seconds, true);
	json_unsigned(j, "sent", r->sent);
	put_whole(j, "acknowledged", r->acknowledged, r->acknowledge.count > 0);
	json_unsigned(j, "unsent", r->unsent);
	json_unsigned(j, "sent_late", r->sent_late);
	json_unsigned(j, "delivered", r->delivered);
	json_unsigned(j, "delivered_late", r->late);
	put_real(j, "sent_per_s", result_sent_per_s(r), r->seconds > 0);
	put_real(j, "delivered_per_s", result_delivered_per_s(r), r->seconds > 0);
	json_unsigned(j, "bytes_in", r->bytes_in);
	json_unsigned(j, "bytes_out", r->bytes_out);
	json_bool(j, "sound", result_verdict(r, verdict));
	json_bool(j, "stopped", r->stopped);
	json_bool(j, "no_end", r->no_end);
	json_unsigned(j, "outstanding", r->outstanding);
	put_real(j, "waited_seconds", r->waited, r->waited > 0);
	json_unsigned(j, "gaps", r->gaps);
	put_whole(j, "unacknowledged", r->unacknowledged, r->acknowledge.count > 0);
	json_unsigned(j, "lost", r->lost);
	json_unsigned(j, "lost_disconnected", r->lost_disconnected);
	json_unsigned(j, "doubled", r->doubled);
	json_unsigned(j, "reordered", r->reordered);
	json_unsigned(j, "foreign", r->foreign);
	json_unsigned(j, "disconnected", r->disconnected);
	json_unsigned(j, "churned", r->churned);
	json_unsigned(j, "quit", r->quit);
	put_times(j, "latency_us", &r->latency);
	put_times(j, "service_us", &r->service);
	put_times(j, "acknowledge_us", &r->acknowledge);
	put_real(j, "own_cpu", r->own_cpu, true);
	put_real(j, "own_wait", r->own_wait, true);
	put_real(j, "own_pause_seconds", r->own_pause, true);
}

static void put_sample(struct json *j, const char *key, const struct subject_sample *s, bool known)
{
	if (!known || s->threads == 0) {
		json_null(j, key);
		return;
	}
	json_object_begin(j, key);
	put_whole(j, "cpu_ns", s->cpu_ns, s->cpu_ns > 0);
	put_whole(j, "rss_bytes", s->resident, s->resident > 0);
	put_whole(j, "threads", s->threads, s->threads > 0);
	put_whole(j, "descriptors", s->descriptors, s->descriptors > 0);
	json_object_end(j);
}

static void put_server(struct json *j, const struct result *r)
{
	double each = result_rss_per_client(r), cpu = result_cpu_ns_per_delivery(r);

	json_text(j, "server_command", r->seen && r->command[0] ? r->command : NULL);
	put_whole(j, "server_cpu_ns", r->server_cpu_ns, r->seen && r->server_cpu_ns > 0);
	put_real(j, "server_cpu_ns_per_delivery", cpu, cpu > 0);
	put_real(j, "server_cpu", result_server_cpu(r), result_server_cpu(r) > 0);
	put_whole(j, "server_connect_cpu_ns", r->connect_cpu_ns, r->seen && r->connect_cpu_ns > 0);
	put_whole(j, "server_rss_bytes_per_client", (uint64_t)(each + 0.5), each > 0);
	put_sample(j, "server_before", &r->before, r->seen);
	put_sample(j, "server_joined", &r->joined, r->seen);
	put_sample(j, "server_most", &r->most, r->seen);
	put_sample(j, "server_after", &r->after, r->seen);
}

static void put_second(struct json *j, const struct result *r, size_t i)
{
	const struct result_second *s = &r->by_second[i];
	bool seen = r->seen && s->server_resident > 0; /* it has not ended */

	json_object_begin(j, NULL);
	json_unsigned(j, "at_ms", s->at_ms);
	json_unsigned(j, "length_ms", result_second_ms(r, i));
	json_unsigned(j, "up", s->up);
	json_unsigned(j, "sent", s->sent);
	json_unsigned(j, "delivered", s->delivered);
	json_unsigned(j, "bytes", s->bytes);
	put_whole(j, "p50_us", s->p50_us, s->delivered > 0);
	put_whole(j, "p99_us", s->p99_us, s->delivered > 0);
	put_whole(j, "max_us", s->most_us, s->delivered > 0);
	put_whole(j, "server_cpu_ns", s->server_cpu_ns, seen);
	put_whole(j, "server_rss_bytes", s->server_resident, seen);
	json_unsigned(j, "own_cpu_permille", s->own_cpu_permille);
	json_object_end(j);
}

static void put_client(struct json *j, const struct result_client *c)
{
	json_object_begin(j, NULL);
	json_unsigned(j, "delivered", c->delivered);
	put_whole(j, "mean_us", c->mean_us, c->most_us > 0);
	put_whole(j, "max_us", c->most_us, c->most_us > 0);
	json_bool(j, "slow", c->slow);
	json_object_end(j);
}

static void print(const struct result *r, FILE *out)
{
	struct json j;

	json_begin(&j, out);
	put_asked(&j, r);
	put_load(&j, r);
	put_server(&j, r);
	json_array_begin(&j, "by_second");
	for (size_t i = 0; i < r->seconds_count; i++)
		put_second(&j, r, i);
	json_array_end(&j);
	json_array_begin(&j, "by_client");
	for (uint32_t i = 0; r->by_client && i < r->clients; i++)
		put_client(&j, &r->by_client[i]);
	json_array_end(&j);
	json_end(&j);
}

int result_json(const struct result *r, const char *path)
{
	return result_file_write(r, path, print);
}
