#include "common/err.h"
#include "tools/stress/mark.h"
#include "tools/stress/swarm_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define TIMES         64 /* of sending, to begin with: more as more are not acknowledged */
#define COUNTER_MAX   (LEDGER_ANY - 1)
#define DAY           (UINT64_C(86400) * 1000000)
#define TURN_MOST     256               /* messages, between two looks at what has come */
#define PENDING_PAUSE ((size_t)1 << 20) /* bytes that a server has not read, and more do not help */
#define LOOK_EVERY    INT64_C(100000)   /* microseconds, for senders that wait in vain */

static uint32_t ring_for(uint32_t count)
{
	uint32_t size = 1;

	while (size <= count)
		size *= 2;
	return size;
}

/* By window, a message's place is taken again only when everybody has it. */
static int give_window(struct sender *x, uint32_t window)
{
	uint32_t ring = ring_for(window);

	x->mask = ring - 1;
	x->remaining = calloc(ring, sizeof(*x->remaining));
	return x->remaining ? 0 : ERR_MEMORY;
}

int swarm_pace_init(struct swarm *s)
{
	int r = 0;

	s->ready_end = &s->ready;
	for (uint32_t i = 0; i < s->plan->senders && r == 0; i++) {
		struct sender *x = calloc(1, sizeof(*x));
		s->clients[i].sender = x;
		if (!x)
			return ERR_MEMORY;
		x->turn = i;
		if (s->plan->rate <= 0)
			r = give_window(x, s->plan->window);
	}
	return r;
}

/* ---- times of sending ---- */

/* Room for one more that is not acknowledged; false: there is no memory. */
static bool more_times(struct sender *x)
{
	uint32_t size = x->times_size ? x->times_size * 2 : TIMES;
	int64_t *times = size > x->times_size ? malloc(size * sizeof(*times)) : NULL;

	if (!times)
		return false;
	for (uint32_t k = x->sent; k > x->acknowledged; k--)
		times[k & (size - 1)] = x->sent_at[k & (x->times_size - 1)];
	free(x->sent_at);
	x->sent_at = times;
	x->times_size = size;
	return true;
}

/* Of the message that is the next; false: it cannot be remembered. */
static bool note_sending(struct sender *x, int64_t now)
{
	if (x->sent + 1 - x->acknowledged > x->times_size && !more_times(x))
		return false;
	x->sent_at[(x->sent + 1) & (x->times_size - 1)] = now;
	return true;
}

/* ---- one message ---- */

static uint32_t receivers(const struct swarm *s, const struct client *c)
{
	return s->steady[c->peer.room] - (s->protocol->echoes ? 0 : 1);
}

/* Written behind what is in s->out already. False: that was its last, or there is no memory. */
static bool write_message(struct swarm *s, struct client *c, uint64_t due, int64_t now)
{
	char text[65536];
	struct sender *sender = c->sender;
	int64_t lag = now - s->load_began - (int64_t)due;
	struct mark m = {
		.run = s->plan->run,
		.sender = c->peer.number,
		.counter = sender->sent + 1,
		.due = due,
		.lag = lag < 0              ? 0
		       : lag > MARK_LAG_MAX ? MARK_LAG_MAX
					    : (uint32_t)lag,
	};

	if (m.counter >= COUNTER_MAX || due > MARK_DUE_MAX ||
		(s->protocol->acknowledges && !note_sending(sender, now)))
		return false;
	sender->sent++;
	mark_write(&m, text, s->plan->size);
	if (sender->remaining)
		sender->remaining[m.counter & sender->mask] = receivers(s, c);
	if (s->arrived == s->expected)
		s->progress_at = now; /* before it there was nothing to wait for */
	s->expected += receivers(s, c);
	s->tally.sent++;
	size_t before = s->out.used;
	s->protocol->say(&c->peer, m.counter, text, s->plan->size, &s->out);
	s->said_bytes = s->out.used - before;
	return true;
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

	if (counter > x->given_up && --x->remaining[counter & x->mask] == 0) {
		x->on_way--;
		make_ready(s, sender);
	}
}

/* Whoever sees to it that all goes on counts no further. */
static void say_no_more(struct swarm *s, struct client *c)
{
	c->sender->over = true;
	if (!s->problem[0])
		snprintf(s->problem, sizeof(s->problem),
			"client %u says no more: %" PRIu32 " messages of one sender, %" PRIu64
			" days, or the memory there is, are all that can be told apart",
			c->peer.number, COUNTER_MAX - 1, MARK_DUE_MAX / DAY);
}

static void fill_window(struct swarm *s, struct client *c, int64_t now)
{
	struct sender *x = c->sender;

	/* What the server has not read is not added to: it is gone on with when that has gone out. */
	if (c->pending_end - c->pending_at > PENDING_PAUSE) {
		x->held = true;
		return;
	}
	while (x->on_way < s->plan->window && !s->out.full && !x->over &&
		s->out.size - s->out.used > (size_t)s->plan->size + 1024) {
		if (write_message(s, c, (uint64_t)(now - s->load_began), now)) {
			x->on_way++;
			x->said_at = now;
		} else {
			say_no_more(s, c);
		}
	}
	swarm_client_send(s, c);
	if (c->state == CLIENT_UP && x->on_way < s->plan->window && !x->over)
		make_ready(s, c); /* there was no room for all of them */
}

