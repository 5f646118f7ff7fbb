#include "client/model_private.h"

#include "common/clock.h"

/* While the charters are on their way, nobody is anything. */
static enum mark mark_of(
	const struct model *m, const struct buffer *b, const uint8_t *person, uint64_t now)
{
	enum mark here = ranks_of(&b->ranks, person, now);
	enum mark server = ranks_of(&m->operators, person, now);

	return server > here ? server : here;
}

void model_mark_people(struct model *m, struct buffer *b)
{
	uint64_t now = clock_wall_us();

	for (size_t i = 0; i < b->roster.count; i++) {
		struct roster_person *p = &b->roster.people[i];
		/* Of a list that is out of date, not even that is known. */
		p->mark = b->listed ? mark_of(m, b, p->person, now) : MARK_NONE;
	}
	b->marks_until = ranks_until(&b->ranks, now);
}

void model_mark_person(struct model *m, struct buffer *b, const char *nick)
{
	struct roster_person *p = roster_find(&b->roster, nick);

	if (p)
		p->mark = b->listed ? mark_of(m, b, p->person, clock_wall_us()) : MARK_NONE;
}

int model_on_ranks(struct model *m, const struct event *e)
{
	bool server = model_or_empty(e->room)[0] == '\0';
	struct buffer *b = server ? NULL : model_room(m, e->room);

	if (!server && !b)
		return 0;
	int err = ranks_take(server ? &m->operators : &b->ranks, e->standings, e->count, server);
	if (b) {
		b->ranks.entry = e->kind;
		b->ranks.moderated = e->flag;
		b->ranks.slow = e->number;
		b->ranks.fresh = err == 0 && e->own;
	}
	for (size_t i = 0; i < m->count; i++) {
		if (server || m->buffers[i] == b)
			model_mark_people(m, m->buffers[i]);
	}
	return err;
}

void model_doubt_ranks(struct model *m, const struct buffer *room)
{
	for (size_t i = 0; i < m->count; i++) {
		if (!room || m->buffers[i] == room)
			m->buffers[i]->ranks.fresh = false;
	}
}

/* As the server has it (docs/PROTOCOL.md section 16): a mute holds moderators as well, but no owner. */
const char *model_silenced(const struct model *m, const struct buffer *b)
{
	uint64_t now = clock_wall_us();
	enum mark mark = mark_of(m, b, m->me, now);

	if (!b->ranks.fresh || mark == MARK_OWNER || mark == MARK_OPERATOR)
		return NULL;
	if (ranks_are(&b->ranks, STANDING_MUTED, m->me, now))
		return "You are muted here.";
	if (b->ranks.moderated && mark != MARK_MODERATOR && mark != MARK_VOICE)
		return "Only those with a voice may speak here.";
	return NULL;
}

uint64_t model_marks_until(const struct model *m)
{
	uint64_t until = UINT64_MAX;

	for (size_t i = 0; i < m->count; i++) {
		if (m->buffers[i]->kind == BUFFER_ROOM && m->buffers[i]->marks_until < until)
			until = m->buffers[i]->marks_until;
	}
	return until;
}

void model_tick(struct model *m)
{
	uint64_t now = clock_wall_us();

	for (size_t i = 0; i < m->count; i++) {
		if (m->buffers[i]->kind == BUFFER_ROOM && m->buffers[i]->marks_until <= now)
			model_mark_people(m, m->buffers[i]);
	}
}
