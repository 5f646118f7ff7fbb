/*
 * Pumping with everything that takes part: the log, the drain thread and the
 * history readers of a real chat, threads that publish, and members that read
 * slowly, stop for a while, leave and come back.
 *
 * Many short rounds from a fixed seed, which is printed when one fails. Each member
 * checks the chain of numbers: an entry carries the number before it in its room,
 * so that one lost, repeated or misplaced breaks the chain wherever that happens.
 */
#include "server/pump.h"

#include "common/clock.h"
#include "common/err.h"
#include "server/chat.h"
#include "tests/unit/bench.h"

#include <check.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define SEED       20260719u
#define PUBLISHERS 3
#define MEMBERS    6
#define TEXT_KEY   7 /* one text for all, long or short, so that they can share its bytes */

/* ---- alone ---- */

START_TEST(nobody_to_pump_for)
{
	struct bench b;

	bench_open(&b, 0, 0);
	bench_publish_quietly(&b, 1, 10);
	ck_assert(pump_feed(b.feed, 1));
	ck_assert(feed_pump_begin(b.feed)); /* it let go of it */
	bench_close(&b);
}
END_TEST

START_TEST(somebody_else_pumps)
{
	struct bench b;
	struct member *m;

	bench_open(&b, 0, 0);
	ck_assert_int_eq(member_join(b.outlet, b.feed, 0, &m), 0);
	bench_expect_caught_up(&b, 0);
	ck_assert(feed_pump_begin(b.feed));
	bench_publish(&b, 1, 10);
	ck_assert(pump_feed(b.feed, 1)); /* not ours to do */
	ck_assert_uint_eq(m->sent, 0);
	ck_assert(!feed_pump_end(b.feed)); /* but they look again */
	feed_pump_give_up(b.feed);
	ck_assert(pump_feed(b.feed, 1));
	bench_check(&b);
	bench_leave(m);
	bench_close(&b);
}
END_TEST

/* ---- rounds ---- */

struct round {
	unsigned number;
	struct chat *chat;
	struct room *rooms[2];
	atomic_uint published; /* entries, all publishers together */
	atomic_uint publishing;
	unsigned each; /* entries of one publisher */
	bool pruned;   /* the log keeps less than is said: gaps are to be expected */
	atomic_bool failed;
	char why[200];
};

struct worker {
	struct round *round;
	unsigned random;
	unsigned index;
	pthread_t thread;
};

static void wrong(struct round *r, const char *what, uint64_t a, uint64_t b)
{
	if (!atomic_exchange(&r->failed, true))
		snprintf(r->why, sizeof(r->why), "round %u (seed %u): %s: %llu, %llu", r->number,
			SEED, what, (unsigned long long)a, (unsigned long long)b);
}

static unsigned draw(struct worker *w, unsigned below)
{
	w->random = w->random * 1664525u + 1013904223u;
	return (w->random >> 8) % below;
}

/* ---- publishing ---- */

static void *publish(void *argument)
{
	struct worker *w = argument;
	struct round *r = w->round;
	uint8_t id[PERSON_ID] = {1, (uint8_t)w->index};
	char text[TEXT_MAX];
	uint64_t counter = 0;

	while (counter < r->each) {
		struct log_entry entries[4];
		struct append_result results[4];
		struct room *room = r->rooms[draw(w, 8) == 0];
		size_t count = 1 + draw(w, 4);
		for (size_t i = 0; i < count; i++) {
			entries[i] = (struct log_entry){
				.room = feed_key(room_feed(room)),
				.person = id,
				.instance = id,
				.counter = ++counter,
				.nick = span_of("n"),
				.text = entry_text(TEXT_KEY, 1 + draw(w, 600), text),
			};
		}
		engine_append(chat_engine(r->chat), entries, count, INT64_MAX, results);
		for (size_t i = 0; i < count; i++) {
			if (results[i].status != APPEND_OK || results[i].duplicate)
				wrong(r, "append", results[i].status, results[i].duplicate);
		}
		chat_pump(r->chat, room_feed(room));
		atomic_fetch_add(&r->published, (unsigned)count);
	}
	atomic_fetch_sub(&r->publishing, 1);
	return NULL;
}

