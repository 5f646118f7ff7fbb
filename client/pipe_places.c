#include "client/pipe_places.h"

#include "common/err.h"
#include "common/name.h"

#include <stdlib.h>

struct pipe_place {
	const char *room; /* borrowed; "": the direct messages */
	bool caught_up;
	bool lost;
};

/* NULL: it is none of those that were asked for. */
static struct pipe_place *find(const struct pipe_places *p, const char *room)
{
	for (size_t i = 0; i < p->count; i++) {
		struct pipe_place *place = &p->list[i];

		if (room[0] ? place->room[0] && name_same(room, place->room) : !place->room[0])
			return place;
	}
	return NULL;
}

int pipe_places_init(struct pipe_places *p, const struct option_list *rooms)
{
	p->list = calloc(rooms->count + 1, sizeof(*p->list));
	if (!p->list)
		return ERR_MEMORY;
	/* One that was given twice comes once. */
	for (size_t i = 0; i < rooms->count; i++) {
		if (!find(p, rooms->items[i]))
			p->list[p->count++].room = rooms->items[i];
	}
	p->list[p->count++].room = "";
	return 0;
}

void pipe_places_fini(struct pipe_places *p)
{
	free(p->list);
	*p = (struct pipe_places){0};
}

void pipe_places_caught_up(struct pipe_places *p, const char *room)
{
	struct pipe_place *place = find(p, room);

	if (place)
		place->caught_up = true;
}

void pipe_places_lost(struct pipe_places *p, const char *room)
{
	struct pipe_place *place = find(p, room);

	if (place)
		place->lost = true;
}

void pipe_places_broke(struct pipe_places *p)
{
	for (size_t i = 0; i < p->count; i++)
		p->list[i].caught_up = false;
}

bool pipe_places_all(const struct pipe_places *p)
{
	bool all = true;

	for (size_t i = 0; i < p->count; i++)
		all = all && (p->list[i].caught_up || p->list[i].lost);
	return all;
}
