/*
 * The server: its parts, started in order and stopped in the opposite one.
 */
#ifndef LANCHAT_SERVER_SERVER_H
#define LANCHAT_SERVER_SERVER_H

#include "common/net_address.h"
#include "server/settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct server;

/* Start everything; clients can connect when this returns. `settings` is borrowed until
 * server_stop. On failure one line in `error`, and nothing is left running. */
int server_start(const struct settings *settings, struct server **out, char *error, size_t size);

/* Say goodbye to clients and on the network, let what is under way finish, and free all. */
void server_stop(struct server *s);

/* Use what may change while running of other settings. ERR_* with one line in `error`: nothing has
 * changed. */
int server_reload(struct server *s, const struct settings *settings, char *error, size_t size);

/* Readable (poll) when a client has left: call server_reap, and also at the time (clock_ms; INT64_MAX:
 * none) that server_next tells. */
int server_fd(const struct server *s);
int64_t server_next(const struct server *s);
void server_reap(struct server *s);

/* Connections now. */
size_t server_clients(struct server *s);

/* For the watchdog's thread: have every loop but main's go round once more, and go through the locks
 * that a login needs. Then how often each loop has, at most `most` of them; returns how many. */
void server_nudge(struct server *s);
size_t server_turns(const struct server *s, unsigned *turns, size_t most);

/* The addresses under which clients reach it (invite.h), at most `most`; returns how many. */
size_t server_invite(const struct server *s, struct net_address *out, size_t most);
const char *server_name(const struct server *s);

/* The IDENTITY_SIZE bytes of its id. */
const uint8_t *server_id(const struct server *s);

#endif
