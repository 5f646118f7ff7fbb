/*
 * Where a server's status can be asked for: a UNIX socket in its data folder, and what is said on it.
 *
 * The asker sends one line, the name of a format (status_print.h), and the server answers with a line
 * STATUS_HEADER that has the number of bytes that follow, those bytes, and the end. So an answer that
 * was cut short is known to be one.
 */
#ifndef LANCHAT_SERVER_STATUS_PATH_H
#define LANCHAT_SERVER_STATUS_PATH_H

#include <sys/socket.h>
#include <sys/un.h>

#define STATUS_SOCKET_FILE "status.sock"
#define STATUS_HEADER      "lanchatd-status 1 %zu\n"
#define STATUS_HEADER_MAX  64
#define STATUS_LINE_MAX    32 /* of a request, its newline included */

/* The address of the socket in a folder. An address has room for 107 bytes of a path (unix(7)); a
 * longer one goes by `folder_fd`, a descriptor of the folder (O_PATH will do) that must stay open
 * until the address has been used, and /proc, which must be mounted then. */
void status_path(const char *folder, int folder_fd, struct sockaddr_un *address, socklen_t *length);

#endif
