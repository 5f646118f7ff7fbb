/*
 * Who listens on a port: for an error message that says more than "in use".
 */
#ifndef LANCHAT_SERVER_PORT_OWNER_H
#define LANCHAT_SERVER_PORT_OWNER_H

#include <stddef.h>
#include <stdint.h>

/* "lanchatd (process 1234)" for the process that listens on the TCP port `port` of this machine.
 * ERR_NOT_FOUND when it cannot be known: it is another user's, or gone. Source: proc(5),
 * /proc/net/tcp. At start-up. */
int port_owner(uint16_t port, char *out, size_t size);

#endif
