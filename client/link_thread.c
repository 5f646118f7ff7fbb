#include "client/link_private.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/frame.h"
#include "common/trace.h"
#include "common/wakeup.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TRY_MS      10000 /* for one try: look-up, connection and login */
#define STEADY_MS   10000 /* a login that held so long was a good one */
#define FAREWELL_MS 1000  /* for the goodbye to go out and the server to close */

/* ---- events and reasons ---- */

void link_publish(struct link *l)
{
	struct event_list batch = {0};

	lock_take(&l->lock);
	link_session_events(l->session, &batch);
	lock_drop(&l->lock);
	event_queue_put(&l->events, &batch);
}

void link_post_state(
	struct link *l, enum link_state state, const char *text, uint64_t number, unsigned code)
{
	lock_take(&l->lock);
	link_session_state(l->session, state, text, number, code);
	lock_drop(&l->lock);
	link_publish(l);
}

void link_post_met(struct link *l, const uint8_t id[IDENTITY_SIZE], const uint8_t *before)
{
	lock_take(&l->lock);
	link_session_met(l->session, id, l->called, before);
	lock_drop(&l->lock);
	link_publish(l);
}

int link_fail(struct link *l, int result, unsigned code, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(l->reason, sizeof(l->reason), format, ap);
	va_end(ap);
	l->code = code;
	return result;
}

/* ---- waiting ---- */

bool link_must_leave(struct link *l)
{
	lock_take(&l->lock);
	bool leave = l->quit == QUIT_NOW ||
		     (l->quit == QUIT_SOON && (link_session_unacknowledged(l->session) == 0 ||
						      clock_ms() >= l->quit_deadline));
	lock_drop(&l->lock);
	return leave;
}

/* When link_must_leave has to be asked again even if nothing happens. */
static int64_t quit_deadline(struct link *l)
{
	lock_take(&l->lock);
	int64_t deadline = l->quit == QUIT_SOON ? l->quit_deadline : INT64_MAX;
	lock_drop(&l->lock);
	return deadline;
}

void link_wait(struct link *l, struct pollfd *fds, size_t count, int64_t deadline)
{
	fds[count] = (struct pollfd){.fd = l->wake_fd, .events = POLLIN};
	deadline = clock_earlier(deadline, quit_deadline(l));
	if (poll(fds, (nfds_t)count + 1, clock_poll_timeout(deadline)) <= 0) {
		for (size_t i = 0; i <= count; i++)
			fds[i].revents = 0;
		return;
	}
	if (fds[count].revents == 0)
		return;
	/* Emptied before the flag is cleared, and the requests are looked at after that: none can
	 * be missed. */
	wakeup_clear(l->wake_fd);
	lock_take(&l->lock);
	l->woken = false;
	lock_drop(&l->lock);
}

/* ---- talking ---- */

static void trace_frames(const struct link *l, bool out, const uint8_t *bytes, size_t length)
{
	if (!trace_on())
		return;
	while (length > 0) {
		size_t size = frame_size(bytes);

		trace_frame(stream_fd(l->stream), out, bytes, size);
		bytes += size;
		length -= size;
	}
}

static bool output_waits(const struct link *l)
{
	return l->output_sent < l->output.length;
}

/* Send as much as the socket takes. A socket that takes nothing any more is found out about by
 * reading: the server's last words may be waiting there. */
static void send_output(struct link *l)
{
	int r = stream_flush(l->stream);

	while (r == 0 && output_waits(l)) {
		struct iovec piece = {
			.iov_base = l->output.bytes + l->output_sent,
			.iov_len = l->output.length - l->output_sent,
		};
		size_t taken = 0;

		r = stream_send(l->stream, &piece, 1, &taken);
		if (r == 0)
			l->output_sent += taken;
	}
	if (r != 0 && r != ERR_AGAIN) {
		l->output_broken = true;
		l->output_sent = l->output.length;
	}
}

/* Take the next output from the session when the last is sent, and send. `leave`: say goodbye. */
static int next_output(struct link *l, bool leave)
{
	int r = 0;

	while (r == 0 && !l->output_broken) {
		send_output(l);
		if (output_waits(l))
			break;
		link_bytes_wipe(&l->output);
		lock_take(&l->lock);
		if (leave)
			r = link_session_bye(l->session);
		bool more = r == 0 && link_session_has_output(l->session);
		if (more) {
			r = link_session_output(l->session, &l->output);
			l->output_sent = 0;
		}
		lock_drop(&l->lock);
		if (!more)
			break;
		trace_frames(l, true, l->output.bytes, l->output.length);
	}
	return r;
}

