#include "client/model_private.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/name.h"
#include "common/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Conversations with people: anybody may begin one, under as many keys as they like. */
#define DIRECTS_MOST 500

static const uint8_t nobody[PERSON_ID];

int model_set(char **field, const char *text)
{
	char *clean = text_sanitize(text, strlen(text), 0);

	if (!clean)
		return ERR_MEMORY;
	free(*field);
	*field = clean;
	return 0;
}

/* ---- buffers ---- */

static void buffer_free(struct buffer *b)
{
	if (!b)
		return;
	free(b->name);
	free(b->topic);
	free(b->draft);
	past_free(b->past);
	scrollback_fini(&b->lines);
	roster_fini(&b->roster);
	ranks_fini(&b->ranks);
	free(b);
}

static struct buffer *buffer_new(enum buffer_kind kind, const char *name)
{
	struct buffer *b = calloc(1, sizeof *b);

	if (!b)
		return NULL;
	b->kind = kind;
	b->marker = b->target = b->reveal = MODEL_NO_LINE;
	b->marks_until = UINT64_MAX;
	scrollback_init(&b->lines, SCROLLBACK_MOST);
	if (model_set(&b->name, name) < 0 || model_set(&b->topic, "") < 0) {
		buffer_free(b);
		return NULL;
	}
	return b;
}

/* Put a buffer after the last one of its kind. */
static struct buffer *insert(struct model *m, struct buffer *b)
{
	size_t place = m->count;

	if (!b)
		return NULL;
	struct buffer **buffers = realloc(m->buffers, (m->count + 1) * sizeof *buffers);
	if (!buffers) {
		buffer_free(b);
		return NULL;
	}
	m->buffers = buffers;
	while (place > 0 && buffers[place - 1]->kind > b->kind)
		place--;
	memmove(&buffers[place + 1], &buffers[place], (m->count - place) * sizeof *buffers);
	buffers[place] = b;
	m->count++;
	if (m->count > 1 && m->current >= place)
		m->current++;
	if (m->count > 1 && m->last >= place)
		m->last++;
	return b;
}

int model_init(struct model *m, const uint8_t me[PERSON_ID], const char *nick)
{
	*m = (struct model){.rtt_us = -1, .text_max = TEXT_MAX, .kept = true};
	memcpy(m->me, me, PERSON_ID);
	if (model_set(&m->nick, nick) < 0 || model_set(&m->server_name, "") < 0 ||
		model_set(&m->state_text, "") < 0 ||
		!insert(m, buffer_new(BUFFER_SERVER, "server"))) {
		model_fini(m);
		return ERR_MEMORY;
	}
	return 0;
}

void model_forget_rooms(struct model *m)
{
	for (size_t i = 0; i < m->room_count; i++) {
		free(m->rooms[i].name);
		free(m->rooms[i].topic);
	}
	free(m->rooms);
	m->rooms = NULL;
	m->room_count = 0;
}

void model_fini(struct model *m)
{
	for (size_t i = 0; i < m->count; i++)
		buffer_free(m->buffers[i]);
	free(m->buffers);
	free(m->wanted);
	free(m->nick);
	free(m->nick_before);
	free(m->taken_nick);
	free(m->careful);
	free(m->met);
	free(m->server_name);
	free(m->state_text);
	free(m->trouble);
	model_forget_rooms(m);
	found_fini(&m->found);
	ranks_fini(&m->operators);
	for (size_t i = 0; i < m->ignored_count; i++)
		free(m->ignored_nicks[i]);
	free(m->ignored_nicks);
	free(m->ignored);
	*m = (struct model){0};
}

struct buffer *model_current(const struct model *m)
{
	return m->buffers[m->current];
}

size_t model_index(const struct model *m, const struct buffer *b)
{
	size_t i = 0;

	while (m->buffers[i] != b)
		i++;
	return i;
}

struct buffer *model_room(const struct model *m, const char *name)
{
	for (size_t i = 0; i < m->count; i++) {
		if (m->buffers[i]->kind == BUFFER_ROOM && name_same(m->buffers[i]->name, name))
			return m->buffers[i];
	}
	return NULL;
}

bool model_is_telling(const struct model *m, const uint8_t person[PERSON_ID])
{
	return memcmp(person, nobody, PERSON_ID) != 0 && memcmp(person, m->me, PERSON_ID) != 0;
}

