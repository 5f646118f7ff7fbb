#include "tools/stress/plan.h"

#include "common/err.h"
#include "common/identity.h"
#include "tools/stress/mark.h"
#include "tools/stress/subject.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define CHURN_PERCENT 20 /* of the clients may come and go */
#define SPARE         64 /* descriptors besides the clients' */
#define MEMORY_MOST   (UINT64_C(4) << 30)

uint64_t plan_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

uint32_t plan_room_clients(const struct plan *p, uint32_t room)
{
	return p->clients / p->rooms + (room < p->clients % p->rooms);
}

uint32_t plan_room_senders(const struct plan *p, uint32_t room)
{
	return p->senders / p->rooms + (room < p->senders % p->rooms);
}

/* ---- whether it makes sense ---- */

static int wrong(char *error, size_t size, const char *what)
{
	snprintf(error, size, "%s", what);
	return ERR_ARGUMENT;
}

/* Of few clients one at least, where any are asked for. */
static uint64_t share(const struct plan *p, unsigned percent)
{
	uint64_t count = (uint64_t)p->clients * percent / 100;

	return percent > 0 && count == 0 ? 1 : count;
}

static int check(const struct plan *p, char *error, size_t size)
{
	if (p->rooms > p->clients)
		return wrong(error, size, "there are more --rooms than --clients");
	if (p->senders > p->clients)
		return wrong(error, size, "there are more --senders than --clients");
	if (p->senders < p->rooms)
		return wrong(error, size,
			"a room without a sender hears nothing: at least as many --senders as "
			"--rooms");
	if (!p->protocol->echoes && p->clients / p->rooms < 2) {
		snprintf(error, size,
			"with %s nobody gets what they say themselves: at least two --clients for "
			"each "
			"of the --rooms",
			p->protocol->name);
		return ERR_ARGUMENT;
	}
	if (p->clients > MARK_SENDERS)
		return wrong(error, size, "more --clients than a message can name (1048576)");
	if (p->size < MARK_LENGTH || p->size > p->protocol->text_most) {
		snprintf(error, size, "--size of %s is %d to %zu bytes", p->protocol->name,
			MARK_LENGTH, p->protocol->text_most);
		return ERR_ARGUMENT;
	}
	uint64_t others = p->clients - p->senders;
	uint64_t odd = share(p, p->slow) + share(p, p->quit);
	if (odd > others)
		return wrong(error, size,
			"--slow and --quit-midway are of those who do not speak, and there are not "
			"so many");
	if (p->churn > 0 && others == odd)
		return wrong(error, size, "--churn needs clients that do not speak");
	uint64_t room_senders = (p->senders + p->rooms - 1) / p->rooms;
	if (p->clients * room_senders * sizeof(uint32_t) > MEMORY_MOST) {
		snprintf(error, size,
			"to check every sender at every client, %" PRIu64
			" MiB are needed: fewer --senders or more --rooms",
			(p->clients * room_senders * sizeof(uint32_t)) >> 20);
		return ERR_ARGUMENT;
	}
	return 0;
}

/* ---- who is what ---- */

/* So many of those that are steady get another role, by chance. */
static void draw(struct plan *p, uint64_t *state, enum role role, uint64_t count)
{
	while (count) {
		uint64_t i = p->senders + plan_random(state) % (p->clients - p->senders);
		/* The next one that is free: some may be taken. */
		while (p->role[i] != ROLE_STEADY)
			i = i + 1 < p->clients ? i + 1 : p->senders;
		p->role[i] = (uint8_t)role;
		count--;
	}
}

int plan_make(struct plan *p, char *error, size_t size)
{
	int r = check(p, error, size);

	if (r)
		return r;
	p->role = calloc(p->clients, 1);
	if (!p->role) {
		snprintf(error, size, "out of memory");
		return ERR_MEMORY;
	}
	uint64_t state = p->seed;
	identity_random(&p->run, sizeof(p->run));
	p->run %= MARK_RUNS;
	memset(p->role, ROLE_SENDER, p->senders);
	uint64_t slow = share(p, p->slow), quit = share(p, p->quit);
	uint64_t left = p->clients - p->senders - slow - quit;
	uint64_t churn = (uint64_t)p->clients * CHURN_PERCENT / 100;
	draw(p, &state, ROLE_SLOW, slow);
	draw(p, &state, ROLE_QUITS, quit);
	if (p->churn > 0)
		draw(p, &state, ROLE_CHURNS, churn == 0 ? 1 : churn < left ? churn : left);
	return 0;
}

void plan_fini(struct plan *p)
{
	free(p->role);
	p->role = NULL;
}

/* ---- whether the machine can ---- */

static int raise_descriptors(rlim_t wanted, char *error, size_t size)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 0;
	if (limit.rlim_cur >= wanted)
		return 0;
	rlim_t before = limit.rlim_max;
	limit.rlim_cur = wanted;
	if (limit.rlim_max < wanted)
		limit.rlim_max = wanted;
	if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
		return 0;
	snprintf(error, size,
		"%" PRIu64 " descriptors are needed, and %" PRIu64
		" are allowed: raise the limit (ulimit -Hn, as root; fs.nr_open), or use fewer "
		"--clients",
		(uint64_t)wanted, (uint64_t)before);
	return ERR_FULL;
}

static uint64_t system_number(const char *path)
{
	FILE *f = fopen(path, "re");
	char line[32], *end = line;
	uint64_t n = 0;

	if (f && fgets(line, sizeof(line), f))
		n = strtoull(line, &end, 10);
	if (f)
		(void)fclose(f);
	return end == line ? UINT64_MAX : n; /* "max" */
}

/* A server of ours has a thread for each client, with two mappings of memory. */
static int check_threads(const struct plan *p, char *error, size_t size)
{
	static const struct {
		const char *path, *name;
		unsigned each;
	} limits[] = {
		{"/proc/sys/kernel/threads-max", "kernel.threads-max", 1},
		{"/proc/sys/kernel/pid_max", "kernel.pid_max", 1},
		{"/proc/sys/vm/max_map_count", "vm.max_map_count", 2},
		{"/sys/fs/cgroup/pids.max", "pids.max of the control group", 1},
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		uint64_t wanted = (uint64_t)p->clients * limits[i].each + 1024;
		uint64_t most = system_number(limits[i].path);
		if (wanted <= most)
			continue;
		snprintf(error, size,
			"a server here would need %" PRIu64 " of %s, which is %" PRIu64
			": raise it (sysctl -w), or use fewer --clients",
			wanted, limits[i].name, most);
		return ERR_FULL;
	}
	return 0;
}

int plan_fits(const struct plan *p, bool local, char *error, size_t size)
{
	int r = raise_descriptors(
		(rlim_t)p->clients + (local ? SUBJECT_SPARE : SPARE), error, size);

	return r == 0 && local ? check_threads(p, error, size) : r;
}
