#include "server/people.h"

#include "common/err.h"
#include "common/identity.h"
#include "common/lock.h"
#include "common/lookalike.h"
#include "common/name.h"
#include "common/net_range.h"
#include "common/text.h"

#include <assert.h>
#include <search.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBERS_TRIED 20    /* in turn, and then */
#define CHANCES_TRIED 5     /* by chance: each costs a look into the log */
#define CHANCES       90000 /* from 10000 on */

/* A person who is here. */
struct person {
	uint8_t id[PERSON_ID]; /* first: it stands for the whole in comparisons */
	struct feed *inbox;    /* counted */
	unsigned sessions;
	struct nick *nicks; /* theirs, linked; the one that a session took last comes first */
};

/* A nick that is in use. The tree has its folded form, by which it is compared, and which is shorter than
 * it could be by far: so it is the last. */
struct nick {
	struct person *person;
	struct nick *next; /* of the same person */
	unsigned sessions;
	char shown[NICK_MAX + 1];
	char folded[]; /* terminated */
};

struct people {
	struct engine *engine;         /* borrowed */
	struct segment_budget *budget; /* borrowed */
	struct lock lock;
	/* guarded by lock */
	void *persons; /* tsearch tree */
	void *nicks;   /* tsearch tree of their `folded` */
	uint32_t count;
};

static int compare_persons(const void *a, const void *b)
{
	return memcmp(a, b, PERSON_ID);
}

static struct nick *nick_of(void *folded)
{
	return (struct nick *)(void *)((char *)folded - offsetof(struct nick, folded));
}

static int compare_nicks(const void *a, const void *b)
{
	return strcmp(a, b);
}

struct people *people_new(struct engine *e, struct segment_budget *budget)
{
	struct people *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->engine = e;
	p->budget = budget;
	lock_init(&p->lock, LOCK_PEOPLE);
	return p;
}

static void free_person(void *person)
{
	struct person *x = person;

	feed_unref(x->inbox);
	free(x);
}

static void free_nick(void *folded)
{
	free(nick_of(folded));
}

void people_free(struct people *p)
{
	if (!p)
		return;
	tdestroy(p->nicks, free_nick);
	tdestroy(p->persons, free_person);
	lock_fini(&p->lock);
	free(p);
}

static struct person *find_person_locked(struct people *p, const uint8_t *id)
{
	lock_assert_held(&p->lock);
	void *found = tfind(id, &p->persons, compare_persons);
	return found ? *(struct person **)found : NULL;
}

static struct nick *find_nick_locked(struct people *p, const char *folded)
{
	lock_assert_held(&p->lock);
	void *found = tfind(folded, &p->nicks, compare_nicks);
	return found ? nick_of(*(char **)found) : NULL;
}

/* ---- persons ---- */

static struct person *add_person_locked(struct people *p, const uint8_t *id)
{
	struct stream_key key;
	uint64_t last = 0, after;

	struct person *person = calloc(1, sizeof(*person));
	if (!person)
		return NULL;
	memcpy(person->id, id, PERSON_ID);
	stream_key_inbox(id, &key);
	/* What is applied meanwhile waits for this lock to find the inbox, and what the feed has been
	 * told of here it does not publish again. */
	int r = engine_last(p->engine, &key, 0, &last, &after);
	/* From a place that is not known, what was missed would be passed over. */
	person->inbox = r == 0 ? feed_new(&key, "", p->budget, last) : NULL;
	if (!person->inbox || !tsearch(person, &p->persons, compare_persons)) {
		free_person(person);
		return NULL;
	}
	p->count++;
	return person;
}

static void release_person_locked(struct people *p, struct person *person)
{
	lock_assert_held(&p->lock);
	if (--person->sessions > 0)
		return;
	tdelete(person, &p->persons, compare_persons);
	p->count--;
	free_person(person);
}

/* ---- nicks ---- */

static void unlink_nick(struct nick *n)
{
	struct nick **at = &n->person->nicks;

	while (*at && *at != n)
		at = &(*at)->next;
	if (*at)
		*at = n->next;
}

static void link_first(struct nick *n)
{
	unlink_nick(n);
	n->next = n->person->nicks;
	n->person->nicks = n;
}

/* One more session of `person` has this nick; NULL when memory is out. */
static struct nick *hold_nick_locked(
	struct people *p, struct person *person, const char *folded, const char *shown)
{
	struct nick *n = find_nick_locked(p, folded);

	if (!n) {
		size_t length = strlen(folded) + 1;
		n = calloc(1, sizeof(*n) + length);
		if (!n)
			return NULL;
		memcpy(n->folded, folded, length);
		n->person = person;
		if (!tsearch(n->folded, &p->nicks, compare_nicks)) {
			free(n);
			return NULL;
		}
	}
	assert(n->person == person);
	snprintf(n->shown, sizeof(n->shown), "%s", shown);
	link_first(n);
	n->sessions++;
	return n;
}

