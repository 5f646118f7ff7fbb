#include "client/talk_private.h"

#include "client/status.h"
#include "common/err.h"
#include "common/name.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool talk_fail(struct talk *t, const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	talk_say(t, LINE_ERROR, text);
	return false;
}

static bool check(struct talk *t, const char *what, int err)
{
	return err >= 0 || talk_fail(t, "%s: %s", what, err_text(err));
}

/* ---- saying ---- */

static int hand_over(
	struct talk *t, struct buffer *b, enum said_kind kind, const char *text, uint64_t *counter)
{
	static const uint8_t nobody[PERSON_ID];
	bool known = memcmp(b->person, nobody, PERSON_ID) != 0;

	if (b->kind == BUFFER_ROOM)
		return link_say(t->link, b->name, kind, text, counter);
	/* The user's own other sessions have the same id and are told by their nicks. */
	if (memcmp(b->person, t->model.me, PERSON_ID) == 0)
		known = false;
	return link_direct(t->link, b->name, known ? b->person : NULL, kind, text, counter);
}

/* Send one message to a buffer. */
static bool say(struct talk *t, struct buffer *b, enum said_kind kind, const char *text)
{
	char error[256], name[ROOM_NAME_MAX * 3 + 2];
	uint64_t counter = 0;

	if (b->kind == BUFFER_SERVER)
		return talk_fail(t,
			"This is no room. /join ROOM enters one, /query NICK talks to one "
			"person.");
	/* Before the first login, the rooms here are those that will be entered. */
	if (b->kind == BUFFER_ROOM && !b->joined && t->model.logged_in)
		return talk_fail(t, "You are not in %s any more; /join %s enters it again.",
			status_name(b, name, sizeof name), b->name);
	if (command_check_text(text, t->model.text_max, error, sizeof error) < 0)
		return talk_fail(t, "%s", error);
	int err = hand_over(t, b, kind, text, &counter);
	if (err < 0)
		return check(t, "Not sent", err);
	/* A topic is shown when it has become one. */
	if (kind == SAID_TOPIC)
		return true;
	if (b == model_current(&t->model))
		buffer_to_end(b);
	return check(t, "Sent, but not shown", model_sent(&t->model, b, kind, text, counter));
}

bool talk_send(struct talk *t, const char *text, size_t *sent)
{
	*sent = 0;
	while (text[*sent]) {
		size_t length = strcspn(text + *sent, "\n");
		char *line = strndup(text + *sent, length);
		if (!line)
			return talk_fail(t, "Out of memory.");
		bool blank = strspn(line, " ") == length;
		bool done = blank || say(t, model_current(&t->model), SAID_TEXT, line);
		free(line);
		if (!done)
			return false;
		*sent += length;
		*sent += text[*sent] == '\n';
	}
	return true;
}

/* ---- rooms and people ---- */

static bool do_join(struct talk *t, const struct command *c)
{
	struct buffer *b = model_room(&t->model, c->word);

	if (b && b->joined) {
		talk_show(t, model_index(&t->model, b));
		return true;
	}
	if (c->rest[0] && !check(t, "Not a key", link_key(t->link, c->word, c->rest)))
		return false;
	return check(t, "Cannot join", model_set(&t->model.wanted, c->word)) &&
	       check(t, "Cannot join", link_join(t->link, c->word));
}

/* Leave a room whose joining has not been answered yet; false: it is not being joined. */
static bool give_up_joining(struct talk *t, const char *room)
{
	struct model *m = &t->model;

	if (link_part(t->link, room) < 0)
		return false;
	if (m->wanted && name_same(m->wanted, room))
		model_stay(m);
	return true;
}

static bool do_part(struct talk *t, const struct command *c)
{
	struct model *m = &t->model;
	struct buffer *b = c->word[0] ? model_room(m, c->word) : model_current(m);

	if (!b)
		return give_up_joining(t, c->word) ||
		       talk_fail(t, "You are not in a room called #%s.", c->word);
	if (b->kind == BUFFER_SERVER)
		return talk_fail(t, "This is no room that could be left; /quit leaves lanchat.");
	if (b->kind == BUFFER_ROOM && b->joined &&
		!check(t, "Cannot leave", link_part(t->link, b->name)))
		return false;
	if (b->kind == BUFFER_ROOM && !b->joined)
		(void)give_up_joining(t, b->name); /* it may be entered again just now */
	if (b == model_current(m))
		talk_turn(t, model_index(m, b) - 1);
	model_close(m, b);
	return true;
}

/* A conversation with somebody, opened if need be; NULL: said why not. */
static struct buffer *open_direct(struct talk *t, const char *nick)
{
	const struct roster_person *p = model_person(&t->model, nick);
	struct buffer *b = model_open_direct(&t->model, p ? p->person : NULL, p ? p->nick : nick);

	if (!b)
		talk_fail(t, "Out of memory.");
	return b;
}

static bool do_query(struct talk *t, const struct command *c)
{
	struct buffer *b = open_direct(t, c->word);

	if (!b)
		return false;
	talk_show(t, model_index(&t->model, b));
	return c->rest[0] == '\0' || say(t, b, SAID_TEXT, c->rest);
}