/* The session gave up the connection: its reason becomes ours. */
static int session_failed(struct link *l, int r)
{
	lock_take(&l->lock);
	unsigned code;
	const char *reason = link_session_reason(l->session, &code);
	link_fail(l, r, code, "%s", reason);
	lock_drop(&l->lock);
	return r;
}

/* One recv, however many frames it brings. */
static int take_input(struct link *l)
{
	size_t got = 0;
	size_t used = 0;
	int r = stream_recv(
		l->stream, l->input + l->input_length, INPUT_SIZE - l->input_length, &got);

	if (r == ERR_AGAIN)
		return 0;
	if (r == ERR_CLOSED)
		return link_fail(l, r, 0, "the server closed the connection");
	if (r)
		return link_fail(l, r, 0, "receiving failed: %s",
			r == ERR_SYSTEM ? strerror(errno) : err_text(r));
	l->input_length += got;
	lock_take(&l->lock);
	r = link_session_input(l->session, l->input, l->input_length, clock_us(), &used);
	lock_drop(&l->lock);
	trace_frames(l, false, l->input, used);
	l->input_length -= used;
	memmove(l->input, l->input + used, l->input_length);
	return r ? session_failed(l, r) : 0;
}

/* What the session wants done now. */
static int tick(struct link *l, bool listening)
{
	int64_t now = clock_us();

	lock_take(&l->lock);
	if (!listening)
		link_session_heard(l->session, now);
	int r = link_session_tick(l->session, now);
	lock_drop(&l->lock);
	return r ? session_failed(l, r) : 0;
}

/* When it wants something again: clock_ms. */
static int64_t session_deadline(struct link *l)
{
	lock_take(&l->lock);
	int64_t due = link_session_deadline(l->session);
	lock_drop(&l->lock);
	return due == INT64_MAX ? due : due / 1000 + 1;
}

/* What the session wants, and what it has to say, on either way. */
static int turn_session(struct link *l, bool listening, bool leave, int64_t *deadline)
{
	int r = tick(l, listening);

	if (r)
		return r;
	r = next_output(l, leave);
	if (r == 0)
		r = link_lane_serve(l);
	/* Last of all: a lane that has just been opened has times of its own. */
	*deadline = session_deadline(l);
	if (r)
		(void)session_failed(l, r);
	return r;
}

/* Wait for the server, the owner or the time, and take what has come. */
static int turn_input(struct link *l, bool listening, int64_t deadline)
{
	/* With nothing to ask of it, the socket is left out: a hang-up cannot be masked. */
	bool sending = !l->output_broken && (output_waits(l) || stream_pending(l->stream));
	bool more = listening && stream_buffered(l->stream);
	struct pollfd fds[3] = {
		{
			.fd = listening || sending ? stream_fd(l->stream) : -1,
			.events = (short)((listening ? POLLIN : 0) | (sending ? POLLOUT : 0)),
		},
		{.fd = listening ? l->lane_fd : -1, .events = POLLIN},
	};

	link_wait(l, fds, 2, more ? 0 : deadline);
	if (fds[1].revents)
		link_lane_take(l);
	if (more || (listening && (fds[0].revents & (POLLIN | POLLHUP | POLLERR))))
		return take_input(l);
	return 0;
}

/* Until the connection ends, and why: ERR_STOPPING when it was our wish. */
static int converse(struct link *l)
{
	int64_t deadline;
	int r = 0;

	while (r == 0) {
		/* An owner that does not keep up makes us stop reading, and TCP slows the server. */
		bool listening = !event_queue_full(&l->events);
		bool leave = link_must_leave(l);

		r = turn_session(l, listening, leave, &deadline);
		link_publish(l);
		if (r == 0 && leave)
			return ERR_STOPPING;
		if (r == 0) {
			r = turn_input(l, listening, deadline);
			link_publish(l);
		}
	}
	return r;
}

/* The goodbye has been given to the stream: see it off, and wait for the server to close. */
static void farewell(struct link *l)
{
	int64_t deadline = clock_ms() + FAREWELL_MS;
	bool shut = false;
	int r = 0;

	while ((r == 0 || r == ERR_AGAIN) && clock_ms() < deadline) {
		size_t got;

		send_output(l);
		bool sending = !l->output_broken && (output_waits(l) || stream_pending(l->stream));
		if (!sending && !shut) {
			stream_shutdown(l->stream, SHUT_WR);
			shut = true;
		}
		struct pollfd fd = {
			.fd = stream_fd(l->stream),
			.events = (short)(POLLIN | (sending ? POLLOUT : 0)),
		};
		(void)poll(&fd, 1, clock_poll_timeout(deadline));
		r = stream_recv(l->stream, l->input, INPUT_SIZE, &got);
	}
}

/* ---- one try after the other ---- */

