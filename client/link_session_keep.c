#include "client/link_session_private.h"

#include "client/address_book.h"
#include "common/err.h"
#include "common/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAVE_EVERY INT64_C(200000) /* microseconds */

/* ---- what an earlier process left ---- */

/* A message that was never answered: it waits again, in a room that is joined for it. */
static int restore(void *context, const struct outgoing *m, const char *text, uint64_t time)
{
	struct link_session *s = context;
	const struct outgoing *sent = outbox_restore(&s->outbox, m, text);
	struct event *e = sent ? client_event(s, EVENT_RESTORED) : NULL;

	if (!e)
		return ERR_MEMORY;
	e->kind = (int)m->kind;
	e->counter = m->counter;
	e->direct = m->direct;
	e->own = true;
	e->time = time;
	memcpy(e->instance, s->instance, sizeof(e->instance));
	memcpy(e->person, s->identity.id, sizeof(e->person));
	memcpy(e->peer, m->person, sizeof(e->peer));
	client_set(s, &e->room, m->direct ? "" : m->to);
	client_set(s, &e->nick, s->nick);
	client_set(s, &e->peer_nick, m->direct ? m->to : "");
	client_set(s, &e->text, text);
	return m->direct ? 0 : link_session_join(s, m->to);
}

/* The state is there: its instance becomes ours, and what it has. */
static int take_state(struct link_session *s, struct state *st)
{
	int r = 0;

	s->state = st;
	memcpy(s->instance, state_instance(st), sizeof(s->instance));
	if (!s->outbox.head)
		r = state_messages(st, restore, s);
	if (s->outbox.last_counter < state_used(st))
		s->outbox.last_counter = state_used(st);
	return r;
}

static void cannot_keep(struct link_session *s, int r)
{
	s->keep_failed = true;
	log_warning("messages that wait will not outlive this program: cannot use %s: %s",
		s->state_folder,
		r == ERR_SYSTEM ? strerror(errno)
		: r == ERR_FULL ? strerror(ENOSPC)
				: err_text(r));
}

int client_keep_start(struct link_session *s, const struct link_session_config *config)
{
	uint8_t *server = s->met_id;
	char reason[REASON_MAX];
	struct state *st;

	if (!config->state_folder)
		return 0;
	s->resume = config->resume;
	s->state_folder = strdup(config->state_folder);
	s->address = strdup(config->address ? config->address : "");
	if (!s->state_folder || !s->address)
		return ERR_MEMORY;
	if (config->server_id)
		memcpy(server, config->server_id, IDENTITY_SIZE);
	else if (book_find(s->state_folder, "addresses", s->address, server) != 0)
		return 0; /* WELCOME will tell */
	s->met = true;
	/* What cannot be used is told when the server has answered. */
	int r = client_positions_open(s, server, reason, sizeof(reason));
	if (r == ERR_MEMORY)
		return r;
	r = state_adopt(s->state_folder, server, &st);
	if (r == 0)
		return take_state(s, st);
	if (r != ERR_MEMORY)
		cannot_keep(s, r);
	return r == ERR_MEMORY ? r : 0;
}

/* ---- which server it is ---- */

static void tell_left(struct link_session *s, size_t count)
{
	char text[160];
	struct event *e = count ? client_event(s, EVENT_NOTICE) : NULL;

	if (!e)
		return;
	snprintf(text, sizeof(text),
		"another server answers at this address; %zu message%s for the one before %s kept "
		"until it is back",
		count, count == 1 ? "" : "s", count == 1 ? "is" : "are");
	e->kind = NOTICE_WARNING;
	client_set(s, &e->text, text);
}

/* What was written for it stays on disk for it. */
void client_keep_leave(struct link_session *s)
{
	size_t count = s->state ? s->outbox.count : 0;
	struct outgoing *m;

	(void)client_keep_save(s);
	while (s->state && (m = s->outbox.head)) {
		client_refuse(s, m, CODE_NOT_KEPT,
			"another server answered; it waits for the one that it was written for");
		if (s->out_of_memory)
			return;
	}
	if (s->state)
		identity_random(s->instance, sizeof(s->instance));
	s->left = s->state != NULL;
	s->left_events += s->log_known;
	state_close(s->state);
	s->state = NULL;
	positions_close(s->positions);
	s->positions = NULL;
	tell_left(s, count);
}

