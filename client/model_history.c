#include "client/model_private.h"

#include "common/err.h"

#include <stdlib.h>
#include <string.h>

#define PAGES_AT_ONCE 10 /* looked through in the inbox for what one person said */

/* ---- what is shown ---- */

void past_free(struct past *p)
{
	if (!p)
		return;
	scrollback_fini(&p->lines);
	free(p);
}

static struct scrollback *shown_lines(struct buffer *b)
{
	return b->past ? &b->past->lines : &b->lines;
}

const struct scrollback *buffer_lines(const struct buffer *b)
{
	return b->past ? &b->past->lines : &b->lines;
}

struct rows_place *buffer_place(struct buffer *b)
{
	return b->past ? &b->past->place : &b->place;
}

struct rows_place buffer_where(const struct buffer *b)
{
	return b->past ? b->past->place : b->place;
}

uint64_t buffer_marker(const struct buffer *b)
{
	return b->past ? b->past->marker : b->marker;
}

uint64_t buffer_target(const struct buffer *b)
{
	return b->past ? b->past->target : b->target;
}

bool buffer_is_back(const struct buffer *b)
{
	return b->past || b->place.back;
}

static void drop_past(struct buffer *b)
{
	past_free(b->past);
	b->past = NULL;
	b->reveal = MODEL_NO_LINE;
}

void buffer_to_end(struct buffer *b)
{
	/* A page that was to be shown elsewhere is not wanted any more. */
	if (b->past || b->asking.aim >= PAGE_PLACE)
		b->asking = (struct asking){0};
	drop_past(b);
	b->place = (struct rows_place){0};
	b->target = MODEL_NO_LINE;
}

void buffer_clear(struct buffer *b)
{
	buffer_to_end(b);
	/* A page that is still to come would stand where the newest lines were. */
	b->asking = (struct asking){0};
	scrollback_clear(&b->lines);
}

/* ---- wanting ---- */

static bool has_history(const struct buffer *b)
{
	/* While the last page is still coming, what is before it is not known. */
	return b->kind == BUFFER_DIRECT || (b->kind == BUFFER_ROOM && (b->greeted || !b->joined));
}

bool model_want_older(struct buffer *b, size_t wanted)
{
	const struct scrollback *s = buffer_lines(b);

	if (!has_history(b) || b->asking.aim != PAGE_NONE || s->begun)
		return false;
	b->asking = (struct asking){
		.aim = PAGE_OLDER,
		.from = HISTORY_BEFORE,
		.value = s->from == SCROLLBACK_NOTHING ? 0 : s->from,
		.pages = PAGES_AT_ONCE,
		.wanted = wanted,
		.shown = wanted > 0,
	};
	if (b->past || scrollback_fits(s, NULL, MODEL_PAGE))
		return true;
	/* No more lines fit: go on in lines of their own, which begin with what is the oldest here. */
	b->asking.aim = PAGE_DETACH;
	b->asking.from = HISTORY_AFTER;
	b->asking.value = s->from - 1;
	return true;
}

void model_want_newer(struct buffer *b)
{
	if (!b->past || b->past->met || b->asking.aim != PAGE_NONE)
		return;
	b->asking = (struct asking){
		.aim = PAGE_NEWER,
		.from = HISTORY_AFTER,
		.value = b->past->upto,
		.pages = PAGES_AT_ONCE,
	};
}

static void look_at(struct buffer *b, uint64_t number)
{
	drop_past(b);
	b->target = b->reveal = number;
}

void model_want_place(struct buffer *b, enum history_from from, uint64_t value)
{
	uint64_t number;

	/* It may be here already. */
	if (from == HISTORY_AFTER && b->lines.from != SCROLLBACK_NOTHING &&
		value + 1 >= b->lines.from && scrollback_find_seq(&b->lines, value + 1, &number)) {
		b->asking = (struct asking){0};
		look_at(b, number);
		return;
	}
	b->asking = (struct asking){
		.aim = PAGE_PLACE,
		.from = from,
		.value = value,
		.pages = PAGES_AT_ONCE,
	};
}

