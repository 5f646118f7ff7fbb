#include "server/engine.h"

#include "common/err.h"

#include <string.h>

int stream_key_room(const char *name, size_t length, struct stream_key *key)
{
	char folded[NAME_FOLDED_MAX];
	struct stream_key k;

	int r = name_check(name, length, ROOM_NAME_MAX);
	if (r == 0)
		r = name_fold(name, length, folded);
	if (r)
		return r;
	size_t n = strlen(folded);
	if (n + 1 > sizeof(k.bytes))
		return ERR_TOO_BIG;
	k.length = (uint8_t)(n + 1);
	k.bytes[0] = 'r';
	memcpy(k.bytes + 1, folded, n);
	*key = k;
	return 0;
}

void stream_key_inbox(const uint8_t person[PERSON_ID], struct stream_key *key)
{
	key->length = 1 + PERSON_ID;
	key->bytes[0] = 'i';
	memcpy(key->bytes + 1, person, PERSON_ID);
}

static void special(char kind, struct stream_key *key)
{
	*key = (struct stream_key){.length = 2, .bytes = {(uint8_t)kind, '*'}};
}

void stream_key_acts(const struct stream_key *room, struct stream_key *key)
{
	if (!room) {
		special('m', key);
		return;
	}
	*key = *room;
	key->bytes[0] = 'm';
}

void stream_key_nicks(struct stream_key *key)
{
	special('n', key);
}

void stream_key_server(struct stream_key *key)
{
	special('s', key);
}

bool stream_key_subject(const struct stream_key *acts, struct stream_key *subject)
{
	if (acts->length < 2 || acts->bytes[0] != 'm')
		return false;
	*subject = *acts;
	/* No name begins with an asterisk. */
	subject->bytes[0] = acts->bytes[1] == '*' ? 's' : 'r';
	return true;
}

bool stream_key_is_common(const struct stream_key *room)
{
	static const char name[] = "r" ROOM_COMMON;

	return room->length == sizeof(name) - 1 && memcmp(room->bytes, name, sizeof(name) - 1) == 0;
}

bool engine_counts(const struct log_entry *e)
{
	return e->kind == SAID_ACT && e->counter == 0;
}

bool engine_may_use(const struct log_entry *e)
{
	return e->kind == SAID_ACT || !act_instance_is(e->instance);
}

int stream_key_compare(const struct stream_key *a, const struct stream_key *b)
{
	size_t shorter = a->length < b->length ? a->length : b->length;
	int r = memcmp(a->bytes, b->bytes, shorter);

	return r ? r : (int)a->length - (int)b->length;
}

void engine_close(struct engine *e)
{
	if (e)
		e->class->close(e);
}

bool engine_shares(const struct engine *e, const uint8_t log_id[ENGINE_LOG_ID], uint64_t *upto)
{
	*upto = UINT64_MAX;
	if (memcmp(log_id, e->log_id, ENGINE_LOG_ID) == 0)
		return true;
	for (size_t i = 0; i < e->ancestor_count; i++) {
		if (memcmp(log_id, e->ancestors[i].log_id, ENGINE_LOG_ID) != 0)
			continue;
		*upto = e->ancestors[i].upto;
		return true;
	}
	return false;
}

int engine_append(struct engine *e, struct log_entry *entries, size_t count, int64_t deadline,
	struct append_result *results)
{
	return e->class->append(e, entries, count, deadline, results);
}

int engine_settled(struct engine *e, const uint8_t *instance, const uint8_t *person,
	uint64_t counter, struct append_result *result)
{
	return e->class->settled(e, instance, person, counter, result);
}

uint64_t engine_accepted(struct engine *e, const uint8_t *instance, const uint8_t *person)
{
	return e->class->accepted(e, instance, person);
}

int engine_range(struct engine *e, const struct stream_key *key, uint64_t after, uint64_t upto,
	engine_reader *reader, void *context, uint64_t *pruned)
{
	return e->class->range(e, key, after, upto, reader, context, pruned);
}

int engine_last(struct engine *e, const struct stream_key *key, uint32_t count, uint64_t *last,
	uint64_t *after)
{
	return e->class->last(e, key, count, last, after);
}

int engine_before(struct engine *e, const struct stream_key *key, uint64_t before, uint32_t count,
	uint64_t *after)
{
	return e->class->before(e, key, before, count, after);
}

int engine_since(struct engine *e, const struct stream_key *key, uint64_t time, uint64_t *after)
{
	return e->class->since(e, key, time, after);
}

int engine_search(struct engine *e, const struct search *what, engine_reader *reader, void *context)
{
	return e->class->search(e, what, reader, context);
}

int engine_room(struct engine *e, const struct stream_key *key, struct room_record *out)
{
	return e->class->room(e, key, out);
}

int engine_rooms(struct engine *e, const struct stream_key *after, bool all, uint32_t limit,
	engine_room_reader *reader, void *context)
{
	return e->class->rooms(e, after, all, limit, reader, context);
}

int engine_note(struct engine *e, const struct note *n)
{
	return e->class->note(e, n);
}

/* A batch of nothing is done when what was taken with it is. Without a disk a note is kept at once. */
int engine_note_kept(struct engine *e, const struct note *n, int64_t deadline)
{
	int r = engine_note(e, n);

	return r == 0 && e->class->kept ? engine_append(e, NULL, 0, deadline, NULL) : r;
}

int engine_places(
	struct engine *e, const uint8_t *person, engine_place_reader *reader, void *context)
{
	return e->class->places(e, person, reader, context);
}

/* A reader: is it this place, and are they a member there? */
struct membership {
	const struct stream_key *key;
	bool member;
};

static bool look_for(void *context, const struct place *p)
{
	struct membership *m = context;
	bool here = stream_key_compare(p->stream, m->key) == 0;

	m->member = here && p->member;
	return !here;
}

bool engine_is_member(
	struct engine *e, const uint8_t person[PERSON_ID], const struct stream_key *room)
{
	struct membership m = {.key = room};

	(void)engine_places(e, person, look_for, &m);
	return m.member;
}

int engine_read_position(
	struct engine *e, const uint8_t *person, const struct stream_key *key, uint64_t *seq)
{
	return e->class->read_position(e, person, key, seq);
}

int engine_person(
	struct engine *e, const char *folded, uint8_t person[PERSON_ID], char nick[NICK_MAX + 1])
{
	return e->class->person(e, folded, person, nick);
}

int engine_charter(struct engine *e, const struct stream_key *key, struct charter *out)
{
	return e->class->charter(e, key, out);
}

int engine_owner(
	struct engine *e, const char *look, uint8_t person[PERSON_ID], char nick[NICK_MAX + 1])
{
	return e->class->owner(e, look, person, nick);
}

enum engine_health engine_health(struct engine *e)
{
	return e->class->health(e);
}

void engine_stats(struct engine *e, struct engine_stats *out)
{
	e->class->stats(e, out);
}
