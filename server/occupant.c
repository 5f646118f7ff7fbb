#include "server/occupant.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum person_state occupant_state(const struct occupant *o)
{
	return o->away_sessions == o->sessions ? PERSON_AWAY : PERSON_HERE;
}

static int compare(const struct occupant *row, const char *folded, const uint8_t *person)
{
	int r = strcmp(row->folded, folded);

	return r ? r : memcmp(row->person, person, PERSON_ID);
}

/* The index of the first row that does not come before this one. */
static size_t place(const struct occupants *o, const char *folded, const uint8_t *person)
{
	size_t low = 0, high = o->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare(o->rows[middle], folded, person) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct occupant *row_at(
	const struct occupants *o, size_t i, const char *folded, const uint8_t *person)
{
	return i < o->count && compare(o->rows[i], folded, person) == 0 ? o->rows[i] : NULL;
}

struct occupant *occupants_find(const struct occupants *o, const uint8_t *person, const char *nick)
{
	char folded[NAME_FOLDED_MAX];

	if (name_fold(nick, strlen(nick), folded) != 0)
		return NULL;
	return row_at(o, place(o, folded, person), folded, person);
}

static bool grow(struct occupants *o)
{
	if (o->count < o->size)
		return true;
	size_t size = o->size ? o->size * 2 : 4;
	struct occupant **rows = realloc(o->rows, size * sizeof(*rows));
	if (!rows)
		return false;
	o->rows = rows;
	o->size = size;
	return true;
}

/* ---- persons ---- */

struct occupant_person {
	uint8_t person[PERSON_ID]; /* first: its key in the tree */
	unsigned rows;
};

static int compare_persons(const void *a, const void *b)
{
	return memcmp(a, b, PERSON_ID);
}

bool occupants_has(const struct occupants *o, const uint8_t *person)
{
	return tree_find(&o->persons, person) != NULL;
}

/* One more row of theirs; false when memory is out. */
static bool hold_person(struct occupants *o, const uint8_t *person)
{
	struct occupant_person *p = tree_find(&o->persons, person);

	if (!p) {
		o->persons.compare = compare_persons;
		p = tree_add(&o->persons, person, PERSON_ID, sizeof(*p));
		o->person_count += p != NULL;
	}
	if (p)
		p->rows++;
	return p != NULL;
}

static void drop_person(struct occupants *o, const uint8_t *person)
{
	struct occupant_person *p = tree_find(&o->persons, person);

	if (!p || --p->rows > 0)
		return;
	tree_remove(&o->persons, p);
	o->person_count--;
	free(p);
}

/* ---- rows ---- */

struct occupant *occupants_add(
	struct occupants *o, const uint8_t *person, const char *nick, bool *made)
{
	char folded[NAME_FOLDED_MAX];

	if (name_fold(nick, strlen(nick), folded) != 0)
		return NULL;
	size_t i = place(o, folded, person);
	struct occupant *row = row_at(o, i, folded, person);
	*made = row == NULL;
	if (row)
		return row;
	size_t length = strlen(folded) + 1;
	row = calloc(1, sizeof(*row) + length);
	if (!row || !grow(o) || !hold_person(o, person)) {
		free(row);
		return NULL;
	}
	memcpy(row->folded, folded, length);
	snprintf(row->nick, sizeof(row->nick), "%s", nick);
	memcpy(row->person, person, PERSON_ID);
	memmove(o->rows + i + 1, o->rows + i, (o->count - i) * sizeof(o->rows[0]));
	o->rows[i] = row;
	o->count++;
	return row;
}

static void free_row(struct occupant *row)
{
	free(row->away);
	free(row);
}

void occupants_remove(struct occupants *o, struct occupant *row)
{
	size_t i = place(o, row->folded, row->person);

	o->count--;
	memmove(o->rows + i, o->rows + i + 1, (o->count - i) * sizeof(o->rows[0]));
	drop_person(o, row->person);
	free_row(row);
}

size_t occupants_after(const struct occupants *o, struct span nick)
{
	char folded[NAME_FOLDED_MAX];

	if (nick.length == 0 || name_fold(nick.text, nick.length, folded) != 0)
		return 0;
	size_t low = 0, high = o->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(o->rows[middle]->folded, folded) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void occupants_foresee(const struct occupants *o, size_t i)
{
	if (i >= o->count)
		return;
	__builtin_prefetch(o->rows[i]);
	__builtin_prefetch(o->rows[i]->nick + NICK_MAX); /* the line after that */
}

void occupants_fini(struct occupants *o)
{
	for (size_t i = 0; i < o->count; i++) {
		drop_person(o, o->rows[i]->person);
		free_row(o->rows[i]);
	}
	free(o->rows);
	*o = (struct occupants){0};
}