static void release_nick_locked(struct people *p, const char *shown)
{
	char folded[NAME_FOLDED_MAX];

	lock_assert_held(&p->lock);
	int r = name_fold(shown, strlen(shown), folded);
	assert(r == 0);
	struct nick *n = find_nick_locked(p, folded);
	assert(r == 0 && n);
	if (--n->sessions > 0)
		return;
	tdelete(n->folded, &p->nicks, compare_nicks);
	unlink_nick(n);
	free(n);
}

/* Fold a wanted nick; CODE_BAD_NICK where it cannot be one. */
static enum code fold(const char *text, size_t length, char *folded)
{
	struct net_range range;

	if (name_check(text, length, NICK_MAX) != 0 || name_fold(text, length, folded) != 0)
		return CODE_BAD_NICK;
	/* Whoever is called like addresses cannot be banned by name. */
	return net_range_parse(folded, &range) == 0 ? CODE_BAD_NICK : CODE_NONE;
}

/* Whose one nick is for good. */
enum ownership {
	NOBODYS,
	MINE,
	MINE_OTHERWISE, /* but written like this it passes for another's */
	ANOTHERS,
	UNKNOWN, /* the log cannot be read */
};

/* `nick` is folded first (looks_of), so its first look is of this very nick. `shown`: as its owner wrote it
 * last, where it is MINE or MINE_OTHERWISE. */
static enum ownership ownership_of(
	struct people *p, const struct people_wish *w, const char *nick, char shown[NICK_MAX + 1])
{
	uint8_t owner[PERSON_ID];
	char other[NICK_MAX + 1];
	bool mine = false, anothers = false;
	struct looks looks;

	shown[0] = '\0';
	if (looks_of(nick, strlen(nick), &looks) != 0)
		return UNKNOWN;
	for (size_t i = 0; i < looks.count; i++) {
		int r = engine_owner(p->engine, looks.at[i], owner, other);
		if (r == ERR_NOT_FOUND)
			continue;
		if (r)
			return UNKNOWN;
		if (!w->proven || memcmp(owner, w->person, PERSON_ID) != 0) {
			anothers = true;
			continue;
		}
		if (!mine)
			memcpy(shown, other, sizeof(other));
		mine = true;
	}
	if (!anothers)
		return mine ? MINE : NOBODYS;
	return mine && name_same(nick, shown) ? MINE_OTHERWISE : ANOTHERS;
}

/* Whoever has not proven who they are is called like this where "nick" is somebody's. */
static enum code mark_unproven(char nick[NICK_MAX + 1], char *folded)
{
	char plain[NICK_MAX + 1];

	memcpy(plain, nick, sizeof(plain));
	size_t length = strlen(plain);
	while (length > NICK_MAX - 1)
		length = text_cluster_before(plain, length);
	(void)snprintf(nick, NICK_MAX + 1, "~%.*s", (int)length, plain);
	return name_fold(nick, strlen(nick), folded) == 0 ? CODE_NONE : CODE_BAD_NICK;
}

/* What is to be had of one nick: folded, and `nick` as it is given. */
static enum code try_locked(struct people *p, const struct people_wish *w, char *folded,
	char nick[NICK_MAX + 1], bool *owned)
{
	char shown[NICK_MAX + 1];
	enum code code = fold(nick, strlen(nick), folded);

	if (code != CODE_NONE)
		return code;
	enum ownership whose = ownership_of(p, w, nick, shown);
	if (whose == UNKNOWN)
		return CODE_RESOURCES;
	if (whose == ANOTHERS && w->proven)
		return CODE_NICK_TAKEN;
	if (whose == ANOTHERS && mark_unproven(nick, folded) != CODE_NONE)
		return CODE_BAD_NICK;
	/* It is theirs still, as the others know it. */
	if (whose == MINE_OTHERWISE)
		memcpy(nick, shown, sizeof(shown));
	*owned = strcmp(nick, shown) == 0;
	const struct nick *n = find_nick_locked(p, folded);
	return !n || memcmp(n->person->id, w->person, PERSON_ID) == 0 ? CODE_NONE : CODE_NICK_TAKEN;
}

static unsigned a_chance(void)
{
	uint32_t random;

	identity_random(&random, sizeof(random));
	return CHANCES / 9 + random % CHANCES;
}

/* The nick that a person may have: the wanted one, or, where any will do, the next free one. */
static enum code choose_locked(struct people *p, const struct people_wish *w, char *folded,
	char nick[NICK_MAX + 1], bool *owned)
{
	char base[NICK_MAX + 1];

	*owned = false;
	if (w->nick.length > NICK_MAX)
		return CODE_BAD_NICK;
	memcpy(base, w->nick.text, w->nick.length);
	base[w->nick.length] = '\0';
	memcpy(nick, base, sizeof(base));
	enum code code = try_locked(p, w, folded, nick, owned);
	unsigned first = w->crowd ? NUMBERS_TRIED : 2;
	for (unsigned i = first;
		code == CODE_NICK_TAKEN && w->any && i < NUMBERS_TRIED + CHANCES_TRIED; i++) {
		name_numbered(base, i < NUMBERS_TRIED ? i : a_chance(), NICK_MAX, nick);
		code = try_locked(p, w, folded, nick, owned);
	}
	return code;
}

