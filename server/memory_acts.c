#include "server/memory_acts.h"

#include "common/err.h"
#include "server/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STANDINGS_A_ROOM 2 /* on average */

/* How much somebody owns; they are here while they own anything. */
struct owner {
	uint8_t person[PERSON_ID]; /* first: its key in the tree */
	unsigned nicks, rooms;
};

struct ruled_room {
	struct stream_key key; /* first: its key in the tree */
	struct charter charter;
	struct owner *owner; /* the charter's; NULL: nobody */
	TAILQ_ENTRY(ruled_room) all;
};

/* One look of a nick. */
struct nick_look {
	char look[LOOK_MAX]; /* first: its key in the tree */
	struct owned_nick *nick;
	TAILQ_ENTRY(nick_look) same; /* of the same nick */
};

/* A nick, and the looks of all spellings that its owner has used for it. */
struct owned_nick {
	struct owner *owner;
	char nick[NICK_MAX + 1]; /* as they wrote it last */
	size_t look_count;
	TAILQ_HEAD(look_list, nick_look) looks; /* owned */
	TAILQ_ENTRY(owned_nick) all;
};

static int compare_rooms(const void *a, const void *b)
{
	return stream_key_compare(a, b);
}

static int compare_looks(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int compare_owners(const void *a, const void *b)
{
	return memcmp(a, b, PERSON_ID);
}

/* ---- owners ---- */

/* Somebody who may own nothing yet. NULL when memory is out. */
static struct owner *need_owner(struct memory_acts *m, const uint8_t *person)
{
	struct owner *o = tree_find(&m->owners, person);

	return o ? o : tree_add(&m->owners, person, PERSON_ID, sizeof(*o));
}

static void forget_if_poor(struct memory_acts *m, struct owner *o)
{
	if (o->nicks > 0 || o->rooms > 0)
		return;
	tree_remove(&m->owners, o);
	free(o);
}

/* ---- charters ---- */

/* `to`: NULL for nobody. */
static void pass_room(struct memory_acts *m, struct ruled_room *room, struct owner *to)
{
	struct owner *from = room->owner;

	if (to)
		to->rooms++;
	room->owner = to;
	if (from) {
		from->rooms--;
		forget_if_poor(m, from);
	}
}

static void forget_room(struct memory_acts *m, struct ruled_room *room)
{
	pass_room(m, room, NULL);
	m->standings -= room->charter.count;
	TAILQ_REMOVE(&m->all_rooms, room, all);
	m->room_count--;
	tree_remove(&m->rooms, room);
	charter_fini(&room->charter);
	free(room);
}

static struct ruled_room *add_room(struct memory_acts *m, const struct stream_key *key)
{
	struct ruled_room *room = tree_add(&m->rooms, key, sizeof(*key), sizeof(*room));

	if (!room)
		return NULL;
	TAILQ_INSERT_TAIL(&m->all_rooms, room, all);
	m->room_count++;
	return room;
}

/* Apply an act to a charter that is there. */
static int change_charter(
	struct memory_acts *m, struct ruled_room *room, const struct act *a, uint64_t time)
{
	const uint8_t *to = rules_new_owner(a);
	struct owner *next = to ? need_owner(m, to) : NULL;

	if (to && !next)
		return ERR_MEMORY;
	size_t before = room->charter.count;
	int r = charter_apply(&room->charter, a, time);
	m->standings += room->charter.count - before;
	const uint8_t *owner = charter_owner(&room->charter);
	pass_room(m, room, owner ? tree_find(&m->owners, owner) : NULL);
	if (r && next)
		forget_if_poor(m, next);
	return r;
}

static int change_room(
	struct memory_acts *m, const struct stream_key *key, const struct act *a, uint64_t time)
{
	struct ruled_room *room = tree_find(&m->rooms, key);
	bool new = !room;

	if (new && !(room = add_room(m, key)))
		return ERR_MEMORY;
	int r = change_charter(m, room, a, time);
	if (r && new)
		forget_room(m, room);
	return r;
}

int memory_acts_charter(
	const struct memory_acts *m, const struct stream_key *key, struct charter *out)
{
	const struct ruled_room *room = tree_find(&m->rooms, key);

	*out = (struct charter){0};
	if (key->bytes[0] == 's')
		return charter_copy(&m->server, out);
	return room ? charter_copy(&room->charter, out) : 0;
}

bool memory_acts_closed(const struct memory_acts *m, const struct stream_key *key)
{
	const struct ruled_room *room = tree_find(&m->rooms, key);

	return room && room->charter.entry != ENTRY_OPEN;
}

/* ---- nicks ---- */

static struct owned_nick *find_look(const struct memory_acts *m, const char *look)
{
	const struct nick_look *l = tree_find(&m->looks, look);

	return l ? l->nick : NULL;
}

static void drop_look(struct memory_acts *m, struct nick_look *l)
{
	TAILQ_REMOVE(&l->nick->looks, l, same);
	l->nick->look_count--;
	m->look_count--;
	tree_remove(&m->looks, l);
	free(l);
}

static void forget_nick(struct memory_acts *m, struct owned_nick *n)
{
	while (!TAILQ_EMPTY(&n->looks))
		drop_look(m, TAILQ_FIRST(&n->looks));
	TAILQ_REMOVE(&m->all_nicks, n, all);
	m->nick_count--;
	n->owner->nicks--;
	forget_if_poor(m, n->owner);
	free(n);
}

/* The nick itself, with the looks of all its spellings: another one may look like a spelling of it. */
static void release(struct memory_acts *m, const struct looks *looks)
{
	struct owned_nick *n = find_look(m, looks->at[0]);

	if (n)
		forget_nick(m, n);
}

/* One more nick of somebody, of no looks yet. NULL when memory is out. */
static struct owned_nick *add_nick(struct memory_acts *m, const uint8_t *person)
{
	struct owned_nick *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->owner = need_owner(m, person);
	if (!n->owner) {
		free(n);
		return NULL;
	}
	n->owner->nicks++;
	TAILQ_INIT(&n->looks);
	TAILQ_INSERT_TAIL(&m->all_nicks, n, all);
	m->nick_count++;
	return n;
}

static int add_look(struct memory_acts *m, const char *look, struct owned_nick *n)
{
	char key[LOOK_MAX] = ""; /* as long as the tree takes it */

	memcpy(key, look, strlen(look));
	struct nick_look *l = tree_add(&m->looks, key, sizeof(key), sizeof(*l));
	if (!l)
		return ERR_MEMORY;
	l->nick = n;
	TAILQ_INSERT_TAIL(&n->looks, l, same);
	n->look_count++;
	m->look_count++;
	return 0;
}

/* Give a nick the looks that nobody has yet. ERR_MEMORY: none. */
static int add_looks(struct memory_acts *m, const struct looks *looks, struct owned_nick *n)
{
	size_t before = n->look_count;
	int r = 0;

	for (size_t i = 0; i < looks->count && r == 0; i++) {
		if (!find_look(m, looks->at[i]))
			r = add_look(m, looks->at[i], n);
	}
	while (r && n->look_count > before)
		drop_look(m, TAILQ_LAST(&n->looks, look_list));
	return r;
}

/* Two nicks of one owner pass for each other: they are one from now on. */
static void merge(struct memory_acts *m, struct owned_nick *from, struct owned_nick *to)
{
	for (struct nick_look *l = TAILQ_FIRST(&from->looks); l; l = TAILQ_NEXT(l, same))
		l->nick = to;
	TAILQ_CONCAT(&to->looks, &from->looks, same);
	to->look_count += from->look_count;
	from->look_count = 0;
	forget_nick(m, from);
}

/* Of the looks that a spelling has not, the first in their order; NULL. */
static struct nick_look *first_other(const struct owned_nick *n, const struct looks *looks)
{
	struct nick_look *first = NULL;

	for (struct nick_look *l = TAILQ_FIRST(&n->looks); l; l = TAILQ_NEXT(l, same)) {
		bool has = false;
		for (size_t i = 0; i < looks->count; i++)
			has = has || strcmp(looks->at[i], l->look) == 0;
		if (!has && (!first || strcmp(l->look, first->look) < 0))
			first = l;
	}
	return first;
}

/* Let go of looks that are too many, not of those of the spelling of today. */
static void trim(struct memory_acts *m, struct owned_nick *n, const struct looks *looks)
{
	struct nick_look *other;

	while ((n->look_count > NICK_LOOKS || m->look_count > LOOKS_MAX * m->most) &&
		(other = first_other(n, looks)) != NULL)
		drop_look(m, other);
}

/* They may have it already, written otherwise: then others who look like that are kept out as before. */
static int claim(struct memory_acts *m, const uint8_t *person, const struct act *a,
	const struct looks *looks)
{
	struct owned_nick *n = NULL;

	for (size_t i = 0; i < looks->count && !n; i++)
		n = find_look(m, looks->at[i]);
	bool new = !n;
	if (new && !(n = add_nick(m, person)))
		return ERR_MEMORY;
	int r = add_looks(m, looks, n);
	if (r) {
		if (new)
			forget_nick(m, n);
		return r;
	}
	for (size_t i = 0; i < looks->count; i++) {
		struct owned_nick *also = find_look(m, looks->at[i]);
		if (also != n)
			merge(m, also, n);
	}
	trim(m, n, looks);
	snprintf(n->nick, sizeof(n->nick), "%.*s", NICK_MAX, a->label);
	return 0;
}

int memory_acts_owner(const struct memory_acts *m, const char *look, uint8_t person[PERSON_ID],
	char nick[NICK_MAX + 1])
{
	const struct owned_nick *n = find_look(m, look);

	if (!n)
		return ERR_NOT_FOUND;
	memcpy(person, n->owner->person, PERSON_ID);
	memcpy(nick, n->nick, sizeof(n->nick));
	return 0;
}

/* ---- acts ---- */

static enum code decide_name(
	const struct memory_acts *m, const struct log_entry *e, const struct act *a)
{
	const struct owner *me = tree_find(&m->owners, e->person);
	struct name_owners owners = {.mine = me ? me->nicks : 0};
	struct looks looks;

	if (looks_of(a->label, strlen(a->label), &looks) != 0)
		return CODE_BAD_VALUE;
	for (size_t i = 0; i < looks.count; i++) {
		const struct owned_nick *n = find_look(m, looks.at[i]);
		owners.owned[i] = n != NULL;
		if (n)
			memcpy(owners.owner[i], n->owner->person, PERSON_ID);
	}
	enum code code = rules_name(&m->server, &owners, e->person, a);
	bool new = a->verb == ACT_CLAIM && !owners.owned[0] && !owners.owned[1];
	return code == CODE_NONE && new && m->nick_count >= m->most ? CODE_LIST_FULL : code;
}

/* How many rooms whom the act makes an owner owns already. */
static uint32_t count_owned(const struct memory_acts *m, const struct act *a)
{
	const uint8_t *person = rules_new_owner(a);
	const struct owner *o = person ? tree_find(&m->owners, person) : NULL;

	return o ? o->rooms : 0;
}

static enum code decide_act(const struct memory_acts *m, const struct log_entry *e, bool said)
{
	struct rules rules = {.server = &m->server, .said = said};
	struct stream_key subject;
	struct act a;

	if (!e->room || act_parse(e->text, &a) != 0 ||
		(e->room->bytes[0] == 'n') != act_is_about_nick(&a))
		return CODE_BAD_VALUE;
	if (act_is_about_nick(&a))
		return decide_name(m, e, &a);
	if (!stream_key_subject(e->room, &subject))
		return CODE_BAD_VALUE;
	const struct ruled_room *room = tree_find(&m->rooms, &subject);
	rules.room = room ? &room->charter : NULL;
	rules.known = room || said;
	rules.common = stream_key_is_common(&subject);
	rules.owned = count_owned(m, &a);
	rules.owned_most = e->owned_most;
	bool on_server = subject.bytes[0] == 's';
	static const struct charter nothing;
	const struct charter *changed = room ? &room->charter : &nothing;
	enum code code = rules_act(&rules, on_server, e->person, &a, e->clock);
	if (on_server || code != CODE_NONE)
		return code;
	bool full = (!room && m->room_count >= m->most) ||
		    (m->standings >= STANDINGS_A_ROOM * m->most && charter_adds(changed, &a));
	return full ? CODE_LIST_FULL : CODE_NONE;
}

enum code memory_acts_decide(const struct memory_acts *m, const struct log_entry *e, bool said)
{
	struct rules rules = {.server = &m->server};

	if (e->kind == SAID_ACT)
		return decide_act(m, e, said);
	const struct ruled_room *room = e->room ? tree_find(&m->rooms, e->room) : NULL;
	if (!room)
		return CODE_NONE;
	rules.room = &room->charter;
	return rules_speak(&rules, e->unproven ? NULL : e->person, e->clock);
}

int memory_acts_apply(struct memory_acts *m, const struct log_entry *e)
{
	struct stream_key subject;
	struct looks looks;
	struct act a;

	if (act_parse(e->text, &a) != 0)
		return ERR_TEXT;
	if (!act_is_about_nick(&a)) {
		if (!stream_key_subject(e->room, &subject))
			return ERR_TEXT;
		return subject.bytes[0] == 's' ? charter_apply(&m->server, &a, e->clock)
					       : change_room(m, &subject, &a, e->clock);
	}
	int r = looks_of(a.label, strlen(a.label), &looks);
	if (r == 0 && a.verb == ACT_CLAIM)
		return claim(m, e->person, &a, &looks);
	if (r == 0)
		release(m, &looks);
	return r;
}

/* ---- life ---- */

void memory_acts_init(struct memory_acts *m, size_t most)
{
	*m = (struct memory_acts){
		.most = most,
		.rooms = {.compare = compare_rooms},
		.looks = {.compare = compare_looks},
		.owners = {.compare = compare_owners},
	};
	TAILQ_INIT(&m->all_rooms);
	TAILQ_INIT(&m->all_nicks);
}

void memory_acts_fini(struct memory_acts *m)
{
	while (m->room_count > 0)
		forget_room(m, TAILQ_FIRST(&m->all_rooms));
	while (m->nick_count > 0)
		forget_nick(m, TAILQ_FIRST(&m->all_nicks));
	charter_fini(&m->server);
}
