#include "server/memory_people.h"

#include "common/err.h"
#include "common/name.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Whose place, and where. */
struct place_key {
	uint8_t person[PERSON_ID];
	struct stream_key stream;
};

struct known_place {
	struct place_key key; /* first: its key in the tree */
	bool member;
	uint64_t read;
	char room[ROOM_NAME_MAX + 1]; /* as it was shown the first time; "": the inbox */
	TAILQ_ENTRY(known_place) old;
};

struct known_nick {
	char folded[NAME_FOLDED_MAX]; /* first: its key in the tree */
	uint8_t person[PERSON_ID];
	char nick[NICK_MAX + 1];
	TAILQ_ENTRY(known_nick) old;
};

static int compare_places(const void *a, const void *b)
{
	const struct place_key *x = a, *y = b;
	int r = memcmp(x->person, y->person, PERSON_ID);

	return r ? r : stream_key_compare(&x->stream, &y->stream);
}

static int compare_nicks(const void *a, const void *b)
{
	return strcmp(a, b);
}

static struct place_key key_of(const uint8_t *person, const struct stream_key *stream)
{
	struct place_key key = {.stream = *stream};

	memcpy(key.person, person, PERSON_ID);
	return key;
}

/* ---- notes ---- */

static void forget_oldest_place(struct memory_people *p)
{
	struct known_place *k = TAILQ_FIRST(&p->old_places);

	TAILQ_REMOVE(&p->old_places, k, old);
	p->place_count--;
	tree_remove(&p->places, k);
	free(k);
}

static void forget_oldest_nick(struct memory_people *p)
{
	struct known_nick *k = TAILQ_FIRST(&p->old_nicks);

	TAILQ_REMOVE(&p->old_nicks, k, old);
	p->nick_count--;
	tree_remove(&p->nicks, k);
	free(k);
}

/* Its folded name, where nobody said how the room is shown. */
static void name_room(struct known_place *k, struct span name)
{
	const struct stream_key *s = &k->key.stream;

	if (s->bytes[0] != 'r')
		return;
	if (name.length == 0)
		name = (struct span){
			.text = (const char *)s->bytes + 1, .length = (uint16_t)(s->length - 1)};
	size_t length = name.length < sizeof(k->room) ? name.length : sizeof(k->room) - 1;
	memcpy(k->room, name.text, length);
}

/* Find or make it, as the one that was touched last. NULL when memory is out. */
static struct known_place *touch_place(struct memory_people *p, const struct note *n)
{
	struct place_key key = key_of(n->person, n->stream);
	struct known_place *k = tree_find(&p->places, &key);

	if (k) {
		TAILQ_REMOVE(&p->old_places, k, old);
	} else {
		k = tree_add(&p->places, &key, sizeof(key), sizeof(*k));
		if (!k)
			return NULL;
		name_room(k, n->name);
		p->place_count++;
	}
	TAILQ_INSERT_TAIL(&p->old_places, k, old);
	return k;
}

static int note_place(struct memory_people *p, const struct note *n)
{
	struct known_place *k = touch_place(p, n);

	if (!k)
		return ERR_MEMORY;
	if (n->kind == NOTE_READ)
		k->read = n->seq > k->read ? n->seq : k->read;
	else
		k->member = n->kind == NOTE_JOINED;
	if (p->place_count > p->most)
		forget_oldest_place(p);
	return 0;
}

static int note_nick(struct memory_people *p, const struct note *n)
{
	char folded[NAME_FOLDED_MAX] = "";

	if (n->name.length > NICK_MAX || name_fold(n->name.text, n->name.length, folded) != 0)
		return 0;
	struct known_nick *k = tree_find(&p->nicks, folded);
	if (k) {
		TAILQ_REMOVE(&p->old_nicks, k, old);
	} else {
		k = tree_add(&p->nicks, folded, sizeof(folded), sizeof(*k));
		if (!k)
			return ERR_MEMORY;
		p->nick_count++;
	}
	TAILQ_INSERT_TAIL(&p->old_nicks, k, old);
	memcpy(k->person, n->person, PERSON_ID);
	memcpy(k->nick, n->name.text, n->name.length);
	k->nick[n->name.length] = '\0';
	if (p->nick_count > p->most)
		forget_oldest_nick(p);
	return 0;
}

int memory_people_note(struct memory_people *p, const struct note *n)
{
	switch (n->kind) {
	case NOTE_JOINED:
	case NOTE_PARTED:
	case NOTE_READ:
		return note_place(p, n);
	case NOTE_NICK:
		return note_nick(p, n);
	}
	return 0;
}

void memory_people_part(
	struct memory_people *p, const uint8_t *person, const struct stream_key *room)
{
	struct place_key key = key_of(person, room);
	struct known_place *k = tree_find(&p->places, &key);

	if (k)
		k->member = false;
}

/* ---- reading them ---- */

void memory_people_places(const struct memory_people *p, const uint8_t *person,
	engine_place_reader *reader, void *context)
{
	static const struct stream_key below_all = {0};
	struct place_key from = key_of(person, &below_all);

	for (const struct known_place *k = tree_after(&p->places, &from);
		k && memcmp(k->key.person, person, PERSON_ID) == 0;
		k = tree_after(&p->places, &k->key)) {
		const struct place place = {
			.stream = &k->key.stream,
			.room = span_of(k->room),
			.member = k->member,
			.read = k->read,
		};
		if ((k->member || k->read) && !reader(context, &place))
			return;
	}
}

uint64_t memory_people_read_position(
	const struct memory_people *p, const uint8_t *person, const struct stream_key *key)
{
	struct place_key of = key_of(person, key);
	const struct known_place *k = tree_find(&p->places, &of);

	return k ? k->read : 0;
}

int memory_people_person(const struct memory_people *p, const char *folded,
	uint8_t person[PERSON_ID], char nick[NICK_MAX + 1])
{
	const struct known_nick *k = tree_find(&p->nicks, folded);

	if (!k)
		return ERR_NOT_FOUND;
	memcpy(person, k->person, PERSON_ID);
	memcpy(nick, k->nick, sizeof(k->nick));
	return 0;
}

/* ---- life ---- */

void memory_people_init(struct memory_people *p, size_t most)
{
	*p = (struct memory_people){
		.most = most,
		.places = {.compare = compare_places},
		.nicks = {.compare = compare_nicks},
	};
	TAILQ_INIT(&p->old_places);
	TAILQ_INIT(&p->old_nicks);
}

void memory_people_fini(struct memory_people *p)
{
	while (p->place_count > 0)
		forget_oldest_place(p);
	while (p->nick_count > 0)
		forget_oldest_nick(p);
}
