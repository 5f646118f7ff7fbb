#include "tools/lab/wire_private.h"

#include "common/bytes.h"
#include "common/err.h"
#include "common/lock.h"
#include "common/wakeup.h"

#include <net/ethernet.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define SECOND 1000000000ULL

/* Frames read from one device before it is the next one's turn, and what is due is delivered. */
#define TURN 64

/* The largest IP packet, and an Ethernet header. */
#define FRAME_MOST (65535 + ETHER_HDR_LEN)

struct wire {
	/* Constant from wire_start on. */
	struct site *site;
	struct journal *journal;
	pthread_t thread;
	int wakeup;
	size_t header; /* before IP, in what the devices give */

	atomic_bool stopping;

	/* The thread's alone. */
	struct flows *flows;
	struct transit transit;
	uint8_t frame[FRAME_MOST];

	struct lock lock;      /* and below */
	struct impairment set; /* as it was asked for */
	unsigned slow;
	struct impairer direction[SITE_HOSTS][SITE_HOSTS][SIDES]; /* from, to, of TCP or UDP */
	struct wire_picks picks;
	bool unplugged, paused;
	unsigned steps;
	struct wire_counts counts[SIDES];
};

enum side wire_side(const struct packet *p)
{
	return p->protocol == IPPROTO_TCP || p->about_protocol == IPPROTO_TCP ? SIDE_TCP : SIDE_UDP;
}

/* ---- what enters ---- */

/* One packet, read, on its way to one host. */
struct entering {
	size_t from, to;
	bool again;
	enum side side;
	struct packet packet;
	struct flow_note note;
	uint8_t *frame;
	size_t length; /* with what is before IP */
};

static void count_locked(struct wire *w, const struct entering *e, const struct fate *f)
{
	struct wire_counts *c = &w->counts[e->side];

	lock_assert_held(&w->lock);
	c->sent++;
	c->bytes += e->packet.length;
	c->lost += f->kind != FATE_CARRIED && f->kind != FATE_OVERFLOW;
	c->overflowed += f->kind == FATE_OVERFLOW;
	c->duplicated += f->copies == 2;
	c->reordered += f->reordered;
	c->retransmitted += e->note.kind == FLOW_RETRANSMISSION;
	c->duplicate_acks += e->note.kind == FLOW_DUPLICATE_ACK;
}

static struct fate decide(struct wire *w, const struct entering *e, uint64_t now)
{
	struct fate f;

	lock_take(&w->lock);
	struct impairer *line = &w->direction[e->from][e->to][e->side];
	bool picked = wire_picks_take(&w->picks, e->side, e->from, &e->packet, &e->note);
	if (w->unplugged)
		f = impairer_drop(line, FATE_UNPLUGGED);
	else if (picked)
		f = impairer_drop(line, FATE_SCRIPTED);
	else if (w->transit.bytes + e->length > WIRE_BYTES)
		f = impairer_drop(line, FATE_OVERFLOW);
	else
		f = impairer_decide(line, now, e->packet.length);
	count_locked(w, e, &f);
	lock_drop(&w->lock);
	return f;
}

static void enter(struct wire *w, const struct entering *e)
{
	uint64_t now = journal_now(w->journal);
	struct journal_packet told = {
		.host = (uint8_t)e->from,
		.to_host = (uint8_t)e->to,
		.again = e->again,
		.packet = e->packet,
		.note = e->note,
		.fate = decide(w, e, now),
		.bytes = e->frame + w->header,
		.length = e->packet.length,
	};
	int64_t number = journal_packet(w->journal, e->side, now, &told);

	for (uint8_t copy = 0; copy < told.fate.copies; copy++) {
		struct transit_packet p = {
			.due_ns = told.fate.due_ns[copy],
			.to_host = (uint8_t)e->to,
			.side = e->side,
			.number = number,
			.second = copy == 1,
			.length = (uint32_t)e->length,
		};
		/* Where memory is short it is lost, as anywhere else. */
		(void)transit_add(&w->transit, &p, e->frame);
	}
}

/* ---- who it goes to ---- */

static bool goes_to(struct wire *w, const uint8_t *frame, size_t from, size_t to)
{
	uint8_t hardware[SITE_HARDWARE];

	if (from == to)
		return false;
	if (w->header == 0 || (frame[0] & 1)) /* of a group, or of all */
		return true;
	site_hardware(w->site, to, hardware);
	return memcmp(frame, hardware, sizeof(hardware)) == 0;
}

static bool is_unplugged(struct wire *w)
{
	lock_take(&w->lock);
	bool unplugged = w->unplugged;
	lock_drop(&w->lock);
	return unplugged;
}