/* When there is no point in trying any more: clock_ms. */
static int64_t give_up_at(const struct link *l)
{
	return l->keep_trying ? INT64_MAX : l->down_since + l->give_up_ms;
}

static int try_once(struct link *l)
{
	int64_t deadline = clock_earlier(clock_ms() + TRY_MS, give_up_at(l));

	/* The first one may take all the time there is. */
	if (!l->keep_trying && l->failures == 0)
		deadline = give_up_at(l);
	int r = link_connect(l, deadline);
	if (r)
		return r;
	link_follow_end(l);
	lock_take(&l->lock);
	r = link_session_begin(l->session, clock_us(), deadline * 1000);
	lock_drop(&l->lock);
	link_publish(l);
	int64_t began = clock_ms();
	r = r ? session_failed(l, r) : converse(l);
	if (r == ERR_STOPPING)
		farewell(l);
	lock_take(&l->lock);
	bool online = link_session_logged_in(l->session);
	link_session_end(l->session);
	lock_drop(&l->lock);
	link_publish(l);
	link_lane_close(l);
	stream_free(l->stream);
	l->stream = NULL;
	link_bytes_wipe(&l->output);
	if (online) {
		l->down_since = clock_ms();
		/* A server that takes us in and throws us out is no better than one that is away. */
		if (l->down_since - began >= STEADY_MS)
			l->failures = 0;
	}
	return r;
}

/* How long to wait before try number `failures` + 1: the table's time give or take a fifth, so that
 * the clients of a server that comes back do not all arrive at once. */
static int64_t back_off_ms(unsigned failures)
{
	static const int64_t table[] = {250, 500, 1000, 2000, 4000, 8000, 15000};
	unsigned last = sizeof(table) / sizeof(table[0]) - 1;
	uint32_t random;

	identity_random(&random, sizeof(random));
	int64_t ms = table[failures < last ? failures : last];
	return ms * 4 / 5 + (int64_t)(random % (uint32_t)(ms * 2 / 5 + 1));
}

static bool take_retry(struct link *l)
{
	lock_take(&l->lock);
	bool retry = l->retry;
	l->retry = false;
	lock_drop(&l->lock);
	return retry;
}

/* Wait for the next try; ERR_STOPPING: there will be none. */
static int rest(struct link *l)
{
	struct pollfd fds[2];
	int64_t now = clock_ms(),
		until = clock_earlier(now + back_off_ms(l->failures), give_up_at(l));

	link_post_state(
		l, LINK_WAITING, l->reason, until > now ? (uint64_t)(until - now) : 0, l->code);
	l->failures++;
	link_follow(l);
	while (clock_ms() < until && !take_retry(l)) {
		if (link_must_leave(l))
			return ERR_STOPPING;
		fds[0] = (struct pollfd){.fd = link_follow_fd(l), .events = POLLIN};
		link_wait(l, fds, 1, until);
		if (fds[0].revents)
			link_follow_heed(l, &until);
	}
	return 0;
}

/* After a failure: is it worth another try? */
static bool is_final(struct link *l, int r)
{
	if (r == ERR_REFUSED)
		return true;
	if (l->keep_trying)
		return false;
	lock_take(&l->lock);
	bool was_online = link_session_was_online(l->session);
	lock_drop(&l->lock);
	return !was_online || clock_ms() >= give_up_at(l);
}

static bool owner_leaves(struct link *l)
{
	lock_take(&l->lock);
	bool leaves = l->quit != QUIT_NO;
	lock_drop(&l->lock);
	return leaves;
}

/* It has failed for good: until the owner wants another try all the same, or (false) leaves. */
static bool wait_for_owner(struct link *l)
{
	struct pollfd fds[1];

	link_follow_end(l);
	/* A wish of before is no answer to this. */
	(void)take_retry(l);
	link_post_state(l, LINK_FAILED, l->reason, 0, l->code);
	while (!owner_leaves(l)) {
		if (take_retry(l)) {
			l->failures = 0;
			l->down_since = clock_ms();
			return true;
		}
		link_wait(l, fds, 0, INT64_MAX);
	}
	return false;
}

void *link_thread(void *link)
{
	struct link *l = link;
	int r = 0;

	l->down_since = clock_ms();
	while (r != ERR_STOPPING) {
		r = try_once(l);
		if (r == ERR_STOPPING)
			break;
		bool final = is_final(l, r);
		if (!final) {
			r = rest(l);
			final = r == 0 && clock_ms() >= give_up_at(l);
		}
		if (final && !wait_for_owner(l))
			break;
	}
	link_follow_end(l);
	link_post_state(l, LINK_CLOSED, NULL, 0, 0);
	return NULL;
}
