#include "client/complete_private.h"

#include "client/command.h"
#include "common/err.h"
#include "common/name.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void complete_reset(struct completion *c)
{
	for (size_t i = 0; i < c->count; i++)
		free(c->candidates[i]);
	free(c->candidates);
	free(c->typed);
	*c = (struct completion){0};
}

/* ---- candidates ---- */

static bool has(const struct completion *c, const char *text)
{
	for (size_t i = 0; i < c->count; i++) {
		if (strcmp(c->candidates[i], text) == 0)
			return true;
	}
	return false;
}

int complete_add(struct completion *c, const char *before, const char *name, const char *after)
{
	char *text;

	if (c->count == COMPLETE_MOST)
		return 0;
	if (c->count == c->room) {
		size_t room = c->room ? c->room * 2 : 16;
		char **candidates = realloc(c->candidates, room * sizeof *candidates);
		if (!candidates)
			return ERR_MEMORY;
		c->candidates = candidates;
		c->room = room;
	}
	if (asprintf(&text, "%s%s%s", before, name, after) < 0)
		return ERR_MEMORY;
	if (has(c, text))
		free(text);
	else
		c->candidates[c->count++] = text;
	return 0;
}

int complete_add_nick(struct completion *c, const char *nick, const char *after)
{
	return complete_add(c, c->mistaken && c->mistaken(nick) ? "@" : "", nick, after);
}

/* Does the name begin with the word, in whatever case? */
static bool begins_with(const char *name, const char *word)
{
	char folded_name[NAME_FOLDED_MAX], folded_word[NAME_FOLDED_MAX] = "";

	if (name_fold(name, strlen(name), folded_name) < 0)
		return false;
	if (word[0] && name_fold(word, strlen(word), folded_word) < 0)
		return false;
	return strncmp(folded_name, folded_word, strlen(folded_word)) == 0;
}

static int add_commands(struct completion *c, const char *word)
{
	size_t count;
	const struct command_spec *table = command_table(&count);
	int err = 0;

	for (size_t i = 0; i < count && err == 0; i++) {
		if (strncasecmp(table[i].name, word, strlen(word)) == 0)
			err = complete_add(c, "/", table[i].name, " ");
	}
	return err;
}

static int add_rooms(
	struct completion *c, const struct model *m, const char *word, const char *before)
{
	int err = 0;

	for (size_t i = 0; i < m->count && err == 0; i++) {
		if (m->buffers[i]->kind == BUFFER_ROOM && begins_with(m->buffers[i]->name, word))
			err = complete_add(c, before, m->buffers[i]->name, " ");
	}
	for (size_t i = 0; i < m->room_count && err == 0; i++) {
		if (begins_with(m->rooms[i].name, word))
			err = complete_add(c, before, m->rooms[i].name, " ");
	}
	return err;
}

struct nick {
	const char *nick;
	uint64_t spoke;
};

static int later_speaker(const void *a, const void *b)
{
	const struct nick *x = a, *y = b;

	if (x->spoke != y->spoke)
		return x->spoke > y->spoke ? -1 : 1;
	return strcmp(x->nick, y->nick);
}

/* Those of the buffer that is shown, or those of another one who are not in that. */
static int add_from_roster(struct completion *c, const struct model *m, const struct buffer *b,
	const char *word, const char *after)
{
	struct nick *found = calloc(b->roster.count + 1, sizeof *found);
	const struct buffer *here = model_current(m);
	size_t count = 0;
	int err = 0;

	if (!found)
		return ERR_MEMORY;
	for (size_t i = 0; i < b->roster.count; i++) {
		const struct roster_person *p = &b->roster.people[i];
		bool known = b != here && roster_find(&here->roster, p->nick);
		if (!known && begins_with(p->nick, word) && !name_same(p->nick, m->nick))
			found[count++] = (struct nick){.nick = p->nick, .spoke = p->spoke};
	}
	qsort(found, count, sizeof *found, later_speaker);
	for (size_t i = 0; i < count && err == 0; i++)
		err = complete_add_nick(c, found[i].nick, after);
	free(found);
	return err;
}

