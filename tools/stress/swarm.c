#include "tools/stress/swarm.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/identity.h"
#include "common/tls.h"
#include "tools/stress/swarm_private.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define OUT_BYTES   ((size_t)256 * 1024)
#define EVENTS      512
#define WHY         96
#define NOT_BEGUN   "stopped before the load began"
#define STOPPED     INT64_C(2000000) /* how long it waits without any progress when it was stopped */
#define PAUSE       INT64_C(100000)  /* without any work between two turns: it was not let run */
#define CPU_EVERY   INT64_C(10000)   /* between two looks at what it had of a processor */
#define WAIT_MOST   INT64_C(120000000) /* for the rest, and as long again as the load took */
#define REST        INT64_C(1500000)   /* in which a server is to get to rest after logins */
#define TURN_MOST   INT64_C(50000)     /* between two looks at the clock */
#define CHECK_EVERY INT64_C(20000)     /* between two looks at whether all have everything */
#define LISTEN      INT64_C(200000)    /* for what comes once too often */

int64_t swarm_now(void)
{
	return clock_us();
}

/* ---- making ---- */

/* The same seed makes the same people. */
static EVP_PKEY *make_key(uint64_t seed, uint32_t number)
{
	uint64_t state = seed ^ ((uint64_t)number << 32 | number);
	uint64_t secret[4];

	for (int i = 0; i < 4; i++)
		secret[i] = plan_random(&state);
	return EVP_PKEY_new_raw_private_key(
		EVP_PKEY_ED25519, NULL, (const unsigned char *)secret, sizeof(secret));
}

static int make_client(struct swarm *s, uint32_t i)
{
	const struct plan *p = s->plan;
	struct client *c = &s->clients[i];
	struct identity id;

	c->role = (enum role)p->role[i];
	c->peer = (struct protocol_peer){
		.run = p->run, .number = i, .room = i % p->rooms, .size = p->size};
	if (p->tls || p->protocol->tls) {
		EVP_PKEY *key = make_key(p->seed, i);
		int r = key ? identity_of_key(key, &id) : ERR_CRYPTO;
		if (r) {
			EVP_PKEY_free(key);
			return r;
		}
		memcpy(c->peer.person, id.id, sizeof(c->peer.person));
		if (p->tls)
			c->key = key;
		else
			EVP_PKEY_free(key);
	}
	s->steady[c->peer.room] += c->role == ROLE_STEADY || c->role == ROLE_SENDER;
	c->seen = calloc(plan_room_senders(p, c->peer.room), sizeof(*c->seen));
	return c->seen ? 0 : ERR_MEMORY;
}

static int make_parts(struct swarm *s)
{
	struct epoll_event e = {.events = EPOLLIN};
	int r = 0;

	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (s->epoll < 0)
		return ERR_SYSTEM;
	s->clients = calloc(s->plan->clients, sizeof(*s->clients));
	s->steady = calloc(s->plan->rooms, sizeof(*s->steady));
	s->in = malloc(IN_BYTES);
	s->out = (struct outgoing){.bytes = malloc(OUT_BYTES), .size = OUT_BYTES};
	if (!s->clients || !s->steady || !s->in || !s->out.bytes)
		return ERR_MEMORY;
	for (uint32_t i = 0; i < s->plan->clients && r == 0; i++)
		r = make_client(s, i);
	if (r == 0)
		r = swarm_pace_init(s);
	if (r == 0 && s->plan->tls)
		r = tls_new_with(s->clients[0].key, TLS_CLIENT, &s->tls);
	if (r == 0 && s->setting.stop_fd >= 0 &&
		epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->setting.stop_fd, &e) != 0)
		r = ERR_SYSTEM;
	return r;
}

int swarm_new(const struct swarm_setting *setting, struct swarm **out)
{
	struct swarm *s = calloc(1, sizeof(*s));

	if (!s)
		return ERR_MEMORY;
	s->setting = *setting;
	s->plan = setting->plan;
	s->protocol = setting->plan->protocol;
	s->chance = setting->plan->seed ^ 1;
	if (setting->at->u.any.sa_family == AF_INET && net_is_loopback(setting->at)) {
		s->source = *setting->at;
		net_set_port(&s->source, 0);
	}
	int r = make_parts(s);
	if (r) {
		swarm_free(s);
		return r;
	}
	*out = s;
	return 0;
}

