#include "client/ranks.h"

#include "common/err.h"
#include "common/name.h"
#include "common/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* clang-format off */
static const struct {
	const char *sign, *help;
	unsigned place;
} marks[MARKS] = {
	[MARK_NONE] = {"", NULL, 4},
	[MARK_VOICE] = {"+", "may speak while the room is moderated", 3},
	[MARK_MUTED] = {"-", "may not speak here; moderators alone see it", 4},
	[MARK_MODERATOR] = {"@", "a moderator of the room", 2},
	[MARK_OWNER] = {"&", "the owner of the room", 1},
	[MARK_OPERATOR] = {"*", "an operator of the server", 0},
};
/* clang-format on */

const char *mark_sign(enum mark m)
{
	return marks[m].sign;
}

const char *mark_help(enum mark m)
{
	return marks[m].help;
}

unsigned mark_place(enum mark m)
{
	return marks[m].place;
}

void ranks_fini(struct ranks *r)
{
	for (size_t i = 0; i < r->row_count; i++)
		free(r->rows[i].label);
	free(r->rows);
	free(r->people);
	*r = (struct ranks){0};
}

/* What a standing is shown as; numbers of the future as nothing. */
static enum mark mark_of(int kind, bool server)
{
	switch (kind) {
	case STANDING_OWNER:
		return MARK_OWNER;
	case STANDING_MODERATOR:
		return server ? MARK_OPERATOR : MARK_MODERATOR;
	case STANDING_VOICE:
		return MARK_VOICE;
	case STANDING_MUTED:
		return MARK_MUTED;
	default:
		return MARK_NONE;
	}
}

static int compare(const void *a, const void *b)
{
	return memcmp(
		((const struct ranked *)a)->person, ((const struct ranked *)b)->person, PERSON_ID);
}

static uint64_t end_of(const struct event_standing *s)
{
	return s->until ? s->until : UINT64_MAX;
}

static int copy_rows(struct ranks *r, const struct event_standing *standings, size_t count)
{
	r->rows = calloc(count + 1, sizeof *r->rows);
	if (!r->rows)
		return ERR_MEMORY;
	for (size_t i = 0; i < count; i++) {
		const struct event_standing *s = &standings[i];
		struct ranks_row *to = &r->rows[i];
		to->kind = s->kind;
		to->until = end_of(s);
		memcpy(to->person, s->person, PERSON_ID);
		to->label =
			text_sanitize(s->label ? s->label : "", s->label ? strlen(s->label) : 0, 0);
		if (!to->label)
			return ERR_MEMORY;
		r->row_count++;
	}
	return 0;
}

int ranks_take(struct ranks *r, const struct event_standing *standings, size_t count, bool server)
{
	struct ranks new = {.people = calloc(count + 1, sizeof *new.people)};

	if (!new.people || copy_rows(&new, standings, count) != 0) {
		ranks_fini(&new);
		return ERR_MEMORY;
	}
	for (size_t i = 0; i < count; i++) {
		const struct event_standing *s = &standings[i];
		struct ranked *to = &new.people[new.count];
		to->mark = mark_of(s->kind, server);
		to->until = end_of(s);
		memcpy(to->person, s->person, PERSON_ID);
		new.count += to->mark != MARK_NONE;
	}
	qsort(new.people, new.count, sizeof *new.people, compare);
	ranks_fini(r);
	*r = new;
	return 0;
}

bool ranks_are(const struct ranks *r, enum standing_kind kind, const uint8_t person[PERSON_ID],
	uint64_t now)
{
	for (size_t i = 0; i < r->row_count; i++) {
		const struct ranks_row *row = &r->rows[i];
		if (row->kind == (int)kind && row->until > now &&
			memcmp(row->person, person, PERSON_ID) == 0)
			return true;
	}
	return false;
}

bool ranks_name(const struct ranks *r, enum standing_kind kind, const char *label, uint64_t now)
{
	for (size_t i = 0; i < r->row_count; i++) {
		const struct ranks_row *row = &r->rows[i];
		bool same = strcasecmp(row->label, label) == 0 || name_same(row->label, label);
		if (row->kind == (int)kind && row->until > now && same)
			return true;
	}
	return false;
}

bool ranks_cut(const struct ranks *r)
{
	return r->row_count >= LIST_MAX;
}

/* The first of a person's rows, or of those after them. */
static size_t first_of(const struct ranks *r, const uint8_t person[PERSON_ID])
{
	size_t low = 0, high = r->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (memcmp(r->people[middle].person, person, PERSON_ID) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

enum mark ranks_of(const struct ranks *r, const uint8_t person[PERSON_ID], uint64_t now)
{
	enum mark mark = MARK_NONE;

	for (size_t i = first_of(r, person); i < r->count; i++) {
		const struct ranked *p = &r->people[i];
		if (memcmp(p->person, person, PERSON_ID) != 0)
			break;
		if (p->until > now && p->mark > mark)
			mark = p->mark;
	}
	return mark;
}

uint64_t ranks_until(const struct ranks *r, uint64_t now)
{
	uint64_t until = UINT64_MAX;

	for (size_t i = 0; i < r->count; i++) {
		if (r->people[i].until > now && r->people[i].until < until)
			until = r->people[i].until;
	}
	return until;
}
