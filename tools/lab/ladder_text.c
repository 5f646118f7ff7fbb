#include "tools/lab/ladder_text.h"

#include <stdio.h>
#include <string.h>

#define MS        1000000.0
#define WIDE      52 /* from here on times have a decimal */
#define WIDE_TIME 9
#define TIME      6
#define BROKEN    5 /* cells of a broken arrow beside its label, and one before the other lifeline */
#define FADE      6 /* more, where there is the room to let it fade */
#define DROPPED   7 /* cells beside a label and a reason */

/* What is put out as one or the other; all else is ASCII already. */
enum {
	CELL_LINE = 1,
	CELL_LIFE,
	CELL_CROSS,
	CELLS,
};
static const char *const ascii[CELLS] = {[CELL_LINE] = "-", [CELL_LIFE] = "|", [CELL_CROSS] = "x"};
static const char *const unicode[CELLS] = {
	[CELL_LINE] = "\u2500", [CELL_LIFE] = "\u2502", [CELL_CROSS] = "\u2717"};

struct line {
	size_t columns, hosts, time; /* columns of a time */
	char cell[LADDER_TEXT_COLUMNS];
};

const char *ladder_host(size_t host)
{
	static const char *const names[] = {"client", "server", "third"};

	return host < sizeof(names) / sizeof(names[0]) ? names[host] : "?";
}

static void begin(struct line *l, const struct ladder_look *look)
{
	l->columns = look->columns < LADDER_TEXT_COLUMNS ? look->columns : LADDER_TEXT_COLUMNS;
	l->hosts = look->hosts < 2 ? 2 : look->hosts;
	l->time = l->columns < WIDE ? TIME : WIDE_TIME;
	memset(l->cell, ' ', sizeof(l->cell));
}

/* The column of a host's lifeline. */
static size_t lifeline(const struct line *l, size_t host)
{
	size_t first = l->time + 1, last = l->columns - l->time - 2;

	return host >= l->hosts ? last : first + (last - first) * host / (l->hosts - 1);
}

static char *put_out(const struct line *l, bool wide, char out[LADDER_TEXT_SIZE])
{
	size_t used = 0, end = l->columns;

	while (end > 0 && l->cell[end - 1] == ' ')
		end--;
	for (size_t i = 0; i < end; i++) {
		char c = l->cell[i];
		if (c >= CELLS) {
			out[used++] = c;
			continue;
		}
		const char *symbol = wide ? unicode[(int)c] : ascii[(int)c];
		memcpy(out + used, symbol, strlen(symbol));
		used += strlen(symbol);
	}
	out[used] = '\0';
	return out;
}

/* ---- an arrow ---- */

/* The cells between two lifelines, counted from the sender's. */
struct shaft {
	struct line *line;
	size_t from, span;
	bool left; /* it goes to the left */
};

static void set(struct shaft *s, size_t at, char c)
{
	if (at < s->span)
		s->line->cell[s->left ? s->from - 1 - at : s->from + 1 + at] = c;
}

static void lines(struct shaft *s, size_t at, size_t length)
{
	for (size_t i = 0; i < length; i++)
		set(s, at + i, CELL_LINE);
}

/* Text that begins, as it is read, `at` cells from the sender or ends there. */
static void text(struct shaft *s, size_t at, const char *what, size_t length)
{
	for (size_t i = 0; i < length; i++)
		set(s, at + (s->left ? length - 1 - i : i), what[i]);
}

static void head(struct shaft *s)
{
	set(s, s->span - 1, s->left ? '<' : '>');
}

static size_t fit(const char *what, size_t room)
{
	size_t length = strlen(what);

	return length < room ? length : room;
}

/* All the way: the label stands in the middle. */
static void whole(struct shaft *s, const char *label)
{
	size_t length = fit(label, s->span - 4);
	size_t at = (s->span - length) / 2;

	lines(s, 0, s->span);
	set(s, at - 1, ' ');
	text(s, at, label, length);
	set(s, at + length, ' ');
	head(s);
}

/* How much of a label a broken arrow has room for, with "- " before it and " -" behind. */
static size_t broken(const struct shaft *s)
{
	return s->span > BROKEN ? s->span - BROKEN : 0;
}

/* It leaves, and arrives further down. */
static void leaving(struct shaft *s, const char *label)
{
	size_t length = fit(label, broken(s));

	lines(s, 0, 1);
	text(s, 2, label, length);
	lines(s, length + 3, 1);
	if (length + FADE <= broken(s)) {
		lines(s, length + 5, 1);
		lines(s, length + 7, 1);
	}
}

static void arriving(struct shaft *s, const char *label)
{
	size_t length = fit(label, broken(s)), at = s->span - length - 3;

	text(s, at, label, length);
	lines(s, at - 2, 1);
	if (length + FADE <= broken(s)) {
		lines(s, at - 4, 1);
		lines(s, at - 6, 1);
	}
	lines(s, s->span - 2, 1);
	head(s);
}

/* No longer than a time and the blank beside it. */
static const char *brief_reason(enum fate_kind kind)
{
	switch (kind) {
	case FATE_CARRIED:
		return "";
	case FATE_LOST:
		return "chance";
	case FATE_SCRIPTED:
		return "purpose";
	case FATE_OVERFLOW:
		return "queue";
	case FATE_UNPLUGGED:
		return "unplug";
	case FATE_TOO_LONG:
		return "MTU";
	}
	return "";
}

