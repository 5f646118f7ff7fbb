#include "client/model_private.h"

#include "client/mention.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/name.h"
#include "common/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is said ---- */

static bool is_me(const struct model *m, const struct event *e)
{
	/* One person may run several programs under different nicks, which talk to each other. */
	return e->own || (memcmp(e->person, m->me, PERSON_ID) == 0 && name_same(e->nick, m->nick));
}

const char *model_other_nick(const struct model *m, const struct event *e)
{
	/* From another session of the user's own that has another nick: that nick is the other end. */
	if (!is_me(m, e) && memcmp(e->person, m->me, PERSON_ID) == 0)
		return model_or_empty(e->nick);
	return model_or_empty(e->peer_nick);
}

struct buffer *model_buffer_of(const struct model *m, const struct event *e)
{
	if (!e->direct)
		return model_room(m, model_or_empty(e->room));
	return model_direct(m, e->peer, model_other_nick(m, e));
}

int model_make_line(const struct model *m, const struct event *e, struct line *l)
{
	const char *text = model_or_empty(e->text);
	char topic[NICK_MAX + TEXT_MAX + 64];
	bool is_topic = e->kind == SAID_TOPIC;

	*l = (struct line){.kind = line_kind_of(e->kind),
		.own = is_me(m, e),
		.time = e->time,
		.counter = e->counter,
		.seq = e->seq};
	memcpy(l->person, e->person, PERSON_ID);
	l->state = e->own && !is_topic ? LINE_ACCEPTED : LINE_PLAIN;
	if (is_topic) {
		(void)snprintf(topic, sizeof topic,
			text[0] ? "%s set the topic: %s" : "%s removed the topic",
			model_or_empty(e->nick), text);
		text = topic;
	}
	if (model_set(&l->nick, is_topic ? "" : model_or_empty(e->nick)) < 0 ||
		model_set(&l->text, text) < 0) {
		free(l->nick);
		return ERR_MEMORY;
	}
	l->mention = !l->own && !is_topic && mention_find(l->text, m->nick);
	return 0;
}

/* Is it from before the user came? Then it is history, and nobody is told of it. */
static bool is_old(const struct model *m, const struct buffer *b, const struct event *e)
{
	return e->direct ? !m->inbox_shown : e->seq <= b->old_seq;
}

/* It is from before, and yet the user has not seen it: it came while nobody was here. */
static bool is_missed(const struct model *m, const struct buffer *b, const struct event *e)
{
	if (e->direct)
		return m->placed && e->seq > m->inbox_read;
	return b->left_at > 0 && e->seq > b->left_at;
}

static void note_speaker(struct model *m, struct buffer *b, const struct event *e)
{
	struct roster_person *p = roster_find(&b->roster, model_or_empty(e->nick));

	m->spoken++;
	if (p)
		p->spoke = m->spoken;
}

/* The buffer in which an own message waits. */
static struct buffer *find_waiting(const struct model *m, uint64_t counter, uint64_t *number)
{
	for (size_t i = 0; i < m->count; i++) {
		if (scrollback_find_waiting(&m->buffers[i]->lines, counter, number))
			return m->buffers[i];
	}
	return NULL;
}

/* Was it written where it is not shown, and does the user still look elsewhere? */
static bool is_apart(const struct model *m, const struct buffer *b, uint64_t number)
{
	return scrollback_line(&b->lines, number)->apart && b != model_current(m);
}

/* The server has it: its answer and the message itself come in either order. */
static void tell_sent(struct model *m, struct buffer *b, uint64_t number)
{
	if (is_apart(m, b, number))
		model_hint(m, "Sent to %s%s: room %zu in the list.",
			b->kind == BUFFER_ROOM ? "#" : "", b->name, model_index(m, b) + 1);
	scrollback_line(&b->lines, number)->apart = false;
}

void model_stop_waiting(struct model *m, const struct event *e)
{
	uint64_t number;
	struct buffer *b = e->own ? find_waiting(m, e->counter, &number) : NULL;

	if (!b)
		return;
	tell_sent(m, b, number);
	scrollback_remove_waiting(&b->lines, number);
}

