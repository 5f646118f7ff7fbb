#include "client/layout.h"

#include <assert.h>

#define ROOMS_LEAST     12
#define ROOMS_MOST      22
#define MEMBERS_LEAST   12
#define MEMBERS_MOST    20
#define MESSAGES_LEAST  30 /* columns of messages without which no pane is beside them */
#define LINES_FOR_TOPIC 6
#define LINES_FOR_BAR   3

static int within(int value, int least, int most)
{
	return value < least ? least : value > most ? most : value;
}

bool rect_has(struct rect r, int y, int x)
{
	return y >= r.y && y < r.y + r.lines && x >= r.x && x < r.x + r.columns;
}

/* The three panes side by side in the body. */
static void lay_columns(struct layout *l, struct rect body, struct layout_wishes wishes)
{
	int rooms = within(body.columns / 5, ROOMS_LEAST, ROOMS_MOST);
	int members = within(body.columns / 6, MEMBERS_LEAST, MEMBERS_MOST);
	int left = body.columns;

	l->rooms_rule = l->members_rule = -1;
	l->messages = body;
	if (wishes.rooms && left - (rooms + 1) >= MESSAGES_LEAST) {
		left -= rooms + 1;
		l->rooms = (struct rect){body.y, 0, body.lines, rooms};
		l->rooms_rule = rooms;
		l->messages.x = rooms + 1;
	}
	if (wishes.members && left - (members + 1) >= MESSAGES_LEAST) {
		left -= members + 1;
		l->members = (struct rect){body.y, body.columns - members, body.lines, members};
		l->members_rule = body.columns - members - 1;
	}
	l->messages.columns = left;
}

struct layout layout_make(int lines, int columns, struct layout_wishes wishes)
{
	struct layout l = {0};
	struct rect body = {0, 0, lines - 1, columns};

	assert(lines >= 1 && columns >= 1);
	l.input = (struct rect){lines - 1, 0, 1, columns};
	if (lines >= LINES_FOR_BAR) {
		l.status = (struct rect){lines - 2, 0, 1, columns};
		body.lines--;
	}
	if (lines >= LINES_FOR_TOPIC) {
		l.topic = (struct rect){0, 0, 1, columns};
		body.y = 1;
		body.lines--;
	}
	lay_columns(&l, body, wishes);
	return l;
}
