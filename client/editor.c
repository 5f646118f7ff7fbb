#include "client/editor.h"

#include "common/err.h"
#include "common/text.h"
#include "common/utf8.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

const char *editor_text(const struct editor *e)
{
	return e->text ? e->text : "";
}

static void forget_undos(struct editor *e)
{
	for (size_t i = 0; i < e->undo_count; i++)
		free(e->undos[i].text);
	e->undo_count = 0;
}

void editor_fini(struct editor *e)
{
	forget_undos(e);
	for (size_t i = 0; i < e->kill_count; i++)
		free(e->kills[i]);
	free(e->text);
	*e = (struct editor){0};
}

/* ---- changing the text ---- */

/* Make room for `length` bytes of text and the terminator. */
static int reserve(struct editor *e, size_t length)
{
	size_t room = e->room ? e->room : 256;

	if (length > EDITOR_MOST)
		return ERR_TOO_BIG;
	if (length < e->room)
		return 0;
	while (room <= length)
		room *= 2;
	char *text = realloc(e->text, room);
	if (!text)
		return ERR_MEMORY;
	if (!e->text)
		text[0] = '\0';
	e->text = text;
	e->room = room;
	return 0;
}

/* Remember the text as it is. Without memory it is not remembered, which only costs an undo. */
static void save_undo(struct editor *e)
{
	char *copy = strdup(editor_text(e));

	if (!copy)
		return;
	if (e->undo_count == EDITOR_UNDOS) {
		free(e->undos[0].text);
		e->undo_count--;
		memmove(&e->undos[0], &e->undos[1], e->undo_count * sizeof e->undos[0]);
	}
	e->undos[e->undo_count++] = (struct editor_undo){.text = copy, .cursor = e->cursor};
}

/* Replace [from, to) by `bytes`, which are not of the text; the cursor goes after them. */
static int splice(struct editor *e, size_t from, size_t to, const char *bytes, size_t length)
{
	assert(from <= to && to <= e->length);
	int err = reserve(e, e->length - (to - from) + length);
	if (err < 0)
		return err;
	memmove(e->text + from + length, e->text + to, e->length - to);
	if (length > 0)
		memcpy(e->text + from, bytes, length);
	e->length = e->length - (to - from) + length;
	e->text[e->length] = '\0';
	e->cursor = from + length;
	return 0;
}

int editor_set(struct editor *e, const char *text)
{
	int err = splice(e, 0, e->length, text, strlen(text));

	if (err < 0)
		return err;
	forget_undos(e);
	e->last = EDITOR_OTHER;
	return 0;
}

int editor_insert(struct editor *e, const char *bytes, size_t length)
{
	if (length > EDITOR_MOST - e->length)
		return ERR_TOO_BIG;
	if (e->last != EDITOR_TYPED || (length == 1 && bytes[0] == ' '))
		save_undo(e);
	int err = splice(e, e->cursor, e->cursor, bytes, length);
	if (err < 0)
		return err;
	e->last = EDITOR_TYPED;
	return 0;
}

int editor_replace(struct editor *e, size_t start, const char *bytes, size_t length)
{
	assert(start <= e->cursor);
	save_undo(e);
	e->last = EDITOR_OTHER;
	return splice(e, start, e->cursor, bytes, length);
}

/* ---- places ---- */

static size_t after(const struct editor *e, size_t at)
{
	return at + text_cluster(editor_text(e) + at, e->length - at, NULL);
}

static size_t before(const struct editor *e, size_t at)
{
	return text_cluster_before(editor_text(e), at);
}

static bool is_word_at(const struct editor *e, size_t at)
{
	uint32_t c;

	if (at >= e->length || utf8_decode(e->text + at, e->length - at, &c) == 0)
		return false;
	switch (utf8proc_category((utf8proc_int32_t)c)) {
	case UTF8PROC_CATEGORY_MC: /* may be a cluster of its own */
	case UTF8PROC_CATEGORY_LU:
	case UTF8PROC_CATEGORY_LL:
	case UTF8PROC_CATEGORY_LT:
	case UTF8PROC_CATEGORY_LM:
	case UTF8PROC_CATEGORY_LO:
	case UTF8PROC_CATEGORY_ND:
		return true;
	default:
		return false;
	}
}

static bool is_solid_at(const struct editor *e, size_t at)
{
	return e->text[at] != ' ' && e->text[at] != '\n';
}

/* Back over what is not of a word, then over the word. */
static size_t word_before(
	const struct editor *e, size_t at, bool (*is_word)(const struct editor *, size_t))
{
	while (at > 0 && !is_word(e, before(e, at)))
		at = before(e, at);
	while (at > 0 && is_word(e, before(e, at)))
		at = before(e, at);
	return at;
}

static size_t word_after(const struct editor *e, size_t at)
{
	while (at < e->length && !is_word_at(e, at))
		at = after(e, at);
	while (at < e->length && is_word_at(e, at))
		at = after(e, at);
	return at;
}

static bool move_to(struct editor *e, size_t at)
{
	bool moved = at != e->cursor;

	e->cursor = at;
	return moved;
}

