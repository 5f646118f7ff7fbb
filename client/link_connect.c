#include "client/link_private.h"

#include "client/link_dial.h"
#include "client/link_resolve.h"
#include "common/clock.h"
#include "common/err.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

static int look_up(struct link *l, int64_t deadline, struct net_address *out, size_t *count)
{
	struct resolve *resolve;
	const char *why = "";
	struct pollfd fds[2];

	int r = resolve_start(l->host, l->port, &resolve);
	if (r)
		return link_fail(l, r, 0, "cannot look up %s: %s", l->host, err_text(r));
	while ((r = resolve_result(resolve, out, DIAL_MOST, count, &why)) == ERR_AGAIN) {
		if (link_must_leave(l)) {
			r = ERR_STOPPING;
			break;
		}
		if (clock_ms() >= deadline) {
			r = link_fail(l, ERR_TIMEOUT, CODE_TIMEOUT,
				"looking up %s took too long; is the name server reachable?",
				l->host);
			break;
		}
		fds[0] = (struct pollfd){.fd = resolve_fd(resolve), .events = POLLIN};
		link_wait(l, fds, 1, deadline);
	}
	if (r == ERR_RESOLVE)
		link_fail(l, r, 0, "cannot find the host %s: %s", l->host, why);
	resolve_drop(resolve);
	return r;
}

/* Tell the owner about every address that a dial has begun to try since `*told`. */
static void tell_tries(struct link *l, const struct dial *d, size_t *told)
{
	char text[NET_ADDRESS_MAX];

	for (; *told < d->started; (*told)++)
		link_post_state(l, LINK_CONNECTING, net_print(&d->addresses[*told], text), 0, 0);
}

static int dial_failed(struct link *l, const struct dial *d, int r)
{
	char text[NET_ADDRESS_MAX];

	if (d->count == 0)
		return link_fail(l, ERR_RESOLVE, 0, "there is no address to connect to");
	net_print(&d->addresses[d->error ? d->error_index : 0], text);
	if (r == ERR_TIMEOUT)
		return link_fail(l, r, CODE_TIMEOUT, "cannot connect to %s: no answer", text);
	if (d->error == EINVAL && net_lacks_scope(&d->addresses[d->error_index]))
		return link_fail(l, r, 0,
			"cannot connect to %s: such an address is one on a link: name the "
			"interface as well, as in fe80::1%%eth0",
			text);
	return link_fail(l, r, 0, "cannot connect to %s: %s", text, strerror(d->error));
}

static int dial(struct link *l, const struct net_address *addresses, size_t count, int64_t deadline,
	int *fd)
{
	struct pollfd fds[DIAL_MOST + 1];
	struct dial d;
	size_t told = 0;
	size_t which;
	int r;

	dial_init(&d, addresses, count, clock_ms());
	while ((r = dial_step(&d, clock_ms(), fd, &which)) == ERR_AGAIN) {
		tell_tries(l, &d, &told);
		if (link_must_leave(l)) {
			r = ERR_STOPPING;
			break;
		}
		if (clock_ms() >= deadline) {
			r = ERR_TIMEOUT;
			break;
		}
		int64_t due = dial_deadline(&d);
		link_wait(l, fds, dial_poll(&d, fds), due < deadline ? due : deadline);
	}
	tell_tries(l, &d, &told);
	if (r == 0)
		l->address = d.addresses[which];
	else if (r != ERR_STOPPING)
		r = dial_failed(l, &d, r);
	dial_fini(&d);
	return r;
}

/* Is it the right one that answered? Where a beacon told us to go, anybody may be: that is no reason to
 * give up. */
static int check(struct link *l, int64_t deadline)
{
	char text[NET_ADDRESS_MAX];
	int r = link_secure(l, deadline);

	if (r == 0 && !l->host)
		route_prove(&l->route, &l->address);
	if (r != ERR_REFUSED || l->host || !route_refuse(&l->route, &l->address))
		return r;
	return link_fail(l, ERR_CLOSED, CODE_NONE,
		"%s was announced at %s, where another server is", l->called,
		net_print(&l->address, text));
}

int link_connect(struct link *l, int64_t deadline)
{
	struct net_address addresses[DIAL_MOST];
	size_t count = 0;
	int fd;
	int r = 0;

	_Static_assert(DIAL_MOST >= ROUTE_MOST, "all of a route are tried");
	if (l->host)
		r = look_up(l, deadline, addresses, &count);
	else
		count = route_take(&l->route, addresses);
	if (r == 0)
		r = dial(l, addresses, count, deadline, &fd);
	if (r)
		return r;
	r = l->tls ? stream_new_tls(fd, l->tls, &l->stream) : stream_new_plain(fd, &l->stream);
	if (r) {
		net_close(fd);
		return link_fail(l, r, 0, "%s", err_text(r));
	}
	l->input_length = 0;
	l->output.length = 0;
	l->output_sent = 0;
	l->output_broken = false;
	r = check(l, deadline);
	if (r) {
		stream_free(l->stream);
		l->stream = NULL;
	}
	return r;
}
