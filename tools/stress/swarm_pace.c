#include "common/err.h"
#include "tools/stress/mark.h"
#include "tools/stress/swarm_private.h"

#include <stdlib.h>

#define RATE_RING     1024 /* of a sender's messages, the times of sending that are remembered */
#define TURN_MOST     256  /* messages, between two looks at what has come */
#define PENDING_PAUSE ((size_t)1 << 20) /* bytes that a server has not read, and more do not help */

static uint32_t ring_for(uint32_t count)
{
	uint32_t size = 1;

	while (size <= count)
		size *= 2;
	return size;
}

/* By window, a message's place is taken again only when everybody has it. */
int swarm_pace_init(struct swarm *s)
{
	uint32_t ring = s->plan->rate > 0 ? RATE_RING : ring_for(s->plan->window);

	s->ready_end = &s->ready;
	for (uint32_t i = 0; i < s->plan->senders; i++) {
		struct sender *sender = calloc(1, sizeof(*sender));
		s->clients[i].sender = sender;
		if (!sender)
			return ERR_MEMORY;
		sender->mask = ring - 1;
		sender->sent_at = calloc(ring, sizeof(*sender->sent_at));
		sender->remaining =
			s->plan->rate > 0 ? NULL : calloc(ring, sizeof(*sender->remaining));
		if (!sender->sent_at || (s->plan->rate <= 0 && !sender->remaining))
			return ERR_MEMORY;
	}
	return 0;
}

/* ---- one message ---- */

static uint32_t receivers(const struct swarm *s, const struct client *c)
{
	return s->steady[c->peer.room] - (s->protocol->echoes ? 0 : 1);
}

/* Written behind what is in s->out already. */
static void write_message(struct swarm *s, struct client *c, uint64_t due, int64_t now)
{
	char text[65536];
	struct sender *sender = c->sender;
	struct mark m = {
		.run = s->plan->run,
		.sender = c->peer.number,
		.counter = ++sender->sent,
		.due = due,
	};

	mark_write(&m, text, s->plan->size);
	sender->sent_at[m.counter & sender->mask] = now;
	if (sender->remaining)
		sender->remaining[m.counter & sender->mask] = receivers(s, c);
	if (s->arrived == s->expected)
		s->progress_at = now; /* before it there was nothing to wait for */
	s->expected += receivers(s, c);
	s->tally.sent++;
	size_t before = s->out.used;
	s->protocol->say(&c->peer, m.counter, text, s->plan->size, &s->out);
	s->said_bytes = s->out.used - before;
}

/* ---- by window ---- */

static void make_ready(struct swarm *s, struct client *c)
{
	if (c->sender->ready)
		return;
	c->sender->ready = true;
	c->sender->next_ready = NULL;
	*s->ready_end = c;
	s->ready_end = &c->sender->next_ready;
}

void swarm_pace_delivered(struct swarm *s, struct client *sender, uint32_t counter)
{
	struct sender *x = sender->sender;

	if (--x->remaining[counter & x->mask] == 0) {
		x->on_way--;
		make_ready(s, sender);
	}
}

static void fill_window(struct swarm *s, struct client *c, int64_t now)
{
	struct sender *x = c->sender;

	/* What the server has not read is not added to: it is gone on with when that has gone out. */
	if (c->pending_end - c->pending_at > PENDING_PAUSE) {
		x->held = true;
		return;
	}
	while (x->on_way < s->plan->window && !s->out.full &&
		s->out.size - s->out.used > (size_t)s->plan->size + 1024) {
		write_message(s, c, (uint64_t)(now - s->load_began), now);
		x->on_way++;
	}
	swarm_client_send(s, c);
	if (c->state == CLIENT_UP && x->on_way < s->plan->window)
		make_ready(s, c); /* there was no room for all of them */
}

void swarm_pace_sent(struct swarm *s, struct client *c)
{
	if (!c->sender || !c->sender->held || c->pending_end - c->pending_at > PENDING_PAUSE)
		return;
	c->sender->held = false;
	make_ready(s, c);
}

/* Those that have become ready since; who does so meanwhile has its turn the next time. */
static void turn_by_window(struct swarm *s, int64_t now)
{
	struct client *c = s->ready;

	s->ready = NULL;
	s->ready_end = &s->ready;
	while (c) {
		struct client *next = c->sender->next_ready;
		c->sender->ready = false;
		if (c->state == CLIENT_UP)
			fill_window(s, c, now);
		c = next;
	}
}

/* ---- by rate ---- */

/* Whoever cannot be sent from now keeps all waiting: what is late is late from when it was due. */
static void turn_by_rate(struct swarm *s, int64_t now)
{
	double interval = 1e6 / s->plan->rate;

	for (int i = 0; i < TURN_MOST && s->load_began + (int64_t)s->next_due <= now; i++) {
		struct client *c = &s->clients[s->next_sender];
		if (c->pending_end - c->pending_at > PENDING_PAUSE)
			return;
		if (c->state == CLIENT_UP) {
			write_message(s, c, (uint64_t)s->next_due, swarm_now());
			swarm_client_send(s, c);
		}
		s->next_due += interval;
		s->next_sender = (s->next_sender + 1) % s->plan->senders;
		if (s->load_began + (int64_t)s->next_due >= s->load_ends)
			return;
	}
}

/* ---- for the loop ---- */

void swarm_pace_begin(struct swarm *s, int64_t now)
{
	s->load_began = now;
	s->load_ends = now + s->plan->duration;
	s->last_delivery = now;
	if (s->plan->rate > 0)
		return;
	for (uint32_t i = 0; i < s->plan->senders; i++)
		make_ready(s, &s->clients[i]);
}

void swarm_pace_turn(struct swarm *s, int64_t now)
{
	if (s->plan->rate > 0)
		turn_by_rate(s, now);
	else
		turn_by_window(s, now);
}

/* Of the messages that were written, those that the sockets have not taken. */
static uint64_t held_back(const struct swarm *s)
{
	uint64_t count = 0;

	for (uint32_t i = 0; i < s->plan->senders && s->said_bytes; i++) {
		const struct client *c = &s->clients[i];
		size_t bytes = c->pending_end - c->pending_at;
		count += (bytes + s->said_bytes - 1) / s->said_bytes;
	}
	return count;
}

uint64_t swarm_pace_unsent(const struct swarm *s)
{
	if (s->plan->rate <= 0)
		return 0;
	int64_t end = s->load_ends < s->load_ended ? s->load_ends : s->load_ended;
	double due = (double)(end - s->load_began) * s->plan->rate / 1e6;

	uint64_t never = due > (double)s->tally.sent + 1 ? (uint64_t)due - s->tally.sent : 0;
	return never + held_back(s);
}

int64_t swarm_pace_next(const struct swarm *s)
{
	if (s->plan->rate > 0)
		return s->load_began + (int64_t)s->next_due;
	return s->ready ? 0 : INT64_MAX;
}