void model_asked(struct buffer *b, uint32_t request)
{
	b->asking.request = request;
}

void model_ask_failed(struct buffer *b)
{
	b->asking = (struct asking){0};
}

void model_leave_past(struct buffer *b)
{
	const struct scrollback *s = buffer_lines(b);
	uint64_t number, newest;

	if (!b->past || b->past->place.back)
		return;
	newest = s->count > 0 ? scrollback_line(s, scrollback_end(s) - 1)->seq : 0;
	bool here = scrollback_find_seq(&b->lines, newest, &number) &&
		    scrollback_line(&b->lines, number)->seq == newest;
	if (!here && !b->past->met)
		return;
	buffer_to_end(b);
	if (here && number + 1 < scrollback_end(&b->lines))
		b->place = (struct rows_place){.back = true, .line = number, .row = SIZE_MAX};
}

/* ---- pages ---- */

static struct buffer *find_asking(const struct model *m, uint64_t request)
{
	for (size_t i = 0; i < m->count; i++) {
		const struct asking *a = &m->buffers[i]->asking;
		if (a->aim != PAGE_NONE && a->request != 0 && a->request == request)
			return m->buffers[i];
	}
	return NULL;
}

/* The lines of a page's entries between two numbers (both left out) that belong to the buffer. ERR_MEMORY:
 * some may be missing, which is no reason to show none. */
static int make_lines(struct model *m, struct buffer *b, const struct event *page, uint64_t above,
	uint64_t below, struct line *lines, size_t *count)
{
	*count = 0;
	for (size_t i = 0; i < page->count; i++) {
		const struct event *e = &page->entries[i];
		if (e->seq <= above || e->seq >= below || model_buffer_of(m, e) != b)
			continue;
		if (model_hides(m, e))
			continue;
		int err = model_make_line(m, e, &lines[*count]);
		if (err < 0)
			return err;
		model_stop_waiting(m, e);
		++*count;
	}
	return 0;
}

static uint64_t first_seq(const struct event *page)
{
	return page->count > 0 ? page->entries[0].seq : 0;
}

static uint64_t last_seq(const struct event *page)
{
	return page->count > 0 ? page->entries[page->count - 1].seq : 0;
}

void model_mark_left(struct buffer *b)
{
	uint64_t number;

	if (b->left_at > 0 && scrollback_find_seq(&b->lines, b->left_at + 1, &number))
		b->marker = number;
}

/* Lines of another log, above, have got other numbers. */
static void shift(struct buffer *b, uint64_t before, size_t by)
{
	if (b->place.back && b->place.line < before)
		b->place.line -= by;
	if (b->marker < before)
		b->marker -= by;
	if (b->target < before)
		b->target -= by;
}

/* Make room for lines before the others, as far as possible: those at the other end of the past can be
 * loaded again. Returns for how many there is room. */
static size_t make_room(struct buffer *b, const struct line *lines, size_t count)
{
	struct scrollback *s = shown_lines(b);

	if (!b->past)
		return scrollback_fits(s, lines, count);
	size_t excess = scrollback_excess(s, lines, count);
	if (excess == 0 || excess == s->count)
		return excess == 0 ? count : 0;
	scrollback_drop_newest(s, excess);
	b->past->upto = scrollback_line(s, scrollback_end(s) - 1)->seq;
	b->past->met = false;
	return count;
}

/* Put the newest of `count` lines before the others. */
static int insert_lines(
	struct buffer *b, const struct event *page, struct line *lines, size_t count)
{
	struct scrollback *s = shown_lines(b);
	size_t fit = make_room(b, lines, count), cut = count - fit;
	uint64_t base = s->base;

