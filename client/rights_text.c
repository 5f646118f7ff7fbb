#include "client/rights_text.h"

#include "common/duration.h"
#include "common/fingerprint.h"
#include "common/name.h"
#include "common/rights.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#define SECOND UINT64_C(1000000)
#define SOON   (UINT64_C(3600) * SECOND) /* what is so near is told to the second */

/* ---- times ---- */

static void print_time(FILE *f, uint64_t us, bool seconds)
{
	time_t s = (time_t)(us / SECOND);
	struct tm local;
	char text[32] = "?";

	if (localtime_r(&s, &local))
		(void)strftime(text, sizeof text, seconds ? "%Y-%m-%d %H:%M:%S" : "%Y-%m-%d %H:%M",
			&local);
	(void)fputs(text, f);
}

static void print_until(FILE *f, uint64_t until, uint64_t now)
{
	if (until == 0) {
		(void)fputs("for good", f);
		return;
	}
	(void)fputs("until ", f);
	print_time(f, until, until < now + SOON);
}

/* How long it was to last when it was done. A log whose newest time the server's clock has not reached
 * cannot say that. */
static void print_for(FILE *f, uint64_t until, uint64_t from)
{
	char text[DURATION_SIZE];

	(void)fputc(' ', f);
	if (until > from)
		(void)fprintf(
			f, "for %s", duration_print((until - from + SECOND / 2) / SECOND, text));
	else
		print_until(f, until, from);
}

/* ---- charters ---- */

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

/* All of one kind in one line. */
static void print_standings(
	FILE *f, const struct event *e, int kind, const char *title, uint64_t now)
{
	bool any = false, ends = kind == STANDING_BANNED || kind == STANDING_MUTED;

	for (size_t i = 0; i < e->count; i++) {
		const struct event_standing *s = &e->standings[i];
		if (s->kind != kind)
			continue;
		(void)fprintf(f, "%s%s", any ? ", " : title, s->label);
		if (ends || s->until) {
			(void)fputs(" (", f);
			print_until(f, s->until, now);
			(void)fputs(")", f);
		}
		any = true;
	}
	if (any)
		(void)fputs("\n", f);
}

static void print_charter(FILE *f, const struct event *e, uint64_t now)
{
	static const char *const entries[] = {
		[ENTRY_OPEN] = "everybody may come in",
		[ENTRY_KEY] = "who has the key may come in",
		[ENTRY_INVITED] = "who is invited may come in",
	};
	char text[DURATION_SIZE];
	bool room = e->room[0] != '\0';

	if (room) {
		(void)fprintf(f, "#%s: %s; %s", e->room,
			entries[e->kind >= 0 && e->kind <= ENTRY_INVITED ? e->kind : ENTRY_INVITED],
			e->flag ? "moderated: who has a voice may speak" : "all may speak");
		if (e->number)
			(void)fprintf(f, ", a message every %s", duration_print(e->number, text));
		(void)fputs("\n", f);
	}
	(void)fprintf(f, "You are %s%s.\n", rank_word(e->code), room ? " here" : "");
	print_standings(f, e, STANDING_OWNER, "Owner: ", now);
	print_standings(f, e, STANDING_MODERATOR, room ? "Moderators: " : "Operators: ", now);
	print_standings(f, e, STANDING_VOICE, "With a voice: ", now);
	print_standings(f, e, STANDING_INVITED, "Invited: ", now);
	print_standings(f, e, STANDING_BANNED, "Banned: ", now);
	print_standings(f, e, STANDING_MUTED, "Muted: ", now);
}

/* ---- acts ---- */

/* The words before and after whom it is about, as the room was told; `alone`: of oneself. NULL: it is
 * about a setting. */
struct phrase {
	const char *before, *after, *alone;
};

static const struct phrase phrases[] = {
	[ACT_CLAIM] = {"took the nick ", "", NULL},
	[ACT_RELEASE] = {"released the nick ", "", NULL},
	[ACT_OPERATOR] = {"made ", " an operator of the server", NULL},
	[ACT_NO_OPERATOR] = {"made ", " an operator no longer", "is an operator no longer"},
	[ACT_OWNER] = {"gave the room to ", "", "took the room over"},
	[ACT_MODERATOR] = {"made ", " a moderator", NULL},
	[ACT_NO_MODERATOR] = {"made ", " a moderator no longer", "is a moderator no longer"},
	[ACT_VOICE] = {"gave ", " a voice", NULL},
	[ACT_NO_VOICE] = {"took the voice from ", "", NULL},
	[ACT_KICK] = {"sent ", " out", NULL},
	[ACT_BAN] = {"banned ", "", NULL},
	[ACT_UNBAN] = {"lifted the ban of ", "", NULL},
	[ACT_MUTE] = {"muted ", "", NULL},
	[ACT_UNMUTE] = {"lets ", " speak again", NULL},
	[ACT_INVITE] = {"invited ", "", NULL},
	[ACT_UNINVITE] = {"took back the invitation of ", "", NULL},
	[ACT_TAKE] = {"opened the room, which was new, and owns it", "",
		"opened the room, which was new, and owns it"},
	[ACT_PROVE] = {"became an operator by the server's code", "",
		"became an operator by the server's code"},
};

