/*
 * A place in the discovery traffic: the sockets, the interfaces as they are now,
 * and the paths that beacons take over them.
 *
 * The server's announcer and the client's finder each have one, in the thread
 * that owns it, and differ only in what they say. Families, interfaces and
 * addresses come and go; one that fails is passed over and tried again when
 * something changes.
 */
#ifndef LANCHAT_BEACON_NET_H
#define LANCHAT_BEACON_NET_H

#include "common/beacon_path.h"
#include "common/beacon_socket.h"
#include "common/netif.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* By family: 0 for IPv4, 1 for IPv6. */
#define BEACON_NET_FAMILIES 2
/* How many descriptors beacon_net_poll fills in. */
#define BEACON_NET_FDS (2 * BEACON_NET_FAMILIES + 2)
/* How many addresses a server may listen at. */
#define BEACON_NET_LISTENING 32

struct beacon_net_config {
	struct netif_filter filter;          /* borrowed as long as the thing lives */
	const struct net_address *listening; /* copied; both wildcards for one who only asks */
	size_t listening_count;              /* at most BEACON_NET_LISTENING */
	uint16_t port;                       /* of discovery */
};

/* Storage of the owner; read by others, written by beacon_net alone. */
struct beacon_net {
	struct netif_filter filter;
	struct net_address listening[BEACON_NET_LISTENING];
	size_t listening_count;
	uint16_t port;

	int shared[BEACON_NET_FAMILIES]; /* owned; -1 where there is none */
	int own[BEACON_NET_FAMILIES];
	int changes;      /* from netlink; -1 when it cannot be had */
	int wakes;        /* from resume; the same */
	int shared_errno; /* why the shared port of some family is missing; 0 */

	int64_t scanned_at; /* when the interfaces were read */
	int64_t scan_at;    /* when they are to be read again; INT64_MAX: not until they change */
	struct netif_table table;
	struct beacon_path paths[BEACON_PATHS];
	size_t path_count;
	unsigned turn; /* which socket is read next */
};

/* Open the sockets and read the interfaces. ERR_SYSTEM with errno when no family works or the
 * interfaces cannot be read; ERR_ARGUMENT: too many addresses. */
int beacon_net_open(struct beacon_net *n, const struct beacon_net_config *config);

/* Close what beacon_net_open opened; harmless after it failed. */
void beacon_net_close(struct beacon_net *n);

/* What to poll for, and until when at most (clock_ms; INT64_MAX: no limit). */
void beacon_net_poll(const struct beacon_net *n, struct pollfd fds[BEACON_NET_FDS]);
int64_t beacon_net_deadline(const struct beacon_net *n);

/* Look at what poll reported. True when there are other paths now, or the machine slept: then
 * whatever was said is to be said again. */
bool beacon_net_turn(struct beacon_net *n, const struct pollfd fds[BEACON_NET_FDS], int64_t now_ms);

/* Take the next packet, from each socket in turn. `*fd` is the one that it came by. ERR_PROTOCOL: it
 * is none to be considered (of another size, from elsewhere than this link, over an interface that
 * does not suit) and is gone; ERR_AGAIN: none is left. */
int beacon_net_receive(struct beacon_net *n, struct beacon_arrival *a, int *fd);

/* Send to everybody on a path; a failure is the path's own affair. */
void beacon_net_send(
	struct beacon_net *n, const struct beacon_path *path, const uint8_t packet[BEACON_SIZE]);

/* The path to answer an arrival on, or NULL when there is none. */
const struct beacon_path *beacon_net_way_back(
	const struct beacon_net *n, const struct beacon_arrival *a);

/* Answer an arrival that came by `fd`: from the port that it was sent to, where that is ours alone,
 * because a stateful firewall lets nothing else through. */
void beacon_net_answer(struct beacon_net *n, const struct beacon_arrival *a, int fd,
	const struct beacon_path *path, const uint8_t packet[BEACON_SIZE]);

#endif
