/*
 * The sockets that the scenario has open.
 */
#include "tools/lab/stage_private.h"

#include <errno.h>

static struct stage_end *find_locked(struct stage *s, int fd)
{
	lock_assert_held(&s->lock);
	for (size_t i = 0; i < STAGE_SOCKETS; i++) {
		if (s->ends[i].fd == fd)
			return &s->ends[i];
	}
	return NULL;
}

bool stage_end_of(struct stage *s, int fd, struct stage_end *out)
{
	lock_take(&s->lock);
	const struct stage_end *e = fd >= 0 ? find_locked(s, fd) : NULL;
	if (e)
		*out = *e;
	lock_drop(&s->lock);
	if (!e)
		errno = EBADF;
	return e != NULL;
}

int stage_end_add(struct stage *s, const struct stage_end *e)
{
	lock_take(&s->lock);
	struct stage_end *room = find_locked(s, -1);
	if (room)
		*room = *e;
	lock_drop(&s->lock);
	if (room)
		return 0;
	errno = EMFILE;
	return -1;
}

void stage_end_remove(struct stage *s, int fd)
{
	lock_take(&s->lock);
	struct stage_end *e = find_locked(s, fd);
	if (e)
		e->fd = -1;
	lock_drop(&s->lock);
}

void stage_end_heard(struct stage *s, int fd, const struct net_address *from)
{
	lock_take(&s->lock);
	struct stage_end *e = find_locked(s, fd);
	if (e)
		e->from = *from;
	lock_drop(&s->lock);
}

void stage_end_bound(struct stage *s, int fd)
{
	lock_take(&s->lock);
	struct stage_end *e = find_locked(s, fd);
	if (e)
		e->bound = true;
	lock_drop(&s->lock);
}
