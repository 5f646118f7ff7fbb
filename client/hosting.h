/*
 * Hosting: starting a server on this machine.
 *
 * lanchatd is started as a program of its own, in its own session, without the
 * terminal; it outlives the client, and ends by itself when the last client has
 * left, unless it is told to stay. What it has to say goes into a file in the
 * user's state folder. It has started when it has written the file with its
 * addresses.
 *
 * Sources: posix_spawn(3), pidfd_open(2), inotify(7). One thread.
 */
#ifndef LANCHAT_HOSTING_H
#define LANCHAT_HOSTING_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOSTING_FDS 2

struct hosting;

/* Start `program`; `plaintext`: without TLS. ERR_SYSTEM, ERR_MEMORY with a sentence in `error`. */
int hosting_start(const char *program, bool stay, bool any_port, bool plaintext,
	struct hosting **out, char *error, size_t size);

/* Forget about it; the server, if it runs, goes on. NULL is allowed. */
void hosting_free(struct hosting *h);

/* What to poll: when any of these is readable, ask hosting_check. */
void hosting_poll(const struct hosting *h, struct pollfd fds[HOSTING_FDS]);

/* 0: the server is ready, at `*port` of this machine. ERR_AGAIN: not yet. ERR_EXISTS: it could not
 * start, for the port is in use, perhaps by another server of this kind. ERR_REFUSED: it could not
 * start; `error` says why. */
int hosting_check(struct hosting *h, uint16_t *port, char *error, size_t size);

#endif
