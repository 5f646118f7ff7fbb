#include "tools/lab/scenario.h"

#include "common/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PERCENT(x) ((x) / 100.0)
#define MS         UINT64_C(1000000)

#define SCENARIO(number, symbol, name, medium, hosts, on_loopback, loss, duplicate, reorder,       \
	delay, jitter, rate, queue, count, size, title, about)                                     \
	int scenario_##symbol(struct stage *s);
#include "tools/lab/scenarios.def"
#undef SCENARIO

#define SCENARIO(number_, symbol, name_, medium_, hosts_, on_loopback_, loss_, duplicate_,         \
	reorder_, delay, jitter, rate, queue, count_, size_, title_, about_)                       \
	{.number = (number_),                                                                      \
		.name = (name_),                                                                   \
		.title = (title_),                                                                 \
		.about = (about_),                                                                 \
		.medium = (medium_),                                                               \
		.hosts = (hosts_),                                                                 \
		.on_loopback = (on_loopback_),                                                     \
		.impaired = {.loss = PERCENT(loss_),                                               \
			.duplicate = PERCENT(duplicate_),                                          \
			.reorder = PERCENT(reorder_),                                              \
			.delay_ns = (delay)*MS,                                                    \
			.jitter_ns = (jitter)*MS,                                                  \
			.rate_bps = (rate),                                                        \
			.queue_bytes = (queue),                                                    \
			.mtu = SITE_MTU},                                                          \
		.count = (count_),                                                                 \
		.size = (size_),                                                                   \
		.run = scenario_##symbol},
const struct scenario scenarios[] = {
#include "tools/lab/scenarios.def"
};
#undef SCENARIO

const size_t scenarios_count = sizeof(scenarios) / sizeof(scenarios[0]);

const struct scenario *scenario_find(const char *name)
{
	char *end;
	unsigned long number = strtoul(name, &end, 10);

	if (*name >= '0' && *name <= '9' && *end == '\0')
		return number < scenarios_count ? &scenarios[number] : NULL;
	for (size_t i = 0; i < scenarios_count; i++) {
		if (strcmp(scenarios[i].name, name) == 0)
			return &scenarios[i];
	}
	return NULL;
}

/* ---- what is too small ---- */

static const struct {
	const char *name;
	uint32_t count;
} least[] = {
	{"blocking", 6},      /* the fifth is lost, and one comes behind it */
	{"slow-reader", 100}, /* of any size fill the receiver's buffer */
};

uint32_t scenario_least_count(const struct scenario *x)
{
	for (size_t i = 0; i < sizeof(least) / sizeof(least[0]); i++) {
		if (strcmp(x->name, least[i].name) == 0)
			return least[i].count;
	}
	return x->count ? 1 : 0;
}

#define UDP_HEADERS 28 /* and IPv4's */

/* To fill a queue takes twice what it holds, for meanwhile some leaves. */
static int fills_queue(
	const struct impairment *how, uint32_t count, uint32_t size, char *error, size_t error_size)
{
	uint64_t one = size + UDP_HEADERS,
		 needed = (2 * (uint64_t)how->queue_bytes + one - 1) / one;

	if (count >= needed)
		return 0;
	(void)snprintf(error, error_size,
		"congestion: %u messages of %u bytes do not fill the queue: --count %llu at least, "
		"a larger --size or a smaller --queue",
		count, size, (unsigned long long)needed);
	return ERR_ARGUMENT;
}

int scenario_fits(const struct scenario *x, const struct impairment *how, uint32_t count,
	uint32_t size, char *error, size_t error_size)
{
	uint32_t most = (how->mtu ? how->mtu : SITE_MTU) - UDP_HEADERS;

	if (count < scenario_least_count(x)) {
		(void)snprintf(error, error_size,
			"%s needs more messages to show anything: --count %u at least", x->name,
			scenario_least_count(x));
		return ERR_ARGUMENT;
	}
	if (strcmp(x->name, "fragments") == 0 && size <= most) {
		(void)snprintf(error, error_size,
			"fragments needs a message that does not fit into a packet: --size %u at "
			"least",
			most + 1);
		return ERR_ARGUMENT;
	}
	if (strcmp(x->name, "congestion") == 0)
		return fills_queue(how, count, size, error, error_size);
	return 0;
}
