/*
 * How far the user has read: remembered for each room and for the direct messages,
 * told to the server now and then, and always before we leave. READ has no answer,
 * so all of it is told again on a new connection.
 */
#include "client/link_session_private.h"

#include "common/err.h"

#define READ_EVERY INT64_C(2000000) /* microseconds */

int link_session_read(struct link_session *s, const char *room, uint64_t seq)
{
	struct seat *seat = room[0] ? seats_find(&s->seats, span_of(room)) : NULL;

	if (room[0] && !seat)
		return ERR_NOT_FOUND;
	struct reading *reading = seat ? &seat->reading : &s->inbox_reading;
	if (seq > reading->upto) {
		reading->upto = seq;
		s->read_waits = true;
	}
	return 0;
}

static void tell(struct link_session *s, const char *room, struct reading *reading)
{
	struct msg_read read = {.room = span_of(room), .seq = reading->upto};

	if (reading->upto <= reading->told)
		return;
	reading->told = reading->upto;
	client_send(s, MESSAGE_READ, &read);
}

void client_tell_read_of(struct link_session *s, struct seat *seat)
{
	/* A room that we are not in is told of when it has been joined. */
	if (seat->state == SEAT_IN)
		tell(s, seat->name, &seat->reading);
}

void client_tell_read(struct link_session *s)
{
	tell(s, "", &s->inbox_reading);
	for (struct seat *seat = s->seats.head; seat; seat = seat->next)
		client_tell_read_of(s, seat);
	s->read_waits = false;
	s->read_due = s->now + READ_EVERY;
}

void client_untell_read(struct link_session *s)
{
	s->inbox_reading.told = 0;
	for (struct seat *seat = s->seats.head; seat; seat = seat->next)
		seat->reading.told = 0;
	s->read_waits = true;
}

void client_forget_read(struct link_session *s)
{
	s->inbox_reading = (struct reading){0};
	for (struct seat *seat = s->seats.head; seat; seat = seat->next)
		seat->reading = (struct reading){0};
}
