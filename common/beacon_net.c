#include "common/beacon_net.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/netlink.h"
#include "common/resume.h"

#include <errno.h>
#include <string.h>

/* Starting a container makes dozens of changes; they are looked at together. */
#define SCAN_EVERY_MS 50
#define SCAN_AGAIN_MS 5000 /* after one that failed */

static const int families[BEACON_NET_FAMILIES] = {AF_INET, AF_INET6};

static size_t family_index(sa_family_t family)
{
	return family == AF_INET ? 0 : 1;
}

/* ---- sockets ---- */

/* Open what is not open; a family may be switched on later, and a port may become free. */
static void open_missing(struct beacon_net *n)
{
	n->shared_errno = 0;
	for (size_t i = 0; i < BEACON_NET_FAMILIES; i++) {
		if (n->own[i] < 0)
			(void)beacon_socket_open(families[i], 0, &n->own[i]);
		if (n->shared[i] < 0 &&
			beacon_socket_open(families[i], n->port, &n->shared[i]) != 0 &&
			errno != EAFNOSUPPORT)
			n->shared_errno = errno;
	}
}

/* Hear the group wherever there is multicast. */
static void join_all(struct beacon_net *n)
{
	for (size_t i = 0; i < n->table.link_count; i++)
		if ((n->table.links[i].flags & IFF_MULTICAST) && n->shared[1] >= 0)
			(void)beacon_socket_join(n->shared[1], n->table.links[i].index);
}

/* ---- interfaces ---- */

static bool same_paths(const struct beacon_net *n, const struct beacon_path *paths, size_t count)
{
	if (count != n->path_count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!beacon_path_equal(&n->paths[i], &paths[i]))
			return false;
	return true;
}

/* Read the interfaces; `*fresh`: there are other paths than before. */
static int scan(struct beacon_net *n, bool *fresh)
{
	struct beacon_path paths[BEACON_PATHS];
	struct netif_table table;
	int error = netlink_read(&n->filter, &table);

	if (error != 0)
		return error;
	if (!netif_table_equal(&table, &n->table)) {
		n->table = table;
		open_missing(n);
		join_all(n);
	}
	size_t count = beacon_paths(&table, n->listening, n->listening_count, paths, BEACON_PATHS);
	*fresh = !same_paths(n, paths, count);
	memcpy(n->paths, paths, count * sizeof(paths[0]));
	n->path_count = count;
	return 0;
}

/* ---- life ---- */

static int begin(struct beacon_net *n)
{
	bool fresh = false;

	/* Watched before they are read, so that no change falls in between. */
	(void)netlink_watch(&n->changes);
	(void)resume_watch(&n->wakes);
	open_missing(n);
	if (n->own[0] < 0 && n->own[1] < 0)
		return ERR_SYSTEM;
	return scan(n, &fresh);
}

int beacon_net_open(struct beacon_net *n, const struct beacon_net_config *config)
{
	*n = (struct beacon_net){
		.filter = config->filter,
		.listening_count = config->listening_count,
		.port = config->port,
		.shared = {-1, -1},
		.own = {-1, -1},
		.changes = -1,
		.wakes = -1,
		.scanned_at = clock_ms(),
		.scan_at = INT64_MAX,
	};
	if (config->listening_count > BEACON_NET_LISTENING)
		return ERR_ARGUMENT;
	if (config->listening_count > 0)
		memcpy(n->listening, config->listening,
			config->listening_count * sizeof(n->listening[0]));
	int error = begin(n);
	if (error != 0)
		beacon_net_close(n);
	return error;
}

static void close_one(int *fd)
{
	net_close(*fd);
	*fd = -1;
}

void beacon_net_close(struct beacon_net *n)
{
	for (size_t i = 0; i < BEACON_NET_FAMILIES; i++) {
		close_one(&n->shared[i]);
		close_one(&n->own[i]);
	}
	close_one(&n->changes);
	close_one(&n->wakes);
}

/* ---- turns ---- */

