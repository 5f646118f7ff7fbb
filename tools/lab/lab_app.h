/*
 * lanchat-lab with its full screen: the menu, and the scenario that is played. One thread looks after
 * the terminal; scenarios and the wire have their own.
 */
#ifndef LANCHAT_LAB_APP_H
#define LANCHAT_LAB_APP_H

#include "tools/lab/keep.h"

/* Until the user leaves. `settings` is borrowed. `no_hosts`: NULL, or why there can be no hosts but
 * loopback. The exit status: 0; 1 where a
 * signal ended it, or something failed, with the reason on stderr. */
int lab_app_run(const struct lab_settings *settings, const char *no_hosts);

/* One scenario, or the chat, without a menu. The same; when the user has left, what came of the last run is
 * added to `keep` and published, and where files are kept the status is what came of it. */
int lab_app_one(const struct lab_settings *settings, const struct scenario *only,
	const char *no_hosts, struct keep *keep);

#endif
