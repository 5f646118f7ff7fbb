/*
 * From settings to values: what the options mean for the parts of the server, and whether they
 * can be meant.
 *
 * Files that the settings name are read each time, so that SIGHUP finds what they have become.
 * Those that return an int: 0, or an error with one line in `error`. Any thread.
 */
#ifndef LANCHAT_SERVER_VALUES_H
#define LANCHAT_SERVER_VALUES_H

#include "server/chat.h"
#include "server/clients.h"
#include "server/settings.h"

#include <stddef.h>
#include <stdint.h>

int values_policy(const struct settings *t, struct policy *p, char *error, size_t size);
struct clients_limits values_limits(const struct settings *t);

/* How many people there may be, as a beacon has a number for it. */
uint32_t values_most_people(const struct settings *t);

/* The text of the motd file, for free(); NULL in `*motd` when none is set. */
int values_motd(const struct settings *t, char **motd, char *error, size_t size);

/* Where the log is, and what may be in it; `config->log` becomes `log`, or NULL. */
void values_log(const struct settings *t, const char *folder, struct engine_config *log,
	struct chat_config *config);

/* May so little be kept? Can those files say who may come in? */
int values_check_keeping(const struct settings *t, char *error, size_t size);
int values_check_admission(const struct settings *t, char *error, size_t size);

/* The lane and the beacon cannot have the same port. ERR_ARGUMENT. */
int values_check_lane(const struct settings *t, char *error, size_t size);

/* All of that, for --check-config. */
int values_check(const struct settings *t, char *error, size_t size);

#endif
