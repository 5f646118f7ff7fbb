#include "server/chat.h"

#include "common/err.h"
#include "common/log.h"
#include "common/lock.h"
#include "common/utf8.h"
#include "server/catchup.h"
#include "server/drain.h"
#include "server/pump.h"
#include "server/said.h"
#include "server/thread.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READERS     2         /* history readers */
#define REST_EVERY  5000      /* milliseconds after which an idle feed's segments are let go */
#define TRIM_ROOMS  64        /* that were forgotten, after which the heap is trimmed */
#define TRIM_BYTES  (1 << 20) /* of segments, after which it is, too */
#define PUMP_ROUNDS 2 /* of a sender's thread, before its own client has waited long enough */

struct chat {
	struct identity identity; /* constant */
	struct segment_budget budget;
	struct engine *engine;
	struct hub *hub;
	struct people *people;
	struct logins *logins;
	struct metrics *metrics;
	struct drain *drain;
	struct catchup *catchup;
	struct admission *admission; /* borrowed, as is the next */
	struct op_code *op_code;
	struct lanes *lanes; /* borrowed; constant before any session; NULL: none */
	struct outlet_hooks hooks;
	int64_t rest_at; /* clock_ms; the drain thread's own */

	struct lock lock;
	/* guarded by lock */
	struct policy policy;
	struct charter charter; /* the server's */
	bool stale;             /* memory was out for an act: the engine has it */
	char *motd;             /* owned; NULL: none */
};

/* ---- from the log to the feeds ---- */

static void apply_to_room(struct chat *c, const struct log_entry *e)
{
	uint8_t frame[SAID_FRAME_MAX];
	struct room *r = hub_find(c->hub, e->room);

	if (!r)
		return;
	/* A room that was opened since has the topic of its last entry, not of this one. */
	if (e->kind == SAID_TOPIC && e->seq > feed_last_seq(room_feed(r)))
		room_set_topic(r, e->text, e->nick, e->time);
	size_t length = said_encode(e, room_name(r), NULL, frame);
	feed_publish(room_feed(r), frame, length, e->seq);
	room_unref(r);
}

static void apply_to_inbox(struct chat *c, const struct log_entry *e, const uint8_t *person)
{
	uint8_t frame[SAID_FRAME_MAX];
	struct feed *inbox = people_inbox(c->people, person);

	if (!inbox)
		return;
	size_t length = said_encode(e, "", person, frame);
	feed_publish(inbox, frame, length, e->seq);
	feed_unref(inbox);
}

static void apply_act(struct chat *c, const struct log_entry *e)
{
	struct stream_key subject;
	struct act a;

	if (!stream_key_subject(e->room, &subject) || act_parse(e->text, &a) != 0)
		return;
	if (subject.bytes[0] == 's') {
		lock_take(&c->lock);
		if (charter_apply(&c->charter, &a, e->clock) != 0)
			c->stale = true;
		lock_drop(&c->lock);
		return;
	}
	struct room *r = hub_find(c->hub, &subject);
	if (r)
		room_apply_act(r, &a, e->clock);
	room_unref(r);
	hub_look_again(c->hub, &subject);
}

static void applied(void *context, const struct log_entry *e)
{
	struct chat *c = context;

	if (e->kind == SAID_ACT) {
		apply_act(c, e);
		return;
	}
	if (e->room) {
		apply_to_room(c, e);
		return;
	}
	apply_to_inbox(c, e, e->person);
	apply_to_inbox(c, e, e->to);
}

/* ---- from the feeds to the members ---- */

int chat_offer_operator(struct chat *c, bool *offered)
{
	char code[OP_CODE_SIZE];
	struct charter charter;
	int r = chat_charter(c, &charter);
	bool has = r != 0 || charter_has_any(&charter, STANDING_MODERATOR);

	charter_fini(&charter);
	if (offered)
		*offered = false;
	if (has)
		return r;
	if (op_code_read(c->op_code, code) != 0)
		r = op_code_make(c->op_code, code);
	if (r)
		return r;
	log_info("this server has no operator; the first who types /op %s is one", code);
	if (offered)
		*offered = true;
	return 0;
}

