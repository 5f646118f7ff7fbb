#include "tools/lab/chat_lines.h"

#include "common/err.h"
#include "common/message.h"
#include "common/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[CHAT_PEOPLE] = {"a", "b"};

const char *chat_name(int who)
{
	return names[who];
}

int chat_lines_read(const char *line, int *who, const char **text)
{
	for (int i = 0; i < CHAT_PEOPLE; i++) {
		size_t n = strlen(names[i]);
		if (strncmp(line, names[i], n) != 0 || line[n] != ':')
			continue;
		const char *said = line + n + 1;
		said += *said == ' ';
		size_t length = strlen(said);
		if (length == 0 || length > TEXT_MAX || !utf8_is_line(said, length))
			return ERR_ARGUMENT;
		*who = i;
		*text = said;
		return 0;
	}
	return ERR_ARGUMENT;
}

bool chat_lines_is_nothing(const char *line)
{
	line += strspn(line, " \t");
	return *line == '\0' || *line == '#';
}

void chat_lines_fini(struct chat_lines *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->said[i].text);
	free(l->said);
	for (int i = 0; i < CHAT_PEOPLE; i++)
		free(l->seen[i].order);
}

/* Room for one more of `size` bytes. */
static bool grow(void **array, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return true;
	size_t more = *room ? *room * 2 : 64;
	void *grown = realloc(*array, more * size);
	if (!grown)
		return false;
	*array = grown;
	*room = more;
	return true;
}

int64_t chat_lines_say(struct chat_lines *l, int who, const char *text)
{
	void *said = l->said;
	char *copy = strdup(text);

	if (!copy || !grow(&said, l->count, &l->room, sizeof(*l->said))) {
		free(copy);
		return ERR_MEMORY;
	}
	l->said = said;
	l->said[l->count].who = who;
	l->said[l->count].text = copy;
	return (int64_t)l->count++;
}

/* The next of that person's from `from` to before `to` that says that, or, where `text` is NULL, any. */
static size_t find(const struct chat_lines *l, int who, const char *text, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		if (l->said[i].who == who && (!text || strcmp(l->said[i].text, text) == 0))
			return i;
	}
	return to;
}

static int64_t came(struct chat_lines *l, struct chat_seen *s, int who, const char *text)
{
	size_t expected = find(l, who, NULL, s->next[who], l->count);
	void *order = s->order;

	if (expected == l->count || strcmp(l->said[expected].text, text) != 0) {
		if (find(l, who, text, s->next[who], l->count) < l->count)
			s->late++;
		else if (find(l, who, text, 0, s->next[who]) < s->next[who])
			s->twice++;
		else
			s->strange++;
		return -1;
	}
	s->next[who] = expected + 1;
	if (!grow(&order, s->count, &s->room, sizeof(*s->order)))
		return -1;
	s->order = order;
	s->order[s->count++] = expected;
	return (int64_t)expected;
}

int64_t chat_lines_print(struct chat_lines *l, int by, const char *line)
{
	static const char room[] = "[" CHAT_ROOM "] ";
	struct chat_seen *s = &l->seen[by];

	for (int who = 0; who < CHAT_PEOPLE && strncmp(line, room, sizeof(room) - 1) == 0; who++) {
		const char *nick = line + sizeof(room) - 1;
		size_t n = strlen(names[who]);
		if (strncmp(nick, names[who], n) == 0 && strncmp(nick + n, ": ", 2) == 0)
			return came(l, s, who, nick + n + 2);
	}
	s->strange++;
	return -1;
}

int chat_lines_who(const struct chat_lines *l, size_t number)
{
	return l->said[number].who;
}

bool chat_lines_good(const struct chat_lines *l, int by)
{
	const struct chat_seen *s = &l->seen[by];

	return s->count == l->count && s->twice + s->late + s->strange == 0;
}

bool chat_lines_all(const struct chat_lines *l)
{
	return l->seen[0].count == l->count && l->seen[1].count == l->count;
}

bool chat_lines_same_order(const struct chat_lines *l)
{
	size_t both = l->seen[0].count < l->seen[1].count ? l->seen[0].count : l->seen[1].count;

	return both == 0 ||
	       memcmp(l->seen[0].order, l->seen[1].order, both * sizeof(*l->seen[0].order)) == 0;
}
