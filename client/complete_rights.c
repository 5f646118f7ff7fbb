#include "client/complete_private.h"

#include "client/act_line.h"
#include "common/clock.h"
#include "common/name.h"

#include <string.h>
#include <strings.h>

/* Which arguments come before the word: -s, and others. */
struct before {
	bool server;
	size_t count;
	char first[16]; /* the first of the others, cut */
};

static struct before look_before(const char *arguments, const char *at)
{
	struct before b = {0};

	b.server = act_line_server(&arguments) && arguments <= at;
	while (arguments < at) {
		size_t length = strcspn(arguments, " ");
		if (b.count++ == 0 && length < sizeof b.first)
			memcpy(b.first, arguments, length);
		arguments += length;
		arguments += strspn(arguments, " ");
	}
	return b;
}

static bool takes_server(const struct command_spec *command)
{
	return command->id == COMMAND_MODE || command->id == COMMAND_AUDIT ||
	       (command->id == COMMAND_ACT &&
		       act_line_on_server((enum act_verb)act_verb(command->name)));
}

/* A word that begins so, in whatever case. */
static int offer(struct completion *c, const char *candidate, const char *word)
{
	bool fits = strncasecmp(candidate, word, strlen(word)) == 0;

	return fits ? complete_add(c, "", candidate, " ") : 0;
}

static int add_modes(struct completion *c, const struct before *b, const char *word)
{
	size_t count;
	const struct mode_word *modes = act_line_modes(&count);
	int err = 0;

	for (size_t i = 0; i < count && err == 0; i++) {
		if (b->count == 0)
			err = offer(c, modes[i].word, word);
		else if (b->count == 1 && strcmp(b->first, modes[i].word) == 0)
			for (size_t j = 0; modes[i].values[j] && err == 0; j++)
				err = offer(c, modes[i].values[j], word);
	}
	return err;
}

/* Of which list of a charter the one is whom the command takes from it; -1: of none. */
static int list_of(enum act_verb verb)
{
	switch (verb) {
	case ACT_UNBAN:
		return STANDING_BANNED;
	case ACT_UNMUTE:
		return STANDING_MUTED;
	case ACT_NO_VOICE:
		return STANDING_VOICE;
	case ACT_UNINVITE:
		return STANDING_INVITED;
	case ACT_NO_MODERATOR:
	case ACT_NO_OPERATOR:
		return STANDING_MODERATOR;
	default:
		return -1;
	}
}

/* Addresses stand as they are; a nick that looks so does not. */
static int offer_row(struct completion *c, const struct ranks_row *row, const char *word)
{
	static const uint8_t nobody[PERSON_ID];
	bool range = memcmp(row->person, nobody, PERSON_ID) == 0;

	if (strncasecmp(row->label, word, strlen(word)) != 0)
		return 0;
	return range ? complete_add(c, "", row->label, " ") : complete_add_nick(c, row->label, " ");
}

static int add_listed(struct completion *c, const struct ranks *r, int kind, const char *word)
{
	uint64_t now = clock_wall_us();
	int err = 0;

	for (size_t i = 0; i < r->row_count && err == 0; i++) {
		if (r->rows[i].kind == kind && r->rows[i].until > now)
			err = offer_row(c, &r->rows[i], word);
	}
	return err;
}

static int add_people(struct completion *c, const struct model *m, enum act_verb verb,
	const struct before *b, const char *word)
{
	bool server = b->server || verb == ACT_NO_OPERATOR;
	const struct ranks *r = server ? &m->operators : &model_current(m)->ranks;
	int kind = list_of(verb), err = 0;

	word += *word == '@';
	if (kind >= 0)
		err = add_listed(c, r, kind, word);
	/* Who is here already needs no invitation. */
	else if (verb == ACT_INVITE)
		err = complete_elsewhere(c, m, word, " ");
	return err == 0 && c->count == 0 ? complete_nicks(c, m, word, " ") : err;
}

bool complete_is_about_rights(const struct command_spec *command)
{
	return command->id == COMMAND_ACT || command->id == COMMAND_OP ||
	       command->id == COMMAND_MODE || command->id == COMMAND_AUDIT;
}

int complete_rights(struct completion *c, const struct model *m, const struct command_spec *command,
	const char *arguments, const char *at, const char *word)
{
	struct before b = look_before(arguments, at);

	if (*word == '-' && b.count == 0 && !b.server && takes_server(command))
		return offer(c, "-s", word);
	if (command->id == COMMAND_MODE)
		return b.server ? 0 : add_modes(c, &b, word);
	if (command->id == COMMAND_AUDIT)
		return b.count == 0 ? offer(c, "more", word) : 0;
	if (b.count > 0)
		return *word ? complete_nicks(c, m, word + (*word == '@'), " ") : 0;
	c->mistaken = act_line_is_range;
	return add_people(c, m, (enum act_verb)act_verb(command->name), &b, word);
}
