/*
 * The server's side of --status: a UNIX socket in the data folder, served by a thread of its own.
 *
 * Nobody but the server's user and root can ask: the socket is 0600 from its first moment on, and who
 * is at the other end is looked at as well (SO_PEERCRED, unix(7)). A few are served at once, each until
 * a deadline that nothing it does puts off; more wait in the kernel, or are told by it to come again.
 * So whoever is slow or silent there takes one of a few places for two seconds, and nothing of the
 * server's.
 */
#ifndef LANCHAT_SERVER_STATUS_SOCKET_H
#define LANCHAT_SERVER_STATUS_SOCKET_H

#include "server/data_folder.h"
#include "server/status.h"

#define STATUS_PEERS   8    /* served at once */
#define STATUS_PEER_MS 2000 /* for one of them, from beginning to end */

struct status_socket;

/* Make the socket in the folder, which is locked: one that is there was left behind by a server that
 * was killed, and is replaced. Anything else of that name is not touched (ERR_EXISTS). Start the
 * thread. ERR_SYSTEM with errno, ERR_MEMORY. */
int status_socket_start(const struct data_folder *folder, const struct status_sources *sources,
	struct status_socket **out);

/* Remove the socket, end and join the thread. NULL is allowed. Before its sources end. */
void status_socket_stop(struct status_socket *s);

#endif
