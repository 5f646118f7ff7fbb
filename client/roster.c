#include "client/roster.h"

#include "common/err.h"
#include "common/name.h"
#include "common/text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* No server with more tells who comes and goes. */
#define PEOPLE_MOST 50000

static void person_fini(struct roster_person *p)
{
	free(p->key);
	free(p->nick);
	free(p->away);
}

void roster_clear(struct roster *r)
{
	for (size_t i = 0; i < r->count; i++)
		person_fini(&r->people[i]);
	r->count = 0;
}

void roster_fini(struct roster *r)
{
	roster_clear(r);
	free(r->people);
	*r = (struct roster){0};
}

/* Where `key` is, or belongs. */
static bool search(const struct roster *r, const char *key, size_t *place)
{
	size_t low = 0, high = r->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(key, r->people[middle].key);
		if (order == 0) {
			*place = middle;
			return true;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	*place = low;
	return false;
}

static int make_room(struct roster *r)
{
	if (r->count < r->room)
		return 0;
	size_t room = r->room ? r->room * 2 : 16;
	struct roster_person *people = realloc(r->people, room * sizeof *people);
	if (!people)
		return ERR_MEMORY;
	r->people = people;
	r->room = room;
	return 0;
}

static int insert(struct roster *r, size_t place, const char *key, const char *nick)
{
	struct roster_person p = {
		.key = strdup(key),
		.nick = text_sanitize(nick, strlen(nick), 0),
		.away = strdup(""),
	};

	if (!p.key || !p.nick || !p.away || make_room(r) < 0) {
		person_fini(&p);
		return ERR_MEMORY;
	}
	memmove(&r->people[place + 1], &r->people[place], (r->count - place) * sizeof p);
	r->people[place] = p;
	r->count++;
	return 0;
}

int roster_put(struct roster *r, const uint8_t person[PERSON_ID], const char *nick,
	enum person_state state, const char *away)
{
	char key[NAME_FOLDED_MAX];
	size_t place;
	int err = name_fold(nick, strlen(nick), key);

	if (err < 0)
		return err;
	bool known = search(r, key, &place);
	if (!known && r->count >= PEOPLE_MOST)
		return 0;
	char *clean = text_sanitize(away, strlen(away), 0);
	if (!clean)
		return ERR_MEMORY;
	if (!known) {
		err = insert(r, place, key, nick);
		if (err < 0) {
			free(clean);
			return err;
		}
	}
	struct roster_person *p = &r->people[place];
	free(p->away);
	p->away = clean;
	p->state = state;
	memcpy(p->person, person, PERSON_ID);
	return 0;
}

static void take_out(struct roster *r, size_t place)
{
	r->count--;
	memmove(&r->people[place], &r->people[place + 1], (r->count - place) * sizeof r->people[0]);
}

void roster_remove(struct roster *r, const char *nick)
{
	char key[NAME_FOLDED_MAX];
	size_t place;

	if (name_fold(nick, strlen(nick), key) < 0 || !search(r, key, &place))
		return;
	person_fini(&r->people[place]);
	take_out(r, place);
}

int roster_rename(struct roster *r, const char *from, const char *to)
{
	char key[NAME_FOLDED_MAX];
	size_t place;
	struct roster_person *p = roster_find(r, from);

	if (!p)
		return 0;
	int err = name_fold(to, strlen(to), key);
	if (err < 0)
		return err;
	char *new_key = strdup(key), *new_nick = text_sanitize(to, strlen(to), 0);
	if (!new_key || !new_nick) {
		free(new_key);
		free(new_nick);
		return ERR_MEMORY;
	}
	struct roster_person moved = *p;
	take_out(r, (size_t)(p - r->people));
	free(moved.key);
	free(moved.nick);
	moved.key = new_key;
	moved.nick = new_nick;
	if (search(r, key, &place)) { /* cannot be, but for a server that lost count */
		person_fini(&r->people[place]);
		take_out(r, place);
	}
	memmove(&r->people[place + 1], &r->people[place], (r->count - place) * sizeof moved);
	r->people[place] = moved;
	r->count++;
	return 0;
}

struct roster_person *roster_find(const struct roster *r, const char *nick)
{
	char key[NAME_FOLDED_MAX];
	size_t place;

	if (name_fold(nick, strlen(nick), key) < 0 || !search(r, key, &place))
		return NULL;
	return &r->people[place];
}

const struct roster_person *roster_find_person(
	const struct roster *r, const uint8_t person[PERSON_ID])
{
	for (size_t i = 0; i < r->count; i++) {
		if (memcmp(r->people[i].person, person, PERSON_ID) == 0)
			return &r->people[i];
	}
	return NULL;
}
