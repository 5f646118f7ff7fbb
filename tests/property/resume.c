/*
 * The property test of resuming: random schedules of breaks, restarts, repeated
 * messages and full disks, after each of which every message is where it should
 * be, once, and everybody has seen what they should, in order.
 *
 *     resume [--schedules N] [--seconds N] [--seed N] [--kind NAME] [--verbose]
 *
 * Without --seed it begins with a seed drawn at random, and prints it. A seed that
 * fails is printed with its schedule; --seed with that number and --kind, and
 * --schedules 1, bring it again. The last line counts schedules, passed and
 * failed; the status is 1 where one failed.
 */
#include "common/clock.h"
#include "common/identity.h"
#include "common/log.h"
#include "tests/property/schedule.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FAILURES_MOST 5

struct options {
	uint64_t schedules;
	int64_t seconds; /* 0: as long as it takes */
	uint64_t seed;
	bool only; /* one kind alone */
	enum kind kind;
	bool verbose;
};

static int usage(void)
{
	fputs("usage: resume [--schedules N] [--seconds N] [--seed N] [--kind "
	      "memory|pruned|durable]"
	      " [--verbose]\n",
		stderr);
	return 2;
}

static bool take_kind(struct options *o, const char *name)
{
	for (int i = 0; i < KIND_COUNT; i++) {
		if (strcmp(name, kind_name((enum kind)i)) == 0) {
			o->only = true;
			o->kind = (enum kind)i;
			return true;
		}
	}
	return false;
}

static bool take_options(int argc, char **argv, struct options *o)
{
	static const struct option known[] = {
		{"schedules", required_argument, NULL, 'n'},
		{"seconds", required_argument, NULL, 't'},
		{"seed", required_argument, NULL, 's'},
		{"kind", required_argument, NULL, 'k'},
		{"verbose", no_argument, NULL, 'v'},
		{0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (c == 'n')
			o->schedules = strtoull(optarg, NULL, 10);
		else if (c == 't')
			o->seconds = strtoll(optarg, NULL, 10);
		else if (c == 's')
			o->seed = strtoull(optarg, NULL, 10);
		else if (c == 'v')
			o->verbose = true;
		else if (c != 'k' || !take_kind(o, optarg))
			return false;
	}
	return optind == argc;
}

/* Run one seed; when it fails, tell the story. */
static bool run(const struct options *o, uint64_t seed, struct tally *tally)
{
	enum kind kind = o->only ? o->kind : (enum kind)(seed % KIND_COUNT);
	char *story = NULL, what[600];
	size_t length = 0;
	FILE *f = o->verbose ? stdout : open_memstream(&story, &length);

	if (o->verbose)
		printf("seed %" PRIu64 ", log %s\n", seed, kind_name(kind));
	bool good = schedule_run(seed, kind, f, tally, what, sizeof(what));
	if (!o->verbose && f)
		fclose(f);
	if (!good)
		printf("%sFAILED: seed %" PRIu64 ", log %s: %s\n"
		       "again: --seed %" PRIu64 " --kind %s --schedules 1\n",
			story ? story : "", seed, kind_name(kind), what, seed, kind_name(kind));
	fflush(stdout);
	free(story);
	return good;
}

static void report(const struct tally *t, int64_t began)
{
	printf("%" PRIu64 " schedules of %" PRIu64 " steps in %.1f s: %" PRIu64
	       " messages said, %" PRIu64 " shown, %" PRIu64 " refused, %" PRIu64 " gaps, %" PRIu64
	       " breaks, %" PRIu64 " restarts\n",
		t->schedules, t->steps, (double)(clock_ms() - began) / 1000, t->messages, t->shown,
		t->refused, t->gaps, t->breaks, t->restarts);
}

int main(int argc, char **argv)
{
	struct options o = {.schedules = 300};
	struct tally tally = {0};
	uint64_t failed = 0, done = 0;
	int64_t began = clock_ms();

	identity_random(&o.seed, sizeof(o.seed));
	o.seed >>= 16;
	if (!take_options(argc, argv, &o))
		return usage();
	log_set_level(LOG_LEVEL_WARNING);
	printf("seeds from %" PRIu64 "\n", o.seed);
	while (failed < FAILURES_MOST &&
		(o.seconds ? done < o.schedules || clock_ms() - began < o.seconds * 1000
			   : done < o.schedules)) {
		failed += !run(&o, o.seed + done, &tally);
		done++;
	}
	report(&tally, began);
	printf("%" PRIu64 " passed, %" PRIu64 " failed\n", done - failed, failed);
	return failed ? 1 : 0;
}
