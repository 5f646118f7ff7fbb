#include "client/needless.h"

#include "common/duration.h"
#include "common/net_range.h"
#include "common/rights.h"

#include <stdio.h>
#include <string.h>

/* Giving somebody what they have, or taking from them what they have not: what is told then, before and
 * after the room's name. */
static const struct {
	enum act_verb verb;
	enum standing_kind kind;
	bool takes;
	bool hidden; /* only who has a rank is told who is on that list */
	const char *they, *you, *after;
} rows[] = {
	{ACT_OWNER, STANDING_OWNER, false, false, "owns", "own", " already"},
	{ACT_MODERATOR, STANDING_MODERATOR, false, false, "is a moderator of", "are a moderator of",
		" already"},
	{ACT_NO_MODERATOR, STANDING_MODERATOR, true, false, "is no moderator of",
		"are no moderator of", ""},
	{ACT_VOICE, STANDING_VOICE, false, false, "has a voice in", "have a voice in", " already"},
	{ACT_NO_VOICE, STANDING_VOICE, true, false, "was given no voice in",
		"were given no voice in", ""},
	{ACT_UNMUTE, STANDING_MUTED, true, true, "is not muted in", "are not muted in", ""},
	{ACT_UNINVITE, STANDING_INVITED, true, true, "is not invited to", "are not invited to", ""},
};

/* Is all of that list known? */
static bool is_told(const struct model *m, const struct buffer *b, bool hidden, uint64_t now)
{
	enum mark mine = ranks_of(&b->ranks, m->me, now);

	return !ranks_cut(&b->ranks) && (!hidden || mine >= MARK_MODERATOR);
}

static bool about_person(const struct model *m, const struct buffer *b, const struct link_act *a,
	uint64_t now, char *out)
{
	const struct roster_person *p = roster_find(&b->roster, a->label);

	for (size_t i = 0; p && i < sizeof rows / sizeof rows[0]; i++) {
		if (rows[i].verb != a->verb)
			continue;
		bool has = ranks_are(&b->ranks, rows[i].kind, p->person, now);
		if (has == rows[i].takes || (!has && !is_told(m, b, rows[i].hidden, now)))
			return false;
		bool me = memcmp(p->person, m->me, PERSON_ID) == 0;
		(void)snprintf(out, NEEDLESS_SIZE, "%s %s #%s%s.", me ? "You" : p->nick,
			me ? rows[i].you : rows[i].they, b->name, rows[i].after);
		return true;
	}
	return false;
}

/* A range that is on no list, as it is written. A nick may have changed since. */
static bool about_range(const struct model *m, const struct buffer *b, const struct link_act *a,
	uint64_t now, char *out)
{
	char label[LABEL_MAX + 1];
	struct net_range range;

	if (a->verb != ACT_UNBAN || net_range_parse(a->label, &range) != 0)
		return false;
	(void)net_range_print(&range, label, sizeof label);
	if (!is_told(m, b, true, now) || ranks_name(&b->ranks, STANDING_BANNED, label, now))
		return false;
	(void)snprintf(out, NEEDLESS_SIZE, "%s is not banned from #%s. (/mode lists who is.)",
		label, b->name);
	return true;
}

static bool about_setting(const struct buffer *b, const struct link_act *a, char *out)
{
	const struct ranks *r = &b->ranks;
	char time[DURATION_SIZE];

	if (a->verb == ACT_ENTRY && a->value != ENTRY_KEY && (int)a->value == r->entry)
		(void)snprintf(out, NEEDLESS_SIZE, "#%s is %s already.", b->name,
			a->value == ENTRY_OPEN ? "open to everybody"
					       : "for those alone who are invited");
	else if (a->verb == ACT_MODERATED && (a->value != 0) == r->moderated)
		(void)snprintf(out, NEEDLESS_SIZE, "#%s is %s.", b->name,
			a->value ? "moderated already" : "not moderated: all may speak");
	else if (a->verb == ACT_SLOW && a->value == r->slow)
		(void)snprintf(out, NEEDLESS_SIZE, "#%s has %s%s.", b->name,
			a->value ? "slow mode already: a message every " : "no slow mode anyway",
			a->value ? duration_print(a->value, time) : "");
	else
		return false;
	return true;
}

bool needless_act(const struct model *m, const struct buffer *room, const struct link_act *a,
	uint64_t now, char out[NEEDLESS_SIZE])
{
	if (!room->ranks.fresh || !room->joined)
		return false;
	if (!*a->label)
		return about_setting(room, a, out);
	return about_person(m, room, a, now, out) || about_range(m, room, a, now, out);
}
