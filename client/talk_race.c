/*
 * Datagrams: what is said as one, and races of TCP against UDP.
 */
#include "client/talk_private.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/lane.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_MS 100 /* between two looks at a race that is shown */

/* Between two races that others run with us: each is a line. */
#define GUEST_PAUSE_MS 2000

/* ---- saying ---- */

bool talk_udp(struct talk *t, const struct command *c)
{
	struct buffer *b = model_current(&t->model);
	char error[256];

	if (b->kind != BUFFER_ROOM)
		return talk_fail(t, "Only in a room can something be said as a datagram.");
	if (!b->joined)
		return talk_fail(t, "You are not in #%s.", b->name);
	if (command_check_text(c->rest, t->model.text_max, error, sizeof error) < 0)
		return talk_fail(t, "%s", error);
	/* The server would drop it, and who sends a datagram is told nothing. */
	const char *silenced = model_silenced(&t->model, b);
	if (silenced)
		return talk_fail(t, "%s", silenced);
	int err = link_toss(t->link, b->name, c->rest);
	if (err == ERR_CLOSED)
		return talk_fail(t, "There is no connection: a datagram does not wait for one.");
	if (err == ERR_REFUSED)
		return talk_fail(t, "There is no datagram lane to this server.");
	if (err < 0)
		return talk_fail(t, "Not sent: %s", err_text(err));
	buffer_to_end(b);
	return model_tossed(&t->model, b, c->rest) == 0 || talk_fail(t, "Sent, but not shown.");
}

/* ---- asking for a race ---- */

static bool take_number(const char **text, unsigned long most, unsigned long *number)
{
	char *end;
	unsigned long n = strtoul(*text, &end, 10);

	if (!isdigit((unsigned char)**text) || (*end != '\0' && *end != ' ') || n > most)
		return false;
	*number = n;
	*text = end + strspn(end, " ");
	return true;
}

/* "[NICK] [N] [SIZE]"; false: it is not that. */
static bool parse(const char *text, char nick[NICK_MAX + 1], struct link_race_plan *plan)
{
	unsigned long count = RACE_COUNT, size = RACE_SIZE;

	nick[0] = '\0';
	if (*text && !isdigit((unsigned char)*text)) {
		text += *text == '@';
		size_t length = strcspn(text, " ");
		if (length == 0 || length > NICK_MAX)
			return false;
		memcpy(nick, text, length);
		nick[length] = '\0';
		text += length + strspn(text + length, " ");
	}
	if (*text && (!take_number(&text, RACE_COUNT_MOST, &count) || count == 0))
		return false;
	if (*text && (!take_number(&text, LANE_MAX, &size) || size == 0))
		return false;
	*plan = (struct link_race_plan){.count = (uint32_t)count, .size = (uint16_t)size};
	return *text == '\0';
}

bool talk_race(struct talk *t, const struct command *c)
{
	struct buffer *b = model_current(&t->model);
	char nick[NICK_MAX + 1];
	struct link_race_plan plan;

	if (!parse(c->rest, nick, &plan))
		return talk_fail(t,
			"Use it so: /race [NICK] [N] [SIZE], with N up to %d and SIZE up to %d; "
			"what is around a message alone has 60 bytes (44 with --plaintext).",
			RACE_COUNT_MOST, LANE_MAX);
	if (!nick[0] && b->kind == BUFFER_DIRECT)
		(void)snprintf(nick, sizeof nick, "%s", b->name);
	uint32_t most = race_guest_count(plan.size);
	if (nick[0] && plan.count > most)
		return talk_fail(t,
			"With somebody else, a race has at most %u messages of %u bytes: their "
			"program "
			"sends back no more. With the server: /race %u %u",
			most, plan.size, plan.count, plan.size);
	int err = link_race(t->link, nick, &plan);
	if (err == ERR_CLOSED)
		return talk_fail(t, "There is no connection to race over.");
	if (err == ERR_REFUSED)
		return talk_fail(t, "There is no datagram lane to this server.");
	if (err < 0)
		return talk_fail(t, "Cannot race: %s", err_text(err));
	(void)snprintf(t->race_room, sizeof t->race_room, "%s", b->name);
	t->race_kind = b->kind;
	t->overlay = OVERLAY_RACE;
	talk_race_tick(t, clock_ms());
	return true;
}

