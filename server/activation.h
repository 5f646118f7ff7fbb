/*
 * Socket activation: listening sockets that whoever started the server has opened for it.
 *
 * They are the descriptors from 3 on; LISTEN_FDS says how many, LISTEN_PID for which process. So a
 * service manager can bind low ports for a server that never was root, and hold connections while the
 * server is started again. At start-up, by one thread, before anything else is opened. Source:
 * sd_listen_fds(3).
 */
#ifndef LANCHAT_SERVER_ACTIVATION_H
#define LANCHAT_SERVER_ACTIVATION_H

#include <stddef.h>
#include <sys/types.h>

#define ACTIVATION_FIRST 3 /* SD_LISTEN_FDS_START */

/* What the two variables, NULL where unset, say to process `self`: how many there are, none where they
 * are another process's. ERR_ARGUMENT: no numbers, or more than `most`. Pure. */
int activation_read(
	const char *listen_pid, const char *listen_fds, pid_t self, size_t most, size_t *count);

/* Take them: `count` descriptors from ACTIVATION_FIRST on, which are the caller's now, close-on-exec
 * and non-blocking. The variables are removed. Each must be a listening TCP socket: ERR_ARGUMENT
 * otherwise, with one line in `error`. 0 with none in `*count` where none were handed over. */
int activation_take(size_t most, size_t *count, char *error, size_t size);

#endif