struct buffer *model_direct(
	const struct model *m, const uint8_t person[PERSON_ID], const char *nick)
{
	bool telling = person && model_is_telling(m, person);

	for (size_t i = 0; telling && i < m->count; i++) {
		struct buffer *b = m->buffers[i];
		if (b->kind == BUFFER_DIRECT && memcmp(b->person, person, PERSON_ID) == 0)
			return b;
	}
	for (size_t i = 0; i < m->count; i++) {
		struct buffer *b = m->buffers[i];
		if (b->kind == BUFFER_DIRECT && name_same(b->name, nick) &&
			(!telling || !model_is_telling(m, b->person)))
			return b;
	}
	return NULL;
}

struct buffer *model_open_room(struct model *m, const char *name)
{
	struct buffer *b = model_room(m, name);

	return b ? b : insert(m, buffer_new(BUFFER_ROOM, name));
}

/* May it be closed without the user's asking? All that was said there is the server's to keep. */
static bool may_go(const struct model *m, const struct buffer *b)
{
	return b->kind == BUFFER_DIRECT && b != model_current(m) && b->lines.waiting == 0 &&
	       !(b->draft && b->draft[0]);
}

/* Which of two is missed less: one that the user has never answered, and then the one longer silent. */
static bool is_missed_less(const struct buffer *a, const struct buffer *b)
{
	return a->answered != b->answered ? !a->answered : a->last_seq < b->last_seq;
}

/* Where there are as many as there may be, one makes way for another. */
static void make_way(struct model *m)
{
	struct buffer *least = NULL;
	size_t count = 0;

	for (size_t i = 0; i < m->count; i++) {
		struct buffer *b = m->buffers[i];
		count += b->kind == BUFFER_DIRECT;
		if (may_go(m, b) && (!least || is_missed_less(b, least)))
			least = b;
	}
	if (count >= DIRECTS_MOST && least)
		model_close(m, least);
}

struct buffer *model_open_direct(struct model *m, const uint8_t person[PERSON_ID], const char *nick)
{
	struct buffer *b = model_direct(m, person, nick);

	if (!b) {
		make_way(m);
		b = insert(m, buffer_new(BUFFER_DIRECT, nick));
	}
	if (b && person && memcmp(person, nobody, PERSON_ID) != 0)
		memcpy(b->person, person, PERSON_ID);
	return b;
}

static void read_buffer(struct buffer *b)
{
	b->unread = b->mentions = 0;
}

void model_close(struct model *m, struct buffer *b)
{
	size_t place = model_index(m, b);

	assert(place > 0);
	buffer_free(b);
	m->count--;
	memmove(&m->buffers[place], &m->buffers[place + 1],
		(m->count - place) * sizeof *m->buffers);
	if (m->current >= place)
		m->current--;
	if (m->last >= place)
		m->last--;
	read_buffer(model_current(m));
}

void model_show(struct model *m, size_t index)
{
	if (index >= m->count || index == m->current)
		return;
	struct buffer *left = model_current(m);
	/* What was on the screen has been read; the next line that comes is the first unread. */
	if (left->unread == 0) {
		left->marker = MODEL_NO_LINE;
		left->left_at = 0;
	}
	m->last = m->current;
	m->current = index;
	read_buffer(model_current(m));
}

size_t model_next_unread(const struct model *m)
{
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 1; i < m->count; i++) {
			size_t index = (m->current + i) % m->count;
			const struct buffer *b = m->buffers[index];
			if (pass == 0 ? b->mentions > 0 : b->unread > 0)
				return index;
		}
	}
	return m->current;
}

const struct roster_person *model_person(const struct model *m, const char *nick)
{
	const struct roster_person *p = roster_find(&model_current(m)->roster, nick);

	for (size_t i = 0; i < m->count && !p; i++)
		p = roster_find(&m->buffers[i]->roster, nick);
	return p;
}

/* ---- lines ---- */

/* Does somebody have to be told of the line? */
static bool is_news(const struct line *l)
{
	switch (l->kind) {
	case LINE_TEXT:
	case LINE_ACTION:
	case LINE_NOTICE:
		return !l->own;
	case LINE_ERROR:
		return true;
	case LINE_TOPIC:
	case LINE_PRESENCE:
	case LINE_INFO:
		return false;
	}
	return false;
}

int model_add_line(struct model *m, struct buffer *b, struct line *l, bool fresh)
{
	bool news = fresh && is_news(l);
	bool mention = news && (l->mention || (b->kind == BUFFER_DIRECT && l->nick[0]));
	/* The server greets when the user is about to be taken to the first room. */
	bool seen = b == model_current(m) && !(m->wanted && news && l->kind == LINE_NOTICE);
	int err = scrollback_add(&b->lines, l);

	if (err < 0)
		return err;
	b->missed += news && buffer_is_back(b);
	if (seen || !news)
		return 0;
	if (b->marker == MODEL_NO_LINE || b->unread == 0)
		b->marker = scrollback_end(&b->lines) - b->lines.waiting - 1;
	b->unread++;
	if (mention)
		b->mentions++;
	return 0;
}

