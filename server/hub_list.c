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
};

/* What there is after a key, of either kind in the order of the keys. */
struct seen {
	struct room *rooms[SEEN_MAX]; /* counted */
	size_t room_count;
	struct logged logged[SEEN_MAX];
	size_t logged_count;
};

static bool see_logged(
	void *context, const struct stream_key *key, const struct room_record *record)
{
	struct seen *seen = context;
	struct logged *l = &seen->logged[seen->logged_count++];

	l->key = *key;
	memcpy(l->name, record->name, sizeof(l->name));
	memcpy(l->topic, record->topic, sizeof(l->topic));
	return seen->logged_count < SEEN_MAX;
}

static int add(struct msg_room_list *m, uint16_t limit, const struct item_room *item,
	uint8_t *buffer, size_t size)
{
	if (m->rooms.count == limit || m->rooms.count == LIST_MAX)
		return ERR_FULL;
	return message_list_add(&m->rooms, ITEM_ROOM, item, buffer, size);
}

static int add_room(
	struct msg_room_list *m, uint16_t limit, struct room *r, uint8_t *buffer, size_t size)
{
	struct room_topic topic;

	room_topic(r, &topic);
	struct item_room item = {
		.name = span_of(room_name(r)),
		.people = room_people(r),
		.topic = span_of(topic.text),
	};
	return add(m, limit, &item, buffer, size);
}

static int add_logged(struct msg_room_list *m, uint16_t limit, const struct logged *l,
	uint8_t *buffer, size_t size)
{
	struct item_room item = {.name = span_of(l->name), .topic = span_of(l->topic)};

	return add(m, limit, &item, buffer, size);
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

/* Fill the page with both kinds in one order; a room that is in the table is shown as it is there. */
static void merge(const struct seen *seen, uint16_t limit, struct msg_room_list *m, uint8_t *buffer,
	size_t size)
{
	size_t i = 0, j = 0;
	int full = 0;

	while (!full && (i < seen->room_count || j < seen->logged_count)) {
		int order = compare(seen, i, j);
		if (order <= 0)
			full = add_room(m, limit, seen->rooms[i++], buffer, size);
		else
			full = add_logged(m, limit, &seen->logged[j], buffer, size);
		j += order >= 0;
	}
	m->more = full != 0;
}

int hub_list(struct hub *h, struct span after, uint16_t limit, struct msg_room_list *m,
	uint8_t *buffer, size_t size)
{
	struct stream_key key;
	bool from_start = after.length == 0 || stream_key_room(after.text, after.length, &key) != 0;
	const struct stream_key *from = from_start ? NULL : &key;
	struct seen *seen = calloc(1, sizeof(*seen));

	if (!seen)
		return ERR_MEMORY;
	int r = engine_rooms(hub_engine(h), from, SEEN_MAX, see_logged, seen);
	if (r == 0) {
		seen->room_count = hub_rooms_after(h, from, seen->rooms, SEEN_MAX, &m->total);
		m->rooms = (struct list){0};
		merge(seen, limit, m, buffer, size);
	}
	for (size_t i = 0; i < seen->room_count; i++)
		room_unref(seen->rooms[i]);
	free(seen);
	return r;
}