/* ---- reading ---- */

/* One connection of a member: what has arrived, and what it may be. */
struct reading {
	struct worker *worker;
	struct peer peer;
	struct outlet *outlet;
	struct member *member;
	uint64_t have;  /* everything up to here, as far as this room goes */
	bool caught_up; /* told at least once */
	bool loose;     /* `have` is any number, or the end of a gap: not one of this room's */
};

static bool connect_member(struct reading *g, uint64_t after)
{
	struct round *r = g->worker->round;
	struct stream *stream;
	int fd;

	if (peer_open(&g->peer, draw(g->worker, 2) ? 2304 : 20000, &fd) != 0)
		return false;
	if (stream_new_plain(fd, &stream) != 0 ||
		outlet_new(stream, chat_hooks(r->chat), &g->outlet) != 0)
		return false;
	g->have = after;
	g->caught_up = false;
	return member_join(g->outlet, room_feed(r->rooms[0]), after, &g->member) == 0;
}

/* As a session ends: it leaves, nothing goes out any more, the drain thread forgets it. */
static void disconnect(struct reading *g)
{
	struct round *r = g->worker->round;

	member_leave(g->member);
	member_unref(g->member);
	outlet_close(g->outlet);
	stream_shutdown(g->outlet->stream, SHUT_RDWR);
	chat_forget(r->chat, g->outlet);
	outlet_unref(g->outlet);
	peer_close(&g->peer);
}

static void check_said(struct reading *g, const struct msg_said *said)
{
	struct round *r = g->worker->round;

	/* Somebody who begins in the middle of nowhere has what came before. */
	bool follows = g->loose ? said->prev <= g->have : said->prev == g->have;
	if (said->seq <= g->have)
		wrong(r, "came twice or late", said->seq, g->have);
	else if (!follows)
		wrong(r, "something is missing", said->prev, g->have);
	else if (!entry_text_is(TEXT_KEY, said->text))
		wrong(r, "the text is wrong", said->seq, said->text.length);
	g->have = said->seq;
	g->loose = false;
}

static void check_frame(struct reading *g, const struct frame *f, const union message *m)
{
	struct round *r = g->worker->round;

	switch (f->type) {
	case MESSAGE_SAID:
		check_said(g, &m->said);
		break;
	case MESSAGE_GAP:
		if (!r->pruned || m->gap.next <= g->have + 1)
			wrong(r, "a gap", m->gap.next, g->have);
		g->have = m->gap.next - 1;
		g->loose = true;
		break;
	case MESSAGE_CAUGHT_UP:
		/* Whoever has fallen behind is told again. A number above what has come was pruned,
		 * or is the other room's. */
		g->caught_up = true;
		if (m->caught_up.last < g->have)
			wrong(r, "told less than what came", m->caught_up.last, g->have);
		break;
	default:
		wrong(r, "an unexpected frame", f->type, g->have);
	}
}

/* Read until `have` reaches `upto`, or until some frames came. */
static void read_some(struct reading *g, uint64_t upto, unsigned frames)
{
	struct round *r = g->worker->round;
	int64_t deadline = clock_ms() + PEER_PATIENCE;
	size_t chunk = 1 + draw(g->worker, draw(g->worker, 2) ? 30 : 5000);
	struct frame f;
	union message m;

	while (frames-- && !atomic_load(&r->failed) && (g->have < upto || !g->caught_up)) {
		int e = peer_take(&g->peer, chunk, deadline, &f, &m);
		if (e == 0)
			check_frame(g, &f, &m);
		else
			wrong(r, e == ERR_TIMEOUT ? "nothing comes" : "reading", (uint64_t)-e,
				g->have);
	}
}

/* Read nothing until others have said some more, or all. */
static void stop_for_a_while(struct worker *w)
{
	unsigned until = atomic_load(&w->round->published) + 20 + draw(w, 400);

	while (atomic_load(&w->round->published) < until && atomic_load(&w->round->publishing))
		sched_yield();
}

