#include "tools/lab/sheet.h"

#include "client/wrap.h"
#include "tools/lab/call_text.h"
#include "tools/lab/ladder_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT 2048 /* of a whole entry */
#define HANG 2    /* columns by which lines after the first are set in */

#define PREFACE UINT64_MAX /* in place of an entry */

/* A line: which entry it is of, which of its two texts, and which bytes of that. */
struct line {
	uint64_t entry;
	bool why;
	bool first;
	uint16_t from, to;
};

struct sheet {
	const struct journal *journal; /* borrowed */
	const char *preface;           /* borrowed; NULL: none */
	enum sheet_what what;
	enum side side;
	size_t columns;     /* that the lines are made for */
	uint64_t next;      /* entry to read */
	struct line *lines; /* owned */
	size_t count, room;
	uint64_t newest; /* the last entry that is here */
};

struct sheet *sheet_new(const struct journal *j, enum sheet_what what, enum side side)
{
	struct sheet *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->journal = j;
	s->what = what;
	s->side = side;
	return s;
}

void sheet_preface(struct sheet *s, const char *text)
{
	s->preface = text;
}

void sheet_free(struct sheet *s)
{
	if (!s)
		return;
	free(s->lines);
	free(s);
}

/* ---- an entry's text ---- */

static void write_call(const struct journal_call *c, bool why, char out[TEXT])
{
	if (why)
		snprintf(out, TEXT, "%s", c->why ? c->why : "");
	else
		snprintf(out, TEXT, "%s: %s(%s) = %ld%s%s", ladder_host(c->host), c->operation,
			c->arguments, c->result, c->error ? " " : "",
			c->error ? call_text_error(c->error) : "");
}

static void write_story(const struct journal_entry *e, char out[TEXT])
{
	static const char *const sides[] = {"TCP: ", "UDP: ", ""};
	static const char *const verdicts[] = {
		[VERDICT_FAILED] = "FAILED", [VERDICT_HELD] = "held", [VERDICT_OPEN] = "not shown"};

	if (e->kind == JOURNAL_WORDS)
		snprintf(out, TEXT, "%s%s", sides[e->side], e->of.words.text);
	else
		snprintf(out, TEXT, "%s  %s%s: %s", verdicts[e->of.check.verdict], sides[e->side],
			e->of.check.text, e->of.check.measured);
}

static bool is_voice(enum sheet_what what)
{
	return what == SHEET_FIRST_VOICE || what == SHEET_SECOND_VOICE;
}

/* `e` NULL: the preface. */
static void write_entry(
	const struct sheet *s, const struct journal_entry *e, bool why, char out[TEXT])
{
	if (!e)
		snprintf(out, TEXT, "%s", s->preface);
	else if (is_voice(s->what))
		snprintf(out, TEXT, "%s", e->of.words.text + e->of.words.quote);
	else if (e->kind == JOURNAL_CALL)
		write_call(&e->of.call, why, out);
	else
		write_story(e, out);
}

/* Of calls, those of a side only; the story has both sides. */
static bool belongs(const struct sheet *s, const struct journal_entry *e)
{
	if (is_voice(s->what))
		return e->kind == JOURNAL_WORDS &&
		       e->of.words.voice == 1 + (s->what - SHEET_FIRST_VOICE);
	if (s->side != SIDE_BOTH && e->side != SIDE_BOTH && e->side != s->side)
		return false;
	if (s->what == SHEET_CALLS)
		return e->kind == JOURNAL_CALL;
	return e->kind == JOURNAL_WORDS || e->kind == JOURNAL_CHECK;
}

/* ---- lines ---- */

static bool add_line(struct sheet *s, const struct line *l)
{
	if (s->count == s->room) {
		size_t room = s->room ? s->room * 2 : 64;
		struct line *more = realloc(s->lines, room * sizeof(*more));
		if (!more)
			return false;
		s->lines = more;
		s->room = room;
	}
	s->lines[s->count++] = *l;
	return true;
}

static size_t indent(bool why, bool first)
{
	return why || !first ? HANG : 0;
}

static bool add_text(struct sheet *s, const struct journal_entry *e, bool why)
{
	char text[TEXT];
	size_t at = 0, end, columns = s->columns > HANG ? s->columns : HANG + 1;

	write_entry(s, e, why, text);
	size_t length = strlen(text);
	bool first = true;
	while (at < length) {
		size_t next = wrap_row(text, length, at, columns - indent(why, first), &end);
		struct line l = {.entry = e ? e->number : PREFACE,
			.why = why,
			.first = first,
			.from = (uint16_t)at,
			.to = (uint16_t)end};
		if (!add_line(s, &l))
			return false;
		first = false;
		at = next;
	}
	return true;
}

void sheet_read(struct sheet *s, size_t columns)
{
	const struct journal_entry *e;

	if (columns != s->columns) {
		s->columns = columns;
		s->next = 0;
		s->count = 0;
		if (s->preface && !add_text(s, NULL, false))
			s->count = 0;
	}
	for (; (e = journal_at(s->journal, s->next)) != NULL; s->next++) {
		size_t before = s->count;
		if (!belongs(s, e))
			continue;
		if (!add_text(s, e, false) ||
			(e->kind == JOURNAL_CALL && e->of.call.why && !add_text(s, e, true))) {
			s->count = before;
			return;
		}
		s->newest = e->number;
	}
}

size_t sheet_count(const struct sheet *s)
{
	return s->count;
}

static enum sheet_look look_of(const struct sheet *s, const struct journal_entry *e, bool why)
{
	if (e->kind == JOURNAL_CHECK)
		return e->of.check.verdict == VERDICT_HELD     ? SHEET_HELD
		       : e->of.check.verdict == VERDICT_FAILED ? SHEET_FAILED
							       : SHEET_PLAIN;
	if (e->kind != JOURNAL_CALL)
		return SHEET_PLAIN;
	if (why)
		return SHEET_WHY;
	if (e->of.call.result < 0)
		return SHEET_FAILED_CALL;
	return e->number == s->newest ? SHEET_NEWEST : SHEET_PLAIN;
}

char *sheet_line(const struct sheet *s, size_t line, enum sheet_look *look, char out[SHEET_LINE])
{
	char text[TEXT];

	*out = '\0';
	*look = SHEET_PLAIN;
	if (line >= s->count)
		return out;
	const struct line *l = &s->lines[line];
	const struct journal_entry *e =
		l->entry == PREFACE ? NULL : journal_at(s->journal, l->entry);
	write_entry(s, e, l->why, text);
	snprintf(out, SHEET_LINE, "%*s%.*s", (int)indent(l->why, l->first), "", l->to - l->from,
		text + l->from);
	if (e)
		*look = look_of(s, e, l->why);
	return out;
}
