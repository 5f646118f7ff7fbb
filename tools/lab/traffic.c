#include "tools/lab/traffic.h"

#include "common/err.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS  7
#define READ    65536
#define AT_ONCE 32

struct run {
	struct stage *stage;
	const struct traffic *t;
	uint8_t *message, *taken;
	size_t begun;   /* bytes of the message that is being sent which the kernel has */
	size_t partial; /* bytes in `taken` of a message that is not whole yet: TCP */
	uint32_t next;  /* to be sent */
	uint32_t came;
	bool full;        /* the kernel took no more, the last time */
	int64_t moved_ms; /* when something was sent or received, on the stage's clock */
	uint64_t before;  /* packets that the wire had taken when it began */
};

int64_t traffic_number(const void *bytes, size_t length)
{
	const char *text = bytes;
	int64_t number = 0;

	if (length < DIGITS)
		return -1;
	for (int i = 0; i < DIGITS; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		number = number * 10 + (text[i] - '0');
	}
	return number - 1;
}

void traffic_make(void *bytes, size_t size, uint32_t number)
{
	char digits[16];
	char *text = bytes;

	snprintf(digits, sizeof(digits), "%07u", (number + 1) % 10000000U);
	memcpy(text, digits, DIGITS);
	for (size_t i = DIGITS; i < size; i++)
		text[i] = i == DIGITS ? ' ' : (char)('a' + (i - DIGITS - 1) % 26);
}

/* ---- taking ---- */

static void took(struct run *r, const uint8_t *bytes, size_t length)
{
	int64_t number = traffic_number(bytes, length);

	if (number < 0)
		return;
	if (stage_arrived(r->stage, r->t->side, (uint32_t)number))
		r->came++;
	if (r->t->got)
		r->t->got(r->t->of, (uint32_t)number);
}

static void cut_stream(struct run *r, size_t more)
{
	size_t have = r->partial + more, at = 0;

	for (; have - at >= r->t->size; at += r->t->size)
		took(r, r->taken + at, r->t->size);
	r->partial = have - at;
	memmove(r->taken, r->taken + at, r->partial);
}

/* One read, once there is something. ERR_AGAIN: nothing was there in time. */
static int take(struct run *r, int timeout_ms)
{
	struct stage *s = r->stage;
	int came = stage_wait(s, r->t->to, POLLIN, timeout_ms);

	if (came <= 0)
		return came ? ERR_STOPPING : ERR_AGAIN;
	ssize_t n =
		stage_receive(s, r->t->to, r->taken + r->partial, READ - r->partial, NULL, 0, NULL);
	if (n < 0)
		return errno == EAGAIN ? ERR_AGAIN : errno == ECANCELED ? ERR_STOPPING : ERR_SYSTEM;
	if (r->t->side == SIDE_TCP && n == 0)
		return ERR_CLOSED;
	r->moved_ms = stage_ms(s);
	if (r->t->side == SIDE_TCP)
		cut_stream(r, (size_t)n);
	else
		took(r, r->taken, (size_t)n);
	return 0;
}

static int take_all(struct run *r)
{
	int e;

	while ((e = take(r, 0)) == 0)
		;
	return e == ERR_AGAIN ? 0 : e;
}

/* ---- sending ---- */

/* ERR_AGAIN: the kernel's buffer is full. */
static int send_next(struct run *r)
{
	const struct traffic *t = r->t;

	if (!r->begun) {
		traffic_make(r->message, t->size, r->next);
		stage_sent(r->stage, t->side, r->next);
	}
	ssize_t n = stage_send(r->stage, t->from, r->message + r->begun, t->size - r->begun, 0,
		r->next == 0 && !r->begun ? t->why : NULL);
	if (n < 0)
		return errno == EAGAIN ? ERR_AGAIN : errno == ECANCELED ? ERR_STOPPING : ERR_SYSTEM;
	r->begun += (size_t)n;
	r->moved_ms = stage_ms(r->stage);
	if (r->begun < t->size)
		return ERR_AGAIN;
	r->begun = 0;
	r->next++;
	if (t->burst && r->next % t->burst == 0)
		return stage_taken(r->stage, t->side, r->before + r->next);
	return 0;
}

