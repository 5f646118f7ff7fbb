#include "client/finder.h"

#include "client/finder_table.h"
#include "client/prober.h"
#include "common/beacon.h"
#include "common/beacon_net.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/lock.h"
#include "common/wakeup.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* When to ask, in milliseconds between one time and the next. */
static const int64_t first_gaps_ms[] = {60, 190, 750};
#define GAP_MS 5000

/* Questions whose answers are still recognised: all of the first second, and one more. */
#define QUESTIONS 6

/* Packets taken in one turn, so that a flood does not keep the finder from its other duties. */
#define PACKETS_A_TURN 256

struct question {
	uint8_t nonce[BEACON_NONCE];
	int64_t asked_us; /* 0: none */
	uint32_t number;
};

struct finder {
	/* Constant after start. */
	int wake;    /* owned; wakes the thread */
	int changed; /* owned; wakes the owner */
	pthread_t thread;

	atomic_bool stopping;
	atomic_bool refresh; /* asked for */

	/* Guarded by `lock`. */
	struct lock lock;
	struct finder_table *table; /* owned */

	/* The finder's thread's own. */
	struct beacon_net net;
	struct prober prober;
	struct question questions[QUESTIONS];
	uint32_t asked;     /* questions so far */
	size_t since_fresh; /* of them, since something changed */
	int64_t next;       /* when to ask again */
};

/* ---- asking ---- */

static void make_query(const struct question *q, uint8_t packet[BEACON_SIZE])
{
	struct beacon b = {
		.type = BEACON_QUERY,
		.version_low = PROTOCOL_VERSION,
		.version_high = PROTOCOL_VERSION,
	};

	memcpy(b.nonce, q->nonce, sizeof(b.nonce));
	beacon_encode(&b, packet);
}

static const struct question *new_question(struct finder *f)
{
	struct question *q = &f->questions[f->asked % QUESTIONS];

	q->number = ++f->asked;
	identity_random(q->nonce, sizeof(q->nonce));
	q->asked_us = clock_us();
	return q;
}

static void begin_anew(struct finder *f, int64_t now)
{
	f->since_fresh = 0;
	f->next = now;
}

static void ask_if_due(struct finder *f, int64_t now)
{
	uint8_t packet[BEACON_SIZE];

	if (now < f->next)
		return;
	make_query(new_question(f), packet);
	for (size_t i = 0; i < f->net.path_count; i++)
		beacon_net_send(&f->net, &f->net.paths[i], packet);
	size_t few = sizeof(first_gaps_ms) / sizeof(first_gaps_ms[0]);
	f->next = now + (f->since_fresh < few ? first_gaps_ms[f->since_fresh] : GAP_MS);
	f->since_fresh++;
}

/* ---- hearing ---- */

/* The question that this answers; NULL when it is none of ours. */
static const struct question *find_question(const struct finder *f, const struct beacon *b)
{
	for (size_t i = 0; i < QUESTIONS; i++) {
		const struct question *q = &f->questions[i];

		if (q->asked_us != 0 && memcmp(q->nonce, b->nonce, sizeof(b->nonce)) == 0)
			return q;
	}
	return NULL;
}

static void tell_owner(struct finder *f, bool changed)
{
	if (changed)
		wakeup_signal(f->changed);
}

static void hear(struct finder *f, const uint8_t packet[BEACON_SIZE], struct finder_origin *origin)
{
	struct beacon b;
	const struct question *q = NULL;

	if (beacon_decode(packet, BEACON_SIZE, &b) != 0 || b.type == BEACON_QUERY)
		return;
	if (b.type == BEACON_ANSWER) {
		q = find_question(f, &b);
		if (!q)
			return;
	}
	origin->rtt_us = q ? clock_us() - q->asked_us : -1;
	origin->question = q ? q->number : 0;
	lock_take(&f->lock);
	bool changed = finder_table_hear(f->table, &b, origin, clock_ms());
	lock_drop(&f->lock);
	tell_owner(f, changed);
}

static void hear_all(struct finder *f)
{
	struct beacon_arrival arrival;
	int fd = -1;
	int result = 0;

	for (int i = 0; i < PACKETS_A_TURN && result != ERR_AGAIN; i++) {
		result = beacon_net_receive(&f->net, &arrival, &fd);
		if (result != 0)
			continue;
		const struct netif *link = netif_find(&f->net.table, arrival.index);
		struct finder_origin origin = {
			.from = arrival.from,
			.loopback = net_is_loopback(&arrival.from),
			.bridge = link && link->bridge,
		};
		hear(f, arrival.packet, &origin);
	}
}

/* ---- silence ---- */

static void probe_silent(struct finder *f, int64_t now)
{
	struct net_address silent[PROBER_MAX];
	uint8_t packet[BEACON_SIZE];

	lock_take(&f->lock);
	bool changed = finder_table_expire(f->table, now);
	size_t count = finder_table_silent(f->table, now, silent, PROBER_MAX);
	lock_drop(&f->lock);
	tell_owner(f, changed);
	if (count == 0)
		return;
	make_query(new_question(f), packet);
	for (size_t i = 0; i < count; i++)
		prober_ask(&f->prober, &silent[i], packet, now);
}

