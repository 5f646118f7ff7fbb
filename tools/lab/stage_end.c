/*
 * The sockets that the scenario has open.
 */
#include "tools/lab/stage_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

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
	if (e && e->asked) {
		s->closed_asked = true;
		s->closed_retransmitted += e->retransmitted;
	}
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

/* ---- what the kernel says of a stream ---- */

int stage_end_ask(struct stage *s, int fd, struct tcp_info *out)
{
	socklen_t length = sizeof(*out);

	memset(out, 0, sizeof(*out));
	int r = getsockopt(fd, IPPROTO_TCP, TCP_INFO, out, &length);
	/* One that listens has nothing to send. */
	if (r != 0 || out->tcpi_state == TCP_LISTEN)
		return r;
	lock_take(&s->lock);
	struct stage_end *e = find_locked(s, fd);
	if (e) {
		e->asked = true;
		e->retransmitted = out->tcpi_total_retrans;
	}
	lock_drop(&s->lock);
	return 0;
}

static size_t list_streams(struct stage *s, int fds[STAGE_SOCKETS])
{
	size_t count = 0;

	lock_take(&s->lock);
	for (size_t i = 0; i < STAGE_SOCKETS; i++) {
		if (s->ends[i].fd >= 0 && s->ends[i].type == SOCK_STREAM)
			fds[count++] = s->ends[i].fd;
	}
	lock_drop(&s->lock);
	return count;
}

void stage_end_ask_all(struct stage *s)
{
	int fds[STAGE_SOCKETS];
	struct tcp_info info;
	size_t count = list_streams(s, fds);

	for (size_t i = 0; i < count; i++)
		(void)stage_end_ask(s, fds[i], &info);
}

static void tell_trying(struct stage *s, const struct tcp_info *i, char out[STAGE_TRYING])
{
	int64_t next = (int64_t)(i->tcpi_rto / 1000) - (int64_t)i->tcpi_last_data_sent;
	double seconds = (double)stage_ms(s) / 1000;

	if (i->tcpi_state == TCP_SYN_SENT)
		(void)snprintf(out, STAGE_TRYING,
			"TCP is still trying after %.0f s: its SYN was sent again %u times and has "
			"no answer yet",
			seconds, i->tcpi_retransmits);
	else
		(void)snprintf(out, STAGE_TRYING,
			"TCP is still trying after %.0f s: %u retransmissions, of these %u in a "
			"row that nothing came back for; %u packets are not acknowledged; the next "
			"try is due in %.1f s",
			seconds, i->tcpi_total_retrans, i->tcpi_retransmits, i->tcpi_unacked,
			next > 0 ? (double)next / 1000 : 0.0);
}

bool stage_trying(struct stage *s, char out[STAGE_TRYING])
{
	int fds[STAGE_SOCKETS];
	struct tcp_info info, most = {0};
	size_t count = list_streams(s, fds);

	for (size_t i = 0; i < count; i++) {
		if (stage_end_ask(s, fds[i], &info) != 0 || info.tcpi_state == TCP_LISTEN ||
			info.tcpi_state == TCP_CLOSE ||
			(info.tcpi_retransmits == 0 && info.tcpi_state != TCP_SYN_SENT))
			continue;
		if (!most.tcpi_state || info.tcpi_retransmits > most.tcpi_retransmits)
			most = info;
	}
	if (most.tcpi_state)
		tell_trying(s, &most, out);
	return most.tcpi_state != 0;
}
