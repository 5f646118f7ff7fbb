#include "client/outbox.h"

#include <stdlib.h>
#include <string.h>

/* A copy of `m` behind all others. */
static struct outgoing *append(struct outbox *o, const struct outgoing *m, const char *text)
{
	size_t length = strlen(text);
	struct outgoing *copy = malloc(sizeof(*copy) + length + 1);

	if (!copy)
		return NULL;
	*copy = *m;
	o->last_counter = m->counter;
	copy->length = (uint16_t)length;
	memcpy(copy->text, text, length + 1);
	copy->next = NULL;
	copy->previous = o->tail;
	if (o->tail)
		o->tail->next = copy;
	else
		o->head = copy;
	o->tail = copy;
	if (!o->mark)
		o->mark = copy;
	o->count++;
	return copy;
}

struct outgoing *outbox_add(struct outbox *o, const struct outgoing *m, const char *text)
{
	struct outgoing numbered = *m;

	numbered.counter = o->last_counter + 1;
	numbered.sent = numbered.again = false;
	return append(o, &numbered, text);
}

struct outgoing *outbox_restore(struct outbox *o, const struct outgoing *m, const char *text)
{
	struct outgoing old = *m;

	old.sent = old.again = true;
	return append(o, &old, text);
}

const struct outgoing *outbox_next(const struct outbox *o)
{
	return o->mark;
}

void outbox_sent(struct outbox *o)
{
	o->mark->sent = true;
	o->mark = o->mark->next;
}

struct outgoing *outbox_find(const struct outbox *o, uint64_t counter)
{
	/* Answers come in order, so it is nearly always the first. */
	struct outgoing *m = o->head;

	while (m && m->counter < counter)
		m = m->next;
	return m && m->counter == counter ? m : NULL;
}

void outbox_remove(struct outbox *o, struct outgoing *m)
{
	if (o->mark == m)
		o->mark = m->next;
	if (m->previous)
		m->previous->next = m->next;
	else
		o->head = m->next;
	if (m->next)
		m->next->previous = m->previous;
	else
		o->tail = m->previous;
	o->count--;
	free(m);
}

void outbox_rewind(struct outbox *o, uint64_t counter)
{
	struct outgoing *m = o->head;

	while (m && m->counter < counter)
		m = m->next;
	if (m && (!o->mark || m->counter < o->mark->counter))
		o->mark = m;
	for (; m && m->sent; m = m->next)
		m->again = true;
}

void outbox_fini(struct outbox *o)
{
	while (o->head)
		outbox_remove(o, o->head);
}