/* ---- deleting, killing, yanking ---- */

static bool cut(struct editor *e, size_t from, size_t to)
{
	if (from == to)
		return false;
	save_undo(e);
	return splice(e, from, to, NULL, 0) == 0;
}

static bool push_kill(struct editor *e, char *kill)
{
	if (!kill)
		return false;
	if (e->kill_count == EDITOR_KILLS)
		free(e->kills[--e->kill_count]);
	memmove(&e->kills[1], &e->kills[0], e->kill_count * sizeof e->kills[0]);
	e->kills[0] = kill;
	e->kill_count++;
	return true;
}

/* Put text before or after the newest kill: kills one after the other are one kill. */
static bool extend_kill(struct editor *e, const char *bytes, size_t length, bool in_front)
{
	size_t old = strlen(e->kills[0]);
	char *joined = malloc(old + length + 1);

	if (!joined)
		return false;
	memcpy(joined + (in_front ? length : 0), e->kills[0], old);
	memcpy(joined + (in_front ? 0 : old), bytes, length);
	joined[old + length] = '\0';
	free(e->kills[0]);
	e->kills[0] = joined;
	return true;
}

static bool kill_range(struct editor *e, size_t from, size_t to)
{
	bool again = e->last == EDITOR_KILLED && e->kill_count > 0;
	bool in_front = to == e->cursor;

	if (from == to)
		return false;
	bool kept = again ? extend_kill(e, e->text + from, to - from, in_front)
			  : push_kill(e, strndup(e->text + from, to - from));
	if (!kept || !cut(e, from, to))
		return false;
	e->last = EDITOR_KILLED;
	return true;
}

static bool yank(struct editor *e, size_t from, size_t which)
{
	save_undo(e);
	if (splice(e, from, e->cursor, e->kills[which], strlen(e->kills[which])) < 0)
		return false;
	e->yanked = which;
	e->yank_from = from;
	e->last = EDITOR_YANKED;
	return true;
}

/* ---- the rest ---- */

/* Swap the clusters around the cursor; at the end, the last two. */
static bool transpose(struct editor *e)
{
	char swapped[128];
	size_t middle = e->cursor == e->length ? before(e, e->cursor) : e->cursor;

	if (middle == 0)
		return false;
	size_t from = before(e, middle), to = after(e, middle);
	if (to == middle || to - from > sizeof swapped)
		return false;
	memcpy(swapped, e->text + middle, to - middle);
	memcpy(swapped + (to - middle), e->text + from, middle - from);
	save_undo(e);
	return splice(e, from, to, swapped, to - from) == 0;
}

enum letter_case {
	UPPER,
	LOWER,
	CAPITAL,
};

static uint32_t change_letter(uint32_t c, enum letter_case to)
{
	utf8proc_int32_t code = (utf8proc_int32_t)c;

	switch (to) {
	case UPPER:
		return (uint32_t)utf8proc_toupper(code);
	case LOWER:
		return (uint32_t)utf8proc_tolower(code);
	case CAPITAL:
		return (uint32_t)utf8proc_totitle(code);
	}
	return c;
}

static bool change_case(struct editor *e, enum letter_case to)
{
	size_t from = e->cursor, end = word_after(e, from), used = 0;

	if (end == from)
		return false;
	char *out = malloc((end - from) * 4);
	if (!out)
		return false;
	for (size_t at = from; at < end;) {
		uint32_t c;
		bool letter = is_word_at(e, at);
		size_t n = utf8_decode(e->text + at, end - at, &c);
		if (n == 0) { /* valid text only is put in */
			free(out);
			return false;
		}
		used += utf8_encode(change_letter(c, to), out + used);
		if (letter && to == CAPITAL)
			to = LOWER;
		at += n;
	}
	bool changed = used != end - from || memcmp(out, e->text + from, used) != 0;
	if (changed) /* an undo brings back something that is seen */
		save_undo(e);
	bool done = splice(e, from, end, out, used) == 0;
	free(out);
	return done;
}

static bool undo(struct editor *e)
{
	if (e->undo_count == 0)
		return false;
	struct editor_undo u = e->undos[--e->undo_count];
	bool done = splice(e, 0, e->length, u.text, strlen(u.text)) == 0;
	if (done)
		e->cursor = u.cursor;
	free(u.text);
	return done;
}

/* ---- operations ---- */

static size_t to_start(const struct editor *e, size_t at)
{
	(void)e;
	(void)at;
	return 0;
}

static size_t to_end(const struct editor *e, size_t at)
{
	(void)at;
	return e->length;
}

static size_t solid_before(const struct editor *e, size_t at)
{
	return word_before(e, at, is_solid_at);
}

static size_t name_before(const struct editor *e, size_t at)
{
	return word_before(e, at, is_word_at);
}

static bool yank_newest(struct editor *e)
{
	return e->kill_count > 0 && yank(e, e->cursor, 0);
}