/* It was said under the newest nick of theirs that is known, unless they are here under another one. */
static int note_name(struct model *m, struct buffer *b, const struct event *e)
{
	int err = 0;

	if (!e->direct || !model_is_telling(m, b->person))
		return 0;
	if (memcmp(e->person, b->person, PERSON_ID) == 0)
		err = model_set(&b->name, model_or_empty(e->nick));
	return model_either(err, model_name_direct(m, b));
}

/* A message that is not known yet goes to the end. */
static int add_message(struct model *m, struct buffer *b, const struct event *e)
{
	struct line l;
	bool fresh = !is_old(m, b, e), missed = !fresh && is_missed(m, b, e);
	int err = model_make_line(m, e, &l);

	if (err < 0)
		return err;
	b->last_seq = e->seq;
	b->answered |= l.own;
	if (e->seq < b->lines.from)
		b->lines.from = e->seq;
	model_stop_waiting(m, e);
	if (e->kind == SAID_TOPIC)
		err = model_set(&b->topic, model_or_empty(e->text));
	err = model_either(err, note_name(m, b, e));
	note_speaker(m, b, e);
	m->bell |= fresh && (l.mention || (e->direct && !l.own && b != model_current(m)));
	return model_either(err, model_add_line(m, b, &l, fresh || missed));
}

/* What was said as a datagram has no place in the log: it goes to the end, and counts as unread. */
static int add_tossed(struct model *m, struct buffer *b, const struct event *e)
{
	struct line l;
	char *marked = NULL;

	if (asprintf(&marked, "(udp) %s", model_or_empty(e->text)) < 0)
		return ERR_MEMORY;
	struct event shown = *e;
	shown.text = marked;
	int err = model_make_line(m, &shown, &l);
	free(marked);
	if (err < 0)
		return err;
	l.state = LINE_DATAGRAM;
	m->bell |= l.mention;
	return model_add_line(m, b, &l, !l.own);
}

int model_on_tossed(struct model *m, const struct event *e)
{
	struct buffer *b = model_buffer_of(m, e);

	if (!b || model_is_ignored(m, e->person))
		return 0;
	note_speaker(m, b, e);
	return add_tossed(m, b, e);
}

int model_tossed(struct model *m, struct buffer *b, const char *text)
{
	struct event e = {.type = EVENT_TOSSED, .time = clock_wall_us()};

	memcpy(e.person, m->me, PERSON_ID);
	e.nick = m->nick;
	e.text = (char *)(uintptr_t)text; /* which is only read */
	return add_tossed(m, b, &e);
}

int model_on_message(struct model *m, const struct event *e)
{
	if (e->direct && e->seq > m->inbox_last)
		m->inbox_last = e->seq;
	if (model_hides(m, e))
		return 0;
	struct buffer *b = e->direct ? model_open_direct(m, e->peer, model_other_nick(m, e))
				     : model_buffer_of(m, e);
	if (!b)
		return e->direct ? ERR_MEMORY : 0;
	/* The link lets nothing through twice; this keeps a mistake from being seen. */
	if (e->seq != 0 && e->seq <= b->last_seq)
		return 0;
	return add_message(m, b, e);
}

/* ---- the states of one's own ---- */

/* What an earlier process did not get through waits here, in its room or conversation. */
int model_on_restored(struct model *m, const struct event *e)
{
	struct buffer *b;

	if (e->kind == SAID_TOPIC) /* shown when it has become one */
		return 0;
	if (e->direct)
		b = model_open_direct(m, e->peer, model_or_empty(e->peer_nick));
	else
		b = model_open_room(m, model_or_empty(e->room));
	if (!b)
		return ERR_MEMORY;
	int err = model_sent(m, b, (enum said_kind)e->kind, model_or_empty(e->text), e->counter);
	struct line *l = scrollback_line(&b->lines, scrollback_end(&b->lines) - 1);
	if (err < 0 || !l)
		return err;
	l->apart = false; /* nobody has just written it */
	if (e->time > 0)  /* when it was written */
		l->time = e->time;
	return err;
}

int model_on_sent(struct model *m, const struct event *e)
{
	uint64_t number;
	struct buffer *b = find_waiting(m, e->counter, &number);
	struct line *l = b ? scrollback_line(&b->lines, number) : NULL;

	if (l && l->state == LINE_WAITING)
		l->state = LINE_SENT;
	return 0;
}