void chat_pump(struct chat *c, struct feed *f)
{
	if (!pump_feed(f, PUMP_ROUNDS))
		drain_feed(c->drain, f);
}

static void pump(void *context, struct feed *f)
{
	chat_pump(context, f);
}

void chat_tell(struct chat *c, struct room *r)
{
	int64_t again;

	if (hub_tell(c->hub, r, &again))
		chat_pump(c, room_feed(r));
	drain_wake_by(c->drain, again);
}

/* What rooms had is left as holes in the heap, which go back to the system only by malloc_trim(3). */
static void rest(struct chat *c)
{
	size_t before = atomic_load(&c->budget.bytes);
	size_t forgotten = hub_rest(c->hub);

	people_rest(c->people);
	size_t after = atomic_load(&c->budget.bytes);
	if (forgotten >= TRIM_ROOMS || (before > after && before - after >= TRIM_BYTES))
		(void)malloc_trim(0);
}

static int64_t tick(void *context, int64_t now)
{
	struct chat *c = context;
	int64_t next = hub_tick(c->hub, now, pump, c);

	if (now >= c->rest_at) {
		rest(c);
		c->rest_at = now + REST_EVERY;
	}
	return next < c->rest_at ? next : c->rest_at;
}

static void blocked(void *context, struct outlet *o)
{
	drain_watch(((struct chat *)context)->drain, o);
}

static void behind(void *context, struct member *m)
{
	catchup_add(((struct chat *)context)->catchup, m);
}

void chat_nudge(struct chat *c)
{
	drain_wake(c->drain);
}

unsigned chat_turns(const struct chat *c)
{
	return drain_turns(c->drain);
}

void chat_forget(struct chat *c, struct outlet *o)
{
	drain_forget(c->drain, o);
}

/* ---- access ---- */

struct engine *chat_engine(struct chat *c)
{
	return c->engine;
}

struct hub *chat_hub(struct chat *c)
{
	return c->hub;
}

struct people *chat_people(struct chat *c)
{
	return c->people;
}

struct logins *chat_logins(struct chat *c)
{
	return c->logins;
}

struct metrics *chat_metrics(struct chat *c)
{
	return c->metrics;
}

size_t chat_window_bytes(struct chat *c)
{
	return atomic_load(&c->budget.bytes);
}

const struct outlet_hooks *chat_hooks(struct chat *c)
{
	return &c->hooks;
}

struct admission *chat_admission(struct chat *c)
{
	return c->admission;
}

struct op_code *chat_op_code(struct chat *c)
{
	return c->op_code;
}

void chat_set_lanes(struct chat *c, struct lanes *l)
{
	c->lanes = l;
}

struct lanes *chat_lanes(struct chat *c)
{
	return c->lanes;
}

const struct identity *chat_identity(const struct chat *c)
{
	return &c->identity;
}

int chat_charter(struct chat *c, struct charter *out)
{
	struct stream_key key;

	*out = (struct charter){0};
	lock_take(&c->lock);
	int r = c->stale ? ERR_AGAIN : charter_copy(&c->charter, out);
	lock_drop(&c->lock);
	if (r != ERR_AGAIN)
		return r;
	stream_key_server(&key);
	return engine_charter(c->engine, &key, out);
}

int chat_room_charter(struct chat *c, struct room *room, struct charter *out)
{
	int r = room_charter(room, out);

	return r == ERR_AGAIN ? engine_charter(c->engine, feed_key(room_feed(room)), out) : r;
}

void chat_policy(struct chat *c, struct policy *out)
{
	lock_take(&c->lock);
	*out = c->policy;
	lock_drop(&c->lock);
}

void chat_set_policy(struct chat *c, const struct policy *p)
{
	lock_take(&c->lock);
	c->policy = *p;
	lock_drop(&c->lock);
	hub_set_max(c->hub, p->rooms_max);
}

