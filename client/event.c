#include "client/event.h"

#include "common/err.h"
#include "common/wakeup.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- one event ---- */

struct event *event_new(enum event_type type)
{
	struct event_node *node = calloc(1, sizeof(*node));

	if (!node)
		return NULL;
	node->event.type = type;
	return &node->event;
}

/* Free what an event owns, but not itself. */
static void clear(struct event *e)
{
	free(e->room);
	free(e->nick);
	free(e->text);
	free(e->peer_nick);
	for (size_t i = 0; e->people && i < e->count; i++) {
		free(e->people[i].nick);
		free(e->people[i].away);
	}
	free(e->people);
	for (size_t i = 0; e->rooms && i < e->count; i++) {
		free(e->rooms[i].name);
		free(e->rooms[i].topic);
	}
	free(e->rooms);
	for (size_t i = 0; e->places && i < e->count; i++)
		free(e->places[i].room);
	free(e->places);
	for (size_t i = 0; e->standings && i < e->count; i++)
		free(e->standings[i].label);
	free(e->standings);
	for (size_t i = 0; e->acts && i < e->count; i++) {
		free(e->acts[i].nick);
		free(e->acts[i].label);
		free(e->acts[i].text);
	}
	free(e->acts);
	for (size_t i = 0; e->entries && i < e->count; i++)
		clear(&e->entries[i]); /* entries have no entries: it ends here */
	free(e->entries);
}

void event_free(struct event *e)
{
	if (!e)
		return;
	clear(e);
	free(e);
}

int event_set(char **field, const char *text)
{
	free(*field);
	*field = strdup(text);
	return *field ? 0 : ERR_MEMORY;
}

int event_set_span(char **field, struct span text)
{
	free(*field);
	*field = malloc((size_t)text.length + 1);
	if (!*field)
		return ERR_MEMORY;
	memcpy(*field, text.text, text.length);
	(*field)[text.length] = '\0';
	return 0;
}

/* ---- a list ---- */

void event_list_add(struct event_list *l, struct event *e)
{
	struct event_node *node = (struct event_node *)e;

	node->next = NULL;
	if (l->tail)
		l->tail->next = node;
	else
		l->head = node;
	l->tail = node;
	l->count++;
}

void event_list_move(struct event_list *l, struct event_list *from)
{
	if (!from->head)
		return;
	if (l->tail)
		l->tail->next = from->head;
	else
		l->head = from->head;
	l->tail = from->tail;
	l->count += from->count;
	*from = (struct event_list){0};
}

struct event *event_list_take(struct event_list *l)
{
	struct event_node *node = l->head;

	if (!node)
		return NULL;
	l->head = node->next;
	if (!l->head)
		l->tail = NULL;
	l->count--;
	return &node->event;
}

void event_list_drop_last(struct event_list *l)
{
	struct event_node *before = NULL;
	struct event_node *last = l->tail;

	for (struct event_node *node = l->head; node != last; node = node->next)
		before = node;
	l->tail = before;
	if (before)
		before->next = NULL;
	else
		l->head = NULL;
	l->count--;
	event_free(&last->event);
}

void event_list_fini(struct event_list *l)
{
	struct event *e;

	while ((e = event_list_take(l)))
		event_free(e);
}

/* ---- the queue ---- */

int event_queue_init(struct event_queue *q)
{
	int fd;
	int r = wakeup_open(&fd);

	if (r)
		return r;
	*q = (struct event_queue){.fd = fd};
	lock_init(&q->lock, LOCK_LEAF);
	return 0;
}

void event_queue_fini(struct event_queue *q)
{
	event_list_fini(&q->taken);
	event_list_fini(&q->waiting);
	lock_fini(&q->lock);
	close(q->fd);
}

/* `count` is of a list only where there is one. */
static size_t items_of(const struct event *e)
{
	bool list = e->people || e->rooms || e->places || e->standings || e->acts || e->entries;

	return list ? e->count : 0;
}

static size_t text_of(const struct event *e)
{
	return e->text ? strlen(e->text) / EVENT_TEXT_PART : 0;
}

static size_t weigh(const struct event_list *l)
{
	size_t weight = l->count;

	for (const struct event_node *node = l->head; node; node = node->next)
		weight += items_of(&node->event) + text_of(&node->event);
	return weight;
}

void event_queue_put(struct event_queue *q, struct event_list *batch)
{
	if (!batch->head)
		return;
	size_t weight = weigh(batch);
	lock_take(&q->lock);
	q->weight += weight;
	event_list_move(&q->waiting, batch);
	bool signalled = q->signalled;
	q->signalled = true;
	lock_drop(&q->lock);
	if (!signalled)
		wakeup_signal(q->fd);
}

bool event_queue_full(struct event_queue *q)
{
	lock_take(&q->lock);
	bool full = q->weight > EVENT_QUEUE_MOST;
	lock_drop(&q->lock);
	return full;
}

/* Move what waits to the taking thread's own list; true when that was a full queue. */
static bool fetch(struct event_queue *q)
{
	lock_take(&q->lock);
	bool full = q->weight > EVENT_QUEUE_MOST;
	event_list_move(&q->taken, &q->waiting);
	q->weight = 0;
	if (!q->taken.head)
		q->signalled = false;
	lock_drop(&q->lock);
	return full;
}

struct event *event_queue_take(struct event_queue *q, bool *drained)
{
	*drained = false;
	if (q->taken.head)
		return event_list_take(&q->taken);

	/* The descriptor is emptied before the list is looked at: what is put in between leaves it
	 * readable once too often, never once too seldom. */
	wakeup_clear(q->fd);
	*drained = fetch(q);
	if (!q->taken.head)
		return NULL;
	wakeup_signal(q->fd); /* more than the one that is returned may wait */
	return event_list_take(&q->taken);
}
