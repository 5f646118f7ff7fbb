/*
 * The client's options: the table for the command line, the config file and
 * --help, and what they mean together. Used by main, at start-up.
 */
#ifndef LANCHAT_CLIENT_OPTIONS_H
#define LANCHAT_CLIENT_OPTIONS_H

#include "common/options.h"

#include <stdbool.h>
#include <stddef.h>

#define CLIENT_NOT_GIVEN (-1) /* a number that the user did not set */
#define CLIENT_DIRECT    "@"  /* in place of a room's name: one's own direct messages */

struct client_settings {
	char *nick;
	struct option_list rooms;
	bool pipe;
	bool json;
	bool resume;
	long history;      /* messages to get on joining; CLIENT_NOT_GIVEN */
	long until;        /* messages; CLIENT_NOT_GIVEN */
	long linger;       /* seconds; CLIENT_NOT_GIVEN */
	char *export_room; /* CLIENT_DIRECT: the direct messages; NULL: nothing to export */
	bool text;
	char *since; /* when_parse takes it */
	bool discover;
	long timeout; /* seconds; CLIENT_NOT_GIVEN */
	struct option_list interfaces;
	struct option_list not_interfaces;
	bool host;
	bool stay;
	bool no_state;
	bool plaintext;
	char *password_file; /* NULL: no password */
	bool fingerprint;
	char *export_identity, *import_identity; /* files; NULL: not asked for */
	char *forget;                            /* an address or a name; NULL: nothing to forget */
	bool trace;
	int log_level; /* enum log_level */
	char *config;
	bool help;
	bool version;
	const char *server; /* the operand, borrowed from argv; NULL: none */
};

extern const struct option_table client_option_table;

/* Fill `*settings` from the command line and the config file: the one named by --config, else
 * $XDG_CONFIG_HOME/lanchat/config if there is one. Checks what belongs together. ERR_ARGUMENT and
 * others with one line, without a newline, in `error`; nothing needs freeing then. */
int client_options_load(
	struct client_settings *settings, int argc, char **argv, char *error, size_t size);

void client_options_fini(struct client_settings *settings);

#endif
