/*
 * Who listens on a port: for an error message that says more than "in use".
 */
#ifndef LANCHAT_SERVER_PORT_OWNER_H
#define LANCHAT_SERVER_PORT_OWNER_H

#include "common/net.h"

#include <stddef.h>

/* "lanchatd (process 1234)" for the process that listens where nobody else can listen on that TCP address:
 * on the same, or on every one of the port, or, where that is every one, on any. ERR_NOT_FOUND when it cannot
 * be known: it is another user's, or gone. Source: proc(5), /proc/net/tcp. At start-up. */
int port_owner(const struct net_address *wanted, char *out, size_t size);

#endif
