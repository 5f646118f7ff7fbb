/*
 * Asking a running server for its status: lanchatd --status.
 *
 * The server is the one that runs on the data folder which the options name; see status_path.h. One
 * thread.
 */
#ifndef LANCHAT_SERVER_STATUS_ASK_H
#define LANCHAT_SERVER_STATUS_ASK_H

#include "server/settings.h"

#include <stddef.h>
#include <stdio.h>

#define STATUS_ASK_MS   10000             /* for the whole answer */
#define STATUS_ASK_MOST ((size_t)1 << 20) /* bytes of it */

/* Do the options of --status go together? ERR_ARGUMENT, with one line in `error`. */
int status_ask_check(const struct settings *t, char *error, size_t size);

/* Ask, and print the answer to `out`. ERR_NOT_FOUND: no server runs on the folder; ERR_*; with one line
 * in `error`. */
int status_ask(const struct settings *t, FILE *out, char *error, size_t size);

#endif