static void print_setting(FILE *f, const struct event_act *a)
{
	static const char *const entries[] = {
		[ENTRY_OPEN] = "opened the room to everybody",
		[ENTRY_KEY] = "locked the room with a key",
		[ENTRY_INVITED] = "made the room one for those who are invited",
	};
	char text[DURATION_SIZE];

	if (a->verb == ACT_ENTRY)
		(void)fputs(entries[a->value <= ENTRY_INVITED ? a->value : ENTRY_INVITED], f);
	else if (a->verb == ACT_MODERATED)
		(void)fputs(
			a->value ? "made the room moderated" : "made the room one for all to speak",
			f);
	else if (a->verb == ACT_SLOW && a->value)
		(void)fprintf(
			f, "set slow mode: a message every %s", duration_print(a->value, text));
	else if (a->verb == ACT_SLOW)
		(void)fputs("ended slow mode", f);
	else
		(void)fprintf(
			f, "did what this lanchat has no words for (%u) %s", a->verb, a->label);
}

static void print_act(FILE *f, const struct event_act *a)
{
	bool has_phrase = a->verb < sizeof phrases / sizeof phrases[0] && phrases[a->verb].before;

	print_time(f, a->time, false);
	(void)fprintf(f, " %s ", a->nick);
	if (!has_phrase)
		print_setting(f, a);
	else if (phrases[a->verb].alone && name_same(a->nick, a->label))
		(void)fputs(phrases[a->verb].alone, f);
	else
		(void)fprintf(
			f, "%s%s%s", phrases[a->verb].before, a->label, phrases[a->verb].after);
	if (a->verb == ACT_BAN || a->verb == ACT_MUTE)
		print_for(f, a->value, a->time);
	(void)fprintf(f, "%s%s\n", a->text[0] ? ": " : "", a->text);
}

static void print_audit(FILE *f, const struct event *e)
{
	bool room = e->room[0] != '\0';

	if (e->count == 0)
		(void)fprintf(f, "Nothing %s done about %s%s.\n",
			e->own ? "earlier was" : "was ever", room ? "#" : "",
			room ? e->room : "the server");
	for (size_t i = 0; i < e->count; i++)
		print_act(f, &e->acts[i]);
	if (e->count > 0 && e->flag)
		(void)fprintf(
			f, "There is more from before that: /audit %smore\n", room ? "" : "-s ");
}

/* ---- people ---- */

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

void rights_text_answer(FILE *f, const struct event *e, uint64_t now)
{
	if (e->type == EVENT_CHARTER)
		print_charter(f, e, now);
	else if (e->type == EVENT_AUDIT)
		print_audit(f, e);
	else if (e->type == EVENT_PERSON)
		print_person(f, e);
}

/* ---- what was done ---- */

static void print_lasting(
	FILE *f, const char *room, const struct link_act *a, const char *words, uint64_t now)
{
	char text[DURATION_SIZE];

	(void)fprintf(
		f, "%s %s %s%s ", a->label, words, *room ? "#" : "", *room ? room : "the server");
	if (a->value)
		(void)fprintf(f, "for %s, ", duration_print(a->value, text));
	print_until(f, a->value ? now + a->value * SECOND : 0, now);
	(void)fputs(".\n", f);
}

void rights_text_done(FILE *f, const char *room, const struct link_act *a, uint64_t now)
{
	bool server = *room == '\0';

	if (a->verb == ACT_BAN)
		print_lasting(f, room, a, "is banned from", now);
	else if (a->verb == ACT_MUTE)
		print_lasting(f, room, a, "is muted in", now);
	else if (a->verb == ACT_OPERATOR && !*a->label)
		(void)fputs("You are an operator of the server now.\n", f);
	else if (a->verb == ACT_OPERATOR)
		(void)fprintf(f, "%s is an operator of the server now.\n", a->label);
	else if (a->verb == ACT_NO_OPERATOR)
		(void)fprintf(f, "%s is an operator no longer.\n", a->label);
	else if (a->verb == ACT_RELEASE)
		(void)fprintf(f, "The nick %s is nobody's now.\n", a->label);
	else if (a->verb == ACT_KICK && server)
		(void)fprintf(f, "%s was sent off the server.\n", a->label);
	else if (a->verb == ACT_UNBAN && server)
		(void)fprintf(f, "%s may come to the server again.\n", a->label);
	else
		(void)fputs("Done.\n", f);
}
