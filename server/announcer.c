#include "server/announcer.h"

#include "common/beacon.h"
#include "common/beacon_net.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/lock.h"
#include "common/log.h"
#include "common/source_limit.h"
#include "common/wakeup.h"
#include "server/thread.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* When to speak after something changed, in milliseconds between one time and the next. */
static const int64_t first_gaps_ms[] = {250, 750};
#define GAP_MS    2000
#define JITTER_MS 100 /* either way: servers that started together drift apart */

#define GOODBYES       3
#define GOODBYE_GAP_MS 30

/* Answers. A client asks four times when it starts, on each of its networks. */
static const struct source_rate rate_each = {.per_second = 32, .burst = 64};
static const struct source_rate rate_together = {.per_second = 500, .burst = 1000};

/* Packets taken in one turn, so that a flood does not keep the beacon from its other duties. */
#define PACKETS_A_TURN 256

struct announcer {
	/* Constant after start. */
	uint8_t server[IDENTITY_SIZE];
	uint8_t instance[INSTANCE_ID];
	uint8_t secret[BEACON_SECRET];
	uint8_t commitment[BEACON_SECRET];
	uint32_t (*people)(void *context);
	void *context;
	int wake;      /* owned */
	uint8_t flags; /* of every packet */
	pthread_t thread;

	atomic_bool stopping;

	/* As in struct announcer_numbers; the thread alone adds to them. */
	_Atomic(uint64_t) announcements, queries, answers, dropped, strange;

	/* Guarded by `lock`. */
	struct lock lock;
	char name[SERVER_NAME_MAX + 1];
	uint32_t most;
	bool updated; /* since the thread last looked */

	/* The announcer thread's own. */
	struct beacon_net net;
	struct source_limit limit;
	uint32_t sequence;
	size_t spoken; /* times since something changed */
	int64_t next;  /* when to speak again */
};

/* ---- what to say ---- */

static struct beacon compose(struct announcer *a, enum beacon_type type)
{
	struct beacon b = {
		.type = type,
		.flags = a->flags,
		.version_low = PROTOCOL_VERSION,
		.version_high = PROTOCOL_VERSION,
		.sequence = ++a->sequence,
		.lifetime_ms = type == BEACON_GOODBYE ? 0 : BEACON_LIFETIME_MS,
		.people = a->people(a->context),
	};
	const uint8_t *proof = type == BEACON_GOODBYE ? a->secret : a->commitment;

	memcpy(b.server, a->server, sizeof(b.server));
	memcpy(b.instance, a->instance, sizeof(b.instance));
	memcpy(b.proof, proof, sizeof(b.proof));
	lock_take(&a->lock);
	b.people_max = a->most;
	memcpy(b.name, a->name, sizeof(b.name));
	lock_drop(&a->lock);
	return b;
}

/* The packet as it goes out on one path: with the port of the listener there. */
static void encode_for(
	const struct beacon *b, const struct beacon_path *path, uint8_t packet[BEACON_SIZE])
{
	struct beacon there = *b;

	there.port = path->port;
	there.flags |= path->flags;
	beacon_encode(&there, packet);
}

static void tell_everybody(struct announcer *a, enum beacon_type type)
{
	struct beacon b = compose(a, type);
	uint8_t packet[BEACON_SIZE];

	for (size_t i = 0; i < a->net.path_count; i++) {
		encode_for(&b, &a->net.paths[i], packet);
		beacon_net_send(&a->net, &a->net.paths[i], packet);
	}
}

static void count(_Atomic(uint64_t) *what)
{
	atomic_fetch_add_explicit(what, 1, memory_order_relaxed);
}

/* ---- when ---- */

static void begin_anew(struct announcer *a, int64_t now)
{
	a->spoken = 0;
	a->next = now;
}

static int64_t gap(size_t spoken)
{
	uint32_t random;

	if (spoken < sizeof(first_gaps_ms) / sizeof(first_gaps_ms[0]))
		return first_gaps_ms[spoken];
	identity_random(&random, sizeof(random));
	return GAP_MS - JITTER_MS + random % (2 * JITTER_MS + 1);
}

static void announce_if_due(struct announcer *a, int64_t now)
{
	if (now < a->next)
		return;
	tell_everybody(a, BEACON_ANNOUNCEMENT);
	count(&a->announcements);
	a->next = now + gap(a->spoken++);
}

/* ---- answering ---- */

static void consider(struct announcer *a, const struct beacon_arrival *arrival, int fd, int64_t now)
{
	struct beacon query;
	uint8_t packet[BEACON_SIZE];
	const struct beacon_path *path;

	if (beacon_decode(arrival->packet, BEACON_SIZE, &query) != 0) {
		count(&a->strange);
		return;
	}
	if (query.type != BEACON_QUERY)
		return; /* another server's, or our own */
	count(&a->queries);
	path = beacon_net_way_back(&a->net, arrival);
	if (!path || !source_limit_allows(&a->limit, &arrival->from, now)) {
		count(&a->dropped);
		return;
	}
	count(&a->answers);
	struct beacon b = compose(a, BEACON_ANSWER);
	memcpy(b.nonce, query.nonce, sizeof(b.nonce));
	encode_for(&b, path, packet);
	beacon_net_answer(&a->net, arrival, fd, path, packet);
}

