#include "server/session.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/trace.h"

#include <poll.h>
#include <stdlib.h>

#define LOOK_MS     1000 /* between two looks at whether a session that waits for its peer is to end */
#define REPLY_FRAME 1024 /* replies but for lists and blocks of text fit */

/* Wait until the peer has read some of its replies. It may take as long as it may be silent. */
static int wait_for_room(struct session *s)
{
	int64_t deadline = session_idle_deadline(s, clock_ms());
	struct pollfd p = {.fd = stream_fd(s->outlet->stream), .events = POLLOUT};

	while (atomic_load(&s->stopping) == CODE_NONE) {
		/* Being told to stop does not make it writable. */
		(void)poll(
			&p, 1, clock_poll_timeout(clock_earlier(deadline, clock_ms() + LOOK_MS)));
		if (clock_ms() >= deadline) {
			session_end_limit(s, LIMIT_IDLE);
			s->linger = false; /* it would not read that either */
			return ERR_TIMEOUT;
		}
		outlet_writable(s->outlet);
		if (outlet_pending(s->outlet) < OUTLET_REPLIES / 2)
			return 0;
		if (atomic_load(&s->outlet->closed))
			return ERR_CLOSED;
	}
	return ERR_STOPPING;
}

int session_reply_frame(struct session *s, const uint8_t *frame, size_t length)
{
	if (trace_on())
		trace_frame(stream_fd(s->outlet->stream), true, frame, length);
	for (;;) {
		int r = outlet_reply(s->outlet, frame, length);
		if (r != ERR_FULL)
			return r;
		outlet_release(s->outlet);
		r = wait_for_room(s);
		if (r)
			return r;
	}
}

int session_reply_now(struct session *s, enum message_number number, const void *message)
{
	uint8_t frame[REPLY_FRAME];
	size_t used = 0;
	int r = message_encode((uint16_t)number, message, frame, sizeof(frame), &used);

	if (r == 0 && trace_on())
		trace_frame(stream_fd(s->outlet->stream), true, frame, used);
	return r ? r : outlet_reply(s->outlet, frame, used);
}

int session_reply(struct session *s, enum message_number number, const void *message)
{
	uint8_t frame[REPLY_FRAME];
	size_t used = 0;
	int r = message_encode((uint16_t)number, message, frame, sizeof(frame), &used);

	return r ? r : session_reply_frame(s, frame, used);
}

int session_reply_list(struct session *s, enum message_number number, const void *message)
{
	size_t size = SESSION_LIST_BYTES + REPLY_FRAME, used = 0;
	uint8_t *frame = malloc(size);

	if (!frame)
		return ERR_MEMORY;
	int r = message_encode((uint16_t)number, message, frame, size, &used);
	if (r == 0)
		r = session_reply_frame(s, frame, used);
	free(frame);
	return r;
}

int session_refuse_saying(struct session *s, uint32_t tag, enum code code, const char *text)
{
	struct msg_error m = {.tag = tag, .code = (uint16_t)code, .text = span_of(text)};

	return session_reply(s, MESSAGE_ERROR, &m);
}

int session_refuse(struct session *s, uint32_t tag, enum code code)
{
	return session_refuse_saying(s, tag, code, code_text(code));
}

struct room_session session_as_seen(const struct session *s)
{
	return (struct room_session){
		.person = s->person,
		.nick = s->nick,
		.state = s->state,
		.away = s->away ? s->away : "",
	};
}