void model_hint(struct model *m, const char *format, ...)
{
	va_list arguments;

	char text[sizeof m->hint];

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	char *clean = text_sanitize(text, strlen(text), 0);
	(void)snprintf(m->hint, sizeof m->hint, "%s", clean ? clean : "Out of memory.");
	free(clean);
}

int model_say(struct model *m, struct buffer *b, enum line_kind kind, const char *format, ...)
{
	struct line l = {.kind = kind, .time = clock_wall_us(), .nick = strdup("")};
	char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	int length = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (length < 0)
		text = NULL; /* vasprintf leaves it undefined */
	l.text = text ? text_sanitize(text, (size_t)length, 0) : NULL;
	free(text);
	if (!l.text || !l.nick) {
		free(l.nick);
		free(l.text);
		return ERR_MEMORY;
	}
	return model_add_line(m, b, &l, true);
}

int model_sent(
	struct model *m, struct buffer *b, enum said_kind kind, const char *text, uint64_t counter)
{
	struct line l = {
		.kind = line_kind_of((int)kind),
		.state = LINE_WAITING,
		.own = true,
		.apart = b != model_current(m),
		.time = clock_wall_us(),
		.counter = counter,
		.nick = strdup(m->nick),
		.text = text_sanitize(text, strlen(text), 0),
	};

	memcpy(l.person, m->me, PERSON_ID);
	if (!l.nick || !l.text) {
		free(l.nick);
		free(l.text);
		return ERR_MEMORY;
	}
	b->answered = true;
	return model_add_line(m, b, &l, false);
}

/* ---- ignoring ---- */

bool model_is_ignored(const struct model *m, const uint8_t person[PERSON_ID])
{
	for (size_t i = 0; i < m->ignored_count; i++) {
		if (memcmp(m->ignored[i], person, PERSON_ID) == 0)
			return true;
	}
	return false;
}

bool model_hides(const struct model *m, const struct event *e)
{
	return !e->own && e->kind != SAID_TOPIC && model_is_ignored(m, e->person);
}

int model_ignore(struct model *m, const uint8_t person[PERSON_ID], const char *nick)
{
	size_t count = m->ignored_count + 1;

	if (model_is_ignored(m, person))
		return 0;
	uint8_t(*ignored)[PERSON_ID] = realloc(m->ignored, count * sizeof *ignored);
	if (!ignored)
		return ERR_MEMORY;
	m->ignored = ignored;
	char **nicks = realloc(m->ignored_nicks, count * sizeof *nicks);
	if (!nicks)
		return ERR_MEMORY;
	m->ignored_nicks = nicks;
	nicks[count - 1] = NULL;
	int err = model_set(&nicks[count - 1], nick);
	if (err < 0)
		return err;
	memcpy(ignored[count - 1], person, PERSON_ID);
	m->ignored_count = count;
	return 0;
}

int model_rename_ignored(struct model *m, const uint8_t person[PERSON_ID], const char *nick)
{
	for (size_t i = 0; i < m->ignored_count; i++) {
		if (memcmp(m->ignored[i], person, PERSON_ID) == 0)
			return model_set(&m->ignored_nicks[i], nick);
	}
	return 0;
}

/* Who is here by that name, and else who was called so: a change of nick may have been missed. */
static size_t find_ignored(const struct model *m, const char *nick)
{
	const struct roster_person *p = model_person(m, nick);
	size_t i;

	for (i = 0; p && i < m->ignored_count; i++) {
		if (memcmp(m->ignored[i], p->person, PERSON_ID) == 0)
			return i;
	}
	for (i = 0; i < m->ignored_count; i++) {
		if (name_same(m->ignored_nicks[i], nick))
			break;
	}
	return i;
}

bool model_unignore(struct model *m, const char *nick)
{
	size_t i = find_ignored(m, nick);

	if (i == m->ignored_count)
		return false;
	free(m->ignored_nicks[i]);
	m->ignored_count--;
	memmove(&m->ignored[i], &m->ignored[i + 1], (m->ignored_count - i) * sizeof *m->ignored);
	memmove(&m->ignored_nicks[i], &m->ignored_nicks[i + 1],
		(m->ignored_count - i) * sizeof *m->ignored_nicks);
	return true;
}
