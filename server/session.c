#include "server/session.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "common/trace.h"
#include "server/refusal.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define LIMIT_LOGIN   4096 /* the largest payload before the login */
#define LINGER_MS     1000 /* for a peer to take what it is told last */
#define DRAIN_MS      2000 /* when the server stops, for a peer to take what was said until then */
#define TLS_HANDSHAKE 22   /* the first byte that TLS sends; RFC 8446 5.1 */
#define STEP_MS       10   /* between two looks at what the history readers still bring */
#define REST_MS       100  /* between two looks at whether a session at rest is to end */
#define CALM_MS       1000 /* of silence, before a session gives back what it does not need in it */

int session_end(struct session *s, enum code code)
{
	/* Whoever is silent before the login takes a place that others may want. */
	if (code == CODE_PROTOCOL || (code == CODE_TIMEOUT && s->phase < SESSION_CHATTING))
		s->misbehaved = true;
	s->end_code = code;
	s->linger = true;
	return ERR_PROTOCOL;
}

/* ---- understanding ---- */

static bool legal_now(const struct session *s, const struct message_spec *spec)
{
	if (!(spec->sender & SENDER_CLIENT))
		return false;
	bool chatting = s->phase == SESSION_CHATTING;
	return spec->phase & (chatting ? PHASE_CHATTING : PHASE_OPENING);
}

/* Bad text costs the request, not the connection: the number in its first field says which. */
static int refuse_text(struct session *s, uint16_t number, const union message *m)
{
	if (number == MESSAGE_SAY || number == MESSAGE_DIRECT) /* both begin with the counter */
		return session_refuse_message(s, m->say.counter, CODE_BAD_TEXT);
	if (number == MESSAGE_HELLO || number == MESSAGE_BYE || number == MESSAGE_PASSWORD)
		return session_end(s, CODE_BAD_TEXT);
	if (number == MESSAGE_READ || number == MESSAGE_PROBE)
		return 0;                                     /* it has no answer */
	return session_refuse(s, m->join.tag, CODE_BAD_TEXT); /* the first field of all others */
}

static int act(struct session *s, const struct frame *f)
{
	const struct message_spec *spec = message_spec(f->type);
	union message m;
	int r = 0;

	if (!spec && (f->flags & FRAME_FLAG_SKIP))
		return 0;
	if (!spec || !legal_now(s, spec)) {
		bool early = spec && (spec->sender & SENDER_CLIENT) && s->phase < SESSION_CHATTING;
		return session_end(s, early ? CODE_LOGIN_FIRST : CODE_PROTOCOL);
	}
	if (message_decode(f, &m) != 0)
		return session_end(s, CODE_PROTOCOL);
	/* The batch borrows from the intake, so it may grow only while frames of its kind come. */
	bool swept = atomic_load_explicit(&s->outlet->expelled, memory_order_relaxed);
	if (f->type != MESSAGE_SAY || swept)
		r = session_flush_batch(s);
	if (swept)
		session_sweep(s);
	if (r == 0 && message_check_text(f->type, &m) != 0) {
		r = session_flush_batch(s); /* answers keep the order of the questions */
		return r ? r : refuse_text(s, f->type, &m);
	}
	return r ? r : session_handler_of(f->type)(s, &m);
}

/* Has it asked for more than it may? */
static bool has_to_rest(struct session *s, int *result)
{
	int64_t now = s->budget.tokens > 0 ? 0 : clock_ms();
	int64_t ready = budget_ready(&s->budget, now);

	if (ready > now && !s->resting_until)
		*result = session_tell_slowed(s);
	s->resting_until = ready > now ? ready : 0;
	return ready > now;
}

/* What a peer is told that begins with TLS where there is none. */
static const char *speaks_tls(struct session *s)
{
	session_log(s, "%s speaks TLS, and this server does not", s->peer);
	return "this server speaks without TLS: connect with --plaintext";
}

static bool is_told_to_stop(struct session *s)
{
	return atomic_load_explicit(&s->stopping, memory_order_relaxed) != CODE_NONE;
}

/* Act on every whole frame that has come, as far as it may; `*acted` tells whether there was one. Each may
 * take long, so whoever was sent away meanwhile does no more of what they had asked for. */
