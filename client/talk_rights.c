/*
 * Commands about rights: sending people out, roles, what a room is like, who somebody is; and what the
 * server answers.
 */
#include "client/talk_private.h"

#include "common/err.h"
#include "common/fingerprint.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define AUDIT_ROWS 30 /* that /audit shows */

/* ---- words of a line ---- */

/* Cut the next word off; false where there is none, or it is too long. */
static bool take_word(const char **rest, char *out, size_t size)
{
	size_t length = strcspn(*rest, " ");

	if (length == 0 || length >= size)
		return false;
	memcpy(out, *rest, length);
	out[length] = '\0';
	*rest += length;
	*rest += strspn(*rest, " ");
	return true;
}

/* "30s", "10m", "2h", "1d" in seconds; false where it is none of these. */
static bool parse_span(const char *text, uint64_t *seconds)
{
	static const struct {
		char unit;
		uint64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	uint64_t n = strtoull(text, &end, 10);
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		if (end[0] == units[i].unit && end[1] == '\0' && n > 0 && n < 1000000) {
			*seconds = n * units[i].seconds;
			return true;
		}
	}
	return false;
}

static bool parse_number(const char *text, uint64_t *out)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	*out = strtoull(text, &end, 10);
	return *end == '\0';
}

/* Where a command is about: "-s" is the server, which is no room. False: said what is wrong. */
static bool take_place(struct talk *t, const char **rest, const char **room)
{
	const struct buffer *b = model_current(&t->model);

	*room = b->name;
	if (strncmp(*rest, "-s", 2) == 0 && ((*rest)[2] == ' ' || (*rest)[2] == '\0')) {
		*rest += 2;
		*rest += strspn(*rest, " ");
		*room = "";
		return true;
	}
	return b->kind == BUFFER_ROOM ||
	       talk_fail(t, "This is no room. (-s does it for the whole server.)");
}

static bool sent(struct talk *t, int err)
{
	if (err == ERR_CLOSED)
		return talk_fail(t, "There is no connection; try it again when there is one.");
	if (err == ERR_REFUSED)
		return talk_fail(t, "This server knows nothing of that: it is an older one.");
	return err >= 0 || talk_fail(t, "That cannot be sent: %s", err_text(err));
}

static bool act(struct talk *t, const char *room, const struct link_act *a)
{
	uint32_t request;

	return sent(t, link_act(t->link, room, a, &request));
}

/* ---- people ---- */

static bool do_person(struct talk *t, enum act_verb verb, const char *rest)
{
	char label[LABEL_MAX + 2], word[32];
	struct link_act a = {.verb = verb};
	const char *room, *after;

	if (verb == ACT_OPERATOR || verb == ACT_NO_OPERATOR || verb == ACT_RELEASE)
		room = "";
	else if (!take_place(t, &rest, &room))
		return false;
	if (!take_word(&rest, label, sizeof label))
		return talk_fail(t, "Whom? /help %s tells how it is used.", act_word(verb));
	a.label = label[0] == '@' ? label + 1 : label;
	after = rest;
	if ((verb == ACT_BAN || verb == ACT_MUTE) && take_word(&after, word, sizeof word) &&
		parse_span(word, &a.value))
		rest = after;
	a.text = rest;
	return act(t, room, &a);
}

/* /op CODE makes the user an operator, /op NICK somebody else: codes have a form of their own. */
static bool do_op(struct talk *t, const char *rest)
{
	struct link_act a = {.verb = ACT_OPERATOR, .label = "", .text = rest};

	if (strlen(rest) == 19 && rest[4] == '-' && rest[9] == '-' && rest[14] == '-')
		return act(t, "", &a);
	return do_person(t, ACT_OPERATOR, rest);
}

/* ---- what a room is like ---- */

/* What /mode takes, and what it makes of it. */
static const struct {
	const char *word;
	enum act_verb verb;
	uint64_t value;
} modes[] = {
	{"open", ACT_ENTRY, ENTRY_OPEN},
	{"key", ACT_ENTRY, ENTRY_KEY},
	{"invited", ACT_ENTRY, ENTRY_INVITED},
	{"moderated", ACT_MODERATED, 1},
	{"free", ACT_MODERATED, 0},
	{"slow", ACT_SLOW, 0},
};

static bool do_mode(struct talk *t, const char *rest)
{
	struct link_act a = {.label = "", .text = ""};
	char word[32];
	const char *room;
	uint32_t request;

	if (!take_place(t, &rest, &room))
		return false;
	if (*rest == '\0')
		return sent(t, link_charter(t->link, room, &request));
	if (!take_word(&rest, word, sizeof word))
		word[0] = '\0';
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		if (strcmp(modes[i].word, word) != 0)
			continue;
		a.verb = modes[i].verb;
		a.value = modes[i].value;
		if (a.verb == ACT_SLOW && !parse_number(rest, &a.value))
			break;
		if (a.value == ENTRY_KEY && a.verb == ACT_ENTRY)
			a.text = rest;
		return act(t, room, &a);
	}
	return talk_fail(t, "/mode takes open, key KEY, invited, moderated, free or slow SECONDS.");
}

static bool do_audit(struct talk *t, const char *rest)
{
	const char *room;
	uint32_t request;

	return take_place(t, &rest, &room) &&
	       sent(t, link_audit(t->link, room, AUDIT_ROWS, &request));
}

