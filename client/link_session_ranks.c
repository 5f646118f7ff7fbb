/*
 * Who is what in the rooms where the session is, and on the server, for an owner that shows it.
 *
 * What changes in a room is told there in words alone (PRESENCE, ACT), so its charter is asked for: when
 * the room is entered, and after each act. The server's own is told nowhere: it is asked for at the
 * login, after each act of the user's, and now and then while something happens in a room. In a room so
 * large that single changes are not told nobody asks either, or each act would make all of them ask.
 */
#include "client/link_session_private.h"

#include "common/err.h"

#define AGAIN INT64_C(1000000) /* a charter is not asked for more often */

static bool is_asked(const struct link_session *s)
{
	/* Without TLS nobody is anything. */
	return s->ranks && s->rights && s->server_proven && s->stage == STAGE_ONLINE;
}

static int64_t due(const struct ranks_query *q)
{
	if (!q->wanted)
		return INT64_MAX;
	return q->asked_at ? q->asked_at + AGAIN : 0;
}

static int64_t seat_due(const struct seat *seat)
{
	bool known = seat->state == SEAT_IN && seat->people_state == SEAT_PEOPLE_KNOWN;

	return known && !seat->quiet ? due(&seat->ranks) : INT64_MAX;
}

void client_want_ranks(struct link_session *s, struct ranks_query *q, int64_t age)
{
	if (q->asked_at == 0 || s->now >= q->asked_at + age)
		q->wanted = true;
}

static void ask(struct link_session *s, struct ranks_query *q, const char *room)
{
	struct msg_charter charter = {.tag = client_tag(s), .room = span_of(room)};

	q->wanted = false;
	q->asked_at = s->now;
	s->ranks_tag = charter.tag;
	client_request(s, MESSAGE_CHARTER, &charter);
}

int64_t client_ranks_due(const struct link_session *s)
{
	if (!is_asked(s) || s->ranks_tag != 0)
		return INT64_MAX;
	int64_t first = due(&s->server_ranks);
	for (const struct seat *seat = s->seats.head; seat; seat = seat->next) {
		int64_t at = seat_due(seat);
		if (at < first)
			first = at;
	}
	return first;
}

/* One at a time, so that a user of many rooms does not ask for all of them at once. */
void client_ranks_tick(struct link_session *s)
{
	if (!is_asked(s) || s->ranks_tag != 0)
		return;
	if (s->now >= due(&s->server_ranks)) {
		ask(s, &s->server_ranks, "");
		return;
	}
	for (struct seat *seat = s->seats.head; seat; seat = seat->next) {
		if (s->now >= seat_due(seat)) {
			ask(s, &seat->ranks, seat->name);
			return;
		}
	}
}

bool client_ranks_answered(struct link_session *s, uint32_t tag)
{
	if (tag == 0 || tag != s->ranks_tag)
		return false;
	s->ranks_tag = 0;
	return true;
}
