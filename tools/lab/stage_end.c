/*
 * The sockets that the scenario has open.
 */
#include "tools/lab/stage_private.h"

#include <errno.h>

#define MS       UINT64_C(1000000)
#define TOLD_MS  100 /* a wait that is shorter is not worth a line */
#define RECENTLY (100 * MS)

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

/* ---- who waits ---- */

void stage_end_waits(struct stage *s, int fd, const char *operation)
{
	uint64_t now = journal_now(s->journal);

	lock_take(&s->lock);
	struct stage_end *e = fd >= 0 ? find_locked(s, fd) : NULL;
	if (e) {
		if (!e->waits_in)
			e->vain_since_ns = now;
		e->waits_in = operation;
		e->waited_ns = UINT64_MAX;
	}
	lock_drop(&s->lock);
}

void stage_end_waited(struct stage *s, int fd, bool in_vain)
{
	uint64_t now = journal_now(s->journal);

	lock_take(&s->lock);
	struct stage_end *e = fd >= 0 ? find_locked(s, fd) : NULL;
	if (e && in_vain)
		e->waited_ns = now;
	else if (e)
		e->waits_in = NULL;
	lock_drop(&s->lock);
}

/* Whoever looks again and again waits too, in between. */
static bool waits(const struct stage_end *e, enum side side, uint64_t now)
{
	return e->fd >= 0 && e->side == side && e->waits_in && now >= e->vain_since_ns &&
	       (e->waited_ns == UINT64_MAX || now < e->waited_ns + RECENTLY);
}

static void insert(struct stage_waiter out[STAGE_WAITERS], size_t *count, struct stage_waiter w)
{
	size_t at = *count;

	while (at > 0 && out[at - 1].for_ms < w.for_ms)
		at--;
	if (at == STAGE_WAITERS)
		return;
	*count += *count < STAGE_WAITERS;
	for (size_t i = *count - 1; i > at; i--)
		out[i] = out[i - 1];
	out[at] = w;
}

size_t stage_waiters(struct stage *s, enum side side, struct stage_waiter out[STAGE_WAITERS])
{
	uint64_t now = journal_now(s->journal);
	size_t count = 0;

	lock_take(&s->lock);
	for (size_t i = 0; i < STAGE_SOCKETS; i++) {
		const struct stage_end *e = &s->ends[i];
		if (!waits(e, side, now))
			continue;
		struct stage_waiter w = {
			e->host, e->fd, e->waits_in, (now - e->vain_since_ns) / MS};
		if (w.for_ms >= TOLD_MS)
			insert(out, &count, w);
	}
	lock_drop(&s->lock);
	return count;
}

void stage_end_bound(struct stage *s, int fd)
{
	lock_take(&s->lock);
	struct stage_end *e = find_locked(s, fd);
	if (e)
		e->bound = true;
	lock_drop(&s->lock);
}
