#include "server/lanes.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/trace.h"
#include "common/wakeup.h"
#include "server/lane_end.h"
#include "server/listeners.h"
#include "server/thread.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <search.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATAGRAMS_A_TURN 256 /* of one socket, so that each has its turn, and stopping too */

/* What a connection may send over its lanes, whichever it has: another one is no fresh start. */
struct purse {
	atomic_uint refs;     /* of the rows */
	struct budget budget; /* the thread's own, once a row is in the table */
};

/* One connection's lane. */
struct lane_row {
	uint64_t id;           /* first: it stands for the whole in comparisons. Constant */
	atomic_uint refs;      /* the table's, and the thread's while it acts on a datagram */
	struct outlet *outlet; /* counted, constant, as is the next */
	struct purse *purse;
	bool proven; /* constant, as is the next */
	uint32_t text_max;
	struct lane_end end;     /* the thread's own, once the row is in the table */
	char nick[NICK_MAX + 1]; /* guarded by the lanes' lock */
};

struct lanes {
	/* Constant after lanes_new. */
	int fds[LISTENERS_MAX]; /* owned */
	size_t count;
	int wake; /* owned */
	struct races *races;

	struct chat *chat; /* borrowed; constant while the thread runs */
	pthread_t thread;
	bool running;
	atomic_bool stopping;

	struct lock lock;
	/* guarded by lock, as is `lane` of all outlets */
	void *rows; /* tsearch tree */
	size_t row_count;

	/* As in struct lanes_numbers; the thread alone adds to them. */
	_Atomic(uint64_t) received, sent, strange, forged, replayed, dropped;

	/* The thread's own. */
	int64_t now; /* clock_ms, as of this turn */
	uint8_t in[LANE_MAX], out[LANE_MAX];
};

static void count(_Atomic(uint64_t) *what)
{
	atomic_fetch_add_explicit(what, 1, memory_order_relaxed);
}

void lanes_dropped(struct lanes *l)
{
	count(&l->dropped);
}

/* ---- rows ---- */

static int compare_rows(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void unref_purse(struct purse *p)
{
	if (p && atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) == 1)
		free(p);
}

static void unref_row(struct lane_row *r)
{
	if (!r || atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel) != 1)
		return;
	lane_fini(&r->end.lane);
	unref_purse(r->purse);
	outlet_unref(r->outlet);
	free(r);
}

static struct lane_row *ref_row(struct lane_row *r)
{
	if (r)
		atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
	return r;
}

static struct lane_row *find_row(struct lanes *l, uint64_t id)
{
	lock_take(&l->lock);
	void *found = tfind(&id, &l->rows, compare_rows);
	struct lane_row *r = found ? ref_row(*(struct lane_row **)found) : NULL;
	lock_drop(&l->lock);
	return r;
}

/* The row that a connection had, which the caller lets go of. */
static struct lane_row *take_out_locked(struct lanes *l, struct outlet *o)
{
	struct lane_row *r = o->lane;

	lock_assert_held(&l->lock);
	if (!r)
		return NULL;
	tdelete(r, &l->rows, compare_rows);
	l->row_count--;
	o->lane = NULL;
	return r;
}

static int put_in_locked(struct lanes *l, struct lane_row *r)
{
	lock_assert_held(&l->lock);
	struct lane_row **place = tsearch(r, &l->rows, compare_rows);
	if (!place)
		return ERR_MEMORY;
	if (*place != r)
		return ERR_EXISTS;
	l->row_count++;
	r->outlet->lane = r;
	return 0;
}

static struct purse *new_purse(const struct lane_owner *owner)
{
	struct purse *p = malloc(sizeof(*p));

	if (p) {
		atomic_init(&p->refs, 1);
		budget_init(&p->budget, owner->rate, owner->burst, clock_ms());
	}
	return p;
}

/* `*result` says why it is NULL. */
static struct lane_row *new_row(uint64_t id, const struct lane_owner *owner, int *result)
{
	struct lane_row *r = calloc(1, sizeof(*r));

	*result = ERR_MEMORY;
	if (r && (r->purse = new_purse(owner)) != NULL)
		*result = lane_init(&r->end.lane, id, LANE_SERVER, owner->keys);
	if (*result) {
		if (r)
			free(r->purse);
		free(r);
		return NULL;
	}
	r->id = id;
	atomic_init(&r->refs, 1);
	r->outlet = outlet_ref(owner->outlet);
	r->proven = owner->proven;
	r->text_max = owner->text_max;
	r->end.budget = &r->purse->budget;
	snprintf(r->nick, sizeof(r->nick), "%s", owner->nick);
	return r;
}

