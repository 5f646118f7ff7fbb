#include "server/hub_private.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#define FORGOTTEN_MOST 2000 /* in one look: whoever wants a room waits meanwhile */

static int compare(const void *a, const void *b)
{
	return stream_key_compare(a, b);
}

static bool count_room(
	void *context, const struct stream_key *key, const struct room_record *record)
{
	struct hub *h = context;

	(void)key;
	h->in_log++;
	h->closed += record->closed;
	return true;
}

struct hub *hub_new(struct engine *e, struct segment_budget *budget, size_t rooms_max)
{
	struct hub *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	if (engine_rooms(e, NULL, true, UINT32_MAX, count_room, h) != 0) {
		free(h);
		return NULL;
	}
	h->engine = e;
	h->budget = budget;
	h->max = rooms_max;
	h->rows.compare = h->open_rows.compare = compare;
	TAILQ_INIT(&h->deserted);
	lock_init(&h->lock, LOCK_HUB);
	return h;
}

static void free_row(void *p)
{
	struct row *row = p;

	room_unref(row->room);
	free(row);
}

static void leave_row(void *p)
{
	(void)p;
}

void hub_free(struct hub *h)
{
	if (!h)
		return;
	while (h->telling) {
		struct room *r = h->telling;
		h->telling = room_link(r)->next;
		room_unref(r);
	}
	tdestroy(h->open_rows.root, leave_row);
	tdestroy(h->rows.root, free_row);
	lock_fini(&h->lock);
	free(h);
}

void hub_set_max(struct hub *h, size_t rooms_max)
{
	lock_take(&h->lock);
	h->max = rooms_max;
	lock_drop(&h->lock);
}

static struct row *find_locked(struct hub *h, const struct stream_key *key)
{
	lock_assert_held(&h->lock);
	return tree_find(&h->rows, key);
}

/* A room as the log knows it. */
struct logged_room {
	bool found; /* something was said in it */
	struct room_record record;
	struct charter charter; /* owned */
};

/* `name` is how it is shown, where the log does not say. */
static struct room *make_room(
	struct hub *h, const struct stream_key *key, struct span name, struct logged_room *logged)
{
	const struct room_record *record = &logged->record;
	char shown[ROOM_NAME_MAX + 1];

	memcpy(shown, name.text, name.length);
	shown[name.length] = '\0';
	const char *known = logged->found && record->name[0] ? record->name : shown;
	struct room *r = room_new(key, known, h->budget, logged->found ? record->last : 0);
	if (!r)
		return NULL;
	room_set_charter(r, &logged->charter);
	if (logged->found && record->topic_nick[0])
		room_set_topic(
			r, span_of(record->topic), span_of(record->topic_nick), record->topic_time);
	return r;
}

/* See whether everybody may see the row's room. Out of memory, they do not until something is decided about
 * it again. */
static void sort_locked(struct hub *h, struct row *row)
{
	lock_assert_held(&h->lock);
	bool closed = room_is_closed(row->room);

	if (closed == row->closed)
		return;
	if (closed)
		tree_remove(&h->open_rows, row);
	else if (!tree_put(&h->open_rows, row))
		return;
	row->closed = closed;
	if (closed)
		h->closed++;
	else if (h->closed > 0)
		h->closed--;
}

static struct row *add_locked(
	struct hub *h, const struct stream_key *key, struct span name, struct logged_room *logged)
{
	struct row *row = calloc(1, sizeof(*row));

	if (!row)
		return NULL;
	row->key = *key;
	row->kept = logged->found && logged->record.last > 0;
	row->room = make_room(h, key, name, logged);
	if (!row->room || !tree_put(&h->rows, row)) {
		free_row(row);
		return NULL;
	}
	h->count++;
	h->fresh += !row->kept;
	/* It is counted as closed: a new one here, the others since the log was opened. */
	bool closed = room_is_closed(row->room);
	row->closed = true;
	h->closed += !row->kept || !closed;
	sort_locked(h, row);
	return row;
}

static void forget_locked(struct hub *h, struct row *row)
{
	lock_assert_held(&h->lock);
	tree_remove(&h->rows, row);
	if (!row->closed)
		tree_remove(&h->open_rows, row);
	h->count--;
	if (!row->kept) {
		bool stays = feed_last_seq(room_feed(row->room)) > 0;
		h->fresh--;
		h->in_log += stays;
		h->closed -= !stays && row->closed && h->closed > 0;
	}
	free_row(row);
}

