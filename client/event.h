/*
 * Events on their way from the link to its owner: making them, a list of them,
 * and the queue between the two threads.
 *
 * struct event itself, which the owner sees, is in client/link.h.
 *
 * The queue has one thread that puts (the link's) and one that takes (the
 * owner's). Its descriptor is readable whenever something waits; a batch costs at
 * most one write to it, and none while the owner has not caught up. The queue
 * takes whatever it is given: whoever puts asks event_queue_full first and stops
 * producing, so that nothing is ever lost.
 */
#ifndef LANCHAT_EVENT_H
#define LANCHAT_EVENT_H

#include "client/link.h"
#include "common/lock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Above this many waiting events the link stops reading from the network. Each item of a list that an event
 * has counts as one more, as do so many bytes of its text: a server sends two hundred items, or 8 kB, in one
 * frame, as often as it likes. */
#define EVENT_QUEUE_MOST 10000
#define EVENT_TEXT_PART  256

/* What an event lives in. Events are made by event_new alone. */
struct event_node {
	struct event event; /* first: event_free is given its address */
	struct event_node *next;
};

/* A list in order. Zeroed storage is an empty one. Plain value, no lock. */
struct event_list {
	struct event_node *head;
	struct event_node *tail;
	size_t count;
};

/* A zeroed event of one type; NULL when memory is out. */
struct event *event_new(enum event_type type);

/* Allocated copies of text; what was in `*field` is freed. ERR_MEMORY: `*field` is NULL. */
int event_set(char **field, const char *text);
int event_set_span(char **field, struct span text);

/* Append; the list owns it from then on. `e` must come from event_new. */
void event_list_add(struct event_list *l, struct event *e);

/* Append all of `from`, which is empty afterwards. */
void event_list_move(struct event_list *l, struct event_list *from);

/* Take the first; NULL when the list is empty. */
struct event *event_list_take(struct event_list *l);

/* Free the last one; the list must not be empty. It takes time: for failures. */
void event_list_drop_last(struct event_list *l);

/* Free all that is in it. */
void event_list_fini(struct event_list *l);

struct event_queue {
	int fd; /* owned; constant after init */

	/* The taking thread's own. */
	struct event_list taken; /* off the shared list, not yet asked for */

	/* Guarded by `lock`. */
	struct event_list waiting;
	size_t weight;  /* of those: events, and items in them */
	bool signalled; /* fd is readable, or about to be */

	struct lock lock;
};

/* ERR_SYSTEM: no eventfd. Pair with event_queue_fini, which frees what still waits. */
int event_queue_init(struct event_queue *q);
void event_queue_fini(struct event_queue *q);

/* Give everything in `batch`, which is empty afterwards. */
void event_queue_put(struct event_queue *q, struct event_list *batch);

/* Are more than EVENT_QUEUE_MOST events and items waiting? For the putting thread. */
bool event_queue_full(struct event_queue *q);

/* The next event, the caller's; NULL when there is none. `*drained` becomes true when this call
 * emptied a full queue, so the putting thread may go on. */
struct event *event_queue_take(struct event_queue *q, bool *drained);

#endif