/* At once, and unseen. */
static void pass_on(struct wire *w, const uint8_t *frame, size_t length, size_t from)
{
	if (is_unplugged(w))
		return;
	for (size_t to = 0; to < site_hosts(w->site); to++)
		if (goes_to(w, frame, from, to))
			(void)!write(site_device(w->site, to), frame, length);
}

static void take_frame(struct wire *w, uint8_t *frame, size_t length, size_t from)
{
	struct entering e = {.from = from, .frame = frame, .length = length};

	if (length < w->header)
		return;
	if (w->header && bytes_u16(frame + 12) == ETHERTYPE_ARP) {
		pass_on(w, frame, length, from);
		return;
	}
	if (w->header && bytes_u16(frame + 12) != ETHERTYPE_IP)
		return;
	if (packet_read(frame + w->header, length - w->header, &e.packet) != 0 ||
		e.packet.version != 4)
		return;
	e.side = wire_side(&e.packet);
	e.note = flows_note(w->flows, &e.packet);
	for (e.to = 0; e.to < site_hosts(w->site); e.to++) {
		if (!goes_to(w, frame, from, e.to))
			continue;
		enter(w, &e);
		e.again = true;
	}
}

static void read_device(struct wire *w, size_t host)
{
	for (int i = 0; i < TURN; i++) {
		ssize_t length = read(site_device(w->site, host), w->frame, sizeof(w->frame));
		if (length <= 0)
			return;
		take_frame(w, w->frame, (size_t)length, host);
	}
}

/* ---- what arrives ---- */

static void deliver(struct wire *w)
{
	struct transit_packet *p = transit_take(&w->transit);

	/* Before it is there: then there is nothing yet that it has brought about. */
	if (p->number >= 0)
		(void)journal_arrival(w->journal, p->side, journal_now(w->journal),
			(uint64_t)p->number, p->second);
	(void)!write(site_device(w->site, p->to_host), p->bytes, p->length);
	/* After: whoever sees it counted can read it. */
	lock_take(&w->lock);
	w->counts[p->side].arrived++;
	lock_drop(&w->lock);
	free(p);
}

/* Until when nothing is due, in nanoseconds; UINT64_MAX: until something enters or somebody asks. */
static uint64_t deliver_due(struct wire *w)
{
	lock_take(&w->lock);
	bool paused = w->paused;
	unsigned steps = w->steps;
	w->steps = 0;
	lock_drop(&w->lock);

	if (paused) {
		for (; steps > 0 && w->transit.count > 0; steps--)
			deliver(w);
		return UINT64_MAX;
	}
	/* What enters meanwhile is read before what is due then. */
	uint64_t now = journal_now(w->journal);
	while (transit_due(&w->transit) <= now)
		deliver(w);
	return transit_due(&w->transit);
}

static void wait_until(struct wire *w, struct pollfd *fds, nfds_t count, uint64_t due)
{
	uint64_t now = journal_now(w->journal), left = due > now ? due - now : 0;
	struct timespec wait = {
		.tv_sec = (time_t)(left / SECOND), .tv_nsec = (long)(left % SECOND)};

	if (ppoll(fds, count, due == UINT64_MAX ? NULL : &wait, NULL) < 0)
		for (nfds_t i = 0; i < count; i++)
			fds[i].revents = 0;
}

static void *run(void *argument)
{
	struct wire *w = argument;
	size_t hosts = site_hosts(w->site);
	struct pollfd fds[SITE_HOSTS + 1];

	(void)prctl(PR_SET_NAME, "wire");
	(void)prctl(PR_SET_TIMERSLACK,
		1); /* nanoseconds by which ppoll may be late; 50,000 are usual */
	for (size_t i = 0; i < hosts; i++)
		fds[i] = (struct pollfd){.fd = site_device(w->site, i), .events = POLLIN};
	fds[hosts] = (struct pollfd){.fd = w->wakeup, .events = POLLIN};
	while (!atomic_load(&w->stopping)) {
		wait_until(w, fds, hosts + 1, deliver_due(w));
		if (fds[hosts].revents)
			wakeup_clear(w->wakeup);
		for (size_t i = 0; i < hosts; i++)
			if (fds[i].revents)
				read_device(w, i);
	}
	return NULL;
}

/* ---- start and stop ---- */

/* How bad it is now. */
static void apply_locked(struct wire *w)
{
	struct impairment how = w->set;

	lock_assert_held(&w->lock);
	how.delay_ns *= w->slow;
	how.jitter_ns *= w->slow;
	for (size_t from = 0; from < SITE_HOSTS; from++)
		for (size_t to = 0; to < SITE_HOSTS; to++)
			for (size_t side = 0; side < SIDES; side++)
				impairer_set(&w->direction[from][to][side], &how);
}

static uint32_t device_mtu(const struct impairment *how)
{
	return how->mtu ? how->mtu : SITE_MTU;
}

