#include "tools/lab/scenario.h"

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
