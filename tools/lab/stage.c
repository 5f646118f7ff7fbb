#include "tools/lab/stage_private.h"

#include "common/err.h"
#include "common/wakeup.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MS       UINT64_C(1000000)
#define SLICE_MS 50 /* a change of pace is noticed so soon */

/* ---- its clock ---- */

static uint64_t real_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static uint64_t clock_locked(const struct stage *s, uint64_t now)
{
	lock_assert_held(&s->lock);
	return s->passed_ns + (s->stands ? 0 : (now - s->since_ns) / s->slow);
}

uint64_t stage_clock(struct stage *s)
{
	lock_take(&s->lock);
	uint64_t passed = clock_locked(s, real_ns());
	lock_drop(&s->lock);
	return passed;
}

int64_t stage_ms(struct stage *s)
{
	return (int64_t)(stage_clock(s) / MS);
}

/* What has passed until now did so at the pace until now. */
static void settle_clock_locked(struct stage *s)
{
	uint64_t now = real_ns();

	s->passed_ns = clock_locked(s, now);
	s->since_ns = now;
}

void stage_hold(struct stage *s, bool held)
{
	lock_take(&s->lock);
	settle_clock_locked(s);
	s->stands = held;
	lock_drop(&s->lock);
	if (s->wire)
		wire_pause(s->wire, held);
	else
		relay_hold(s->relay, held);
}

void stage_slow(struct stage *s, unsigned factor)
{
	lock_take(&s->lock);
	settle_clock_locked(s);
	s->slow = factor ? factor : 1;
	lock_drop(&s->lock);
	if (s->wire)
		wire_slow(s->wire, factor);
	else
		relay_slow(s->relay, factor);
}

void stage_impair(struct stage *s, const struct impairment *how)
{
	if (s->wire)
		wire_set(s->wire, how);
	else
		relay_set(s->relay, how);
}

static int wait_for(struct stage *s, int fd, short events, int timeout_ms)
{
	uint64_t end = stage_clock(s) + (uint64_t)(timeout_ms > 0 ? timeout_ms : 0) * MS;
	uint64_t bound = s->options.bound_ms * MS;

	if (bound && end > bound)
		end = bound;
	for (;;) {
		uint64_t now = stage_clock(s);
		uint64_t left = now < end ? end - now : 0;
		struct pollfd p[] = {{.fd = s->stop_fd, .events = POLLIN}, {fd, events, 0}};
		int ms = left < SLICE_MS * MS ? (int)((left + MS - 1) / MS) : SLICE_MS;
		int r = poll(p, 2, ms);

		if (p[0].revents || stage_stopped(s)) {
			errno = ECANCELED;
			return -1;
		}
		if (r > 0 && p[1].revents)
			return p[1].revents;
		if (r < 0 && errno != EINTR)
			return -1;
		if (left == 0)
			return 0;
	}
}

int stage_await(struct stage *s, int fd, short events, int timeout_ms, const char *operation)
{
	if (timeout_ms <= 0)
		return wait_for(s, fd, events, timeout_ms);
	stage_end_waits(s, fd, operation);
	int r = wait_for(s, fd, events, timeout_ms);
	stage_end_waited(s, fd, r == 0);
	return r;
}

int stage_wait(struct stage *s, int fd, short events, int timeout_ms)
{
	return stage_await(s, fd, events, timeout_ms, "poll");
}

bool stage_overdue(struct stage *s)
{
	return s->options.bound_ms && stage_clock(s) >= s->options.bound_ms * MS;
}

int stage_pause_ms(struct stage *s, unsigned ms)
{
	return wait_for(s, -1, 0, (int)ms) < 0 ? ERR_STOPPING : 0;
}

/* ---- what the wire did ---- */

void stage_counts(struct stage *s, enum side side, struct wire_counts *out)
{
	if (s->wire)
		wire_counts(s->wire, side, out);
	else
		relay_counts(s->relay, side, out);
}

/* Until the wire has taken `sent`, and, where `all`, nothing of that is on its way any more. */
static int await_wire(struct stage *s, enum side side, uint64_t sent, bool all)
{
	uint64_t end = stage_clock(s) + STAGE_PATIENCE_MS * MS;

	while (stage_clock(s) < end && !stage_overdue(s)) {
		struct wire_counts c;
		uint64_t entries = journal_count(s->journal);
		stage_counts(s, side, &c);
		if (c.sent >= sent &&
			(!all || c.arrived >= c.sent - c.lost - c.overflowed + c.duplicated))
			return 0;
		if (stage_stopped(s))
			return ERR_STOPPING;
		/* A relay writes nothing down, so there it is looked at now and then. */
		(void)journal_wait(s->journal, entries, s->wire ? SLICE_MS : 1);
	}
	return ERR_TIMEOUT;
}

