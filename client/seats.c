#include "client/seats.h"

#include "client/event.h"

#include <stdlib.h>
#include <string.h>

struct seat *seats_find(struct seats *s, struct span name)
{
	char folded[NAME_FOLDED_MAX];

	if (s->recent && span_equal(name, s->recent->name))
		return s->recent;
	if (name_fold(name.text, name.length, folded) != 0)
		return NULL;
	for (struct seat *seat = s->head; seat; seat = seat->next) {
		if (strcmp(seat->folded, folded) == 0) {
			s->recent = seat;
			return seat;
		}
	}
	return NULL;
}

struct seat *seats_find_tag(const struct seats *s, uint32_t tag)
{
	for (struct seat *seat = s->head; tag && seat; seat = seat->next) {
		if (seat->tag == tag)
			return seat;
	}
	return NULL;
}

struct seat *seats_find_members_tag(const struct seats *s, uint32_t tag)
{
	for (struct seat *seat = s->head; tag && seat; seat = seat->next) {
		if (seat->members_tag == tag)
			return seat;
	}
	return NULL;
}

struct seat *seats_add(struct seats *s, const char *name)
{
	struct seat *seat = calloc(1, sizeof(*seat));
	struct seat **end = &s->head;

	if (!seat)
		return NULL;
	if (name_fold(name, strlen(name), seat->folded) != 0) {
		free(seat);
		return NULL;
	}
	memccpy(seat->name, name, '\0', sizeof(seat->name) - 1);
	while (*end)
		end = &(*end)->next;
	*end = seat;
	s->count++;
	return seat;
}

void seats_remove(struct seats *s, struct seat *seat)
{
	struct seat **at = &s->head;

	while (*at != seat)
		at = &(*at)->next;
	*at = seat->next;
	if (s->recent == seat)
		s->recent = NULL;
	s->count--;
	event_free(seat->pages);
	free(seat);
}

void seat_rename(struct seat *seat, struct span name)
{
	char folded[NAME_FOLDED_MAX];

	if (name.length >= sizeof(seat->name) || name_fold(name.text, name.length, folded) != 0 ||
		strcmp(folded, seat->folded) != 0)
		return;
	memcpy(seat->name, name.text, name.length);
	seat->name[name.length] = '\0';
}

void seat_drop_pages(struct seat *seat)
{
	event_free(seat->pages);
	seat->pages = NULL;
	seat->pages_room = 0;
}

void seat_reset(struct seat *seat)
{
	seat->state = SEAT_OUT;
	seat->barred = false;
	seat->tag = 0;
	seat->resuming = false;
	seat->people_state = SEAT_PEOPLE_UNKNOWN;
	seat->members_tag = 0;
	seat->ranks = (struct ranks_query){0};
	seat_drop_pages(seat);
}

void seats_fini(struct seats *s)
{
	while (s->head)
		seats_remove(s, s->head);
}