/* Without this, whoever says a word in as many rooms as there may be keeps everybody else from
 * opening one, for ever. */
static void make_way_locked(struct hub *h)
{
	struct row *row = TAILQ_FIRST(&h->deserted);

	if (!row || h->count < h->max)
		return;
	TAILQ_REMOVE(&h->deserted, row, deserted);
	forget_locked(h, row);
}

/* ERR_NOT_FOUND: the table has no such room. */
static int use_locked(struct hub *h, const struct stream_key *key, struct room **out)
{
	struct row *row = find_locked(h, key);

	if (!row)
		return ERR_NOT_FOUND;
	if (room_link(row->room)->users++ == 0) {
		TAILQ_REMOVE(&h->deserted, row, deserted);
		h->used++;
	}
	*out = room_ref(row->room);
	return 0;
}

static enum code add_used_locked(struct hub *h, const struct stream_key *key, struct span name,
	struct logged_room *logged, struct room **out)
{
	make_way_locked(h);
	if (h->count >= h->max)
		return CODE_TOO_MANY_ROOMS;
	struct row *row = add_locked(h, key, name, logged);
	if (!row)
		return CODE_RESOURCES;
	room_link(row->room)->users++;
	h->used++;
	*out = room_ref(row->room);
	return CODE_NONE;
}

/* Put a room into the table as the log had it when `missed` entries had been missed. ERR_AGAIN: since
 * then something was applied for which there was no room, perhaps to this one. */
static int add_as_read(struct hub *h, const struct stream_key *key, struct span name,
	struct logged_room *logged, uint64_t missed, enum code *code, struct room **out)
{
	int r = 0;

	lock_take(&h->lock);
	if (use_locked(h, key, out) != 0) {
		if (h->missed != missed)
			r = ERR_AGAIN;
		else
			*code = add_used_locked(h, key, name, logged, out);
	}
	lock_drop(&h->lock);
	return r;
}

/* Look into the table; `*missed` is what add_as_read wants to know. */
static int use(struct hub *h, const struct stream_key *key, struct room **out, uint64_t *missed)
{
	lock_take(&h->lock);
	int r = use_locked(h, key, out);
	*missed = h->missed;
	lock_drop(&h->lock);
	return r;
}

static int read_room(struct hub *h, const struct stream_key *key, struct logged_room *out)
{
	int r = engine_room(h->engine, key, &out->record);

	out->charter = (struct charter){0};
	out->found = r == 0;
	return r == 0 || r == ERR_NOT_FOUND ? engine_charter(h->engine, key, &out->charter) : r;
}

/* Is it new that this room is damaged? Of more than so many nothing is said any more. */
static bool is_news(struct hub *h, const struct stream_key *key)
{
	bool known = false;

	lock_take(&h->lock);
	for (size_t i = 0; i < h->damaged_count; i++)
		known = known || stream_key_compare(&h->damaged[i], key) == 0;
	known = known || h->damaged_count == HUB_DAMAGED_TOLD;
	if (!known)
		h->damaged[h->damaged_count++] = *key;
	lock_drop(&h->lock);
	return !known;
}

static void note_damage(struct hub *h, const struct stream_key *key, const struct charter *c)
{
	if (c->damaged && is_news(h, key))
		log_error(
			"#%.*s: who may do what there is damaged in the log: nobody but operators "
			"may come in, until one of them begins it anew (/mode open)",
			(int)key->length - 1, (const char *)key->bytes + 1);
}

/* The log is read without the lock. Every entry is in the log before it is applied, so one that is
 * not in what was read is applied later: either to the room, which then is in the table, or to none,
 * and then it has been missed and the log is read again. One that was read and is applied only then
 * has a number that the room's feed knows, and is not published twice. */
enum code hub_open(struct hub *h, struct span name, struct room **out)
{
	enum code code = CODE_NONE;
	struct logged_room logged;
	struct stream_key key;
	uint64_t missed;

	if (stream_key_room(name.text, name.length, &key) != 0)
		return CODE_BAD_ROOM;
	while (use(h, &key, out, &missed) != 0) {
		if (read_room(h, &key, &logged) != 0)
			return CODE_RESOURCES;
		note_damage(h, &key, &logged.charter);
		int r = add_as_read(h, &key, name, &logged, missed, &code, out);
		charter_fini(&logged.charter);
		if (r == 0)
			return code;
	}
	return CODE_NONE;
}