static bool send_to(struct talk *t, const struct command *c, enum said_kind kind)
{
	struct buffer *b =
		c->word[0] == '#' ? model_room(&t->model, c->word + 1) : open_direct(t, c->word);
	char text[128], name[ROOM_NAME_MAX * 3 + 2];

	if (!b)
		return c->word[0] != '#' ? false : talk_fail(t, "You are not in %s.", c->word);
	if (!say(t, b, kind, c->rest))
		return false;
	if (b != model_current(&t->model)) {
		/* The model tells what becomes of it. */
		(void)snprintf(text, sizeof text, "%s %s: room %zu in the list.",
			t->model.state == LINK_ONLINE ? "On its way to" : "Waits to be sent to",
			status_name(b, name, sizeof name), model_index(&t->model, b) + 1);
		talk_hint(t, text);
	}
	return true;
}

static bool do_msg(struct talk *t, const struct command *c)
{
	return send_to(t, c, SAID_TEXT);
}

static bool do_notice(struct talk *t, const struct command *c)
{
	return send_to(t, c, SAID_NOTICE);
}

static bool do_topic(struct talk *t, const struct command *c)
{
	struct buffer *b = model_current(&t->model);
	char text[TOPIC_MAX * 3 + 32], error[256];

	if (b->kind != BUFFER_ROOM)
		return talk_fail(t, "Only a room has a topic.");
	if (c->rest[0] == '\0') {
		(void)snprintf(text, sizeof text, b->topic[0] ? "Topic: %s" : "There is no topic.",
			b->topic);
		talk_say(t, LINE_TOPIC, text);
		return true;
	}
	if (command_check_text(c->rest, TOPIC_MAX, error, sizeof error) < 0)
		return talk_fail(t, "%s", error);
	return say(t, b, SAID_TOPIC, strcmp(c->rest, "-") == 0 ? "" : c->rest);
}

static void print_person(FILE *f, const struct roster_person *p, bool first)
{
	(void)fprintf(f, "%s%s", first ? "" : ", ", p->nick);
	if (p->state == PERSON_AWAY)
		(void)fprintf(f, p->away[0] ? " (away: %s)" : " (away)", p->away);
}

static bool do_names(struct talk *t, const struct command *c)
{
	struct buffer *b = model_current(&t->model);
	char *text = NULL;
	size_t size;

	(void)c;
	if (b->kind != BUFFER_ROOM)
		return talk_fail(t, "Only a room has members.");
	FILE *f = open_memstream(&text, &size);
	if (!f)
		return talk_fail(t, "Out of memory.");
	bool whole = b->listed && b->roster.count >= b->people;
	(void)fprintf(f, "%llu in #%s: ", (unsigned long long)b->people, b->name);
	for (size_t i = 0; i < b->roster.count && b->listed; i++)
		print_person(f, &b->roster.people[i], i == 0);
	if (!whole)
		(void)fprintf(f, "%sasking the server for all of them",
			b->listed && b->roster.count ? " and others; " : "");
	if (fclose(f) == 0)
		talk_say(t, LINE_INFO, text);
	free(text);
	return whole || check(t, "Cannot ask", link_list_members(t->link, b->name));
}

static bool do_ignore(struct talk *t, const struct command *c)
{
	struct model *m = &t->model;

	if (c->word[0] == '\0') {
		talk_say(t, LINE_INFO, m->ignored_count ? "Ignored:" : "Nobody is ignored.");
		for (size_t i = 0; i < m->ignored_count; i++)
			talk_say(t, LINE_INFO, m->ignored_nicks[i]);
		return true;
	}
	const struct roster_person *p = model_person(m, c->word);
	const struct buffer *b = p ? NULL : model_direct(m, NULL, c->word);
	static const uint8_t nobody[PERSON_ID];
	const uint8_t *person = p ? p->person : b ? b->person : nobody;
	if (memcmp(person, nobody, PERSON_ID) == 0)
		return talk_fail(t, "Nobody called %s is here.", c->word);
	if (memcmp(person, m->me, PERSON_ID) == 0)
		return talk_fail(t, "%s is you, or has your key; that cannot be ignored.", c->word);
	if (!check(t, "Cannot ignore", model_ignore(m, person, c->word)))
		return false;
	int err = model_say(m, model_current(m), LINE_INFO,
		"What %s says from now on is hidden; /unignore %s ends that.", c->word, c->word);
	return check(t, "Ignored", err);
}

static bool do_unignore(struct talk *t, const struct command *c)
{
	if (!model_unignore(&t->model, c->word))
		return talk_fail(t, "Nobody called %s is ignored.", c->word);
	talk_say(t, LINE_INFO, "What they say is shown again.");
	return true;
}

static bool set_away(struct talk *t, const char *text, bool away)
{
	char error[256];

	if (command_check_text(text, AWAY_MAX, error, sizeof error) < 0)
		return talk_fail(t, "%s", error);
	if (!check(t, "Cannot tell the server",
		    link_away(t->link, away ? PERSON_AWAY : PERSON_HERE, text)))
		return false;
	t->model.away = away;
	talk_say(t, LINE_INFO,
		away ? "You are away; /back when you are here again." : "You are back.");
	return true;
}

