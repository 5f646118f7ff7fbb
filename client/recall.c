#include "client/recall.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void recall_fini(struct recall *r)
{
	for (size_t i = 0; i < r->count; i++)
		free(r->lines[i]);
	free(r->draft);
	*r = (struct recall){0};
}

static void add(struct recall *r, const char *line)
{
	if (line[0] == '\0' || (r->count > 0 && strcmp(r->lines[r->count - 1], line) == 0))
		return;
	char *copy = strdup(line);
	if (!copy)
		return;
	if (r->count == RECALL_MOST) {
		free(r->lines[0]);
		r->count--;
		memmove(&r->lines[0], &r->lines[1], r->count * sizeof r->lines[0]);
	}
	r->lines[r->count++] = copy;
}

void recall_add(struct recall *r, const char *line)
{
	/* What was being written before older lines were looked at. */
	if (r->back > 0)
		add(r, r->draft);
	r->back = 0;
	add(r, line);
}

/* Has the user made something of their own of the line that is shown? */
static bool is_own(const struct recall *r, const char *shown)
{
	return r->back == 0 || strcmp(shown, r->lines[r->count - r->back]) != 0;
}

/* The walk ends at a line that the user has changed: what was being written before it can be recalled. */
static void end_at_own(struct recall *r)
{
	if (r->back > 0)
		add(r, r->draft);
	r->back = 0;
}

const char *recall_leave(struct recall *r, const char *shown)
{
	if (is_own(r, shown)) {
		end_at_own(r);
		return shown;
	}
	r->back = 0;
	return r->draft;
}

const char *recall_older(struct recall *r, const char *shown)
{
	if (is_own(r, shown))
		end_at_own(r);
	if (r->back == r->count)
		return NULL;
	if (r->back == 0) {
		char *draft = strdup(shown);
		if (!draft)
			return NULL;
		free(r->draft);
		r->draft = draft;
	}
	r->back++;
	return r->lines[r->count - r->back];
}

const char *recall_newer(struct recall *r, const char *shown)
{
	if (is_own(r, shown)) {
		end_at_own(r);
		return NULL;
	}
	r->back--;
	return r->back == 0 ? r->draft : r->lines[r->count - r->back];
}
