/*
 * The list of rooms: those of the table and those that only the log knows, merged.
 */
#include "server/hub.h"

#include "common/err.h"

#include <stdlib.h>
#include <string.h>

#define SEEN_MAX (LIST_MAX + 1) /* one more than goes into a page tells whether there are more */

/* A room that the log knows. */
struct logged {
	struct stream_key key;
	char name[ROOM_NAME_MAX + 1];
	char topic[TOPIC_MAX + 1];
	bool closed;
};

/* What there is after a key, of either kind in the order of the keys. */
struct seen {
	struct room *rooms[SEEN_MAX]; /* counted */
	size_t room_count;
	struct logged logged[SEEN_MAX];
	size_t logged_count;
};

/* The page that is being filled. */
struct page {
	struct msg_room_list *m;
	uint16_t limit;
	const struct hub_viewer *viewer;
	uint8_t *buffer;
	size_t size;
};

static bool see_logged(
	void *context, const struct stream_key *key, const struct room_record *record)
{
	struct seen *seen = context;
	struct logged *l = &seen->logged[seen->logged_count++];

	l->key = *key;
	memcpy(l->name, record->name, sizeof(l->name));
	memcpy(l->topic, record->topic, sizeof(l->topic));
	l->closed = record->closed;
	return seen->logged_count < SEEN_MAX;
}

static int add(struct page *p, const struct item_room *item)
{
	struct list *rooms = &p->m->rooms;

	if (rooms->count == p->limit || rooms->count == LIST_MAX)
		return ERR_FULL;
	return message_list_add(rooms, ITEM_ROOM, item, p->buffer, p->size);
}

static int compare_key(const void *key, const void *room)
{
	return stream_key_compare(key, feed_key(room_feed(*(struct room *const *)room)));
}

/* A room that is not open to everybody: it may have been a moment ago. */
static bool may_see(const struct hub_viewer *v, const struct stream_key *key)
{
	return v->all || (v->room_count && bsearch(key, v->rooms, v->room_count,
						   sizeof(struct room *), compare_key) != NULL);
}

static int add_room(struct page *p, struct room *r)
{
	struct room_topic topic;

	if (room_is_closed(r) && !may_see(p->viewer, feed_key(room_feed(r))))
		return 0;
	room_topic(r, &topic);
	struct item_room item = {
		.name = span_of(room_name(r)),
		.people = room_people(r),
		.topic = span_of(topic.text),
	};
	return add(p, &item);
}

static int add_logged(struct page *p, const struct logged *l)
{
	struct item_room item = {.name = span_of(l->name), .topic = span_of(l->topic)};

	if (l->closed && !may_see(p->viewer, &l->key))
		return 0;
	return add(p, &item);
}

/* Which comes first, table's or log's: below 0 the table's, above 0 the log's, 0: they are one room. */
static int compare(const struct seen *seen, size_t room, size_t logged)
{
	if (room == seen->room_count)
		return 1;
	if (logged == seen->logged_count)
		return -1;
	return stream_key_compare(
		feed_key(room_feed(seen->rooms[room])), &seen->logged[logged].key);
}

/* Fill the page with both kinds in one order; a room that is in the table is shown as it is there.
 * What follows the last of a kind of which not all were seen is for the next time: true, `*from` is
 * the key to go on from. */
static bool merge(const struct seen *seen, struct page *p, struct stream_key *from)
{
	size_t i = 0, j = 0;
	int full = 0;

	while (!full && (i < seen->room_count || j < seen->logged_count)) {
		int order = compare(seen, i, j);
		if (order <= 0 && i < SEEN_MAX) {
			*from = *feed_key(room_feed(seen->rooms[i]));
			full = add_room(p, seen->rooms[i++]);
		} else if (j < SEEN_MAX) {
			*from = seen->logged[j].key;
			full = add_logged(p, &seen->logged[j]);
		}
		j += order >= 0;
		if (!full && (i == SEEN_MAX || j == SEEN_MAX))
			return true;
	}
	p->m->more = full != 0;
	return false;
}

static void forget_rooms(struct seen *seen)
{
	for (size_t i = 0; i < seen->room_count; i++)
		room_unref(seen->rooms[i]);
	seen->room_count = seen->logged_count = 0;
}

int hub_list(struct hub *h, struct span after, uint16_t limit, const struct hub_viewer *viewer,
	struct msg_room_list *m, uint8_t *buffer, size_t size)
{
	struct page page = {
		.m = m,
		.limit = limit,
		.viewer = viewer,
		.buffer = buffer,
		.size = size,
	};
	struct stream_key key;
	bool from_start = after.length == 0 || stream_key_room(after.text, after.length, &key) != 0;
	struct seen *seen = calloc(1, sizeof(*seen));
	bool again = true;
	int r = seen ? 0 : ERR_MEMORY;

	m->rooms = (struct list){0};
	while (r == 0 && again) {
		const struct stream_key *from = from_start ? NULL : &key;
		r = engine_rooms(hub_engine(h), from, viewer->all, SEEN_MAX, see_logged, seen);
		if (r == 0) {
			seen->room_count =
				hub_rooms_after(h, from, viewer, seen->rooms, SEEN_MAX, &m->total);
			again = merge(seen, &page, &key);
			from_start = false;
		}
		forget_rooms(seen);
	}
	free(seen);
	return r;
}
