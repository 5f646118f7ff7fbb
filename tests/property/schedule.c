#include "tests/property/schedule.h"

#include "tests/property/world.h"

#include <stdlib.h>

#define STEPS_LEAST 40
#define STEPS_MOST  240
#define NARROW      4608 /* bytes of a send buffer, the smallest that Linux gives */

struct run {
	uint64_t random;
	bool wordy; /* messages are long, so that history comes in several pages */
	struct world world;
	struct tally *tally;
};

/* splitmix64: any seed is as good as any other. */
static uint64_t draw(struct run *r)
{
	uint64_t z = (r->random += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static size_t below(struct run *r, size_t n)
{
	return (size_t)(draw(r) % n);
}

static bool one_in(struct run *r, size_t n)
{
	return below(r, n) == 0;
}

/* Mostly a few, sometimes many, sometimes all. */
static size_t some_bytes(struct run *r)
{
	size_t which = below(r, 8);

	if (which < 2)
		return 1 + below(r, 8);
	if (which < 5)
		return 1 + below(r, 200);
	return which < 7 ? 1 + below(r, 4000) : SIZE_MAX;
}

static int some_client(struct run *r)
{
	return (int)below(r, r->world.config.clients);
}

static int some_room(struct run *r)
{
	return (int)below(r, r->world.config.rooms);
}

/* ---- steps ---- */

static void step_say(struct run *r)
{
	struct world *w = &r->world;
	int client = some_client(r), room = some_room(r);
	size_t length = r->wordy || one_in(r, 8) ? 1 + below(r, 3900) : 1 + below(r, 60);

	/* Mostly in a room where it is, or wants to be. */
	if (!w->oracle.author[client].wants[room] && !one_in(r, 8))
		return;
	world_say(w, client, room, -1, length);
	r->tally->messages++;
}

static void step_direct(struct run *r)
{
	int client = some_client(r), person = (int)below(r, r->world.oracle.persons);

	world_say(&r->world, client, -1, person, 1 + below(r, 60));
	r->tally->messages++;
}

static void step_join(struct run *r)
{
	world_join(&r->world, some_client(r), some_room(r));
}

static void step_part(struct run *r)
{
	int client = some_client(r), room = some_room(r);

	if (r->world.oracle.author[client].wants[room])
		world_part(&r->world, client, room);
}

static void step_connect(struct run *r)
{
	int client = some_client(r);

	world_connect(&r->world, client, one_in(r, 5) ? NARROW : 0);
}

static void step_up(struct run *r)
{
	int client = some_client(r);

	world_up(&r->world, client, some_bytes(r));
}

static void step_down(struct run *r)
{
	int client = some_client(r);
	size_t frames = one_in(r, 4) ? SIZE_MAX : below(r, 5);

	world_down(&r->world, client, frames, one_in(r, 2) ? 0 : 1 + below(r, 40));
}

/* As things go when nothing is wrong: everything arrives. */
static void step_flow(struct run *r)
{
	int client = some_client(r);

	for (int i = 0; i < 3; i++) {
		world_up(&r->world, client, SIZE_MAX);
		world_down(&r->world, client, SIZE_MAX, SIZE_MAX);
	}
}

static void step_break(struct run *r)
{
	int client = some_client(r);

	r->tally->breaks += r->world.client[client].path != NULL;
	world_break(&r->world, client, one_in(r, 2));
}

static void step_haunt(struct run *r)
{
	size_t ghost = below(r, GHOSTS_MOST);

	world_haunt(&r->world, ghost, some_bytes(r));
}

static void step_lay(struct run *r)
{
	world_lay(&r->world, below(r, GHOSTS_MOST));
}

static void step_stall(struct run *r)
{
	int client = some_client(r);

	world_stall(&r->world, client, one_in(r, 2));
}

static void step_repeat(struct run *r)
{
	int client = some_client(r);
	size_t said = r->world.oracle.author[client].count;

	if (said)
		world_repeat(&r->world, client, said - below(r, said < 8 ? said : 8));
}

static void step_fault(struct run *r)
{
	static const char *const names[] = {
		"appends work", "are rejected as the disk is full", "are lost", "are kept untold"};
	enum fault fault = (enum fault)below(r, FAULT_COUNT);
	unsigned wait = (unsigned)below(r, 3), count = (unsigned)(1 + below(r, 4));

	world_tell(&r->world, "after %u more, %u appends: %s", wait, count, names[fault]);
	truth_set_fault(world_truth(&r->world), fault, wait, count);
}

static void step_pass(struct run *r)
{
	int64_t time = (int64_t)(1 + below(r, one_in(r, 4) ? 2500000 : 100000));

	world_tell(&r->world, "%lld us pass", (long long)time);
	world_pass(&r->world, time);
}

static void step_restart(struct run *r)
{
	r->tally->restarts++;
	world_restart(&r->world, one_in(r, 2));
}

static const struct {
	void (*take)(struct run *r);
	unsigned weight;
} steps[] = {
	{step_say, 50},
	{step_direct, 12},
	{step_join, 8},
	{step_part, 4},
	{step_connect, 30},
	{step_up, 50},
	{step_down, 50},
	{step_flow, 20},
	{step_break, 12},
	{step_haunt, 8},
	{step_lay, 3},
	{step_stall, 4},
	{step_repeat, 6},
	{step_fault, 8},
	{step_pass, 12},
	{step_restart, 2},
};

static void take_step(struct run *r)
{
	unsigned sum = 0;
	size_t i = 0;

	for (size_t j = 0; j < sizeof(steps) / sizeof(steps[0]); j++)
		sum += steps[j].weight;
	unsigned at = (unsigned)below(r, sum);
	while (at >= steps[i].weight)
		at -= steps[i++].weight;
	steps[i].take(r);
	r->tally->steps++;
}

/* ---- a run ---- */

static struct world_config draw_world(struct run *r, enum kind kind, FILE *story)
{
	static const uint32_t replays[] = {0, 3, 100000};

	return (struct world_config){
		.clients = 2 + below(r, CLIENTS_MOST - 1),
		.rooms = 1 + below(r, ROOMS_MOST),
		.shared = one_in(r, 4),
		.durable = kind == KIND_DURABLE,
		.keep_bytes = kind == KIND_PRUNED ? 1000 + below(r, 8000) : 16 << 20,
		.window_bytes = one_in(r, 2) ? 8192 : 1 << 20,
		.replay = replays[below(r, sizeof(replays) / sizeof(replays[0]))],
		.story = story,
	};
}

const char *kind_name(enum kind kind)
{
	static const char *const names[KIND_COUNT] = {"memory", "pruned", "durable"};

	return names[kind];
}

bool schedule_run(
	uint64_t seed, enum kind kind, FILE *story, struct tally *tally, char *what, size_t size)
{
	struct run *r = calloc(1, sizeof(*r));

	if (!r) {
		snprintf(what, size, "out of memory");
		return false;
	}
	r->random = seed;
	r->tally = tally;
	struct world_config config = draw_world(r, kind, story);
	if ((r->wordy = one_in(r, 8)))
		config.rooms = 1;
	world_init(&r->world, &config);
	world_tell(&r->world,
		"%zu clients, %zu rooms, replay %u, log of %zu bytes, window of %zu%s",
		config.clients, config.rooms, config.replay, config.keep_bytes, config.window_bytes,
		config.shared ? "; the first and last client are one person" : "");
	for (size_t i = 0; i < config.clients; i++) {
		for (size_t j = 0; j < config.rooms; j++) {
			if (!one_in(r, 3))
				world_join(&r->world, (int)i, (int)j);
		}
	}
	size_t count = STEPS_LEAST + below(r, STEPS_MOST - STEPS_LEAST);
	for (size_t i = 0; i < count && verdict_is_good(&r->world.verdict); i++)
		take_step(r);
	if (verdict_is_good(&r->world.verdict))
		world_heal(&r->world);
	bool good = verdict_is_good(&r->world.verdict);
	snprintf(what, size, "%s", r->world.verdict.what);
	tally->schedules++;
	tally->shown += r->world.oracle.shown;
	tally->gaps += r->world.oracle.gaps;
	tally->refused += r->world.oracle.refused;
	world_fini(&r->world);
	free(r);
	return good;
}
