#include "server/memory_acts.h"

#include "common/err.h"
#include "server/rules.h"

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
};

struct owned_nick {
	struct owner *owner;
	char nick[NICK_MAX + 1];
	size_t look_count;
	struct nick_look *looks[LOOKS_MAX]; /* owned */
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

static const struct owned_nick *find_look(const struct memory_acts *m, const char *look)
{
	const struct nick_look *l = tree_find(&m->looks, look);

	return l ? l->nick : NULL;
}

static void free_nick(struct memory_acts *m, struct owned_nick *n)
{
	for (size_t i = 0; i < n->look_count; i++) {
		tree_remove(&m->looks, n->looks[i]);
		free(n->looks[i]);
	}
	if (n->owner) {
		n->owner->nicks--;
		forget_if_poor(m, n->owner);
	}
	free(n);
}

static void forget_nick(struct memory_acts *m, struct owned_nick *n)
{
	TAILQ_REMOVE(&m->all_nicks, n, all);
	m->nick_count--;
	free_nick(m, n);
}

static void release(struct memory_acts *m, const struct looks *looks)
{
	for (size_t i = 0; i < looks->count; i++) {
		struct nick_look *l = tree_find(&m->looks, looks->at[i]);
		if (l)
			forget_nick(m, l->nick);
	}
}

/* One more nick of somebody. */
static struct owner *hold_owner(struct memory_acts *m, const uint8_t *person)
{
	struct owner *o = need_owner(m, person);

	if (o)
		o->nicks++;
	return o;
}

/* A key as long as the tree takes it. */
static struct nick_look *add_look(struct memory_acts *m, const char *look)
{
	char key[LOOK_MAX] = "";

	memcpy(key, look, strlen(look));
	return tree_add(&m->looks, key, sizeof(key), sizeof(struct nick_look));
}

/* Make the looks that there are not yet, of nobody; `*made` of them are to be taken back if it fails. */
static int make_looks(
	struct memory_acts *m, const struct looks *looks, struct nick_look *fresh[], size_t *made)
{
	for (size_t i = 0; i < looks->count; i++) {
		if (tree_find(&m->looks, looks->at[i]))
			continue;
		struct nick_look *l = add_look(m, looks->at[i]);
		if (!l)
			return ERR_MEMORY;
		fresh[(*made)++] = l;
	}
	return 0;
}

/* Take a look from the nick that had it, if any did, for another. */
static struct owned_nick *move_look(struct nick_look *l, struct owned_nick *to)
{
	struct owned_nick *from = l->nick;

	for (size_t i = 0; from && i < from->look_count; i++) {
		if (from->looks[i] == l)
			from->looks[i] = from->looks[--from->look_count];
	}
	l->nick = to;
	to->looks[to->look_count++] = l;
	return from;
}

/* Nothing fails any more. They may have it already, written otherwise: that is a nick no longer. */
static void move_looks(struct memory_acts *m, const struct looks *looks, struct owned_nick *n)
{
	struct owned_nick *before[LOOKS_MAX] = {NULL};

	for (size_t i = 0; i < looks->count; i++)
		before[i] = move_look(tree_find(&m->looks, looks->at[i]), n);
	for (size_t i = 0; i < looks->count; i++) {
		bool again = false;
		for (size_t j = 0; j < i; j++)
			again = again || before[j] == before[i];
		if (before[i] && !again)
			forget_nick(m, before[i]);
	}
}

static int claim(struct memory_acts *m, const uint8_t *person, const struct act *a,
	const struct looks *looks)
{
	struct owned_nick *n = calloc(1, sizeof(*n));
	struct nick_look *fresh[LOOKS_MAX];
	size_t made = 0;

	if (!n)
		return ERR_MEMORY;
	n->owner = hold_owner(m, person);
	if (!n->owner || make_looks(m, looks, fresh, &made) != 0) {
		while (made > 0)
			n->looks[n->look_count++] = fresh[--made];
		free_nick(m, n);
		return ERR_MEMORY;
	}
	move_looks(m, looks, n);
	memcpy(n->nick, a->label, strlen(a->label) < NICK_MAX ? strlen(a->label) : NICK_MAX);
	TAILQ_INSERT_TAIL(&m->all_nicks, n, all);
	m->nick_count++;
	return 0;
}

int memory_acts_owner(const struct memory_acts *m, const struct looks *looks,
	uint8_t person[PERSON_ID], char nick[NICK_MAX + 1])
{
	for (size_t i = 0; i < looks->count; i++) {
		const struct owned_nick *n = find_look(m, looks->at[i]);
		if (!n)
			continue;
		memcpy(person, n->owner->person, PERSON_ID);
		memcpy(nick, n->nick, sizeof(n->nick));
		return 0;
	}
	return ERR_NOT_FOUND;
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