/* ---- sessions ---- */

static enum code login_locked(struct people *p, const struct people_wish *w,
	char nick[NICK_MAX + 1], bool *owned, struct feed **inbox)
{
	char folded[NAME_FOLDED_MAX];
	char chosen[NICK_MAX + 1];
	enum code code = choose_locked(p, w, folded, chosen, owned);

	if (code != CODE_NONE)
		return code;
	struct person *person = find_person_locked(p, w->person);
	if (!person)
		person = add_person_locked(p, w->person);
	if (!person)
		return CODE_RESOURCES;
	person->sessions++;
	if (!hold_nick_locked(p, person, folded, chosen)) {
		release_person_locked(p, person);
		return CODE_RESOURCES;
	}
	memcpy(nick, chosen, sizeof(chosen));
	*inbox = feed_ref(person->inbox);
	return CODE_NONE;
}

enum code people_login(struct people *p, const struct people_wish *w, char nick[NICK_MAX + 1],
	bool *owned, struct feed **inbox)
{
	lock_take(&p->lock);
	enum code code = login_locked(p, w, nick, owned, inbox);
	lock_drop(&p->lock);
	return code;
}

void people_logout(struct people *p, const uint8_t person[PERSON_ID], const char *nick)
{
	lock_take(&p->lock);
	struct person *x = find_person_locked(p, person);
	assert(x);
	release_nick_locked(p, nick);
	release_person_locked(p, x);
	lock_drop(&p->lock);
}

static enum code take_locked(
	struct people *p, const struct people_wish *w, char nick[NICK_MAX + 1], bool *owned)
{
	char folded[NAME_FOLDED_MAX];
	char chosen[NICK_MAX + 1];
	enum code code = choose_locked(p, w, folded, chosen, owned);

	if (code != CODE_NONE)
		return code;
	struct person *person = find_person_locked(p, w->person);
	assert(person);
	if (!hold_nick_locked(p, person, folded, chosen))
		return CODE_RESOURCES;
	memcpy(nick, chosen, sizeof(chosen));
	return CODE_NONE;
}

enum code people_take(
	struct people *p, const struct people_wish *w, char nick[NICK_MAX + 1], bool *owned)
{
	lock_take(&p->lock);
	enum code code = take_locked(p, w, nick, owned);
	lock_drop(&p->lock);
	return code;
}

void people_drop(struct people *p, const char *nick)
{
	lock_take(&p->lock);
	release_nick_locked(p, nick);
	lock_drop(&p->lock);
}

/* ---- looking ---- */

int people_find(
	struct people *p, struct span nick, uint8_t person[PERSON_ID], char shown[NICK_MAX + 1])
{
	char folded[NAME_FOLDED_MAX];
	int r = ERR_NOT_FOUND;

	/* "~anna" is none that one could ask for, and may be here. */
	if (nick.length == 0 || nick.length > NICK_MAX ||
		name_fold(nick.text, nick.length, folded) != 0)
		return ERR_NOT_FOUND;
	lock_take(&p->lock);
	struct nick *n = find_nick_locked(p, folded);
	if (n) {
		memcpy(person, n->person->id, PERSON_ID);
		memcpy(shown, n->shown, sizeof(n->shown));
		r = 0;
	}
	lock_drop(&p->lock);
	return r;
}

int people_nick_of(struct people *p, const uint8_t person[PERSON_ID], char shown[NICK_MAX + 1])
{
	int r = ERR_NOT_FOUND;

	lock_take(&p->lock);
	struct person *x = find_person_locked(p, person);
	if (x) {
		memcpy(shown, x->nicks->shown, sizeof(x->nicks->shown));
		r = 0;
	}
	lock_drop(&p->lock);
	return r;
}

struct feed *people_inbox(struct people *p, const uint8_t person[PERSON_ID])
{
	lock_take(&p->lock);
	struct person *x = find_person_locked(p, person);
	struct feed *f = x ? feed_ref(x->inbox) : NULL;
	lock_drop(&p->lock);
	return f;
}

static void rest_person(const void *node, VISIT visit, void *closure)
{
	(void)closure;
	if (visit == postorder || visit == leaf)
		feed_rest((*(const struct person *const *)node)->inbox);
}

void people_rest(struct people *p)
{
	lock_take(&p->lock);
	twalk_r(p->persons, rest_person, NULL);
	lock_drop(&p->lock);
}

uint32_t people_count(struct people *p)
{
	lock_take(&p->lock);
	uint32_t n = p->count;
	lock_drop(&p->lock);
	return n;
}
