#include "tests/property/oracle.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- names ---- */

void oracle_person(int person, uint8_t id[PERSON_ID])
{
	memset(id, 0, PERSON_ID);
	id[0] = (uint8_t)(person + 1);
	id[PERSON_ID - 1] = 0x55;
}

int oracle_inbox(const struct oracle *m, int person)
{
	return (int)m->rooms + person;
}

void oracle_streams(const struct oracle *m, struct stream_key streams[STREAMS_MOST])
{
	uint8_t id[PERSON_ID];

	for (size_t i = 0; i < m->rooms; i++) {
		int r = stream_key_room(m->room_names[i], strlen(m->room_names[i]), &streams[i]);
		assert(r == 0);
		(void)r;
	}
	for (size_t i = 0; i < m->persons; i++) {
		oracle_person((int)i, id);
		stream_key_inbox(id, &streams[m->rooms + i]);
	}
}

static int room_of(const struct oracle *m, const char *name)
{
	for (size_t i = 0; i < m->rooms; i++) {
		if (strcmp(m->room_names[i], name) == 0)
			return (int)i;
	}
	return -1;
}

static const char *stream_name(const struct oracle *m, int stream)
{
	return stream < (int)m->rooms ? m->room_names[stream] : "the inbox";
}

void oracle_fini(struct oracle *m)
{
	for (size_t i = 0; i < m->authors; i++) {
		for (size_t j = 0; j < m->author[i].count; j++)
			free(m->author[i].messages[j].text);
		free(m->author[i].messages);
	}
}

/* ---- what was said, and what came of it ---- */

void oracle_said(
	struct oracle *m, int client, int room, int person, const char *text, uint64_t counter)
{
	struct author *a = &m->author[client];

	if (counter != a->count + 1) {
		verdict_complain(m->verdict,
			"client %d gave a message the counter %" PRIu64 " after %zu", client,
			counter, a->count);
		return;
	}
	if (a->count == a->size) {
		a->size = a->size ? a->size * 2 : 32;
		a->messages = realloc(a->messages, a->size * sizeof(a->messages[0]));
		assert(a->messages);
	}
	a->messages[a->count++] =
		(struct said){.room = room, .person = person, .text = strdup(text)};
}

static struct said *message_of(struct oracle *m, int client, uint64_t counter)
{
	struct author *a = &m->author[client];

	if (counter >= 1 && counter <= a->count)
		return &a->messages[counter - 1];
	verdict_complain(m->verdict,
		"client %d was told of its message %" PRIu64 ", which it never said", client,
		counter);
	return NULL;
}

/* The message is what the fact says. */
static bool is_same(const struct oracle *m, const struct said *said, const struct fact *f)
{
	uint8_t id[PERSON_ID];

	oracle_person(m->author[f->author - 1].person, id);
	if (memcmp(id, f->person, PERSON_ID) != 0 || strcmp(said->text, f->text) != 0)
		return false;
	if (said->room >= 0)
		return f->stream == said->room;
	int to = oracle_inbox(m, said->person);
	return f->other == to || (f->other < 0 && f->stream == to);
}

/* Of a counter below one whose entry is gone the log cannot tell whether there was an entry. So a message
 * whose refusal was lost may be taken for kept, when what its author said later has been pruned. */
static bool is_beyond_telling(const struct oracle *m, int client, uint64_t counter, struct truth *t)
{
	const struct fact *f = NULL;

	for (uint64_t i = counter + 1; i <= m->author[client].count && !f; i++)
		f = truth_find(t, (unsigned)client + 1, i);
	return f && !truth_is_kept(t, f->stream, f->seq);
}

static void on_ack(struct oracle *m, int client, const struct event *e, struct truth *t)
{
	struct said *said = message_of(m, client, e->counter);
	const struct fact *f = truth_find(t, (unsigned)client + 1, e->counter);

	if (!said)
		return;
	if (said->fate != FATE_WAITING)
		verdict_complain(m->verdict, "client %d was told twice about message %" PRIu64,
			client, e->counter);
	bool beyond = e->seq == 0 && is_beyond_telling(m, client, e->counter, t);
	if (!f && !beyond)
		verdict_complain(m->verdict,
			"client %d was told that message %" PRIu64
			" is kept, and it is not in the log",
			client, e->counter);
	else if (f && !is_same(m, said, f))
		verdict_complain(m->verdict,
			"client %d: message %" PRIu64 " is in the log as something else", client,
			e->counter);
	else if (f && (e->seq ? e->seq != f->seq : truth_is_kept(t, f->stream, f->seq)))
		verdict_complain(m->verdict,
			"client %d was told that message %" PRIu64 " has the number %" PRIu64
			", but it is %" PRIu64,
			client, e->counter, e->seq, f->seq);
	said->fate = FATE_KEPT;
	said->truth = t;
}

/* A message that was refused is in the log. */
static void contradict(struct oracle *m, int client, uint64_t counter, unsigned code)
{
	verdict_complain(m->verdict,
		"client %d was told that message %" PRIu64
		" is refused (code %u), and it is in the log",
		client, counter, code);
}

