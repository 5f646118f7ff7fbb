#include "client/link_dial.h"

#include "common/err.h"

#include <errno.h>
#include <stdbool.h>

void dial_init(struct dial *d, const struct net_address *addresses, size_t count, int64_t now)
{
	*d = (struct dial){.count = count < DIAL_MOST ? count : DIAL_MOST, .next_at = now};
	for (size_t i = 0; i < d->count; i++) {
		d->addresses[i] = addresses[i];
		d->fds[i] = -1;
	}
}

void dial_fini(struct dial *d)
{
	for (size_t i = 0; i < d->count; i++) {
		net_close(d->fds[i]);
		d->fds[i] = -1;
	}
}

static void failed(struct dial *d, size_t i)
{
	if (d->error == 0) {
		d->error = errno;
		d->error_index = i;
	}
	net_close(d->fds[i]);
	d->fds[i] = -1;
}

/* Has one of the attempts come to an end? True when it has succeeded. */
static bool look(struct dial *d, int64_t now, size_t *which)
{
	for (size_t i = 0; i < d->started; i++) {
		if (d->fds[i] < 0)
			continue;
		int r = net_connect_result(d->fds[i]);
		if (r == 0) {
			*which = i;
			return true;
		}
		if (r != ERR_AGAIN) {
			failed(d, i);
			d->next_at = now;
		}
	}
	return false;
}

/* Try the next address; true when that succeeded on the spot. */
static bool start(struct dial *d, int64_t now, size_t *which)
{
	size_t i = d->started++;
	int r = net_connect(&d->addresses[i], &d->fds[i]);

	if (r == 0) {
		*which = i;
		return true;
	}
	if (r == ERR_AGAIN)
		d->next_at = now + DIAL_HEAD_START;
	else
		failed(d, i);
	return false;
}

static bool any_open(const struct dial *d)
{
	for (size_t i = 0; i < d->started; i++) {
		if (d->fds[i] >= 0)
			return true;
	}
	return false;
}

int dial_step(struct dial *d, int64_t now, int *fd, size_t *which)
{
	bool connected = look(d, now, which);

	while (!connected && d->started < d->count && now >= d->next_at)
		connected = start(d, now, which);
	if (connected) {
		*fd = d->fds[*which];
		d->fds[*which] = -1;
		dial_fini(d);
		return 0;
	}
	return d->started < d->count || any_open(d) ? ERR_AGAIN : ERR_SYSTEM;
}

size_t dial_poll(const struct dial *d, struct pollfd *out)
{
	size_t n = 0;

	for (size_t i = 0; i < d->started; i++) {
		if (d->fds[i] >= 0)
			out[n++] = (struct pollfd){.fd = d->fds[i], .events = POLLOUT};
	}
	return n;
}

int64_t dial_deadline(const struct dial *d)
{
	return d->started < d->count ? d->next_at : INT64_MAX;
}
