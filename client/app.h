/*
 * The full-screen client: finds servers, connects, shows rooms in panes.
 *
 * app_run owns the terminal from its start to its end and restores it on every
 * way out. It is called by the main thread, once.
 */
#ifndef LANCHAT_APP_H
#define LANCHAT_APP_H

#include "common/identity.h"
#include "common/options.h"

#include <stdbool.h>
#include <stdint.h>

struct tls;

struct app_config {
	struct identity identity;
	struct tls *tls;         /* borrowed; NULL: plaintext */
	const char *data_folder; /* as in link.h */
	const char *nick;
	const char *password; /* the server's; NULL: none */
	/* "host", "host:port", "[v6]:port", a server's announced name, or NULL: discover. */
	const char *server;
	const struct option_list *rooms; /* to join; empty: "lobby" */
	uint32_t replay;                 /* messages to show on joining */
	const char *state_folder;        /* for what outlives the process; NULL: nothing does */
	const struct option_list *interfaces;
	const struct option_list *not_interfaces;
	bool host;   /* where no server is found within a second, start one here and join it */
	bool stay;   /* a server started here goes on when the last client leaves */
	bool colour; /* false under NO_COLOR */
	const char *server_program; /* path of lanchatd, for hosting one here */
};

/* Run until the user leaves. Returns the exit status: 0, or 1 with one line on stderr. */
int app_run(const struct app_config *config);

#endif