/* Send what is due by now; where much is, not all at once, for what comes must be taken. */
static int send_due(struct run *r, int64_t began_us)
{
	const struct traffic *t = r->t;
	int64_t now = stage_ms(r->stage) * 1000;

	/* Room comes when the other end reads, which is this thread's as well: so it is not waited for
	 * long. */
	if (r->full && stage_wait(r->stage, t->from, POLLOUT, 1) == 0)
		return 0;
	r->full = false;
	for (int i = 0; i < AT_ONCE && r->next < t->count &&
			began_us + (int64_t)r->next * t->pace_us <= now;
		i++) {
		int e = send_next(r);
		if (e == ERR_AGAIN) {
			r->full = true;
			return 0;
		}
		if (e)
			return e;
	}
	return 0;
}

static bool stands_still(const struct run *r)
{
	return stage_overdue(r->stage) || stage_ms(r->stage) - r->moved_ms > STAGE_PATIENCE_MS;
}

static int send_all(struct run *r)
{
	const struct traffic *t = r->t;
	int64_t began_us = stage_ms(r->stage) * 1000;
	int e = 0;

	r->moved_ms = stage_ms(r->stage);
	while (r->next < t->count && e == 0) {
		e = send_due(r, began_us);
		if (e == 0)
			e = take(r, t->pace_us ? 1 : 0);
		if (e == 0)
			e = take_all(r);
		if (e == ERR_AGAIN)
			e = 0;
		if (e == 0 && r->next < t->count && stands_still(r))
			e = ERR_TIMEOUT;
	}
	return e;
}

/* What the wire has not lost. */
static int take_datagrams(struct run *r)
{
	int e = stage_settle(r->stage, SIDE_UDP, r->before + r->t->count);

	return e ? e : take_all(r);
}

static int take_stream(struct run *r)
{
	while (r->came < r->t->count) {
		int e = take(r, STAGE_PATIENCE_MS);
		if (e)
			return e == ERR_AGAIN ? ERR_TIMEOUT : e;
		if (r->came < r->t->count && stage_overdue(r->stage))
			return ERR_TIMEOUT;
	}
	return 0;
}

static int play(struct run *r)
{
	enum side side = r->t->side;
	int e = send_all(r);

	if (e == 0)
		e = side == SIDE_UDP ? take_datagrams(r) : take_stream(r);
	/* What TCP still tries to deliver is not lost. */
	if (e != ERR_STOPPING && (side == SIDE_UDP || e != ERR_TIMEOUT))
		stage_give_up(r->stage, side);
	return e;
}

int traffic_run(struct stage *s, const struct traffic *t)
{
	struct wire_counts c;
	struct run r = {.stage = s, .t = t};

	stage_counts(s, t->side, &c);
	r.before = c.sent;
	r.message = malloc(t->size);
	r.taken = malloc(READ);
	int e = r.message && r.taken ? play(&r) : ERR_MEMORY;
	int error = errno;
	free(r.message);
	free(r.taken);
	errno = error;
	return e;
}

/* ---- what came of it ---- */

/* To a tenth, as the score and the report say it. */
const char *traffic_latency(const struct score *x, char out[TRAFFIC_LATENCY])
{
	if (x->latency_us.count == 0)
		(void)snprintf(out, TRAFFIC_LATENCY, "how long they took: -");
	else
		(void)snprintf(out, TRAFFIC_LATENCY, "half within %.1f ms, 99 %% within %.1f ms",
			(double)histogram_quantile(&x->latency_us, 0.5) / 1e3,
			(double)histogram_quantile(&x->latency_us, 0.99) / 1e3);
	return out;
}

void traffic_check_stream(struct stage *s, int result, int error, const char *text)
{
	const uint32_t count = stage_options(s)->count;
	char latency[TRAFFIC_LATENCY];
	struct score x;

	stage_score(s, SIDE_TCP, &x);
	bool clean = !x.late && !x.twice;
	if (result == ERR_TIMEOUT && clean)
		stage_unshown(s, SIDE_TCP, text,
			"%" PRIu64 " of %u came, in order; %" PRIu64 " are waiting, and not lost",
			x.received, count, x.in_flight);
	else if (result == ERR_SYSTEM || result == ERR_CLOSED)
		stage_check(s, SIDE_TCP, false, text,
			"%" PRIu64 " of %u; then TCP gave up, and said so: %s", x.received, count,
			result == ERR_CLOSED ? "the end" : strerrorname_np(error));
	else
		stage_check(s, SIDE_TCP, x.received == count && clean, text,
			"%" PRIu64 " of %u, %" PRIu64 " late, %" PRIu64 " twice; %s", x.received,
			count, x.late, x.twice, traffic_latency(&x, latency));
}
