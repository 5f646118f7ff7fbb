/*
 * Settings: what lanchatd can be told, on the command line or in its config file.
 */
#ifndef LANCHAT_SERVER_SETTINGS_H
#define LANCHAT_SERVER_SETTINGS_H

#include "common/options.h"

#include <stdbool.h>
#include <stddef.h>

enum history {
	HISTORY_ON,  /* in the data folder */
	HISTORY_OFF, /* in memory, as long as the server runs */
};

struct settings {
	struct option_list listen;
	long lane; /* a UDP port; 0: a free one, -1: no lane */
	char *port_file;
	char *name;
	char *motd; /* a file, as are the next two */
	char *password_file, *allow_keys;
	char *data;
	char *user; /* to become, for root */
	char *config;
	struct option_list interfaces, not_interfaces;
	long max_clients, max_per_address, max_logging_in, max_faults;  /* -1: without limit */
	long rate, rate_burst;                                          /* the same */
	long max_rooms, rooms_each, rooms_here, max_owned, max_members; /* the same */
	long max_nick, max_topic, max_text; /* bytes; -1: as far as the protocol goes */
	long replay, window_bytes;
	int history, sync;                         /* enum history; enum engine_sync */
	long keep_days, keep_messages, keep_bytes; /* 0: no limit of this kind */
	long handshake_seconds, login_seconds, frame_seconds, ping_seconds,
		idle_seconds;      /* -1: never */
	int sandbox;               /* enum sandbox_mode */
	int log_level, log_format; /* enum log_level; enum log_format */
	bool plaintext, no_beacon, while_clients, trace, check_config, help, version;
	bool status, json, openmetrics; /* status_ask.h */
	/* Jobs that are done instead of serving (maintenance.h), at most one of them. */
	char *backup, *restore; /* files */
	bool verify, set_aside, operator_code;
};

/* What memory may hold when --history is off and --keep-bytes is 0. */
#define SETTINGS_MEMORY_BYTES ((size_t)64 << 20)

/* The table of options, one row a field. */
const struct option_table *settings_table(void);

/* The name of the first option that differs and cannot be changed while running; NULL when there is
 * none. */
const char *settings_fixed_difference(const struct settings *a, const struct settings *b);

#endif