static void wait_again(struct scrollback *s)
{
	for (uint64_t n = scrollback_end(s) - s->waiting; n < scrollback_end(s); n++) {
		struct line *l = scrollback_line(s, n);
		if (l->state == LINE_SENT)
			l->state = LINE_WAITING;
	}
}

void model_wait_again(struct model *m)
{
	for (size_t i = 0; i < m->count; i++)
		wait_again(&m->buffers[i]->lines);
}

/* What is kept is shown at its place in the log. Is that among the lines, or before them, where it is
 * loaded on demand? */
static bool is_at_its_place(const struct scrollback *s, uint64_t seq)
{
	uint64_t number;

	if (seq < s->from)
		return true;
	return scrollback_find_seq(s, seq, &number) && scrollback_line(s, number)->seq == seq;
}

/* It goes on waiting for its place among the others', until it comes back from the room. Where nothing
 * will come, it stays where it is. */
static void keep(struct buffer *b, uint64_t number, uint64_t seq)
{
	struct line *l = scrollback_line(&b->lines, number);
	bool entered = b->lines.from != SCROLLBACK_NOTHING;
	bool out = b->kind == BUFFER_ROOM && !b->joined && entered;

	l->state = LINE_ACCEPTED;
	l->seq = seq;
	if (seq > 0 && entered && is_at_its_place(&b->lines, seq))
		scrollback_remove_waiting(&b->lines, number);
	else if (seq == 0 || out || (entered && seq <= b->last_seq))
		scrollback_settle(&b->lines, number, LINE_ACCEPTED);
}

void model_settle_kept(struct buffer *b)
{
	struct scrollback *s = &b->lines;

	for (uint64_t n = scrollback_end(s) - s->waiting; n < scrollback_end(s);) {
		const struct line *l = scrollback_line(s, n);
		if (l->state == LINE_ACCEPTED && l->seq > 0 && is_at_its_place(s, l->seq))
			scrollback_remove_waiting(s, n);
		else
			n++;
	}
}

int model_on_ack(struct model *m, const struct event *e)
{
	uint64_t number;
	struct buffer *b = find_waiting(m, e->counter, &number);

	if (!b)
		return 0;
	tell_sent(m, b, number);
	keep(b, number, e->seq);
	return 0;
}

/* Where the user is, in place of the hint that it is on its way. */
static int tell_refused(struct model *m, const struct buffer *b, const struct event *e)
{
	const char *sign = b->kind == BUFFER_ROOM ? "#" : "";

	model_hint(m, "Not sent to %s%s.", sign, b->name);
	return model_say(m, model_current(m), LINE_ERROR, "Not sent to %s%s: %s", sign, b->name,
		model_or_empty(e->text));
}

static int say_refused(struct model *m, struct buffer *b, const struct event *e)
{
	if (e->code == CODE_NOT_KEPT || e->code == CODE_DISK_FULL || e->code == CODE_DAMAGED)
		return model_say(m, b, LINE_ERROR, "Refused: %s (Up brings the text back.)",
			model_or_empty(e->text));
	return model_say(m, b, LINE_ERROR, "Not sent: %s (Up brings the text back.)",
		model_or_empty(e->text));
}

int model_on_refused(struct model *m, const struct event *e)
{
	uint64_t number;
	struct buffer *b = find_waiting(m, e->counter, &number);
	int err = 0;

	if (b && is_apart(m, b, number))
		err = tell_refused(m, b, e);
	if (b)
		scrollback_settle(&b->lines, number, LINE_REFUSED);
	else
		b = model_current(m);
	return model_either(err, say_refused(m, b, e));
}

int model_on_gap(struct model *m, const struct event *e)
{
	const char *text = "Some of what was said here is no longer kept.";
	int err = 0;

	if (e->room && e->room[0]) {
		struct buffer *b = model_room(m, e->room);
		return b ? model_say(m, b, LINE_ERROR, "%s", text) : 0;
	}
	for (size_t i = 0; i < m->count; i++) {
		if (m->buffers[i]->kind == BUFFER_DIRECT)
			err = model_either(
				err, model_say(m, m->buffers[i], LINE_ERROR, "%s", text));
	}
	return err;
}