/* ---- being raced ---- */

/* Why not, as a code; CODE_NONE: our program sends back what comes. */
static enum code accept_race(struct talk *t, const struct event *e)
{
	int64_t now = clock_ms();

	if (e->read > race_guest_count((uint16_t)e->code))
		return CODE_RACE_TOO_MUCH;
	if (t->raced_at && now - t->raced_at < GUEST_PAUSE_MS)
		return CODE_RACE_TOO_SOON;
	int err = link_race_accept(t->link, (uint32_t)e->number, (uint32_t)e->read);
	if (err == 0)
		t->raced_at = now;
	return err == 0 ? CODE_NONE : CODE_RACING;
}

void talk_race_event(struct talk *t, const struct event *e)
{
	struct model *m = &t->model;

	if (e->type != EVENT_RACED || model_is_ignored(m, e->person))
		return;
	enum code code = accept_race(t, e);
	if (code) {
		(void)link_race_refuse(t->link, (uint32_t)e->number, code);
		return;
	}
	struct buffer *b = model_direct(m, e->person, e->nick);
	(void)model_say(m, b ? b : model_current(m), LINE_INFO,
		"%s races TCP against UDP with you: %u message%s each way, of %u bytes, %s sent "
		"back. (/ignore %s refuses the next race.)",
		e->nick, (unsigned)e->read, e->read == 1 ? "" : "s", e->code,
		e->read == 1 ? "is" : "are", e->nick);
}

/* ---- the race that is shown ---- */

/* The line that stays, where the race was asked for. */
static void say_result(struct talk *t)
{
	const struct link_race *r = &t->race;
	struct buffer *b = t->race_kind == BUFFER_ROOM ? model_room(&t->model, t->race_room)
			   : t->race_kind == BUFFER_DIRECT
				   ? model_direct(&t->model, NULL, t->race_room)
				   : NULL;
	char tcp[160], udp[160];

	if (!b)
		b = model_current(&t->model);
	if (r->stage == LINK_RACE_FAILED && r->scores[RACE_TCP].sent == 0) {
		(void)model_say(&t->model, b, LINE_ERROR, "No race with %s: %s.",
			r->nick[0] ? r->nick : "the server", r->why);
		return;
	}
	(void)model_say(&t->model, b, LINE_INFO,
		"Race with %s%s, datagrams of %u bytes%s. TCP: %s. UDP: %s.%s%s%s",
		r->nick[0] ? r->nick : "the server",
		r->stage == LINK_RACE_OVER ? "" : " (not to its end)", r->plan.size,
		r->sealed ? "" : " (insecure)", race_print(&r->scores[RACE_TCP], tcp, sizeof tcp),
		race_print(&r->scores[RACE_UDP], udp, sizeof udp), r->why[0] ? " (" : "", r->why,
		r->why[0] ? ".)" : "");
}

void talk_race_key(struct talk *t, uint32_t key)
{
	if (key != K_ESCAPE && key != CTRL('C'))
		return;
	(void)link_race_look(t->link, &t->race);
	say_result(t);
	link_race_stop(t->link);
	t->overlay = OVERLAY_NONE;
}

void talk_race_tick(struct talk *t, int64_t now)
{
	if (t->overlay != OVERLAY_RACE)
		return;
	(void)link_race_look(t->link, &t->race);
	t->race_look = now + LOOK_MS;
}

int64_t talk_race_deadline(const struct talk *t)
{
	bool over = t->race.stage == LINK_RACE_OVER || t->race.stage == LINK_RACE_FAILED;

	return t->overlay == OVERLAY_RACE && !over ? t->race_look : INT64_MAX;
}