/* What the lane before has used up stays so. The row is nobody else's yet. */
static void share_purse(struct lane_row *r, const struct lane_row *before)
{
	unref_purse(r->purse);
	r->purse = before->purse;
	atomic_fetch_add_explicit(&r->purse->refs, 1, memory_order_relaxed);
	r->end.budget = &r->purse->budget;
}

int lanes_open(struct lanes *l, uint64_t id, const struct lane_owner *owner)
{
	int result;
	struct lane_row *r = new_row(id, owner, &result), *old;

	if (!r)
		return result;
	lock_take(&l->lock);
	old = take_out_locked(l, r->outlet);
	if (old)
		share_purse(r, old);
	result = put_in_locked(l, r);
	lock_drop(&l->lock);
	unref_row(old);
	if (result)
		unref_row(r);
	return result;
}

void lanes_rename(struct lanes *l, struct outlet *o, const char *nick)
{
	lock_take(&l->lock);
	if (o->lane)
		snprintf(o->lane->nick, sizeof(o->lane->nick), "%s", nick);
	lock_drop(&l->lock);
}

void lanes_close(struct lanes *l, struct outlet *o)
{
	lock_take(&l->lock);
	struct lane_row *r = take_out_locked(l, o);
	lock_drop(&l->lock);
	unref_row(r);
	races_forget(l->races, o);
}

/* ---- sending ---- */

static void send_to(struct lanes *l, struct lane_row *r, const struct lane_path *path,
	const uint8_t *frame, size_t length)
{
	size_t size;

	if (lane_seal(&r->end.lane, frame, length, l->out, sizeof(l->out), &size) != 0) {
		count(&l->dropped);
		return;
	}
	if (trace_on())
		trace_frame(path->fd, true, frame, length);
	/* Before whoever gets it could ask how many there were. */
	count(&l->sent);
	if (lane_socket_send(path, l->out, size) != 0)
		count(&l->dropped);
}

static void send_token(struct lanes *l, struct lane_row *r, const struct lane_path *path,
	enum message_number number, uint64_t token)
{
	struct msg_ping m = {.token = token}; /* and a PONG has the same */
	uint8_t frame[FRAME_HEADER + 8];
	size_t used = 0;

	if (message_encode((uint16_t)number, &m, frame, sizeof(frame), &used) == 0)
		send_to(l, r, path, frame, used);
}

bool lanes_send(struct lanes *l, struct outlet *o, const uint8_t *frame, size_t length)
{
	lock_take(&l->lock);
	struct lane_row *r = ref_row(o->lane);
	lock_drop(&l->lock);
	bool live = r && lane_end_is_live(&r->end, l->now);
	if (live)
		send_to(l, r, &r->end.path, frame, length);
	unref_row(r);
	return live;
}

/* ---- receiving ---- */

static void act(struct lanes *l, struct lane_row *r, const struct frame *f, union message *m)
{
	struct lane_client client = {
		.outlet = r->outlet, .proven = r->proven, .text_max = r->text_max};

	/* It may have ended while this was under way; then nobody said it. */
	if (atomic_load(&r->outlet->closed))
		return;
	lock_take(&l->lock);
	memcpy(client.nick, r->nick, sizeof(client.nick));
	lock_drop(&l->lock);
	lane_act(l, l->chat, &client, f, m);
}

/* May a client say that in a datagram? */
static bool belongs_here(uint16_t number)
{
	const struct message_spec *spec = message_spec(number);

	return number == MESSAGE_PING || number == MESSAGE_PONG ||
	       (spec && (spec->sender & SENDER_CLIENT) && (spec->phase & PHASE_LANE));
}

static void consider(
	struct lanes *l, struct lane_row *r, size_t length, const struct lane_path *path)
{
	struct lane_arrival a;
	union message m;
	int result = lane_open(&r->end.lane, l->in, length, &a);

	if (result) {
		count(result == ERR_EXISTS     ? &l->replayed
			: result == ERR_CRYPTO ? &l->forged
					       : &l->strange);
		return;
	}
	if (trace_on())
		trace_frame(path->fd, false, a.frame.payload - FRAME_HEADER,
			FRAME_HEADER + (size_t)a.frame.length);
	if (!belongs_here(a.frame.type) || message_decode(&a.frame, &m) != 0 ||
		message_check_text(a.frame.type, &m) != 0) {
		count(&l->strange);
		return;
	}
	if (!lane_end_pay(&r->end, a.frame.type, length, l->now)) {
		count(&l->dropped);
		return;
	}
	enum lane_verdict v = lane_end_judge(&r->end, &a, &m, length, path, l->now);
	if (v == LANE_ASK || v == LANE_ACT_AND_ASK)
		send_token(l, r, path, MESSAGE_PING, r->end.token);
	if (v == LANE_PONG)
		send_token(l, r, path, MESSAGE_PONG, m.ping.token);
	if (v == LANE_ACT || v == LANE_ACT_AND_ASK)
		act(l, r, &a.frame, &m);
}

