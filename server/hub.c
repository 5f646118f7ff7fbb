#include "server/hub.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/lock.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

/* A room's place in the table. */
struct row {
	struct stream_key key;     /* first: it stands for the whole in comparisons */
	struct room *room;         /* counted */
	TAILQ_ENTRY(row) deserted; /* while nobody uses the room */
};

struct hub {
	struct engine *engine;         /* borrowed */
	struct segment_budget *budget; /* borrowed */
	struct lock lock;
	/* guarded by lock */
	void *rows; /* tsearch tree */
	size_t count, max;
	TAILQ_HEAD(, row) deserted; /* rooms that nobody uses, the longest deserted first */
	struct room *telling;       /* rooms with something to tell, linked and counted */
};

static int compare(const void *a, const void *b)
{
	return stream_key_compare(a, b);
}

struct hub *hub_new(struct engine *e, struct segment_budget *budget, size_t rooms_max)
{
	struct hub *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->engine = e;
	h->budget = budget;
	h->max = rooms_max;
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

void hub_free(struct hub *h)
{
	if (!h)
		return;
	while (h->telling) {
		struct room *r = h->telling;
		h->telling = room_link(r)->next;
		room_unref(r);
	}
	tdestroy(h->rows, free_row);
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
	void *found = tfind(key, &h->rows, compare);
	return found ? *(struct row **)found : NULL;
}

static struct row *add_locked(struct hub *h, const struct stream_key *key, struct span name)
{
	char shown[ROOM_NAME_MAX + 1];
	uint64_t last = 0, after;
	struct row *row = calloc(1, sizeof(*row));

	if (!row)
		return NULL;
	memcpy(shown, name.text, name.length);
	shown[name.length] = '\0';
	row->key = *key;
	/* What is applied meanwhile waits for this lock to find the room, and what the feed has been
	 * told of here it does not publish again. */
	engine_last(h->engine, key, 0, &last, &after);
	row->room = room_new(key, shown, h->budget, last);
	if (!row->room || !tsearch(row, &h->rows, compare)) {
		free_row(row);
		return NULL;
	}
	h->count++;
	return row;
}

static void forget_locked(struct hub *h, struct row *row)
{
	lock_assert_held(&h->lock);
	tdelete(row, &h->rows, compare);
	h->count--;
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

static enum code open_locked(
	struct hub *h, const struct stream_key *key, struct span name, struct room **out)
{
	struct row *row = find_locked(h, key);

	if (!row) {
		make_way_locked(h);
		if (h->count >= h->max)
			return CODE_TOO_MANY_ROOMS;
		row = add_locked(h, key, name);
		if (!row)
			return CODE_RESOURCES;
	} else if (room_link(row->room)->users == 0) {
		TAILQ_REMOVE(&h->deserted, row, deserted);
	}
	room_link(row->room)->users++;
	*out = room_ref(row->room);
	return CODE_NONE;
}

enum code hub_open(struct hub *h, struct span name, struct room **out)
{
	struct stream_key key;

	if (stream_key_room(name.text, name.length, &key) != 0)
		return CODE_BAD_ROOM;
	lock_take(&h->lock);
	enum code code = open_locked(h, &key, name, out);
	lock_drop(&h->lock);
	return code;
}

void hub_leave(struct hub *h, struct room *r)
{
	lock_take(&h->lock);
	if (--room_link(r)->users == 0) {
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
	lock_drop(&h->lock);
	return r;
}

/* ---- the list ---- */

struct listing {
	struct stream_key after;
	bool from_start;
	uint16_t limit;
	struct msg_room_list *message;
	uint8_t *buffer;
	size_t size;
};

static void list_row(const void *node, VISIT visit, void *closure)
{
	const struct row *row = *(const struct row *const *)node;
	struct listing *l = closure;
	struct room_topic topic;

	if (visit != postorder && visit != leaf)
		return;
	if (l->message->more || (!l->from_start && stream_key_compare(&row->key, &l->after) <= 0))
		return;
	room_topic(row->room, &topic);
	struct item_room item = {
		.name = span_of(room_name(row->room)),
		.people = room_people(row->room),
		.topic = span_of(topic.text),
	};
	struct list *list = &l->message->rooms;
	if (list->count == l->limit || list->count == LIST_MAX ||
		message_list_add(list, ITEM_ROOM, &item, l->buffer, l->size) != 0)
		l->message->more = 1;
}

void hub_list(struct hub *h, struct span after, uint16_t limit, struct msg_room_list *m,
	uint8_t *buffer, size_t size)
{
	struct listing l = {.limit = limit, .message = m, .buffer = buffer, .size = size};

	l.from_start =
		after.length == 0 || stream_key_room(after.text, after.length, &l.after) != 0;
	m->more = 0;
	m->rooms = (struct list){0};
	lock_take(&h->lock);
	m->total = (uint32_t)h->count;
	twalk_r(h->rows, list_row, &l);
	lock_drop(&h->lock);
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

bool hub_tell(struct hub *h, struct room *r)
{
	bool told;

	if (room_tell(r, clock_ms(), &told) != INT64_MAX)
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

void hub_rest(struct hub *h)
{
	lock_take(&h->lock);
	twalk_r(h->rows, rest_row, NULL);
	lock_drop(&h->lock);
}
