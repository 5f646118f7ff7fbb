#include "client/talk_private.h"

#include "client/keys.h"
#include "common/err.h"

#include <string.h>

#define FAR 1000000 /* more results than there can be */

bool talk_search(struct talk *t, const char *text)
{
	bool everywhere = strncmp(text, "-a", 2) == 0 && (text[2] == ' ' || text[2] == '\0');
	const struct buffer *here = model_current(&t->model);

	if (everywhere)
		text += 2;
	text += strspn(text, " ");
	if (text[0] == '\0' && !t->model.found.words)
		return talk_fail(t, "Search for what? /search WORDS looks in this room, /search -a "
				    "WORDS in all of them.");
	if (text[0]) {
		int err = model_search(&t->model, here, everywhere, text);
		if (err < 0)
			return talk_fail(t, "Cannot search: %s", err_text(err));
		t->found_top = 0;
	}
	talk_close_box(t);
	t->overlay = OVERLAY_FOUND;
	return true;
}

static void go(struct talk *t)
{
	struct buffer *b = model_go_to_found(&t->model);

	if (!b)
		return;
	talk_close_box(t);
	talk_show(t, model_index(&t->model, b));
}

static void choose(struct talk *t, long by)
{
	size_t chosen = t->model.found.chosen, back = by < 0 ? (size_t)-by : 0;

	model_choose(&t->model, back > chosen ? 0 : chosen - back + (by > 0 ? (size_t)by : 0));
}

void talk_found_key(struct talk *t, uint32_t key)
{
	long page = t->layout.messages.lines > 2 ? t->layout.messages.lines - 2 : 1;

	switch (key) {
	case K_UP:
	case CTRL('P'):
	case 'k':
		choose(t, -1);
		break;
	case K_DOWN:
	case CTRL('N'):
	case 'j':
		choose(t, 1);
		break;
	case K_PAGE_UP:
		choose(t, -page);
		break;
	case K_PAGE_DOWN:
	case ' ':
		choose(t, page);
		break;
	case K_HOME:
		choose(t, -FAR);
		break;
	case K_END:
		choose(t, FAR);
		break;
	case K_ENTER:
		go(t);
		break;
	case K_ESCAPE:
	case CTRL('C'):
	case CTRL('G'):
	case 'q':
		talk_close_box(t);
		break;
	default:
		break;
	}
}

void talk_found_mouse(struct talk *t, const struct input *in)
{
	struct found *f = &t->model.found;

	if (in->mouse == MOUSE_WHEEL_UP) {
		choose(t, -1);
	} else if (in->mouse == MOUSE_WHEEL_DOWN) {
		choose(t, 1);
	} else if (in->mouse == MOUSE_CLICK && in->y >= t->found_line) {
		size_t clicked = t->found_top + (size_t)(in->y - t->found_line);
		if (clicked >= f->count)
			return;
		/* The first click chooses, another one goes there. */
		if (clicked == f->chosen)
			go(t);
		else
			model_choose(&t->model, clicked);
	}
}