static void take(struct lanes *l, size_t length, const struct lane_path *path)
{
	uint64_t id;
	struct lane_row *r = lane_id(l->in, length, &id) == 0 ? find_row(l, id) : NULL;

	count(&l->received);
	if (r)
		consider(l, r, length, path);
	else
		count(&l->strange);
	unref_row(r);
}

static void take_all(struct lanes *l, int fd)
{
	struct lane_path path;
	size_t length;
	int r = 0;

	for (int i = 0; i < DATAGRAMS_A_TURN && r != ERR_AGAIN; i++) {
		r = lane_socket_receive(fd, l->in, sizeof(l->in), &length, &path);
		if (r == 0) {
			take(l, length, &path);
		} else if (r == ERR_TOO_BIG) {
			count(&l->received);
			count(&l->strange);
		}
	}
}

static void *run(void *argument)
{
	struct lanes *l = argument;
	struct pollfd fds[LISTENERS_MAX + 1];
	int64_t race_ends = INT64_MAX; /* or earlier: it may go on meanwhile */

	while (!atomic_load(&l->stopping)) {
		for (size_t i = 0; i < l->count; i++)
			fds[i] = (struct pollfd){.fd = l->fds[i], .events = POLLIN};
		fds[l->count] = (struct pollfd){.fd = l->wake, .events = POLLIN};
		if (poll(fds, (nfds_t)l->count + 1, clock_poll_timeout(race_ends)) < 0)
			continue;
		l->now = clock_ms();
		if (fds[l->count].revents)
			wakeup_clear(l->wake);
		if (fds[l->count].revents || l->now >= race_ends)
			races_tick(l->races, l->now, &race_ends);
		for (size_t i = 0; i < l->count; i++) {
			if (fds[i].revents)
				take_all(l, l->fds[i]);
		}
	}
	return NULL;
}

/* ---- life ---- */

int lanes_new(const struct net_address *listening, size_t listening_count, uint16_t port,
	struct lanes **out, char *error, size_t size)
{
	struct lanes *l = calloc(1, sizeof(*l));
	int r = ERR_MEMORY;

	snprintf(error, size, "no datagram lane: out of memory");
	if (!l)
		return r;
	l->wake = -1;
	lock_init(&l->lock, LOCK_LEAF);
	atomic_init(&l->stopping, false);
	l->races = races_new();
	if (l->races) {
		r = wakeup_open(&l->wake);
		if (r)
			snprintf(error, size, "no datagram lane: %s", strerrordesc_np(errno));
	}
	if (r == 0)
		r = lane_sockets_open(listening, listening_count, port, l->fds, error, size);
	if (r) {
		lanes_stop(l);
		return r;
	}
	l->count = listening_count;
	*out = l;
	return 0;
}

int lanes_start(struct lanes *l, struct chat *chat)
{
	l->chat = chat;
	int r = thread_start(&l->thread, "lane", thread_stack(), run, l);
	l->running = r == 0;
	return r;
}

void lanes_stop(struct lanes *l)
{
	if (!l)
		return;
	if (l->running) {
		atomic_store(&l->stopping, true);
		wakeup_signal(l->wake);
		PTHREAD_OK(pthread_join(l->thread, NULL));
	}
	assert(l->row_count == 0);
	for (size_t i = 0; i < l->count; i++)
		net_close(l->fds[i]);
	net_close(l->wake);
	races_free(l->races);
	lock_fini(&l->lock);
	free(l);
}

uint16_t lanes_port(const struct lanes *l, const struct net_address *local)
{
	return lane_sockets_port(l->fds, l->count, local);
}

struct races *lanes_races(struct lanes *l)
{
	return l->races;
}

void lanes_raced(struct lanes *l)
{
	wakeup_signal(l->wake);
}

static uint64_t counted(const _Atomic(uint64_t) *what)
{
	return atomic_load_explicit(what, memory_order_relaxed);
}

void lanes_numbers(struct lanes *l, struct lanes_numbers *out)
{
	lock_take(&l->lock);
	uint64_t rows = l->row_count;
	lock_drop(&l->lock);
	*out = (struct lanes_numbers){
		.lanes = rows,
		.received = counted(&l->received),
		.sent = counted(&l->sent),
		.strange = counted(&l->strange),
		.forged = counted(&l->forged),
		.replayed = counted(&l->replayed),
		.dropped = counted(&l->dropped),
	};
}
