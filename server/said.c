#include "server/said.h"

#include "common/bytes.h"

#include <assert.h>
#include <string.h>

static size_t encode(enum message_number number, const void *value, uint8_t *out)
{
	size_t used = 0;
	int r = message_encode((uint16_t)number, value, out, SAID_FRAME_MAX, &used);

	assert(r == 0); /* the log holds only what the table allows */
	(void)r;
	return used;
}

static size_t encode_direct(const struct log_entry *e, const uint8_t *inbox, uint8_t *out)
{
	assert(inbox); /* a direct message is in inboxes alone */
	bool writer = memcmp(e->person, inbox, PERSON_ID) == 0;
	struct msg_direct_said m = {
		.seq = e->seq,
		.prev = writer ? e->prev : e->prev_to,
		.time = e->time,
		.counter = e->counter,
		.kind = (uint8_t)e->kind,
		.nick = e->nick,
		.to_nick = e->to_nick,
		.text = e->text,
	};
	memcpy(m.instance, e->instance, sizeof(m.instance));
	memcpy(m.person, e->person, sizeof(m.person));
	memcpy(m.to, e->to, sizeof(m.to));
	return encode(MESSAGE_DIRECT_SAID, &m, out);
}

size_t said_encode(const struct log_entry *e, const char *room, const uint8_t *inbox,
	uint8_t out[SAID_FRAME_MAX])
{
	if (e->to)
		return encode_direct(e, inbox, out);
	struct msg_said m = {
		.seq = e->seq,
		.prev = e->prev,
		.time = e->time,
		.counter = e->counter,
		.kind = (uint8_t)e->kind,
		.nick = e->nick,
		.room = span_of(room),
		.text = e->text,
	};
	memcpy(m.instance, e->instance, sizeof(m.instance));
	memcpy(m.person, e->person, sizeof(m.person));
	return encode(MESSAGE_SAID, &m, out);
}

uint64_t said_frame_seq(const uint8_t *frame)
{
	switch (bytes_u16(frame + 4)) {
	case MESSAGE_SAID:
	case MESSAGE_DIRECT_SAID:
		return bytes_u64(frame + FRAME_HEADER);
	case MESSAGE_GAP:
		/* `next`, its last field, is the first number that is there again. */
		return bytes_u64(frame + frame_size(frame) - 8) - 1;
	default:
		return 0;
	}
}