static int act_on_all(struct session *s, bool *acted)
{
	struct frame f;
	int r = 0, next = ERR_AGAIN;

	*acted = false;
	while (r == 0 && s->phase != SESSION_OVER && !is_told_to_stop(s) && !has_to_rest(s, &r) &&
		(next = intake_next(&s->intake, &f)) == 0) {
		if (trace_on())
			trace_frame(stream_fd(s->outlet->stream), false, f.payload - FRAME_HEADER,
				FRAME_HEADER + (size_t)f.length);
		*acted = true;
		r = act(s, &f);
		budget_pay(&s->budget, f.type);
	}
	if (r == 0 && next == ERR_PROTOCOL) {
		if (s->phase == SESSION_HELLO && intake_first(&s->intake) == TLS_HANDSHAKE)
			s->end_text = speaks_tls(s);
		r = session_end(s, CODE_PROTOCOL);
	}
	/* What was said before the connection went wrong was said. */
	int flushed = session_flush_batch(s);
	return r ? r : flushed;
}

/* ---- the loop ---- */

/* The peer speaks something else than we do: a line in the log, and one for a client of ours. */
static int refuse_handshake(struct session *s, int r)
{
	const char *problem = stream_problem(s->outlet->stream);

	if (r != ERR_PROTOCOL)
		return r;
	s->misbehaved = true;
	session_log(s, "%s: %s", s->peer, *problem ? problem : err_text(r));
	if (strcmp(problem, STREAM_NOT_TLS) == 0)
		refusal_send(stream_fd(s->outlet->stream), CODE_TLS_WANTED, NULL);
	return r;
}

static int shake_hands(struct session *s)
{
	int r = stream_handshake(s->outlet->stream);

	if (r == 0)
		s->phase = SESSION_HELLO;
	return r == 0 || r == ERR_AGAIN ? r : refuse_handshake(s, r);
}

/* What came, and what there is to do about it. */
static int take_input(struct session *s)
{
	bool acted;

	if (s->phase == SESSION_HANDSHAKE)
		return shake_hands(s);
	size_t before = intake_waiting(&s->intake);
	int r = s->resting_until ? 0 : intake_fill(&s->intake, s->outlet->stream);
	s->misbehaved = s->misbehaved || r == ERR_PROTOCOL;
	if (r)
		return r;
	metrics_add(chat_metrics(s->chat), METRIC_BYTES_IN, intake_waiting(&s->intake) - before);
	/* Who logs in asks for several things at once, and gets all answers at once. */
	if (s->phase < SESSION_CHATTING)
		outlet_hold(s->outlet);
	r = act_on_all(s, &acted);
	intake_settle(&s->intake);
	/* However long that took, the peer is alive as of now. */
	s->heard = clock_ms();
	if (acted || !s->frame_since)
		s->frame_since = intake_partial(&s->intake) ? s->heard : 0;
	outlet_release(s->outlet);
	return r;
}

/* Not to be read from for a while; then it goes on with what has come already. Whoever stops the session
 * shuts the socket for reading, and so may the peer, which is then no reason to hurry. */
static void rest(struct session *s)
{
	struct pollfd p = {.fd = stream_fd(s->outlet->stream), .events = POLLRDHUP};
	int64_t until = clock_earlier(s->resting_until, session_next_deadline(s));

	if (poll(&p, 1, clock_poll_timeout(until)) > 0 && atomic_load(&s->stopping) == CODE_NONE)
		(void)poll(NULL, 0, clock_poll_timeout(clock_earlier(until, clock_ms() + REST_MS)));
	/* It is we who do not listen. */
	s->heard = clock_ms();
	if (s->frame_since)
		s->frame_since = s->heard;
}

/* Until the peer has sent something, or it is time. Who is silent for a while is likely to be so for
 * long, and then keeps what a silent one needs and no more. */
static int wait_for_input(struct session *s, struct pollfd *p)
{
	int64_t deadline = session_next_deadline(s);
	int64_t calm = clock_ms() + CALM_MS;
	int n = poll(p, 1, clock_poll_timeout(clock_earlier(deadline, calm)));

	if (n != 0 || deadline <= calm)
		return n;
	intake_rest(&s->intake);
	outlet_rest(s->outlet);
	session_forget_batch(s);
	stream_rest(s->outlet->stream);
	if (s->stack)
		stack_rest(s->stack);
	return poll(p, 1, clock_poll_timeout(deadline));
}