int complete_elsewhere(
	struct completion *c, const struct model *m, const char *word, const char *after)
{
	const struct buffer *here = model_current(m);
	int err = 0;

	for (size_t i = 0; i < m->count && err == 0; i++) {
		const struct buffer *b = m->buffers[i];
		bool known = roster_find(&here->roster, b->name) != NULL;
		if (b->kind == BUFFER_DIRECT && !known && begins_with(b->name, word))
			err = complete_add_nick(c, b->name, after);
	}
	for (size_t i = 0; i < m->count && err == 0; i++) {
		if (m->buffers[i] != here)
			err = add_from_roster(c, m, m->buffers[i], word, after);
	}
	return err;
}

int complete_nicks(struct completion *c, const struct model *m, const char *word, const char *after)
{
	int err = add_from_roster(c, m, model_current(m), word, after);

	return err < 0 ? err : complete_elsewhere(c, m, word, after);
}

/* ---- what kind of word it is ---- */

/* The command that the line begins with; NULL. `*arguments` is what follows it, without blanks. */
static const struct command_spec *command_of(const char *line, const char **arguments)
{
	*arguments = line;
	if (line[0] != '/' || line[1] == '/')
		return NULL;
	size_t length = strcspn(line + 1, " ");
	*arguments = line + 1 + length + strspn(line + 1 + length, " ");
	return command_find(line + 1, length);
}

/* /race takes a word that begins so for a number. */
static bool begins_with_digit(const char *nick)
{
	return isdigit((unsigned char)nick[0]);
}

static int find(struct completion *c, const struct model *m, const char *line, const char *word)
{
	const char *arguments;
	const struct command_spec *command = command_of(line, &arguments);
	bool first = c->start == 0;

	if (first && word[0] == '/' && word[1] != '/')
		return add_commands(c, word + 1);
	if (!first && command && complete_is_about_rights(command))
		return complete_rights(c, m, command, arguments, line + c->start, word);
	/* Only the word straight after the command is its first argument. */
	const struct command_spec *spec = arguments == line + c->start ? command : NULL;
	if (spec && spec->id == COMMAND_HELP)
		return add_commands(c, word + (word[0] == '/'));
	if (spec && spec->id == COMMAND_SEARCH && strcmp(word, "-") == 0)
		return complete_add(c, "", "-a", " ");
	if (spec && spec->id == COMMAND_RACE)
		c->mistaken = begins_with_digit;
	if (word[0] == '#')
		return add_rooms(c, m, word + 1, "#");
	if (spec && (spec->shape == SHAPE_ROOM || spec->shape == SHAPE_DOOR))
		return add_rooms(c, m, word, "");
	if (word[0] == '\0' && !spec)
		return 0;
	if (word[0] == '@')
		return complete_nicks(c, m, word + 1, first ? ": " : " ");
	return complete_nicks(c, m, word, first ? ": " : " ");
}

static int begin(struct completion *c, const struct model *m, const struct editor *e)
{
	const char *line = editor_text(e);
	size_t start = e->cursor;

	while (start > 0 && line[start - 1] != ' ' && line[start - 1] != '\n')
		start--;
	complete_reset(c);
	c->start = start;
	c->typed = strndup(line + start, e->cursor - start);
	int err = c->typed ? find(c, m, line, c->typed) : ERR_MEMORY;
	if (err == 0 && c->count == 0)
		err = ERR_NOT_FOUND;
	if (err < 0) {
		complete_reset(c);
		return err;
	}
	c->active = true;
	c->at = c->count;
	return 0;
}

int complete_step(struct completion *c, const struct model *m, struct editor *e, bool back)
{
	if (!c->active) {
		int err = begin(c, m, e);
		if (err < 0)
			return err;
	}
	/* One more place than candidates: there, what was typed comes round. */
	size_t places = c->count + 1;
	c->at = (c->at + (back ? places - 1 : 1)) % places;
	const char *text = c->at == c->count ? c->typed : c->candidates[c->at];
	return editor_replace(e, c->start, text, strlen(text));
}
