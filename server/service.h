/*
 * The server as a service: what the manager that started it, such as systemd, is told of it.
 *
 * That it is ready, reads its options again, or ends (notify.h), and, where the manager wants signs of
 * life, that it lives (watchdog.h). Does nothing where no manager asked. For the main thread, whose
 * loop polls service_fd and calls service_turn. Source: sd_notify(3), sd_watchdog_enabled(3).
 */
#ifndef LANCHAT_SERVER_SERVICE_H
#define LANCHAT_SERVER_SERVICE_H

#include "server/notify.h"
#include "server/server.h"
#include "server/watchdog.h"

#include <stdatomic.h>
#include <stdint.h>

/* A plain struct of its owner's; it stays where it is from service_open to service_close. */
struct service {
	struct notify notify;
	int wake;              /* owned; -1: nobody wants signs of life */
	int64_t interval_ms;   /* between two; constant */
	struct server *server; /* borrowed; constant while the watchdog runs */
	struct watchdog *watchdog;
	atomic_uint turns; /* of the main loop */
};

/* Read the environment, and remove what is the service's in it. ERR_SYSTEM with errno. Before
 * server_start, which closes doors. Pair with service_close. */
int service_open(struct service *s);

/* The server takes clients: tell so, and begin with the signs of life, until service_stopping. */
void service_ready(struct service *s, struct server *server);

/* Readable (poll) when the main loop is asked for a turn; -1: never. */
int service_fd(const struct service *s);

/* The main loop goes round once more. */
void service_turn(struct service *s);

/* The options are being read again; then they are, or were not. */
void service_reloading(const struct service *s);
void service_reloaded(const struct service *s);

/* The server is about to end; before server_stop. */
void service_stopping(struct service *s);

void service_close(struct service *s);

#endif
