/*
 * The port file: the addresses that are listened on, for whoever started the server.
 *
 * It is written under another name once they are known, and gets its own when clients can connect; so
 * whoever waits for it reads all of it, and in its folder a name has to be changed and removed, no
 * more (sandbox.h). By the thread that starts and stops the server.
 */
#ifndef LANCHAT_SERVER_PORT_FILE_H
#define LANCHAT_SERVER_PORT_FILE_H

#include "common/net_address.h"

#include <stdbool.h>
#include <stddef.h>

/* A plain value; all zero: there is none. */
struct port_file {
	const char *path; /* borrowed */
	char *written;    /* the other name; owned */
	bool published;
};

/* Write the addresses, a line each. A NULL `path`: there is none, and the rest does nothing.
 * ERR_SYSTEM, ERR_MEMORY; with one line in `error`. Pair with port_file_remove in any case. */
int port_file_write(struct port_file *f, const char *path, const struct net_address *addresses,
	size_t count, char *error, size_t size);

/* Give it its name. ERR_SYSTEM with one line in `error`. */
int port_file_publish(struct port_file *f, char *error, size_t size);

/* Remove it, under whichever name. */
void port_file_remove(struct port_file *f);

#endif