static void on_refused(struct oracle *m, int client, const struct event *e, struct truth *t)
{
	struct said *said = message_of(m, client, e->counter);

	if (!said)
		return;
	if (said->fate != FATE_WAITING)
		verdict_complain(m->verdict, "client %d was told twice about message %" PRIu64,
			client, e->counter);
	if (truth_find(t, (unsigned)client + 1, e->counter))
		contradict(m, client, e->counter, e->code);
	if (e->code != CODE_DISK_FULL && e->code != CODE_NOT_A_MEMBER && e->code != CODE_NOT_KEPT &&
		e->code != CODE_NO_SUCH_PERSON && e->code != CODE_TOO_LONG)
		verdict_complain(m->verdict,
			"client %d: message %" PRIu64 " was refused with code %u", client,
			e->counter, e->code);
	m->refused++;
	said->fate = FATE_REFUSED;
	said->code = e->code;
	said->truth = t;
}

/* ---- what is shown ---- */

/* A view begins with the last `replay` entries of those up to `last`. */
static void begin(struct author *a, int stream, struct truth *t, uint64_t last)
{
	struct view *v = &a->views[stream];

	v->known = true;
	v->fresh = true;
	v->position = truth_before(t, stream, last, a->replay);
}

/* The next entry that this view is to show. Of those that it would begin with, some may be gone. */
static const struct fact *due(struct view *v, int stream, struct truth *t, uint64_t shown)
{
	const struct fact *f = truth_next(t, stream, v->position);

	while (f && v->fresh && f->seq < shown && !truth_is_kept(t, stream, f->seq)) {
		v->position = f->seq;
		f = truth_next(t, stream, v->position);
	}
	return f;
}

static void on_message(struct oracle *m, int client, const struct event *e, struct truth *t)
{
	struct author *a = &m->author[client];
	int stream = e->direct ? oracle_inbox(m, a->person) : room_of(m, e->room);
	struct view *v = stream < 0 ? NULL : &a->views[stream];

	if (!v || (!e->direct && !v->in)) {
		verdict_complain(m->verdict,
			"client %d showed %" PRIu64 " of a room that it is not in", client, e->seq);
		return;
	}
	/* A client that knows the log and not its place in the inbox asks for all of the inbox. */
	if (e->direct && v->fresh && e->seq <= v->position)
		v->position = truth_last(t, stream, e->seq - 1);
	const struct fact *f = due(v, stream, t, e->seq);
	if (!f || f->seq != e->seq)
		verdict_complain(m->verdict,
			"client %d showed %" PRIu64 " in %s after %" PRIu64 ", where %" PRIu64
			" was to come",
			client, e->seq, stream_name(m, stream), v->position, f ? f->seq : 0);
	else if (f->author != e->instance[0] || f->counter != e->counter ||
		 strcmp(f->text, e->text) != 0 || memcmp(f->person, e->person, PERSON_ID) != 0)
		verdict_complain(m->verdict,
			"client %d showed %" PRIu64 " other than it is in the log", client, e->seq);
	else if (e->own != (f->author == (unsigned)client + 1))
		verdict_complain(
			m->verdict, "client %d does not know whose %" PRIu64 " is", client, e->seq);
	v->in = true;
	v->fresh = false;
	v->position = e->seq;
	m->shown++;
}

/* What a gap leaves out must be gone, and something must be. */
static void on_gap(struct oracle *m, int client, const struct event *e, struct truth *t)
{
	struct author *a = &m->author[client];
	int stream = e->room[0] ? room_of(m, e->room) : oracle_inbox(m, a->person);
	const struct fact *f;
	bool any = false;

	if (stream < 0)
		return;
	struct view *v = &a->views[stream];
	uint64_t after = e->seq < v->position ? e->seq : v->position;
	while ((f = truth_next(t, stream, after)) && f->seq < e->number) {
		after = f->seq;
		if (truth_is_kept(t, stream, f->seq)) {
			if (f->seq > v->position)
				verdict_complain(m->verdict,
					"client %d was told of a gap in %s up "
					"to %" PRIu64 ", but %" PRIu64 " is there",
					client, stream_name(m, stream), e->number, f->seq);
		} else {
			any = true;
		}
	}
	if (!any)
		verdict_complain(m->verdict,
			"client %d was told of a gap in %s from %" PRIu64 " to %" PRIu64
			" where nothing is missing",
			client, stream_name(m, stream), e->seq, e->number);
	if (v->position < e->number - 1)
		v->position = e->number - 1;
	v->in = true;
	m->gaps++;
}

static void on_joined(struct oracle *m, int client, const struct event *e, struct truth *t)
{
	int stream = room_of(m, e->room);
	struct author *a = &m->author[client];

	if (stream < 0) {
		verdict_complain(
			m->verdict, "client %d is in a room that it did not ask for", client);
		return;
	}
	struct view *v = &a->views[stream];
	if (e->flag && !v->known)
		verdict_complain(m->verdict, "client %d resumes %s from nowhere", client, e->room);
	if (!e->flag && v->known && v->in)
		verdict_complain(m->verdict, "client %d begins %s anew, and was at %" PRIu64,
			client, e->room, v->position);
	if (!e->flag)
		begin(a, stream, t, e->seq);
	v->in = true;
}