	for (size_t i = 0; i < cut; i++)
		line_fini(&lines[i]);
	int err = scrollback_insert(s, lines + cut, fit);
	if (err < 0)
		return err;
	if (s == &b->lines)
		shift(b, base, fit);
	/* What found no room can be loaded again. */
	if (cut > 0)
		s->from = fit > 0 ? lines[cut].seq : s->from;
	else if (page->count > 0 && first_seq(page) < s->from)
		s->from = first_seq(page);
	s->begun = !page->flag && cut == 0;
	s->pruned = s->begun && page->seq > 0;
	/* Where nothing had come yet, this is the newest that is known, and it may come again. */
	if (fit > 0 && lines[count - 1].seq > b->last_seq)
		b->last_seq = lines[count - 1].seq;
	return 0;
}

/* Ask for the next page in the same direction, when this one was not enough. */
static void ask_again(
	struct buffer *b, const struct asking *a, const struct event *page, size_t got)
{
	bool enough = a->wanted > 0 ? got >= a->wanted : got > 0;

	if (enough || !page->flag || page->count == 0 || a->pages <= 1)
		return;
	b->asking = *a;
	b->asking.request = 0;
	b->asking.pages -= got == 0;
	b->asking.wanted -= a->wanted > 0 ? got : 0;
	b->asking.value = a->from == HISTORY_BEFORE ? first_seq(page) : last_seq(page);
	if (a->from == HISTORY_SINCE)
		b->asking.from = HISTORY_AFTER;
}

static int take_older(struct model *m, struct buffer *b, const struct asking *a,
	const struct event *page, struct line *lines)
{
	struct scrollback *s = shown_lines(b);
	size_t count;
	int err = make_lines(m, b, page, 0, s->from, lines, &count);

	err = model_either(err, insert_lines(b, page, lines, count));
	if (b->past)
		b->reveal = a->around ? b->past->target : b->reveal;
	else
		model_mark_left(b);
	if (a->shown)
		b->reveal = s->base;
	/* Where no more fit, the rest comes in lines of its own. */
	if (b->past || scrollback_fits(s, NULL, MODEL_PAGE))
		ask_again(b, a, page, count);
	else if (a->wanted > count && page->flag && page->count > 0)
		(void)model_want_older(b, a->wanted - count);
	return err;
}

/* The log is loaded up to the end of the page; does that meet the newest lines? */
static void reach(struct buffer *b, const struct event *page)
{
	struct past *p = b->past;

	if (last_seq(page) > p->upto)
		p->upto = last_seq(page);
	p->met = !page->flag || p->upto >= b->lines.from;
}

static int take_newer(struct model *m, struct buffer *b, const struct asking *a,
	const struct event *page, struct line *lines)
{
	size_t count;

	if (!b->past)
		return 0;
	int err = make_lines(m, b, page, b->past->upto, UINT64_MAX, lines, &count);
	for (size_t i = 0; i < count; i++)
		err = model_either(err, scrollback_add(&b->past->lines, &lines[i]));
	reach(b, page);
	if (!b->past->met)
		ask_again(b, a, page, count);
	return err;
}

static void nothing_there(struct model *m, const struct asking *a)
{
	if (a->from == HISTORY_SINCE)
		model_hint(m, "Nothing was said here since then.");
	else
		model_hint(m, "That is not there any more.");
}

/* Begin a look at the past with a page. */
static int open_past(struct buffer *b, const struct asking *a, const struct event *page,
	struct line *lines, size_t count)
{
	struct past *p = calloc(1, sizeof *p);
	int err = 0;

	if (!p) {
		for (size_t i = 0; i < count; i++)
			line_fini(&lines[i]);
		return ERR_MEMORY;
	}
	scrollback_init(&p->lines, SCROLLBACK_MOST);
	p->marker = p->target = MODEL_NO_LINE;
	p->lines.from = a->from == HISTORY_AFTER ? a->value + 1 : first_seq(page);
	if (a->aim == PAGE_PLACE)
		p->target = SCROLLBACK_FIRST;
	if (b->left_at > 0 && a->from == HISTORY_AFTER && a->value == b->left_at)
		p->marker = SCROLLBACK_FIRST;
	for (size_t i = 0; i < count; i++)
		err = model_either(err, scrollback_add(&p->lines, &lines[i]));
	drop_past(b);
	b->past = p;
	b->reveal = SCROLLBACK_FIRST;
	reach(b, page);
	/* Some lines before it, to see what it is about. */
	if (model_want_older(b, a->aim == PAGE_DETACH ? a->wanted : 0))
		b->asking.around = a->aim == PAGE_PLACE;
	return err;
}