int stage_settle(struct stage *s, enum side side, uint64_t sent)
{
	return await_wire(s, side, sent, true);
}

int stage_taken(struct stage *s, enum side side, uint64_t sent)
{
	return await_wire(s, side, sent, false);
}

/* ---- its life ---- */

static int make_site(struct stage *s, char reason[SITE_REASON])
{
	const struct scenario *x = s->options.scenario;
	int r = site_new(x->medium, x->hosts, &s->site, reason);

	if (r)
		return r;
	r = wire_start(&s->wire, s->site, s->journal, &s->options.impaired, s->options.seed);
	if (r)
		snprintf(reason, SITE_REASON, "the wire cannot be laid: %s",
			r == ERR_SYSTEM ? strerror(errno) : err_text(r));
	return r;
}

static int make_relay(struct stage *s, char reason[SITE_REASON])
{
	if (!s->options.scenario->on_loopback) {
		snprintf(reason, SITE_REASON,
			"a relay on loopback cannot show it: it takes hosts of its own");
		return ERR_REFUSED;
	}
	int r = relay_start(&s->relay, &s->options.impaired, s->options.seed);
	if (r)
		snprintf(reason, SITE_REASON, "there is no relay: %s",
			r == ERR_SYSTEM ? strerror(errno) : err_text(r));
	return r;
}

int stage_open(const struct stage_options *o, struct stage **out, char reason[SITE_REASON])
{
	struct stage *s = calloc(1, sizeof(*s));

	*reason = '\0';
	if (!s)
		return ERR_MEMORY;
	s->options = *o;
	if (s->options.count < scenario_least_count(o->scenario))
		s->options.count = scenario_least_count(o->scenario);
	s->stop_fd = -1;
	s->slow = 1;
	s->since_ns = real_ns();
	lock_init(&s->lock, LOCK_LEAF);
	for (size_t i = 0; i < STAGE_SOCKETS; i++)
		s->ends[i].fd = -1;
	s->journal = journal_new();
	int r = s->journal ? wakeup_open(&s->stop_fd) : ERR_MEMORY;
	if (r)
		snprintf(
			reason, SITE_REASON, "%s", r == ERR_SYSTEM ? strerror(errno) : err_text(r));
	else
		r = o->loopback ? make_relay(s, reason) : make_site(s, reason);
	if (r)
		stage_close(s);
	else
		*out = s;
	return r;
}

int stage_play(struct stage *s)
{
	if (s->relay)
		stage_say(s, SIDE_BOTH,
			"Between the two stands a relay: the client speaks to a port of the "
			"relay's, and the relay to the server's. So each sees the relay's address "
			"in place of the other's.");
	int r = s->options.scenario->run(s);

	stage_end_ask_all(s);
	if (stage_stopped(s))
		return ERR_STOPPING;
	/* It went on for too long to be watched, and a check says so. */
	return r == ERR_TIMEOUT && atomic_load(&s->open) ? 0 : r;
}

void stage_stop(struct stage *s)
{
	atomic_store(&s->stopped, true);
	wakeup_signal(s->stop_fd);
}

bool stage_stopped(const struct stage *s)
{
	return atomic_load(&s->stopped);
}

void stage_close(struct stage *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < STAGE_SOCKETS; i++)
		net_close(s->ends[i].fd);
	if (s->wire)
		wire_stop(s->wire);
	relay_stop(s->relay);
	if (s->site)
		site_free(s->site);
	journal_free(s->journal);
	net_close(s->stop_fd);
	for (size_t i = 0; i < SIDES; i++)
		reckoning_fini(&s->reckonings[i]);
	lock_fini(&s->lock);
	free(s);
}

struct journal *stage_journal(struct stage *s)
{
	return s->journal;
}

struct wire *stage_wire(struct stage *s)
{
	return s->wire;
}

struct site *stage_site(struct stage *s)
{
	return s->site;
}

const struct stage_options *stage_options(const struct stage *s)
{
	return &s->options;
}
