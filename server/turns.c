#include "server/turns.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 16
#define ROOM_MOST  1024

struct turn {
	uint8_t person[PERSON_ID];
	int64_t at; /* clock_ms */
};

/* Those whose time has come give up their places on the way. */
static struct turn *find(struct turns *t, const uint8_t *person, int64_t now)
{
	for (size_t i = t->count; i-- > 0;) {
		if (memcmp(t->rows[i].person, person, PERSON_ID) == 0)
			return &t->rows[i];
		if (t->rows[i].at <= now)
			t->rows[i] = t->rows[--t->count];
	}
	return NULL;
}

/* NULL where there is no place. */
static struct turn *add(struct turns *t, const uint8_t *person)
{
	if (t->count == t->room && t->room < ROOM_MOST) {
		size_t room = t->room ? t->room * 2 : ROOM_FIRST;
		struct turn *grown = realloc(t->rows, room * sizeof(*grown));
		if (!grown)
			return NULL;
		t->rows = grown;
		t->room = room;
	}
	if (t->count == t->room)
		return NULL;
	struct turn *new = &t->rows[t->count++];
	memcpy(new->person, person, PERSON_ID);
	return new;
}

int64_t turns_take(struct turns *t, const uint8_t person[PERSON_ID], int64_t now, int64_t every)
{
	struct turn *mine = find(t, person, now);

	if (mine && mine->at > now)
		return mine->at - now;
	if (!mine)
		mine = add(t, person);
	if (mine)
		mine->at = now + every;
	return 0;
}

void turns_forget(struct turns *t)
{
	free(t->rows);
	*t = (struct turns){0};
}
