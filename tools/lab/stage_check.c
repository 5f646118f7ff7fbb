/*
 * What is told of a run: words, and what came of its assertions.
 */
#include "tools/lab/stage_private.h"

#include "tools/lab/evidence.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_SIZE 1024
#define REASON    384
#define TOLD      (REASON + 64)

void stage_say(struct stage *s, enum side side, const char *format, ...)
{
	char text[TEXT_SIZE];
	va_list ap;

	if (stage_stopped(s))
		return;
	va_start(ap, format);
	int n = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (n >= 0)
		(void)journal_words(s->journal, side, text);
}

void stage_voice(struct stage *s, uint8_t voice, const char *before, const char *line)
{
	if (!stage_stopped(s))
		(void)journal_voice(s->journal, SIDE_TCP, voice, before, line);
}

/* ---- why something is not shown ---- */

/* What the network did to a side's packets by chance, or for want of room. */
struct harm {
	uint64_t sent, lost, overflowed, doubled, overtaken, under_way;
};

static void look_at_network(struct stage *s, enum side side, struct harm *out)
{
	struct wire_counts c;

	stage_counts(s, side, &c);
	*out = (struct harm){.sent = c.sent,
		.lost = c.lost,
		.overflowed = c.overflowed,
		.doubled = c.duplicated,
		.overtaken = c.reordered};
	uint64_t copies = c.sent - c.lost - c.overflowed + c.duplicated;
	out->under_way = copies > c.arrived ? copies - c.arrived : 0;
	if (s->wire) /* What the scenario itself had it drop is no chance. */
		out->lost = evidence_count(s->journal, 0,
			(struct evidence){side == SIDE_BOTH ? EVIDENCE_ANY : (int)side,
				EVIDENCE_ANY, EVIDENCE_ANY, FATE_LOST});
}

static size_t add(char *out, size_t used, uint64_t count, const char *what)
{
	int n = 0;

	if (count && used < REASON)
		n = snprintf(out + used, REASON - used, "%s%" PRIu64 "%s", used ? ", " : "", count,
			what);
	return used + (n > 0 ? (size_t)n : 0);
}

static bool tell_network(struct stage *s, enum side side, char out[TOLD])
{
	static const char *const names[] = {"TCP", "UDP", "both sides"};
	char did[REASON] = "";
	struct harm h;

	look_at_network(s, side, &h);
	size_t used = add(did, 0, h.lost, " lost");
	used = add(did, used, h.overflowed, " found the queue full");
	used = add(did, used, h.doubled, " doubled");
	used = add(did, used, h.overtaken, " overtaken");
	used = add(did, used, h.under_way, " still under way");
	if (used)
		(void)snprintf(out, TOLD, "of %" PRIu64 " packets of %s the network had %s", h.sent,
			names[side], did);
	return used > 0;
}

/* All that speaks for leaving it open. False: nothing does. */
static bool find_reason(struct stage *s, enum side side, char out[TEXT_SIZE])
{
	char trying[STAGE_TRYING] = "", network[TOLD] = "";
	bool over = stage_overdue(s);
	bool tries = side != SIDE_UDP && stage_trying(s, trying);
	bool harmed = tell_network(s, side, network);

	(void)snprintf(out, TEXT_SIZE, "%s%s%s%s%s", trying, tries && harmed ? "; " : "", network,
		over && (tries || harmed) ? "; " : "", over ? "it was not watched for longer" : "");
	return over || tries || harmed;
}

/* ---- assertions ---- */

static void judge(
	struct stage *s, enum side side, enum verdict v, const char *text, const char *measured)
{
	atomic_fetch_add(v == VERDICT_HELD     ? &s->held
			 : v == VERDICT_FAILED ? &s->failed
					       : &s->open,
		1);
	(void)journal_check(s->journal, side, v, text, measured);
}

bool stage_check(
	struct stage *s, enum side side, bool good, const char *text, const char *measured, ...)
{
	char found[TEXT_SIZE];
	va_list ap;

	if (stage_stopped(s))
		return false;
	va_start(ap, measured);
	int n = vsnprintf(found, sizeof(found), measured, ap);
	va_end(ap);
	judge(s, side, good ? VERDICT_HELD : VERDICT_FAILED, text, n < 0 ? "?" : found);
	return good;
}

bool stage_expect(
	struct stage *s, enum side side, bool good, const char *text, const char *measured, ...)
{
	char found[TEXT_SIZE], reason[TEXT_SIZE], both[2 * TEXT_SIZE + 4];
	va_list ap;

	if (stage_stopped(s))
		return false;
	va_start(ap, measured);
	(void)vsnprintf(found, sizeof(found), measured, ap);
	va_end(ap);
	if (good || !find_reason(s, side, reason)) {
		judge(s, side, good ? VERDICT_HELD : VERDICT_FAILED, text, found);
		return good;
	}
	(void)snprintf(both, sizeof(both), "%s; %s", found, reason);
	judge(s, side, VERDICT_OPEN, text, both);
	return false;
}

void stage_unshown(struct stage *s, enum side side, const char *text, const char *measured, ...)
{
	char found[TEXT_SIZE], reason[TEXT_SIZE], both[2 * TEXT_SIZE + 4];
	va_list ap;

	if (stage_stopped(s))
		return;
	va_start(ap, measured);
	(void)vsnprintf(found, sizeof(found), measured, ap);
	va_end(ap);
	bool more = find_reason(s, side, reason);
	(void)snprintf(both, sizeof(both), "%s%s%s", found, more ? "; " : "", more ? reason : "");
	judge(s, side, VERDICT_OPEN, text, both);
}

void stage_verdict(const struct stage *s, struct verdicts *out)
{
	out->held = atomic_load(&s->held);
	out->failed = atomic_load(&s->failed);
	out->open = atomic_load(&s->open);
}

/* ---- what kept it from its end ---- */

void stage_failed(struct stage *s, enum side side)
{
	lock_take(&s->lock);
	if (!s->trouble[0])
		memcpy(s->trouble, s->failing[side], sizeof(s->trouble));
	lock_drop(&s->lock);
}

void stage_trouble(struct stage *s, char out[STAGE_TROUBLE])
{
	lock_take(&s->lock);
	memcpy(out, s->trouble, STAGE_TROUBLE);
	lock_drop(&s->lock);
}
