/*
 * lanchat-lab with its full screen: the menu, and the scenario that is played. One thread looks after
 * the terminal; scenarios and the wire have their own.
 */
#ifndef LANCHAT_LAB_APP_H
#define LANCHAT_LAB_APP_H

#include "tools/lab/lab_options.h"

/* Until the user leaves. `settings` is borrowed. `no_hosts`: NULL, or why there can be no hosts but
 * loopback. The exit status: 0, or 1 with the reason on stderr. */
int lab_app_run(const struct lab_settings *settings, const char *no_hosts);

/* The chat alone, without a menu. The same. */
int lab_app_chat(const struct lab_settings *settings);

#endif