static int turn(struct session *s)
{
	struct pollfd p = {.fd = stream_fd(s->outlet->stream), .events = POLLIN};
	bool resting = s->resting_until != 0;
	bool more = resting || stream_buffered(s->outlet->stream);

	if (resting)
		rest(s);
	else if ((more ? poll(&p, 1, 0) : wait_for_input(s, &p)) < 0 && errno != EINTR)
		return ERR_SYSTEM;
	if (atomic_load(&s->stopping) != CODE_NONE)
		return ERR_STOPPING;
	int r = p.revents || more ? take_input(s) : ERR_AGAIN;
	if (r == 0 || r == ERR_AGAIN)
		r = session_check_deadlines(s);
	return r;
}

/* Being told to stop ends what comes in, too, and whichever of these the session hears of first. */
static void note_stopping(struct session *s)
{
	unsigned stopping = atomic_load(&s->stopping);

	if (s->end_code == CODE_NONE && stopping != CODE_NONE)
		session_end(s, (enum code)stopping);
}

/* By somebody who had words for it: nobody else ends a session with these codes. */
static bool was_sent_away(const struct session *s)
{
	return s->phase >= SESSION_CHATTING &&
	       (s->end_code == CODE_BANNED || s->end_code == CODE_KICKED);
}

const char *session_seen_words(const struct session *s)
{
	if (s->farewell)
		return s->farewell;
	if (was_sent_away(s) && s->seen)
		return s->seen;
	switch (s->end_code) {
	case CODE_NONE:
		return "connection lost";
	case CODE_BANNED: /* what is said of the next is said to the one whom it is about */
	case CODE_KICKED:
	case CODE_WRONG_CODE:
	case CODE_KEY_WANTED:
		return "the server ended the connection";
	default:
		return session_last_words(s);
	}
}

const char *session_last_words(const struct session *s)
{
	if (s->end_text)
		return s->end_text;
	if (was_sent_away(s) && s->told)
		return s->told;
	/* The code's own are about a request. */
	if (s->end_code == CODE_ALREADY)
		return "the same client has logged in again";
	return code_text(s->end_code);
}

/* The last word, sent as far as the peer takes it within a second, so that it is not lost to a reset
 * over what the peer has sent and we have not read. Not inlined: a session that waits would have the
 * room for it on its stack, which then is a page more. */
__attribute__((noinline)) static void say_last(struct session *s)
{
	int64_t deadline = clock_ms() + LINGER_MS;
	struct pollfd p = {.fd = stream_fd(s->outlet->stream)};
	uint8_t scrap[1024];
	bool shut = false, ended = false;
	size_t got;

	if (s->end_code == CODE_STOPPING) {
		struct msg_bye m = {.code = CODE_STOPPING, .text = span_of(session_last_words(s))};
		(void)session_reply_now(s, MESSAGE_BYE, &m);
	} else {
		struct msg_error m = {
			.code = (uint16_t)s->end_code,
			.fatal = 1,
			.text = span_of(session_last_words(s)),
		};
		(void)session_reply_now(s, MESSAGE_ERROR, &m);
	}
	/* That nothing more comes, which session_stop sees to as well, is no reason to stop sending. */
	while (clock_ms() < deadline && !atomic_load(&s->outlet->closed)) {
		outlet_writable(s->outlet);
		if (!shut && outlet_sent(s->outlet)) {
			stream_shutdown(s->outlet->stream, SHUT_WR);
			shut = true;
		}
		if (shut && ended)
			break;
		p.events = (short)((ended ? 0 : POLLIN) | (shut ? 0 : POLLOUT));
		if (poll(&p, 1, clock_poll_timeout(deadline)) <= 0)
			break;
		int r = ended ? ERR_AGAIN
			      : stream_recv(s->outlet->stream, scrap, sizeof(scrap), &got);
		ended = ended || (r != 0 && r != ERR_AGAIN);
	}
}

/* The server stops, and nobody says anything any more: what was said goes to this client too, as far
 * as it takes it in time. */