enum {
	AT_CHANGES = 2 * BEACON_NET_FAMILIES,
	AT_WAKES
};

void beacon_net_poll(const struct beacon_net *n, struct pollfd fds[BEACON_NET_FDS])
{
	for (size_t i = 0; i < BEACON_NET_FAMILIES; i++) {
		fds[2 * i] = (struct pollfd){.fd = n->shared[i], .events = POLLIN};
		fds[2 * i + 1] = (struct pollfd){.fd = n->own[i], .events = POLLIN};
	}
	fds[AT_CHANGES] = (struct pollfd){.fd = n->changes, .events = POLLIN};
	fds[AT_WAKES] = (struct pollfd){.fd = n->wakes, .events = POLLIN};
}

int64_t beacon_net_deadline(const struct beacon_net *n)
{
	return n->scan_at;
}

bool beacon_net_turn(struct beacon_net *n, const struct pollfd fds[BEACON_NET_FDS], int64_t now_ms)
{
	bool fresh = false;
	bool woke = fds[AT_WAKES].revents != 0 && resume_happened(n->wakes);

	if (fds[AT_CHANGES].revents != 0 && netlink_drain(n->changes))
		n->scan_at = clock_earlier(n->scan_at, n->scanned_at + SCAN_EVERY_MS);
	if (now_ms >= n->scan_at || woke) {
		n->scan_at = INT64_MAX;
		n->scanned_at = now_ms;
		/* On failure (no descriptor, say) the old table is the best there is, for now. */
		if (scan(n, &fresh) != 0)
			n->scan_at = now_ms + SCAN_AGAIN_MS;
	}
	return fresh || woke;
}

/* ---- packets ---- */

/* From an interface that suits; and what says that it is from this host came over loopback, as
 * nothing else does. */
static bool is_acceptable(const struct beacon_net *n, const struct beacon_arrival *a)
{
	const struct netif *link = netif_find(&n->table, a->index);

	if (!link || net_port(&a->from) == 0)
		return false;
	return net_is_loopback(&a->from) == ((link->flags & IFF_LOOPBACK) != 0);
}

int beacon_net_receive(struct beacon_net *n, struct beacon_arrival *a, int *fd)
{
	const int sockets[] = {n->shared[0], n->own[0], n->shared[1], n->own[1]};
	const size_t count = sizeof(sockets) / sizeof(sockets[0]);
	struct beacon_arrival came;

	for (size_t i = 0; i < count; i++) {
		int from = sockets[n->turn++ % count];
		int result = from < 0 ? ERR_AGAIN : beacon_socket_receive(from, &came);

		if (result == ERR_PROTOCOL || (result == 0 && !is_acceptable(n, &came)))
			return ERR_PROTOCOL;
		if (result == 0) {
			*a = came;
			*fd = from;
			return 0;
		}
	}
	return ERR_AGAIN;
}

void beacon_net_send(
	struct beacon_net *n, const struct beacon_path *path, const uint8_t packet[BEACON_SIZE])
{
	struct net_address source = netif_socket_address(&path->local, 0);
	struct net_address to = beacon_path_everybody(path, n->port);
	int fd = n->own[family_index(path->local.family)];

	if (fd >= 0)
		(void)beacon_socket_send(fd, path->local.index, &source, &to, packet);
}

const struct beacon_path *beacon_net_way_back(
	const struct beacon_net *n, const struct beacon_arrival *a)
{
	return beacon_path_back(
		n->paths, n->path_count, a->index, &a->from, a->everybody ? NULL : &a->to);
}

void beacon_net_answer(struct beacon_net *n, const struct beacon_arrival *a, int fd,
	const struct beacon_path *path, const uint8_t packet[BEACON_SIZE])
{
	struct net_address source = netif_socket_address(&path->local, 0);
	int out = a->everybody ? n->own[family_index(path->local.family)] : fd;

	if (out >= 0)
		(void)beacon_socket_send(out, path->local.index, &source, &a->from, packet);
}
