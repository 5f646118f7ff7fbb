/*
 * From what the user typed to where a server is.
 *
 * "host", "host:port" and "[v6]:port" are addresses. A text without dot or colon
 * may also be the name that a server announces on the network, and if one does,
 * that wins over a host of the same name: whoever reads a name off the list of
 * servers means the server: of several that have it, the one that was met by it before.
 * Nothing typed means: the server on this network.
 *
 * Called by the main thread; blocks for two seconds at most.
 */
#ifndef LANCHAT_LOCATE_H
#define LANCHAT_LOCATE_H

#include "client/finder.h"
#include "common/identity.h"
#include "common/net.h"
#include "common/options.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a server is: a host to look up when connecting, or the addresses of a server that announces
 * itself. A plain value. */
struct location {
	bool found; /* by discovery: what follows the host is valid, and the host is empty */
	char host[NET_HOST_MAX];
	uint16_t port;
	char name[SERVER_NAME_MAX + 1];
	uint8_t server_id[IDENTITY_SIZE];
	struct net_address addresses[FINDER_ADDRESSES];
	size_t address_count;
	bool chosen;   /* the user asked for the server by this name */
	bool own;      /* a server that this program started: no stranger */
	size_t others; /* servers that were found besides, when nothing was typed */
};

/* May `text` be the name of a server, so that it is worth looking for one? */
bool locate_is_name(const char *text);

/* Find where `text` (NULL: any server) is. `data_folder` has the book of the servers that were met (LINK_BOOK);
 * NULL: none was. ERR_NOT_FOUND, ERR_EXISTS (several have the name, and none of them was met), ERR_SYSTEM,
 * ERR_MEMORY with one line, without a newline, in `error`. The lists of interfaces may be NULL. */
int locate_server(const char *text, const char *data_folder, const struct option_list *interfaces,
	const struct option_list *not_interfaces, struct location *out, char *error, size_t size);

#endif
