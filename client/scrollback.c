#include "client/scrollback.h"

#include "common/err.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST    64
#define EARLIER_BYTES (SCROLLBACK_BYTES / 2) /* beyond that, no earlier lines are added */

enum line_kind line_kind_of(int said)
{
	switch (said) {
	case SAID_ACTION:
		return LINE_ACTION;
	case SAID_NOTICE:
		return LINE_NOTICE;
	case SAID_TOPIC:
		return LINE_TOPIC;
	default:
		return LINE_TEXT;
	}
}

void scrollback_init(struct scrollback *s, size_t most)
{
	assert(most > 0);
	*s = (struct scrollback){
		.most = most,
		.first = SCROLLBACK_FIRST,
		.base = SCROLLBACK_FIRST,
		.from = SCROLLBACK_NOTHING,
	};
}

void line_fini(struct line *l)
{
	free(l->nick);
	free(l->text);
	*l = (struct line){0};
}

static struct line *at(const struct scrollback *s, uint64_t number)
{
	assert(s->room > 0);
	return &s->lines[number % s->room];
}

uint64_t scrollback_end(const struct scrollback *s)
{
	return s->first + s->count;
}

void scrollback_fini(struct scrollback *s)
{
	for (uint64_t n = s->first; n < scrollback_end(s); n++)
		line_fini(at(s, n));
	free(s->lines);
	*s = (struct scrollback){0};
}

/* A bigger ring; a line's place depends on its number and the ring's size, so they all move. */
static int grow(struct scrollback *s)
{
	size_t room = s->room ? s->room * 2 : ROOM_FIRST;

	if (room > s->most)
		room = s->most;
	struct line *lines = calloc(room, sizeof *lines);
	if (!lines)
		return ERR_MEMORY;
	for (uint64_t n = s->first; n < scrollback_end(s); n++)
		lines[n % room] = *at(s, n);
	free(s->lines);
	s->lines = lines;
	s->room = room;
	return 0;
}

static size_t bytes_of(const struct line *l)
{
	return sizeof(*l) + strlen(l->nick) + strlen(l->text) + 2;
}

static void drop(struct scrollback *s, struct line *l)
{
	s->bytes -= bytes_of(l);
	line_fini(l);
}

static void drop_oldest(struct scrollback *s)
{
	struct line *oldest = at(s, s->first);

	if (s->waiting == s->count)
		s->waiting--;
	/* Once it is gone, it can be loaded again. */
	if (oldest->seq > 0) {
		s->from = oldest->seq + 1;
		s->begun = s->pruned = false;
	}
	drop(s, oldest);
	s->first++;
	s->count--;
	if (s->base < s->first)
		s->base = s->first;
}

/* Bring line `from` to the earlier place `to`, moving those between down by one. */
static void move_up(struct scrollback *s, uint64_t from, uint64_t to)
{
	struct line moved = *at(s, from);

	for (uint64_t n = from; n > to; n--)
		*at(s, n) = *at(s, n - 1);
	*at(s, to) = moved;
}

int scrollback_add(struct scrollback *s, struct line *l)
{
	if (s->count == s->room) {
		if (s->room == s->most) {
			drop_oldest(s);
		} else if (grow(s) < 0) {
			line_fini(l);
			return ERR_MEMORY;
		}
	}
	s->bytes += bytes_of(l);
	while (s->bytes > SCROLLBACK_BYTES && s->count > 0)
		drop_oldest(s);
	uint64_t number = scrollback_end(s);
	s->count++;
	*at(s, number) = *l;
	if (l->state == LINE_WAITING)
		s->waiting++;
	else
		move_up(s, number, number - s->waiting);
	return 0;
}

int scrollback_insert(struct scrollback *s, struct line *lines, size_t count)
{
	int err = 0;

	assert(s->count + count <= s->most);
	while (err == 0 && s->room < s->count + count)
		err = grow(s);
	if (err < 0) {
		for (size_t i = 0; i < count; i++)
			line_fini(&lines[i]);
		return err;
	}
	for (size_t i = 0; i < count; i++)
		s->bytes += bytes_of(&lines[i]);
	s->first -= count;
	s->count += count;
	s->base -= count;
	/* Lines of another log make room upwards. */
	for (uint64_t n = s->first; n < s->base; n++)
		*at(s, n) = *at(s, n + count);
	for (size_t i = 0; i < count; i++)
		*at(s, s->base + i) = lines[i];
	return 0;
}

size_t scrollback_fits(const struct scrollback *s, const struct line *lines, size_t count)
{
	size_t bytes = s->bytes, fit = 0;

	if (!lines)
		return s->count + count <= s->most && bytes <= EARLIER_BYTES ? count : 0;
	while (fit < count && s->count + fit < s->most && bytes <= EARLIER_BYTES)
		bytes += bytes_of(&lines[count - ++fit]);
	return fit;
}

size_t scrollback_excess(const struct scrollback *s, const struct line *lines, size_t count)
{
	size_t bytes = s->bytes, n = 0;

	for (size_t i = 0; i < count; i++)
		bytes += bytes_of(&lines[i]);
	while (n < s->count && (s->count - n + count > s->most || bytes > SCROLLBACK_BYTES))
		bytes -= bytes_of(at(s, scrollback_end(s) - 1 - n++));
	return n;
}

struct line *scrollback_line(const struct scrollback *s, uint64_t number)
{
	if (number < s->first || number >= scrollback_end(s))
		return NULL;
	return at(s, number);
}

bool scrollback_find_seq(const struct scrollback *s, uint64_t seq, uint64_t *number)
{
	for (uint64_t n = s->base; n < scrollback_end(s) - s->waiting; n++) {
		if (at(s, n)->seq > 0 && at(s, n)->seq >= seq) {
			*number = n;
			return true;
		}
	}
	return false;
}

bool scrollback_find_waiting(const struct scrollback *s, uint64_t counter, uint64_t *number)
{
	for (uint64_t n = scrollback_end(s) - s->waiting; n < scrollback_end(s); n++) {
		if (at(s, n)->counter == counter) {
			*number = n;
			return true;
		}
	}
	return false;
}

void scrollback_remove_waiting(struct scrollback *s, uint64_t number)
{
	uint64_t end = scrollback_end(s);

	assert(number >= end - s->waiting && number < end);
	drop(s, at(s, number));
	for (uint64_t n = number; n + 1 < end; n++)
		*at(s, n) = *at(s, n + 1);
	s->count--;
	s->waiting--;
}

void scrollback_settle(struct scrollback *s, uint64_t number, enum line_state state)
{
	uint64_t first = scrollback_end(s) - s->waiting;

	assert(number >= first && number < scrollback_end(s));
	at(s, number)->state = state;
	move_up(s, number, first);
	s->waiting--;
}

void scrollback_clear(struct scrollback *s)
{
	while (s->count > s->waiting)
		drop_oldest(s);
}

void scrollback_drop_newest(struct scrollback *s, size_t count)
{
	assert(s->waiting == 0 && count <= s->count);
	for (; count > 0; count--) {
		drop(s, at(s, scrollback_end(s) - 1));
		s->count--;
	}
	if (s->base > scrollback_end(s))
		s->base = scrollback_end(s);
}

void scrollback_new_log(struct scrollback *s)
{
	for (uint64_t n = s->first; n < scrollback_end(s); n++)
		at(s, n)->seq = 0;
	s->base = scrollback_end(s) - s->waiting;
	s->from = SCROLLBACK_NOTHING;
	s->begun = s->pruned = false;
}