/* What was said before the server was known goes to disk now. */
static void keep_outbox(struct link_session *s)
{
	state_begin(s->state);
	for (const struct outgoing *m = s->outbox.head; m; m = m->next)
		state_add(s->state, m);
	(void)state_end(s->state);
}

int client_keep_meet(struct link_session *s, const uint8_t server[IDENTITY_SIZE])
{
	bool numbered = s->outbox.last_counter > 0;
	struct state *st;
	int r;

	if (!s->state_folder || s->keep_failed || s->state || s->out_of_memory)
		return 0;
	/* Numbers that were given out already must be told from those of another process. */
	if (numbered)
		r = state_create(s->state_folder, server, s->instance,
			s->left ? s->outbox.last_counter : 0, &st);
	else
		r = state_adopt(s->state_folder, server, &st);
	if (r == 0 && s->address[0])
		(void)book_put(s->state_folder, "addresses", s->address, server);
	if (r == 0)
		r = take_state(s, st);
	else if (r != ERR_MEMORY)
		cannot_keep(s, r);
	if (s->state && numbered)
		keep_outbox(s);
	return r == ERR_MEMORY ? r : 0;
}

void client_keep_renew(struct link_session *s)
{
	const struct outgoing *first = s->outbox.head;
	uint64_t used = first ? first->counter - 1 : s->outbox.last_counter;
	struct state *st;

	(void)client_keep_save(s);
	identity_random(s->instance, sizeof(s->instance));
	if (!s->state)
		return;
	int r = state_replace(s->state_folder, s->state, s->instance, used, &st);
	s->state = NULL;
	if (r) {
		cannot_keep(s, r);
		return;
	}
	s->state = st;
	if (s->outbox.last_counter < state_used(st))
		s->outbox.last_counter = state_used(st);
	keep_outbox(s);
}

/* If the file is older than what the server has seen, it came out of a backup. Numbers above those
 * that it had reserved may have been used, so what was said under them must be said again. */
bool client_keep_overtaken(struct link_session *s, uint64_t accepted)
{
	uint64_t known = s->state ? state_used(s->state) : 0;
	struct outgoing *next;

	if (!s->state || state_reserve(s->state, accepted) != 0)
		return false;
	for (struct outgoing *m = s->outbox.head; m && !s->out_of_memory; m = next) {
		next = m->next;
		if (m->counter <= known)
			continue;
		/* It must not come back: the server might take it for another one. */
		state_forget(s->state, m->counter);
		client_refuse(s, m, CODE_NOT_KEPT,
			"the server knows more of this client than its own files, which "
			"are old; say it again");
	}
	s->outbox.last_counter = state_used(s->state);
	(void)client_keep_save(s);
	return true;
}

/* ---- saving ---- */

void client_keep_touch(struct link_session *s)
{
	if ((s->state || s->positions) && s->save_at == 0)
		s->save_at = s->now + SAVE_EVERY;
}

bool client_keep_save(struct link_session *s)
{
	s->save_at = 0;
	if (s->state) {
		state_begin(s->state);
		state_forget_below(s->state,
			s->outbox.head ? s->outbox.head->counter : s->outbox.last_counter + 1);
		(void)state_end(s->state);
	}
	return client_positions_save(s);
}

void client_keep_tick(struct link_session *s)
{
	if (s->save_at != 0 && s->now >= s->save_at)
		(void)client_keep_save(s);
}

bool link_session_save(struct link_session *s)
{
	bool saved = client_keep_save(s);

	return saved && (!s->positions || positions_are_there(s->positions));
}

void client_keep_free(struct link_session *s)
{
	(void)client_keep_save(s);
	state_close(s->state);
	positions_close(s->positions);
	free(s->state_folder);
	free(s->address);
}