/* Without the lock, for it takes system calls. */
static int set_devices(struct wire *w, uint32_t mtu)
{
	for (size_t i = 0; i < site_hosts(w->site); i++)
		if (site_set_mtu(w->site, i, mtu) != 0)
			return ERR_SYSTEM;
	return 0;
}

static void release(struct wire *w)
{
	transit_fini(&w->transit);
	flows_free(w->flows);
	if (w->wakeup >= 0)
		(void)close(w->wakeup);
	lock_fini(&w->lock);
	free(w);
}

/* Signals are for other threads. */
static int start_thread(struct wire *w)
{
	sigset_t all, before;

	(void)sigfillset(&all);
	PTHREAD_OK(pthread_sigmask(SIG_SETMASK, &all, &before));
	int error = pthread_create(&w->thread, NULL, run, w);
	PTHREAD_OK(pthread_sigmask(SIG_SETMASK, &before, NULL));
	return error ? ERR_SYSTEM : 0;
}

int wire_start(struct wire **out, struct site *site, struct journal *journal,
	const struct impairment *how, uint64_t seed)
{
	struct wire *w = calloc(1, sizeof(*w));

	if (!w)
		return ERR_MEMORY;
	w->site = site;
	w->journal = journal;
	w->wakeup = -1;
	w->header = site_medium(site) == SITE_BROADCAST ? ETHER_HDR_LEN : 0;
	w->set = *how;
	w->slow = 1;
	lock_init(&w->lock, LOCK_LEAF);
	for (size_t i = 0; i < SITE_HOSTS * SITE_HOSTS * SIDES; i++)
		impairer_init(
			&w->direction[i / SIDES / SITE_HOSTS][i / SIDES % SITE_HOSTS][i % SIDES],
			how, seed + i);
	w->flows = flows_new();
	int r = w->flows ? set_devices(w, device_mtu(how)) : ERR_MEMORY;
	if (r == 0)
		r = wakeup_open(&w->wakeup);
	if (r == 0)
		r = start_thread(w);
	if (r == 0)
		*out = w;
	else
		release(w);
	return r;
}

void wire_stop(struct wire *w)
{
	if (!w)
		return;
	atomic_store(&w->stopping, true);
	wakeup_signal(w->wakeup);
	PTHREAD_OK(pthread_join(w->thread, NULL));
	release(w);
}

/* ---- what it is told ---- */

void wire_set(struct wire *w, const struct impairment *how)
{
	lock_take(&w->lock);
	uint32_t before = device_mtu(&w->set);
	w->set = *how;
	apply_locked(w);
	lock_drop(&w->lock);
	if (device_mtu(how) != before)
		(void)set_devices(w, device_mtu(how));
}

void wire_get(struct wire *w, struct impairment *how)
{
	lock_take(&w->lock);
	*how = w->set;
	lock_drop(&w->lock);
}

int wire_script(struct wire *w, const struct wire_rule *rule)
{
	lock_take(&w->lock);
	int r = wire_picks_add(&w->picks, rule);
	lock_drop(&w->lock);
	return r;
}

void wire_unplug(struct wire *w, bool unplugged)
{
	lock_take(&w->lock);
	w->unplugged = unplugged;
	lock_drop(&w->lock);
}

void wire_pause(struct wire *w, bool paused)
{
	lock_take(&w->lock);
	w->paused = paused;
	lock_drop(&w->lock);
	wakeup_signal(w->wakeup);
}

void wire_step(struct wire *w)
{
	lock_take(&w->lock);
	w->steps += w->paused;
	lock_drop(&w->lock);
	wakeup_signal(w->wakeup);
}

void wire_drop_next(struct wire *w, enum side side)
{
	lock_take(&w->lock);
	wire_picks_by_hand(&w->picks, side);
	lock_drop(&w->lock);
}

void wire_slow(struct wire *w, unsigned factor)
{
	lock_take(&w->lock);
	w->slow = factor ? factor : 1;
	apply_locked(w);
	lock_drop(&w->lock);
}

static void add_counts(struct wire_counts *sum, const struct wire_counts *more)
{
	sum->sent += more->sent;
	sum->arrived += more->arrived;
	sum->lost += more->lost;
	sum->overflowed += more->overflowed;
	sum->duplicated += more->duplicated;
	sum->reordered += more->reordered;
	sum->retransmitted += more->retransmitted;
	sum->duplicate_acks += more->duplicate_acks;
	sum->bytes += more->bytes;
}

void wire_counts(struct wire *w, enum side side, struct wire_counts *out)
{
	*out = (struct wire_counts){0};
	lock_take(&w->lock);
	for (int each = 0; each < SIDES; each++)
		if (side == SIDE_BOTH || (int)side == each)
			add_counts(out, &w->counts[each]);
	lock_drop(&w->lock);
}