static bool do_away(struct talk *t, const struct command *c)
{
	return set_away(t, c->rest, true);
}

static bool do_back(struct talk *t, const struct command *c)
{
	(void)c;
	return set_away(t, "", false);
}

/* ---- the program ---- */

static bool do_help(struct talk *t, const struct command *c)
{
	const char *name = c->word[0] == '/' ? c->word + 1 : c->word;
	char line[256];

	if (name[0] == '\0') {
		talk_open_help(t, false);
		return true;
	}
	const struct command_spec *spec = command_find(name, strlen(name));
	if (!spec)
		return talk_fail(t, "There is no command /%s; /help lists them.", name);
	talk_say(t, LINE_INFO, command_print(spec, line, sizeof line));
	return true;
}

static bool do_connect(struct talk *t, const struct command *c)
{
	if (c->word[0] == '\0') {
		link_retry(t->link);
		return true;
	}
	(void)snprintf(t->server, sizeof t->server, "%s", c->word);
	talk_leave(t, TALK_CONNECT);
	return true;
}

static bool do_rooms(struct talk *t, const struct command *c)
{
	(void)c;
	t->model.listing = true;
	return check(t, "Cannot ask", link_list_rooms(t->link));
}

static bool do_clear(struct talk *t, const struct command *c)
{
	(void)c;
	buffer_clear(model_current(&t->model));
	return true;
}

static bool do_discover(struct talk *t, const struct command *c)
{
	(void)c;
	talk_leave(t, TALK_DISCOVER);
	return true;
}

static bool do_quit(struct talk *t, const struct command *c)
{
	(void)c;
	talk_leave(t, TALK_QUIT);
	return true;
}

static bool do_say(struct talk *t, const struct command *c)
{
	size_t sent;

	return talk_send(t, c->rest, &sent);
}

static bool do_me(struct talk *t, const struct command *c)
{
	return say(t, model_current(&t->model), SAID_ACTION, c->rest);
}

static bool do_nick(struct talk *t, const struct command *c)
{
	char told[NICK_MAX + 64];

	int err = link_nick(t->link, c->word);
	if (!check(t, "Cannot be called that", err))
		return false;
	/* The server gives it, or says that it was taken. */
	if (err > 0 && !check(t, "Cannot be called that", model_set(&t->model.nick, c->word)))
		return false;
	if (t->model.state == LINK_ONLINE)
		return true;
	(void)snprintf(told, sizeof told, "You will be %.*s when there is a connection.", NICK_MAX,
		c->word);
	talk_hint(t, told);
	/* It may be what the server did not want. */
	if (t->model.state == LINK_FAILED)
		link_retry(t->link);
	return true;
}

static bool do_history(struct talk *t, const struct command *c)
{
	return talk_history(t, c->word);
}

static bool do_last(struct talk *t, const struct command *c)
{
	return talk_last(t, c->rest);
}

static bool do_search(struct talk *t, const struct command *c)
{
	return talk_search(t, c->rest);
}

/* What each command does: false says that the user was told why it was not done. */
static bool (*const doers[COMMANDS])(struct talk *t, const struct command *c) = {
	[COMMAND_SAY] = do_say,
	[COMMAND_AWAY] = do_away,
	[COMMAND_BACK] = do_back,
	[COMMAND_CLEAR] = do_clear,
	[COMMAND_CONNECT] = do_connect,
	[COMMAND_DISCOVER] = do_discover,
	[COMMAND_HELP] = do_help,
	[COMMAND_HISTORY] = do_history,
	[COMMAND_IGNORE] = do_ignore,
	[COMMAND_JOIN] = do_join,
	[COMMAND_LAST] = do_last,
	[COMMAND_ME] = do_me,
	[COMMAND_MSG] = do_msg,
	[COMMAND_NAMES] = do_names,
	[COMMAND_NICK] = do_nick,
	[COMMAND_NOTICE] = do_notice,
	[COMMAND_PART] = do_part,
	[COMMAND_QUERY] = do_query,
	[COMMAND_QUIT] = do_quit,
	[COMMAND_RACE] = talk_race,
	[COMMAND_ROOMS] = do_rooms,
	[COMMAND_SEARCH] = do_search,
	[COMMAND_TOPIC] = do_topic,
	[COMMAND_UDP] = talk_udp,
	[COMMAND_UNIGNORE] = do_unignore,
	[COMMAND_ACT] = talk_rights,
	[COMMAND_OP] = talk_rights,
	[COMMAND_MODE] = talk_rights,
	[COMMAND_AUDIT] = talk_rights,
	[COMMAND_WHOIS] = talk_rights,
};

bool talk_run(struct talk *t, const char *line)
{
	struct command c;
	char error[256];

	if (command_parse(line, &c, error, sizeof error) < 0)
		return talk_fail(t, "%s", error);
	return doers[c.id](t, &c);
}