static bool yank_pop(struct editor *e)
{
	return e->last == EDITOR_YANKED && yank(e, e->yank_from, (e->yanked + 1) % e->kill_count);
}

static bool upper(struct editor *e)
{
	return change_case(e, UPPER);
}

static bool lower(struct editor *e)
{
	return change_case(e, LOWER);
}

static bool capital(struct editor *e)
{
	return change_case(e, CAPITAL);
}

/* What is done with the text between the cursor and a place, or, without a place, something else. */
struct operation {
	enum {
		MOVE,
		CUT,
		KILL,
		YANK,
		CHANGE
	} what;
	size_t (*place)(const struct editor *e, size_t at);
	bool (*change)(struct editor *e);
};

static const struct operation operations[] = {
	[EDIT_START] = {MOVE, to_start, NULL},
	[EDIT_END] = {MOVE, to_end, NULL},
	[EDIT_BACK] = {MOVE, before, NULL},
	[EDIT_FORWARD] = {MOVE, after, NULL},
	[EDIT_WORD_BACK] = {MOVE, name_before, NULL},
	[EDIT_WORD_FORWARD] = {MOVE, word_after, NULL},
	[EDIT_DELETE_BACK] = {CUT, before, NULL},
	[EDIT_DELETE] = {CUT, after, NULL},
	[EDIT_KILL_TO_START] = {KILL, to_start, NULL},
	[EDIT_KILL_TO_END] = {KILL, to_end, NULL},
	[EDIT_KILL_WORD_BACK] = {KILL, solid_before, NULL},
	[EDIT_KILL_NAME_BACK] = {KILL, name_before, NULL},
	[EDIT_KILL_WORD_FORWARD] = {KILL, word_after, NULL},
	[EDIT_YANK] = {YANK, NULL, yank_newest},
	[EDIT_YANK_POP] = {YANK, NULL, yank_pop},
	[EDIT_TRANSPOSE] = {CHANGE, NULL, transpose},
	[EDIT_UPPER] = {CHANGE, NULL, upper},
	[EDIT_LOWER] = {CHANGE, NULL, lower},
	[EDIT_CAPITAL] = {CHANGE, NULL, capital},
	[EDIT_UNDO] = {CHANGE, NULL, undo},
};

bool editor_do(struct editor *e, enum editor_operation operation)
{
	const struct operation *o = &operations[operation];
	bool done = false;

	if (reserve(e, e->length) < 0)
		return false;
	size_t at = e->cursor, place = o->place ? o->place(e, at) : at;
	size_t from = place < at ? place : at, to = place < at ? at : place;
	switch (o->what) {
	case KILL:
		return kill_range(e, from, to);
	case YANK:
		return o->change(e);
	case MOVE:
		done = move_to(e, place);
		break;
	case CUT:
		done = cut(e, from, to);
		break;
	case CHANGE:
		done = o->change(e);
		break;
	}
	e->last = EDITOR_OTHER;
	return done;
}

/* ---- showing ---- */

/* Columns of the cluster at `at`, and the byte after it. A newline is shown as a sign. */
static size_t shown_at(const struct editor *e, size_t at, size_t *next)
{
	int columns;

	*next = at + text_cluster(e->text + at, e->length - at, &columns);
	return e->text[at] == '\n' ? 1 : (size_t)columns;
}

static size_t shown_columns(const struct editor *e, size_t from, size_t to)
{
	size_t sum = 0;

	while (from < to)
		sum += shown_at(e, from, &from);
	return sum;
}

/* Where to start so that about `wanted` columns are shown before the cursor. */
static size_t start_before_cursor(const struct editor *e, size_t wanted)
{
	size_t start = e->cursor, used = 0, next;

	while (start > 0) {
		size_t back = before(e, start);
		used += shown_at(e, back, &next);
		if (used > wanted)
			break;
		start = back;
	}
	return start;
}

/* Where the cluster begins that `at`, which was right for an earlier text, is in. */
static size_t cluster_start(const struct editor *e, size_t at)
{
	if (at == 0 || at >= e->length)
		return at;
	while (at > 0 && ((unsigned char)e->text[at] & 0xc0) == 0x80)
		at--;
	size_t start = at > 0 ? before(e, at) : 0;
	return at > 0 && after(e, start) > at ? start : at;
}

size_t editor_window(
	const struct editor *e, size_t start, size_t columns, size_t *end, size_t *cursor_column)
{
	size_t room = columns > 0 ? columns - 1 : 0; /* the cursor needs a column itself */

	start = cluster_start(e, start);
	if (start > 0 && shown_columns(e, 0, e->length) <= room)
		start = 0; /* all fits, as when the window has grown */
	if (start > e->cursor || (start == e->cursor && start > 0) ||
		shown_columns(e, start, e->cursor) > room)
		start = start_before_cursor(e, room * 2 / 3);
	*cursor_column = shown_columns(e, start, e->cursor);
	*end = start;
	for (size_t used = 0; *end < e->length;) {
		size_t next;
		used += shown_at(e, *end, &next);
		if (used > columns)
			break;
		*end = next;
	}
	return start;
}
