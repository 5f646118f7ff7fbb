#include "client/view.h"

#include "client/status.h"
#include "common/text.h"

#include <stdio.h>
#include <string.h>

#define NAME_SIZE (ROOM_NAME_MAX * 3 + 2)

static bool is_empty(struct rect r)
{
	return r.lines <= 0 || r.columns <= 0;
}

static int put(struct canvas *c, struct rect r, int y, int x, int ink, const char *text)
{
	return canvas_text(c, r, y, x, ink, text, strlen(text));
}

/* Text that is cut with an ellipsis where it does not fit in the rectangle. */
static int put_cut(struct canvas *c, struct rect r, int y, int x, int ink, const char *text)
{
	size_t room = r.x + r.columns > x ? (size_t)(r.x + r.columns - x) : 0;
	size_t length = strlen(text), used;

	if (room == 0 || text_columns(text, length) <= room)
		return canvas_text(c, r, y, x, ink, text, length);
	size_t fits = text_fit(text, length, room - 1, &used);
	x = canvas_text(c, r, y, x, ink, text, fits);
	return put(c, r, y, x, ink, "\u2026");
}

/* ---- rooms ---- */

size_t view_rooms_top(struct rect r, const struct model *m, size_t top)
{
	size_t lines = r.lines > 0 ? (size_t)r.lines : 1;

	if (m->current < top)
		top = m->current;
	if (m->current >= top + lines)
		top = m->current - lines + 1;
	if (top + lines > m->count)
		top = m->count > lines ? m->count - lines : 0;
	return top;
}

static void draw_room(struct canvas *c, struct rect r, int y, const struct model *m, size_t index)
{
	const struct buffer *b = m->buffers[index];
	bool shown = index == m->current;
	int ink = shown ? INK_CHOSEN : b->unread > 0 ? INK_STRONG : INK_NORMAL;
	char text[NAME_SIZE], unread[16] = "", mentions[16] = "";
	struct rect names = r;

	if (b->kind == BUFFER_ROOM && !b->joined && !shown)
		ink = INK_DIM;
	if (shown)
		canvas_fill(c, (struct rect){y, r.x, 1, r.columns}, ink);
	if (b->unread > 0)
		(void)snprintf(unread, sizeof unread, "%u", b->unread);
	if (b->mentions > 0)
		(void)snprintf(mentions, sizeof mentions, "@%u", b->mentions);
	int right = r.x + r.columns - (int)strlen(unread);
	put(c, r, y, right, INK_STRONG, unread);
	if (b->mentions > 0) {
		right -= (int)strlen(mentions) + 1;
		put(c, r, y, right, INK_MENTION, mentions);
	}
	if (b->unread > 0)
		names.columns = right - 1 - r.x;
	(void)snprintf(text, sizeof text, "%2zu ", index + 1);
	int x = put(c, names, y, r.x, shown ? ink : INK_DIM, text);
	put_cut(c, names, y, x, ink, status_name(b, text, sizeof text));
}

void view_rooms(struct canvas *c, struct rect r, const struct model *m, size_t top)
{
	if (is_empty(r))
		return;
	for (size_t i = top; i < m->count && i - top < (size_t)r.lines; i++)
		draw_room(c, r, r.y + (int)(i - top), m, i);
}

/* ---- members ---- */

static void draw_member(
	struct canvas *c, struct rect r, int y, const struct roster_person *p, bool marks)
{
	int ink = p->state == PERSON_HERE ? canvas_nick_ink(c, p->nick) : INK_DIM;

	put(c, r, y, r.x, INK_STRONG, mark_sign(p->mark));
	int x = put_cut(c, r, y, r.x + (marks ? 1 : 0), ink, p->nick);

	if (p->state == PERSON_AWAY)
		put_cut(c, r, y, x, INK_DIM, p->away[0] ? " (away: " : " (away)");
	if (p->state == PERSON_AWAY && p->away[0]) {
		x = put_cut(c, r, y, x + 8, INK_DIM, p->away);
		put(c, r, y, x, INK_DIM, ")");
	}
}

static bool has_marks(const struct roster *r)
{
	for (size_t i = 0; i < r->count; i++) {
		if (r->people[i].mark != MARK_NONE)
			return true;
	}
	return false;
}

/* Those whose mark has that place in the list, `most` of them at most; returns how many there were. */
static size_t draw_place(struct canvas *c, struct rect r, const struct roster *roster,
	unsigned place, size_t most, bool marks)
{
	size_t drawn = 0;

	for (size_t i = 0; i < roster->count && drawn < most; i++) {
		if (mark_place(roster->people[i].mark) == place)
			draw_member(c, r, r.y + (int)drawn++, &roster->people[i], marks);
	}
	return drawn;
}

/* By rank and then by nick; the column of marks is there where somebody has one. */
static void draw_members(struct canvas *c, struct rect r, const struct roster *roster)
{
	size_t left = roster->count, room = (size_t)r.lines;
	bool marks = has_marks(roster);
	char text[64];

	/* The last line tells of those that have none. */
	if (left > room)
		room--;
	for (unsigned place = 0; place < MARK_PLACES; place++) {
		size_t drawn = draw_place(c, r, roster, place, room, marks);
		left -= drawn;
		room -= drawn;
		r.y += (int)drawn;
		r.lines -= (int)drawn;
	}
	if (left > 0) {
		(void)snprintf(text, sizeof text, "and %zu more", left);
		put_cut(c, r, r.y, r.x, INK_DIM, text);
	}
}

