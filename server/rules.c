#include "server/rules.h"

#include "common/name.h"

#include <string.h>

static const struct charter nothing;

static const struct charter *server_of(const struct rules *r)
{
	return r->server ? r->server : &nothing;
}

static const struct charter *room_of(const struct rules *r)
{
	return r->room ? r->room : &nothing;
}

enum rank rules_rank(const struct rules *r, const uint8_t *person)
{
	if (!person)
		return RANK_NONE;
	if (charter_find(server_of(r), STANDING_MODERATOR, person, 0))
		return RANK_OPERATOR;
	if (charter_find(room_of(r), STANDING_OWNER, person, 0))
		return RANK_OWNER;
	return charter_find(room_of(r), STANDING_MODERATOR, person, 0) ? RANK_MODERATOR : RANK_NONE;
}

static bool is_banned(const struct charter *c, const struct visitor *v, uint64_t time)
{
	return (v->person && charter_find(c, STANDING_BANNED, v->person, time)) ||
	       (v->address && charter_find_address(c, v->address, time));
}

enum code rules_enter(const struct rules *r, const struct visitor *v, uint64_t time)
{
	const struct charter *room = room_of(r);
	bool invited = v->person && charter_find(room, STANDING_INVITED, v->person, time);

	if (rules_rank(r, v->person) != RANK_NONE)
		return CODE_NONE;
	if (room->damaged)
		return CODE_ROOM_DAMAGED;
	if (is_banned(room, v, time))
		return CODE_BANNED;
	if (room->entry == ENTRY_OPEN || invited || (v->member && v->person))
		return CODE_NONE;
	if (room->entry == ENTRY_KEY)
		return v->key ? CODE_NONE : CODE_KEY_WANTED;
	return CODE_NOT_INVITED;
}

bool rules_is_private(const struct rules *r)
{
	return room_of(r)->entry != ENTRY_OPEN;
}

/* A moderator may be muted like everybody else, by whoever is above. */
static bool is_muted(const struct rules *r, enum rank rank, const uint8_t *person, uint64_t time)
{
	return person && rank < RANK_OWNER &&
	       charter_find(room_of(r), STANDING_MUTED, person, time);
}

enum code rules_speak(const struct rules *r, const uint8_t *person, uint64_t time)
{
	const struct charter *room = room_of(r);

	if (room->count == 0 && !room->moderated && !room->damaged)
		return CODE_NONE;
	enum rank rank = rules_rank(r, person);
	bool muted = is_muted(r, rank, person, time);
	if (rank != RANK_NONE && !muted)
		return CODE_NONE;
	if (room->damaged)
		return CODE_ROOM_DAMAGED;
	if (person && charter_find(room, STANDING_BANNED, person, time))
		return CODE_BANNED;
	if (muted)
		return CODE_MUTED;
	if (room->moderated && !(person && charter_find(room, STANDING_VOICE, person, time)))
		return CODE_MODERATED;
	return CODE_NONE;
}

/* ---- acts ---- */

enum subject {
	NOBODY,
	ONESELF,
	SOMEBODY,
	ANY_ONE, /* a person, or a range of addresses */
};

/* What a verb needs. */
struct demand {
	uint64_t most; /* the highest value */
	enum act_verb verb;
	enum rank rank, rank_on_server; /* at least */
	enum subject subject;
	bool on_server, on_room;
	bool against; /* it is done to somebody of a lower rank */
};

static const struct demand demands[] = {
	{0, ACT_OPERATOR, RANK_OPERATOR, RANK_OPERATOR, SOMEBODY, true, false, false},
	{0, ACT_NO_OPERATOR, RANK_OPERATOR, RANK_OPERATOR, SOMEBODY, true, false, false},
	/* The server has seen that the room is new, or the code that makes an operator. */
	{0, ACT_TAKE, RANK_NONE, RANK_OPERATOR, ONESELF, false, true, false},
	{0, ACT_PROVE, RANK_OPERATOR, RANK_NONE, ONESELF, true, false, false},
	{0, ACT_OWNER, RANK_OWNER, RANK_OPERATOR, SOMEBODY, false, true, false},
	{0, ACT_MODERATOR, RANK_OWNER, RANK_OPERATOR, SOMEBODY, false, true, false},
	{0, ACT_NO_MODERATOR, RANK_OWNER, RANK_OPERATOR, SOMEBODY, false, true, false},
	{0, ACT_VOICE, RANK_MODERATOR, RANK_OPERATOR, SOMEBODY, false, true, false},
	{0, ACT_NO_VOICE, RANK_MODERATOR, RANK_OPERATOR, SOMEBODY, false, true, false},
	{0, ACT_KICK, RANK_MODERATOR, RANK_OPERATOR, SOMEBODY, true, true, true},
	{INT64_MAX, ACT_BAN, RANK_MODERATOR, RANK_OPERATOR, ANY_ONE, true, true, true},
	{0, ACT_UNBAN, RANK_MODERATOR, RANK_OPERATOR, ANY_ONE, true, true, false},
	{INT64_MAX, ACT_MUTE, RANK_MODERATOR, RANK_OPERATOR, SOMEBODY, false, true, true},
	{0, ACT_UNMUTE, RANK_MODERATOR, RANK_OPERATOR, SOMEBODY, false, true, true},
	{0, ACT_INVITE, RANK_MODERATOR, RANK_OPERATOR, SOMEBODY, false, true, false},
	{0, ACT_UNINVITE, RANK_MODERATOR, RANK_OPERATOR, SOMEBODY, false, true, false},
	{ENTRY_INVITED, ACT_ENTRY, RANK_OWNER, RANK_OPERATOR, NOBODY, false, true, false},
	{1, ACT_MODERATED, RANK_MODERATOR, RANK_OPERATOR, NOBODY, false, true, false},
	{SLOW_MAX, ACT_SLOW, RANK_MODERATOR, RANK_OPERATOR, NOBODY, false, true, false},
};

