/*
 * What a peer may take: time, sizes, places; and what it is told who takes more.
 */
#include "server/session.h"

#include "common/clock.h"

/* ---- telling ---- */

int session_end_limit(struct session *s, enum limit limit)
{
	metrics_limit(chat_metrics(s->chat), limit);
	s->end_text = limit_text(limit);
	return session_end(s, limit_code(limit));
}

int session_refuse_limit(struct session *s, uint32_t tag, enum limit limit)
{
	metrics_limit(chat_metrics(s->chat), limit);
	return session_refuse_saying(s, tag, limit_code(limit), limit_text(limit));
}

bool session_enter_one(struct session *s, enum session_share what, int64_t *ms)
{
	return !s->on_share || s->on_share(s->on_share_context, what, true, ms);
}

void session_leave_one(struct session *s, enum session_share what, int64_t *ms)
{
	if (s->on_share)
		(void)s->on_share(s->on_share_context, what, false, ms);
}

void session_pay_replay(struct session *s, uint32_t asked, uint64_t span)
{
	budget_pay_entries(&s->budget, span < asked ? (uint32_t)span : asked);
}

enum code session_judge_guess(struct session *s, bool right)
{
	return s->on_guess ? s->on_guess(s->on_guess_context, right) : CODE_NONE;
}

int session_tell_slowed(struct session *s)
{
	struct msg_notice m = {.kind = NOTICE_WARNING, .text = span_of(limit_text(LIMIT_RATE))};

	metrics_limit(chat_metrics(s->chat), LIMIT_RATE);
	if (s->told_slowed || s->phase != SESSION_CHATTING)
		return 0;
	s->told_slowed = true;
	return session_reply(s, MESSAGE_NOTICE, &m);
}

/* ---- sizes ---- */

/* How long it may be; the protocol's own bound was held by message_decode, but for topics. */
static uint32_t most_bytes(const struct policy *p, enum limit limit)
{
	if (limit == LIMIT_MAX_NICK_LENGTH)
		return p->nick_max ? p->nick_max : NICK_MAX;
	if (limit == LIMIT_MAX_TOPIC_LENGTH)
		return p->topic_max ? p->topic_max : TOPIC_MAX;
	return p->text_max ? p->text_max : TEXT_MAX;
}

enum code session_check_length(struct session *s, enum limit limit, size_t length)
{
	if (length <= most_bytes(&s->policy, limit))
		return CODE_NONE;
	metrics_limit(chat_metrics(s->chat), limit);
	return limit_code(limit);
}

uint32_t session_text_max(const struct session *s)
{
	return most_bytes(&s->policy, LIMIT_MAX_TEXT_LENGTH);
}

/* ---- time ---- */

/* `ms` after `then`; never where that is 0. */
static int64_t after(int64_t then, int64_t ms)
{
	return ms > 0 ? then + ms : INT64_MAX;
}

/* When a client that has been silent since `heard` and was asked at `pinged` is asked again. */
static int64_t next_ping(const struct session *s)
{
	return after(s->pinged > s->heard ? s->pinged : s->heard, s->policy.ping_ms);
}

static int64_t opening_deadline(const struct session *s, enum limit *limit)
{
	int64_t login = after(s->began, s->policy.login_ms);
	int64_t handshake =
		s->phase == SESSION_HANDSHAKE ? after(s->began, s->policy.handshake_ms) : INT64_MAX;

	*limit = handshake <= login ? LIMIT_HANDSHAKE_TIMEOUT : LIMIT_LOGIN_TIMEOUT;
	return clock_earlier(handshake, login);
}

/* When the peer is given up, and for what. */
static int64_t end_deadline(const struct session *s, enum limit *limit)
{
	int64_t frame = s->frame_since ? after(s->frame_since, s->policy.frame_ms) : INT64_MAX;
	int64_t other;

	*limit = LIMIT_IDLE;
	if (s->phase < SESSION_CHATTING)
		other = opening_deadline(s, limit);
	else
		other = session_idle_deadline(s, s->heard);
	if (frame < other)
		*limit = LIMIT_FRAME_TIMEOUT;
	return clock_earlier(frame, other);
}

int64_t session_idle_deadline(const struct session *s, int64_t since)
{
	return after(since, s->policy.idle_ms);
}

int64_t session_next_deadline(const struct session *s)
{
	enum limit limit;
	int64_t end = end_deadline(s, &limit);

	return s->phase < SESSION_CHATTING ? end : clock_earlier(end, next_ping(s));
}

static int ping(struct session *s, int64_t now)
{
	struct msg_ping m = {.token = (uint64_t)now};

	s->pinged = now;
	int r = session_reply(s, MESSAGE_PING, &m);
	outlet_push(s->outlet);
	return r;
}

int session_check_deadlines(struct session *s)
{
	int64_t now = clock_ms();
	enum limit limit;

	if (now >= end_deadline(s, &limit))
		return session_end_limit(s, limit);
	if (s->phase < SESSION_CHATTING || now < next_ping(s))
		return 0;
	return ping(s, now);
}