static void take_replies(struct finder *f, int64_t now)
{
	struct prober_question q;
	uint8_t packet[BEACON_SIZE];

	for (;;) {
		int result = prober_next(&f->prober, now, &q, packet);

		if (result == ERR_AGAIN)
			return;
		if (result == ERR_REFUSED) {
			lock_take(&f->lock);
			bool changed = finder_table_refused(f->table, &q.peer, q.asked_ms);
			lock_drop(&f->lock);
			tell_owner(f, changed);
		} else {
			struct finder_origin origin = {
				.from = q.peer,
				.loopback = net_is_loopback(&q.peer),
			};
			hear(f, packet, &origin);
		}
	}
}

/* ---- the thread ---- */

static int64_t deadline(struct finder *f)
{
	int64_t times[] = {f->next, beacon_net_deadline(&f->net), prober_deadline(&f->prober), 0};
	int64_t first = INT64_MAX;

	lock_take(&f->lock);
	times[3] = finder_table_deadline(f->table);
	lock_drop(&f->lock);
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		if (times[i] < first)
			first = times[i];
	return first;
}

static void turn(struct finder *f)
{
	struct pollfd fds[BEACON_NET_FDS + PROBER_MAX + 1];
	struct pollfd *wake = &fds[BEACON_NET_FDS + PROBER_MAX];

	beacon_net_poll(&f->net, fds);
	prober_poll(&f->prober, fds + BEACON_NET_FDS);
	*wake = (struct pollfd){.fd = f->wake, .events = POLLIN};
	if (poll(fds, sizeof(fds) / sizeof(fds[0]), clock_poll_timeout(deadline(f))) < 0)
		return;
	int64_t now = clock_ms();
	if (wake->revents != 0)
		wakeup_clear(f->wake);
	bool fresh = beacon_net_turn(&f->net, fds, now);
	if (atomic_exchange(&f->refresh, false) || fresh)
		begin_anew(f, now);
	ask_if_due(f, now);
	hear_all(f);
	take_replies(f, now);
	probe_silent(f, clock_ms());
}

static void *run(void *argument)
{
	struct finder *f = argument;

	ask_if_due(f, clock_ms());
	while (!atomic_load(&f->stopping))
		turn(f);
	return NULL;
}

/* ---- for the owner ---- */

static int open_net(struct finder *f, const struct finder_config *config)
{
	/* One who only asks does so with every address that there is. */
	struct net_address wildcards[] = {
		{.length = sizeof(struct sockaddr_in), .u.v4 = {.sin_family = AF_INET}},
		{.length = sizeof(struct sockaddr_in6), .u.v6 = {.sin6_family = AF_INET6}},
	};
	struct beacon_net_config net = {
		.filter = {.only = config->interfaces, .not = config->not_interfaces},
		.listening = wildcards,
		.listening_count = sizeof(wildcards) / sizeof(wildcards[0]),
		.port = config->port != 0 ? config->port : NET_PORT,
	};

	return beacon_net_open(&f->net, &net);
}

/* Signals are for the thread that knows what to do about them. */
static int start_thread(struct finder *f)
{
	sigset_t every, before;

	(void)sigfillset(&every);
	PTHREAD_OK(pthread_sigmask(SIG_SETMASK, &every, &before));
	int error = pthread_create(&f->thread, NULL, run, f);
	PTHREAD_OK(pthread_sigmask(SIG_SETMASK, &before, NULL));
	if (error == 0)
		return 0;
	errno = error;
	return ERR_SYSTEM;
}

static void release(struct finder *f)
{
	beacon_net_close(&f->net);
	prober_fini(&f->prober);
	finder_table_free(f->table);
	net_close(f->wake);
	net_close(f->changed);
	lock_fini(&f->lock);
	free(f);
}

int finder_start(const struct finder_config *config, struct finder **out)
{
	struct finder *f = calloc(1, sizeof(*f));
	int64_t now = clock_ms();

	if (!f)
		return ERR_MEMORY;
	f->wake = f->changed = -1;
	atomic_init(&f->stopping, false);
	atomic_init(&f->refresh, false);
	lock_init(&f->lock, LOCK_CLIENT);
	prober_init(&f->prober);
	begin_anew(f, now);

	int error = open_net(f, config);
	if (error == 0)
		error = wakeup_open(&f->wake);
	if (error == 0)
		error = wakeup_open(&f->changed);
	f->table = finder_table_new(now);
	if (error == 0 && !f->table)
		error = ERR_MEMORY;
	if (error == 0)
		error = start_thread(f);
	if (error != 0) {
		release(f);
		return error;
	}
	*out = f;
	return 0;
}

void finder_stop(struct finder *f)
{
	if (!f)
		return;
	atomic_store(&f->stopping, true);
	wakeup_signal(f->wake);
	PTHREAD_OK(pthread_join(f->thread, NULL));
	release(f);
}

int finder_fd(const struct finder *f)
{
	return f->changed;
}

size_t finder_list(struct finder *f, struct finder_row *rows, size_t most)
{
	wakeup_clear(f->changed);
	lock_take(&f->lock);
	size_t n = finder_table_list(f->table, rows, most);
	lock_drop(&f->lock);
	return n;
}

void finder_refresh(struct finder *f)
{
	atomic_store(&f->refresh, true);
	wakeup_signal(f->wake);
}