static int take_place(struct model *m, struct buffer *b, const struct asking *a,
	const struct event *page, struct line *lines)
{
	uint64_t number;
	size_t count;
	int err = make_lines(m, b, page, 0, UINT64_MAX, lines, &count);

	if (count == 0) {
		ask_again(b, a, page, 0);
		if (b->asking.aim == PAGE_NONE)
			nothing_there(m, a);
		return err;
	}
	bool here = scrollback_find_seq(&b->lines, lines[0].seq, &number) &&
		    scrollback_line(&b->lines, number)->seq == lines[0].seq;
	if (!here || a->aim == PAGE_DETACH)
		return model_either(err, open_past(b, a, page, lines, count));
	for (size_t i = 0; i < count; i++)
		line_fini(&lines[i]);
	look_at(b, number);
	return err;
}

int model_on_history(struct model *m, const struct event *e)
{
	struct buffer *b = find_asking(m, e->number);

	if (!b)
		return 0;
	struct asking a = b->asking;
	b->asking = (struct asking){0};
	struct line *lines = calloc(e->count + 1, sizeof *lines);
	if (!lines)
		return ERR_MEMORY;
	int err = 0;
	switch (a.aim) {
	case PAGE_NONE:
		break;
	case PAGE_OLDER:
		err = take_older(m, b, &a, e, lines);
		break;
	case PAGE_NEWER:
		err = take_newer(m, b, &a, e, lines);
		break;
	case PAGE_PLACE:
	case PAGE_DETACH:
		err = take_place(m, b, &a, e, lines);
		break;
	}
	free(lines);
	return err;
}

bool model_on_history_error(struct model *m, const struct event *e)
{
	struct buffer *b = find_asking(m, e->number);

	if (!b)
		return false;
	b->asking = (struct asking){0};
	model_hint(m, "What was said before could not be loaded: %s", model_or_empty(e->text));
	return true;
}

/* ---- how far it was seen ---- */

/* The first direct message that is unread in a conversation, in *seq; false: all that is unread there
 * has no number: the program's own words, such as why a message was refused, and datagrams. */
static bool first_unread(const struct buffer *b, uint64_t *seq)
{
	const struct scrollback *s = &b->lines;

	*seq = 1; /* it made room for others */
	if (!scrollback_line(s, b->marker))
		return true;
	for (uint64_t n = b->marker; n < scrollback_end(s) - s->waiting; n++) {
		const struct line *l = scrollback_line(s, n);
		if (!l->own && l->seq > 0) {
			*seq = l->seq;
			return true;
		}
	}
	return false;
}

/* Direct messages are one stream: what one person said is not seen while it is unread, whatever came
 * after it from others. */
static uint64_t inbox_seen(const struct model *m)
{
	uint64_t seen = m->inbox_last;

	for (size_t i = 0; i < m->count; i++) {
		const struct buffer *b = m->buffers[i];
		uint64_t first;
		if (b->kind != BUFFER_DIRECT || b->unread == 0 || !first_unread(b, &first))
			continue;
		if (first - 1 < seen)
			seen = first - 1;
	}
	return seen;
}

uint64_t model_seen(struct model *m, struct buffer *b)
{
	uint64_t *told = b->kind == BUFFER_DIRECT ? &m->inbox_read : &b->read;
	uint64_t seen = 0;

	if (buffer_is_back(b))
		return 0;
	if (b->kind == BUFFER_DIRECT)
		seen = inbox_seen(m);
	else if (b->kind == BUFFER_ROOM && b->joined && b->greeted)
		seen = b->last_seq;
	if (seen <= *told)
		return 0;
	*told = seen;
	return seen;
}