static void answer_all(struct announcer *a, int64_t now)
{
	struct beacon_arrival arrival;
	int fd = -1;
	int result = 0;

	for (int i = 0; i < PACKETS_A_TURN && result != ERR_AGAIN; i++) {
		result = beacon_net_receive(&a->net, &arrival, &fd);
		if (result == 0)
			consider(a, &arrival, fd, now);
		else if (result == ERR_PROTOCOL)
			count(&a->strange);
	}
}

/* ---- the thread ---- */

static bool take_update(struct announcer *a)
{
	lock_take(&a->lock);
	bool updated = a->updated;
	a->updated = false;
	lock_drop(&a->lock);
	return updated;
}

static void turn(struct announcer *a)
{
	struct pollfd fds[BEACON_NET_FDS + 1];
	int64_t deadline = beacon_net_deadline(&a->net);

	beacon_net_poll(&a->net, fds);
	fds[BEACON_NET_FDS] = (struct pollfd){.fd = a->wake, .events = POLLIN};
	if (a->next < deadline)
		deadline = a->next;
	if (poll(fds, BEACON_NET_FDS + 1, clock_poll_timeout(deadline)) < 0)
		return;
	int64_t now = clock_ms();
	if (fds[BEACON_NET_FDS].revents != 0)
		wakeup_clear(a->wake);
	bool fresh = beacon_net_turn(&a->net, fds, now);
	if (take_update(a) || fresh)
		begin_anew(a, now);
	answer_all(a, now);
	announce_if_due(a, now);
}

static void say_goodbye(struct announcer *a)
{
	for (int i = 0; i < GOODBYES; i++) {
		if (i > 0)
			(void)poll(NULL, 0, GOODBYE_GAP_MS);
		tell_everybody(a, BEACON_GOODBYE);
	}
}

static void *run(void *argument)
{
	struct announcer *a = argument;

	announce_if_due(a, clock_ms());
	while (!atomic_load(&a->stopping))
		turn(a);
	say_goodbye(a);
	return NULL;
}

/* ---- for the owner ---- */

static int open_net(struct announcer *a, const struct announcer_config *config)
{
	struct beacon_net_config net = {
		.filter = {.only = config->interfaces, .not = config->not_interfaces},
		.listening = config->listening,
		.listening_count = config->listening_count,
		.port = config->port != 0 ? config->port : NET_PORT,
	};
	int error = beacon_net_open(&a->net, &net);

	if (error == 0 && a->net.shared_errno != 0)
		log_warning("cannot hear who looks for servers on UDP port %u: %s; the server "
			    "announces itself all the same",
			net.port, strerrordesc_np(a->net.shared_errno));
	return error;
}

static void release(struct announcer *a)
{
	beacon_net_close(&a->net);
	net_close(a->wake);
	lock_fini(&a->lock);
	free(a);
}

int announcer_start(const struct announcer_config *config, struct announcer **out)
{
	struct announcer *a = calloc(1, sizeof(*a));
	int64_t now = clock_ms();

	if (!a)
		return ERR_MEMORY;
	memcpy(a->server, config->server, sizeof(a->server));
	identity_random(a->instance, sizeof(a->instance));
	identity_random(a->secret, sizeof(a->secret));
	beacon_commit(a->secret, a->commitment);
	a->flags = config->plaintext ? BEACON_FLAG_PLAINTEXT : 0;
	a->people = config->people;
	a->context = config->context;
	a->wake = -1;
	atomic_init(&a->stopping, false);
	lock_init(&a->lock, LOCK_LEAF);
	beacon_name(a->name, config->name);
	a->most = config->most;
	source_limit_init(&a->limit, rate_each, rate_together, now);
	begin_anew(a, now);

	int error = open_net(a, config);
	if (error == 0)
		error = wakeup_open(&a->wake);
	if (error == 0)
		error = thread_start(&a->thread, "beacon", thread_stack(), run, a);
	if (error != 0) {
		release(a);
		return error;
	}
	*out = a;
	return 0;
}

void announcer_update(struct announcer *a, const char *name, uint32_t most)
{
	lock_take(&a->lock);
	beacon_name(a->name, name);
	a->most = most;
	a->updated = true;
	lock_drop(&a->lock);
	wakeup_signal(a->wake);
}

static uint64_t counted(const _Atomic(uint64_t) *what)
{
	return atomic_load_explicit(what, memory_order_relaxed);
}

void announcer_numbers(const struct announcer *a, struct announcer_numbers *out)
{
	*out = (struct announcer_numbers){
		.announcements = counted(&a->announcements),
		.queries = counted(&a->queries),
		.answers = counted(&a->answers),
		.dropped = counted(&a->dropped),
		.strange = counted(&a->strange),
	};
}

void announcer_stop(struct announcer *a)
{
	if (!a)
		return;
	atomic_store(&a->stopping, true);
	wakeup_signal(a->wake);
	PTHREAD_OK(pthread_join(a->thread, NULL));
	release(a);
}