/* Has it said all that it may, so that it depends on others? */
static bool is_waiting(const struct swarm *s, const struct client *c)
{
	return c->state == CLIENT_UP && c->sender->on_way >= s->plan->window &&
	       c->pending_at == c->pending_end;
}

/* All that it has on its way may be lost, so that no later one tells. Whoever hears of none of it for so
 * long as to wait for nothing at the end goes on, or there would be no load any more. */
static void go_on_in_vain(struct swarm *s, int64_t now)
{
	s->next_look = now + LOOK_EVERY;
	for (uint32_t i = 0; i < s->plan->senders; i++) {
		struct client *c = &s->clients[i];
		struct sender *x = c->sender;
		if (!is_waiting(s, c) || now - x->said_at <= s->plan->patience)
			continue;
		s->in_vain += (uint64_t)(now - x->said_at);
		x->given_up = x->sent;
		x->on_way = 0;
		make_ready(s, c);
	}
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

/* All senders' messages have one order, in which they are due; each sender has its turn in it. */
static uint64_t due_of(const struct swarm *s, uint64_t turn)
{
	return (uint64_t)((double)turn * 1e6 / s->plan->rate);
}

/* All that was due of it, up to that turn, as far as the server takes it: whoever is not read from is late
 * from when it was due, and keeps nobody else waiting. */
static void say_due(struct swarm *s, struct client *c, uint64_t upto)
{
	struct sender *x = c->sender;

	for (int i = 0; i < TURN_MOST && x->turn <= upto; i++) {
		if (c->pending_end - c->pending_at > PENDING_PAUSE)
			return;
		if (c->state == CLIENT_UP && !x->over) {
			if (!write_message(s, c, due_of(s, x->turn), swarm_now()))
				say_no_more(s, c);
			swarm_client_send(s, c);
		}
		x->turn += s->plan->senders;
	}
}

static void turn_by_rate(struct swarm *s, int64_t now)
{
	for (int i = 0; i < TURN_MOST; i++) {
		int64_t due = s->load_began + (int64_t)due_of(s, s->turn);
		if (due > now || due >= s->load_ends)
			return;
		say_due(s, &s->clients[s->turn % s->plan->senders], s->turn);
		s->turn++;
	}
}

void swarm_pace_sent(struct swarm *s, struct client *c)
{
	if (!c->sender || c->pending_end - c->pending_at > PENDING_PAUSE)
		return;
	if (s->plan->rate > 0 && s->phase == PHASE_LOAD && c->sender->turn < s->turn) {
		say_due(s, c, s->turn - 1);
	} else if (c->sender->held) {
		c->sender->held = false;
		make_ready(s, c);
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
	if (s->plan->rate > 0) {
		turn_by_rate(s, now);
	} else {
		if (now >= s->next_look)
			go_on_in_vain(s, now);
		turn_by_window(s, now);
	}
}

uint64_t swarm_pace_held_back(const struct swarm *s)
{
	uint64_t count = 0;

	for (uint32_t i = 0; s->plan->rate > 0 && i < s->plan->senders && s->said_bytes; i++) {
		const struct client *c = &s->clients[i];
		size_t bytes = c->pending_end - c->pending_at;
		count += (bytes + s->said_bytes - 1) / s->said_bytes;
	}
	/* It is a guess where they differ in length, or something else waits among them. */
	return count < s->tally.sent ? count : s->tally.sent;
}

uint64_t swarm_pace_unsent(const struct swarm *s)
{
	if (s->plan->rate <= 0)
		return 0;
	int64_t end = s->load_ends < s->load_ended ? s->load_ends : s->load_ended;
	uint64_t time = (uint64_t)(end - s->load_began);
	uint64_t due = (uint64_t)((double)time * s->plan->rate / 1e6);

	/* As due_of has it, whatever is rounded. */
	while (due_of(s, due) < time)
		due++;
	while (due > 0 && due_of(s, due - 1) >= time)
		due--;
	return due > s->tally.sent ? due - s->tally.sent : 0;
}

double swarm_pace_waited(const struct swarm *s)
{
	double waited = (double)s->in_vain;

	/* Who still waits does so since before the load ended. */
	for (uint32_t i = 0; s->plan->rate <= 0 && i < s->plan->senders; i++) {
		const struct client *c = &s->clients[i];
		if (is_waiting(s, c) && s->load_ended > c->sender->said_at)
			waited += (double)(s->load_ended - c->sender->said_at);
	}
	double time = (double)(s->load_ended - s->load_began) * s->plan->senders;
	return time > 0 ? waited / time : 0;
}

int64_t swarm_pace_next(const struct swarm *s)
{
	if (s->plan->rate > 0)
		return s->load_began + (int64_t)due_of(s, s->turn);
	return s->ready ? 0 : INT64_MAX;
}