static void free_client(struct client *c)
{
	stream_free(c->stream);
	EVP_PKEY_free(c->key);
	free(c->kept);
	free(c->pending);
	free(c->seen);
	if (c->sender) {
		free(c->sender->remaining);
		free(c->sender->sent_at);
		free(c->sender);
	}
}

void swarm_free(struct swarm *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; s->clients && i < s->plan->clients; i++)
		free_client(&s->clients[i]);
	tls_free(s->tls);
	ledger_fini(&s->ledger);
	tally_fini(&s->tally);
	free(s->clients);
	free(s->steady);
	free(s->in);
	free(s->out.bytes);
	if (s->epoll >= 0)
		(void)close(s->epoll);
	free(s);
}

/* ---- the loop ---- */

/* Once ends the load; once more, waiting for what is missing. */
static void take_stop(struct swarm *s)
{
	struct signalfd_siginfo info;

	if (read(s->setting.stop_fd, &info, sizeof(info)) <= 0)
		return;
	s->stopped = true;
	s->cut_short = true;
}

/* Stopped by a signal, or with the machine, or others have all processors: nobody was slow then but this
 * program. `asked`: for how long it wanted to wait. */
static void note_pause(struct swarm *s, int64_t asked)
{
	int64_t now = swarm_now(), pause = s->turned_at ? now - s->turned_at - asked : 0;

	if (pause >= PAUSE)
		pause -= (int64_t)((tally_own_cpu() - s->turned_cpu) / 1000);
	if (pause >= PAUSE) {
		s->progress_at += pause;
		s->heard_at += pause;
		if (s->phase == PHASE_LOAD || s->phase == PHASE_DRAIN)
			s->paused += pause;
		else if (s->phase == PHASE_CONNECTING)
			s->paused_before += pause;
	}
	s->turned_at = now;
	if (now - s->looked_at >= CPU_EVERY) {
		s->turned_cpu = tally_own_cpu();
		s->looked_at = now;
	}
}

static void wait_for_events(struct swarm *s, int64_t until)
{
	struct epoll_event events[EVENTS];
	int64_t left = until - swarm_now();
	left = left < 0 ? 0 : left > TURN_MOST ? TURN_MOST : left;
	struct timespec t = {.tv_sec = 0, .tv_nsec = (long)left * 1000};
	int n = epoll_pwait2(s->epoll, events, EVENTS, &t, NULL);

	note_pause(s, left);
	for (int i = 0; i < n; i++) {
		if (events[i].data.ptr)
			swarm_client_event(s, events[i].data.ptr, events[i].events);
		else
			take_stop(s);
	}
}

static void show(struct swarm *s, const char *phase, double done)
{
	const struct tally *t = &s->tally;
	const struct result_second *last = t->count ? &t->seconds[t->count - 1] : NULL;
	int64_t now = swarm_now();
	struct live_state state = {
		.phase = phase,
		.done = done,
		.up = s->up,
		.clients = s->plan->clients,
		.faults = s->ledger.lost + s->ledger.doubled + s->ledger.reordered + s->foreign,
	};

	if (s->phase == PHASE_CONNECTING && now > s->first_dial)
		state.connects_per_s = s->connected * 1e6 / (double)(now - s->first_dial);
	if (s->phase == PHASE_LOAD) {
		state.seconds = (double)(now - s->load_began) / 1e6;
		state.of_seconds = (double)s->plan->duration / 1e6;
	}
	if (last && s->phase >= PHASE_LOAD) {
		state.sent_per_s = (double)last->sent;
		state.delivered_per_s = (double)last->delivered;
		state.p50_us = last->p50_us;
		state.p99_us = last->p99_us;
	}
	live_show(s->setting.live, &state);
}

static int64_t patience(const struct swarm *s)
{
	return s->cut_short && s->plan->patience > STOPPED ? STOPPED : s->plan->patience;
}

static bool is_stuck(const struct swarm *s)
{
	return swarm_now() - s->progress_at > patience(s);
}

/* The load is over, and waiting for the rest is, too: no message comes, or no end of them. */
static bool is_given_up(struct swarm *s)
{
	int64_t most = WAIT_MOST + s->load_ended - s->load_began;

	if (is_stuck(s)) {
		s->waited = patience(s);
		return true;
	}
	if (swarm_now() - s->load_ended < most)
		return false;
	s->no_end = true;
	return true;
}

