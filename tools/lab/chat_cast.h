/*
 * Who plays in the chat: the real lanchatd on the server's host and, on the client's, two real clients, in
 * a folder of their own that goes with them. They speak without TLS, so that frames can be seen.
 *
 * One thread, the one that opened it: what it started ends with it.
 */
#ifndef LANCHAT_LAB_CHAT_CAST_H
#define LANCHAT_LAB_CHAT_CAST_H

#include "tools/lab/chat_folder.h"
#include "tools/lab/chat_lines.h"
#include "tools/lab/chat_program.h"
#include "tools/lab/stage.h"

#define CHAT_PORT "19830"

struct chat_cast {
	struct chat_folder folder;
	struct chat_program server, client[CHAT_PEOPLE];
};

/* Start the server, and wait until it takes connections. ERR_STOPPING; else ERR_SYSTEM, ERR_TIMEOUT or
 * ERR_CLOSED with a line in `error`. Close it in any case. */
int chat_cast_open(struct chat_cast *c, struct stage *s, char *error, size_t size);

/* Start the clients, `lanchat --pipe`. The same. */
int chat_cast_enter(struct chat_cast *c, struct stage *s, char *error, size_t size);

/* Let the clients end, and then the server; free all, remove the folder. Its programs' statuses can still
 * be asked for. */
void chat_cast_close(struct chat_cast *c);

/* "10.83.19.2:19830"; returns `out`. */
char *chat_cast_address(char out[NET_ADDRESS_MAX]);

#endif
