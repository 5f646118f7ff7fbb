#include "tests/unit/stage_bench.h"

#include <check.h>
#include <stddef.h>

struct stage *stage;

static int nothing(struct stage *s)
{
	(void)s;
	return 0;
}

const struct scenario stage_bench_scenario = {
	.name = "test", .hosts = 2, .on_loopback = true, .run = nothing};

void stage_bench_open(const struct stage_options *o)
{
	char reason[SITE_REASON];

	ck_assert_msg(stage_open(o, &stage, reason) == 0, "%s", reason);
}

void stage_bench_open_impaired(const struct impairment *how, uint64_t seed)
{
	const struct stage_options o = {.scenario = &stage_bench_scenario,
		.impaired = *how,
		.seed = seed,
		.loopback = true};

	stage_bench_open(&o);
}

void stage_bench_setup(void)
{
	stage_bench_open_impaired(&(struct impairment){.mtu = 1500}, 1);
}

void stage_bench_teardown(void)
{
	stage_close(stage);
	stage = NULL;
}

const struct journal_entry *stage_bench_last(enum journal_kind kind)
{
	const struct journal *j = stage_journal(stage);

	for (uint64_t i = journal_count(j); i-- > 0;) {
		if (journal_at(j, i)->kind == kind)
			return journal_at(j, i);
	}
	return NULL;
}