static void drain_all(struct session *s)
{
	int64_t deadline = clock_ms() + DRAIN_MS;
	struct pollfd p = {.fd = stream_fd(s->outlet->stream), .events = POLLOUT};

	while (clock_ms() < deadline && !atomic_load(&s->outlet->closed)) {
		outlet_writable(s->outlet);
		if (outlet_settled(s->outlet))
			break;
		if (atomic_load(&s->outlet->blocked))
			(void)poll(&p, 1, clock_poll_timeout(deadline));
		else
			(void)poll(NULL, 0, STEP_MS);
	}
}

static void log_end(const struct session *s)
{
	const char *who = !s->nick[0] ? "somebody" : s->nick;
	const char *why = s->end_code == CODE_NONE ? "left" : session_last_words(s);

	session_log(s, "%s: %s: %s", s->peer, who, why);
}

void session_run(struct session *s, void (*quiet)(void *context), void *context)
{
	int r = shake_hands(s);

	if (r == ERR_AGAIN)
		r = 0;
	while (r == 0 && s->phase != SESSION_OVER)
		r = turn(s);
	if (r)
		note_stopping(s);
	logins_leave(&s->login);
	if (quiet)
		quiet(context);
	if (s->end_code == CODE_STOPPING)
		drain_all(s);
	session_leave_all(s);
	session_close_lane(s);
	/* Before TLS is agreed there is no way to say it but one. */
	if (s->linger && s->phase == SESSION_HANDSHAKE)
		refusal_send(stream_fd(s->outlet->stream), s->end_code, session_last_words(s));
	else if (s->linger && !atomic_load(&s->outlet->closed))
		say_last(s);
	log_end(s);
	outlet_close(s->outlet);
	stream_shutdown(s->outlet->stream, SHUT_RDWR);
	chat_forget(s->chat, s->outlet);
	intake_fini(&s->intake);
}

/* ---- life ---- */

int session_new(
	struct chat *c, struct stream *stream, const struct net_address *peer, struct session **out)
{
	struct session *s = calloc(1, sizeof(*s));

	if (!s)
		return ERR_MEMORY;
	int r = outlet_new(stream, chat_hooks(c), &s->outlet);
	if (r) {
		free(s);
		return r;
	}
	s->chat = c;
	atomic_init(&s->stopping, CODE_NONE);
	net_print(peer, s->peer);
	s->outlet->peer.address = *peer;
	chat_policy(c, &s->policy);
	intake_init(&s->intake, LIMIT_LOGIN);
	s->began = s->heard = clock_ms();
	budget_init(&s->budget, s->policy.rate, s->policy.burst, s->began);
	*out = s;
	return 0;
}

void session_free(struct session *s)
{
	if (!s)
		return;
	intake_fini(&s->intake);
	outlet_unref(s->outlet);
	s->batch_count = 0;
	session_forget_batch(s);
	free(s->rooms);
	free(s->away);
	free(s->farewell);
	free(s->told);
	free(s->seen);
	free(s->password);
	free(s);
}

void session_on_logged_in(struct session *s, void (*told)(void *context), void *context)
{
	s->on_login = told;
	s->on_login_context = context;
}

void session_on_stack(struct session *s, const struct stack *stack)
{
	s->stack = stack;
}

void session_on_share(struct session *s, session_count *count, void *context)
{
	s->on_share = count;
	s->on_share_context = context;
}

void session_on_guess(struct session *s, session_guess *judge, void *context)
{
	s->on_guess = judge;
	s->on_guess_context = context;
}

bool session_misbehaved(const struct session *s)
{
	return s->misbehaved;
}

static void stop(struct session *s, enum code code)
{
	unsigned none = CODE_NONE;

	(void)atomic_compare_exchange_strong(&s->stopping, &none, code);
	stream_shutdown(s->outlet->stream, SHUT_RD);
}

void session_stop(struct session *s)
{
	stop(s, CODE_STOPPING);
}

/* One at a time: under the lock of all logins. Nobody reads the words before `stopping` is that code. */
void session_send_away(void *session, const struct login_end *e)
{
	struct session *s = session;

	if (atomic_load(&s->stopping) != CODE_NONE)
		return;
	s->told = e->told ? strdup(e->told) : NULL;
	s->seen = e->seen ? strdup(e->seen) : NULL;
	stop(s, e->why);
}
