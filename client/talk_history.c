#include "client/talk_private.h"

#include "client/status.h"
#include "client/when.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/name.h"

#include <stdlib.h>
#include <string.h>

#define HISTORY_DEFAULT 50
#define HISTORY_MOST    5000 /* earlier messages at once */

/* ---- asking the server ---- */

static void ask_page(struct talk *t, struct buffer *b)
{
	const struct asking *a = &b->asking;
	size_t limit = a->wanted > MODEL_PAGE ? a->wanted : MODEL_PAGE;
	uint32_t request;

	if (a->wanted > 0 && a->wanted < MODEL_PAGE)
		limit = a->wanted;
	int err = link_history(t->link, b->kind == BUFFER_ROOM ? b->name : "", a->from, a->value,
		(uint16_t)(limit < LIST_MAX ? limit : LIST_MAX), &request);
	if (err == 0) {
		model_asked(b, request);
		return;
	}
	model_ask_failed(b);
	talk_hint(t, err == ERR_CLOSED
			     ? "What was said before can be loaded when there is a connection."
			     : err_text(err));
}

static void ask_search(struct talk *t)
{
	struct found *f = &t->model.found;
	uint32_t request;
	int err =
		link_search(t->link, f->where, f->room, f->words, f->before, SEARCH_PAGE, &request);

	if (err == 0)
		model_searched(&t->model, request);
	else
		model_search_failed(
			&t->model, err == ERR_CLOSED ? "there is no connection" : err_text(err));
}

void talk_ask(struct talk *t)
{
	struct model *m = &t->model;
	struct buffer *here = model_current(m);

	for (size_t i = 0; i < m->count; i++) {
		struct buffer *b = m->buffers[i];
		if (b->asking.aim != PAGE_NONE && b->asking.request == 0)
			ask_page(t, b);
	}
	if (m->found.asking)
		ask_search(t);
	if (m->hint[0])
		talk_hint(t, m->hint);
	m->hint[0] = '\0';
	uint64_t seen = m->state == LINK_ONLINE ? model_seen(m, here) : 0;
	if (seen > 0)
		(void)link_read(t->link, here->kind == BUFFER_ROOM ? here->name : "", seen);
}

/* ---- where the user was before ---- */

static bool is_asked_for(const struct talk *t, const char *room)
{
	const struct option_list *rooms = t->config->rooms;

	if (rooms->count == 0 && name_same(room, TALK_FIRST_ROOM))
		return true;
	for (size_t i = 0; i < rooms->count; i++) {
		if (name_same(rooms->items[i], room))
			return true;
	}
	return false;
}

void talk_join_places(struct talk *t, const struct event *e)
{
	for (size_t i = 0; i < e->count && !t->placed; i++) {
		const struct event_place *p = &e->places[i];
		if (p->member && p->room[0] && !is_asked_for(t, p->room))
			(void)link_join(t->link, p->room);
	}
	/* After a break, the link enters its rooms again by itself. */
	t->placed |= e->flag;
}

/* ---- scrolling ---- */

void talk_reveal(struct talk *t)
{
	struct buffer *b = model_current(&t->model);
	struct rows_view v = view_rows(t->layout.messages, b);

	if (b->reveal != MODEL_NO_LINE)
		rows_reveal(&v, buffer_place(b), (size_t)t->layout.messages.lines, b->reveal);
	b->reveal = MODEL_NO_LINE;
	/* No row stays empty above while there are lines below, as when the window has grown. */
	if (buffer_place(b)->back)
		rows_up(&v, buffer_place(b), (size_t)t->layout.messages.lines, 0);
}

void talk_scroll(struct talk *t, long rows)
{
	/* Where a page that has just come is to be shown: from there, or the next picture undoes this. */
	talk_reveal(t);
	struct buffer *b = model_current(&t->model);
	struct rows_view v = view_rows(t->layout.messages, b);
	struct rows_place *place = buffer_place(b);
	size_t height = (size_t)t->layout.messages.lines;

	b->asking.around = false;
	if (rows < 0) {
		rows_up(&v, place, height, (size_t)-rows);
		if (rows_above(&v, place, height) < height)
			(void)model_want_older(b, 0);
		return;
	}
	rows_down(&v, place, (size_t)rows);
	if (!b->past)
		return;
	if (rows_below(&v, place) < height)
		model_want_newer(b);
	model_leave_past(b);
}

void talk_show_marker(struct talk *t)
{
	struct buffer *b = model_current(&t->model);
	const struct scrollback *s = &b->lines;

	if (!b->past && b->left_at > 0 && !s->begun && b->left_at + 1 < s->from)
		model_want_place(b, HISTORY_AFTER, b->left_at);
	else if (buffer_marker(b) == MODEL_NO_LINE)
		talk_hint(t, "Nothing here was unread.");
	else
		b->reveal = buffer_marker(b);
}

/* ---- commands ---- */

bool talk_history(struct talk *t, const char *word)
{
	struct buffer *b = model_current(&t->model);
	char *end = NULL;
	unsigned long wanted = word[0] ? strtoul(word, &end, 10) : HISTORY_DEFAULT;

	if ((word[0] && (word[0] < '0' || word[0] > '9' || *end)) || wanted == 0 ||
		wanted > HISTORY_MOST)
		return talk_fail(t, "How many messages? A number from 1 to %d.", HISTORY_MOST);
	if (b->kind == BUFFER_SERVER)
		return talk_fail(t, "Only rooms and conversations have a history.");
	if (buffer_lines(b)->begun)
		talk_hint(t, "Nothing was said before, or it is no longer kept.");
	else if (!model_want_older(b, wanted))
		talk_hint(t, "Something is being loaded already.");
	return true;
}

bool talk_last(struct talk *t, const char *text)
{
	struct buffer *b = model_current(&t->model);
	int64_t since;

	if (b->kind == BUFFER_SERVER)
		return talk_fail(t, "Only rooms and conversations have a history.");
	if (when_parse(text, (int64_t)(clock_wall_us() / 1000000), &since) < 0)
		return talk_fail(
			t, "\"%.64s\" is no time: 30m, 2h, 3d, 14:30, 2026-11-20 are.", text);
	model_want_place(b, HISTORY_SINCE, (uint64_t)since * 1000000);
	return true;
}
