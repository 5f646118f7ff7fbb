#include "client/model_private.h"

#include "common/err.h"

#include <stdlib.h>
#include <string.h>

#define FOUND_AT_ONCE 50 /* asked for; view_found has no more on a screen, as a rule */
#define PAGES_AT_ONCE 10 /* looked through for what is in one conversation */
#define NEAR_THE_END  5

static void found_line_fini(struct found_line *l)
{
	line_fini(&l->line);
	free(l->room);
	free(l->peer_nick);
}

static void drop_lines(struct found *f)
{
	for (size_t i = 0; i < f->count; i++)
		found_line_fini(&f->lines[i]);
	free(f->lines);
	f->lines = NULL;
	f->count = f->chosen = 0;
}

void found_fini(struct found *f)
{
	drop_lines(f);
	free(f->words);
	free(f->room);
	free(f->peer_nick);
	free(f->trouble);
	*f = (struct found){0};
}

int model_search(struct model *m, const struct buffer *b, bool everywhere, const char *words)
{
	struct found f = {.open = true, .asking = true, .more = true, .pages = PAGES_AT_ONCE};
	int err = model_set(&f.words, words);

	f.where = SEARCH_EVERYWHERE;
	if (!everywhere && b->kind == BUFFER_ROOM)
		f.where = SEARCH_ROOM;
	if (!everywhere && b->kind == BUFFER_DIRECT) {
		f.where = SEARCH_INBOX;
		memcpy(f.peer, b->person, PERSON_ID);
		err = model_either(err, model_set(&f.peer_nick, b->name));
	}
	err = model_either(err, model_set(&f.room, f.where == SEARCH_ROOM ? b->name : ""));
	if (err < 0) {
		found_fini(&f);
		return err;
	}
	found_fini(&m->found);
	m->found = f;
	return 0;
}

void model_searched(struct model *m, uint32_t request)
{
	m->found.asking = false;
	m->found.request = request;
}

void model_search_failed(struct model *m, const char *why)
{
	m->found.asking = m->found.more = false;
	m->found.request = 0;
	(void)model_set(&m->found.trouble, why);
}

void model_found_new_log(struct model *m)
{
	if (!m->found.open)
		return;
	drop_lines(&m->found);
	model_search_failed(m, "the server's log is another one");
}

void model_choose(struct model *m, size_t chosen)
{
	struct found *f = &m->found;

	f->chosen = chosen < f->count ? chosen : f->count > 0 ? f->count - 1 : 0;
	if (f->more && f->request == 0 && f->chosen + NEAR_THE_END >= f->count) {
		f->asking = true;
		f->pages = PAGES_AT_ONCE;
	}
}

/* ---- results ---- */

/* In the conversation with one person, only what was said there. */
static bool is_wanted(const struct model *m, const struct event *e)
{
	const struct found *f = &m->found;

	if (model_hides(m, e))
		return false;
	if (f->where != SEARCH_INBOX)
		return true;
	return model_buffer_of(m, e) == model_direct(m, f->peer, f->peer_nick);
}

static int add(struct model *m, const struct event *e)
{
	struct found *f = &m->found;
	struct found_line l = {0};
	struct found_line *lines = realloc(f->lines, (f->count + 1) * sizeof *lines);

	if (!lines)
		return ERR_MEMORY;
	f->lines = lines;
	int err = model_make_line(m, e, &l.line);
	if (err < 0)
		return err;
	memcpy(l.peer, e->peer, PERSON_ID);
	err = model_set(&l.room, e->direct ? "" : model_or_empty(e->room));
	err = model_either(err, model_set(&l.peer_nick, e->direct ? model_other_nick(m, e) : ""));
	if (err < 0) {
		found_line_fini(&l);
		return err;
	}
	lines[f->count++] = l;
	return 0;
}

int model_on_found(struct model *m, const struct event *e)
{
	struct found *f = &m->found;
	size_t before = f->count;
	int err = 0;

	if (!f->open || f->request == 0 || f->request != e->number)
		return 0;
	f->request = 0;
	for (size_t i = 0; i < e->count; i++) {
		f->before = e->entries[i].seq;
		if (is_wanted(m, &e->entries[i]))
			err = model_either(err, add(m, &e->entries[i]));
	}
	f->more = e->flag && e->count > 0;
	if (f->more && f->count == before && f->pages > 1) {
		f->pages--;
		f->asking = true;
	}
	return err;
}

bool model_on_found_error(struct model *m, const struct event *e)
{
	if (!m->found.open || m->found.request == 0 || m->found.request != e->number)
		return false;
	model_search_failed(m, model_or_empty(e->text));
	return true;
}

struct buffer *model_go_to_found(struct model *m)
{
	const struct found *f = &m->found;

	if (f->chosen >= f->count)
		return NULL;
	const struct found_line *l = &f->lines[f->chosen];
	struct buffer *b = l->room[0] ? model_open_room(m, l->room)
				      : model_open_direct(m, l->peer, l->peer_nick);
	if (b && l->line.seq > 0)
		model_want_place(b, HISTORY_AFTER, l->line.seq - 1);
	return b;
}