static int fail(struct swarm *s, int r, char *error, size_t size, const char *what)
{
	snprintf(error, size, "%s%s%s", what, s->problem[0] ? ": " : "", s->problem);
	return r;
}

/* ---- the phases ---- */

/* Those whose time has come, and not more at once than a server takes. */
static int64_t dial_some(struct swarm *s, int64_t now)
{
	const struct plan *p = s->plan;

	while (s->next_client < p->clients && s->dialing < p->connecting) {
		int64_t due = s->first_dial + p->ramp * s->next_client / p->clients;
		if (due > now)
			return due;
		if (s->dialing == 0)
			s->progress_at = now; /* before it there was nothing to wait for */
		swarm_client_dial(s, &s->clients[s->next_client++]);
	}
	return INT64_MAX;
}

/* Why nobody comes in any more, as far as that can be seen from here. */
static const char *why_nobody(const struct swarm *s, char out[WHY])
{
	enum client_state furthest = CLIENT_AWAY;

	if (s->connected)
		return "the server lets nobody in any more";
	for (uint32_t i = 0; i < s->next_client; i++) {
		if (s->clients[i].state > furthest && s->clients[i].state < CLIENT_UP)
			furthest = s->clients[i].state;
	}
	if (furthest < CLIENT_SHAKING)
		return "the server does not answer";
	snprintf(out, WHY, "the server takes connections, but does not answer in %s%s",
		s->protocol->name, s->tls ? " over TLS" : "");
	return out;
}

static int connect_all(struct swarm *s, char *error, size_t size)
{
	char why[WHY];

	s->phase = PHASE_CONNECTING;
	s->first_dial = s->progress_at = swarm_now();
	while (s->connected < s->plan->clients) {
		int64_t next = dial_some(s, swarm_now());
		wait_for_events(s, next);
		show(s, "connecting", (double)s->connected / s->plan->clients);
		if (s->stopped)
			return fail(s, ERR_CLOSED, error, size, NOT_BEGUN);
		if (s->out_of_ports)
			return fail(s, ERR_FULL, error, size, "not everybody could come");
		if (s->refused || s->disconnected)
			return fail(s, ERR_REFUSED, error, size, "not everybody came in");
		if (s->dialing && is_stuck(s))
			return fail(s, ERR_TIMEOUT, error, size, why_nobody(s, why));
	}
	return 0;
}

static void rest(struct swarm *s)
{
	int64_t until = swarm_now() + (s->setting.subject ? REST : 0);

	s->phase = PHASE_RESTING;
	while (swarm_now() < until && !s->stopped) {
		wait_for_events(s, until);
		show(s, "resting", 1);
	}
}

static void load(struct swarm *s)
{
	int64_t now = swarm_now();

	s->phase = PHASE_LOAD;
	s->progress_at = now;
	swarm_pace_begin(s, now);
	swarm_roles_begin(s, now);
	tally_begin(&s->tally, now, s->setting.subject);
	/* However long nothing comes: what a server makes up for is late, and not lost. Without anybody to
	 * say anything there is no load. */
	while (now < s->load_ends && !s->stopped && s->senders_out < s->plan->senders) {
		swarm_pace_turn(s, now);
		int64_t next = swarm_pace_next(s);
		wait_for_events(s, next < s->load_ends ? next : s->load_ends);
		now = swarm_now();
		swarm_roles_turn(s, now);
		(void)tally_turn(&s->tally, now, s->up, s->setting.subject, false);
		show(s, "running", (double)(now - s->load_began) / (double)s->plan->duration);
	}
	s->load_ended = now;
	swarm_pace_turn(s, now); /* what became due since the last turn, and in time */
}

static void drain(struct swarm *s)
{
	uint64_t bytes = s->tally.bytes_in;

	s->phase = PHASE_DRAIN;
	s->progress_at = s->heard_at = swarm_now();
	s->unsent = swarm_pace_unsent(s);
	s->held_back = swarm_pace_held_back(s);
	s->stopped = false;
	swarm_roles_stay(s);
	while (s->arrived < s->expected && !s->stopped && !is_given_up(s)) {
		wait_for_events(s, INT64_MAX);
		int64_t now = swarm_now();
		swarm_roles_turn(s, now);
		if (s->tally.bytes_in != bytes || s->away)
			s->heard_at = now;
		bytes = s->tally.bytes_in;
		(void)tally_turn(&s->tally, now, s->up, s->setting.subject, false);
		show(s, "waiting for the rest", (double)s->arrived / (double)s->expected);
	}
	(void)tally_turn(&s->tally, swarm_now(), s->up, s->setting.subject, true);
}

