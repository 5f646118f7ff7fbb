#include "tests/unit/result_sample.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add(struct histogram_view *v, uint64_t number, uint64_t times)
{
	static struct histogram h;

	memset((void *)&h, 0, sizeof h);
	histogram_add(&h, number, times);
	histogram_merge(v, &h);
}

static void fill_load(struct result *r)
{
	r->scenario = "burst";
	r->protocol = "lanchat";
	snprintf(r->server, sizeof r->server, "127.0.0.1:4711");
	snprintf(r->conditions, sizeof r->conditions, "plaintext, \"quoted\" <&> \xff");
	snprintf(r->agent, sizeof r->agent, "lanchatd/9.9");
	snprintf(r->date, sizeof r->date, "2026-11-27T12:00:00Z");
	snprintf(r->machine, sizeof r->machine, "Linux 6.1 x86_64");
	r->cores = 2;
	r->churned = 14;
	r->quit = 1;
	r->seed = UINT64_MAX;
	r->clients = 3;
	r->rooms = 1;
	r->senders = 2;
	r->size = 64;
	r->rate = 2.5;
	r->duration = 2;
	r->ramp = 0.5;
	r->churn = 7;
	r->slow_percent = 5;
	r->quit_percent = 10;
	r->connected = 3;
	r->connect_seconds = 0.5;
	r->load_seconds = r->seconds = 2;
	r->sent = 1000;
	r->acknowledged = 1000;
	r->delivered = 3000;
	r->bytes_in = 300000;
	r->bytes_out = 100000;
	add(&r->latency, 20, 2970);
	add(&r->latency, 5000000, 30);
	add(&r->service, 10, 3000);
	add(&r->acknowledge, 31, 1000);
}

static void fill_server(struct result *r)
{
	r->own_cpu = 0.25;
	r->seen = true;
	snprintf(r->command, sizeof r->command, "lanchatd --data <here>");
	r->before = (struct subject_sample){1000, 10 << 20, 9, 20};
	r->joined = (struct subject_sample){2000, 13 << 20, 12, 23};
	r->most = (struct subject_sample){3000, 14 << 20, 13, 24};
	r->after = (struct subject_sample){4000, 12 << 20, 9, 20};
	r->server_cpu_ns = 6000000;
	r->server_load_cpu_ns = 5000000;
	r->connect_cpu_ns = 600000;
}

struct result *result_sample_new(void)
{
	struct result *r = calloc(1, sizeof *r);

	ck_assert_ptr_nonnull(r);
	fill_load(r);
	fill_server(r);
	r->seconds_count = 2;
	r->by_second = calloc(2, sizeof *r->by_second);
	r->by_client = calloc(3, sizeof *r->by_client);
	ck_assert(r->by_second && r->by_client);
	r->by_second[0] = (struct result_second){.at_ms = 1000,
		.up = 3,
		.sent = 1000,
		.delivered = 3000,
		.bytes = 300000,
		.p50_us = 20,
		.p99_us = 20,
		.most_us = 5000000,
		.server_cpu_ns = 6000000,
		.server_resident = 14 << 20,
		.own_cpu_permille = 250};
	r->by_second[1] = (struct result_second){.at_ms = 2000, .up = 3};
	r->by_client[0] = (struct result_client){1000, 25, 30, false};
	r->by_client[1] = (struct result_client){2000, 0, 5000000, false};
	r->by_client[2].slow = true;
	return r;
}

void result_sample_free(struct result *r)
{
	result_free(r);
	free(r);
}
