/*
 * Notifying the service manager: a line or a few in one datagram to the socket that NOTIFY_SOCKET
 * names. Where nobody asked for it, nothing is sent.
 *
 * Opened early, by one thread and before the sandbox; from then on any thread may send. Source:
 * sd_notify(3).
 */
#ifndef LANCHAT_SERVER_NOTIFY_H
#define LANCHAT_SERVER_NOTIFY_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

struct notify {
	int fd; /* owned; -1: nobody wants to know. Constant after opening. */
};

/* The address that NOTIFY_SOCKET's value means: an absolute path, or "@name" for an abstract socket.
 * ERR_ARGUMENT for anything else. Pure. */
int notify_address(const char *text, struct sockaddr_un *address, socklen_t *length);

/* Read NOTIFY_SOCKET, which is removed, and connect. A socket that cannot be had is told in a warning,
 * and nobody is notified. */
void notify_open(struct notify *n);

/* Send "NAME=VALUE" lines. The manager may be slow for a few seconds, then they are lost. */
__attribute__((format(printf, 2, 3))) void notify_send(
	const struct notify *n, const char *format, ...);

void notify_close(struct notify *n);

#endif