bool talk_rights(struct talk *t, const struct command *c)
{
	uint32_t request;

	switch (c->id) {
	case COMMAND_ACT:
		return do_person(t, (enum act_verb)c->verb, c->rest);
	case COMMAND_OP:
		return do_op(t, c->rest);
	case COMMAND_MODE:
		return do_mode(t, c->rest);
	case COMMAND_AUDIT:
		return do_audit(t, c->rest);
	default:
		return sent(t, link_whois(t->link, c->word, &request));
	}
}

/* ---- answers ---- */

static const char *rank_word(unsigned rank)
{
	static const char *const words[] = {
		[RANK_NONE] = "nobody in particular",
		[RANK_MODERATOR] = "a moderator",
		[RANK_OWNER] = "the owner",
		[RANK_OPERATOR] = "an operator of the server",
	};

	return rank < sizeof words / sizeof words[0] ? words[rank] : words[RANK_NONE];
}

static void print_time(FILE *f, uint64_t us)
{
	time_t seconds = (time_t)(us / 1000000);
	struct tm local;
	char text[32] = "?";

	if (localtime_r(&seconds, &local))
		(void)strftime(text, sizeof text, "%Y-%m-%d %H:%M", &local);
	(void)fputs(text, f);
}

/* All of one kind in one line. */
static void print_standings(FILE *f, const struct event *e, int kind, const char *title)
{
	bool any = false;

	for (size_t i = 0; i < e->count; i++) {
		const struct event_standing *s = &e->standings[i];
		if (s->kind != kind)
			continue;
		(void)fprintf(f, "%s%s", any ? ", " : title, s->label);
		if (s->until) {
			(void)fputs(" (until ", f);
			print_time(f, s->until);
			(void)fputs(")", f);
		}
		any = true;
	}
	if (any)
		(void)fputs("\n", f);
}

static void print_charter(FILE *f, const struct event *e)
{
	static const char *const entries[] = {
		[ENTRY_OPEN] = "everybody may come in",
		[ENTRY_KEY] = "who has the key may come in",
		[ENTRY_INVITED] = "who is invited may come in",
	};
	bool room = e->room[0] != '\0';

	if (room) {
		(void)fprintf(f, "#%s: %s; %s", e->room,
			entries[e->kind >= 0 && e->kind <= ENTRY_INVITED ? e->kind : ENTRY_INVITED],
			e->flag ? "moderated: who has a voice may speak" : "all may speak");
		if (e->number)
			(void)fprintf(f, ", a message every %" PRIu64 " s", e->number);
		(void)fputs("\n", f);
	}
	(void)fprintf(f, "You are %s%s.\n", rank_word(e->code), room ? " here" : "");
	print_standings(f, e, STANDING_OWNER, "Owner: ");
	print_standings(f, e, STANDING_MODERATOR, room ? "Moderators: " : "Operators: ");
	print_standings(f, e, STANDING_VOICE, "With a voice: ");
	print_standings(f, e, STANDING_INVITED, "Invited: ");
	print_standings(f, e, STANDING_BANNED, "Banned: ");
	print_standings(f, e, STANDING_MUTED, "Muted: ");
}

static void print_audit(FILE *f, const struct event *e)
{
	if (e->count == 0)
		(void)fprintf(f, "Nothing was ever done about %s%s.\n", e->room[0] ? "#" : "",
			e->room[0] ? e->room : "the server");
	else if (e->flag)
		(void)fputs("(There are earlier ones.)\n", f);
	for (size_t i = 0; i < e->count; i++) {
		const struct event_act *a = &e->acts[i];
		const char *word = act_word(a->verb);
		print_time(f, a->time);
		(void)fprintf(f, " %s: %s %s", a->nick, word ? word : "?", a->label);
		if ((a->verb == ACT_BAN || a->verb == ACT_MUTE) && a->value) {
			(void)fputs(" until ", f);
			print_time(f, a->value);
		} else if (a->value) {
			(void)fprintf(f, " %" PRIu64, a->value);
		}
		(void)fprintf(f, "%s%s\n", a->text[0] ? ": " : "", a->text);
	}
}

static void print_person(FILE *f, const struct event *e)
{
	char tag[FINGERPRINT_SIZE];

	(void)fprintf(f, "%s has the key %s\n", e->nick, fingerprint(e->person, tag));
	if (!e->own)
		(void)fputs(
			"Nobody here has proven their key: the connection is not encrypted.\n", f);
	else
		(void)fputs(e->flag ? "The nick is theirs.\n" : "The nick is nobody's.\n", f);
	if (e->code == RANK_OPERATOR)
		(void)fputs("An operator of the server.\n", f);
	(void)fputs(e->person_state == PERSON_GONE ? "Not here.\n" : "Here.\n", f);
}

/* Each line of a text is a line of the pane. */
static void say_lines(struct talk *t, char *text)
{
	char *rest = text;

	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		if (*line)
			talk_say(t, LINE_INFO, line);
	}
}

void talk_rights_event(struct talk *t, const struct event *e)
{
	void (*print)(FILE * f, const struct event *e) = e->type == EVENT_CHARTER  ? print_charter
							 : e->type == EVENT_AUDIT  ? print_audit
							 : e->type == EVENT_PERSON ? print_person
										   : NULL;
	char *text = NULL;
	size_t size;

	if (e->type == EVENT_DONE)
		talk_hint(t, "Done.");
	FILE *f = print ? open_memstream(&text, &size) : NULL;
	if (!f)
		return;
	print(f, e);
	if (fclose(f) == 0)
		say_lines(t, text);
	free(text);
}