static void on_caught_up(struct oracle *m, int client, const struct event *e, struct truth *t)
{
	struct author *a = &m->author[client];
	int stream = e->room[0] ? room_of(m, e->room) : oracle_inbox(m, a->person);

	if (stream < 0)
		return;
	struct view *v = &a->views[stream];
	if (!v->in && !v->fresh)
		return;
	const struct fact *f = due(v, stream, t, e->seq + 1);
	if (f && f->seq <= e->seq)
		verdict_complain(m->verdict,
			"client %d has caught up with %s at %" PRIu64 " and was not shown %" PRIu64,
			client, stream_name(m, stream), e->seq, f->seq);
	v->in = true;
	v->fresh = false;
}

static void on_log_changed(struct oracle *m, int client, const struct truth *t)
{
	struct author *a = &m->author[client];

	if (a->truth == t)
		verdict_complain(m->verdict, "client %d takes its log for another one", client);
	for (size_t i = 0; i < STREAMS_MOST; i++)
		a->views[i] = (struct view){0};
}

static void on_logged_in(
	struct oracle *m, int client, const struct event *e, struct truth *t, uint64_t inbox_last)
{
	struct author *a = &m->author[client];
	int inbox = oracle_inbox(m, a->person);

	if (a->truth && a->truth != t) {
		for (size_t i = 0; i < STREAMS_MOST; i++) {
			if (a->views[i].known && a->views[i].in)
				verdict_complain(m->verdict,
					"client %d did not notice that the log is another one",
					client);
		}
	}
	if (strcmp(e->nick, a->nick) != 0)
		verdict_complain(m->verdict, "client %d was given the nick %s", client, e->nick);
	a->truth = t;
	if (!a->views[inbox].in)
		begin(a, inbox, t, inbox_last);
}

void oracle_event(
	struct oracle *m, int client, const struct event *e, struct truth *t, uint64_t inbox_last)
{
	if (e->type == EVENT_ACK)
		on_ack(m, client, e, t);
	else if (e->type == EVENT_REFUSED)
		on_refused(m, client, e, t);
	else if (e->type == EVENT_MESSAGE)
		on_message(m, client, e, t);
	else if (e->type == EVENT_GAP)
		on_gap(m, client, e, t);
	else if (e->type == EVENT_JOINED)
		on_joined(m, client, e, t);
	else if (e->type == EVENT_PARTED && room_of(m, e->room) >= 0)
		m->author[client].views[room_of(m, e->room)].in = false;
	else if (e->type == EVENT_CAUGHT_UP)
		on_caught_up(m, client, e, t);
	else if (e->type == EVENT_LOG_CHANGED)
		on_log_changed(m, client, t);
	else if (e->type == EVENT_LOGGED_IN)
		on_logged_in(m, client, e, t, inbox_last);
	else if (e->type == EVENT_ERROR)
		verdict_complain(m->verdict, "client %d: error %u: %s", client, e->code, e->text);
}

/* ---- the end ---- */

static bool view_lacks(struct author *a, int stream, struct truth *t)
{
	struct view *v = &a->views[stream];

	return !v->in || v->fresh || truth_next(t, stream, v->position) != NULL;
}

bool oracle_lacks(struct oracle *m, int client, struct truth *t)
{
	struct author *a = &m->author[client];
	bool lacks = a->truth != t || view_lacks(a, oracle_inbox(m, a->person), t);

	for (size_t i = 0; i < m->rooms && !lacks; i++)
		lacks = a->wants[i] ? view_lacks(a, (int)i, t) : a->views[i].in;
	return lacks;
}

static void judge_message(struct oracle *m, int client, uint64_t counter, struct truth *t)
{
	const struct said *said = &m->author[client].messages[counter - 1];
	const struct fact *f = truth_find(t, (unsigned)client + 1, counter);

	if (said->fate == FATE_WAITING)
		verdict_complain(m->verdict, "client %d was never told about message %" PRIu64,
			client, counter);
	else if (said->truth != t)
		return; /* the log of that time is gone */
	else if (said->fate == FATE_REFUSED && f)
		contradict(m, client, counter, said->code);
	else if (said->fate == FATE_KEPT && !f && !is_beyond_telling(m, client, counter, t))
		verdict_complain(
			m->verdict, "client %d: message %" PRIu64 " is lost", client, counter);
	else if (f && !is_same(m, said, f))
		verdict_complain(m->verdict,
			"client %d: message %" PRIu64 " is in the log as something else", client,
			counter);
}

void oracle_judge(struct oracle *m, struct truth *t)
{
	for (size_t i = 0; i < m->authors; i++) {
		for (size_t j = 0; j < m->author[i].count; j++)
			judge_message(m, (int)i, j + 1, t);
	}
}