static const struct demand *demand_of(enum act_verb verb)
{
	for (size_t i = 0; i < sizeof(demands) / sizeof(demands[0]); i++) {
		if (demands[i].verb == verb)
			return &demands[i];
	}
	return NULL;
}

/* Does what it says make sense, whoever says it? */
static bool makes_sense(const struct demand *d, bool on_server, const struct act *a)
{
	struct net_range range;

	if (!(on_server ? d->on_server : d->on_room) || a->value > d->most)
		return false;
	switch (d->subject) {
	case NOBODY:
		if (a->verb == ACT_ENTRY && (a->value == ENTRY_KEY) != (a->text.length > 0))
			return false;
		return !a->has_person && !*a->label;
	case ONESELF: /* see rules_act */
	case SOMEBODY:
		return a->has_person;
	case ANY_ONE:
		return a->has_person || net_range_parse(a->label, &range) == 0;
	}
	return false;
}

/* One may always give up what one is oneself. Who is nothing there gives up nothing. */
static bool gives_up(const struct charter *c, const uint8_t *actor, const struct act *a)
{
	return (a->verb == ACT_NO_MODERATOR || a->verb == ACT_NO_OPERATOR) && a->has_person &&
	       memcmp(actor, a->person, PERSON_ID) == 0 &&
	       charter_find(c, STANDING_MODERATOR, actor, 0);
}

/* Has the actor the right, whatever it makes of the place? */
static enum code ask_right(const struct rules *r, const struct demand *d, bool on_server,
	const uint8_t *actor, const struct act *a, uint64_t time)
{
	const struct charter *changed = on_server ? server_of(r) : room_of(r);
	enum rank rank = rules_rank(r, actor);

	if (a->verb == ACT_TAKE)
		return r->common || r->said || !charter_is_empty(changed) ? CODE_NO_RIGHT
									  : CODE_NONE;
	if (a->verb == ACT_OWNER && r->common)
		return CODE_NO_RIGHT;
	/* Why somebody does something is read in the room: no words of who must not speak there. */
	bool wordless = on_server || !a->text.length || !is_muted(r, rank, actor, time);
	if (gives_up(changed, actor, a))
		return wordless ? CODE_NONE : CODE_MUTED;
	if (rank < (on_server ? d->rank_on_server : d->rank))
		return CODE_NO_RIGHT;
	if (!on_server && !r->known && !r->common)
		return CODE_NO_SUCH_ROOM;
	if (d->against && a->has_person && rules_rank(r, a->person) >= rank)
		return CODE_NO_RIGHT;
	return wordless ? CODE_NONE : CODE_MUTED;
}

const uint8_t *rules_new_owner(const struct act *a)
{
	bool makes = a->verb == ACT_TAKE || a->verb == ACT_OWNER;

	return makes && a->has_person ? a->person : NULL;
}

enum code rules_act(const struct rules *r, bool on_server, const uint8_t *actor,
	const struct act *a, uint64_t time)
{
	const struct demand *d = demand_of(a->verb);
	const struct charter *changed = on_server ? server_of(r) : room_of(r);
	enum rank rank = rules_rank(r, actor);

	if (!d || !makes_sense(d, on_server, a) ||
		(d->subject == ONESELF && memcmp(actor, a->person, PERSON_ID) != 0))
		return CODE_BAD_VALUE;
	/* Nothing is added to what nobody can read. */
	if (changed->damaged && (rank != RANK_OPERATOR || a->verb != ACT_ENTRY))
		return CODE_ROOM_DAMAGED;
	enum code code = ask_right(r, d, on_server, actor, a, time);
	if (code != CODE_NONE)
		return code;
	if (!charter_changes(changed, a, time))
		return CODE_NO_CHANGE;
	/* Whoever owns this one already does not come so far. */
	if (rules_new_owner(a) && r->owned_most && r->owned >= r->owned_most)
		return CODE_TOO_MANY_OWNED;
	return charter_has_room(changed, a, time) ? CODE_NONE : CODE_LIST_FULL;
}

/* ---- nicks ---- */

enum code rules_name(const struct charter *server, const struct name_owners *owners,
	const uint8_t *actor, const struct act *a)
{
	const struct rules r = {.server = server};
	bool others = false, any = false;

	for (size_t i = 0; i < LOOKS_MAX; i++) {
		any = any || owners->owned[i];
		others = others ||
			 (owners->owned[i] && memcmp(owners->owner[i], actor, PERSON_ID) != 0);
	}
	if (a->verb == ACT_RELEASE) {
		if (!owners->owned[0])
			return CODE_NO_SUCH_NICK;
		bool own = memcmp(owners->owner[0], actor, PERSON_ID) == 0;
		return own || rules_rank(&r, actor) == RANK_OPERATOR ? CODE_NONE : CODE_NO_RIGHT;
	}
	if (a->verb != ACT_CLAIM || name_check(a->label, strlen(a->label), NICK_MAX) != 0)
		return CODE_BAD_VALUE;
	if (others)
		return CODE_NICK_TAKEN;
	return any || owners->mine < NICKS_EACH ? CODE_NONE : CODE_NICKS_FULL;
}