static void *be_member(void *argument)
{
	struct worker *w = argument;
	struct round *r = w->round;
	struct feed *feed = room_feed(r->rooms[0]);
	struct reading g = {.worker = w};
	/* Some begin with the first entry, some with the next one, some anywhere. */
	uint64_t start = draw(w, 2) ? feed_last_seq(feed) : 0;
	if (draw(w, 3) == 0) {
		start = draw(w, (unsigned)feed_last_seq(feed) + 1);
		g.loose = true;
	}

	if (!connect_member(&g, start)) {
		wrong(r, "connecting", 0, 0);
		return NULL;
	}
	while (atomic_load(&r->publishing) && !atomic_load(&r->failed)) {
		switch (draw(w, 6)) {
		case 0:
			stop_for_a_while(w);
			break;
		case 1:
			/* Away and back again, with what has come so far. */
			disconnect(&g);
			if (draw(w, 2))
				stop_for_a_while(w);
			if (!connect_member(&g, g.have))
				wrong(r, "connecting again", 0, g.have);
			break;
		default:
			/* What is there already comes without anything more being said. */
			read_some(&g, feed_last_seq(feed), 1 + draw(w, 200));
		}
	}
	read_some(&g, feed_last_seq(feed), UINT_MAX);
	disconnect(&g);
	return NULL;
}

/* ---- one round ---- */

static void open_round(struct round *r, struct worker *w)
{
	struct chat_config config = {
		.keep_bytes = r->number % 3 == 2 ? 200000 : 1 << 26,
		.window_bytes = r->number % 2 ? 65536 : 1 << 26,
		.policy = {.name = "test", .rooms_max = 10},
	};
	char error[256];

	r->pruned = r->number % 3 == 2;
	r->each = 300 + draw(w, 300);
	ck_assert_msg(chat_start(&config, &r->chat, error, sizeof(error)) == 0, "%s", error);
	ck_assert_int_eq(hub_open(chat_hub(r->chat), span_of("r"), &r->rooms[0]), CODE_NONE);
	ck_assert_int_eq(hub_open(chat_hub(r->chat), span_of("s"), &r->rooms[1]), CODE_NONE);
	atomic_init(&r->published, 0);
	atomic_init(&r->publishing, PUBLISHERS);
	atomic_init(&r->failed, false);
}

START_TEST(random_rounds)
{
	struct round r = {.number = (unsigned)_i};
	struct worker workers[PUBLISHERS + MEMBERS];
	unsigned seed = SEED + (unsigned)_i * 7919u;

	for (unsigned i = 0; i < PUBLISHERS + MEMBERS; i++)
		workers[i] = (struct worker){.round = &r, .random = seed + i * 104729u, .index = i};
	open_round(&r, &workers[0]);
	for (unsigned i = 0; i < PUBLISHERS + MEMBERS; i++)
		ck_assert_int_eq(pthread_create(&workers[i].thread, NULL,
					 i < PUBLISHERS ? publish : be_member, &workers[i]),
			0);
	for (unsigned i = 0; i < PUBLISHERS + MEMBERS; i++)
		ck_assert_int_eq(pthread_join(workers[i].thread, NULL), 0);
	hub_leave(chat_hub(r.chat), r.rooms[0]);
	hub_leave(chat_hub(r.chat), r.rooms[1]);
	chat_stop(r.chat);
	ck_assert_msg(!atomic_load(&r.failed), "%s", r.why);
}
END_TEST

Suite *pump_suite(void)
{
	Suite *s = suite_create("pump");
	TCase *alone = tcase_create("alone");
	TCase *rounds = tcase_create("rounds");

	tcase_add_test(alone, nobody_to_pump_for);
	tcase_add_test(alone, somebody_else_pumps);
	suite_add_tcase(s, alone);
	tcase_set_timeout(rounds, 60);
	tcase_add_loop_test(rounds, random_rounds, 0, 24);
	suite_add_tcase(s, rounds);
	return s;
}
