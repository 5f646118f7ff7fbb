/*
 * Which rooms of the table one viewer sees, in their order.
 */
#include "server/hub_private.h"

static const struct stream_key *key_of(struct room *r)
{
	return feed_key(room_feed(r));
}

/* Two kinds of rooms in one order: rows of the table, and the viewer's own, which may be among them. */
struct listing {
	const struct tree *rows;
	const struct row *row;
	struct room *const *mine, *const *end;
};

static struct listing begin_listing(
	const struct hub *h, const struct stream_key *after, const struct hub_viewer *viewer)
{
	static const struct stream_key below_all;
	struct listing l = {.rows = viewer->all ? &h->rows : &h->open_rows};

	if (!after)
		after = &below_all;
	l.row = tree_after(l.rows, after);
	l.end = l.mine = viewer->rooms;
	if (viewer->room_count)
		l.end += viewer->room_count;
	while (l.mine != l.end && stream_key_compare(key_of(*l.mine), after) <= 0)
		l.mine++;
	return l;
}

/* The next room; NULL. */
static struct room *next_listed(struct listing *l)
{
	const struct row *row = l->row;
	int order = -1;

	if (l->mine != l->end)
		order = row ? stream_key_compare(&row->key, key_of(*l->mine)) : 1;
	else if (!row)
		return NULL;
	struct room *r = order <= 0 ? row->room : *l->mine;
	if (order <= 0)
		l->row = tree_after(l->rows, &row->key);
	if (order >= 0)
		l->mine++;
	return r;
}

/* About how many rooms a viewer sees. */
static size_t total_locked(const struct hub *h, const struct hub_viewer *viewer)
{
	size_t total = h->in_log + h->fresh, hidden = viewer->all ? 0 : h->closed;

	lock_assert_held(&h->lock);
	for (size_t i = 0; i < viewer->room_count && hidden > 0; i++)
		hidden -= room_is_closed(viewer->rooms[i]);
	return total > hidden ? total - hidden : 0;
}

size_t hub_rooms_after(struct hub *h, const struct stream_key *after,
	const struct hub_viewer *viewer, struct room **rooms, size_t size, uint32_t *total)
{
	size_t count = 0;
	struct room *r;

	lock_take(&h->lock);
	struct listing l = begin_listing(h, after, viewer);
	while (count < size && (r = next_listed(&l)) != NULL)
		rooms[count++] = room_ref(r);
	*total = (uint32_t)total_locked(h, viewer);
	lock_drop(&h->lock);
	return count;
}
