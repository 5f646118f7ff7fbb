/*
 * Maintenance: what lanchatd does with its history instead of serving: --backup,
 * --restore, --verify and --set-aside.
 *
 * Backing up and verifying go beside a running server; the others need the folder for
 * themselves. Whatever fails, the history is as it was. One thread.
 */
#ifndef LANCHAT_SERVER_MAINTENANCE_H
#define LANCHAT_SERVER_MAINTENANCE_H

#include "server/settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Is any of it asked for? */
bool maintenance_asked(const struct settings *t);

/* Is at most one thing asked for? Otherwise ERR_ARGUMENT, with one line in `error`. */
int maintenance_check(const struct settings *t, char *error, size_t size);

/* Do it, and tell on `out` what was done. ERR_*, with one line in `error`; ERR_DAMAGED also when
 * verifying found something, which is then told on `out`. */
int maintenance_run(const struct settings *t, FILE *out, char *error, size_t size);

#endif