/* What of lanchat's begins in it, "again" where it is sent again. False: nothing, or there is no room. */
static bool frame_label(const struct ladder_look *look, const struct journal_packet *p, size_t room,
	char out[LADDER_LABEL])
{
	const char *again = p->note.kind == FLOW_RETRANSMISSION ? "again: " : "";
	char label[FRAMES_LABEL] = "";

	if (look->frames)
		(void)frames_label(look->frames, p, label);
	size_t length = strlen(again) + strlen(label);
	if (!*label || length > room || length >= LADDER_LABEL)
		return false;
	(void)snprintf(out, LADDER_LABEL, "%s%.*s", again, LADDER_LABEL - 16, label);
	return true;
}

/* It is dropped on its way: "- data 1..64 --x lost by chance"; in fewer words where there is not the
 * room, and then where the time of its arrival would have stood. */
static void dropped(struct shaft *s, const struct ladder_look *look, const struct journal_packet *p)
{
	char label[LADDER_LABEL];
	size_t room = s->span > DROPPED ? s->span - DROPPED : 0;
	const char *why = fate_words(p->fate.kind), *brief = brief_reason(p->fate.kind);
	size_t left = room > strlen(brief) ? room - strlen(brief) : 0;

	if (!frame_label(look, p, left, label))
		(void)ladder_label(p, LADDER_LABEL, label);
	if (strlen(label) + strlen(why) > room)
		why = brief;
	if (strlen(label) + strlen(why) > room)
		(void)ladder_label(p, 0, label);
	size_t length = fit(label, room);
	lines(s, 0, 1);
	text(s, 2, label, length);
	lines(s, length + 3, 2);
	set(s, length + 5, CELL_CROSS);
	if (length + strlen(why) <= room)
		text(s, length + 7, why, strlen(why));
	else if (p->to_host == 0 && s->line->hosts == 2)
		memcpy(s->line->cell, why, strlen(why));
	else if ((size_t)p->to_host + 1 == s->line->hosts)
		memcpy(s->line->cell + s->line->columns - s->line->time - 1, why, strlen(why));
}

/* ---- a row ---- */

/* At the left of the picture, but for what the last host does. */
static void put_time(struct line *l, size_t host, uint64_t ns)
{
	char number[32];
	bool right = host + 1 >= l->hosts;
	int n = snprintf(number, sizeof(number), "%.*f", l->time == TIME ? 0 : 1, (double)ns / MS);
	size_t length = n < 0 ? 0 : (size_t)n;

	if (length > l->time)
		return;
	size_t at = right ? l->columns - length : l->time - length;
	memcpy(l->cell + at, number, length);
}

static void make_label(const struct ladder_row *r, const struct ladder_look *look, size_t room,
	char out[LADDER_LABEL])
{
	static const char again[] = ", twice", late[] = ", late";
	const char *more = !r->arrived                 ? ""
			   : r->second                 ? again
			   : r->packet->fate.reordered ? late
						       : "";

	room = room > strlen(more) ? room - strlen(more) : 0;
	if (!frame_label(look, r->packet, room, out))
		(void)ladder_label(r->packet, room, out);
	size_t used = strlen(out);
	snprintf(out + used, LADDER_LABEL - used, "%s", more);
}

static void draw(struct line *l, const struct ladder_row *r, const struct ladder_look *look)
{
	char label[LADDER_LABEL];
	size_t from = lifeline(l, r->packet->host), to = lifeline(l, r->packet->to_host);
	struct shaft s = {.line = l, .from = from, .left = to < from};

	if (from == to)
		return;
	s.span = (s.left ? from - to : to - from) - 1;
	if (r->packet->fate.kind != FATE_CARRIED) {
		dropped(&s, look, r->packet);
		return;
	}
	make_label(r, look, broken(&s), label);
	if (r->sent && r->arrived)
		whole(&s, label);
	else if (r->sent)
		leaving(&s, label);
	else
		arriving(&s, label);
}

char *ladder_text(
	const struct ladder_row *r, const struct ladder_look *look, char out[LADDER_TEXT_SIZE])
{
	struct line l;

	*out = '\0';
	if (look->columns < LADDER_TEXT_LEAST + (look->hosts > 2 ? LADDER_TEXT_LEAST : 0))
		return out;
	begin(&l, look);
	for (size_t i = 0; i < l.hosts; i++)
		l.cell[lifeline(&l, i)] = CELL_LIFE;
	if (r->sent)
		put_time(&l, r->packet->host, r->sent_ns);
	if (r->arrived)
		put_time(&l, r->packet->to_host, r->arrived_ns);
	draw(&l, r, look);
	return put_out(&l, look->unicode, out);
}

char *ladder_text_head(const struct ladder_look *look, char out[LADDER_TEXT_SIZE])
{
	struct line l;

	*out = '\0';
	if (look->columns < LADDER_TEXT_LEAST)
		return out;
	begin(&l, look);
	for (size_t i = 0; i < l.hosts; i++) {
		const char *name = ladder_host(i);
		size_t length = strlen(name), at = lifeline(&l, i);
		at = at > length / 2 ? at - length / 2 : 0;
		if (at + length > l.columns)
			at = l.columns - length;
		memcpy(l.cell + at, name, length);
	}
	return put_out(&l, look->unicode, out);
}