void hub_leave(struct hub *h, struct room *r)
{
	lock_take(&h->lock);
	if (--room_link(r)->users == 0) {
		h->used--;
		struct row *row = find_locked(h, feed_key(room_feed(r)));
		if (feed_last_seq(room_feed(r)) == 0)
			forget_locked(h, row);
		else
			TAILQ_INSERT_TAIL(&h->deserted, row, deserted);
	}
	lock_drop(&h->lock);
	room_unref(r);
}

struct room *hub_find(struct hub *h, const struct stream_key *key)
{
	lock_take(&h->lock);
	struct row *row = find_locked(h, key);
	struct room *r = row ? room_ref(row->room) : NULL;
	if (!r)
		h->missed++;
	lock_drop(&h->lock);
	return r;
}

void hub_look_again(struct hub *h, const struct stream_key *key)
{
	lock_take(&h->lock);
	struct row *row = find_locked(h, key);
	if (row)
		sort_locked(h, row);
	lock_drop(&h->lock);
}

void hub_numbers(struct hub *h, struct hub_numbers *out)
{
	lock_take(&h->lock);
	*out = (struct hub_numbers){.open = h->used, .known = h->in_log + h->fresh};
	lock_drop(&h->lock);
}

struct engine *hub_engine(const struct hub *h)
{
	return h->engine;
}

/* ---- telling ---- */

/* The rooms that wait, taken off the list as a chain of their own. They stay marked as listed until
 * each is looked at, so that nobody else uses their links. */
static struct room *take_telling(struct hub *h)
{
	lock_take(&h->lock);
	struct room *rooms = h->telling;
	h->telling = NULL;
	lock_drop(&h->lock);
	return rooms;
}

/* Off the list before the room is asked: what changes after that lists it again. */
static struct room *unlist(struct hub *h, struct room *r)
{
	lock_take(&h->lock);
	struct room *next = room_link(r)->next;
	room_link(r)->listed = false;
	lock_drop(&h->lock);
	return next;
}

static void relist(struct hub *h, struct room *r)
{
	lock_take(&h->lock);
	struct room_link *link = room_link(r);
	bool listed = link->listed;
	if (!listed) {
		link->listed = true;
		link->next = h->telling;
		h->telling = r;
	}
	lock_drop(&h->lock);
	if (listed)
		room_unref(r);
}

bool hub_tell(struct hub *h, struct room *r, int64_t *again)
{
	bool told;

	*again = room_tell(r, clock_ms(), &told);
	if (*again != INT64_MAX)
		relist(h, room_ref(r));
	return told;
}

int64_t hub_tick(
	struct hub *h, int64_t now, void (*pump)(void *context, struct feed *f), void *context)
{
	struct room *r = take_telling(h);
	int64_t next = INT64_MAX;

	while (r) {
		struct room *after = unlist(h, r);
		bool told;
		int64_t again = room_tell(r, now, &told);
		if (told)
			pump(context, room_feed(r));
		if (again == INT64_MAX)
			room_unref(r);
		else
			relist(h, r);
		next = again < next ? again : next;
		r = after;
	}
	return next;
}

/* ---- rest ---- */

static void rest_row(const void *node, VISIT visit, void *closure)
{
	(void)closure;
	if (visit == postorder || visit == leaf)
		feed_rest(room_feed((*(const struct row *const *)node)->room));
}

/* The log has all about a room that nobody uses, but for whose turn it is in slow mode. */
static size_t forget_deserted_locked(struct hub *h)
{
	struct row *next;
	size_t count = 0;

	lock_assert_held(&h->lock);
	for (struct row *row = TAILQ_FIRST(&h->deserted); row && count < FORGOTTEN_MOST;
		row = next) {
		next = TAILQ_NEXT(row, deserted);
		if (room_is_slow(row->room))
			continue;
		TAILQ_REMOVE(&h->deserted, row, deserted);
		forget_locked(h, row);
		count++;
	}
	return count;
}

size_t hub_rest(struct hub *h)
{
	lock_take(&h->lock);
	size_t forgotten = forget_deserted_locked(h);

	twalk_r(h->rows.root, rest_row, NULL);
	lock_drop(&h->lock);
	return forgotten;
}
