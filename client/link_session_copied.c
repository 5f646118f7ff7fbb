/*
 * Two programs with copies of the same files: a home that was copied, a cloned machine. Both are the
 * same instance and number their messages alike, so the server takes what one says for what the
 * other one has said already.
 *
 * A message that is sent for the first time cannot be a duplicate; when the server says that it is,
 * its number was used by somebody else. Nor can anybody but a copy log in with our instance while we
 * are connected. From then on no number of ours is sure. What is on its way is resolved by its
 * answers; what remains without one is refused with words, because it may be in the log or not; and
 * what was never sent goes out under another instance, on another connection.
 */
#include "client/link_session_private.h"

#include "common/err.h"

#define COPIED "another program uses a copy of this client's files"

void client_copied(struct link_session *s)
{
	struct event *e = s->copied ? NULL : client_event(s, EVENT_NOTICE);

	s->copied = true;
	if (!e)
		return;
	e->kind = NOTICE_WARNING;
	client_set(s, &e->text, COPIED "; this one goes on as another client");
}

const char *client_copied_reason(const struct link_session *s, const struct outgoing *m)
{
	if (m->sent && !m->again)
		return COPIED "; say it again";
	return s->copied ? COPIED "; it may have been kept or not, look before you say it again"
			 : NULL;
}

int client_copied_answer(struct link_session *s)
{
	if (!s->copied || s->out_of_memory || outbox_next(&s->outbox) != s->outbox.head)
		return 0;
	return client_fail(s, ERR_CLOSED, 0, COPIED);
}

/* What was sent and has no answer. */
static void refuse_sent(struct link_session *s)
{
	struct outgoing *next;

	for (struct outgoing *m = s->outbox.head; m && !s->out_of_memory; m = next) {
		next = m->next;
		if (m->sent)
			client_refuse(s, m, CODE_NOT_KEPT,
				COPIED
				"; it may have been kept or not, look before you say it again");
	}
}

void client_copied_end(struct link_session *s)
{
	/* Somebody has logged in as this instance: a copy, unless it was a LOGIN of our own that the
	 * server came to late. */
	if (s->logged_in && s->code == CODE_ALREADY) {
		if (s->logins_lost == 0)
			client_copied(s);
		else
			s->logins_lost--;
	}
	if (s->login_tag != 0 && !s->logged_in)
		s->logins_lost++;
	if (!s->copied)
		return;
	refuse_sent(s);
	/* Without memory to say so, all stays as it is until the next connection's end. */
	if (s->out_of_memory)
		return;
	client_keep_renew(s);
	s->copied = false;
	s->logins_lost = 0;
}