/* Everybody has everything; what comes now is too much. */
static void listen_on(struct swarm *s)
{
	int64_t until = swarm_now() + LISTEN;

	while (!s->stopped && swarm_now() < until)
		wait_for_events(s, until);
}

/* Who reads slowly, or was away. */
static void catch_up(struct swarm *s)
{
	int64_t looked = 0;

	bool others = s->plan->slow || s->plan->churn > 0;
	s->phase = PHASE_CATCH_UP;
	if (s->waited && !others)
		return; /* it was waited for, acknowledgements and all */
	/* As long as these got nothing either, they have been waited for already. */
	s->progress_at = s->waited ? s->heard_at : swarm_now();
	swarm_roles_end(s, swarm_now());
	while (!s->stopped && !is_given_up(s)) {
		int64_t now = swarm_now();
		if (now >= looked + CHECK_EVERY) {
			if (swarm_is_complete(s)) {
				listen_on(s);
				return;
			}
			looked = now;
		}
		wait_for_events(s, looked + CHECK_EVERY);
		swarm_roles_turn(s, swarm_now());
		show(s, others ? "waiting for the slow" : "waiting for the rest", 1);
	}
}

static void part(struct swarm *s)
{
	s->phase = PHASE_OVER;
	for (uint32_t i = 0; i < s->plan->clients; i++) {
		if (s->clients[i].stream)
			swarm_client_close(s, &s->clients[i], true);
	}
}

/* ---- the run ---- */

static void look(const struct swarm *s, struct subject_sample *out)
{
	if (!s->setting.subject || subject_look(s->setting.subject, out) != 0)
		*out = (struct subject_sample){0};
}

/* A server that has ended tells nothing any more. */
static uint64_t grown(uint64_t before, uint64_t after)
{
	return after > before ? after - before : 0;
}

/* What this program itself had of a processor meanwhile, and how long it had to wait for one; and what the
 * server had. */
static void load_measured(struct swarm *s, const struct subject_sample *began, struct result *r)
{
	struct subject_sample loaded;
	uint64_t cpu = tally_own_cpu(), wait = tally_own_wait();
	int64_t from = swarm_now();

	load(s);
	look(s, &loaded);
	r->server_load_cpu_ns = grown(began->cpu_ns, loaded.cpu_ns);
	double ns = (double)(swarm_now() - from) * 1e3;
	r->own_cpu = (double)(tally_own_cpu() - cpu) / ns;
	r->own_wait = (double)(tally_own_wait() - wait) / ns;
}

int swarm_run(struct swarm *s, struct result *result, char *error, size_t size)
{
	struct subject_sample came, began, ended;

	look(s, &result->before);
	int r = connect_all(s, error, size);
	look(s, &came);
	result->connected = s->connected;
	result->refused = s->refused;
	result->connect_pause = (double)s->paused_before / 1e6;
	result->connect_seconds = (double)(s->last_up - s->first_dial) / 1e6;
	result->connect_cpu_ns = grown(result->before.cpu_ns, came.cpu_ns);
	if (r)
		return r;
	rest(s);
	if (s->stopped)
		return fail(s, ERR_CLOSED, error, size, NOT_BEGUN);
	look(s, &result->joined);

	uint64_t in = s->tally.bytes_in, out = s->tally.bytes_out;
	look(s, &began);
	load_measured(s, &began, result);
	drain(s);
	look(s, &ended);
	uint64_t in_time = s->tally.delivered;
	result->server_cpu_ns = grown(began.cpu_ns, ended.cpu_ns);
	catch_up(s);
	result->bytes_in = s->tally.bytes_in - in;
	result->bytes_out = s->tally.bytes_out - out;
	look(s, &result->after);
	tally_most(&s->tally, &result->after);
	if (!s->cut_short && !s->no_end)
		result->waited_in_vain = swarm_pace_waited(s);
	part(s);
	swarm_tell(s, result);
	result->late = s->tally.delivered - in_time;
	if (s->problem[0])
		snprintf(error, size, "%s", s->problem);
	live_end(s->setting.live);
	return 0;
}