char *chat_motd(struct chat *c)
{
	lock_take(&c->lock);
	char *copy = c->motd ? strdup(c->motd) : NULL;
	lock_drop(&c->lock);
	return copy;
}

int chat_set_motd(struct chat *c, const char *motd)
{
	char *copy = NULL;

	if (motd && *motd) {
		size_t length = strlen(motd);
		if (length > NOTICE_MAX)
			return ERR_TOO_BIG;
		if (!utf8_is_block(motd, length))
			return ERR_TEXT;
		copy = strdup(motd);
		if (!copy)
			return ERR_MEMORY;
	}
	lock_take(&c->lock);
	char *old = c->motd;
	c->motd = copy;
	lock_drop(&c->lock);
	free(old);
	return 0;
}

/* ---- life ---- */

static int open_log(struct chat *c, const struct chat_config *config, char *error, size_t size)
{
	if (config->log)
		return engine_open_sqlite(config->log, applied, c, &c->engine, error, size);
	return engine_open_memory(config->keep_bytes, applied, c, &c->engine);
}

/* Nothing is appended yet. */
static int load_charter(struct chat *c, char *error, size_t size)
{
	struct stream_key key;

	stream_key_server(&key);
	int r = engine_charter(c->engine, &key, &c->charter);
	/* Fail-safe: whoever is banned does not come in because of it. */
	if (r == ERR_DAMAGED)
		(void)snprintf(error, size,
			"cannot start: who the operators are, and who is banned from the server, "
			"is damaged in the log: restore a backup (--restore FILE), or set the log "
			"aside and begin anew (--set-aside)");
	return r;
}

static int start(struct chat *c, const struct chat_config *config, char *error, size_t size)
{
	int r = chat_set_motd(c, config->motd);
	if (r)
		return r;
	r = open_log(c, config, error, size);
	if (r == 0)
		r = load_charter(c, error, size);
	if (r)
		return r;
	c->hub = hub_new(c->engine, &c->budget, config->policy.rooms_max);
	c->people = people_new(c->engine, &c->budget);
	c->logins = logins_new();
	if (!c->hub || !c->people || !c->logins || !c->metrics)
		return ERR_MEMORY;
	r = catchup_start(c->engine, thread_stack(), READERS, &c->catchup);
	if (r)
		return r;
	return drain_start(thread_stack(), tick, c, &c->drain);
}

static int explain(int r, char *error, size_t size)
{
	if (!*error)
		snprintf(error, size, "cannot start: %s",
			r == ERR_SYSTEM ? strerror(errno) : err_text(r));
	return r;
}

int chat_start(const struct chat_config *config, struct chat **out, char *error, size_t size)
{
	struct chat *c = calloc(1, sizeof(*c));

	*error = '\0';
	if (!c)
		return explain(ERR_MEMORY, error, size);
	c->identity = config->identity;
	c->policy = config->policy;
	c->admission = config->admission;
	c->op_code = config->op_code;
	c->budget.bound = config->window_bytes;
	atomic_init(&c->budget.bytes, 0);
	c->hooks = (struct outlet_hooks){.blocked = blocked, .behind = behind, .context = c};
	c->metrics = metrics_new();
	c->hooks.metrics = c->metrics;
	lock_init(&c->lock, LOCK_LEAF);
	int r = start(c, config, error, size);
	if (r) {
		(void)explain(r, error, size);
		chat_stop(c);
		return r;
	}
	*out = c;
	return 0;
}

void chat_stop(struct chat *c)
{
	if (!c)
		return;
	/* The readers first: they may make an outlet ask for the drain. */
	catchup_stop(c->catchup);
	drain_stop(c->drain);
	logins_free(c->logins);
	metrics_free(c->metrics);
	people_free(c->people);
	hub_free(c->hub);
	engine_close(c->engine);
	lock_fini(&c->lock);
	charter_fini(&c->charter);
	free(c->motd);
	free(c);
}