void view_members(struct canvas *c, struct rect r, const struct buffer *b)
{
	char text[64];

	if (is_empty(r) || b->kind != BUFFER_ROOM)
		return;
	(void)snprintf(text, sizeof text, "%llu %s", (unsigned long long)b->people,
		b->people == 1 ? "person" : "people");
	put_cut(c, r, r.y, r.x, INK_DIM, text);
	r.y++;
	r.lines--;
	if (r.lines > 0)
		draw_members(c, r, &b->roster);
}

/* ---- bars ---- */

void view_topic(struct canvas *c, struct rect r, const struct buffer *b)
{
	char name[NAME_SIZE];

	if (is_empty(r))
		return;
	canvas_fill(c, r, INK_BAR);
	int x = put(c, r, r.y, r.x + 1, INK_BAR, status_name(b, name, sizeof name));
	if (b->kind == BUFFER_DIRECT && b->state != PERSON_HERE)
		x = put(c, r, r.y, x, INK_BAR, b->state == PERSON_AWAY ? "  away" : "  gone");
	if (b->topic[0]) {
		x = put(c, r, r.y, x, INK_BAR, b->kind == BUFFER_DIRECT ? ": " : "  ");
		put_cut(c, r, r.y, x, INK_BAR, b->topic);
	}
}

void view_hint(struct canvas *c, struct rect r, const char *text)
{
	if (is_empty(r))
		return;
	canvas_fill(c, r, INK_BAR);
	put_cut(c, r, r.y, r.x + 1, INK_BAR, text);
}

void view_status(
	struct canvas *c, struct rect r, const struct model *m, bool rooms_shown, int64_t now)
{
	char text[1024], name[NAME_SIZE], right[64];

	if (is_empty(r))
		return;
	const struct buffer *b = model_current(m);
	/* At the right end; it is never cut for what is on the left. */
	int width = (int)strlen(status_scrolled(b, right, sizeof right));
	width += width > 0;
	struct rect left = r;
	if (width > 0 && width + 8 <= r.columns)
		left.columns -= width;
	canvas_fill(c, r, INK_BAR);
	int x = r.x + 1;
	/* At all times, and first: whoever types has to know who may read along. */
	if (m->plaintext)
		x = put_cut(
			c, left, r.y, put(c, left, r.y, x, INK_ERROR, "PLAINTEXT"), INK_BAR, "  ");
	if (b->kind != BUFFER_SERVER && m->server_name[0] && r.columns >= 60) {
		x = put_cut(c, left, r.y, x, INK_BAR, m->server_name);
		x = put_cut(c, left, r.y, x, INK_BAR, "  ");
	}
	x = put_cut(c, left, r.y, x, INK_BAR, status_name(b, name, sizeof name));
	x = put_cut(c, left, r.y, x, INK_BAR, "  ");
	x = put_cut(c, left, r.y, x, INK_BAR, status_connection(m, now, text, sizeof text));
	if (m->logged_in && !m->kept)
		x = put_cut(c, left, r.y, x, INK_BAR, "  history off");
	if (m->away)
		x = put_cut(c, left, r.y, x, INK_BAR, "  away");
	if (!rooms_shown && status_activity(m, text, sizeof text)[0]) {
		x = put_cut(c, left, r.y, x, INK_BAR, "  ");
		put_cut(c, left, r.y, x, INK_BAR, text);
	}
	if (left.columns < r.columns)
		put(c, r, r.y, r.x + r.columns - width, INK_BAR, right);
}

void view_candidates(struct canvas *c, struct rect r, const struct completion *completion)
{
	int x = r.x + 1;
	size_t first = 0;

	if (is_empty(r))
		return;
	canvas_fill(c, r, INK_BAR);
	/* Leave out those in front, until the chosen one is seen. */
	for (;;) {
		size_t columns = 1;
		for (size_t i = first; i <= completion->at && i < completion->count; i++) {
			const char *text = completion->candidates[i];
			columns += text_columns(text, strlen(text)) + 1;
		}
		if (columns <= (size_t)r.columns || first >= completion->at)
			break;
		first++;
	}
	for (size_t i = first; i < completion->count && x < r.x + r.columns; i++) {
		x = put_cut(c, r, r.y, x, i == completion->at ? INK_STRONG : INK_BAR,
			completion->candidates[i]);
		x = put_cut(c, r, r.y, x, INK_BAR, " ");
	}
}

/* ---- the input ---- */

size_t view_input(
	struct canvas *c, struct rect r, const char *prompt, const struct editor *e, size_t start)
{
	size_t end, column;
	int prompt_columns = (int)text_columns(prompt, strlen(prompt));

	if (is_empty(r))
		return start;
	if (prompt_columns > r.columns / 3) {
		prompt = r.columns >= 12 ? "> " : "";
		prompt_columns = (int)strlen(prompt);
	}
	put(c, r, r.y, r.x, INK_STRONG, prompt);
	int x = r.x + prompt_columns;
	start = editor_window(e, start, (size_t)(r.columns - prompt_columns), &end, &column);
	const char *text = editor_text(e);
	canvas_cursor(c, r.y, x + (int)column);
	for (size_t at = start; at < end;) {
		size_t n = strcspn(text + at, "\n");
		if (n > end - at)
			n = end - at;
		x = canvas_text(c, r, r.y, x, INK_NORMAL, text + at, n);
		at += n;
		if (at < end) {
			x = put(c, r, r.y, x, INK_DIM, "\u21b5");
			at++;
		}
	}
	return start;
}
